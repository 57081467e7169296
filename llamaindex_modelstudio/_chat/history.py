"""What agents leave behind in a history, and what becomes of it."""

from collections.abc import Sequence
from itertools import takewhile
from typing import cast

from modelstudio_core.chat.messages import Message, ToolCall, ToolMessage

__all__ = ["pair_calls"]


def pair_calls(messages: Sequence[Message]) -> list[Message]:
    """Make calls and their results belong together, as the service wants it.

    Calls of other services may have no id: they get that of their result. A call that
    nobody answered is left out: agents leave it where a tool's result was the end.

    Args:
        messages: The prompt, whose dicts may be changed.

    Returns:
        The same messages.
    """
    for index, message in enumerate(messages):
        calls = message.get("tool_calls") if message["role"] == "assistant" else None
        if not calls:
            continue
        after = messages[index + 1 :]
        results = list(takewhile(lambda it: it["role"] == "tool", after))
        _name(calls, cast("list[ToolMessage]", results), index)
        if after:
            answered = {it["tool_call_id"] for it in cast("list[ToolMessage]", results)}
            calls[:] = [call for call in calls if call["id"] in answered]
    return list(messages)


def _name(
    calls: Sequence[ToolCall], results: Sequence[ToolMessage], index: int
) -> None:
    """Give an id to each call that has none, and to its result."""
    known = {call["id"] for call in calls if call["id"]}
    free = [result for result in results if result["tool_call_id"] not in known]
    nameless = [call for call in calls if not call["id"]]
    for number, call in enumerate(nameless):
        call["id"] = f"call_{index}_{number}"
        if number < len(free):
            free[number]["tool_call_id"] = free[number]["tool_call_id"] or call["id"]
            call["id"] = free[number]["tool_call_id"]
