"""Asynchronous calls go over aiohttp where it is there, and are the same over httpx."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientSession

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator, Reply
from tests.faults.server import FaultServer
from tests.faults.table import TABLE, Row
from tests.faults.test_ends import SSE, answering
from tests.faults.test_table import test_outcome as check_outcome
from tests.faults.ways import WAYS, Way
from tests.faults.wire import Protocol, prompt
from tests.support.internals import (
    MOST_EVENTS_PER_TURN,
    async_transport_of,
    count_parser_reads,
    without_aiohttp,
)

PROTOCOLS = pytest.mark.parametrize("protocol", ["openai", "dashscope"])


@pytest.fixture
def over_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let aiohttp, or the SDK's adapter for it, be missing."""
    without_aiohttp(monkeypatch)


def transport_of(base_url: str, protocol: Protocol = "openai") -> Any:
    llm = ChatModelStudio(
        model="qwen-plus", base_url=base_url, api_key="k", protocol=protocol
    )
    return async_transport_of(llm)


@PROTOCOLS
@pytest.mark.parametrize("way", [w for w in WAYS if w.colour == "async"], ids=str)
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.play)
@pytest.mark.usefixtures("at_once", "over_httpx")
async def test_outcomes_are_the_same_over_httpx(
    shared_server: FaultServer, row: Row, way: Way, protocol: Protocol
) -> None:
    shared_server.seen.attempts.clear()
    await check_outcome(shared_server, row, way, protocol)


@PROTOCOLS
async def test_aiohttp_is_used_where_it_is_there(protocol: Protocol) -> None:
    transport = transport_of("https://gateway.example", protocol)
    assert type(transport).__name__ == "AiohttpTransport"
    session = transport.get_client()
    assert isinstance(session, ClientSession)
    await session.close()


@pytest.mark.usefixtures("over_httpx")
def test_httpx_is_used_where_it_is_not() -> None:
    assert type(transport_of("https://gateway.example")).__name__ == (
        "AsyncHTTPTransport"
    )


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_httpx_is_used_behind_a_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://proxy.example:3128")
    transport = transport_of("https://gateway.example")
    assert type(transport).__name__ == "AsyncHTTPTransport"
    assert type(transport_of("http://127.0.0.1:1")).__name__ == "AiohttpTransport"


async def test_aiohttp_keeps_no_cookies(modelstudio_emulator: Emulator) -> None:
    """A cookie would tie keys to one another."""
    cookie = {"set-cookie": "tenant=1; Path=/"}
    modelstudio_emulator.script(Reply(text="One.", headers=cookie), Reply(text="Two."))
    llm = ChatModelStudio(
        model="qwen-plus",
        base_url=modelstudio_emulator.base_url,
        api_key=modelstudio_emulator.api_key,
    )
    await llm.ainvoke("Hi")
    await llm.ainvoke("Hi")
    assert [r.headers.get("cookie") for r in modelstudio_emulator.requests] == [
        None
    ] * 2


@PROTOCOLS
async def test_streams_in_a_row_share_one_connection(
    server: FaultServer, protocol: Protocol
) -> None:
    llm = ChatModelStudio(
        model="qwen-plus", base_url=server.base_url, api_key="k", protocol=protocol
    )
    for number in range(10):
        asked = prompt(f"x{number}", "ok")
        assert [chunk async for chunk in llm.astream(asked)]
        await llm.ainvoke(asked)
    assert server.seen.connections == 1


def many_events(protocol: Protocol, count: int) -> bytes:
    """Return an answer whose events are HTTP chunks of their own, all of it at once."""
    said = []
    for number in range(count):
        reason = "stop" if number == count - 1 else None
        if protocol == "openai":
            choice = {"delta": {"content": "x"}, "finish_reason": reason}
            data: Any = {"choices": [choice]}
        else:
            choice = {"message": {"content": "x"}, "finish_reason": reason or "null"}
            data = {"output": {"choices": [choice]}}
        event = f"data: {json.dumps(data)}\n\n".encode()
        said.append(b"%x\r\n%s\r\n" % (len(event), event))
    return SSE + b"".join(said) + b"0\r\n\r\n"


@PROTOCOLS
@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.usefixtures("over_httpx")
async def test_events_that_came_together_are_read_together(
    colour: str, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taking each out of a full buffer costs httpx more than all that we do."""
    reads = count_parser_reads(monkeypatch)
    with answering([many_events(protocol, 100)]) as url:
        llm = ChatModelStudio(
            model="qwen-plus", base_url=url, api_key="k", protocol=protocol
        )
        if colour == "sync":
            texts = [chunk.text for chunk in llm.stream("Hi")]
        else:
            texts = [chunk.text async for chunk in llm.astream("Hi")]
    assert texts == [*"x" * 100, ""]
    assert len(reads) < 5


@PROTOCOLS
async def test_an_answer_that_came_at_once_leaves_others_their_turns(
    protocol: Protocol,
) -> None:
    """A hundred such answers would else hold the loop as long as they all take."""
    turns, waits = 0, list[int]()

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    with answering([many_events(protocol, 500)]) as url:
        llm = ChatModelStudio(
            model="qwen-plus", base_url=url, api_key="k", protocol=protocol
        )
        await llm.ainvoke("Hi")
        other = asyncio.create_task(count())
        async for _ in llm.astream("Hi"):
            waits.append(turns)
        other.cancel()
    together = max(map(waits.count, waits))
    assert together <= MOST_EVENTS_PER_TURN
