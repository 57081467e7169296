"""The chunks of a stream of the DashScope protocol, incremental or cumulative.

Recorded 2024-02 to 2026-08: an incremental stream ends in a chunk without new content,
or in the last piece of a tool call; a cumulative one in the complete answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from modelstudio_core.emulator.json_values import JsonObject
from modelstudio_core.emulator.model.answers import Answer
from modelstudio_core.emulator.model.logprobs import split_logprobs
from modelstudio_core.emulator.model.tokens import count_tokens, split_tokens
from modelstudio_core.emulator.model.tool_calls import FunctionCall
from modelstudio_core.emulator.protocols.base import write_sound

__all__ = [
    "ChoiceChunk",
    "MessageShape",
    "build_chunks",
    "build_empty_message",
    "build_scripted_chunks",
]

# Converts a message whose content is a text to the form that the request asks for.
MessageShape = Callable[[JsonObject], JsonObject]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceChunk:
    """The part of one answer that one event has.

    Attributes:
        message: The message.
        finish_reason: The finish reason; None before the end.
        new_reasoning_tokens: How many tokens of reasoning are new.
        new_tokens: How many tokens of any kind are new.
        logprobs: The entries of log probabilities; None for none.
    """

    message: Mapping[str, object]
    finish_reason: str | None = None
    new_reasoning_tokens: int = 0
    new_tokens: int = 0
    logprobs: Sequence[Mapping[str, object]] | None = None


def build_chunks(
    answer: Answer, shape: MessageShape, *, incremental: bool
) -> list[ChoiceChunk]:
    """Split an answer: reasoning, text and tool calls, in that order, and the end."""
    deltas = [*_reasoning(answer), *_text(answer), *_tool_calls(answer)]
    # Recorded: the finish reason is in the last delta, unless that is text in an
    # incremental stream.
    ends_with_delta = deltas and (answer.tool_calls or not incremental)
    if answer.finish_reason is not None and not ends_with_delta:
        deltas.append(build_empty_message(answer))
    messages = deltas if incremental else list(accumulate(deltas, _merge))
    chunks = [
        _chunk(shape(message), delta)
        for message, delta in zip(messages, deltas, strict=True)
    ]
    if not chunks:
        return []
    chunks[-1] = replace(chunks[-1], finish_reason=answer.finish_reason)
    return _with_logprobs(chunks, deltas, answer) if answer.logprobs else chunks


def _with_logprobs(
    chunks: list[ChoiceChunk], deltas: Sequence[JsonObject], answer: Answer
) -> list[ChoiceChunk]:
    """Add to each chunk with new text the entries of its tokens."""
    with_text = [i for i, delta in enumerate(deltas) if delta["content"]]
    places = with_text or [len(chunks) - 1]
    texts = [deltas[place]["content"] for place in places]
    split = split_logprobs(answer.logprobs or (), texts)
    for place, entries in zip(places, split, strict=True):
        chunks[place] = replace(chunks[place], logprobs=entries)
    return chunks


def build_scripted_chunks(
    deltas: Sequence[Mapping[str, object]],
    answer: Answer,
    shape: MessageShape,
    *,
    incremental: bool,
) -> list[ChoiceChunk]:
    """Return scripted deltas unchanged, and the end."""
    chunks = [ChoiceChunk(message=delta) for delta in deltas]
    if answer.finish_reason is None:
        return chunks
    last: Mapping[str, object] = (
        shape(build_empty_message(answer)) if incremental or not deltas else deltas[-1]
    )
    return [*chunks, ChoiceChunk(message=last, finish_reason=answer.finish_reason)]


def build_empty_message(answer: Answer) -> JsonObject:
    """Build a message without content."""
    return _message(answer)


def _chunk(message: JsonObject, delta: JsonObject) -> ChoiceChunk:
    reasoning = count_tokens(delta.get("reasoning_content", ""))
    calls: Sequence[JsonObject] = delta.get("tool_calls", ())
    functions = [call["function"] for call in calls]
    called = sum(count_tokens(f.get("name", "") + f["arguments"]) for f in functions)
    return ChoiceChunk(
        message=message,
        new_reasoning_tokens=reasoning,
        new_tokens=reasoning + count_tokens(delta["content"]) + called,
    )


# --- Deltas -----------------------------------------------------------------------


def _message(
    answer: Answer, content: str = "", reasoning: str = "", **more: object
) -> JsonObject:
    """Build a message whose keys have the recorded order."""
    thought = {"reasoning_content": reasoning} if answer.thinking else {}
    return {"content": content, **thought, **more, "role": "assistant"}


def _reasoning(answer: Answer) -> list[JsonObject]:
    return [_message(answer, "", piece) for piece in split_tokens(answer.reasoning)]


def _text(answer: Answer) -> list[JsonObject]:
    if answer.speech is None:
        return [_message(answer, piece) for piece in answer.text_pieces]
    deltas: list[JsonObject] = []
    for text, sound in answer.speech.pieces:
        deltas.append(_message(answer, text))
        deltas.append(_message(answer, audio=write_sound(answer.speech, sound)))
    return deltas


def _tool_calls(answer: Answer) -> list[JsonObject]:
    """Build the deltas of the calls; the end of one has the beginning of the next.

    Recorded: two calls in one delta, and arguments in the last delta of the stream.
    """
    groups: list[list[JsonObject]] = [[]]
    for index, call in enumerate(answer.tool_calls):
        groups[-1].append(_entry(index, call.id, {"name": call.name, "arguments": ""}))
        rest = [_entry(index, "", {"arguments": piece}) for piece in _pieces(call)]
        groups.extend([entry] for entry in rest)
    return [_message(answer, tool_calls=group) for group in groups if group]


def _pieces(call: FunctionCall) -> Sequence[str]:
    return split_tokens(call.arguments) if call.pieces is None else call.pieces


def _entry(index: int, call_id: str, function: JsonObject) -> JsonObject:
    return {"index": index, "id": call_id, "type": "function", "function": function}


# --- Cumulative messages ----------------------------------------------------------


def _merge(before: JsonObject, delta: JsonObject) -> JsonObject:
    merged = {**before, **delta, "content": before["content"] + delta["content"]}
    if "reasoning_content" in before:
        reasoning = before["reasoning_content"] + delta["reasoning_content"]
        merged["reasoning_content"] = reasoning
    if "tool_calls" in merged:
        calls = [*before.get("tool_calls", ()), *delta.get("tool_calls", ())]
        merged["tool_calls"] = _join(calls)
    role = merged.pop("role")
    return {**merged, "role": role}


def _join(entries: Sequence[JsonObject]) -> list[JsonObject]:
    """Join the entries of each call; the first has all but the arguments."""
    calls: dict[int, JsonObject] = {}
    for entry in entries:
        call = calls.setdefault(entry["index"], {**entry, "function": {}})
        before = call["function"].get("arguments", "")
        function = {**call["function"], **entry["function"]}
        function["arguments"] = before + entry["function"]["arguments"]
        call["function"] = function
    return list(calls.values())
