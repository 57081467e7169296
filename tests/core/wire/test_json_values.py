"""Fields of JSON objects, read with care: they may be missing or of another type."""

from typing import Any

import pytest

from modelstudio_core.wire.json_values import (
    count_of,
    load,
    object_of,
    objects_of,
    text_of,
)

# One value of each JSON type, some of them empty.
VALUES: dict[str, Any] = {
    "null": None,
    "bool": True,
    "int": 5,
    "zero": 0,
    "float": 5.0,
    "text": "a",
    "blank": "",
    "list": [{"a": 1}, 5, None, {}, [{}], "a"],
    "empty list": [],
    "object": {"a": 1},
    "empty object": {},
}
NAMES = [*VALUES, "missing"]


@pytest.mark.parametrize("name", NAMES)
def test_text_of(name: str) -> None:
    assert text_of(VALUES, name) == ("a" if name == "text" else None)


@pytest.mark.parametrize("name", NAMES)
def test_count_of(name: str) -> None:
    count = count_of(VALUES, name)
    assert count == {"int": 5, "zero": 0}.get(name)
    assert not isinstance(count, bool)


@pytest.mark.parametrize("name", NAMES)
def test_object_of(name: str) -> None:
    assert object_of(VALUES, name) == ({"a": 1} if name == "object" else {})


@pytest.mark.parametrize("name", NAMES)
def test_objects_of(name: str) -> None:
    assert objects_of(VALUES, name) == ([{"a": 1}, {}] if name == "list" else [])


def test_objects_are_not_copied() -> None:
    assert object_of(VALUES, "object") is VALUES["object"]
    assert objects_of(VALUES, "list")[0] is VALUES["list"][0]


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": [1, 2.5, null, true, "\xc3\xbc"]}', {"a": [1, 2.5, None, True, "ü"]}),
        (b' "a" ', "a"),
        # Half of a surrogate pair, which the fast parser refuses.
        (b'"\\ud83d"', "\ud83d"),
        (b'{"\\ud83d": 1}', {"\ud83d": 1}),
    ],
)
def test_load(data: bytes, value: object) -> None:
    assert load(data) == value


@pytest.mark.parametrize("data", [b"", b"{", b"{oops}", b"[1,]", b"\xff", b"1 2"])
def test_load_refuses_what_is_not_json(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the parser's
        load(data)


def test_load_refuses_a_very_deep_value() -> None:
    """Python's own parser would raise a ``RecursionError``."""
    depth = 100_000
    with pytest.raises(ValueError, match="recursion limit"):
        load(b"[" * depth + b"]" * depth)
