"""A lock that a forked process finds open."""

import os
import threading
from types import TracebackType

__all__ = ["ForkLock"]


class ForkLock:
    """A lock for ``with``. A child process has a new one.

    Another thread of the parent may have held it during the fork, and does not exist
    in the child, so that nothing would release it there.

    Example:
        >>> lock = ForkLock()
        >>> with lock:
        ...     pass
    """

    __slots__ = ("_locks",)

    def __init__(self) -> None:
        """Create an open lock."""
        self._locks: dict[int, threading.Lock] = {}

    def here(self) -> threading.Lock:
        """Return the lock of this process, for a ``with`` that is safe from interrupts.

        In the methods below, one may come when the lock is taken and before the block.
        """
        process = os.getpid()
        lock = self._locks.get(process)
        if lock is None:
            # In one step: two threads that come first get one lock.
            lock = self._locks.setdefault(process, threading.Lock())
        return lock

    def __enter__(self) -> None:
        """Wait for the lock."""
        self.here().acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release the lock."""
        # There is none here in a child that was forked in the block.
        if lock := self._locks.get(os.getpid()):
            lock.release()
