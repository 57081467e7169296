"""Secrets in the metadata of an answer, wherever they are."""

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


def test_what_is_nested_deeply_is_replaced() -> None:
    lists: Any = 1
    dicts: Any = 1
    for _ in range(100):
        lists, dicts = [lists], {"a": dicts}
    assert HIDDEN in repr(without_secrets(lists, hide))
    assert HIDDEN in repr(without_secrets(dicts, hide))
