"""Helpers for the tests of the core: plans, messages, chunks and events."""

import json
import math
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import pytest

from modelstudio_core.catalog import DeprecatedModels, resolve_deprecated
from modelstudio_core.chat import dashscope, openai
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Event, Finish
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.parser import ChatParser
from modelstudio_core.chat.plan import ChatPlan, plan_chat
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.endpoints import Protocol
from modelstudio_core.errors import APIError, ConfigurationError
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.gate import Gate
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "AUDIO",
    "COMMON",
    "CONTEXT",
    "DONE",
    "FRAMES",
    "HI",
    "IMAGE",
    "KEY",
    "STARS",
    "UNKNOWN_MODEL",
    "USAGE",
    "VIDEO",
    "apassing",
    "assistant",
    "body_events",
    "call_chunk",
    "call_delta",
    "chunk",
    "error_message",
    "finish_of",
    "join",
    "make_connection",
    "make_parser",
    "make_plan",
    "make_request",
    "named_choice",
    "parse_stream",
    "passing",
    "plan_error",
    "sse",
    "stream_events",
    "text_part",
    "tool",
    "tool_call",
    "user",
]

KEY: Final = "sk-0123456789abcdefghijklmnop"
# What stands in the place of a secret.
STARS: Final = "**********"
UNKNOWN_MODEL: Final = "a-model-of-tomorrow"
CONTEXT: Final = ErrorContext(
    "us-east-1", "openai", "dashscope-us.aliyuncs.com", secrets=(KEY,)
)


def error_message(function: Callable[..., object], *args: Any, **kwargs: Any) -> str:
    """Return the message of the ``ConfigurationError`` that a call raises."""
    with pytest.raises(ConfigurationError) as caught:
        function(*args, **kwargs)
    return caught.value.message


def make_connection(**arguments: Any) -> Connection:
    """Resolve connection arguments; the defaults are a key and a closed local port."""
    defaults = {"api_key": KEY, "base_url": "http://127.0.0.1:9"}
    return resolve_connection(defaults | arguments)


# --- Requests -----------------------------------------------------------------------


def make_plan(
    model: str = "qwen3.7-plus",
    /,
    *,
    protocol: Protocol = "openai",
    stream: bool = False,
    deprecated_models: DeprecatedModels = "keep",
    **options: Any,
) -> ChatPlan:
    """Plan a chat request; a delisted model is used under its own name by default."""
    return plan_chat(
        ChatOptions(**options),
        resolve_deprecated(model, deprecated_models=deprecated_models),
        protocol=protocol,
        stream=stream,
    )


def plan_error(model: str = "qwen3.7-plus", /, **options: Any) -> str:
    """Return the message of the error that planning a chat request raises."""
    return error_message(make_plan, model, **options)


def tool(name: str) -> dict[str, Any]:
    """Return a tool in the OpenAI shape."""
    return {"type": "function", "function": {"name": name, "parameters": {}}}


def named_choice(name: str) -> dict[str, Any]:
    """Return the ``tool_choice`` that names a tool."""
    return {"type": "function", "function": {"name": name}}


def text_part(text: str, **more: Any) -> dict[str, Any]:
    """Return a content part with text."""
    return {"type": "text", "text": text, **more}


def user(content: Any = "Hi") -> Any:
    """Return a user message."""
    return {"role": "user", "content": content}


def assistant(content: Any = "", **more: Any) -> Any:
    """Return an assistant message."""
    return {"role": "assistant", "content": content, **more}


def tool_call(
    arguments: str = "{}", *, call_id: str = "call_1", name: str = "weather"
) -> dict[str, Any]:
    """Return a complete tool call, as a message has it and as ``Completion`` has it."""
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


HI: Final[list[Message]] = [user()]
IMAGE: Final = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
VIDEO: Final = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}
FRAMES: Final = {
    "type": "video",
    "video": [f"https://example.com/{number}.png" for number in range(4)],
}
AUDIO: Final = {"type": "input_audio", "input_audio": {"data": "data:;base64,SUQzBAA="}}


def make_request(
    model: str,
    messages: Sequence[Message] = HI,
    /,
    *,
    protocol: Protocol = "openai",
    stream: bool = False,
    include_usage: bool = True,
    **options: Any,
) -> HttpRequest:
    """Build a chat request whose body is JSON; a delisted model is replaced."""
    plan = make_plan(
        model,
        protocol=protocol,
        stream=stream,
        deprecated_models="replace",
        **options,
    )
    module = openai if protocol == "openai" else dashscope
    request: HttpRequest = module.build_request(
        plan, messages, include_usage=include_usage
    )
    assert isinstance(request.json, dict)
    assert json.loads(json.dumps(request.json)) == request.json
    return request


# --- Responses of the OpenAI-compatible protocol ------------------------------------

# The fields that every chunk of a stream has.
COMMON: Final[dict[str, Any]] = {
    "id": "chatcmpl-u-1",
    "object": "chat.completion.chunk",
    "created": 1_770_000_000,
    "model": "qwen3.7-plus",
}
USAGE: Final = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
DONE: Final = b"data: [DONE]\n\n"


def sse(*payloads: object) -> bytes:
    """Return the bytes of a stream with one event per payload."""
    return b"".join(
        b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n"
        for payload in payloads
    )


def chunk(
    delta: object, reason: str | None = None, *, index: int = 0, **more: Any
) -> dict[str, Any]:
    """Return a chunk with one choice."""
    choice = {"index": index, "delta": delta, "finish_reason": reason}
    return {**COMMON, "choices": [choice], "usage": None, **more}


def call_chunk(*deltas: object) -> dict[str, Any]:
    """Return a chunk with deltas of tool calls."""
    return chunk({"tool_calls": list(deltas)})


def call_delta(
    index: int | None, call_id: str | None, name: str | None, arguments: object
) -> dict[str, Any]:
    """Return a delta of a tool call; None leaves out the index, the id or the name."""
    function = {"arguments": arguments} | ({} if name is None else {"name": name})
    delta: dict[str, Any] = {"type": "function", "function": function}
    if index is not None:
        delta["index"] = index
    if call_id is not None:
        delta["id"] = call_id
    return delta


# --- Parsing ------------------------------------------------------------------------

_PARSERS: Final[dict[Protocol, type[ChatParser]]] = {
    "openai": openai.Parser,
    "dashscope": dashscope.Parser,
}


def make_parser(protocol: Protocol = "openai", **arguments: Any) -> ChatParser:
    """Make the parser of one response."""
    return _PARSERS[protocol](CONTEXT, **arguments)


def parse_stream(
    pieces: Iterable[bytes],
    *,
    protocol: Protocol = "openai",
    request_id: str | None = None,
) -> tuple[list[Event], APIError | None]:
    """Parse a stream up to its end; return its events and the error that ended it."""
    parser = make_parser(protocol, request_id=request_id)
    events: list[Event] = []
    try:
        for piece in pieces:
            events += parser.feed(piece)
            if parser.done:
                break
        events += parser.close()
    except APIError as error:
        return events, error
    return events, None


def stream_events(*payloads: object) -> list[Event]:
    """Return the events of an OpenAI-compatible stream that ends without an error."""
    events, error = parse_stream([sse(*payloads) + DONE])
    assert error is None
    return events


def body_events(
    payload: object, *, protocol: Protocol = "openai", request_id: str | None = None
) -> list[Event]:
    """Return the events of a response without streaming."""
    parser = make_parser(protocol, request_id=request_id)
    return [*parser.feed_body(json.dumps(payload).encode()), *parser.close()]


def join(events: Iterable[Event]) -> Completion:
    """Join the events of one choice to its completion."""
    completion = Completion()
    for event in events:
        completion.add(event)
    return completion


def finish_of(events: Sequence[Event]) -> Finish:
    """Return the last event, which is a ``Finish``."""
    last = events[-1]
    assert isinstance(last, Finish)
    return last


@contextmanager
def passing(gate: Gate, until: float = math.inf) -> Generator[None]:
    """Pass a gate for the time of a block."""
    gate.enter(until)
    try:
        yield
    finally:
        gate.leave()


@asynccontextmanager
async def apassing(gate: Gate, until: float = math.inf) -> AsyncGenerator[None]:
    """Async version of ``passing``."""
    await gate.aenter(until)
    try:
        yield
    finally:
        gate.leave()
