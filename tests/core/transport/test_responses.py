"""Responses: their limits, headers and errors, and what the pieces of a body cost."""

import gzip
import json
import logging
import os
import time
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

import pytest

from modelstudio_core import errors
from modelstudio_core.endpoints import Api
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import JsonAnswer, afetch, fetch
from modelstudio_core.transport.pools import http_library
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.responses import AsyncHttpResponse, HttpResponse
from modelstudio_core.transport.send import asend, send
from tests.core.transport.support import KEY, SYNC_AND_ASYNC, call, connection_to
from tests.support.audit import audit_records
from tests.support.http_server import Scripted, serve_http
from tests.support.internals import fail_to_forget
from tests.support.raw_server import answering

PIECES = 200_000


def pieces() -> Generator[bytes]:
    """Yield pieces of two bytes, each an object of its own."""
    for number in range(PIECES):
        yield bytes((number % 256, 1))


async def apieces() -> AsyncGenerator[bytes]:
    for piece in pieces():
        yield piece


async def test_a_body_of_tiny_pieces_takes_little_more_memory_than_its_bytes() -> None:
    """``max_response_bytes`` bounds the memory of a body in any pieces."""
    sync: Any = SimpleNamespace(chunks=pieces)
    asynchronous: Any = SimpleNamespace(chunks=apieces)
    tracemalloc.start()
    try:
        body = HttpResponse.read(sync)
        same = await AsyncHttpResponse.read(asynchronous)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert body == same == b"".join(pieces())
    assert peak < 4 * len(body)


# --- Limits and time limits ---------------------------------------------------------

JSON_HEAD: Final = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\n"
ANSWER: Final = b'{"text": "Hello", "data": [1, 2, 3]}'
REFUSAL: Final = b'{"error": {"message": "No such thing.", "code": "InvalidParameter"}}'


def head_of(status: bytes, body: bytes, *headers: bytes) -> bytes:
    """Return the headers of a response with a body of a known size."""
    length = b"content-length: %d" % len(body)
    return b"\r\n".join([JSON_HEAD % status + length, *headers, b"", b""])


async def fetched(
    connection: Connection, request: HttpRequest | None = None, *, is_async: bool
) -> JsonAnswer:
    """Send a request, and return its answer."""
    sent, context = request or HttpRequest(path="/x", json={}), connection.context
    return await call(
        is_async,
        lambda: fetch(connection, sent, context),
        lambda: afetch(connection, sent, context),
    )


@SYNC_AND_ASYNC
@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_an_answer_may_have_as_many_bytes_as_its_limit(
    is_async: bool, encoding: str
) -> None:
    """Decoded ones."""
    answer = b'{"text": "%s"}' % (b"a" * 1000)
    body = gzip.compress(answer) if encoding else answer
    headers = {"content-encoding": encoding} if encoding else {}
    with serve_http(Scripted(body=body, headers=headers)) as server:
        connection = connection_to(server.base_url)
        enough = replace(connection, max_response_bytes=len(answer))
        assert (await fetched(enough, is_async=is_async)).body == {"text": "a" * 1000}
        less = replace(connection, max_response_bytes=len(answer) - 1)
        with pytest.raises(errors.InvalidResponseError, match="max_response_bytes="):
            await fetched(less, is_async=is_async)


@SYNC_AND_ASYNC
async def test_an_encoding_that_was_not_asked_for_is_an_error(is_async: bool) -> None:
    scripted = Scripted(body=b"x", headers={"content-encoding": "br"})
    with serve_http(scripted) as server:
        connection = connection_to(server.base_url)
        with pytest.raises(errors.InvalidResponseError) as caught:
            await fetched(connection, is_async=is_async)
    assert "Content-Encoding that was not asked for: 'br'." in caught.value.message
    assert not caught.value.is_retryable


@SYNC_AND_ASYNC
@pytest.mark.parametrize("status", [200, 400])
async def test_a_body_that_the_users_client_has_read_is_not_read_again(
    is_async: bool, status: int
) -> None:
    """Nor decoded again."""
    http: Any = http_library()

    async def aread(response: Any) -> None:
        await response.aread()

    scripted = Scripted(
        status=status,
        body=gzip.compress(ANSWER if status == 200 else REFUSAL),
        headers={"content-encoding": "gzip"},
    )
    hooks = {"response": [lambda response: response.read()]}
    with serve_http(scripted) as server, http.Client(event_hooks=hooks) as client:
        async with http.AsyncClient(event_hooks={"response": [aread]}) as async_client:
            connection = connection_to(
                server.base_url, http_client=client, http_async_client=async_client
            )
            if status == 200:
                answer = await fetched(connection, is_async=is_async)
                assert answer.body == json.loads(ANSWER)
                return
            with pytest.raises(errors.BadRequestError, match="No such thing"):
                await fetched(connection, is_async=is_async)


@SYNC_AND_ASYNC
async def test_bytes_that_come_without_an_end_are_read_until_total_timeout(
    is_async: bool,
) -> None:
    head = JSON_HEAD % b"200 OK" + b"content-length: 1000\r\n\r\n"
    with answering([head, *[b" "] * 100], pause=0.02) as url:
        connection = replace(connection_to(url), total_timeout=0.2)
        begin = time.monotonic()
        with pytest.raises(errors.APITimeoutError, match=r"total_timeout=0\.2 s"):
            await fetched(connection, is_async=is_async)
        assert time.monotonic() - begin < 1.5


@SYNC_AND_ASYNC
@pytest.mark.parametrize("api", ["openai", "dashscope", "rerank"])
async def test_headers_are_waited_for_until_total_timeout(
    is_async: bool, api: Api
) -> None:
    with answering([b"HTTP/1.1 200 "], pause=3) as url:
        connection = replace(connection_to(url), total_timeout=0.2)
        begin = time.monotonic()
        request = HttpRequest(api=api, path="/x", json={})
        with pytest.raises(errors.APITimeoutError, match=r"total_timeout=0\.2 s"):
            await fetched(connection, request, is_async=is_async)
        assert time.monotonic() - begin < 2


# --- Headers ------------------------------------------------------------------------


@SYNC_AND_ASYNC
async def test_the_id_of_a_request_is_short_and_shows_no_key(is_async: bool) -> None:
    headers = {"X-Request-ID": f"{KEY}-" + "r" * 300, "X-Other": "1"}
    with serve_http(Scripted(headers=headers)) as server:
        answer = await fetched(connection_to(server.base_url), is_async=is_async)
    assert answer.request_id == ("**********-" + "r" * 300)[:256]
    assert answer.headers["x-other"] == "1"


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    ("media_type", "is_json", "is_stream"),
    [
        ("application/json", True, False),
        ("Application/JSON; charset=utf-8", True, False),
        ("text/event-stream;charset=UTF-8", False, True),
        ("Text/Event-Stream", False, True),
        ("text/html", False, False),
        (None, False, False),
    ],
)
async def test_the_kind_of_a_body(
    is_async: bool, media_type: str | None, is_json: bool, is_stream: bool
) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    with serve_http(Scripted(headers=headers)) as server:
        connection = connection_to(server.base_url)
        request = HttpRequest(path="/x", json={})
        if is_async:
            async with await asend(connection, request, connection.context) as response:
                kind = (response.is_json, response.is_stream)
        else:
            with send(connection, request, connection.context) as opened:
                kind = (opened.is_json, opened.is_stream)
    assert kind == (is_json, is_stream)


# --- The bodies of errors -----------------------------------------------------------


@SYNC_AND_ASYNC
async def test_the_body_of_an_error_is_complete_in_any_pieces(is_async: bool) -> None:
    pieces = [head_of(b"400 Bad", REFUSAL), REFUSAL[:9], REFUSAL[9:40], REFUSAL[40:]]
    with answering(pieces, pause=0.02) as url:
        connection = replace(connection_to(url), max_error_bytes=len(REFUSAL))
        with pytest.raises(errors.BadRequestError) as caught:
            await fetched(connection, is_async=is_async)
    assert caught.value.message == "No such thing."


@SYNC_AND_ASYNC
@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_an_error_that_is_too_large_is_not_read_to_its_end(
    is_async: bool, encoding: str
) -> None:
    """What comes after the limit is not waited for; the code is what there was."""
    body = REFUSAL + b" " * 1000
    sent = gzip.compress(body) if encoding else body
    headers = [b"content-encoding: gzip", b"retry-after: 7"] if encoding else []
    head = head_of(b"400 Bad", sent + b"more", b"x-request-id: r-1", *headers)
    with answering([head + sent], pause=5) as url:
        connection = connection_to(url)
        limited = replace(connection, max_error_bytes=len(body) - 1)
        begin = time.monotonic()
        with pytest.raises(errors.InvalidResponseError) as caught:
            await fetched(limited, is_async=is_async)
        assert time.monotonic() - begin < 3
    error = caught.value
    assert f"max_error_bytes={len(body) - 1:,}" in error.message
    assert (error.code, error.status_code) == ("InvalidParameter", 400)
    assert (error.request_id, error.retry_after) == ("r-1", 7.0 if encoding else None)


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    ("read", "total", "most"),
    [(60.0, None, 10.0), (None, None, 10.0), (4.0, None, 4.0), (60.0, 3.0, 3.0)],
)
async def test_the_body_of_an_error_is_waited_for_ten_seconds_at_most(
    is_async: bool, read: float | None, total: float | None, most: float
) -> None:
    """Over a transport of the user's, too, by the time limit of its requests."""
    http: Any = http_library()
    limits: list[float | None] = []

    class Body(http.SyncByteStream, http.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, request: Any) -> None:
            self.request = request

        def __iter__(self) -> Iterator[bytes]:
            limits.append(self.request.extensions["timeout"]["read"])
            yield REFUSAL

        async def __aiter__(self) -> AsyncIterator[bytes]:
            for piece in self:
                yield piece

    def answer(request: Any) -> Any:
        return http.Response(400, stream=Body(request))

    transport = http.MockTransport(answer)
    with http.Client(transport=transport) as client:
        async with http.AsyncClient(transport=transport) as async_client:
            connection = connection_to(
                "http://127.0.0.1:9",
                read_timeout=read,
                http_client=client,
                http_async_client=async_client,
            )
            connection = replace(connection, total_timeout=total)
            with pytest.raises(errors.BadRequestError, match="No such thing"):
                await fetched(connection, is_async=is_async)
    (limit,) = limits
    assert limit is not None
    assert most - 1 < limit <= most


@SYNC_AND_ASYNC
async def test_the_body_of_an_error_is_read_where_requests_have_no_time_limits(
    is_async: bool,
) -> None:
    http: Any = http_library()

    def answer(request: Any) -> Any:
        del request.extensions["timeout"]
        return http.Response(400, content=REFUSAL)

    transport = http.MockTransport(answer)
    with http.Client(transport=transport) as client:
        async with http.AsyncClient(transport=transport) as async_client:
            connection = connection_to(
                "http://127.0.0.1:9", http_client=client, http_async_client=async_client
            )
            with pytest.raises(errors.BadRequestError, match="No such thing"):
                await fetched(connection, is_async=is_async)


# --- The end of a response ------------------------------------------------------------


@SYNC_AND_ASYNC
@pytest.mark.parametrize("failure", [MemoryError, KeyboardInterrupt])
async def test_a_response_whose_error_cannot_be_handled_is_closed_and_recorded(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_async: bool,
    failure: type[BaseException],
) -> None:
    caplog.set_level(logging.INFO, "modelstudio.audit")
    http: Any = http_library()
    seen: list[Any] = []

    async def see(response: Any) -> None:
        seen.append(response)

    hooks = {"response": [seen.append]}
    with (
        serve_http(Scripted(body=b"no JSON")) as server,
        http.Client(event_hooks=hooks) as client,
    ):
        async with http.AsyncClient(event_hooks={"response": [see]}) as async_client:
            connection = connection_to(
                server.base_url, http_client=client, http_async_client=async_client
            )
            fail_to_forget(monkeypatch, failure())
            with pytest.raises(failure):
                await fetched(connection, is_async=is_async)
            assert [response.is_closed for response in seen] == [True]
    (record,) = audit_records(caplog)
    assert record["error"] == "InvalidResponseError"


@SYNC_AND_ASYNC
async def test_a_response_of_the_parent_process_is_recorded_there_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_async: bool
) -> None:
    caplog.set_level(logging.INFO, "modelstudio.audit")
    child = os.getpid() + 1
    with serve_http(Scripted(body=ANSWER)) as server:
        connection = connection_to(server.base_url)
        request, context = HttpRequest(path="/x", json={}), connection.context
        response: Any = await call(
            is_async,
            lambda: send(connection, request, context),
            lambda: asend(connection, request, context),
        )
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: child)
            await left(response)
        assert audit_records(caplog) == []
        await left(response)
    assert len(audit_records(caplog)) == 1


async def left(response: HttpResponse | AsyncHttpResponse) -> None:
    """Leave a response without reading it."""
    if isinstance(response, HttpResponse):
        with response:
            return
    async with response:
        return
