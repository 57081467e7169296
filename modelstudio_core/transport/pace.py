"""A limit of requests a second that the server observes too."""

import asyncio
import math
import time
from collections import deque
from typing import Final

from typing_extensions import override

from modelstudio_core.transport.gate import Gate

__all__ = ["PacedGate"]

_SECOND: Final = 1.0
_NEVER: Final = float("-inf")


class PacedGate(Gate):
    """Lets a number of requests through in a second, and as many at once.

    A place is free again one second after the answer to its last request. The server
    receives a request between the two, so that in no second it receives more requests
    than there are places.
    """

    def __init__(self, per_second: int) -> None:
        """Create an open gate.

        Args:
            per_second: How many requests may be sent in a second.
        """
        super().__init__(per_second)
        # When the free places were used last.
        self._used: deque[float] = deque([_NEVER] * per_second)

    @override
    def enter(self, until: float = math.inf) -> None:
        """Wait for a place, for its second and for the end of a pause."""
        super().enter(until)
        used = self._first_used()
        try:
            time.sleep(_rest(used, until))
        except BaseException:
            self._give_place_back(used)
            raise

    @override
    async def aenter(self, until: float = math.inf) -> None:
        """Async version of ``enter``."""
        await super().aenter(until)
        used = self._first_used()
        try:
            await asyncio.sleep(_rest(used, until))
        except BaseException:
            self._give_place_back(used)
            raise

    @override
    def leave(self) -> None:
        """Give the place back, to be used in a second."""
        self._give_place_back(time.monotonic())

    def _first_used(self) -> float:
        # A thread whose event loop waits for it gets a place where there is none.
        return self._used.popleft() if self._used else _NEVER

    def _give_place_back(self, used: float) -> None:
        if len(self._used) < self.limit:
            self._used.append(used)
        self._release()


def _rest(used: float, until: float) -> float:
    """Return the seconds until a place may be used again."""
    if used + _SECOND > until:
        raise TimeoutError
    return max(0.0, used + _SECOND - time.monotonic())
