"""The pieces of a stream of the native protocol, incremental or cumulative.

Recorded 2024-02 to 2026-08: an incremental stream ends in an event that says nothing
more, or in the last piece of a call; a cumulative one in all that was said.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from modelstudio_core.emulator.model.answers import Answer, Call
from modelstudio_core.emulator.model.tokens import count_tokens, cut_pieces

__all__ = ["Piece", "Shape", "empty_message", "pieces_of", "scripted_pieces"]

Json = dict[str, Any]
# Turns a message with a plain text into the form that was asked for.
Shape = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One event's part of one answer.

    Attributes:
        message: What it says.
        reason: The finish reason; None while there is more.
        reasoning_tokens: How many tokens of thinking are new.
        tokens: How many tokens of any kind are new.
        logprobs: The entries of log probabilities, None for none.
    """

    message: Mapping[str, Any]
    reason: str | None = None
    reasoning_tokens: int = 0
    tokens: int = 0
    logprobs: Sequence[Mapping[str, Any]] | None = None


def pieces_of(answer: Answer, shape: Shape, *, incremental: bool) -> list[Piece]:
    """Cut an answer: reasoning, text and calls, in that order, and the end."""
    news = [*_thoughts(answer), *_texts(answer), *_calls(answer)]
    # Recorded: the end comes with a last piece, unless that is text in a stream of
    # pieces.
    together = news and (answer.calls or not incremental)
    if answer.finish_reason is not None and not together:
        news.append(empty_message(answer))
    said = news if incremental else list(accumulate(news, _merged))
    pieces = [_piece(shape(m), new) for m, new in zip(said, news, strict=True)]
    if not pieces:
        return []
    pieces[-1] = replace(pieces[-1], reason=answer.finish_reason)
    spoken = next((i for i, new in enumerate(news) if new["content"]), -1)
    pieces[spoken] = replace(pieces[spoken], logprobs=answer.logprobs)
    return pieces


def scripted_pieces(
    deltas: Sequence[Mapping[str, Any]],
    answer: Answer,
    shape: Shape,
    *,
    incremental: bool,
) -> list[Piece]:
    """Return scripted pieces as they are, and the end."""
    pieces = [Piece(message=delta) for delta in deltas]
    if answer.finish_reason is None:
        return pieces
    end = shape(empty_message(answer)) if incremental or not deltas else deltas[-1]
    return [*pieces, Piece(message=end, reason=answer.finish_reason)]


def empty_message(answer: Answer) -> Json:
    """Return a message that says nothing."""
    return _message(answer)


def _piece(message: Mapping[str, Any], new: Mapping[str, Any]) -> Piece:
    reasoning = count_tokens(new.get("reasoning_content", ""))
    calls: Sequence[Mapping[str, Any]] = new.get("tool_calls", ())
    functions = [call["function"] for call in calls]
    called = sum(count_tokens(f.get("name", "") + f["arguments"]) for f in functions)
    return Piece(
        message=message,
        reasoning_tokens=reasoning,
        tokens=reasoning + count_tokens(new["content"]) + called,
    )


# --- What is new ------------------------------------------------------------------


def _message(
    answer: Answer, content: str = "", reasoning: str = "", **more: Any
) -> Json:
    """Make one message; its keys stand in the recorded order."""
    thought = {"reasoning_content": reasoning} if answer.thinking else {}
    return {"content": content, **thought, **more, "role": "assistant"}


def _thoughts(answer: Answer) -> list[Json]:
    return [_message(answer, "", piece) for piece in cut_pieces(answer.reasoning)]


def _texts(answer: Answer) -> list[Json]:
    pieces = answer.pieces
    if pieces is None:
        pieces = cut_pieces(answer.text)
    return [_message(answer, piece) for piece in pieces]


def _calls(answer: Answer) -> list[Json]:
    """Return the pieces of the calls; the end of one brings the beginning of the next.

    Recorded: two calls in one piece, and arguments in the piece that ends it all.
    """
    groups: list[list[Json]] = [[]]
    for index, call in enumerate(answer.calls):
        groups[-1].append(_entry(index, call.id, {"name": call.name, "arguments": ""}))
        rest = [_entry(index, "", {"arguments": piece}) for piece in _arguments(call)]
        groups.extend([entry] for entry in rest)
    return [_message(answer, tool_calls=group) for group in groups if group]


def _arguments(call: Call) -> Sequence[str]:
    return cut_pieces(call.arguments) if call.pieces is None else call.pieces


def _entry(index: int, call_id: str, function: Json) -> Json:
    return {"index": index, "id": call_id, "type": "function", "function": function}


# --- All so far -------------------------------------------------------------------


def _merged(before: Json, new: Json) -> Json:
    merged = {**before, **new, "content": before["content"] + new["content"]}
    if "reasoning_content" in before:
        reasoning = before["reasoning_content"] + new["reasoning_content"]
        merged["reasoning_content"] = reasoning
    if "tool_calls" in merged:
        calls = [*before.get("tool_calls", ()), *new.get("tool_calls", ())]
        merged["tool_calls"] = _joined(calls)
    role = merged.pop("role")
    return {**merged, "role": role}


def _joined(entries: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Join the entries of the same call: the first has all but the arguments."""
    calls: dict[int, Json] = {}
    for entry in entries:
        call = calls.setdefault(entry["index"], {**entry, "function": {}})
        before = call["function"].get("arguments", "")
        function = {**call["function"], **entry["function"]}
        function["arguments"] = before + entry["function"]["arguments"]
        call["function"] = function
    return list(calls.values())
