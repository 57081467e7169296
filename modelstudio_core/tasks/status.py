"""What the service answered about a task so far, and whether that is its end."""

import time
from datetime import UTC, datetime
from typing import Final

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.tasks.answers import LIFETIME, Observation, count_files
from modelstudio_core.wire.json_values import object_of

__all__ = ["SUCCEEDED", "UNKNOWN", "TaskStatus", "check_status", "unseen"]

SUCCEEDED: Final = "SUCCEEDED"
UNKNOWN: Final = "UNKNOWN"
_CANCELED: Final = "CANCELED"
_FAILED: Final = "FAILED"
# What the service documents, and SUSPENDED, which the vendor's SDK 1.x knows
# (read 2026-11-27).
_STATUSES: Final = (
    "PENDING",
    "RUNNING",
    "SUSPENDED",
    SUCCEEDED,
    _FAILED,
    _CANCELED,
    UNKNOWN,
)
_DONE: Final = frozenset({SUCCEEDED, _FAILED, _CANCELED})
# A query soon after the creation may be answered by a part of the service that has not
# seen the task yet. So long and so often UNKNOWN is not believed.
_UNKNOWN_SECONDS: Final = 30.0
_UNKNOWN_ANSWERS: Final = 3


def check_status(status: object) -> str:
    """Return a status as the service writes it.

    Args:
        status: A status, in upper or lower case.

    Raises:
        ConfigurationError: It is no status.
    """
    name = status.upper() if isinstance(status, str) else ""
    if name not in _STATUSES:
        raise ConfigurationError(
            f"status must be one of {', '.join(_STATUSES)}, got {status!r:.80}."
        )
    return name


def unseen(task_id: str, status: str) -> Observation:
    """Return what is known of a task that was not queried yet.

    Args:
        task_id: Its id.
        status: The status that another process saw.
    """
    return Observation(
        id=task_id,
        status=status,
        code=None,
        message=None,
        ended_at=None,
        request_id=None,
        body={},
    )


class TaskStatus:
    """The last answer about a task, and how often it was not known.

    Attributes:
        seen: The last answer.
        created_at: When the task was created; None if that is not known.
    """

    def __init__(self, seen: Observation, created_at: datetime | None) -> None:
        """Begin with an answer.

        Args:
            seen: The answer; ``unseen`` if there was none yet.
            created_at: When the task was created.
        """
        self.seen = seen
        self.created_at = created_at
        # A task that was not queried yet is queried at once, a new one after a while.
        self._seen_at = time.monotonic() if seen.body else float("-inf")
        self._unknown_answers = 0
        self._unknown_since = 0.0

    def observe(self, seen: Observation) -> None:
        """Note an answer.

        Args:
            seen: The answer.
        """
        now = time.monotonic()
        if seen.status != UNKNOWN:
            self._unknown_answers = 0
        else:
            if not self._unknown_answers:
                self._unknown_since = now
            self._unknown_answers += 1
        self.seen, self._seen_at = seen, now

    @property
    def rested(self) -> float:
        """How many seconds ago it was seen."""
        return time.monotonic() - self._seen_at

    @property
    def is_done(self) -> bool:
        """Whether the task has ended, or is not known for good."""
        return self.seen.status in _DONE or self._is_lost

    @property
    def is_explained(self) -> bool:
        """Whether the end was seen, with what the service says about it."""
        return self.is_done and bool(self.seen.body)

    @property
    def life_left(self) -> float:
        """The seconds until the service forgets the task."""
        now = datetime.now(UTC)
        age = now - (self.created_at or now)
        return max(0.0, (LIFETIME - age).total_seconds())

    @property
    def counts(self) -> tuple[int, int]:
        """How many of its files are done, and how many there are; 0 if not known."""
        metrics = object_of(object_of(self.seen.body, "output"), "task_metrics")
        done = count_files(metrics, SUCCEEDED) + count_files(metrics, _FAILED)
        return done, count_files(metrics, "TOTAL")

    def describe_end(self, host: str) -> str:
        """Return the message of the error for a task without a result.

        Args:
            host: The host that was queried.
        """
        seen = self.seen
        match seen.status:
            case "CANCELED":
                return f"Task {seen.id} was canceled."
            case "FAILED":
                reason = seen.message or "The service does not say why."
                return f"Task {seen.id} failed: {reason}"
            case _:
                return (
                    f"Task {seen.id} is not known at {host}: it is older than 24 hours,"
                    " or it was created at another endpoint or by another account."
                )

    @property
    def _is_lost(self) -> bool:
        """Whether the service does not know the task, and never will."""
        if not self._unknown_answers:
            return False
        seconds = self._seen_at - self._unknown_since
        is_old = self.created_at is not None and not self.life_left
        return is_old or (
            self._unknown_answers >= _UNKNOWN_ANSWERS and seconds >= _UNKNOWN_SECONDS
        )
