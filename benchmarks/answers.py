"""The service's answers as bytes, in the shapes that were recorded, made once."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

__all__ = ["DELTAS", "REQUEST_ID", "native_stream", "native_whole", "stream", "whole"]

# The standard stream: half of its deltas reasoning, half of them text.
DELTAS: Final = 2000
REQUEST_ID: Final = "6094200a-5a35-9fce-8dbc-e088ba6a6a44"
_ID: Final = f"chatcmpl-{REQUEST_ID}"
_CREATED: Final = 1780236215
_MODEL: Final = "qwen3.7-plus"
_WORDS: Final = (" the", " answer", " is", " forty", "-two", ",", " 思考", ' "so"')
_PROMPT_TOKENS: Final = 24


def _pieces(count: int) -> Iterator[tuple[str, str]]:
    """Yield reasoning and text of each delta; the first half is reasoning."""
    for number in range(count):
        word = _WORDS[number % len(_WORDS)]
        yield (word, "") if number < count // 2 else ("", word)


# --- OpenAI-compatible ------------------------------------------------------------


@cache
def stream(count: int) -> tuple[bytes, ...]:
    """Return the events of a streamed answer.

    Args:
        count: How many deltas it has.
    """
    said = [_delta("", "", role="assistant")]
    said += [_delta(text, reasoning) for reasoning, text in _pieces(count)]
    chunks = [_chunk([choice]) for choice in said]
    chunks.append(_chunk([_delta("", "", finish_reason="stop")]))
    chunks.append(_chunk([], _usage(count)))
    lines = [_text(chunk) for chunk in chunks]
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
def whole(count: int) -> bytes:
    """Return the body of a whole answer.

    Args:
        count: How many tokens it has.
    """
    choice = {"index": 0, "finish_reason": "stop", "message": _message(count)}
    answer = _chunk([choice], _usage(count))
    return _text({**answer, "object": "chat.completion"}).encode()


def _message(count: int) -> dict[str, str]:
    reasoning, text = zip(*_pieces(count), strict=True)
    return {
        "role": "assistant",
        "content": "".join(text),
        "reasoning_content": "".join(reasoning),
    }


# --- Native -----------------------------------------------------------------------


@cache
def native_stream(count: int) -> tuple[bytes, ...]:
    """Return the events of an incremental answer over the native protocol.

    Args:
        count: How many deltas it has.
    """
    said: list[tuple[str, str, str]] = [(*it, "null") for it in _pieces(count)]
    events: list[bytes] = []
    for number, (reasoning, text, reason) in enumerate([*said, ("", "", "stop")], 1):
        message = {"content": text, "reasoning_content": reasoning, "role": "assistant"}
        answer = _native(message, reason, min(number, count), count)
        head = f"id:{number}\nevent:result\n:HTTP_STATUS/200\n"
        events.append(f"{head}data:{_text(answer)}\n\n".encode())
    return tuple(events)


@cache
def native_whole(count: int) -> bytes:
    """Return the body of a whole answer over the native protocol.

    Args:
        count: How many tokens it has.
    """
    return _text(_native(_message(count), "stop", count, count)).encode()


def _native(
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


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
