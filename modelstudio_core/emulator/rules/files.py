"""Rules for files: those of batches, and those that Qwen-Long and others read."""

from collections.abc import Sequence
from typing import Final

from modelstudio_core.emulator.multipart import FormField
from modelstudio_core.emulator.rules.refusal import Refusal, invalid_shape
from modelstudio_core.emulator.rules.sources import OWN, sourced

__all__ = [
    "EXTRACT",
    "MAX_BATCH_FILE_BYTES",
    "check_content",
    "check_file_form",
    "check_page_size",
    "check_storage",
    "file_not_found",
]

MAX_BATCH_FILE_BYTES: Final = 500 * 1024 * 1024
# The purpose of a file that a model reads, and how large a document or an image may be.
EXTRACT: Final = "file-extract"
_MAX_DOCUMENT_BYTES: Final = 150 * 1024 * 1024
_MAX_IMAGE_BYTES: Final = 20 * 1024 * 1024
_IMAGES: Final = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_MAX_FILES: Final = 10_000
_MAX_STORED_BYTES: Final = 100 * 1024**3
_MAX_PAGE_SIZE: Final = 100
_PAGE_SIZE: Final = 20
_FIELDS: Final = frozenset({"purpose", "file"})
_RESULTS: Final = "file-batch_output"


@sourced("OpenAI compatible - File; recorded (form fields)", "2026-11-27")
def check_file_form(fields: Sequence[FormField]) -> tuple[str, FormField]:
    """Refuse a form that is no upload of a file.

    Args:
        fields: The fields of the form.

    Returns:
        The purpose, and the file.

    Raises:
        Refusal: With the service's status, code and message.
    """
    by_name = {field.name: field for field in fields}
    if unknown := sorted(by_name.keys() - _FIELDS):
        raise invalid_shape(f"Unknown form field: {unknown[0]} (emulator).")
    file, purpose = by_name.get("file"), by_name.get("purpose")
    if file is None or file.filename is None:
        raise invalid_shape("'file' is a required property")
    if purpose is None or purpose.text not in {"batch", EXTRACT}:
        raise invalid_shape(
            "The purpose is not supported: the emulator keeps files of the purposes"
            f" 'batch' and '{EXTRACT}'."
        )
    most = _max_bytes(purpose.text, file.filename)
    if len(file.value) > most:
        megabytes = most // 1024**2
        raise invalid_shape(
            f"File size exceeds the limit of {megabytes} MB (emulator)."
        )
    return purpose.text, file


def _max_bytes(purpose: str, filename: str) -> int:
    if purpose != EXTRACT:
        return MAX_BATCH_FILE_BYTES
    is_image = filename.lower().endswith(_IMAGES)
    return _MAX_IMAGE_BYTES if is_image else _MAX_DOCUMENT_BYTES


@sourced("OpenAI compatible - File", "2026-11-27")
def check_storage(count: int, size: int) -> None:
    """Refuse a file for which there is no room.

    Args:
        count: How many files there would be.
        size: How many bytes they would have.

    Raises:
        Refusal: There are too many files or bytes.
    """
    if count > _MAX_FILES or size > _MAX_STORED_BYTES:
        raise invalid_shape("The storage holds 10,000 files and 100 GB (emulator).")


@sourced("OpenAI compatible - File; OpenAI compatible - Batch", "2026-11-27")
def check_page_size(text: str | None) -> int:
    """Return how many objects a page of a list has.

    Args:
        text: The parameter of the query.

    Raises:
        Refusal: It is not a number from 1 to 100.
    """
    if text is None:
        return _PAGE_SIZE
    if not text.isdecimal() or not 1 <= int(text[:9]) <= _MAX_PAGE_SIZE:
        raise invalid_shape(f"limit must be from 1 to {_MAX_PAGE_SIZE} (emulator).")
    return int(text)


@sourced("OpenAI compatible - Batch", "2026-11-27")
def check_content(file_id: str) -> None:
    """Refuse to send a file that was uploaded: only results can be downloaded.

    Args:
        file_id: The id of the file.

    Raises:
        Refusal: It has no results.
    """
    if not file_id.startswith(_RESULTS):
        raise invalid_shape(f"The file {file_id} cannot be downloaded (emulator).")


@sourced(OWN, "2026-11-27")
def file_not_found(file_id: str) -> Refusal:
    """Return the refusal of a file that does not exist."""
    return Refusal(
        f"No such File object: {file_id} (emulator).",
        status=404,
        code="not_found",
        gateway=True,
    )
