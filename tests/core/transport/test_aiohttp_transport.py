"""The transport over aiohttp is what httpx's own transport is to a client."""

import asyncio
import ssl
from typing import Any

import aiohttp
import pytest

from modelstudio_core.transport.aiohttp_transport import make_transport
from modelstudio_core.transport.pools import http_library
from tests.support.http_server import Scripted, serve_http
from tests.support.raw_server import answering

HTTP: Any = http_library()
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"


def client(*, over_aiohttp: bool, timeout: float = 5) -> Any:
    """Return a client of httpx, over aiohttp or over its own transport."""
    if not over_aiohttp:
        return HTTP.AsyncClient(timeout=timeout)
    transport = make_transport(HTTP, ssl.create_default_context(), 10)
    return HTTP.AsyncClient(transport=transport, timeout=timeout)


BOTH = pytest.mark.parametrize("over_aiohttp", [True, False], ids=["aiohttp", "httpx"])


@BOTH
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_request_is_sent_as_httpx_builds_it(
    over_aiohttp: bool, method: str
) -> None:
    with serve_http(Scripted(body=b"ok", headers={"x-a": "1"})) as server:
        async with client(over_aiohttp=over_aiohttp) as http:
            response = await http.request(
                method,
                f"{server.base_url}/a%2Fb",
                params={"q": "a b"},
                headers={"X-Trace": "1"},
                content=b"body" if method == "POST" else None,
            )
    received = server.only
    assert (received.method, received.path) == (method, "/a%2Fb")
    assert received.query == {"q": "a b"}
    assert received.body == (b"body" if method == "POST" else b"")
    assert {"host", "user-agent", "accept", "x-trace"} <= received.headers.keys()
    assert "content-type" not in received.headers
    assert (response.status_code, response.content) == (200, b"ok")
    assert response.headers["x-a"] == "1"
    assert response.reason_phrase == "OK"


@BOTH
async def test_a_form_is_sent(over_aiohttp: bool) -> None:
    with serve_http(Scripted()) as server:
        async with client(over_aiohttp=over_aiohttp) as http:
            await http.post(server.base_url, files={"file": ("a.txt", b"text")})
    assert b'filename="a.txt"' in server.only.body
    assert b"text" in server.only.body


@BOTH
@pytest.mark.parametrize(
    ("pieces", "pause", "limit", "expected"),
    [
        ([], 0.0, 5, "ReadError RemoteProtocolError"),
        ([HEAD + b"half"], 0.0, 5, "ReadError RemoteProtocolError"),
        ([HEAD], 2.0, 0.2, "ReadTimeout"),
        ([b"HTTP/1.1 200"], 2.0, 0.2, "ReadTimeout"),
    ],
    ids=["no response", "half a body", "silent body", "silent head"],
)
async def test_failures_are_httpx_errors(
    over_aiohttp: bool, pieces: list[bytes], pause: float, limit: float, expected: str
) -> None:
    with answering(pieces, pause=pause) as url:
        async with client(over_aiohttp=over_aiohttp, timeout=limit) as http:
            with pytest.raises(HTTP.TransportError) as caught:
                await http.post(url, content=b"x")
    assert type(caught.value).__name__ in expected.split()
    assert caught.value.request.url.host == "127.0.0.1"


@BOTH
async def test_nobody_listens(over_aiohttp: bool) -> None:
    with serve_http() as server:
        url = server.base_url
    async with client(over_aiohttp=over_aiohttp) as http:
        with pytest.raises(HTTP.ConnectError):
            await http.get(url)


@BOTH
async def test_headers_may_be_as_large_as_for_httpx(over_aiohttp: bool) -> None:
    """The limit of each line of aiohttp is 8 KB by default."""
    for size, is_read in ((90_000, True), (300_000, False)):
        scripted = Scripted(body=b"ok", headers={"x-large": "a" * size})
        with serve_http(scripted) as server:
            async with client(over_aiohttp=over_aiohttp) as http:
                if is_read:
                    response = await http.get(server.base_url)
                    assert len(response.headers["x-large"]) == size
                    continue
                with pytest.raises(HTTP.TransportError):
                    await http.get(server.base_url)


@BOTH
async def test_a_response_that_is_left_closes_its_connection(
    over_aiohttp: bool,
) -> None:
    with serve_http(Scripted(body=b"x" * 2**20), Scripted(body=b"ok")) as server:
        async with client(over_aiohttp=over_aiohttp) as http:
            async with http.stream("GET", server.base_url) as response:
                await anext(response.aiter_raw())
            assert (await http.get(server.base_url)).content == b"ok"
    assert len(set(server.peers)) == 2


@BOTH
async def test_a_cancelled_request_leaves_a_usable_client(over_aiohttp: bool) -> None:
    with serve_http(Scripted(body=b"ok")) as server, answering([], reads=False) as url:
        async with client(over_aiohttp=over_aiohttp) as http:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(http.post(url, content=b"x"), 0.1)
            assert (await http.get(server.base_url)).content == b"ok"


async def test_chunks_that_arrived_together_are_one_piece() -> None:
    chunks = b"".join(b"1\r\n%d\r\n" % (number % 10) for number in range(100))
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    with answering([head + chunks + b"0\r\n\r\n"]) as url:
        async with client(over_aiohttp=True) as http:
            request = http.build_request("POST", url, content=b"x")
            response = await http.send(request, stream=True)
            await asyncio.sleep(0.05)
            pieces = [piece async for piece in response.stream]
            await response.aclose()
    assert b"".join(pieces) == b"0123456789" * 10
    assert len(pieces) < 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Cannot write to closing transport", 200), ("Connection lost", None)],
)
async def test_a_kept_connection_that_closed_is_replaced_if_nothing_was_written(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: int | None
) -> None:
    attempts: list[int] = []
    request = aiohttp.ClientSession._request

    async def fail_once(session: Any, *arguments: Any, **options: Any) -> Any:
        attempts.append(len(attempts))
        if len(attempts) > 1:
            return await request(session, *arguments, **options)
        raise aiohttp.ClientOSError(None, "Can not write request body") from (
            aiohttp.ClientConnectionResetError(text)
        )

    monkeypatch.setattr(aiohttp.ClientSession, "_request", fail_once)
    with serve_http(Scripted(body=b"ok")) as server:
        async with client(over_aiohttp=True) as http:
            if expected is None:
                with pytest.raises(HTTP.ReadError):
                    await http.post(server.base_url, content=b"x")
            else:
                response = await http.post(server.base_url, content=b"x")
                assert response.status_code == expected
    assert len(server.received) == (expected is not None)
