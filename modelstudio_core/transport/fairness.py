"""Limits how much work all tasks do in one iteration of an event loop.

The framework and the SDK need about 1 ms of CPU to start a request, and as much to end
it; each event of an answer costs about a twentieth of that. Without a limit, 500
requests that start together would block the loop for half a second. Work beyond the
budget of one iteration, called a turn, waits for the next one.
"""

import asyncio
from collections import deque
from typing import Final
from weakref import WeakKeyDictionary

__all__ = ["EVENT", "REQUEST", "cost_of", "wait_for_turn"]

# The cost of an event and of a request, and the budget of one turn (a few ms).
EVENT: Final = 1
REQUEST: Final = 12
_TURN_BUDGET: Final = 8 * REQUEST
# Reading so many bytes costs as much as one event.
_BYTES_PER_EVENT: Final = 2048


def cost_of(piece: bytes) -> int:
    """Return the cost of reading a piece of an answer."""
    return EVENT + len(piece) // _BYTES_PER_EVENT


async def wait_for_turn(cost: int) -> None:
    """Wait until the running loop has budget left in its turn, and spend some.

    Args:
        cost: The cost of the work that follows. A turn with any budget left is enough.
    """
    loop = asyncio.get_running_loop()
    turns = _turns_by_loop.get(loop) or _begin(loop)
    if turns.has_budget:
        turns.spend(loop, cost)
    else:
        await turns.wait(loop, cost)


def _begin(loop: asyncio.AbstractEventLoop) -> "_Turns":
    # A task that waits on a stopped loop keeps the loop alive: remove closed loops.
    # In one step: loops of other threads begin at the same time.
    for reference in _turns_by_loop.keyrefs():
        other = reference()
        if other is not None and other.is_closed():
            _turns_by_loop.pop(other, None)
    turns = _turns_by_loop[loop] = _Turns()
    return turns


class _Turns:
    """The budget of one event loop, renewed in each iteration that follows work."""

    __slots__ = ("_budget", "_waiting")

    def __init__(self) -> None:
        self._budget = _TURN_BUDGET
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()

    @property
    def has_budget(self) -> bool:
        return self._budget > 0

    def spend(self, loop: asyncio.AbstractEventLoop, cost: int) -> None:
        if self._budget == _TURN_BUDGET:
            loop.call_soon(self._renew, loop)
        self._budget -= cost

    async def wait(self, loop: asyncio.AbstractEventLoop, cost: int) -> None:
        waiter = loop.create_future()
        self._waiting.append((waiter, cost))
        await waiter

    def _renew(self, loop: asyncio.AbstractEventLoop) -> None:
        self._budget = _TURN_BUDGET
        try:
            while self._waiting and self.has_budget:
                waiter, cost = self._waiting.popleft()
                # A waiter that is done was cancelled.
                if not waiter.done():
                    self._budget -= cost
                    waiter.set_result(None)
        finally:
            # Called after the waiters: they run first in the next turn.
            if self._budget < _TURN_BUDGET:
                loop.call_soon(self._renew, loop)


_turns_by_loop: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns]] = (
    WeakKeyDictionary()
)
