"""Pools of HTTP connections. The openai SDK decides which HTTP library they are of."""

import ssl
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any, Final, cast
from urllib.request import getproxies

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.transport.connection import Connection

__all__ = [
    "http_library",
    "library_of",
    "make_async_pool",
    "make_sync_pool",
    "sdk_takes_httpx2",
    "ssl_context",
    "timeout_for",
]

# Large enough that a stream never waits for another one to end.
MAX_CONNECTIONS: Final = 1000
_PROXY_SCHEMES: Final = ("http", "https", "all")


@cache
def sdk_takes_httpx2() -> bool:
    """Return whether the installed openai SDK runs on httpx2, as version 3 does."""
    return int(version("openai").partition(".")[0]) >= 3  # noqa: PLR2004 - a version


@cache
def http_library() -> ModuleType:
    """Return the HTTP library under the openai SDK: httpx2 under 3, httpx under 2."""
    return import_module("httpx2" if sdk_takes_httpx2() else "httpx")


def library_of(pool: object) -> ModuleType:
    """Return the HTTP library that a pool is of: a user's own may be of the other."""
    roots = {cls.__module__.partition(".")[0] for cls in type(pool).__mro__}
    own = http_library()
    if own.__name__ in roots:
        return own
    return import_module(next((r for r in ("httpx", "httpx2") if r in roots), "httpx"))


@cache
def ssl_context() -> ssl.SSLContext:
    """Return the one context of all pools: each reads the whole certificate store."""
    return cast("ssl.SSLContext", http_library().create_ssl_context())


def timeout_for(connection: Connection, library: ModuleType) -> Any:
    """Return a connection's time limits as an object of an HTTP library."""
    read, connect = connection.read_timeout, connection.connect_timeout
    # aiohttp counts the wait for a free connection as a part of connecting.
    pool = None if read is None or connect is None else connect + read
    return library.Timeout(read, connect=connect, pool=pool)


def make_sync_pool(connection: Connection) -> Any:
    """Make a synchronous pool for a connection.

    Raises:
        ConfigurationError: The machine's certificates or proxy variables are broken.
    """
    return _make_pool(connection, "Client")


def make_async_pool(connection: Connection, *, large: bool = False) -> Any:
    """Make an asynchronous pool for a connection.

    It runs on aiohttp, for half the CPU, where that is installed and no proxy is
    configured: aiohttp supports fewer kinds of proxy than httpx.

    Args:
        connection: How to reach the service.
        large: Whether it is for large bodies. They go over httpx, because aiohttp has
            no time limit for sending.

    Raises:
        ConfigurationError: The machine's certificates or proxy variables are broken.
    """
    return _make_pool(connection, "AsyncClient", over_aiohttp=not large)


def _aiohttp_transport(connection: Connection) -> object:
    """Return the transport over aiohttp, None where it cannot be used."""
    if not connection.endpoint.is_loopback and _has_proxy():
        return None
    try:
        from modelstudio_core.transport import aiohttp_transport  # noqa: PLC0415
    except ImportError:
        return None
    return aiohttp_transport.make_transport(
        http_library(), ssl_context(), MAX_CONNECTIONS
    )


def _has_proxy() -> bool:
    proxies = getproxies()
    return any(proxies.get(scheme) for scheme in _PROXY_SCHEMES)


def _make_pool(connection: Connection, kind: str, *, over_aiohttp: bool = False) -> Any:
    try:
        http = http_library()
        transport = _aiohttp_transport(connection) if over_aiohttp else None
        return getattr(http, kind)(
            # What runs on this machine is not reached through a proxy.
            trust_env=not connection.endpoint.is_loopback,
            timeout=timeout_for(connection, http),
            limits=http.Limits(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_CONNECTIONS,
            ),
            verify=ssl_context(),
            follow_redirects=False,
            cookies=_no_cookies(),
            **({} if transport is None else {"transport": transport}),
        )
    except (OSError, ValueError, ImportError) as error:
        raise ConfigurationError(
            f"The HTTP client cannot be created: {error}. Check the environment"
            " variables SSL_CERT_FILE, SSL_CERT_DIR, HTTP_PROXY, HTTPS_PROXY and"
            " ALL_PROXY."
        ) from error


def _no_cookies() -> CookieJar:
    """Return a jar that keeps nothing: a cookie would link requests of two keys."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))
