"""JSON values: parse them, write them, and narrow their types."""

import json
from typing import Any, TypeGuard

__all__ = ["JsonObject", "content_text", "dump", "is_array", "is_object", "parse"]

JsonObject = dict[str, Any]


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Return whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Return whether a JSON value is an array."""
    return isinstance(value, list)


def parse(raw: bytes) -> object:
    """Parse JSON; return None for bytes that are not JSON."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


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
