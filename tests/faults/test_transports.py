"""Asynchronous calls use aiohttp where it is installed, and behave as with httpx."""

import asyncio

import pytest
from aiohttp import ClientSession

from modelstudio_core.emulator import Emulator, Reply
from tests.faults.table import TABLE, Row
from tests.faults.test_table import check_row
from tests.support.calls import ASYNC_STYLES, CallStyle, iterate
from tests.support.fast_paths import NEEDS_FAST_PATHS
from tests.support.fault_server import FaultServer, prompt
from tests.support.fault_server.faults import SSE_HEAD, http_chunk
from tests.support.fault_server.wire import text_event
from tests.support.internals import (
    MOST_EVENTS_PER_TURN,
    async_transport_of,
    count_parser_reads,
    without_aiohttp,
)
from tests.support.models import PROTOCOLS, Protocol, model
from tests.support.raw_server import answering

PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)


@pytest.fixture
def httpx_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Act as if aiohttp were not installed."""
    without_aiohttp(monkeypatch)


def transport_name(base_url: str) -> str:
    return type(async_transport_of(model("LangChain", base_url))).__name__


@PROTOCOL
@pytest.mark.parametrize("style", ASYNC_STYLES, ids=str)
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.fault)
@pytest.mark.usefixtures("no_backoff", "httpx_only")
async def test_outcomes_are_the_same_over_httpx(
    shared_server: FaultServer, row: Row, style: CallStyle, protocol: Protocol
) -> None:
    request_id = f"httpx {row.fault} {style} {protocol}"
    await check_row(shared_server, row, style, protocol, request_id)


@PROTOCOL
async def test_aiohttp_is_used_where_it_is_installed(protocol: Protocol) -> None:
    transport = async_transport_of(
        model("LangChain", "https://gateway.example", protocol)
    )
    assert type(transport).__name__ == "AiohttpTransport"
    session = transport.session
    assert isinstance(session, ClientSession)
    await session.close()


@pytest.mark.usefixtures("httpx_only")
def test_httpx_is_used_without_aiohttp() -> None:
    assert transport_name("https://gateway.example") == "AsyncHTTPTransport"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_httpx_is_used_behind_a_proxy(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://proxy.example:3128")
    assert transport_name("https://gateway.example") == "AsyncHTTPTransport"
    assert transport_name("http://127.0.0.1:1") == "AiohttpTransport"


async def test_aiohttp_keeps_no_cookies(modelstudio_emulator: Emulator) -> None:
    """A cookie would connect requests with different API keys."""
    cookie = {"set-cookie": "tenant=1; Path=/"}
    modelstudio_emulator.script(Reply(text="One.", headers=cookie), Reply(text="Two."))
    llm = model("LangChain", modelstudio_emulator)
    await llm.ainvoke("Hi")
    await llm.ainvoke("Hi")
    cookies = [
        request.headers.get("cookie") for request in modelstudio_emulator.requests
    ]
    assert cookies == [None, None]


@PROTOCOL
async def test_consecutive_calls_share_one_connection(
    server: FaultServer, protocol: Protocol
) -> None:
    llm = model("LangChain", server.base_url, protocol)
    for number in range(10):
        text = prompt(f"x{number}", "ok")
        assert [chunk async for chunk in llm.astream(text)]
        await llm.ainvoke(text)
    assert server.log.connections == 1


def one_burst(protocol: Protocol, count: int) -> bytes:
    """Return a stream of ``count`` events, each in an HTTP chunk, to send at once."""
    events = [
        text_event(protocol, "x", "stop" if number == count else None, number)
        for number in range(1, count + 1)
    ]
    return SSE_HEAD + b"".join(map(http_chunk, events)) + http_chunk(b"")


@NEEDS_FAST_PATHS
@PROTOCOL
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.usefixtures("httpx_only")
async def test_chunks_that_arrive_together_are_parsed_together(
    protocol: Protocol, asynchronous: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading each chunk by itself costs httpx more time than our own code."""
    sizes = count_parser_reads(monkeypatch)
    style = CallStyle("LangChain", stream=True, asynchronous=asynchronous)
    with answering([one_burst(protocol, 100)]) as url:
        llm = model("LangChain", url, protocol)
        texts = [chunk.text async for chunk in iterate(llm, style, "Hi")]
    assert texts == [*"x" * 100, ""]
    assert len(sizes) < 5


@PROTOCOL
async def test_a_burst_of_events_leaves_other_tasks_time(protocol: Protocol) -> None:
    """A hundred such answers at once would otherwise block the event loop."""
    iterations, at_event = 0, list[int]()

    async def count() -> None:
        nonlocal iterations
        while True:
            await asyncio.sleep(0)
            iterations += 1

    with answering([one_burst(protocol, 500)]) as url:
        llm = model("LangChain", url, protocol)
        await llm.ainvoke("Hi")
        other_task = asyncio.create_task(count())
        async for _ in llm.astream("Hi"):
            at_event.append(iterations)
        other_task.cancel()
    most = max(map(at_event.count, at_event))
    assert most <= MOST_EVENTS_PER_TURN
