"""HTTP clients: shared, kept for the next request, and closed in time.

Clients are shared by connection. Asynchronous ones belong to one event loop and are
closed with it. Those over a user's own HTTP client live as long as the connection that
has it: nothing here keeps a user's client alive.
"""

import asyncio
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final

from modelstudio_core._version import __version__
from modelstudio_core.secrets import hide_in_logs
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.pools import make_async_pool, make_sync_pool
from modelstudio_core.transport.sdks import Sdk, make_sdk_client

__all__ = ["ClientHandle", "async_client", "sync_client"]

# How many connections' clients are kept, the least recently used given up first.
MAX_KEPT: Final = 64


class ClientHandle:
    """A pool and the SDK clients over it. The pool is closed with its handle.

    The SDKs' clients are in reference cycles and live until they are collected; the
    handle is in none, so that the pool need not wait for that.

    Attributes:
        pool: The HTTP client.
        headers: The headers of each request to the service.
    """

    __slots__ = ("__weakref__", "_clients", "_close_at_end", "headers", "pool")

    def __init__(self, pool: Any, headers: Mapping[str, str]) -> None:
        """Hold a pool; ``headers`` are sent with each request to the service."""
        self.pool = pool
        self.headers = headers
        self._clients: dict[Sdk, Any] = {}
        self._close_at_end: AsyncGenerator[None] | None = None

    def find(self, sdk: Sdk | None) -> Any:
        """Return an SDK's client if it was made; the pool where ``sdk`` is None."""
        return self.pool if sdk is None else self._clients.get(sdk)

    def make(self, sdk: Sdk, connection: Connection, *, is_async: bool) -> Any:
        """Make an SDK's client over the pool, once."""
        client = make_sdk_client(
            sdk, connection, self.pool, self.headers, is_async=is_async
        )
        return self._clients.setdefault(sdk, client)

    def close_with_loop(self) -> None:
        """Close the pool with the running event loop, or with the handle."""
        self._close_at_end = _call_at_loop_end(self.pool.aclose)


def sync_client(connection: Connection, sdk: Sdk | None) -> tuple[ClientHandle, Any]:
    """Return the handle of a connection and its client for one SDK.

    Args:
        connection: How to reach the service.
        sdk: The SDK to send with; None for the plain HTTP client.
    """
    handle = _sync_clients.get(connection) or _sync_clients.keep(
        connection, _make_handle(connection)
    )
    client = handle.find(sdk)
    if client is None and sdk is not None:
        client = handle.make(sdk, connection, is_async=False)
    return handle, client


async def async_client(
    connection: Connection, sdk: Sdk | None, *, large: bool = False
) -> tuple[ClientHandle, Any]:
    """Return the handle of a connection on the running event loop, and its client.

    A client is made in a thread: imports, certificates and look-ups would block the
    loop.

    Args:
        connection: How to reach the service.
        sdk: The SDK to send with; None for the plain HTTP client.
        large: Whether the body is large: those are sent over httpx.
    """
    clients = _clients_of(asyncio.get_running_loop())
    handle = clients.get(connection, large=large)
    client = handle.find(sdk) if handle else None
    if handle is not None and client is not None:
        return handle, client
    async with clients.making:
        handle = clients.get(connection, large=large)
        if handle is None:
            handle = await asyncio.to_thread(_make_async_handle, connection, large)
            if connection.http_async_client is None:
                handle.close_with_loop()
            handle = clients.keep(connection, handle, large=large)
        client = handle.find(sdk)
        if client is None and sdk is not None:
            client = await asyncio.to_thread(
                handle.make, sdk, connection, is_async=True
            )
        return handle, client


def _make_handle(connection: Connection) -> ClientHandle:
    pool: Any = connection.http_client or make_sync_pool(connection)
    handle = ClientHandle(pool, _headers_of(connection))
    if connection.http_client is None:
        weakref.finalize(handle, pool.close)
    hide_in_logs(handle, connection.secrets)
    return handle


def _make_async_handle(connection: Connection, large: bool) -> ClientHandle:
    """Make an asynchronous handle, which belongs to no event loop yet."""
    own = connection.http_async_client
    pool = make_async_pool(connection, large=large) if own is None else own
    handle = ClientHandle(pool, _headers_of(connection))
    hide_in_logs(handle, connection.secrets)
    return handle


def _headers_of(connection: Connection) -> dict[str, str]:
    """Return the headers of each request; a user's own replace ours in any spelling."""
    defaults = {
        "User-Agent": f"modelstudio-integrations/{__version__}",
        # Some versions of the openai SDK leave it out.
        "Authorization": f"Bearer {connection.api_key}",
        **connection.endpoint.headers,
    }
    spelling = {name.casefold(): name for name in defaults}
    return defaults | {
        spelling.get(name.casefold(), name): value
        for name, value in connection.default_headers
    }


# --- Lifetime ---------------------------------------------------------------------

_Key = tuple[Connection, bool]


class _Clients:
    """The handles that are kept for the next request."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, ClientHandle] = OrderedDict()
        # By the connection object: they end with it, and with the user's client.
        self._users: weakref.WeakKeyDictionary[Connection, dict[bool, ClientHandle]]
        self._users = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(
        self, connection: Connection, *, large: bool = False
    ) -> ClientHandle | None:
        with self._lock:
            if self._has_users_client(connection):
                return self._users.get(connection, {}).get(large)
            handle = self._kept.get((connection, large))
            if handle is not None:
                self._kept.move_to_end((connection, large))
            return handle

    def keep(
        self, connection: Connection, handle: ClientHandle, *, large: bool = False
    ) -> ClientHandle:
        """Keep a handle, and return it; the first one where two were made at once."""
        with self._lock:
            if self._has_users_client(connection):
                of_connection = self._users.setdefault(connection, {})
                return of_connection.setdefault(large, handle)
            kept = self._kept.setdefault((connection, large), handle)
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
            return kept

    def _has_users_client(self, connection: Connection) -> bool:
        return not (
            connection.http_client is None and connection.http_async_client is None
        )


class _LoopClients(_Clients):
    """The handles of one event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.making = asyncio.Lock()
        self.forget_at_end: AsyncGenerator[None] | None = None


_sync_clients = _Clients()
_loop_clients: dict[asyncio.AbstractEventLoop, _LoopClients] = {}
_loop_lock = threading.Lock()


def _clients_of(loop: asyncio.AbstractEventLoop) -> _LoopClients:
    clients = _loop_clients.get(loop)
    if clients is None:
        clients = _LoopClients()
        with _loop_lock:
            for other in list(_loop_clients):
                if other.is_closed():
                    _loop_clients.pop(other, None)
            _loop_clients[loop] = clients
        clients.forget_at_end = _call_at_loop_end(_forget, loop)
    return clients


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


def _call_at_loop_end(
    call: Callable[..., Coroutine[Any, Any, None]], *arguments: object
) -> AsyncGenerator[None]:
    """Return an object whose end, or that of the running loop, calls a function.

    An event loop closes its asynchronous generators before it closes itself, and one
    that nobody references as well: so a generator that waits forever ends in time.
    """

    async def wait() -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await call(*arguments)

    waiting = wait()
    # The first step registers the generator with the loop; it does not suspend.
    with suppress(StopIteration):
        waiting.__anext__().send(None)
    return waiting
