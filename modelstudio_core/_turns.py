"""Turns of an event loop: what begins or ends at once does so a few at a time.

A request costs a framework and an SDK about a millisecond before it is first waited
for, and as much at its end. Five hundred at once would hold the loop for half a second.
"""

import asyncio
from collections import deque
from typing import Final
from weakref import WeakKeyDictionary

__all__ = ["take_turn"]

_AT_ONCE: Final = 8


async def take_turn() -> None:
    """Wait until few enough others want the same turn of the running loop."""
    loop = asyncio.get_running_loop()
    turns = _of_loops.get(loop)
    if turns is None:
        turns = _of_loops[loop] = _Turns()
    await turns.take(loop)


class _Turns:
    __slots__ = ("_left", "_waiting")

    def __init__(self) -> None:
        self._left = _AT_ONCE
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._left:
            if self._left == _AT_ONCE:
                loop.call_soon(self._renew, loop)
            self._left -= 1
            return
        waiting = loop.create_future()
        self._waiting.append(waiting)
        await waiting

    def _renew(self, loop: asyncio.AbstractEventLoop) -> None:
        self._left = _AT_ONCE
        while self._left and self._waiting:
            waiting = self._waiting.popleft()
            # One that was cancelled does not want it any more.
            if not waiting.done():
                waiting.set_result(None)
                self._left -= 1
        if self._left < _AT_ONCE:
            loop.call_soon(self._renew, loop)


_of_loops: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns]] = (
    WeakKeyDictionary()
)
