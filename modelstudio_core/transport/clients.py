"""The HTTP clients of connections: shared, cached and closed.

Equal connections share their clients. Async clients belong to one event loop and are
closed with it. Clients over a user's HTTP client are cached as long as the connection
that has it exists, so that the user's client can be collected.
"""

import asyncio
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from modelstudio_core._version import __version__
from modelstudio_core.api_keys import ApiKeyFunction
from modelstudio_core.secrets import hide_in_logs
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.decoding import ACCEPTED
from modelstudio_core.transport.pools import make_async_pool, make_sync_pool
from modelstudio_core.transport.sdks import Sdk, make_sdk_client

__all__ = [
    "ClientHandle",
    "async_client",
    "authorization_of",
    "merge_headers",
    "sync_client",
]

# The size of the cache; the least recently used clients are dropped first.
MAX_CACHED: Final = 64


class ClientHandle:
    """A pool and the SDK clients over it. The pool is closed with the handle.

    The clients of the SDKs are in reference cycles, which only the garbage collector
    frees. The handle is in none, so that the pool is closed at once.

    Attributes:
        pool: The client of the HTTP library.
        headers: The headers of each request to the service.
    """

    __slots__ = ("__weakref__", "_clients", "_close_at_end", "_pid", "headers", "pool")

    def __init__(self, pool: Any, headers: Mapping[str, str]) -> None:
        """Create a handle. The arguments are the attributes of the class."""
        self.pool = pool
        self.headers = headers
        self._clients: dict[Sdk, Any] = {}
        self._close_at_end: AsyncGenerator[None] | None = None
        self._pid = os.getpid()

    @property
    def is_inherited(self) -> bool:
        """Whether the pool belongs to a parent process, which uses it."""
        return self._pid != os.getpid()

    def find(self, sdk: Sdk | None) -> Any:
        """Return the client of an SDK, None if there is none; without SDK the pool."""
        return self.pool if sdk is None else self._clients.get(sdk)

    def make(self, sdk: Sdk, connection: Connection, *, is_async: bool) -> Any:
        """Create the client of an SDK over the pool, unless there is one."""
        client = make_sdk_client(
            sdk, connection, self.pool, self.headers, is_async=is_async
        )
        return self._clients.setdefault(sdk, client)

    def close_with_loop(self) -> None:
        """Close the pool when the running event loop or the handle ends."""
        self._close_at_end = _call_at_loop_end(self.pool.aclose)


def sync_client(connection: Connection, sdk: Sdk | None) -> tuple[ClientHandle, Any]:
    """Return the handle of a connection and its client for one SDK.

    Args:
        connection: How to reach the service.
        sdk: The SDK that sends the request; None for the HTTP client itself.
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
    """Return the handle of a connection in the running event loop, and its client.

    Clients are created in a thread, because imports and the reading of certificates
    would block the event loop.

    Args:
        connection: How to reach the service.
        sdk: The SDK that sends the request; None for the HTTP client itself.
        large: Whether the body is large: it is then sent over httpx.
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
    custom = connection.http_client
    pool: Any = make_sync_pool(connection) if custom is None else custom
    handle = ClientHandle(pool, _headers_of(connection))
    if custom is None:
        weakref.finalize(handle, _close, pool, os.getpid())
    hide_in_logs(handle, connection.secrets)
    return handle


def _close(pool: Any, pid: int) -> None:
    """Close a pool, unless it is of a parent process, whose locks may be held."""
    if pid == os.getpid():
        pool.close()


def _make_async_handle(connection: Connection, large: bool) -> ClientHandle:
    """Create an async handle, which belongs to no event loop yet."""
    custom = connection.http_async_client
    pool = make_async_pool(connection, large=large) if custom is None else custom
    handle = ClientHandle(pool, _headers_of(connection))
    hide_in_logs(handle, connection.secrets)
    return handle


def _headers_of(connection: Connection) -> dict[str, str]:
    """Return the headers of each request. Those of the user have precedence."""
    defaults = {
        "User-Agent": f"modelstudio-integrations/{__version__}",
        **authorization_of(connection.api_key),
        # Other encodings cannot be decoded in pieces of a bounded size.
        "Accept-Encoding": ACCEPTED,
        **connection.endpoint.headers,
    }
    return merge_headers(defaults, dict(connection.default_headers))


def authorization_of(key: str | ApiKeyFunction) -> dict[str, str]:
    """Return the header with the key; without it if the key is asked for later.

    Args:
        key: The key of a connection.
    """
    # The header of every request: some versions of the openai SDK leave it out.
    return {"Authorization": f"Bearer {key}"} if isinstance(key, str) else {}


def merge_headers(*groups: Mapping[str, str]) -> dict[str, str]:
    """Return headers of which a later one replaces an earlier one in any spelling.

    Example:
        >>> merge_headers({"Accept": "a", "X-B": "b"}, {"accept": "c"})
        {'Accept': 'c', 'X-B': 'b'}
    """
    merged: dict[str, str] = {}
    spelling: dict[str, str] = {}
    for group in groups:
        for name, value in group.items():
            merged[spelling.setdefault(name.casefold(), name)] = value
    return merged


# --- Lifetime ---------------------------------------------------------------------

_Key = tuple[Connection, bool]


class _Clients:
    """A cache of handles."""

    def __init__(self) -> None:
        self._cached: OrderedDict[_Key, ClientHandle] = OrderedDict()
        # The handles over a user's client, which are dropped with their connection.
        self._custom: weakref.WeakKeyDictionary[Connection, dict[bool, ClientHandle]]
        self._custom = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(
        self, connection: Connection, *, large: bool = False
    ) -> ClientHandle | None:
        with self._lock:
            if self._has_custom_client(connection):
                return self._custom.get(connection, {}).get(large)
            handle = self._cached.get((connection, large))
            if handle is not None:
                self._cached.move_to_end((connection, large))
            return handle

    def keep(
        self, connection: Connection, handle: ClientHandle, *, large: bool = False
    ) -> ClientHandle:
        """Cache a handle and return it, or the one that another thread cached first."""
        with self._lock:
            if self._has_custom_client(connection):
                handles = self._custom.setdefault(connection, {})
                return handles.setdefault(large, handle)
            cached = self._cached.setdefault((connection, large), handle)
            if len(self._cached) > MAX_CACHED:
                self._cached.popitem(last=False)
            return cached

    def _has_custom_client(self, connection: Connection) -> bool:
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


# What a child process must neither use nor finalize: other threads of the parent may
# have held its locks during the fork.
_inherited: Final[list[object]] = []


def _forget_after_fork() -> None:
    """Start without clients in a child process: the parent process uses them."""
    global _sync_clients, _loop_clients, _loop_lock
    _inherited.append((_sync_clients, _loop_clients))
    _sync_clients, _loop_clients, _loop_lock = _Clients(), {}, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


async def _forget(loop: asyncio.AbstractEventLoop) -> None:
    with _loop_lock:
        _loop_clients.pop(loop, None)


def _call_at_loop_end(
    call: Callable[..., Awaitable[None]], *arguments: object
) -> AsyncGenerator[None]:
    """Return an object that calls a function when it or the running loop ends.

    The object is an async generator that is suspended forever. An event loop closes its
    async generators when they are collected, and all of them before it is closed.
    """

    async def wait() -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await call(*arguments)

    waiting = wait()
    # The first step registers the generator with the loop, and does not suspend.
    with suppress(StopIteration):
        waiting.__anext__().send(None)
    return waiting
