"""Rules for the temporary storage: policy requests, forms, and ``oss://`` URLs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from modelstudio_core.catalog import resolve_model
from modelstudio_core.emulator.multipart import FormField
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.rules.served_models import is_served
from modelstudio_core.emulator.rules.sources import sourced

__all__ = ["StorageRefusal", "UploadForm", "check_form", "check_policy_request"]

_REQUIRED: Final = ("OSSAccessKeyId", "Signature", "policy", "key")


class StorageRefusal(Exception):  # noqa: N818 - a response of the storage, not a failure
    """A form that the storage refuses.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, code: str, message: str, *, status: int = 403) -> None:
        """Set the code and the message.

        Args:
            code: The storage's code.
            message: The error message.
            status: The HTTP status.
        """
        super().__init__(message)
        self.status = status
        self._code = code
        self._message = message

    def write(self, request_id: str) -> bytes:
        """Write the body of the response, which is XML."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n'
            f"  <Code>{escape(self._code)}</Code>\n"
            f"  <Message>{escape(self._message)}</Message>\n"
            f"  <RequestId>{request_id}</RequestId>\n</Error>\n"
        ).encode()


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The fields of an upload.

    Attributes:
        texts: The fields before the file, by name.
        file: The content of the file.
    """

    texts: Mapping[str, str]
    file: bytes


@sourced("Upload a file and obtain a temporary URL", "2026-09-15")
def check_policy_request(query: Mapping[str, str]) -> str:
    """Refuse a request for a policy that names no action or no model.

    Args:
        query: The query of the URL.

    Returns:
        The model.

    Raises:
        Refusal: With the service's status, code and message.
    """
    if query.get("action") != "getPolicy":
        raise Refusal('Required parameter "action" missing or invalid (emulator).')
    model = query.get("model")
    if not model:
        raise Refusal('Required parameter "model" missing from request (emulator).')
    if not is_served(resolve_model(model)):
        raise Refusal("Model not exist.")
    return model


@sourced("OSS PostObject reference", "2026-09-15")
def check_form(fields: Sequence[FormField]) -> UploadForm:
    """Refuse a form without a file, or without a field before it.

    Raises:
        StorageRefusal: With the storage's status, code and message.
    """
    texts: dict[str, str] = {}
    for field in fields:
        if field.name == "file":
            break
        texts[field.name] = field.text
    else:
        raise StorageRefusal(
            "InvalidArgument",
            "The body of your POST request has no field 'file'.",
            status=400,
        )
    missing = [name for name in _REQUIRED if not texts.get(name)]
    if missing:
        raise StorageRefusal(
            "InvalidArgument",
            f"The form has no field '{missing[0]}' before the file.",
            status=400,
        )
    return UploadForm(texts, field.value)
