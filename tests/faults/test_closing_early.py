"""A stream or call that is left early closes its connection at once."""

import asyncio
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from typing_extensions import override

from llamaindex_modelstudio import ModelStudio
from tests.support.calls import ASYNC_STYLES, CallStyle, collect_text
from tests.support.fault_server import FaultServer, prompt
from tests.support.internals import use_wait
from tests.support.models import (
    FRAMEWORKS,
    PROTOCOLS,
    Framework,
    Model,
    Protocol,
    model,
)
from tests.support.observers import llamaindex_events

PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
FRAMEWORK = pytest.mark.parametrize("framework", FRAMEWORKS)
SLOW = prompt("slow", pieces=1000, pause=0.02)
# Seconds; a hundredth of what the slow answer takes.
AT_ONCE = 0.2


class ErrorKeeper(BaseCallbackHandler):
    """A LangChain handler that keeps a reference to every error."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []

    @override
    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.errors.append(error)


@pytest.fixture(autouse=True)
def observers() -> Iterator[None]:
    """Keep references to events, as observers do, without garbage collection."""
    with llamaindex_events(lambda event: event):
        gc.disable()
        yield
        gc.enable()


def begin(llm: Model) -> Any:
    if isinstance(llm, ModelStudio):
        return llm.stream_complete(SLOW)
    return llm.stream(SLOW, config={"callbacks": [ErrorKeeper()]})


async def abegin(llm: Model) -> Any:
    if isinstance(llm, ModelStudio):
        return await llm.astream_complete(SLOW)
    return llm.astream(SLOW, config={"callbacks": [ErrorKeeper()]})


async def check_connection_closed(server: FaultServer) -> None:
    async with asyncio.timeout(AT_ONCE):
        while server.log.abandoned != ["slow"]:  # noqa: ASYNC110 - another thread's list
            await asyncio.sleep(0.001)


@PROTOCOL
@FRAMEWORK
@pytest.mark.parametrize("how", ["break", "close", "delete"])
async def test_a_sync_stream_that_is_left_closes_its_connection(
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
    await check_connection_closed(server)


async def _break(llm: Model) -> None:
    async for _ in await abegin(llm):
        break


async def _close(llm: Model) -> None:
    stream = await abegin(llm)
    await anext(stream)
    await stream.aclose()


async def _delete(llm: Model) -> None:
    stream = await abegin(llm)
    await anext(stream)
    del stream


async def _cancel(llm: Model) -> None:
    started = asyncio.Event()

    async def read() -> None:
        async for _ in await abegin(llm):
            started.set()

    task = asyncio.create_task(read())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@PROTOCOL
@FRAMEWORK
@pytest.mark.parametrize("leave", [_break, _close, _delete, _cancel])
async def test_an_async_stream_that_is_left_closes_its_connection(
    server: FaultServer,
    framework: Framework,
    protocol: Protocol,
    leave: Callable[[Model], Any],
) -> None:
    await leave(model(framework, server.base_url, protocol))
    await check_connection_closed(server)
    async with asyncio.timeout(AT_ONCE):
        while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110 - the loop's own tasks
            await asyncio.sleep(0.001)


@PROTOCOL
@pytest.mark.parametrize("fault", ["silent", "busy", "silent midway"])
@pytest.mark.parametrize("style", ASYNC_STYLES, ids=str)
async def test_a_call_can_be_cancelled_at_any_moment(
    server: FaultServer,
    style: CallStyle,
    protocol: Protocol,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_wait(monkeypatch, 30.0)
    llm = model(style.framework, server.base_url, protocol, max_retries=1)
    task = asyncio.create_task(collect_text(llm, style, prompt("x", fault)))
    while not server.log.requests:  # noqa: ASYNC110 - another thread's list
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.02)
    async with asyncio.timeout(AT_ONCE):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(server.log.requests) == 1
    if fault != "busy":
        async with asyncio.timeout(AT_ONCE):
            while server.log.open:  # noqa: ASYNC110 - another thread's number
                await asyncio.sleep(0.001)
