"""Which client sends a request, and how long it waits for the headers."""

from typing import Any

import pytest

from modelstudio_core.transport.deadlines import Deadline
from modelstudio_core.transport.fetch import afetch
from modelstudio_core.transport.requests import HttpRequest, Upload
from modelstudio_core.transport.send import _header_seconds
from tests.core.support import make_connection
from tests.core.transport.support import connection_to
from tests.support.http_server import Scripted, serve_http
from tests.support.internals import record_async_clients

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
