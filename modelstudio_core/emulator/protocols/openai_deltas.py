"""The deltas of a stream of the OpenAI-compatible protocol, in both generations.

Where a delta has nothing to say, generation ``empty`` (2026-05 to 2026-08) says ``""``
and generation ``null`` (2026-02) null, and ``role: null`` on all but the first.
"""

from typing import Any

from modelstudio_core.emulator.model.answers import Answer, Call
from modelstudio_core.emulator.model.tokens import cut_pieces
from modelstudio_core.emulator.protocols.base import Generation

__all__ = ["deltas_of", "last_delta"]

Delta = dict[str, Any]


def deltas_of(answer: Answer, generation: Generation) -> list[Delta]:
    """Return the deltas of an answer: reasoning, text and calls, in that order."""
    pieces = answer.pieces
    if pieces is None:
        pieces = cut_pieces(answer.text)
    thoughts = cut_pieces(answer.reasoning)
    first: Delta = {"content": "", "role": "assistant"}
    if answer.thinking:
        first["reasoning_content"] = ""
    if generation == "empty":
        rest = [
            *({"content": "", "reasoning_content": piece} for piece in thoughts),
            *({"content": piece, **_unthought(answer, "")} for piece in pieces),
            *_calls_empty(answer),
        ]
        return [first, *rest]
    if answer.thinking:
        first["content"] = None
    calls = _calls_null(answer)
    rest = [
        *(
            {"content": None, "reasoning_content": piece, "role": None}
            for piece in thoughts
        ),
        *(
            {"content": piece, **_unthought(answer, None), "role": None}
            for piece in pieces
        ),
        *calls,
    ]
    if calls and rest[0] is calls[0]:
        # Recorded: a call that nothing comes before begins in the first chunk.
        first = {**first, "content": "", "tool_calls": calls[0]["tool_calls"]}
        rest = rest[1:]
    return [first, *rest]


def last_delta(answer: Answer, generation: Generation) -> Delta:
    """Return the delta of the chunk that brings the finish reason."""
    if answer.finish_reason == "tool_calls":
        return {}
    if generation == "empty":
        return {"content": "", **_unthought(answer, "")}
    return {"content": "", **_unthought(answer, None), "role": None}


def _unthought(answer: Answer, nothing: str | None) -> Delta:
    return {"reasoning_content": nothing} if answer.thinking else {}


def _calls_empty(answer: Answer) -> list[Delta]:
    deltas: list[Delta] = []
    for index, call in enumerate(answer.calls):
        entries = [
            _entry(index, call.id, {"name": call.name, "arguments": ""}),
            *(_entry(index, "", {"arguments": piece}) for piece in _pieces(call)),
        ]
        deltas.extend(
            {"tool_calls": [entry], "content": "", **_unthought(answer, "")}
            for entry in entries
        )
        end = _entry(index, "", {"arguments": ""})
        deltas.append({"tool_calls": [end], "content": ""})
    return deltas


def _calls_null(answer: Answer) -> list[Delta]:
    """Return the older shape: the second piece has the id again, and ``name: ""``."""
    deltas: list[Delta] = []
    for index, call in enumerate(answer.calls):
        entries = [_entry(index, call.id, {"name": call.name, "arguments": ""})]
        for position, piece in enumerate(_pieces(call)):
            again = position == 0
            named = {"name": "", "arguments": piece} if again else {"arguments": piece}
            entries.append(_entry(index, call.id if again else "", named))
        deltas.extend(
            {"content": "", "tool_calls": [entry], "role": None} for entry in entries
        )
        end = _entry(index, "", {"arguments": None})
        deltas.append({"tool_calls": [end], "content": ""})
    return deltas


def _entry(index: int, call_id: str, function: Delta) -> Delta:
    return {"index": index, "id": call_id, "type": "function", "function": function}


def _pieces(call: Call) -> list[str]:
    if call.pieces is not None:
        return list(call.pieces)
    return cut_pieces(call.arguments)
