"""Waiting for a rate limit: which requests do, for how long, and what is given back."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from modelstudio_core import errors
from modelstudio_core.transport.charges import Charge
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import afetch, fetch
from modelstudio_core.transport.pools import http_library
from modelstudio_core.transport.requests import HttpRequest
from tests.core.support import make_connection
from tests.core.transport.support import SYNC_AND_ASYNC, call, connection_to
from tests.support.audit import audit_records
from tests.support.http_server import Scripted, serve_http


class Limit(Charge):
    """A limit that records what it is asked for, and its charges."""

    name = "mine"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[tuple[str, Mapping[str, object] | None, float | None]] = []
        self.events: list[object] = []

    def acquire(
        self, path: str, body: Mapping[str, object] | None, seconds: float | None
    ) -> Charge:
        self.asked.append((path, body, seconds))
        if self.error is not None:
            raise self.error
        return self

    async def aacquire(
        self, path: str, body: Mapping[str, object] | None, seconds: float | None
    ) -> Charge:
        return self.acquire(path, body, seconds)

    def settle(self, used: Mapping[str, int] | None) -> None:  # pyright: ignore[reportImplicitOverride] - of a protocol
        self.events.append(used)

    def end(self, error: BaseException | None) -> None:  # pyright: ignore[reportImplicitOverride] - of a protocol
        self.events.append(error and type(error).__name__)

    def give_back(self) -> None:  # pyright: ignore[reportImplicitOverride] - of a protocol
        self.events.append("given back")


async def fetched(
    connection: Connection, request: HttpRequest, *, is_async: bool
) -> object:
    """Send a request, and return its answer."""
    context = connection.context
    return await call(
        is_async,
        lambda: fetch(connection, request, context),
        lambda: afetch(connection, request, context),
    )


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    ("arguments", "is_counted"),
    [
        ({"path": "/chat/completions", "json": {"model": "m"}}, True),
        ({"path": "/services/aigc/image", "json": {}}, True),
        ({"path": "/files", "json": {}}, False),
        ({"path": "/batches", "json": {}}, False),
        ({"path": "/tasks/1/cancel", "json": {}}, False),
        ({"path": "/tasks", "method": "GET"}, False),
        ({"path": "/models", "method": "GET"}, False),
        ({"path": "/files/1", "method": "DELETE"}, False),
        ({"path": "/models/1", "method": "DELETE"}, False),
    ],
)
async def test_requests_to_models_wait_and_others_do_not(
    is_async: bool, arguments: dict[str, Any], is_counted: bool
) -> None:
    limit = Limit()
    request = HttpRequest(**arguments)
    with serve_http(Scripted(body=b'{"usage": {"total_tokens": 7}}')) as server:
        connection = replace(connection_to(server.base_url), limiter=limit)
        await fetched(connection, request, is_async=is_async)
    if is_counted:
        assert limit.asked == [(arguments["path"], arguments["json"], None)]
        assert limit.events == [{"total_tokens": 7}, None]
    else:
        assert (limit.asked, limit.events) == ([], [])


@SYNC_AND_ASYNC
async def test_another_host_is_not_limited(is_async: bool) -> None:
    limit = Limit()
    with serve_http(Scripted()) as server:
        connection = replace(connection_to(server.base_url), limiter=limit)
        request = HttpRequest(url=f"{server.base_url}/a", json={})
        await fetched(connection, request, is_async=is_async)
    assert limit.asked == []


@SYNC_AND_ASYNC
async def test_a_limit_has_the_time_that_is_left(is_async: bool) -> None:
    limit = Limit(TimeoutError())
    connection = replace(make_connection(), limiter=limit, total_timeout=30.0)
    with pytest.raises(errors.APITimeoutError) as caught:
        await fetched(connection, HttpRequest(path="/x", json={}), is_async=is_async)
    ((_, _, seconds),) = limit.asked
    assert seconds is not None
    assert 20 < seconds <= 30
    assert caught.value.message == (
        "The answer was not complete within total_timeout=30 s."
        " The rate limit 'mine' allows the request later, and it was not sent."
    )
    assert not caught.value.was_sent
    assert limit.events == []


@SYNC_AND_ASYNC
async def test_a_limit_that_gives_up_without_a_time_limit_says_so(
    is_async: bool,
) -> None:
    connection = replace(
        make_connection(), limiter=Limit(TimeoutError()), max_retries=0
    )
    with pytest.raises(errors.APITimeoutError) as caught:
        await fetched(connection, HttpRequest(path="/x", json={}), is_async=is_async)
    assert caught.value.message == (
        "The rate limit 'mine' allows the request later, and it was not sent."
    )
    assert not caught.value.was_sent


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    "error",
    [
        errors.APITimeoutError("no store", is_retryable=False),
        errors.APIConnectionError("no store", is_retryable=False),
    ],
    ids=["time", "connection"],
)
async def test_an_error_of_the_store_is_raised_as_it_is(
    is_async: bool, error: errors.APIError
) -> None:
    connection = replace(make_connection(), limiter=Limit(error))
    with pytest.raises(errors.APIError) as caught:
        await fetched(connection, HttpRequest(path="/x", json={}), is_async=is_async)
    assert caught.value is error


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    ("scripted", "events"),
    [
        (Scripted(status=400), ["BadRequestError"]),
        (Scripted(hang_up=True), ["APIConnectionError"]),
        (Scripted(body=b"{}"), [None, None]),
        (Scripted(body=b'{"usage": []}'), [None, None]),
        (Scripted(body=b"<html>"), ["InvalidResponseError"]),
        (Scripted(body=b"{", missing_bytes=5), ["IncompleteStreamError"]),
    ],
)
async def test_each_request_is_settled_or_ended(
    is_async: bool, scripted: Scripted, events: list[object]
) -> None:
    limit = Limit()
    with serve_http(scripted) as server:
        connection = replace(connection_to(server.base_url), limiter=limit)
        request = HttpRequest(path="/x", json={})
        try:
            await fetched(connection, request, is_async=is_async)
        except errors.APIError as error:
            assert type(error).__name__ in events  # noqa: PT017 - some have none
    assert limit.events == events


def no_key() -> str:
    """Fail, as a store of keys that cannot be reached."""
    raise OSError


@SYNC_AND_ASYNC
@pytest.mark.parametrize("reason", ["no key", "a closed client"])
async def test_what_was_not_sent_is_given_back(
    caplog: pytest.LogCaptureFixture, is_async: bool, reason: str
) -> None:
    """And has no audit record."""
    caplog.set_level("INFO", "modelstudio.audit")
    http, arguments = http_library(), dict[str, Any]()
    if reason == "no key":
        arguments["api_key"] = no_key
    elif is_async:
        arguments["http_async_client"] = http.AsyncClient()
        await arguments["http_async_client"].aclose()
    else:
        arguments["http_client"] = http.Client()
        arguments["http_client"].close()
    limit = Limit()
    connection = replace(make_connection(**arguments), limiter=limit)
    with pytest.raises(errors.ConfigurationError):
        await fetched(connection, HttpRequest(path="/x", json={}), is_async=is_async)
    assert limit.events == ["given back"]
    assert audit_records(caplog) == []


@SYNC_AND_ASYNC
@pytest.mark.parametrize("status", [200, 400])
async def test_a_request_is_ended_where_the_log_of_the_user_fails(
    caplog: pytest.LogCaptureFixture, is_async: bool, status: int
) -> None:
    """Whose filter raises an error for the audit record."""
    caplog.set_level(logging.INFO, "modelstudio.audit")
    logger, limit = logging.getLogger("modelstudio.audit"), Limit()

    def refuse(record: logging.LogRecord) -> bool:
        raise LookupError(record.name)

    logger.addFilter(refuse)
    try:
        with serve_http(Scripted(status=status)) as server:
            connection = replace(connection_to(server.base_url), limiter=limit)
            request = HttpRequest(path="/chat/completions", json={"model": "m"})
            with pytest.raises(LookupError):
                await fetched(connection, request, is_async=is_async)
    finally:
        logger.removeFilter(refuse)
    assert limit.events[-1] == (None if status == 200 else "BadRequestError")
