"""Parse a body of the type ``multipart/form-data``, as uploads are sent."""

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["FormField", "parse_form"]

_BOUNDARY: Final = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_PARAMETER: Final = re.compile(r'\b(name|filename)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form.

    Attributes:
        name: The field's name.
        filename: The name of its file; None for a field that is no file.
        value: The bytes of its value.
    """

    name: str
    filename: str | None
    value: bytes

    @property
    def text(self) -> str:
        """The value as text."""
        return self.value.decode(errors="replace")


def parse_form(raw: bytes, content_type: str) -> list[FormField]:
    r"""Parse a form; return its fields in their order, none where it is no form.

    Example:
        >>> head = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
        >>> fields = parse_form(head + b"1\r\n--x--", "form-data; boundary=x")
        >>> [field.text for field in fields]
        ['1']
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return []
    delimiter = b"\r\n--" + boundary[1].encode()
    sections = (b"\r\n" + raw).split(delimiter)[1:-1]
    return [field for section in sections if (field := _field(section))]


def _field(section: bytes) -> FormField | None:
    head, separator, value = section.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    parameters = dict(_PARAMETER.findall(head.decode(errors="replace")))
    if not separator or "name" not in parameters:
        return None
    return FormField(parameters["name"], parameters.get("filename"), value)
