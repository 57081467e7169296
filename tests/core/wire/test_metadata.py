"""Secrets in the metadata of an answer, wherever they are."""

from collections import OrderedDict
from typing import Any

import pytest

from modelstudio_core.secrets import redactor_of
from modelstudio_core.wire.metadata import without_secrets

KEY = "sk-0123456789abcdefghij"
HIDDEN = "**********"


def hide(text: str) -> str:
    return redactor_of((KEY,)).redact(text)


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        (KEY, HIDDEN),
        ([1, KEY], [1, HIDDEN]),
        (
            {"usage": {"a": [{"b": KEY}]}, "id": 1},
            {"usage": {"a": [{"b": HIDDEN}]}, "id": 1},
        ),
        ({"a": {KEY: KEY}}, {"a": {HIDDEN: HIDDEN}}),
        (
            {"id": "a", "x": "b", "created": 1, "model": KEY, "y": [], "z": KEY},
            {"id": "a", "x": "b", "created": 1, "model": HIDDEN, "y": [], "z": HIDDEN},
        ),
        ({KEY: 1, "b": KEY, "c": None}, {HIDDEN: 1, "b": HIDDEN, "c": None}),
        ([{"id": KEY}, {"id": "a"}, 1.5], [{"id": HIDDEN}, {"id": "a"}, 1.5]),
        ({"choices": [{"index": KEY}]}, {"choices": [{"index": HIDDEN}]}),
        *(
            ({name: KEY, "id": KEY}, {name: KEY, "id": HIDDEN})
            for name in (
                *("audio", "content", "document", "embedding", "function_call"),
                *("logprobs", "reasoning", "reasoning_content", "search_results"),
                *("sparse_embedding", "text", "tool_calls"),
            )
        ),
        (
            {"message": {"content": KEY, "name": KEY}},
            {"message": {"content": KEY, "name": HIDDEN}},
        ),
    ],
)
def test_a_secret_is_hidden_except_in_the_answer_itself(
    value: Any, hidden: Any
) -> None:
    before = repr(value)
    assert without_secrets(value, hide) == hidden
    assert repr(value) == before


@pytest.mark.parametrize(
    "value",
    [None, 1, 1.5, True, "a", [], {}, [[1], {"a": "b"}], {"id": "x", "text": KEY}],
)
def test_a_value_without_a_secret_is_not_copied(value: Any) -> None:
    assert without_secrets(value, hide) is value


class Text(str):
    """No JSON parser makes it, but an SDK may."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        (OrderedDict(id=KEY), {"id": HIDDEN}),
        ({"a": OrderedDict(id=KEY)}, {"a": {"id": HIDDEN}}),
        ([Text(KEY)], [HIDDEN]),
        ({"id": "a", "b": [Text(KEY)]}, {"id": "a", "b": [HIDDEN]}),
    ],
)
def test_a_secret_in_a_subclass_of_a_json_type_is_hidden(
    value: Any, hidden: Any
) -> None:
    assert without_secrets(value, hide) == hidden


def test_texts_that_make_up_a_key_only_together_are_no_secret() -> None:
    value = {"id": KEY[:7], "model": KEY[7:12], "x": KEY[12:]}
    assert len(KEY[12:]) > 8
    assert without_secrets(value, hide) is value


def nest(value: Any, levels: int, *, alternate: bool, first: type) -> Any:
    """Put a value into lists, or dicts, or both by turns, from the outside."""
    for level in reversed(range(levels)):
        is_list = (first is list) != (alternate and level % 2 == 1)
        value = [value] if is_list else {"a": value}
    return value


@pytest.mark.parametrize("alternate", [False, True])
@pytest.mark.parametrize("first", [list, dict])
def test_a_container_below_64_levels_is_replaced(first: type, alternate: bool) -> None:
    """All lists and objects down to there are searched."""

    def nested(value: Any, levels: int) -> Any:
        return nest(value, levels, alternate=alternate, first=first)

    for levels in (1, 2, 63, 64):
        assert without_secrets(nested(KEY, levels), hide) == nested(HIDDEN, levels)
        plain = nested("text", levels)
        assert without_secrets(plain, hide) is plain
    for levels in (65, 66, 100):
        for value in (KEY, "text", 1):
            shown = without_secrets(nested(value, levels), hide)
            assert shown == nested(HIDDEN, 64)
