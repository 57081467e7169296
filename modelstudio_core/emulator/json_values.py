"""JSON, read and written: what both type checkers agree on about it."""

import json
from typing import Any, TypeGuard

__all__ = ["dump", "is_array", "is_object", "parse", "text_of"]


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Tell whether a JSON value is an array."""
    return isinstance(value, list)


def parse(raw: bytes) -> Any:
    """Read JSON; what is not JSON is None."""
    try:
        return json.loads(raw)
    except ValueError:
        return None


def dump(value: object) -> str:
    """Write JSON as the service does: compact, and with its characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or parts.

    Example:
        >>> text_of([{"type": "text", "text": "What is"}, {"type": "image_url"}])
        'What is'
    """
    if isinstance(content, str):
        return content
    parts = content if is_array(content) else []
    return "\n".join(
        str(part["text"]) for part in parts if is_object(part) and "text" in part
    )
