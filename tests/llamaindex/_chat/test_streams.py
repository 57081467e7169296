"""Streams that are closed, whatever LlamaIndex's callbacks do with them."""

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from functools import wraps
from typing import Any

import pytest

from llamaindex_modelstudio._chat import streams
from tests.llamaindex.support import SYNC_AND_ASYNC, replay_llm

Decorator = Callable[[Any], Any]


def unchanged(method: Any) -> Any:
    return method


def lazy(method: Any) -> Any:
    """Call the method when the stream is read, and not when it is made."""

    @wraps(method)
    def read(*args: Any) -> Generator[Any]:
        yield from method(*args)

    return read


def alazy(method: Any) -> Any:
    @wraps(method)
    async def aread(*args: Any) -> AsyncGenerator[Any]:
        async def responses() -> AsyncGenerator[Any]:
            async with aclosing(await method(*args)) as stream:
                async for response in stream:
                    yield response

        return responses()

    return aread


class Model:
    """A model with one stream, which LlamaIndex's callbacks accept."""

    def __init__(self) -> None:
        self.callback_manager = None
        self.rate_limiter = None
        self.closed = False

    def to_payload(self) -> dict[str, Any]:
        return {}

    def stream(self, messages: Any) -> Generator[Any]:
        try:
            yield from messages
        finally:
            self.closed = True

    async def astream(self, messages: Any) -> AsyncGenerator[Any]:
        async def responses() -> AsyncGenerator[Any]:
            try:
                for message in messages:
                    yield message
            finally:
                self.closed = True

        return responses()


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    "decorators", [(unchanged, unchanged), (lazy, alazy)], ids=["unchanged", "lazy"]
)
async def test_a_stream_closes_whatever_the_callback_does(
    monkeypatch: pytest.MonkeyPatch,
    decorators: tuple[Decorator, Decorator],
    is_async: bool,
) -> None:
    """A later LlamaIndex may wrap a method differently."""
    monkeypatch.setattr(streams, "llm_chat_callback", lambda: decorators[is_async])
    model = Model()
    if is_async:
        read: Any = streams.chat_stream(Model.astream)
        async with aclosing(await read(model, "ab")) as stream:
            assert await anext(stream) == "a"
    else:
        read = streams.chat_stream(Model.stream)
        with closing(read(model, "ab")) as stream:
            assert next(stream) == "a"
    assert model.closed


@pytest.mark.parametrize(
    "name", ["stream_chat", "astream_chat", "stream_complete", "astream_complete"]
)
def test_a_stream_method_keeps_its_name_and_docstring(name: str) -> None:
    method = getattr(type(replay_llm()), name)
    assert method.__name__ == name
    assert method.__doc__
