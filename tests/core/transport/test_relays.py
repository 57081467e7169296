"""The HTTP clients of the SDKs: what they hand on, and what they keep from the SDKs."""

from inspect import isawaitable
from types import SimpleNamespace
from typing import Any

import pytest
from typing_extensions import override

from modelstudio_core.transport.pools import http_library
from modelstudio_core.transport.relays import (
    ErrorStatusError,
    is_success,
    make_relay,
    refused_response,
)

HTTP = http_library()
BOTH = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


class Pool:
    """A client that records what it is asked for, and answers with a status."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.urls: list[Any] = []
        self.options: dict[str, Any] = {}

    def build_request(self, method: str, url: Any, **options: Any) -> Any:
        self.urls.append(url)
        return HTTP.Request(method, url, **options)

    def send(self, request: Any, **options: Any) -> Any:
        self.options = options
        return HTTP.Response(self.status, request=request)


class AsyncPool(Pool):
    """Async version of ``Pool``."""

    @override
    async def send(self, request: Any, **options: Any) -> Any:
        return super().send(request, **options)


async def sent(relay: Any, *arguments: Any, **options: Any) -> Any:
    """Send a request over a relay of either kind."""
    answer = relay.send(*arguments, **options)
    return await answer if isawaitable(answer) else answer


@pytest.mark.parametrize(
    ("status", "expected"),
    [(199, False), (200, True), (204, True), (299, True), (300, False), (400, False)],
)
def test_which_statuses_are_a_success(status: int, expected: bool) -> None:
    assert is_success(SimpleNamespace(status_code=status)) is expected


@BOTH
def test_a_url_is_parsed_once(is_async: bool) -> None:
    pool = Pool()
    relay = make_relay(HTTP, pool, is_async=is_async)
    for _ in range(2):
        relay.build_request("POST", "https://example.com/a?b=c", json={})
    other = HTTP.URL("https://example.com/d")
    relay.build_request(method="POST", url=other)
    assert [str(url) for url in pool.urls] == [
        "https://example.com/a?b=c",
        "https://example.com/a?b=c",
        "https://example.com/d",
    ]
    assert pool.urls[0] is pool.urls[1]
    assert pool.urls[2] is other


@BOTH
async def test_redirects_are_not_followed_whatever_the_sdk_says(is_async: bool) -> None:
    pool = AsyncPool() if is_async else Pool()
    relay = make_relay(HTTP, pool, is_async=is_async)
    request = relay.build_request("POST", "https://example.com/a")
    response = await sent(relay, request, follow_redirects=True, stream=True)
    assert response.status_code == 200
    assert pool.options == {"follow_redirects": False, "stream": True}


@BOTH
@pytest.mark.parametrize("status", [199, 300, 307, 400, 500])
async def test_an_error_status_is_raised_before_an_sdk_reads_the_body(
    status: int, is_async: bool
) -> None:
    pool = AsyncPool(status) if is_async else Pool(status)
    relay = make_relay(HTTP, pool, is_async=is_async)
    request = relay.build_request("POST", "https://example.com/a")
    with pytest.raises(ErrorStatusError, match=f"HTTP status {status}") as caught:
        await sent(relay, request)
    assert caught.value.response.status_code == status
    outer = ValueError("from the SDK")
    outer.__cause__ = caught.value
    assert refused_response(outer, "https://example.com/a") is caught.value.response


@pytest.mark.parametrize("status", [200, 299])
def test_a_success_in_an_error_is_no_refusal(status: int) -> None:
    error = ValueError("x")
    error.response = SimpleNamespace(status_code=status)  # type: ignore[attr-defined]
    assert refused_response(error, "https://example.com/a") is None
    assert refused_response(ValueError("y"), "https://example.com/a") is None
