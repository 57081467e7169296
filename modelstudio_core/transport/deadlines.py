"""The time limit for a whole answer: retries, waits and streams included."""

import time
from typing import Final

from modelstudio_core.errors import APIConnectionError, APIError, APITimeoutError

__all__ = ["Deadline"]

_NO_TIME: Final = 0.001


class Deadline:
    """When an answer must be complete, from ``total_timeout`` of its call.

    Attributes:
        seconds: The time limit that was set.
        at: When it ends, by ``time.monotonic``.

    Example:
        >>> Deadline(60.0).has_passed
        False
    """

    __slots__ = ("at", "seconds")

    def __init__(self, seconds: float) -> None:
        """Start the time limit.

        Args:
            seconds: How long the answer may take from now on.
        """
        self.seconds = seconds
        self.at = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """The seconds that are left; never zero, which would be no timeout at all."""
        return max(_NO_TIME, self.at - time.monotonic())

    @property
    def has_passed(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.at

    def limit(self, seconds: float | None) -> float:
        """Return another time limit, or what is left if that is less.

        Args:
            seconds: The other limit; None for none.
        """
        return self.remaining if seconds is None else min(seconds, self.remaining)

    def error(self, error: APIError, reason: str = "") -> APITimeoutError:
        """Return the error for an answer that is not complete in time.

        Args:
            error: The error that was raised instead, or that a retry was to follow.
            reason: What else happened.
        """
        return APITimeoutError(
            f"The answer was not complete within total_timeout={self.seconds:g} s."
            f" {reason or 'Raise total_timeout= for slow answers.'}",
            request_id=error.request_id,
            region=error.region,
            protocol=error.protocol,
            is_retryable=False,
            was_sent=error.was_sent if isinstance(error, APIConnectionError) else True,
        )
