"""Tool calls and their results in a history that an agent or a memory kept."""

from collections.abc import Sequence
from itertools import takewhile
from typing import cast

from modelstudio_core.chat.messages import Message, ToolCall, ToolMessage

__all__ = ["pair_tool_calls"]


def pair_tool_calls(messages: Sequence[Message]) -> list[Message]:
    """Match tool calls and their results, as the service requires.

    A call without an id, which other services allow, gets the id of its result. A call
    without a result is removed unless it is in the last message: agents leave such
    calls in a history when the result of another tool ended the run.

    Args:
        messages: The prompt; its dicts may be changed.

    Returns:
        The same messages.
    """
    for index, message in enumerate(messages):
        calls = message.get("tool_calls") if message["role"] == "assistant" else None
        if not calls:
            continue
        following = messages[index + 1 :]
        results = cast(
            "list[ToolMessage]",
            list(takewhile(lambda other: other["role"] == "tool", following)),
        )
        _set_missing_ids(calls, results, index)
        if following:
            answered = {result["tool_call_id"] for result in results}
            calls[:] = [call for call in calls if call["id"] in answered]
    return list(messages)


def _set_missing_ids(
    calls: Sequence[ToolCall], results: Sequence[ToolMessage], index: int
) -> None:
    """Give an id to each call that has none, and to its result."""
    ids = {call["id"] for call in calls if call["id"]}
    unmatched = [result for result in results if result["tool_call_id"] not in ids]
    calls_without_id = [call for call in calls if not call["id"]]
    for number, call in enumerate(calls_without_id):
        call["id"] = f"call_{index}_{number}"
        if number < len(unmatched):
            result = unmatched[number]
            result["tool_call_id"] = result["tool_call_id"] or call["id"]
            call["id"] = result["tool_call_id"]
