"""Readers of JSON values of the service: a field may be missing or of another type."""

import json
import math
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final, cast

from jiter import from_json

__all__ = [
    "LARGE",
    "MAX_ERROR_VALUES",
    "MAX_VALUES",
    "ExcessiveJsonError",
    "check_values",
    "count_of",
    "load",
    "number_of",
    "object_of",
    "objects_of",
    "shortened",
    "text_of",
]

# A value takes up to some 200 bytes of memory, and two bytes of JSON: without a limit a
# body of 256 MiB would take tens of gigabytes.
MAX_VALUES: Final = 2**21
# A smaller text cannot have more values, and need not be looked at.
LARGE: Final = 2 * MAX_VALUES
# An error has a few: one with more is read as text.
MAX_ERROR_VALUES: Final = 2**14
_MAX_CHARACTERS: Final = 2**24
_SHOWN: Final = 2**13
# That of jiter.
_MAX_DEPTH: Final = 200
_TOO_DEEP: Final = "it is nested too deeply"


class ExcessiveJsonError(ValueError):
    """JSON that is nested too deeply or has too many values: its text says which."""


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


def number_of(value: object) -> float:
    """Return a JSON number as a float; NaN for what is none, or is too large for one.

    Example:
        >>> number_of(2), number_of(10**400), number_of("2")
        (2.0, nan, nan)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan
    try:
        number = float(value)
    except OverflowError:
        return math.nan
    return number if math.isfinite(number) else math.nan


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


def check_values(data: bytes | str, most: int = MAX_VALUES) -> None:
    """Refuse JSON whose values would take gigabytes of memory.

    Args:
        data: The JSON text. Its commas and brackets are counted, those in strings too.
        most: How many values it may have.

    Raises:
        ExcessiveJsonError: It may have more.
    """
    if len(data) <= 2 * most:
        return
    if isinstance(data, str):
        count = sum(map(data.count, ",[{"))
    else:
        count = sum(map(data.count, (b",", b"[", b"{")))
    if count > most:
        raise ExcessiveJsonError(f"it has more than {most:,} values")


def load(data: bytes) -> object:
    r"""Parse JSON, also a string with a lone surrogate such as ``"\ud83d"``.

    Every body of the service, every event and every line of a result is parsed here,
    but for the small events of chats.

    Args:
        data: The JSON text in UTF-8.

    Raises:
        ValueError: It is not JSON.
        ExcessiveJsonError: It is nested too deeply, or has too many values.

    Example:
        >>> load(b'{"n": 1}')
        {'n': 1}
    """
    if len(data) > LARGE:
        # jiter ends the process where memory does not suffice.
        check_values(data)
        return _load_slowly(data)
    try:
        return from_json(data)
    except ValueError as error:
        if "recursion limit" in str(error):
            raise ExcessiveJsonError(_TOO_DEEP) from None
    # jiter refuses a lone surrogate, the standard library does not.
    return _load_slowly(data)


def shortened(value: object) -> object:
    """Return a value, or the beginning of its JSON text if it is no error's body.

    All strings of an error's body are searched for secrets, which takes time.

    Example:
        >>> shortened({"a": [1]})
        {'a': [1]}
        >>> shortened([[]] * 10**6)[:9]
        '[[], [], '
    """
    level, values, characters = [value], 1, 0
    while level:
        characters += sum(len(item) for item in level if isinstance(item, str))
        if values > MAX_ERROR_VALUES or characters > _MAX_CHARACTERS:
            parts = json.JSONEncoder(ensure_ascii=False).iterencode(value)
            return "".join(islice(parts, _SHOWN))[:_SHOWN]
        level = [item for parent in level for item in _items(parent)]
        values += len(level)
    return value


def _load_slowly(data: bytes) -> object:
    try:
        value: object = json.loads(data)
    except RecursionError:
        raise ExcessiveJsonError(_TOO_DEEP) from None
    _check_depth(value)
    return value


def _check_depth(value: object) -> None:
    """Refuse what the standard library accepts and other code cannot handle."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            item
            for parent in level
            for item in _items(parent)
            if isinstance(item, (dict, list))
        ]
        if not level:
            return
    raise ExcessiveJsonError(_TOO_DEEP)


def _items(value: object) -> Iterable[object]:
    """Return what is in a list or an object."""
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()
