"""What a process counts for a rate limit, and settles later."""

import asyncio
import logging
import math
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
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
# No answer uses as many. Such a number would stop all requests that share the limit.
_MAX_TOKENS: Final = 2**24
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

    __slots__ = (
        "_is_returned",
        "_is_settled",
        "_path",
        "_state",
        "is_counted",
        "tokens",
    )

    def __init__(self, state: "LimitState", path: str, tokens: int) -> None:
        """Create the charge of a request that is not counted yet.

        Args:
            state: The state of the limit.
            path: The path of the request.
            tokens: The estimate of its tokens.
        """
        self._state = state
        self._path = path
        self.is_counted = self._is_settled = self._is_returned = False
        self.tokens = tokens

    def count(self, tokens: int) -> None:
        """Mark the request as counted; if it was given back before, return it now.

        Args:
            tokens: The tokens that were taken: at most those of the bucket.
        """
        self.tokens = tokens
        self.is_counted = True
        if self._is_returned:
            self.give_back()

    def settle(self, used: Mapping[str, int] | None) -> None:
        """Count what an answer used instead of the estimate.

        Args:
            used: Its ``input_tokens``, ``output_tokens`` and ``total_tokens``, or those
                of them that it has; None if it has none. Numbers that no answer can
                have count as none.
        """
        if used and max(map(abs, used.values())) <= _MAX_TOKENS and self._close():
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
        """Count neither the request nor its tokens: it was not sent.

        A thread may be counting it meanwhile: then it is returned after that.
        """
        self._is_returned = True
        if self.is_counted and self._close():
            self._state.owe(requests=-1, tokens=-self.tokens)

    def _close(self) -> bool:
        """Mark the charge as settled. Return whether it was not yet.

        A charge of the parent process is settled there: a thread that does not exist
        here may have held the lock.
        """
        if not self._state.is_own:
            return False
        with self._state.lock:
            was_open = not self._is_settled
            self._is_settled = True
        return was_open


class LimitState:
    """What a process knows of a limit: its store, debts and estimates."""

    def __init__(self, store: "StateStore", rates: "list[Rate | None]") -> None:
        # It loads ctypes, which takes time, and is needed where imports have ended.
        from modelstudio_core.inherited import keep  # noqa: PLC0415 - see above

        self._keep = keep
        self.store = store
        self.estimator = Estimator()
        self.lock = threading.Lock()
        self._pid = os.getpid()
        self._rates = rates
        self._owed = _Amount()
        self._turn = threading.Lock()
        self._turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = (
            WeakKeyDictionary()
        )
        self._log_at = -math.inf

    def __del__(self) -> None:
        """Leave the store of a parent process alone: its lock may be held for ever."""
        with suppress(Exception):
            if not self.is_own:
                self._keep(self.store)

    @property
    def is_own(self) -> bool:
        """Whether this process created it, and not a parent process."""
        return self._pid == os.getpid()

    # Requests of a process book one after the other, so that what an answer settles
    # reaches the next one, and not one that waits far ahead. Threads and each event
    # loop have turns of their own: a blocked loop must not keep a thread waiting.

    def in_turn(self, end: float, action: Callable[[], None]) -> None:
        """Wait for the turn of a thread, and do something in it.

        Args:
            end: Until when to wait, by ``time.monotonic``.
            action: What to do.

        Raises:
            TimeoutError: The turn does not come until then.
        """
        timeout = -1.0 if end == math.inf else max(0.0, end - time.monotonic())
        taken: list[bool] = []
        try:
            # In one step of the interpreter: an interrupt is raised between two, and
            # would leave the lock held if it came before its result was stored.
            taken.extend(map(self._turn.acquire, (True,), (timeout,)))
            if False in taken:
                raise TimeoutError
            action()
        finally:
            if True in taken:
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

        owed = _Amount()
        try:
            with self.lock:
                owed, self._owed = self._owed, owed
            amounts = ((1, owed.requests), (charge.tokens, owed.tokens))
            costs = [
                Cost(rate, min(units, rate.burst), debt)
                for rate, (units, debt) in zip(self._rates, amounts, strict=True)
                if rate is not None
            ]
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
        with self.lock:
            self._owed.requests += requests
            self._owed.tokens += tokens

    def log_wait(self, name: str, seconds: float) -> None:
        """Log that a request waits: at most one INFO record a minute."""
        now = time.monotonic()
        level = logging.DEBUG
        if now >= self._log_at:
            self._log_at, level = now + _LOG_SECONDS, logging.INFO
        _logger.log(level, "the rate limit %s is reached: wait %.1f s", name, seconds)


async def call_in_thread(function: Callable[[], _Value]) -> _Value:
    """Call a function in a thread. It goes on if the task is cancelled.

    Args:
        function: The function.
    """
    task = asyncio.ensure_future(asyncio.to_thread(function))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        raise
