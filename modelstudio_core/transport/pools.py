"""Pools of HTTP connections: clients of the HTTP library that the openai SDK uses."""

import ssl
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.foreign.httpcore_heads import limit_heads
from modelstudio_core.foreign.httpcore_locks import replace_lock
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.deadlines import Deadline

__all__ = [
    "Timeout",
    "http_library",
    "library_of",
    "make_async_pool",
    "make_sync_pool",
    "proxy_of",
    "sdk_takes_httpx2",
    "ssl_context",
    "timeout_for",
]

# Large enough that no stream waits for another one to end.
MAX_CONNECTIONS: Final = 1000
_PROXY_SCHEMES: Final = ("http", "https", "all")
# Headers that each request has. Replacing a default of the HTTP library takes time.
_ALWAYS_SENT: Final = ("accept-encoding", "user-agent")


class Timeout(Protocol):
    """The timeouts of a request, as an object of the HTTP library."""

    def as_dict(self) -> dict[str, float | None]:
        """Return the timeouts in seconds by their names."""
        ...


@cache
def sdk_takes_httpx2() -> bool:
    """Return whether the installed openai SDK uses httpx2, as version 3 does."""
    return int(version("openai").partition(".")[0]) >= 3  # noqa: PLR2004 - a version


@cache
def http_library() -> ModuleType:
    """Return the HTTP library of the openai SDK: httpx2 for version 3, else httpx."""
    return import_module("httpx2" if sdk_takes_httpx2() else "httpx")


def library_of(pool: object) -> ModuleType:
    """Return the HTTP library of a pool. That of a user's client may be another one."""
    roots = {cls.__module__.partition(".")[0] for cls in type(pool).__mro__}
    default = http_library()
    if default.__name__ in roots:
        return default
    return import_module(next((r for r in ("httpx", "httpx2") if r in roots), "httpx"))


@cache
def ssl_context() -> ssl.SSLContext:
    """Return the context of all pools. Creating one reads all certificates."""
    return cast("ssl.SSLContext", http_library().create_ssl_context())


def timeout_for(
    connection: Connection, library: ModuleType, deadline: Deadline | None = None
) -> Timeout:
    """Return the timeouts of a connection as an object of an HTTP library.

    Args:
        connection: How to reach the service.
        library: The HTTP library.
        deadline: When the answer must be complete; None for never.
    """
    read, connect = connection.read_timeout, connection.connect_timeout
    # In aiohttp the time to connect includes the wait for a free connection.
    pool = None if read is None or connect is None else connect + read
    if deadline is not None:
        read, connect, pool = map(deadline.limit, (read, connect, pool))
    return cast("Timeout", library.Timeout(read, connect=connect, pool=pool))


def make_sync_pool(connection: Connection) -> Any:
    """Create a sync pool for a connection.

    Raises:
        ConfigurationError: The certificates or the proxy variables are invalid.
    """
    pool = _make_pool(connection, "Client")
    limit_heads(pool)
    replace_lock(pool)
    return pool


def make_async_pool(connection: Connection, *, large: bool = False) -> Any:
    """Create an async pool for a connection.

    It uses aiohttp, which needs half the CPU time, if that is installed and no proxy is
    configured: aiohttp supports fewer kinds of proxy than httpx.

    Args:
        connection: How to reach the service.
        large: Whether the pool is for large bodies. They are sent over httpx, because
            aiohttp has no timeout for sending.

    Raises:
        ConfigurationError: The certificates or the proxy variables are invalid.
    """
    return _make_pool(connection, "AsyncClient", over_aiohttp=not large)


def _aiohttp_transport(connection: Connection) -> object:
    """Return the transport over aiohttp, or None if it cannot be used."""
    if not connection.endpoint.is_loopback and _has_proxy():
        return None
    try:
        from modelstudio_core.transport import aiohttp_transport  # noqa: PLC0415
    except ImportError:
        return None
    return aiohttp_transport.make_transport(
        http_library(), ssl_context(), MAX_CONNECTIONS
    )


def proxy_of(connection: Connection, host: str) -> str:
    """Return the proxy of the environment that requests to a host go through.

    Args:
        connection: How to reach the service.
        host: The host that is called, with the port if there is one.

    Returns:
        The proxy's host and port, without its user name and password; empty for none.
    """
    if connection.endpoint.is_loopback or proxy_bypass(host):
        return ""
    scheme = urlsplit(connection.base_url).scheme
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all") or ""
    # The HTTP libraries take one without a scheme, too.
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return parts.netloc.rpartition("@")[2]


def _has_proxy() -> bool:
    proxies = getproxies()
    return any(proxies.get(scheme) for scheme in _PROXY_SCHEMES)


def _make_pool(connection: Connection, kind: str, *, over_aiohttp: bool = False) -> Any:
    try:
        http = http_library()
        transport = _aiohttp_transport(connection) if over_aiohttp else None
        pool = getattr(http, kind)(
            # A server on this machine is not reached through a proxy.
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
        for name in _ALWAYS_SENT:
            del pool.headers[name]
    except (OSError, ValueError, ImportError) as error:
        raise ConfigurationError(
            f"The HTTP client cannot be created: {error}. Check the environment"
            " variables SSL_CERT_FILE, SSL_CERT_DIR, HTTP_PROXY, HTTPS_PROXY and"
            " ALL_PROXY."
        ) from error
    return pool


def _no_cookies() -> CookieJar:
    """Return a cookie jar that stays empty: cookies would link requests of two keys."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))
