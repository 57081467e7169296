"""The SDKs' clients: untouched by the environment, shared, and closed in time.

Clients are shared by address, key and options. Asynchronous ones belong to one event
loop and are closed with it. An SDK is imported by the first call over its protocol;
both run on the same HTTP library, that of the openai SDK.
"""

import asyncio
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from modelstudio_core.secrets import hide_in_logs
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.pools import make_pool
from modelstudio_core.transport.sdks import sdk_client

__all__ = ["ClientHandle", "async_client", "sync_client"]

# How many addresses and keys are kept warm at once.
_KEPT_CLIENTS: Final = 64


class ClientHandle:
    """An SDK's client, whose pool is closed when the last lease is gone.

    The clients themselves stand in circles of references: they go when they are
    collected, and a pool would wait for it.
    """

    __slots__ = ("__weakref__", "_until", "client")

    def __init__(self, client: Any, until: AsyncGenerator[None] | None = None) -> None:
        self.client = client
        self._until = until


def sync_client(connection: Connection) -> ClientHandle:
    """Return the SDK's client for a connection, made by the first call."""
    return _sync_clients.get(connection) or _sync_clients.keep(
        connection, _make_client(connection)
    )


async def async_client(connection: Connection, *, large: bool = False) -> ClientHandle:
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


def _make_client(connection: Connection) -> ClientHandle:
    pool = connection.http_client or make_pool(connection, "Client")
    lease = ClientHandle(sdk_client(connection, pool, 0))
    if connection.http_client is None:
        weakref.finalize(lease, pool.close)
    hide_in_logs(lease, connection.secrets)
    return lease


def _make_async_client(connection: Connection, large: bool) -> tuple[Any, Any]:
    """Make an asynchronous client and its pool, which belong to no loop yet."""
    pool = connection.http_async_client or make_pool(
        connection, "AsyncClient", large=large
    )
    return sdk_client(connection, pool, 1), pool


def _lease_async(connection: Connection, client: Any, pool: Any) -> ClientHandle:
    own = connection.http_async_client is None
    lease = ClientHandle(client, _until_the_loop_ends(pool.aclose) if own else None)
    hide_in_logs(lease, connection.secrets)
    return lease


class _Clients:
    """The clients that are kept warm, the longest unused given up first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[object, ClientHandle] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object) -> ClientHandle | None:
        with self._lock:
            lease = self._kept.get(key)
            if lease is not None:
                self._kept.move_to_end(key)
            return lease

    def keep(self, key: object, lease: ClientHandle) -> ClientHandle:
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
