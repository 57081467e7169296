"""HTTP pools, untouched by the environment where they go to loopback."""

import ssl
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any, Final, cast

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.transport.connection import Connection

__all__ = ["http_library", "make_pool", "response_class", "timeout_of"]

# A pool this large never makes a stream wait for another one.
_MAX_CONNECTIONS: Final = 1000
_LARGEST_HEADER: Final = 100 * 1024


def response_class() -> Any:
    """Return the class of responses that the openai SDK hands on unread."""
    return http_library().Response


@cache
def http_library() -> ModuleType:
    """Return the HTTP library under the openai SDK: httpx2 under 3, httpx under 2."""
    major = int(version("openai").partition(".")[0])
    return import_module("httpx2" if major >= 3 else "httpx")  # noqa: PLR2004 - a version


@cache
def _ssl_context() -> ssl.SSLContext:
    """Make the context once: each one reads the whole certificate store."""
    return cast("ssl.SSLContext", http_library().create_ssl_context())


def _no_cookies() -> CookieJar:
    """Return a jar that keeps nothing: a cookie would tie keys to one another."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def timeout_of(connection: Connection, library: ModuleType) -> Any:
    read, connect = connection.read_timeout, connection.connect_timeout
    # The wait for a place in the pool counts for aiohttp as a part of connecting.
    return library.Timeout(read, connect=connect, pool=connect + read)


def make_pool(connection: Connection, kind: str, *, large: bool = False) -> Any:
    try:
        options = _pool_options(connection)
        pool = getattr(http_library(), kind)(**options)
        if kind == "Client" or large:
            return pool
        return _on_aiohttp(pool, options)
    except (OSError, ValueError, ImportError) as error:
        raise ConfigurationError(
            f"No HTTP client can be made on this machine: {error}. Look at"
            " the variables SSL_CERT_FILE, SSL_CERT_DIR, HTTP_PROXY, HTTPS_PROXY and"
            " ALL_PROXY."
        ) from error


def _on_aiohttp(pool: Any, options: dict[str, Any]) -> Any:
    """Return the same pool over aiohttp, for half the CPU, where that can be had.

    Not behind a proxy: aiohttp knows fewer kinds than httpx.
    """
    adapter = _aiohttp_adapter()
    if adapter is None or any(pool._mounts.values()):  # noqa: SLF001 - no other way to ask
        return pool
    faster = adapter(**options)
    transport = faster._transport  # noqa: SLF001 - an attribute that is its argument too
    transport.client = partial(_aiohttp_session, options["limits"])
    return faster


@cache
def _aiohttp_adapter() -> Any:
    """Return the openai SDK's own client over aiohttp; None where a part is missing."""
    import openai  # noqa: PLC0415 - not before the first call

    try:
        openai.DefaultAioHttpClient(verify=_ssl_context())
    except RuntimeError:
        return None
    return openai.DefaultAioHttpClient


def _aiohttp_session(limits: Any) -> Any:
    """Make the session of a pool: as the adapter does, but without cookies."""
    import aiohttp  # noqa: PLC0415 - not before the first call, and optional

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=limits.max_connections,
            keepalive_timeout=limits.keepalive_expiry,
            ssl=_ssl_context(),
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        # As much as httpx takes.
        max_line_size=_LARGEST_HEADER,
        max_field_size=_LARGEST_HEADER,
    )


def _pool_options(connection: Connection) -> dict[str, Any]:
    http = http_library()
    return {
        # What runs on this machine is not reached through a proxy.
        "trust_env": not connection.endpoint.is_loopback,
        "timeout": timeout_of(connection, http),
        "limits": http.Limits(
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_MAX_CONNECTIONS,
        ),
        "verify": _ssl_context(),
        "follow_redirects": False,
        "cookies": _no_cookies(),
    }
