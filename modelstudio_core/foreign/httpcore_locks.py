"""The lock of a pool of httpcore, in a form that an interrupt cannot leave locked.

httpcore's own lock is a Python object: an exception of a signal handler, such as
``KeyboardInterrupt``, that is raised within its ``__enter__`` leaves it locked, and all
other threads wait for ever (httpcore 1.0, read in November 2026). The methods of
``threading.RLock`` are not interrupted. Without this module the lock is httpcore's.
"""

import threading
from typing import Any, Final

from modelstudio_core.foreign.fast_path import FastPath

__all__ = ["INTERRUPTIBLE_LOCKS", "replace_lock"]

INTERRUPTIBLE_LOCKS: Final = FastPath("the locks of pools", is_guard=True)


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
                lock: Any = transport._pool._optional_thread_lock  # noqa: SLF001 - see the module
                # It is what it is taken for.
                lock._lock.release  # noqa: B018, SLF001 - see the module
                transport._pool._optional_thread_lock = threading.RLock()  # noqa: SLF001 - see the module
    except Exception as error:  # noqa: BLE001 - another version may raise anything
        INTERRUPTIBLE_LOCKS.switch_off(error)
