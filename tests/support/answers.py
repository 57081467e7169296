"""Responses of the OpenAI-compatible protocol, in the shapes that were recorded."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

JSON = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream;charset=UTF-8"}
USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 30,
    "total_tokens": 42,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 20},
}
ID = "chatcmpl-6094200a-5a35-9fce-8dbc-e088ba6a6a44"
REQUEST_ID = "6094200a-5a35-9fce-8dbc-e088ba6a6a44"
CREATED = 1780236078


def response_body(
    message: Mapping[str, Any], finish_reason: str | None = "stop"
) -> bytes:
    """Return the body of a response without streaming."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": dict(message)}
    body = {"id": ID, "created": CREATED, "model": "m", "object": "chat.completion"}
    return json.dumps({**body, "choices": [choice], "usage": USAGE}).encode()


def stream_body(
    deltas: Iterable[Mapping[str, Any]],
    finish_reason: str | None = "stop",
    *,
    usage: bool = True,
    done: bool = True,
) -> bytes:
    """Return the body of a stream with one chunk per delta, and its end."""
    chunks = [chunk(delta) for delta in deltas]
    if finish_reason:
        chunks.append(chunk({"content": ""}, finish_reason))
    if usage:
        chunks.append({**chunk({}), "choices": [], "usage": USAGE})
    lines = [json.dumps(item, ensure_ascii=False) for item in chunks]
    lines.extend(["[DONE]"] if done else [])
    return "".join(f"data: {line}\n\n" for line in lines).encode()


def chunk(delta: Mapping[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    """Return one chunk of a stream."""
    choice = {"index": 0, "delta": dict(delta), "finish_reason": finish_reason}
    return {
        "id": ID,
        "created": CREATED,
        "model": "m",
        "object": "chat.completion.chunk",
        "usage": None,
        "choices": [choice],
    }


def call_delta(
    call_id: str, name: str | None, arguments: str | None, index: int = 0
) -> dict[str, Any]:
    """Return a delta with a part of a tool call."""
    function: dict[str, Any] = {"arguments": arguments}
    if name is not None:
        function["name"] = name
    entry = {"index": index, "id": call_id, "type": "function", "function": function}
    return {"content": "", "tool_calls": [entry]}


# A thinking model. Its service writes an absent text as null or as an empty string.
NULL_GENERATION = stream_body(
    [
        {"role": "assistant", "content": None, "reasoning_content": ""},
        {"content": None, "reasoning_content": "Let me "},
        {"content": None, "reasoning_content": "think. 思"},
        {"content": "Hello", "reasoning_content": None},
        {"content": " wörld", "reasoning_content": None},
    ]
)
EMPTY_GENERATION = stream_body(
    [
        {"role": "assistant", "content": "", "reasoning_content": ""},
        {"content": "", "reasoning_content": "Let me "},
        {"content": "", "reasoning_content": "think. 思"},
        {"content": "Hello", "reasoning_content": ""},
        {"content": " wörld", "reasoning_content": ""},
    ]
)
REASONING = "Let me think. 思"
TEXT = "Hello wörld"
RESPONSE = response_body(
    {"role": "assistant", "content": TEXT, "reasoning_content": REASONING}
)

# Reasoning, text and two calls whose parts interleave.
CALLS = stream_body(
    [
        {"role": "assistant", "content": "", "reasoning_content": "Two tools."},
        {"content": "Looking.", "reasoning_content": ""},
        call_delta("call_a", "weather", ""),
        call_delta("", None, '{"city": '),
        call_delta("call_b", "clock", "", index=1),
        call_delta("", None, '"Oslo"}'),
        call_delta("", None, None, index=1),
    ],
    "tool_calls",
)
