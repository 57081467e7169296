"""JSON values of the service, read with care: what is said besides may be missing."""

import json
from collections.abc import Mapping
from typing import Any, cast

from jiter import from_json

__all__ = ["count_of", "load", "object_of", "objects_of", "text_of"]


def text_of(raw: Mapping[str, Any], name: str) -> str | None:
    """Return a field that is a text with something in it, else None."""
    value = raw.get(name)
    return value if isinstance(value, str) and value else None


def count_of(raw: Mapping[str, Any], name: str) -> int | None:
    """Return a field that is a whole number, else None."""
    value = raw.get(name)
    return value if type(value) is int else None


def object_of(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a field that is an object, else an empty one."""
    value = raw.get(name)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def objects_of(raw: Mapping[str, Any], name: str) -> list[Any]:
    """Return the objects of a field that is a list."""
    value = raw.get(name)
    if not isinstance(value, list):
        return []
    return [it for it in cast("list[object]", value) if isinstance(it, dict)]


def load(data: bytes) -> object:
    """Parse JSON; the slower parser takes half a surrogate pair, the fast one not."""
    try:
        return from_json(data)
    except ValueError as error:
        # What the slower parser would take, nothing that comes after it could.
        if "recursion limit" in str(error):
            raise
        return json.loads(data)
