"""Streams that end when they are left.

LlamaIndex's callbacks put a generator around ours and never close it. What is left
early then goes on for as long as somebody holds the exception that told of it, which
is every event handler that keeps its events.
"""

# LlamaIndex has no types for its callback decorators.
# pyright: reportUnknownVariableType=false

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from contextvars import ContextVar
from functools import WRAPPER_ASSIGNMENTS, update_wrapper, wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback

__all__ = ["chat_stream", "completion_stream"]

_Method = TypeVar("_Method", bound=Callable[..., Any])
_opened: ContextVar[list[Any]] = ContextVar("_opened")


def chat_stream(method: _Method) -> _Method:
    """Report a method's stream as ``llm_chat_callback`` does, and end it with it."""
    report: Callable[[Any], Any] = llm_chat_callback()
    return _ending(cast("_Method", report(_noting(method))))


def completion_stream(method: _Method) -> _Method:
    """Do as ``chat_stream`` for a completion."""
    report: Callable[[Any], Any] = llm_completion_callback()
    return _ending(cast("_Method", report(_noting(method))))


def _noting(method: _Method) -> _Method:
    """Note the generator that a method returns, which nobody sees afterwards."""

    def note(*args: Any, **kwargs: Any) -> Any:
        stream = method(*args, **kwargs)
        _opened.get().append(stream)
        return stream

    async def anote(*args: Any, **kwargs: Any) -> Any:
        stream = await method(*args, **kwargs)
        _opened.get().append(stream)
        return stream

    noting: Any = anote if iscoroutinefunction(method) else note
    update_wrapper(noting, method, WRAPPER_ASSIGNMENTS)
    # LlamaIndex takes a method that has it for one that it reports already.
    del noting.__wrapped__
    return cast("_Method", noting)


def _ending(method: _Method) -> _Method:
    @wraps(method)
    def read(*args: Any, **kwargs: Any) -> Generator[Any]:
        opened: list[Any] = []
        token = _opened.set(opened)
        try:
            stream = method(*args, **kwargs)
        finally:
            _opened.reset(token)
        return _read(stream, opened)

    @wraps(method)
    async def aread(*args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
        opened: list[Any] = []
        token = _opened.set(opened)
        try:
            stream = await method(*args, **kwargs)
        finally:
            _opened.reset(token)
        return _aread(stream, opened)

    return cast("_Method", aread if iscoroutinefunction(method) else read)


def _read(stream: Generator[Any], opened: list[Generator[Any]]) -> Generator[Any]:
    with closing(opened.pop()), closing(stream):
        yield from stream


async def _aread(
    stream: AsyncGenerator[Any], opened: list[AsyncGenerator[Any]]
) -> AsyncGenerator[Any]:
    async with aclosing(opened.pop()), aclosing(stream):
        async for response in stream:
            yield response
