"""The bytes that the benchmark server sends, in the shapes of recorded responses."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

__all__ = [
    "DELTAS",
    "REQUEST_ID",
    "dashscope_body",
    "dashscope_stream",
    "openai_body",
    "openai_stream",
]

# The standard stream: the first half of its deltas is reasoning, the rest text.
DELTAS: Final = 2000
REQUEST_ID: Final = "6094200a-5a35-9fce-8dbc-e088ba6a6a44"
_ID: Final = f"chatcmpl-{REQUEST_ID}"
_CREATED: Final = 1780236215
_MODEL: Final = "qwen3.7-plus"
_WORDS: Final = (" the", " answer", " is", " forty", "-two", ",", " 思考", ' "so"')
_PROMPT_TOKENS: Final = 24


def _deltas(count: int) -> Iterator[tuple[str, str]]:
    """Yield the reasoning and the text of each delta."""
    for number in range(count):
        word = _WORDS[number % len(_WORDS)]
        yield (word, "") if number < count // 2 else ("", word)


# --- OpenAI-compatible protocol ---------------------------------------------------


@cache
def openai_stream(count: int) -> tuple[bytes, ...]:
    """Return the server-sent events of a streamed response.

    Args:
        count: The number of deltas.
    """
    choices = [_delta("", "", role="assistant")]
    choices += [_delta(text, reasoning) for reasoning, text in _deltas(count)]
    choices.append(_delta("", "", finish_reason="stop"))
    chunks = [_chunk([choice]) for choice in choices]
    chunks.append(_chunk([], _usage(count)))
    lines = [_json(chunk) for chunk in chunks]
    return tuple(f"data: {line}\n\n".encode() for line in [*lines, "[DONE]"])


def _delta(
    text: str, reasoning: str, *, finish_reason: str | None = None, **more: str
) -> dict[str, Any]:
    return {
        "delta": {"content": text, "reasoning_content": reasoning, **more},
        "index": 0,
        "finish_reason": finish_reason,
        "logprobs": None,
    }


def _chunk(
    choices: list[dict[str, Any]], usage: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "model": _MODEL,
        "id": _ID,
        "choices": choices,
        "created": _CREATED,
        "object": "chat.completion.chunk",
        "usage": usage,
    }


def _usage(count: int) -> dict[str, Any]:
    return {
        "prompt_tokens": _PROMPT_TOKENS,
        "completion_tokens": count,
        "total_tokens": _PROMPT_TOKENS + count,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": count // 2},
    }


@cache
def openai_body(count: int) -> bytes:
    """Return the body of a response that is not streamed.

    Args:
        count: The number of tokens.
    """
    choice = {"index": 0, "finish_reason": "stop", "message": _message(count)}
    body = _chunk([choice], _usage(count))
    return _json({**body, "object": "chat.completion"}).encode()


def _message(count: int) -> dict[str, str]:
    reasoning, text = zip(*_deltas(count), strict=True)
    return {
        "role": "assistant",
        "content": "".join(text),
        "reasoning_content": "".join(reasoning),
    }


# --- DashScope protocol -----------------------------------------------------------


@cache
def dashscope_stream(count: int) -> tuple[bytes, ...]:
    """Return the server-sent events of an incremental response.

    Args:
        count: The number of deltas.
    """
    deltas = [(*delta, "null") for delta in _deltas(count)]
    events: list[bytes] = []
    for number, (reasoning, text, reason) in enumerate([*deltas, ("", "", "stop")], 1):
        message = {"content": text, "reasoning_content": reasoning, "role": "assistant"}
        body = _dashscope(message, reason, min(number, count), count)
        head = f"id:{number}\nevent:result\n:HTTP_STATUS/200\n"
        events.append(f"{head}data:{_json(body)}\n\n".encode())
    return tuple(events)


@cache
def dashscope_body(count: int) -> bytes:
    """Return the body of a response that is not streamed.

    Args:
        count: The number of tokens.
    """
    return _json(_dashscope(_message(count), "stop", count, count)).encode()


def _dashscope(
    message: Mapping[str, str], finish_reason: str, tokens: int, count: int
) -> dict[str, Any]:
    choice = {"message": message, "finish_reason": finish_reason}
    usage = {
        "total_tokens": _PROMPT_TOKENS + tokens,
        "output_tokens": tokens,
        "input_tokens": _PROMPT_TOKENS,
        "output_tokens_details": {"reasoning_tokens": min(tokens, count // 2)},
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    return {"output": {"choices": [choice]}, "usage": usage, "request_id": REQUEST_ID}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
