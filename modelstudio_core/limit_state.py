"""What a process counts for a rate limit, and settles later."""

import asyncio
import logging
import math
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakKeyDictionary

from modelstudio_core.errors import APIStatusError
from modelstudio_core.token_estimates import Estimator

if TYPE_CHECKING:
    from pyrate_limiter import Rate, StateStore

__all__ = ["Charge", "LimitState", "call_in_thread"]

_Value = TypeVar("_Value")
# Seconds between two records of waiting requests.
_LOG_SECONDS: Final = 60.0
_logger: Final = logging.getLogger("modelstudio")


@dataclass(slots=True)
class _Amount:
    """Numbers of requests and of tokens."""

    requests: int = 0
    tokens: int = 0


class Charge:
    """What was counted for one request.

    It is settled once. Without an answer that says what was used, the estimate stands.

    Attributes:
        tokens: The tokens that were counted: the estimate, at most the bucket.
        is_counted: Whether the request was counted.
    """

    __slots__ = ("_is_settled", "_path", "_state", "is_counted", "tokens")

    def __init__(self, state: "LimitState", path: str, tokens: int) -> None:
        """Create the charge of a request that is not counted yet.

        Args:
            state: The state of the limit.
            path: The path of the request.
            tokens: The estimate of its tokens.
        """
        self._state = state
        self._path = path
        self.is_counted = self._is_settled = False
        self.tokens = tokens

    def count(self, tokens: int) -> None:
        """Mark the request as counted.

        Args:
            tokens: The tokens that were taken: at most those of the bucket.
        """
        self.tokens = tokens
        self.is_counted = True

    def settle(self, used: Mapping[str, int] | None) -> None:
        """Count what an answer used instead of the estimate.

        Args:
            used: Its ``input_tokens``, ``output_tokens`` and ``total_tokens``, or those
                of them that it has; None if it has none.
        """
        if used and self._close():
            output = used.get("output_tokens", 0)
            total = used.get("total_tokens", used.get("input_tokens", 0) + output)
            self._state.estimator.learn(self._path, output)
            self._state.owe(tokens=total - self.tokens)

    def end(self, error: BaseException | None) -> None:
        """Count no tokens for a request that the service refused.

        Args:
            error: What ended the request; None for an answer.
        """
        if isinstance(error, APIStatusError) and self._close():
            self._state.owe(tokens=-self.tokens)

    def give_back(self) -> None:
        """Count neither the request nor its tokens: it was not sent."""
        if self.is_counted and self._close():
            self._state.owe(requests=-1, tokens=-self.tokens)

    @contextmanager
    def returned_on_error(self) -> Generator[None]:
        """Give the charge back if an error or a cancellation ends the wait."""
        try:
            yield
        except BaseException:
            self.give_back()
            raise

    def _close(self) -> bool:
        """Mark the charge as settled. Return whether it was not yet."""
        was_open = not self._is_settled
        self._is_settled = True
        return was_open


class LimitState:
    """What a process knows of a limit: its store, debts and estimates."""

    def __init__(self, store: "StateStore", rates: "list[Rate | None]") -> None:
        self.store = store
        self.estimator = Estimator()
        self._rates = rates
        self._owed = _Amount()
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = (
            WeakKeyDictionary()
        )
        self._log_at = -math.inf

    # Requests of a process book one after the other, so that what an answer settles
    # reaches the next one, and not one that waits far ahead. Threads and each event
    # loop have turns of their own: a blocked loop must not keep a thread waiting.

    @contextmanager
    def turn(self, end: float) -> Generator[None]:
        """Wait for the turn of a thread.

        Args:
            end: Until when, by ``time.monotonic``.
        """
        timeout = -1.0 if end == math.inf else max(0.0, end - time.monotonic())
        if not self._turn.acquire(timeout=timeout):
            raise TimeoutError
        try:
            yield
        finally:
            self._turn.release()

    @asynccontextmanager
    async def aturn(self, end: float) -> AsyncGenerator[None]:
        """Wait for the turn of a task of the running event loop."""
        lock = self._turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        timeout = None if end == math.inf else max(0.0, end - time.monotonic())
        async with asyncio.timeout(timeout):
            await lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def book(self, charge: Charge, longest: float | None) -> float:
        """Count a request with the debts so far, and return the seconds to wait.

        Args:
            charge: The charge of the request.
            longest: The most seconds to wait; where the result is more, nothing was
                counted.
        """
        from modelstudio_core.limit_stores import Cost, book  # noqa: PLC0415 - optional

        with self._lock:
            owed, self._owed = self._owed, _Amount()
        amounts = ((1, owed.requests), (charge.tokens, owed.tokens))
        costs = [
            Cost(rate, min(units, rate.burst), debt)
            for rate, (units, debt) in zip(self._rates, amounts, strict=True)
            if rate is not None
        ]
        try:
            wait = book(self.store, costs, longest)
        except BaseException:
            self.owe(owed.requests, owed.tokens)
            raise
        if longest is not None and wait > longest:
            self.owe(owed.requests, owed.tokens)
        else:
            rate = self._rates[-1]
            charge.count(min(charge.tokens, rate.burst) if rate else 0)
        return wait

    def owe(self, requests: int = 0, tokens: int = 0) -> None:
        """Settle a difference with the next request.

        Args:
            requests: The requests to count in addition; negative for less.
            tokens: The tokens to count in addition; negative for less.
        """
        with self._lock:
            self._owed.requests += requests
            self._owed.tokens += tokens

    def log_wait(self, name: str, seconds: float) -> None:
        """Log that a request waits: at most one INFO record a minute."""
        now = time.monotonic()
        level = logging.DEBUG
        if now >= self._log_at:
            self._log_at, level = now + _LOG_SECONDS, logging.INFO
        _logger.log(level, "the rate limit %s is reached: wait %.1f s", name, seconds)


async def call_in_thread(
    function: Callable[[], _Value], undo: Callable[[], None]
) -> _Value:
    """Call a function in a thread.

    Args:
        function: The function, which cannot be cancelled.
        undo: Called when the function has ended although its task was cancelled.
    """
    task = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        task.add_done_callback(lambda _: undo())
        raise
