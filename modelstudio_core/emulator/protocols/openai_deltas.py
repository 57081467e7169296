"""The deltas of a stream of the OpenAI-compatible protocol, in both generations.

For a key without content, generation ``empty`` (2026-05 to 2026-08) sends ``""``;
generation ``null`` (2026-02) sends null, and ``role: null`` after the first delta.
"""

from collections.abc import Sequence

from modelstudio_core.emulator.json_values import JsonObject
from modelstudio_core.emulator.model.answers import Answer, FunctionCall
from modelstudio_core.emulator.model.tokens import split_tokens
from modelstudio_core.emulator.studio import Generation

__all__ = ["build_deltas", "build_last_delta"]


def build_deltas(answer: Answer, generation: Generation) -> list[JsonObject]:
    """Build the deltas of an answer: reasoning, text and tool calls, in that order."""
    pieces = answer.pieces
    if pieces is None:
        pieces = split_tokens(answer.text)
    thoughts = split_tokens(answer.reasoning)
    first: JsonObject = {"content": "", "role": "assistant"}
    if answer.thinking:
        first["reasoning_content"] = ""
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
