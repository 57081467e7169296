"""The locks of httpcore, in a form that an interrupt cannot leave locked.

httpcore's own locks are Python objects: an exception of a signal handler, such as
``KeyboardInterrupt``, that is raised within their ``__enter__`` leaves them locked, and
the threads that need them wait for ever (httpcore 1.0, read in November 2026). The
methods of Python's own locks are not interrupted. Without this module the locks are
httpcore's.
"""

import os
import threading
from functools import cache
from typing import Any, Final

from modelstudio_core.foreign.fast_path import FastPath

__all__ = ["INTERRUPTIBLE_LOCKS", "replace_lock"]

INTERRUPTIBLE_LOCKS: Final = FastPath("the locks of pools", is_guard=True)
# The locks of a connection, and of those that one through a proxy contains.
_NAMES: Final = ("_request_lock", "_connect_lock", "_state_lock")
_LOCK: Final = type(threading.Lock())
# What a lock protects takes microseconds: after so long it was left locked.
_SECONDS: Final = 1.0


class _Shared:
    """What all threads share.

    Attributes:
        lock: Held by the thread that replaces a lock.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()


_shared: Final = _Shared()


def replace_lock(client: Any) -> None:
    """Replace the locks of a sync client that nothing has used yet.

    Args:
        client: A sync client of httpx or httpx2.
    """
    if not INTERRUPTIBLE_LOCKS.active:
        return
    try:
        transports: list[Any] = [client._transport, *client._mounts.values()]  # noqa: SLF001 - see the module
        for transport in transports:
            if transport is not None:
                pool: Any = transport._pool  # noqa: SLF001 - see the module
                # It is what it is taken for.
                pool._optional_thread_lock._lock.release  # noqa: B018, SLF001 - see the module
                pool.__class__ = _pool_class(pool.__class__)
                pool._optional_thread_lock = threading.RLock()  # noqa: SLF001 - see the module
    except Exception as error:  # noqa: BLE001 - another version may raise anything
        INTERRUPTIBLE_LOCKS.switch_off(error)


@cache
def _pool_class(kind: Any) -> Any:
    """Return a class of pools that replaces the locks of its connections."""

    class Pool(kind):  # type: ignore[misc]
        def create_connection(self, *arguments: Any, **options: Any) -> Any:
            pool: Any = super()
            connection: Any = pool.create_connection(*arguments, **options)
            if INTERRUPTIBLE_LOCKS.active:
                try:
                    connection.__class__ = _connection_class(connection.__class__)
                except Exception as error:  # noqa: BLE001 - another version may raise anything
                    INTERRUPTIBLE_LOCKS.switch_off(error)
            return connection

    Pool.__name__ = kind.__name__
    return Pool


@cache
def _connection_class(kind: Any) -> Any:
    """Return a class of connections that replaces its locks before a request.

    That of the HTTP/1.1 connection within it does not exist before the first request:
    it is replaced before the second one, even if the first one left it locked.
    """

    class Connection(kind):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            if INTERRUPTIBLE_LOCKS.active:
                try:
                    _replace_in(self)
                except Exception as error:  # noqa: BLE001 - another version may raise anything
                    INTERRUPTIBLE_LOCKS.switch_off(error)
            connection: Any = super()
            return connection.handle_request(request)

    Connection.__name__ = kind.__name__
    return Connection


def _replace_in(connection: object) -> None:
    part: object = connection
    while part is not None:
        values = vars(part)
        for name in _NAMES:
            if name in values and type(values[name]) is not _LOCK:
                _replace(values, name)
        part = values.get("_connection")


def _renew_lock() -> None:
    """Make a new lock in a child process: another thread may have held the old one."""
    _shared.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def _replace(values: dict[str, Any], name: str) -> None:
    """Replace one lock, after the thread that may hold it has released it."""
    with _shared.lock:
        old = values[name]
        if type(old) is _LOCK:
            return
        is_free = old._lock.acquire(timeout=_SECONDS)  # noqa: SLF001 - see the module
        values[name] = threading.Lock()
        if is_free:
            old._lock.release()  # noqa: SLF001 - see the module
