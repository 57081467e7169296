"""Streams that end when the caller stops reading them.

LlamaIndex's callbacks wrap a stream in a generator that does not close it. The request
would go on for as long as an event handler keeps the exception of the abandoned stream.
"""

# LlamaIndex does not type its callback decorators.
# pyright: reportUnknownVariableType=false

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, ExitStack, aclosing, closing
from contextvars import ContextVar
from functools import WRAPPER_ASSIGNMENTS, wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback

__all__ = ["chat_stream", "completion_stream"]

_Method = TypeVar("_Method", bound=Callable[..., object])
_Decorator = Callable[[_Method], _Method]
_Stream = Generator[object]
_AsyncStream = AsyncGenerator[object]
# The streams that the method of the running call returned.
_streams: ContextVar[list[object]] = ContextVar("_streams")


def chat_stream(method: _Method) -> _Method:
    """Report a stream like ``llm_chat_callback``, and close the stream."""
    report = cast("_Decorator[_Method]", llm_chat_callback())
    return _closing(report(_recording(method)))


def completion_stream(method: _Method) -> _Method:
    """Report a stream like ``llm_completion_callback``, and close the stream."""
    report = cast("_Decorator[_Method]", llm_completion_callback())
    return _closing(report(_recording(method)))


def _recording(method: _Method) -> _Method:
    """Record the stream that a method returns, before LlamaIndex wraps it."""

    def record(*args: Any, **kwargs: Any) -> object:
        return _record(method(*args, **kwargs))

    async def arecord(*args: Any, **kwargs: Any) -> object:
        return _record(await cast("Awaitable[object]", method(*args, **kwargs)))

    recording = arecord if iscoroutinefunction(method) else record
    # Not functools.wraps: to LlamaIndex, __wrapped__ marks a method that is reported
    # already (llama-index-core 0.14.25).
    for name in WRAPPER_ASSIGNMENTS:
        if hasattr(method, name):
            setattr(recording, name, getattr(method, name))
    return cast("_Method", recording)


def _record(stream: object) -> object:
    if (streams := _streams.get(None)) is not None:
        streams.append(stream)
    return stream


def _closing(method: _Method) -> _Method:
    """Close the streams that were recorded with the stream that a method returns."""

    @wraps(method)
    def read(*args: Any, **kwargs: Any) -> _Stream:
        streams: list[object] = []
        token = _streams.set(streams)
        try:
            stream = method(*args, **kwargs)
        finally:
            _streams.reset(token)
        return _read(cast("_Stream", stream), cast("list[_Stream]", streams))

    @wraps(method)
    async def aread(*args: Any, **kwargs: Any) -> _AsyncStream:
        streams: list[object] = []
        token = _streams.set(streams)
        try:
            stream = await cast("Awaitable[object]", method(*args, **kwargs))
        finally:
            _streams.reset(token)
        return _aread(cast("_AsyncStream", stream), cast("list[_AsyncStream]", streams))

    return cast("_Method", aread if iscoroutinefunction(method) else read)


def _read(stream: _Stream, recorded: list[_Stream]) -> _Stream:
    with ExitStack() as stack:
        for source in recorded:
            stack.enter_context(closing(source))
        stack.enter_context(closing(stream))
        yield from stream


async def _aread(stream: _AsyncStream, recorded: list[_AsyncStream]) -> _AsyncStream:
    async with AsyncExitStack() as stack:
        for source in recorded:
            await stack.enter_async_context(aclosing(source))
        await stack.enter_async_context(aclosing(stream))
        async for response in stream:
            yield response
