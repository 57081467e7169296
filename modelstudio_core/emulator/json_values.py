"""JSON values: parse them, write them, and narrow their types."""

import json
from collections.abc import Iterable
from typing import Any, Final, NoReturn, TypeGuard

__all__ = [
    "JsonObject",
    "content_text",
    "dump",
    "is_array",
    "is_number",
    "is_object",
    "objects",
    "parse",
]

JsonObject = dict[str, Any]
# How deep arrays and objects may be nested. The service's own limit is not documented.
_MAX_DEPTH: Final = 128


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Return whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Return whether a JSON value is an array."""
    return isinstance(value, list)


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a JSON value is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def objects(value: object) -> list[JsonObject]:
    """Return the objects of a JSON array; none where the value is no array."""
    return [item for item in value if is_object(item)] if is_array(value) else []


def parse(raw: bytes) -> object:
    """Parse JSON.

    Returns:
        The value; None for bytes that are not JSON, that are nested too deeply, or that
        hold a half of a surrogate pair, which no text in UTF-8 can have.
    """
    try:
        value: object = json.loads(raw, parse_constant=_refuse_constant)
        if b"\\u" in raw or b"\\U" in raw:
            dump(value).encode()
    except (ValueError, RecursionError):
        return None
    brackets = raw.count(b"[") + raw.count(b"{")
    return None if brackets > _MAX_DEPTH and _depth(value) > _MAX_DEPTH else value


def _refuse_constant(name: str) -> NoReturn:
    """Refuse ``NaN`` and ``Infinity``, which are Python's and not JSON's."""
    raise ValueError(f"{name} is not JSON")


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level := [child for item in level for child in _children(item)]:
        depth += 1
    return depth


def _children(value: object) -> Iterable[object]:
    if is_object(value):
        return value.values()
    return value if is_array(value) else ()


def dump(value: object) -> str:
    """Write JSON as the service does: compact, with non-ASCII characters unescaped."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def content_text(content: object) -> str:
    """Return the text of a message's content, which is a string or a list of parts.

    Example:
        >>> content_text([{"type": "text", "text": "What is"}, {"type": "image_url"}])
        'What is'
    """
    if isinstance(content, str):
        return content
    parts = content if is_array(content) else []
    return "\n".join(
        str(part["text"]) for part in parts if is_object(part) and "text" in part
    )
