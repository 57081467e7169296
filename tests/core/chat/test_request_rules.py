"""Rules for the messages of one request."""

from typing import Any, Final

import pytest

from modelstudio_core.chat.request_rules import apply_rules
from tests.core.support import assistant, make_plan, text_part, user

MARKER: Final = {"type": "ephemeral"}
SYSTEM: Final[Any] = {"role": "system", "content": "Rules"}
RESULT: Final[Any] = {"role": "tool", "tool_call_id": "call_1", "content": "18 degrees"}


# --- The explicit cache -------------------------------------------------------------


def marked(*messages: Any) -> list[int]:
    """Return the places of the messages that have a marker."""
    plan = make_plan("qwen3.7-plus", context_cache="auto")
    contents = [message["content"] for message in apply_rules(messages, plan)]
    return [
        place
        for place, content in enumerate(contents)
        if isinstance(content, list)
        and any(part.get("cache_control") == MARKER for part in content)
    ]


def with_markers(number: int) -> Any:
    """Return a user message whose parts have so many markers."""
    return user([text_part(f"{i}", cache_control=MARKER) for i in range(number)])


@pytest.mark.parametrize(
    ("messages", "places"),
    [
        ([user()], [0]),
        ([SYSTEM, user()], [0, 1]),
        ([SYSTEM, user("One"), SYSTEM, user("Two")], [2, 3]),
        # The end of the turn before is kept, too, not the turns before that.
        ([user("1"), assistant("A"), user("2"), assistant("B"), user("3")], [3, 4]),
        ([assistant("A"), user("2")], [0, 1]),
        ([user("1"), assistant("A"), RESULT], [1, 2]),
        # A message without text cannot have a marker: the one before it has it.
        ([user("1"), user("2"), assistant(""), RESULT], [1, 3]),
        ([user("1"), assistant(""), RESULT], [0, 2]),
        ([SYSTEM, assistant(""), RESULT], [0, 2]),
        ([user("1"), assistant("A"), user("")], [1]),
        ([user("1"), assistant("A"), user([])], [1]),
        ([{**SYSTEM, "content": ""}, user()], [1]),
        # The beginning of the answer is not kept.
        ([user("1"), assistant("A"), user("2"), assistant("B", partial=True)], [1]),
        ([SYSTEM, user("1"), assistant("B", partial=True)], [0]),
    ],
)
def test_the_ends_that_context_cache_marks(
    messages: list[Any], places: list[int]
) -> None:
    assert marked(*messages) == places


@pytest.mark.parametrize(("given", "places"), [(2, [0, 1, 2]), (3, [0, 1]), (4, [1])])
def test_a_request_has_at_most_four_markers(given: int, places: list[int]) -> None:
    assert marked(SYSTEM, with_markers(given), user("Two")) == places


# --- System messages ----------------------------------------------------------------

MORE: Final[Any] = {"role": "system", "content": "More"}


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        ([SYSTEM, user("A")], [SYSTEM, user("A")]),
        ([user("A"), SYSTEM], [SYSTEM, user("A")]),
        ([user("A"), SYSTEM, user("B")], [SYSTEM, user("A"), user("B")]),
        (
            [SYSTEM, user("A"), MORE],
            [{"role": "system", "content": "Rules\n\nMore"}, user("A")],
        ),
        (
            [user("A"), SYSTEM, MORE],
            [{"role": "system", "content": "Rules\n\nMore"}, user("A")],
        ),
        ([user("A")], [user("A")]),
        ([SYSTEM], [SYSTEM]),
        ([SYSTEM, MORE], [SYSTEM, MORE]),
    ],
)
def test_the_system_messages_of_a_strict_model_are_one_at_the_start(
    messages: list[Any], sent: list[Any]
) -> None:
    assert apply_rules(messages, make_plan("qwen3.5-35b-a3b")) == sent
