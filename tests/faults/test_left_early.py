"""What is left early ends its connection at once, as the server sees it."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index_instrumentation import get_dispatcher
from typing_extensions import override

from llamaindex_modelstudio import ModelStudio
from tests.faults.server import FaultServer
from tests.faults.ways import WAYS, Framework, Model, Way, ask, model
from tests.faults.wire import Protocol, prompt
from tests.support.internals import use_wait

BOTH = pytest.mark.parametrize("protocol", ["openai", "dashscope"])
FRAMEWORKS = pytest.mark.parametrize("framework", ["LangChain", "LlamaIndex"])
SLOW = prompt("slow", pieces=1000, pause=0.02)
# A hundredth of what the answer would take.
AT_ONCE = 0.2


class Keeper(BaseEventHandler):
    """An event handler that lets go of nothing, as those of many observers."""

    events: list[Any] = []  # noqa: RUF012 - a field of a pydantic model

    @classmethod
    @override
    def class_name(cls) -> str:
        return "Keeper"

    @override
    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        self.events.append(event)


class Recorder(BaseCallbackHandler):
    """The same for LangChain."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []

    @override
    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.errors.append(error)


@pytest.fixture(autouse=True)
def observed() -> Iterator[None]:
    """Let observers hold whatever they are told; nothing is collected meanwhile."""
    dispatcher, keeper = get_dispatcher(), Keeper()
    dispatcher.add_event_handler(keeper)
    gc.disable()
    yield
    gc.enable()
    dispatcher.event_handlers.remove(keeper)


def begin(llm: Model) -> Any:
    if isinstance(llm, ModelStudio):
        return llm.stream_complete(SLOW)
    return llm.stream(SLOW, config={"callbacks": [Recorder()]})


async def abegin(llm: Model) -> Any:
    if isinstance(llm, ModelStudio):
        return await llm.astream_complete(SLOW)
    return llm.astream(SLOW, config={"callbacks": [Recorder()]})


async def is_left(server: FaultServer) -> None:
    async with asyncio.timeout(AT_ONCE):
        while server.seen.left != ["slow"]:  # noqa: ASYNC110 - another thread's list
            await asyncio.sleep(0.001)


@BOTH
@FRAMEWORKS
@pytest.mark.parametrize("how", ["break", "close", "garbage"])
async def test_sync_stream(
    server: FaultServer, framework: Framework, protocol: Protocol, how: str
) -> None:
    llm = model(framework, server.base_url, protocol)
    if how == "break":
        for _ in begin(llm):
            break
    else:
        stream = begin(llm)
        next(stream)
        if how == "close":
            stream.close()
        del stream
    await is_left(server)


async def _break(llm: Model) -> None:
    async for _ in await abegin(llm):
        break


async def _close(llm: Model) -> None:
    stream = await abegin(llm)
    await anext(stream)
    await stream.aclose()


async def _garbage(llm: Model) -> None:
    stream = await abegin(llm)
    await anext(stream)
    del stream


async def _cancel(llm: Model) -> None:
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in await abegin(llm):
            begun.set()

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@BOTH
@FRAMEWORKS
@pytest.mark.parametrize("leave", [_break, _close, _garbage, _cancel])
async def test_async_stream(
    server: FaultServer,
    framework: Framework,
    protocol: Protocol,
    leave: Callable[[Model], Any],
) -> None:
    await leave(model(framework, server.base_url, protocol))
    await is_left(server)
    async with asyncio.timeout(AT_ONCE):
        while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 - tasks of the loop's own
            await asyncio.sleep(0.001)


@BOTH
@pytest.mark.parametrize("play", ["silence", "busy", "silence in the midst"])
@pytest.mark.parametrize("way", [way for way in WAYS if way.colour == "async"], ids=str)
async def test_a_call_is_cancelled_wherever_it_is(
    server: FaultServer,
    way: Way,
    protocol: Protocol,
    play: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_wait(monkeypatch, 30.0)
    llm = model(way.framework, server.base_url, protocol)
    task = asyncio.create_task(ask(llm, way, prompt("x", play)))
    while not server.seen.asks:  # noqa: ASYNC110 - another thread's list
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.02)
    async with asyncio.timeout(AT_ONCE):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(server.seen.asks) == 1
    if play != "busy":
        async with asyncio.timeout(AT_ONCE):
            while server.seen.open:  # noqa: ASYNC110 - another thread's number
                await asyncio.sleep(0.001)
