"""Fields of JSON objects, read with care: they may be missing or of another type."""

import json
import math
from typing import Any, cast

import pytest

from modelstudio_core.wire.json_values import (
    LARGE,
    MAX_VALUES,
    ExcessiveJsonError,
    check_values,
    count_of,
    load,
    number_of,
    object_of,
    objects_of,
    shortened,
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
    with pytest.raises(ValueError, match="nested too deeply"):
        load(b"[" * depth + b"]" * depth)


@pytest.mark.parametrize("before", [b"", b'"\\ud83d",', b'"%s",' % (b"a" * LARGE)])
@pytest.mark.parametrize("depth", [250, 100_000])
def test_load_refuses_deep_values_that_the_fast_parser_does_not_see(
    before: bytes, depth: int
) -> None:
    with pytest.raises(ExcessiveJsonError, match="nested too deeply"):
        load(b"[" + before + b"[" * depth + b"]" * depth + b"]")


@pytest.mark.parametrize("value", [b"{},", b"[],", b"1,", b'"\\n",'])
def test_load_refuses_more_values_than_any_answer_has(value: bytes) -> None:
    size = MAX_VALUES // 2
    assert len(cast("list[object]", load(b"[" + value * size + b"1]"))) == size + 1
    with pytest.raises(ExcessiveJsonError, match="more than 2,097,152 values"):
        load(b"[" + value * (2 * size) + b"1]")


def test_a_long_text_is_few_values() -> None:
    text = "a\n" * LARGE
    assert load(json.dumps([text]).encode()) == [text]
    check_values(text)


def test_a_text_that_is_not_bytes_is_looked_at_too() -> None:
    with pytest.raises(ExcessiveJsonError, match="more than 2,097,152 values"):
        check_values("[" * (LARGE + 1))


@pytest.mark.parametrize("sign", [",", "[", "{"])
def test_values_are_counted_by_commas_and_brackets(sign: str) -> None:
    at_most = f"{sign * 10}{'x' * 20}"
    check_values(at_most, 10)
    check_values(at_most.encode(), 10)
    for data in (f"{at_most}{sign}", f"{at_most}{sign}".encode()):
        with pytest.raises(ExcessiveJsonError, match=r"^it has more than 10 values$"):
            check_values(data, 10)


def test_all_commas_and_brackets_count_together() -> None:
    check_values(b",,,,[[[{{{" + b"x" * 20, 10)
    with pytest.raises(ExcessiveJsonError):
        check_values(b",,,,[[[{{{{" + b"x" * 20, 10)


NO_NUMBERS: list[object] = [
    *(True, False, None, "2", [2], {}),
    *(math.inf, -math.inf, math.nan, 10**400, -(10**400)),
]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((2, 2.0), (-2.5, -2.5), (0, 0.0)),
        *((value, math.nan) for value in NO_NUMBERS),
    ],
)
def test_number_of(value: object, number: float) -> None:
    read = number_of(value)
    assert type(read) is float
    assert read == number or (math.isnan(read) and math.isnan(number))


@pytest.mark.parametrize("first", [b"", b'"\\ud83d",'], ids=["fast", "slow"])
@pytest.mark.parametrize("kind", [(b"[", b"]"), (b'{"a":', b"}")], ids=["list", "dict"])
def test_load_reads_what_is_nested_up_to_a_limit(
    first: bytes, kind: tuple[bytes, bytes]
) -> None:
    """It is the same for both parsers."""
    begin, end = kind
    for depth in (1, 100, 198):
        assert load(b"[" + first + begin * depth + b"1" + end * depth + b"]")
    for depth in (201, 300):
        with pytest.raises(ExcessiveJsonError, match="nested too deeply"):
            load(b"[" + first + begin * depth + b"1" + end * depth + b"]")


def test_an_error_with_many_values_or_characters_is_shortened() -> None:
    # The body itself and its field are values, too.
    for kept in ({"a": [1] * (2**14 - 2)}, ["A", "x" * (2**24 - 1)]):
        assert shortened(kept) is kept
    for long in ({"a": [1] * (2**14 - 1)}, ["A", "x" * 2**24]):
        text = shortened(long)
        assert isinstance(text, str)
        assert len(text) == 8192


def test_what_is_no_body_of_an_error_is_shortened() -> None:
    body = {"code": "A", "message": ["b", {"c": 1}]}
    assert shortened(body) is body
    wide = shortened({"code": "A", "wide": [[]] * 20_000})
    long = shortened({"code": "A", "long": "x" * 2**24})
    assert isinstance(wide, str)
    assert isinstance(long, str)
    assert wide.startswith('{"code": "A", "wide": [[], []')
    assert long.startswith('{"code": "A", "long": "xxx')
    assert max(len(wide), len(long)) == 8192
