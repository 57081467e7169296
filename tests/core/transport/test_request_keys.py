"""The key that a function returns: when it is asked, and how long it may take."""

import time
from typing import Any

import pytest

from modelstudio_core.errors import APITimeoutError
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.deadlines import Deadline
from modelstudio_core.transport.request_keys import awith_key, with_key
from modelstudio_core.transport.requests import HttpRequest
from tests.core.support import KEY, make_connection
from tests.core.transport.support import SYNC_AND_ASYNC, call

FILE = "https://example.oss-cn-beijing.aliyuncs.com/a.png"


async def keyed(
    connection: Connection, request: HttpRequest, *, is_async: bool
) -> HttpRequest:
    """Return a request with its key."""
    context = connection.context
    return await call(
        is_async,
        lambda: with_key(connection, request, context),
        lambda: awith_key(connection, request, context),
    )


def not_asked() -> str:
    raise AssertionError


@SYNC_AND_ASYNC
async def test_the_key_is_among_the_headers_of_the_request(is_async: bool) -> None:
    connection = make_connection(api_key=lambda: KEY)
    request = HttpRequest(path="/x", headers={"X-A": "1"}, deadline=Deadline(60))
    with_a_key = await keyed(connection, request, is_async=is_async)
    assert with_a_key.headers == {"X-A": "1", "Authorization": f"Bearer {KEY}"}
    assert with_a_key.api_key == KEY
    assert with_a_key == HttpRequest(path="/x", headers=with_a_key.headers)


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        ({"api_key": KEY}, None),
        ({"api_key": not_asked}, FILE),
        (
            {
                "api_key": not_asked,
                "default_headers": {"authorization": "Bearer other"},
            },
            None,
        ),
    ],
    ids=["a key", "another host", "a header of the user"],
)
async def test_no_function_is_asked(
    is_async: bool, arguments: dict[str, Any], url: str | None
) -> None:
    request = HttpRequest(path="/x", url=url)
    found = await keyed(make_connection(**arguments), request, is_async=is_async)
    assert found is request


@SYNC_AND_ASYNC
async def test_a_function_that_is_too_slow_sends_nothing(is_async: bool) -> None:
    deadline = Deadline(0.05)

    def slow() -> str:
        while not deadline.has_passed:
            time.sleep(0.01)
        return KEY

    connection = make_connection(api_key=slow)
    request = HttpRequest(path="/x", deadline=deadline)
    with pytest.raises(APITimeoutError) as caught:
        await keyed(connection, request, is_async=is_async)
    assert not caught.value.was_sent
    assert caught.value.message == (
        "The answer was not complete within total_timeout=0.05 s. The function that was"
        " passed as api_key did not return before, so nothing was sent."
    )
