"""Which client sends a request, how long it waits, and when files are closed."""

from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.errors import APIError
from modelstudio_core.local_files import FileContent
from modelstudio_core.transport.deadlines import Deadline
from modelstudio_core.transport.fetch import afetch
from modelstudio_core.transport.pools import http_library
from modelstudio_core.transport.requests import HttpRequest, Upload
from modelstudio_core.transport.send import _header_seconds, asend, send
from tests.core.support import make_connection
from tests.core.transport.support import SYNC_AND_ASYNC, call, connection_to
from tests.support.http_server import Scripted, serve_http
from tests.support.internals import record_async_clients, record_opened_files

POST = HttpRequest(path="/x", json={})


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [((1, 20), 41), ((1, None), None), ((None, 20), None), (None, None)],
)
def test_headers_may_take_the_time_to_connect_and_twice_that_to_read(
    timeout: Any, seconds: float | None
) -> None:
    connection = make_connection(timeout=timeout)
    assert _header_seconds(connection, POST, over_httpx=False) == seconds
    # A large body may take any time to send.
    assert _header_seconds(connection, POST, over_httpx=True) is None


@pytest.mark.parametrize("over_httpx", [False, True])
@pytest.mark.parametrize("timeout", [(1, 20), None])
def test_headers_may_take_no_longer_than_the_whole_answer(
    over_httpx: bool, timeout: Any
) -> None:
    connection = make_connection(timeout=timeout)
    request = HttpRequest(path="/x", json={}, deadline=Deadline(30.0))
    seconds = _header_seconds(connection, request, over_httpx)
    assert seconds is not None
    assert 20 < seconds <= 30
    later = HttpRequest(path="/x", json={}, deadline=Deadline(3000.0))
    longest = _header_seconds(connection, later, over_httpx)
    assert longest is not None
    assert (longest == 41) is (timeout is not None and not over_httpx)


@pytest.mark.parametrize(
    ("arguments", "over_httpx"),
    [
        ({"json": {"a": "b"}}, False),
        ({}, False),
        ({"method": "GET"}, True),
        ({"method": "DELETE"}, True),
        ({"files": [Upload(name="a", content=b"b")]}, True),
        ({"json": {"a": "x" * (2**18 + 1)}}, True),
    ],
)
async def test_what_aiohttp_would_repeat_or_cannot_limit_is_sent_over_httpx(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], over_httpx: bool
) -> None:
    made = record_async_clients(monkeypatch)
    with serve_http(Scripted()) as server:
        connection = connection_to(server.base_url)
        await afetch(connection, POST, connection.context)
        request = HttpRequest(api="rerank", path="/x", **arguments)
        await afetch(connection, request, connection.context)
    assert len(made) == 1 + over_httpx


# --- Uploads that end early -----------------------------------------------------------


def half_sent(status: int | None) -> tuple[Any, Any]:
    """Return clients that send half of a form, and get a status or no response."""
    http: Any = http_library()

    def answer(request: Any) -> Any:
        if status is None:
            raise http.WriteError("broken", request=request)
        return http.Response(status, json={})

    class Sync(http.BaseTransport):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            pieces = iter(request.stream)
            assert b"abc" in [next(pieces), next(pieces)]
            return answer(request)

    class Async(http.AsyncBaseTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            pieces = aiter(request.stream)
            assert b"abc" in [await anext(pieces), await anext(pieces)]
            return answer(request)

    return http.Client(transport=Sync()), http.AsyncClient(transport=Async())


@SYNC_AND_ASYNC
@pytest.mark.parametrize("status", [None, 200, 400])
async def test_an_upload_that_ends_early_closes_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_async: bool, status: int | None
) -> None:
    """While its error, or its response, is still kept."""
    opened = record_opened_files(monkeypatch)
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    content = FileContent(path=path, mime_type="text/plain", size=3)
    request = HttpRequest(path="/files", files=[Upload(name="file", content=content)])
    client, async_client = half_sent(status)
    with client:
        async with async_client:
            connection = connection_to(
                "http://127.0.0.1:9", http_client=client, http_async_client=async_client
            )
            kept: Any = None
            try:
                kept = await call(
                    is_async,
                    lambda: send(connection, request, connection.context),
                    lambda: asend(connection, request, connection.context),
                )
            except APIError as error:
                kept = error
            assert isinstance(kept, APIError) is (status != 200)
            assert [file.closed for file in opened] == [True]
