"""A limit of the requests of one object that are sent at once.

The limit holds over all threads and event loops that use the object. After a 429 all
its requests wait, so that they do not use up the quota that is coming back.
"""

import asyncio
import math
import os
import threading
import time
from collections import deque
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Final

__all__ = ["BLOCKS_LOOP", "Gate"]

# Whether the thread of an event loop waits for this call. It must not wait for a place
# then: the tasks that have one may be those of the blocked loop.
BLOCKS_LOOP: Final[ContextVar[bool]] = ContextVar("blocks_loop", default=False)


class Gate:
    """Lets a limited number of requests through at once, and none during a pause.

    It is entered for each attempt of a request, and left when that has ended.
    """

    def __init__(self, limit: int) -> None:
        """Create an open gate.

        Args:
            limit: How many requests may be sent at once.
        """
        self.limit = limit
        self._resume_at = 0.0
        self._open()

    def _open(self) -> None:
        """Let all places be free."""
        self._pid = os.getpid()
        self._free = self.limit
        self._waiting: deque[Future[None]] = deque()
        self._lock = threading.Lock()

    def _leave_parent(self) -> None:
        """Open the gate in a child process: its places are taken in the parent.

        A thread of the parent that does not exist here may have held the lock.
        """
        if self._pid != os.getpid():
            self._open()

    def pause(self, seconds: float) -> None:
        """Let no request through for some time.

        Args:
            seconds: The time from now on. It does not shorten a longer pause.
        """
        until = time.monotonic() + seconds
        self._leave_parent()
        with self._lock:
            self._resume_at = max(self._resume_at, until)

    def enter(self, until: float = math.inf) -> None:
        """Wait for a place and for the end of a pause.

        Args:
            until: When to give up, by ``time.monotonic``.

        Raises:
            TimeoutError: There is no place until then, or a pause.
        """
        place = self._reserve(waits=not BLOCKS_LOOP.get())
        try:
            place.result(_seconds(until))
            while (seconds := self._pause_left(until)) > 0:
                time.sleep(seconds)
        except BaseException:
            self._give_back(place)
            raise

    async def aenter(self, until: float = math.inf) -> None:
        """Async version of ``enter``."""
        place = self._reserve(waits=True)
        try:
            if not place.done():
                async with asyncio.timeout(_seconds(until)):
                    await asyncio.wrap_future(place)
            while (seconds := self._pause_left(until)) > 0:  # noqa: ASYNC110 - a time that moves
                await asyncio.sleep(seconds)
        except BaseException:
            self._give_back(place)
            raise

    def leave(self) -> None:
        """Give the place to the request that waits longest."""
        self._release()

    def _pause_left(self, until: float) -> float:
        """Return the seconds of the pause that are left, which may become longer."""
        if self._resume_at > until:
            raise TimeoutError
        return self._resume_at - time.monotonic()

    def _reserve(self, *, waits: bool) -> Future[None]:
        """Return a place, which is done as soon as it may be used."""
        place: Future[None] = Future()
        self._leave_parent()
        with self._lock:
            if waits and self._free <= 0:
                self._waiting.append(place)
            else:
                self._free -= 1
                place.set_result(None)
        return place

    def _give_back(self, place: Future[None]) -> None:
        # A place that cannot be cancelled any more has been given to this request.
        if not place.cancel():
            self._release()

    def _release(self) -> None:
        if self._pid != os.getpid():
            # It was given in the parent.
            return
        with self._lock:
            self._free += 1
            while self._free > 0 and self._waiting:
                place = self._waiting.popleft()
                # False for one whose request was cancelled.
                if place.set_running_or_notify_cancel():
                    self._free -= 1
                    place.set_result(None)


def _seconds(until: float) -> float | None:
    """Return the seconds until a time; None for no limit."""
    return None if until == math.inf else until - time.monotonic()
