"""Rules for the parts of a message, and for what stands beside them."""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Final

from modelstudio_core.emulator.json_values import (
    JsonObject,
    dump,
    is_array,
    is_number,
    is_object,
    objects,
)
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.rules.refusal import Refusal, invalid_parameter
from modelstudio_core.emulator.rules.sources import sourced
from modelstudio_core.emulator.studio import StoredFile

__all__ = ["INPUT_OF_PART_TYPE", "check_parts", "check_uploads", "urls_of"]

INPUT_OF_PART_TYPE: Final[Mapping[str, str]] = {
    "text": "text",
    "image_url": "image",
    "video_url": "video",
    "video": "video",
    "input_audio": "audio",
    "file": "pdf",
}
# What a text-only model reads that is no part of a message's content.
_WITHOUT_PARTS: Final = frozenset({"text", "file_id"})
_URL: Final = re.compile(r"(?:https?|oss)://[^\s/]+|data:[^,]*,", re.IGNORECASE)
_STORAGE: Final = "oss://"
_BROKEN: Final[Mapping[str, str]] = {
    "image": "Failed to decode the image during the data inspection.",
    "audio": "The audio format is illegal and cannot be opened.",
}
_BROKEN_FILE: Final = "The file format is illegal and cannot be opened."
# The numbers that may stand beside a part, each with its least and its greatest value.
_BESIDE: Final[Mapping[str, tuple[float, float]]] = {
    "fps": (0.1, 10),
    "max_frames": (1, 8_000),
    "max_pixels": (1, 2**40),
    "min_pixels": (1, 2**40),
    "total_pixels": (1, 2**40),
}


def check_parts(message: JsonObject, query: ChatQuery) -> None:
    """Refuse the parts of a message that the model does not read.

    Raises:
        Refusal: With the service's status, code and message.
    """
    content = message.get("content")
    if not is_array(content):
        return
    for part in objects(content):
        _check_kind(part, query)
        _check_beside(part)
        for url in urls_of(part):
            _check_url(url)
            _check_data(str(url), INPUT_OF_PART_TYPE[str(part["type"])])
    _check_list(query)


@sourced("recorded (qwen3.7-max); Error codes", "2026-09-15")
def _check_kind(part: JsonObject, query: ChatQuery) -> None:
    kind = INPUT_OF_PART_TYPE.get(str(part.get("type")))
    if kind not in query.profile.inputs or not _has_content(part):
        raise invalid_parameter(
            "The provided messages input is invalid. The error info is"
            " [Unexpected item type in content.]"
        )


def _has_content(part: JsonObject) -> bool:
    """Return whether a part has what its type names."""
    kind = str(part.get("type"))
    if kind == "text":
        return isinstance(part.get("text"), str)
    if kind == "file":
        file = part.get("file")
        return is_object(file) and bool(file.keys() & {"file_url", "file_data"})
    return bool(urls_of(part))


@sourced("Error codes; Context cache", "2026-09-15")
def _check_list(query: ChatQuery) -> None:
    # Text-only models accept a list only to mark a prefix for the context cache.
    if query.profile.inputs <= _WITHOUT_PARTS and not query.profile.cache:
        raise invalid_parameter("input content must be a string.")


@sourced("Vision guide; Qwen-OCR API reference", "2026-11-27")
def _check_beside(part: JsonObject) -> None:
    for name, (low, high) in _BESIDE.items():
        value = part.get(name)
        if value is not None and not (is_number(value) and low <= value <= high):
            raise invalid_parameter(
                f"{name} must be a number from {low} to {high}, got"
                f" {dump(value)[:60]} (emulator)."
            )
    rotate = part.get("enable_rotate")
    if rotate is not None and not isinstance(rotate, bool):
        raise invalid_parameter("enable_rotate must be a boolean (emulator).")


def urls_of(part: JsonObject) -> list[object]:
    """Return the URLs of a part, each as it was given.

    Args:
        part: The part.
    """
    kind = str(part.get("type"))
    if kind == "text":
        return []
    if kind == "file":
        file: JsonObject = part["file"] if is_object(part.get("file")) else {}
        return [file[key] for key in ("file_url", "file_data") if file.get(key)]
    value = part.get(kind)
    if is_object(value):
        value = value.get("url") or value.get("data")
    values = value if is_array(value) else [value]
    return [url for url in values if url is not None]


@sourced("Error codes", "2026-09-15")
def _check_url(url: object) -> None:
    if not isinstance(url, str) or not _URL.match(url):
        raise invalid_parameter(
            "The provided URL does not appear to be valid. Ensure it is correctly"
            " formatted."
        )


@sourced("Error codes", "2026-11-27")
def _check_data(url: str, kind: str) -> None:
    """Refuse a ``data:`` URL that says that it is base64, and is not."""
    head, _, data = url.partition(",")
    if not head.lower().startswith("data:") or not head.lower().endswith(";base64"):
        return
    try:
        is_empty = not base64.b64decode("".join(data.split()), validate=True)
    except ValueError:
        is_empty = True
    if is_empty:
        raise invalid_parameter(_BROKEN.get(kind, _BROKEN_FILE))


def _storage_keys(query: ChatQuery) -> Iterator[str]:
    """Yield the keys of the files of the temporary storage that a request names."""
    for message in query.messages:
        for part in objects(message.get("content")):
            for url in urls_of(part):
                if isinstance(url, str) and url.startswith(_STORAGE):
                    yield url.removeprefix(_STORAGE)


@sourced("Upload a file and obtain a temporary URL; Error codes", "2026-09-15")
def check_uploads(
    query: ChatQuery, uploads: Mapping[str, StoredFile], now: float
) -> None:
    """Refuse ``oss://`` URLs that the request or the storage does not allow.

    Args:
        query: The request.
        uploads: The files of the temporary storage by their keys.
        now: The time in seconds.

    Raises:
        Refusal: With the service's status, code and message.
    """
    for key in _storage_keys(query):
        if not query.resolves_uploads:
            _check_url(None)
        file = uploads.get(key)
        if file is None or file.expires <= now or file.model != query.model:
            raise Refusal(
                "<400> InternalError.Algo.InvalidParameter: Unable to download the"
                " media resource during the data inspection process.",
                dashscope_code="InvalidParameter.DataInspection",
            )
