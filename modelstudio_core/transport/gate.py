"""A limit of the requests of one object that are sent at once.

The limit holds over all threads and event loops that use the object. After a 429 all
its requests wait, so that they do not use up the quota that is coming back.
"""

import asyncio
import math
import os
import time
from collections import deque
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Final

from modelstudio_core.fork_locks import ForkLock

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
        self._lock = ForkLock()
        self._open()

    def _open(self) -> None:
        """Let all places be free."""
        self._free = self.limit
        self._waiting: deque[Future[None]] = deque()
        self._pid = os.getpid()

    def pause(self, seconds: float) -> None:
        """Let no request through for some time.

        Args:
            seconds: The time from now on. It does not shorten a longer pause.
        """
        until = time.monotonic() + seconds
        with self._lock.here():
            self._resume_at = max(self._resume_at, until)

    def enter(self, until: float = math.inf) -> None:
        """Wait for a place and for the end of a pause.

        Args:
            until: When to give up, by ``time.monotonic``.

        Raises:
            TimeoutError: There is no place until then, or a pause.
        """
        place: Future[None] = Future()
        try:
            self._reserve(place, waits=not BLOCKS_LOOP.get())
            place.result(_seconds(until))
            while (seconds := self._pause_left(until)) > 0:
                time.sleep(seconds)
        except BaseException:
            self._give_back(place)
            raise

    async def aenter(self, until: float = math.inf) -> None:
        """Async version of ``enter``."""
        place: Future[None] = Future()
        try:
            self._reserve(place, waits=True)
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

    def _reserve(self, place: Future[None], *, waits: bool) -> None:
        """Let a place be done as soon as it may be used."""
        with self._lock.here():
            if self._pid != os.getpid():
                # The places that are taken are those of the parent process.
                self._open()
            if waits and self._free <= 0:
                self._waiting.append(place)
            else:
                self._let_through(place)

    def _let_through(self, place: Future[None]) -> None:
        self._free -= 1
        try:
            place.set_result(None)
        except BaseException:
            # An interrupt. What is done is given back by _give_back.
            self._free += not place.done()
            raise

    def _give_back(self, place: Future[None]) -> None:
        # A place that cannot be cancelled any more has been given to this request.
        if not place.cancel():
            self._release()

    def _release(self) -> None:
        if self._pid != os.getpid():
            # It was given in the parent.
            return
        with self._lock.here():
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
