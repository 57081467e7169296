"""HTTP clients: a user's own, their time limits, their life, and no threads."""

import asyncio
import gc
import os
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, closing
from typing import Any

import pytest

from langchain_modelstudio import ChatModelStudio
from modelstudio_core import errors
from modelstudio_core.emulator import Emulator
from modelstudio_core.transport.clients import ClientHandle, async_client, sync_client
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import afetch
from modelstudio_core.transport.pools import http_library
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.send import asend, send
from tests.core.transport.support import SYNC_AND_ASYNC, connection_to
from tests.support.http_server import Scripted, serve_http
from tests.support.internals import (
    keep_clients,
    loops_with_clients,
    record_async_clients,
    record_clients,
)
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Protocol, model
from tests.support.raw_server import answering

BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", PROTOCOLS)
BOTH_FRAMEWORKS = pytest.mark.parametrize("framework", FRAMEWORKS)
SSE_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


@asynccontextmanager
async def own_clients(**options: Any) -> AsyncGenerator[dict[str, Any]]:
    """Yield HTTP clients of the user's own, as arguments of a constructor."""
    http = http_library()
    with http.Client(**options) as client:
        async with http.AsyncClient(**options) as async_client:
            yield {"http_client": client, "http_async_client": async_client}


async def answer(llm: Any, *, is_async: bool) -> str:
    """Return the answer of a model of either framework."""
    if isinstance(llm, ChatModelStudio):
        message = await llm.ainvoke("Hi") if is_async else llm.invoke("Hi")
        return str(message.text)
    response = await llm.acomplete("Hi") if is_async else llm.complete("Hi")
    return str(response.text)


# --- Time limits ------------------------------------------------------------------


@SYNC_AND_ASYNC
@BOTH_PROTOCOLS
@BOTH_FRAMEWORKS
async def test_the_timeout_holds_with_a_users_own_client(
    framework: Framework, protocol: Protocol, is_async: bool
) -> None:
    """The client's own limit is shorter than the answer takes, and is not used."""
    late = [SSE_HEAD, finished_stream(protocol) + b"0\r\n\r\n"]
    async with own_clients(timeout=0.05) as clients:
        with answering(late, pause=0.3) as url:
            llm = model(framework, url, protocol, timeout=20, **clients)
            assert await answer(llm, is_async=is_async) == "Hi"


@SYNC_AND_ASYNC
@BOTH_PROTOCOLS
@BOTH_FRAMEWORKS
async def test_a_silent_service_is_a_timeout_with_a_users_own_client(
    framework: Framework, protocol: Protocol, is_async: bool
) -> None:
    async with own_clients(timeout=60) as clients:
        with answering([SSE_HEAD], pause=3) as url:
            llm = model(framework, url, protocol, timeout=0.2, **clients)
            with pytest.raises(errors.APITimeoutError):
                await answer(llm, is_async=is_async)


@SYNC_AND_ASYNC
@BOTH_PROTOCOLS
@pytest.mark.parametrize("limit", [None, (5, None), (None, 5)])
async def test_none_is_no_limit(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    limit: Any,
    is_async: bool,
) -> None:
    llm = model("LangChain", modelstudio_emulator, protocol, timeout=limit)
    connection = llm.resolved.connection
    expected = (None, None) if limit is None else limit
    assert (connection.connect_timeout, connection.read_timeout) == expected
    assert await answer(llm, is_async=is_async)


# --- A user's own client ----------------------------------------------------------


@SYNC_AND_ASYNC
@BOTH_PROTOCOLS
@BOTH_FRAMEWORKS
async def test_a_closed_client_is_a_configuration_error(
    modelstudio_emulator: Emulator,
    framework: Framework,
    protocol: Protocol,
    is_async: bool,
) -> None:
    async with own_clients() as clients:
        llm = model(framework, modelstudio_emulator, protocol, **clients)
    argument = "http_async_client" if is_async else "http_client"
    with pytest.raises(errors.ConfigurationError, match=f"{argument} is closed"):
        await answer(llm, is_async=is_async)


@SYNC_AND_ASYNC
@BOTH_PROTOCOLS
async def test_a_users_client_does_not_outlive_its_model(
    modelstudio_emulator: Emulator, protocol: Protocol, is_async: bool
) -> None:
    http = http_library()
    client, async_client = http.Client(), http.AsyncClient()
    llm = model(
        "LangChain",
        modelstudio_emulator,
        protocol,
        http_client=client,
        http_async_client=async_client,
    )
    await answer(llm, is_async=is_async)
    client.close()
    await async_client.aclose()
    references = [weakref.ref(client), weakref.ref(async_client)]
    del llm, client, async_client
    gc.collect()
    assert [reference() for reference in references] == [None, None]


@SYNC_AND_ASYNC
async def test_equal_models_with_one_client_share_what_is_made_of_it(
    modelstudio_emulator: Emulator, is_async: bool
) -> None:
    async with own_clients() as clients:
        first = model("LangChain", modelstudio_emulator, **clients)
        second = model("LangChain", modelstudio_emulator, **clients)
        assert first.resolved.connection == second.resolved.connection
        assert await answer(first, is_async=is_async)
        assert await answer(second, is_async=is_async)


# --- The end of a stream ----------------------------------------------------------


def finished_stream(protocol: Protocol) -> bytes:
    """Return one event that ends an answer, as an HTTP chunk without the last one."""
    event = (
        b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'
        b"data: [DONE]\n\n"
        if protocol == "openai"
        else b'data:{"output":{"choices":[{"message":{"content":"Hi"},'
        b'"finish_reason":"stop"}]},"request_id":"r"}\n\n'
    )
    return b"%x\r\n%s\r\n" % (len(event), event)


@BOTH_PROTOCOLS
@BOTH_FRAMEWORKS
def test_no_thread_is_started_for_a_synchronous_stream(
    modelstudio_emulator: Emulator,
    framework: Framework,
    protocol: Protocol,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    llm: Any = model(framework, modelstudio_emulator, protocol)
    stream: Callable[[str], Iterator[Any]] = (
        llm.stream if framework == "LangChain" else llm.stream_complete
    )
    list(stream("Warm up."))
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def record(thread: threading.Thread) -> None:
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", record)
    for _ in range(3):
        list(stream("Hi"))
    assert started == []


@SYNC_AND_ASYNC
@BOTH_PROTOCOLS
async def test_a_stream_whose_response_does_not_end_does_not_wait(
    protocol: Protocol, is_async: bool
) -> None:
    """The answer is complete; the rest of the response is waited for briefly."""
    with answering([SSE_HEAD + finished_stream(protocol)], pause=5) as url:
        llm = model("LangChain", url, protocol, timeout=60)
        loop = asyncio.get_running_loop()
        began = loop.time()
        if is_async:
            stream: Any = llm.astream("Hi")
            async with aclosing(stream) as chunks:
                texts = [str(chunk.text) async for chunk in chunks]
        else:
            stream = llm.stream("Hi")
            with closing(stream) as chunks:
                texts = [str(chunk.text) for chunk in chunks]
        assert "".join(texts) == "Hi"
        assert loop.time() - began < 2


@SYNC_AND_ASYNC
@pytest.mark.parametrize("api", ["openai", "dashscope", "rerank"])
async def test_a_client_of_a_connection_serves_every_api(
    is_async: bool, api: Any
) -> None:
    """One pool, whichever SDK sends: three requests, one connection."""
    with serve_http(Scripted()) as server:
        connection = connection_to(server.base_url)
        for _ in range(3):
            request = HttpRequest(api=api, path="/things", json={})
            if is_async:
                response = await asend(connection, request, connection.context)
                async with aclosing(response):
                    assert await response.read() == b"{}"
            else:
                with closing(send(connection, request, connection.context)) as answer_:
                    assert answer_.read() == b"{}"
    assert len(server.received) == 3
    assert len(set(server.peers)) == 1


async def test_a_call_of_each_kind_shares_a_pool() -> None:
    with serve_http(Scripted()) as server:
        connection = connection_to(server.base_url)
        requests = [
            HttpRequest(api="openai", path="/a", json={}),
            HttpRequest(api="dashscope", path="/b", json={}),
            HttpRequest(api="rerank", path="/c", json={}),
            HttpRequest(method="GET", path="/d"),
        ]
        for request in requests:
            with closing(send(connection, request, connection.context)) as response:
                response.read()
    assert len(set(server.peers)) == 1


@SYNC_AND_ASYNC
@pytest.mark.parametrize("api", ["openai", "dashscope", "rerank"])
async def test_a_users_client_adds_its_own_to_every_api(
    is_async: bool, api: Any
) -> None:
    """A gateway's header and parameter; the key is ours."""
    options = {"headers": {"X-Gateway": "1", "X-DashScope-WorkSpace": "other"}}
    async with own_clients(params={"tenant": "7"}, **options) as clients:
        with serve_http(Scripted()) as server:
            connection = connection_to(server.base_url, workspace="ws-1", **clients)
            request = HttpRequest(api=api, path="/things", json={})
            await sent(connection, request, is_async=is_async)
            get = HttpRequest(api=api, path="/things", method="GET")
            await sent(connection, get, is_async=is_async)
    for received in server.received:
        assert received.headers["x-gateway"] == "1"
        assert received.headers["x-dashscope-workspace"] == "ws-1"
        assert received.headers["authorization"].startswith("Bearer sk-")
        assert received.query == {"tenant": "7"}


async def sent(connection: Connection, request: HttpRequest, *, is_async: bool) -> None:
    """Send a request and read its response."""
    if is_async:
        response = await asend(connection, request, connection.context)
        async with aclosing(response):
            await response.read()
    else:
        with closing(send(connection, request, connection.context)) as answer_:
            answer_.read()


@SYNC_AND_ASYNC
@pytest.mark.parametrize("api", ["openai", "dashscope", "rerank"])
async def test_a_header_is_sent_once_in_any_spelling(is_async: bool, api: Any) -> None:
    headers = {"x-dashscope-workspace": "ws-2", "content-type": "application/json"}
    with serve_http(Scripted()) as server:
        connection = connection_to(server.base_url, workspace="ws-1")
        request = HttpRequest(api=api, path="/things", json={}, headers=headers)
        await sent(connection, request, is_async=is_async)
    assert server.only.headers["x-dashscope-workspace"] == "ws-2"
    names = [name.lower() for name in server.only.header_names]
    assert len(names) == len(set(names))


# --- A user's client over aiohttp ---------------------------------------------------


@pytest.mark.parametrize("api", ["openai", "rerank"])
@pytest.mark.usefixtures("no_backoff")
async def test_a_lost_connection_of_an_aiohttp_client_is_not_a_new_one(
    api: Any,
) -> None:
    """Its adapter raises any broken connection as a time-out of connecting."""
    openai = pytest.importorskip("openai")
    try:
        client = openai.DefaultAioHttpClient()
    except RuntimeError:
        pytest.skip("this version of the openai SDK needs httpx-aiohttp")
    with serve_http(Scripted(hang_up=True)) as server:
        connection = connection_to(
            server.base_url, max_retries=2, http_async_client=client
        )
        request = HttpRequest(api=api, path="/create", json={}, repeatable=False)
        with pytest.raises(errors.APIConnectionError) as caught:
            await afetch(connection, request, connection.context)
    await client.aclose()
    assert caught.value.was_sent
    assert not isinstance(caught.value, errors.APITimeoutError)
    assert len(server.received) == 1


@pytest.mark.usefixtures("no_backoff")
async def test_a_transport_that_tries_another_one_may_have_sent() -> None:
    """Its first error is only the context of the second."""
    http = http_library()

    class Falling(http.AsyncBaseTransport):  # type: ignore[name-defined,misc]
        attempts = 0

        async def handle_async_request(self, request: Any) -> Any:
            Falling.attempts += 1
            error = http.ReadTimeout("the second is slow", request=request)
            error.__context__ = http.ConnectError("the first is down", request=request)
            raise error

    client = http.AsyncClient(transport=Falling())
    connection = connection_to(
        "http://127.0.0.1:9", max_retries=2, http_async_client=client
    )
    request = HttpRequest(api="rerank", path="/create", json={}, repeatable=False)
    with pytest.raises(errors.APITimeoutError) as caught:
        await afetch(connection, request, connection.context)
    await client.aclose()
    assert caught.value.was_sent
    assert Falling.attempts == 1


# --- Connections that are closed while they are kept ------------------------------


def test_a_stream_whose_response_floods_is_left() -> None:
    """The rest of a response is read for a moment, however much it has."""
    comment = b"3\r\n:\n\n\r\n" * 100
    flood = [SSE_HEAD + finished_stream("openai"), *([comment] * 400)]
    with answering(flood, pause=0.01) as url:
        began = time.monotonic()
        texts = [str(part.text) for part in model("LangChain", url).stream("Hi")]
        assert time.monotonic() - began < 2
    assert "".join(texts) == "Hi"


# --- How long what is made for a connection is kept ---------------------------------


@SYNC_AND_ASYNC
async def test_equal_connections_share_a_connection_one_after_the_other(
    is_async: bool,
) -> None:
    """Each model may be dropped after its call."""
    with serve_http(Scripted()) as server:
        request = HttpRequest(api="rerank", path="/things", json={})
        for _ in range(3):
            connection = connection_to(server.base_url)
            await sent(connection, request, is_async=is_async)
            del connection
    assert len(set(server.peers)) == 1


@SYNC_AND_ASYNC
@pytest.mark.parametrize("own_client", [False, True])
async def test_the_client_of_a_connection_is_made_once(
    monkeypatch: pytest.MonkeyPatch, is_async: bool, own_client: bool
) -> None:
    made = (record_async_clients if is_async else record_clients)(monkeypatch)
    async with own_clients() as clients:
        with serve_http(Scripted()) as server:
            connection = connection_to(server.base_url, **clients if own_client else {})
            request = HttpRequest(api="rerank", path="/things", json={})
            for _ in range(3):
                await sent(connection, request, is_async=is_async)
    assert made == [connection]


def test_the_client_that_was_used_least_recently_leaves_the_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record_clients(monkeypatch)
    keep_clients(monkeypatch, 2)
    first, second, third = (
        connection_to("http://127.0.0.1:9", max_retries=number) for number in range(3)
    )
    pools = [sync_client(connection, None)[1] for connection in (first, second)]
    assert sync_client(first, None)[1] is pools[0]
    pools.append(sync_client(third, None)[1])
    assert [pool.is_closed for pool in pools] == [False, True, False]
    assert sync_client(first, None)[1] is pools[0]


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    "argument", ["http_client", "http_async_client"], ids=["sync one", "async one"]
)
async def test_a_client_that_is_the_users_alone_is_not_kept(
    modelstudio_emulator: Emulator, is_async: bool, argument: str
) -> None:
    """The other client is ours then."""
    http = http_library()
    own: Any = http.Client() if argument == "http_client" else http.AsyncClient()
    llm = model("LangChain", modelstudio_emulator, **{argument: own})
    await answer(llm, is_async=is_async)
    if argument == "http_client":
        own.close()
    else:
        await own.aclose()
    reference = weakref.ref(own)
    del llm, own
    gc.collect()
    await asyncio.sleep(0)
    assert reference() is None


def test_a_loop_that_was_closed_without_its_generators_is_forgotten() -> None:
    """As by a program that runs and closes loops by hand."""
    connection = connection_to("http://127.0.0.1:9")
    loop = asyncio.new_event_loop()
    loop.run_until_complete(async_client(connection, None))
    loop.close()
    assert loop in loops_with_clients()
    asyncio.run(use_client(connection))
    assert loop not in loops_with_clients()


async def use_client(connection: Connection) -> None:
    """Use the client of a connection in the running loop."""
    await async_client(connection, None)


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    ("characters", "is_large"), [(2**18, False), (2**18 + 1, True)]
)
async def test_a_body_of_more_than_256_k_characters_has_a_client_of_its_own(
    monkeypatch: pytest.MonkeyPatch, is_async: bool, characters: int, is_large: bool
) -> None:
    """Asynchronous ones alone: aiohttp has no time limit for sending."""
    made = record_async_clients(monkeypatch)
    with serve_http(Scripted()) as server:
        connection = connection_to(server.base_url)
        small = HttpRequest(api="rerank", path="/things", json={"a": "x"})
        large = HttpRequest(api="rerank", path="/things", json={"a": "x" * characters})
        for request in (small, large, small, large):
            await sent(connection, request, is_async=is_async)
    assert len(made) == (is_async and 1 + is_large)
    assert len(set(server.peers)) == 1 + (is_async and is_large)


@pytest.mark.parametrize(("step", "is_inherited"), [(-1, True), (0, False), (1, True)])
def test_a_client_is_that_of_the_process_that_made_it(
    monkeypatch: pytest.MonkeyPatch, step: int, *, is_inherited: bool
) -> None:
    """Also where the number of a child is below that of its parent."""
    handle = ClientHandle(object(), {})
    number = os.getpid() + step
    monkeypatch.setattr(os, "getpid", lambda: number)
    assert handle.is_inherited is is_inherited
