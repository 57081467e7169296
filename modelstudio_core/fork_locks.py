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

    __slots__ = ("_lock", "_pid")

    def __init__(self) -> None:
        """Create an open lock."""
        self._open()

    def _open(self) -> None:
        self._lock = threading.Lock()
        self._pid = os.getpid()

    def __enter__(self) -> None:
        """Wait for the lock."""
        if self._pid != os.getpid():
            self._open()
        self._lock.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Release the lock."""
        self._lock.release()
