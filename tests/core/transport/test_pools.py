"""Pools of HTTP connections: their library, time limits, proxies and certificates."""

import os
import sys
from collections.abc import AsyncGenerator, Generator
from typing import Any, Final

import httpx
import openai
import pytest

from modelstudio_core import transport
from modelstudio_core.transport import pools
from modelstudio_core.transport.pools import (
    MAX_CONNECTIONS,
    http_library,
    library_of,
    make_async_pool,
    make_sync_pool,
    proxy_of,
    sdk_takes_httpx2,
    ssl_context,
    timeout_for,
)
from tests.core.support import error_message, make_connection

LOCAL: Final = make_connection()
REMOTE: Final = make_connection(base_url="https://gateway.example.com")
PROXY: Final = "http://127.0.0.1:9"
sdk_http: Any = http_library()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies of the machine."""
    for name in list(os.environ):
        if name.casefold().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def fresh_ssl_context() -> Generator[None]:
    """Read the certificates again, before the test and after it."""
    ssl_context.cache_clear()
    yield
    ssl_context.cache_clear()


@pytest.fixture
async def async_pools() -> AsyncGenerator[list[Any]]:
    """Close the pools that a test adds to a list."""
    added: list[Any] = []
    yield added
    for pool in added:
        await pool.aclose()


# --- Libraries ----------------------------------------------------------------------


def test_the_library_of_the_openai_sdk() -> None:
    major = int(openai.__version__.split(".", maxsplit=1)[0])
    assert sdk_takes_httpx2() is (major >= 3)
    assert http_library().__name__ == ("httpx2" if major >= 3 else "httpx")
    assert issubclass(openai.DefaultHttpxClient, sdk_http.Client)


@pytest.mark.parametrize(
    ("installed", "takes_it"),
    [("1.109.1", False), ("2.9.0", False), ("3.0.0", True), ("10.0.0rc1", True)],
)
def test_version_3_of_the_openai_sdk_and_later_ones_take_httpx2(
    monkeypatch: pytest.MonkeyPatch, installed: str, takes_it: bool
) -> None:
    monkeypatch.setattr(pools, "version", lambda _name: installed)
    assert sdk_takes_httpx2.__wrapped__() is takes_it


def test_the_library_of_a_pool() -> None:
    class MyClient(httpx.Client):
        pass

    with httpx.Client() as client, MyClient() as mine, sdk_http.Client() as sdk_client:
        assert library_of(client) is httpx
        assert library_of(mine) is httpx
        assert library_of(sdk_client) is sdk_http
    assert library_of(httpx.AsyncClient()) is httpx
    assert library_of(object()) is httpx


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (5, {"connect": 10.0, "read": 5.0, "write": 5.0, "pool": 15.0}),
        ((1, 2), {"connect": 1.0, "read": 2.0, "write": 2.0, "pool": 3.0}),
        ((None, 2), {"connect": None, "read": 2.0, "write": 2.0, "pool": None}),
        ((1, None), {"connect": 1.0, "read": None, "write": None, "pool": None}),
        (None, {"connect": None, "read": None, "write": None, "pool": None}),
    ],
)
def test_time_limits(timeout: Any, expected: dict[str, float | None]) -> None:
    limits = timeout_for(make_connection(timeout=timeout), httpx)
    assert isinstance(limits, httpx.Timeout)
    assert limits.as_dict() == expected


# --- Pools --------------------------------------------------------------------------


def test_a_sync_pool() -> None:
    with make_sync_pool(make_connection(timeout=(1, 2))) as pool:
        assert isinstance(pool, sdk_http.Client)
        assert (pool.timeout.connect, pool.timeout.read) == (1, 2)
        assert not pool.follow_redirects
        assert not pool.trust_env
        assert pool._transport._pool._max_connections == MAX_CONNECTIONS
        assert pool._transport._pool._max_keepalive_connections == MAX_CONNECTIONS
        assert pool._transport._pool._ssl_context is ssl_context()
    with make_sync_pool(REMOTE) as pool:
        assert pool.trust_env


def test_a_pool_keeps_no_cookies() -> None:
    def answer(_request: Any) -> Any:
        return sdk_http.Response(200, headers={"set-cookie": "a=b; Path=/"})

    with make_sync_pool(REMOTE) as pool:
        pool._transport = sdk_http.MockTransport(answer)
        pool.get("https://gateway.example.com/")
        assert len(pool.cookies.jar) == 0


async def test_an_async_pool_runs_on_aiohttp(async_pools: list[Any]) -> None:
    pool = make_async_pool(REMOTE)
    async_pools.append(pool)
    assert isinstance(pool, sdk_http.AsyncClient)
    assert "aiohttp" in type(pool._transport).__module__
    assert not pool.follow_redirects


async def test_an_async_pool_for_large_bodies_runs_on_httpx(
    async_pools: list[Any],
) -> None:
    pool = make_async_pool(REMOTE, large=True)
    async_pools.append(pool)
    assert isinstance(pool._transport, sdk_http.AsyncHTTPTransport)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY"])
async def test_an_async_pool_with_a_proxy_runs_on_httpx(
    monkeypatch: pytest.MonkeyPatch, async_pools: list[Any], name: str
) -> None:
    monkeypatch.setenv(name, PROXY)
    remote, local = make_async_pool(REMOTE), make_async_pool(LOCAL)
    async_pools += [remote, local]
    assert isinstance(remote._transport, sdk_http.AsyncHTTPTransport)
    # What runs on this machine is not reached through a proxy.
    assert "aiohttp" in type(local._transport).__module__


async def test_an_async_pool_without_aiohttp_runs_on_httpx(
    monkeypatch: pytest.MonkeyPatch, async_pools: list[Any]
) -> None:
    name = "modelstudio_core.transport.aiohttp_transport"
    monkeypatch.delattr(transport, "aiohttp_transport", raising=False)
    monkeypatch.setitem(sys.modules, name, None)
    pool = make_async_pool(REMOTE)
    async_pools.append(pool)
    assert isinstance(pool._transport, sdk_http.AsyncHTTPTransport)


@pytest.mark.parametrize(
    "proxy",
    [
        "http://proxy.example.com:3128",
        "http://user:secret@proxy.example.com:3128/",
        "proxy.example.com:3128",
        "user:secret@proxy.example.com:3128",
    ],
)
def test_a_proxy_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    assert proxy_of(REMOTE, "gateway.example.com") == ""
    monkeypatch.setenv("ALL_PROXY", proxy)
    assert proxy_of(REMOTE, "gateway.example.com") == "proxy.example.com:3128"
    assert proxy_of(LOCAL, "127.0.0.1") == ""
    monkeypatch.setenv("HTTP_PROXY", "http://other.example.com")
    assert proxy_of(REMOTE, "gateway.example.com") == "proxy.example.com:3128"
    monkeypatch.setenv("HTTPS_PROXY", "http://other.example.com")
    assert proxy_of(REMOTE, "gateway.example.com") == "other.example.com"
    monkeypatch.setenv("NO_PROXY", "gateway.example.com")
    assert proxy_of(REMOTE, "gateway.example.com") == ""
    assert proxy_of(REMOTE, "files.example.com") == "other.example.com"


# --- Broken environments ------------------------------------------------------------


def test_a_missing_certificate_file_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, fresh_ssl_context: None
) -> None:
    del fresh_ssl_context
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/certificates.pem")
    message = error_message(make_sync_pool, REMOTE)
    assert message.startswith("The HTTP client cannot be created: ")
    assert "SSL_CERT_FILE" in message


def test_a_broken_proxy_variable_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://127.0.0.1:9")
    for make_pool in (make_sync_pool, make_async_pool):
        message = error_message(make_pool, REMOTE)
        assert message.startswith("The HTTP client cannot be created: ")
        assert "HTTPS_PROXY" in message
    make_sync_pool(LOCAL).close()


def test_all_pools_share_the_certificates() -> None:
    assert ssl_context() is ssl_context()
    with make_sync_pool(LOCAL) as one, make_sync_pool(REMOTE) as other:
        contexts = {p._transport._pool._ssl_context for p in (one, other)}
    assert contexts == {pools.ssl_context()}
