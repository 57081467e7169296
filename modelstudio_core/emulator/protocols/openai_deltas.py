"""The deltas of a stream of the OpenAI-compatible protocol, in both generations.

For a key without content, generation ``empty`` (2026-05 to 2026-08) sends ``""``;
generation ``null`` (2026-02) sends null, and ``role: null`` after the first delta.
"""

from collections.abc import Iterator, Sequence

from modelstudio_core.emulator.json_values import JsonObject
from modelstudio_core.emulator.model.answers import Answer
from modelstudio_core.emulator.model.sound import Speech
from modelstudio_core.emulator.model.tokens import split_tokens
from modelstudio_core.emulator.model.tool_calls import FunctionCall
from modelstudio_core.emulator.protocols.base import write_sound
from modelstudio_core.emulator.studio import Generation

__all__ = ["accumulate_deltas", "build_deltas", "build_last_delta"]


def build_deltas(answer: Answer, generation: Generation) -> list[JsonObject]:
    """Build the deltas of an answer: reasoning, text and tool calls, in that order."""
    pieces = answer.text_pieces
    thoughts = split_tokens(answer.reasoning)
    first: JsonObject = {"content": "", "role": "assistant"}
    if answer.thinking:
        first["reasoning_content"] = ""
    if answer.speech is not None:
        return [first, *_spoken_deltas(answer.speech)]
    if generation == "empty":
        rest = [
            *({"content": "", "reasoning_content": piece} for piece in thoughts),
            *({"content": piece, **_no_reasoning(answer, "")} for piece in pieces),
            *_call_deltas_empty(answer),
        ]
        return [first, *rest]
    if answer.thinking:
        first["content"] = None
    calls = _call_deltas_null(answer)
    rest = [
        *(
            {"content": None, "reasoning_content": piece, "role": None}
            for piece in thoughts
        ),
        *(
            {"content": piece, **_no_reasoning(answer, None), "role": None}
            for piece in pieces
        ),
        *calls,
    ]
    if calls and rest[0] is calls[0]:
        # Recorded: a tool call without text before it begins in the first chunk.
        first = {**first, "content": "", "tool_calls": calls[0]["tool_calls"]}
        rest = rest[1:]
    return [first, *rest]


def accumulate_deltas(deltas: Sequence[JsonObject]) -> list[JsonObject]:
    """Return the deltas of a stream that repeats the text so far in each of them."""
    text, repeated = "", list[JsonObject]()
    for delta in deltas:
        text += delta.get("content") or ""
        repeated.append({**delta, "content": text} if "content" in delta else delta)
    return repeated


def _spoken_deltas(speech: Speech) -> Iterator[JsonObject]:
    """Build the deltas of a spoken answer: each piece of the text, then its sound."""
    for text, sound in speech.pieces:
        yield {"content": "", "audio": {"transcript": text, "id": speech.id}}
        yield {"content": "", "audio": write_sound(speech, sound)}


def build_last_delta(answer: Answer, generation: Generation) -> JsonObject:
    """Build the delta of the chunk that has the finish reason."""
    if answer.finish_reason == "tool_calls":
        return {}
    if generation == "empty":
        return {"content": "", **_no_reasoning(answer, "")}
    return {"content": "", **_no_reasoning(answer, None), "role": None}


def _no_reasoning(answer: Answer, value: str | None) -> JsonObject:
    return {"reasoning_content": value} if answer.thinking else {}


def _call_deltas_empty(answer: Answer) -> list[JsonObject]:
    deltas: list[JsonObject] = []
    for index, call in enumerate(answer.tool_calls):
        entries = [
            _entry(index, call.id, {"name": call.name, "arguments": ""}),
            *(_entry(index, "", {"arguments": piece}) for piece in _pieces(call)),
        ]
        deltas.extend(
            {"tool_calls": [entry], "content": "", **_no_reasoning(answer, "")}
            for entry in entries
        )
        end = _entry(index, "", {"arguments": ""})
        deltas.append({"tool_calls": [end], "content": ""})
    return deltas


def _call_deltas_null(answer: Answer) -> list[JsonObject]:
    """Build the older shape: the second delta repeats the id, with ``name: ""``."""
    deltas: list[JsonObject] = []
    for index, call in enumerate(answer.tool_calls):
        entries = [_entry(index, call.id, {"name": call.name, "arguments": ""})]
        for position, piece in enumerate(_pieces(call)):
            if position == 0:
                function = {"name": "", "arguments": piece}
                entries.append(_entry(index, call.id, function))
            else:
                entries.append(_entry(index, "", {"arguments": piece}))
        deltas.extend(
            {"content": "", "tool_calls": [entry], "role": None} for entry in entries
        )
        end = _entry(index, "", {"arguments": None})
        deltas.append({"tool_calls": [end], "content": ""})
    return deltas


def _entry(index: int, call_id: str, function: JsonObject) -> JsonObject:
    return {"index": index, "id": call_id, "type": "function", "function": function}


def _pieces(call: FunctionCall) -> Sequence[str]:
    return split_tokens(call.arguments) if call.pieces is None else call.pieces
