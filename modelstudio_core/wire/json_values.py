"""Readers of JSON values of the service: a field may be missing or of another type."""

import json
from collections.abc import Mapping
from typing import Any

from jiter import from_json

__all__ = [
    "count_of",
    "load",
    "object_of",
    "objects_of",
    "text_of",
    "without_surrogates",
]


# They are called for each answer, some for each chunk: the values have declared types,
# because ``cast`` is a call.


def text_of(raw: Mapping[str, object], name: str) -> str | None:
    """Return a field that is a string and not empty, else None."""
    value = raw.get(name)
    return value if isinstance(value, str) and value else None


def count_of(raw: Mapping[str, object], name: str) -> int | None:
    """Return a field that is an integer, else None."""
    value = raw.get(name)
    return value if type(value) is int else None


def object_of(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a field that is an object, else an empty dict."""
    value: dict[str, Any] | None = raw.get(name)
    return value if isinstance(value, dict) else {}


def objects_of(raw: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects in a field that is a list, else an empty list."""
    value: list[dict[str, Any]] | None = raw.get(name)
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def load(data: bytes) -> object:
    r"""Parse JSON, also a string with a lone surrogate such as ``"\ud83d"``.

    Args:
        data: The JSON text in UTF-8.

    Raises:
        ValueError: It is not JSON, or it is nested too deeply.

    Example:
        >>> load(b'{"n": 1}')
        {'n': 1}
    """
    try:
        return from_json(data)
    except ValueError as error:
        # The standard library accepts deeper values, which other code cannot handle.
        if "recursion limit" in str(error):
            raise
        # jiter refuses a lone surrogate, the standard library does not.
        return json.loads(data)


def without_surrogates(text: str) -> str:
    r"""Return a text that UTF-8 can represent: lone surrogates are replaced.

    Example:
        >>> without_surrogates("a\ud83d") == "a\ufffd"
        True
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        halves = text.encode("utf-16", "surrogatepass")
        return halves.decode("utf-16", "replace")
    return text
