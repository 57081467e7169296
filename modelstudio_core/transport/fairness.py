"""Turns of an event loop: what many do at once is done a little at a time.

A request costs a framework and an SDK about a millisecond before it is first waited
for, and as much at its end; each event of an answer costs a framework a twentieth of
that. Five hundred at once would hold the loop for as long as they take together.
"""

import asyncio
from collections import deque
from typing import Final
from weakref import WeakKeyDictionary

__all__ = ["EVENT", "REQUEST", "cost_of", "wait_for_turn"]

# What things cost, and how much of it one turn has room for: a few milliseconds.
EVENT: Final = 1
REQUEST: Final = 12
_ROOM: Final = 8 * REQUEST
# To read so many bytes takes as long as to hand on one event.
_BYTES_AN_EVENT: Final = 2048


def cost_of(piece: bytes) -> int:
    """Return what it costs to read a piece of an answer."""
    return EVENT + len(piece) // _BYTES_AN_EVENT


async def wait_for_turn(work: int) -> None:
    """Wait until the running loop has room for some work.

    Args:
        work: What is to be done next; a turn that has any room left has room for it.
    """
    loop = asyncio.get_running_loop()
    turns = _of_loops.get(loop) or _begin(loop)
    if turns.has_room:
        turns.fill(loop, work)
    else:
        await turns.wait(loop, work)


def _begin(loop: asyncio.AbstractEventLoop) -> "_Turns":
    # What waits on a loop that was stopped holds the loop.
    for known in list(_of_loops):
        if known.is_closed():
            _of_loops.pop(known, None)
    turns = _of_loops[loop] = _Turns()
    return turns


class _Turns:
    __slots__ = ("_room", "_waiting")

    def __init__(self) -> None:
        self._room = _ROOM
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()

    @property
    def has_room(self) -> bool:
        return self._room > 0

    def fill(self, loop: asyncio.AbstractEventLoop, work: int) -> None:
        if self._room == _ROOM:
            loop.call_soon(self._renew, loop)
        self._room -= work

    async def wait(self, loop: asyncio.AbstractEventLoop, work: int) -> None:
        waiting = loop.create_future()
        self._waiting.append((waiting, work))
        await waiting

    def _renew(self, loop: asyncio.AbstractEventLoop) -> None:
        self._room = _ROOM
        try:
            while self._waiting and self.has_room:
                waiting, work = self._waiting.popleft()
                # One that was cancelled does not want it any more.
                if not waiting.done():
                    self._room -= work
                    waiting.set_result(None)
        finally:
            # After those who wait were called: they come first in the next turn.
            if self._room < _ROOM:
                loop.call_soon(self._renew, loop)


_of_loops: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns]] = (
    WeakKeyDictionary()
)
