"""When a task is queried while a call waits for it.

The service answers 20 queries a second for an account (Manage asynchronous tasks,
2026-03-15). One budget is shared by all calls of the process with one endpoint and key.
"""

import logging
import os
import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from modelstudio_core.api_keys import ApiKeyFunction
from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    ConfigurationError,
)
from modelstudio_core.tasks.explain import explain
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.deadlines import Deadline
from modelstudio_core.transport.pace import PacedGate

__all__ = ["Wait", "progress_bar", "query_gate"]

_QUERIES_PER_SECOND: Final = 20
_MAX_GATES: Final = 256
# How long the queries may fail, one after the other, before the wait ends.
_MAX_FAILING: Final = 300.0
_MAX_QUERY_SECONDS: Final = 60.0
_MIN_QUERY_SECONDS: Final = 1.0
_GROWTH: Final = 1.5
_JITTER: Final = 0.2
_logger: Final = logging.getLogger("modelstudio")
_gates: Final[dict[tuple[str, str | ApiKeyFunction, int], PacedGate]] = {}


def query_gate(connection: Connection) -> PacedGate:
    """Return the gate for queries, lists and cancellations with one key.

    Args:
        connection: How to reach the service.
    """
    key = (connection.endpoint.dashscope_base_url, connection.quota_holder, os.getpid())
    gate = _gates.get(key)
    if gate is None:
        # Atomic, unlike a lock, which a forked process might inherit locked.
        gate = _gates.setdefault(key, PacedGate(_QUERIES_PER_SECOND))
        while len(_gates) > _MAX_GATES:
            _gates.pop(next(iter(_gates)), None)
    return gate


class Wait:
    """The times at which a waiting call queries a task."""

    def __init__(
        self,
        seconds: float,
        pace: tuple[float, float],
        poll_interval: float | None,
        rested: float,
    ) -> None:
        """Start the time limit.

        Args:
            seconds: How long the call may wait.
            pace: The seconds before the first query, and the most between two.
            poll_interval: A fixed number of seconds between two queries; None for the
                pace of the model.
            rested: How many seconds ago the task was seen.
        """
        now = time.monotonic()
        self.seconds = seconds
        self._ends = now + seconds
        self._answered = now
        self._is_fixed = poll_interval is not None
        first, self._longest = pace
        self._interval = first if poll_interval is None else poll_interval
        self._rested = rested
        self._queries = 0

    @property
    def is_over(self) -> bool:
        """Whether the time is over. One query is made in any case."""
        return self._queries > 0 and time.monotonic() >= self._ends

    def begin_query(self) -> Deadline:
        """Return the deadline of a query, with its retries."""
        self._queries += 1
        left = self._ends - time.monotonic()
        return Deadline(min(_MAX_QUERY_SECONDS, max(left, _MIN_QUERY_SECONDS)))

    def pause(self) -> float:
        """Return the seconds until the next query, never past the end."""
        interval = self._interval
        if not self._is_fixed:
            self._interval = min(interval * _GROWTH, self._longest)
            interval *= random.uniform(1.0, 1.0 + _JITTER)  # noqa: S311 - not a secret
        rested, self._rested = self._rested, 0.0
        return max(0.0, min(interval - rested, self._ends - time.monotonic()))

    def count_answer(self) -> None:
        """Note that a query was answered."""
        self._answered = time.monotonic()

    def count_failure(self, error: APIError, task_id: str) -> None:
        """Note that a query failed, which says nothing about the task.

        Args:
            error: The error of the query, after its retries.
            task_id: The id of the task.

        Raises:
            APIError: The error, if a later query would fail too.
        """
        is_temporary = error.is_retryable or isinstance(error, APIConnectionError)
        failing = time.monotonic() - self._answered
        if not is_temporary or failing > _MAX_FAILING:
            explain(
                error,
                f"This was a query of task {task_id}, which goes on: it can be queried"
                " again.",
            )
            raise error
        self._interval = max(self._interval, error.retry_after or 0.0)
        _logger.info(
            "A query of task %s failed (%s); the task goes on",
            task_id,
            type(error).__name__,
        )

    def describe(self, task_id: str, status: str) -> str:
        """Return what to say about a task that is not done in time.

        Args:
            task_id: The id of the task.
            status: Its last status.
        """
        return (
            f"Task {task_id} was {status} after {self.seconds:g} s. It goes on, and is"
            " paid for when it is done: call result() again, now or later from"
            " Task.from_dict()."
        )


@contextmanager
def progress_bar(
    name: str, *, is_shown: bool
) -> Generator[Callable[[str, int, int], None]]:
    """Show the status of a task while the block runs.

    Args:
        name: What is shown before the status.
        is_shown: Whether anything is shown.

    Yields:
        A function that shows a status, and how many parts of how many are done.

    Raises:
        ConfigurationError: tqdm is not installed.
    """
    if not is_shown:
        yield lambda _status, _done, _total: None
        return
    try:
        tqdm = import_module("tqdm.auto").tqdm
    except ModuleNotFoundError:
        raise ConfigurationError(
            "progress=True needs tqdm: pip install tqdm."
        ) from None
    bar: Any = tqdm(desc=name, unit="file")

    def show(status: str, done: int, total: int) -> None:
        bar.total = total or None
        bar.n = done
        bar.set_postfix_str(status)

    with bar:
        yield show
