"""Tool calls and their results in a history that was cut, interrupted or handed over.

The service requires that each call has one result and that results directly follow
their calls. Agents, memories and other providers leave histories in which that is not
so: they are made valid here, without losing what they say.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

from modelstudio_core.chat.messages import (
    AssistantMessage,
    Message,
    TextPart,
    ToolCall,
    ToolMessage,
    UserMessage,
    split_text,
)

__all__ = ["NO_RESULT", "fence", "repair_history"]

_logger: Final = logging.getLogger("modelstudio")
# The result of a call that has none.
NO_RESULT: Final = (
    "There is no result: this tool call was interrupted, or its result was removed."
)
_UNKNOWN_TOOL: Final = "unknown_tool"
_BACKTICKS: Final = re.compile(r"`{3,}")


@dataclass(slots=True)
class _Turn:
    """An assistant message with calls, and the results that belong to it.

    Attributes:
        number: The number of its message in the history.
        calls: Its calls.
        by_id: The results with the id of one of its calls.
        others: The results that directly follow and have no id, or an unknown one.
        is_open: Whether only results have followed so far.
    """

    number: int
    calls: list[ToolCall]
    by_id: dict[str, list[ToolMessage]] = field(
        default_factory=dict[str, list[ToolMessage]]
    )
    others: list[ToolMessage] = field(default_factory=list[ToolMessage])
    is_open: bool = True


def repair_history(messages: Sequence[Message]) -> list[Message]:
    """Make the tool calls and results of a history valid for the service.

    - A result is moved directly behind its calls. A call without an id, which other
      services allow, gets the id of its result.
    - A call without a result gets one that says that there is none, but not in the last
      message: the service refuses such a prompt with a message that says why.
    - A result without a call, and a second result that differs from the first, become a
      user's message that names the tool and contains the result between fences.

    Args:
        messages: The history. It is not changed.

    Returns:
        The valid history. What was repaired is logged in one warning.

    Example:
        >>> repair_history([{"role": "user", "content": "Hi"}])
        [{'role': 'user', 'content': 'Hi'}]
    """
    if not any(m["role"] == "tool" or m.get("tool_calls") for m in messages):
        return list(messages)
    turns, unmatched = _sort(messages)
    repaired: list[Message] = []
    without_result = without_call = 0
    for number, message in enumerate(messages):
        if message["role"] == "tool":
            if number in unmatched:
                repaired.append(_as_user_message(message))
                without_call += 1
        elif number not in turns:
            repaired.append(message)
        elif number == len(messages) - 1:
            calls = _with_ids(turns[number].calls, number)
            repaired.append({**cast("AssistantMessage", message), "tool_calls": calls})
        else:
            calls, results, left = _pair(turns[number])
            turn: AssistantMessage = {
                **cast("AssistantMessage", message),
                "tool_calls": calls,
            }
            extra = list(map(_as_user_message, left))
            repaired += [turn, *results, *extra]
            without_call += len(extra)
            without_result += sum(r["content"] is NO_RESULT for r in results)
    _log_repair(without_result, without_call)
    return repaired


def _log_repair(without_result: int, without_call: int) -> None:
    """Log what was repaired in one warning, if anything was."""
    counts = [
        f"{count} {noun if count == 1 else noun + 's'} without a {missing}"
        for count, noun, missing in (
            (without_result, "tool call", "result"),
            (without_call, "tool result", "call"),
        )
        if count
    ]
    if counts:
        _logger.warning("The history was repaired: %s.", ", ".join(counts))


def fence(text: str) -> str:
    r"""Return a text between fences that the text cannot close.

    Args:
        text: Any text.

    Example:
        >>> fence("It rains.")
        '```\nIt rains.\n```'
    """
    longest = max(map(len, _BACKTICKS.findall(text)), default=2)
    marks = "`" * (longest + 1)
    return f"{marks}\n{text}\n{marks}"


# --- Calls and their results ------------------------------------------------------


def _sort(messages: Sequence[Message]) -> tuple[dict[int, _Turn], set[int]]:
    """Return the turns with calls, and the numbers of results that have no call."""
    turns: dict[int, _Turn] = {}
    turn_of: dict[str, _Turn] = {}
    unmatched: set[int] = set()
    last: _Turn | None = None
    for number, message in enumerate(messages):
        if message["role"] == "assistant" and message.get("tool_calls"):
            last = turns[number] = _Turn(number, message.get("tool_calls", []))
            turn_of |= {call["id"]: last for call in last.calls if call["id"]}
        elif message["role"] == "tool":
            call_id = message["tool_call_id"]
            if turn := turn_of.get(call_id):
                turn.by_id.setdefault(call_id, []).append(message)
            elif last and last.is_open:
                last.others.append(message)
            else:
                unmatched.add(number)
        elif last:
            last.is_open = False
    return turns, unmatched


def _pair(
    turn: _Turn,
) -> tuple[list[ToolCall], list[ToolMessage], list[ToolMessage]]:
    """Return the calls with ids, one result for each, and the results that are left."""
    by_id = {call_id: list(results) for call_id, results in turn.by_id.items()}
    others = list(turn.others)
    calls: list[ToolCall] = []
    results: list[ToolMessage] = []
    used: list[ToolMessage] = []
    for call, call_id in zip(
        turn.calls, _new_ids(turn.calls, turn.number), strict=True
    ):
        same_id = by_id.get(call["id"])
        result = same_id.pop(0) if same_id else _pop_unassigned(call, others)
        if result:
            used.append(result)
        if not call["id"] and result and result["tool_call_id"]:
            call_id = result["tool_call_id"]  # noqa: PLW2901 - the call has no id
        calls.append(_named({**call, "id": call_id}))
        if result is None:
            result = _no_result(call_id)
        answer: ToolMessage = {**result, "tool_call_id": call_id}
        results.append(answer)
    # A copy of a result that was used, of the same call, says nothing new.
    second = [
        result for same_id in by_id.values() for result in same_id if result not in used
    ]
    return calls, results, [*second, *others]


def _no_result(call_id: str) -> ToolMessage:
    return {"role": "tool", "tool_call_id": call_id, "content": NO_RESULT}


def _pop_unassigned(call: ToolCall, others: list[ToolMessage]) -> ToolMessage | None:
    """Remove and return a result that may answer a call: by name, else in order.

    A result with an id of its own answers only a call without one.
    """
    candidates = [r for r in others if not (call["id"] and r["tool_call_id"])]
    named = [r for r in candidates if r.get("name") == call["function"]["name"]]
    unnamed = [r for r in candidates if not r.get("name")]
    for result in (*named, *unnamed):
        others.remove(result)
        return result
    return None


def _with_ids(calls: Sequence[ToolCall], number: int) -> list[ToolCall]:
    ids = _new_ids(calls, number)
    return [_named({**call, "id": new}) for call, new in zip(calls, ids, strict=True)]


def _new_ids(calls: Sequence[ToolCall], number: int) -> Iterable[str]:
    """Return an id for each call of a message: its own, if no other has it."""
    seen: set[str] = set()
    for position, call in enumerate(calls):
        call_id = call["id"] or f"call_{number}_{position}"
        if call_id in seen:
            call_id = f"{call_id}_{position}"
        seen.add(call_id)
        yield call_id


def _named(call: ToolCall) -> ToolCall:
    """Return a call with a name: an invalid call may have none."""
    if call["function"]["name"]:
        return call
    return {**call, "function": {**call["function"], "name": _UNKNOWN_TOOL}}


# --- Results without a call -------------------------------------------------------


def _as_user_message(result: ToolMessage) -> UserMessage:
    """Return a result as a message of the user, with the media that it contains."""
    name = result.get("name")
    tool = f"the tool {name!r}" if name else "a tool"
    label = f"Result of {tool}, whose call is not part of this conversation:"
    content = result["content"]
    text, media = split_text(content)
    labelled = f"{label}\n{fence(text)}"
    if not media:
        return {"role": "user", "content": labelled}
    first: TextPart = {"type": "text", "text": labelled}
    return {"role": "user", "content": [first, *media]}
