"""The SDKs' clients: untouched by the environment, shared, and closed in time.

Clients are shared by address, key and options. Asynchronous ones belong to one event
loop and are closed with it. An SDK is imported by the first call over its protocol;
both run on the same HTTP library, that of the openai SDK.
"""

import asyncio
import os
import ssl
import threading
import weakref
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import suppress
from functools import cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any, Final, cast

from modelstudio_core._secrets import hide_in_logs
from modelstudio_core._version import __version__
from modelstudio_core.connection import Connection
from modelstudio_core.endpoints import DEFAULT_REGION
from modelstudio_core.errors import ConfigurationError

__all__ = [
    "Lease",
    "async_client",
    "own_headers",
    "response_class",
    "sync_client",
]

# A pool this large never makes a stream wait for another one.
_MAX_CONNECTIONS: Final = 1000
_LARGEST_HEADER: Final = 100 * 1024
# How many addresses and keys are kept warm at once.
_KEPT_CLIENTS: Final = 64


class Lease:
    """An SDK's client, whose pool is closed when the last lease is gone.

    The clients themselves stand in circles of references: they go when they are
    collected, and a pool would wait for it.
    """

    __slots__ = ("__weakref__", "_until", "client")

    def __init__(self, client: Any, until: AsyncGenerator[None] | None = None) -> None:
        self.client = client
        self._until = until


def sync_client(connection: Connection) -> Lease:
    """Return the SDK's client for a connection, made by the first call."""
    return _sync_clients.get(connection) or _sync_clients.keep(
        connection, _make_client(connection)
    )


async def async_client(connection: Connection, *, large: bool = False) -> Lease:
    """Return the SDK's asynchronous client for a connection and the running loop.

    What has to be loaded, read and looked up for it would hold the loop: it is made in
    a thread.

    Args:
        connection: Where to.
        large: Whether much is to be sent: that goes over httpx.
    """
    clients = _clients_of(asyncio.get_running_loop())
    key = (connection, large)
    if lease := clients.get(key):
        return lease
    async with clients.making:
        if lease := clients.get(key):
            return lease
        made = await asyncio.to_thread(_make_async_client, *key)
        return clients.keep(key, _lease_async(connection, *made))


def _clients_of(loop: asyncio.AbstractEventLoop) -> "_LoopClients":
    clients = _loop_clients.get(loop)
    if clients is None:
        clients = _LoopClients()
        with _loop_lock:
            for known in list(_loop_clients):
                if known.is_closed():
                    _loop_clients.pop(known, None)
            _loop_clients[loop] = clients
        clients.until = _until_the_loop_ends(_forget, loop)
    return clients


def own_headers(connection: Connection) -> dict[str, str]:
    """Return the headers that every request of a connection has.

    A user's own takes the place of ours, however it is spelled.
    """
    ours = {
        "User-Agent": f"modelstudio-integrations/{__version__}",
        # Said by us: some versions of the SDK leave it out.
        "Authorization": f"Bearer {connection.api_key}",
        **connection.endpoint.headers,
    }
    spelled = {name.casefold(): name for name in ours}
    theirs = connection.default_headers
    return ours | {spelled.get(name.casefold(), name): value for name, value in theirs}


def response_class() -> Any:
    """Return the class of responses that the openai SDK hands on unread."""
    return _http().Response


# --- HTTP -------------------------------------------------------------------------


@cache
def _http() -> ModuleType:
    """Return the HTTP library under the openai SDK: httpx2 under 3, httpx under 2."""
    major = int(version("openai").partition(".")[0])
    return import_module("httpx2" if major >= 3 else "httpx")  # noqa: PLR2004 - a version


@cache
def _ssl_context() -> ssl.SSLContext:
    """Make the context once: each one reads the whole certificate store."""
    return cast("ssl.SSLContext", _http().create_ssl_context())


def _no_cookies() -> CookieJar:
    """Return a jar that keeps nothing: a cookie would tie keys to one another."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _timeout(connection: Connection, library: ModuleType) -> Any:
    read, connect = connection.read_timeout, connection.connect_timeout
    # The wait for a place in the pool counts for aiohttp as a part of connecting.
    return library.Timeout(read, connect=connect, pool=connect + read)


def _make_pool(connection: Connection, kind: str, *, large: bool = False) -> Any:
    try:
        options = _pool_options(connection)
        pool = getattr(_http(), kind)(**options)
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
    http = _http()
    return {
        # What runs on this machine is not reached through a proxy.
        "trust_env": not connection.endpoint.is_loopback,
        "timeout": _timeout(connection, http),
        "limits": http.Limits(
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_MAX_CONNECTIONS,
        ),
        "verify": _ssl_context(),
        "follow_redirects": False,
        "cookies": _no_cookies(),
    }


# --- SDKs -------------------------------------------------------------------------


def _make_client(connection: Connection) -> Lease:
    pool = connection.http_client or _make_pool(connection, "Client")
    lease = Lease(_sdk_client(connection, pool, 0))
    if connection.http_client is None:
        weakref.finalize(lease, pool.close)
    hide_in_logs(lease, connection.secrets)
    return lease


def _make_async_client(connection: Connection, large: bool) -> tuple[Any, Any]:
    """Make an asynchronous client and its pool, which belong to no loop yet."""
    pool = connection.http_async_client or _make_pool(
        connection, "AsyncClient", large=large
    )
    return _sdk_client(connection, pool, 1), pool


def _lease_async(connection: Connection, client: Any, pool: Any) -> Lease:
    own = connection.http_async_client is None
    lease = Lease(client, _until_the_loop_ends(pool.aclose) if own else None)
    hide_in_logs(lease, connection.secrets)
    return lease


def _sdk_client(connection: Connection, pool: Any, colour: int) -> Any:
    """Make an SDK's client over a pool; the colour is 0 for sync and 1 for async."""
    if connection.protocol == "openai":
        client = _sdk_classes("openai")[colour](
            http_client=pool,
            api_key=connection.api_key,
            base_url=connection.base_url,
            timeout=_timeout(connection, _http()),
            max_retries=0,
        )
        client.ours = own_headers(connection)
        return client
    if pool.follow_redirects:
        raise ConfigurationError(
            "An HTTP client for protocol='dashscope' must not follow redirects: make it"
            " with follow_redirects=False."
        )
    # Nothing may be left to its environment, nor to its configuration file.
    return _sdk_classes("dashscope")[colour](
        http_client=pool,
        api_key=connection.api_key,
        base_url=connection.base_url,
        region=connection.endpoint.region or DEFAULT_REGION,
        workspace="",
        protocol="native",
        timeout=connection.read_timeout,
        max_retries=0,
        config_path=os.devnull,
    )


def _sdk_classes(protocol: str) -> tuple[Any, Any]:
    return _openai_classes() if protocol == "openai" else _dashscope_classes()


@cache
def _openai_classes() -> tuple[Any, Any]:
    import openai  # noqa: PLC0415 - not before the first call

    class _Headers:
        """Send our headers only: the SDK adds OPENAI_* variables to any host."""

        ours: Mapping[str, str] = {}

        @property
        def default_headers(self) -> dict[str, Any]:
            return {
                "Accept": "application/json, text/event-stream",
                "Content-Type": "application/json",
                **self.ours,
            }

    class Client(_Headers, openai.OpenAI):
        pass

    class AsyncClient(_Headers, openai.AsyncOpenAI):
        pass

    return Client, AsyncClient


@cache
def _dashscope_classes() -> tuple[Any, Any]:
    import dashscope  # noqa: PLC0415 - not before the first call, and optional

    return dashscope.Client, dashscope.AsyncClient


# --- Lifetime ---------------------------------------------------------------------


class _Clients:
    """The clients that are kept warm, the longest unused given up first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[object, Lease] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object) -> Lease | None:
        with self._lock:
            lease = self._kept.get(key)
            if lease is not None:
                self._kept.move_to_end(key)
            return lease

    def keep(self, key: object, lease: Lease) -> Lease:
        """Keep a lease; the first one, where two were made at once."""
        with self._lock:
            kept = self._kept.setdefault(key, lease)
            if len(self._kept) > _KEPT_CLIENTS:
                self._kept.popitem(last=False)
            return kept


class _LoopClients(_Clients):
    """Those of one event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.making = asyncio.Lock()
        self.until: AsyncGenerator[None] | None = None


_sync_clients = _Clients()
_loop_clients: dict[asyncio.AbstractEventLoop, _LoopClients] = {}
_loop_lock = threading.Lock()


def _forget_after_fork() -> None:
    """Leave the parent's connections to the parent."""
    global _sync_clients, _loop_lock
    _sync_clients, _loop_lock = _Clients(), threading.Lock()
    _loop_clients.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


async def _forget(loop: asyncio.AbstractEventLoop) -> None:
    with _loop_lock:
        _loop_clients.pop(loop, None)


def _until_the_loop_ends(
    end: Callable[..., Coroutine[Any, Any, None]], *arguments: Any
) -> AsyncGenerator[None]:
    """Return what calls ``end`` when the running loop ends, or when it is given up.

    A loop closes its asynchronous generators before it closes itself, and those that
    nobody holds as well: so a generator that waits forever is told in time.
    """

    async def wait() -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await end(*arguments)

    waiting = wait()
    # The first step is driven by hand: it registers the generator with the loop and
    # reaches its yield without ever suspending.
    with suppress(StopIteration):
        waiting.__anext__().send(None)
    return waiting
