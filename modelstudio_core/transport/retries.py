"""Retries of failed requests. Tenacity is imported at the first failure."""

import logging
import random
import re
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    ModelStudioError,
    RateLimitError,
)
from modelstudio_core.transport.gate import Gate
from modelstudio_core.transport.requests import HttpRequest

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["aretry", "retry"]

_T = TypeVar("_T")
# With a longer Retry-After the error is raised at once.
_MAX_WAIT: Final = 60.0
# The random addition to a Retry-After, so that not all callers retry at once.
_SPREAD: Final = 0.25
# What a code or an id looks like.
_CODE: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
_logger: Final = logging.getLogger("modelstudio")


def retry(
    once: Callable[[int], _T],
    max_retries: int,
    request: HttpRequest,
    gate: Gate | None = None,
) -> _T:
    """Call a function, and call it again after an error that may be temporary.

    Args:
        once: The function: one attempt. Its argument is the number of the attempt.
        max_retries: How often it is called again at most.
        request: The request of the attempts, which may not be repeatable.
        gate: The gate that is closed while a request waits after a 429.

    Returns:
        The result of the first successful attempt.

    Raises:
        ModelStudioError: The error of the last attempt.
    """
    try:
        return once(1)
    except ModelStudioError as error:
        if not (max_retries and _may_repeat(error, request)):
            raise
        first_error = [error]

    numbers = count(2)

    def attempt() -> _T:
        if first_error:
            raise first_error.pop()
        return once(next(numbers))

    from tenacity import Retrying  # noqa: PLC0415 - most programs never need it

    return Retrying(**_policy(max_retries, request, gate))(attempt)


async def aretry(
    once: Callable[[int], Awaitable[_T]],
    max_retries: int,
    request: HttpRequest,
    gate: Gate | None = None,
) -> _T:
    """Async version of ``retry``."""
    try:
        return await once(1)
    except ModelStudioError as error:
        if not (max_retries and _may_repeat(error, request)):
            raise
        first_error = [error]

    numbers = count(2)

    async def attempt() -> _T:
        if first_error:
            raise first_error.pop()
        return await once(next(numbers))

    from tenacity import AsyncRetrying  # noqa: PLC0415 - most programs never need it

    retrying = AsyncRetrying(**_policy(max_retries, request, gate))
    return cast("_T", await retrying(attempt))


def _policy(
    max_retries: int, request: HttpRequest, gate: Gate | None
) -> dict[str, Any]:
    from tenacity import retry_if_exception, stop_after_attempt, stop_any  # noqa: PLC0415

    last: Any = stop_after_attempt(max_retries + 1)
    late: Any = partial(_has_no_time, request)
    return {
        "stop": stop_any(last, late) if request.deadline else last,
        "wait": _wait,
        "retry": retry_if_exception(partial(_may_repeat, request=request)),
        "before_sleep": partial(_before_sleep, max_retries, request, gate),
        "reraise": True,
    }


def _has_no_time(request: HttpRequest, state: "RetryCallState") -> bool:
    """Raise the error of the deadline if it ends before the next attempt."""
    error = state.outcome.exception() if state.outcome else None
    deadline = request.deadline
    if (
        deadline is not None
        and isinstance(error, APIError)
        and state.upcoming_sleep >= deadline.remaining
    ):
        reason = f"No time is left to try again after {_describe(error)}."
        late = deadline.error(error, reason)
        if not request.repeatable and _nothing_created(error):
            late.was_sent = False
        raise late from error
    return False


def _may_repeat(error: BaseException, request: HttpRequest) -> bool:
    """Return whether a request may be sent again after an error."""
    if not isinstance(error, ModelStudioError) or not error.is_retryable:
        return False
    if (error.retry_after or 0.0) > _MAX_WAIT:
        return False
    return request.repeatable or _nothing_created(error)


def _nothing_created(error: ModelStudioError) -> bool:
    """Return whether it is certain that a failed request created nothing."""
    if isinstance(error, APIConnectionError):
        return not error.was_sent
    return isinstance(error, RateLimitError)


def _before_sleep(
    max_retries: int,
    request: HttpRequest,
    gate: Gate | None,
    state: "RetryCallState",
) -> None:
    """Log a retry, without the message of the service, which may quote the prompt."""
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    if gate is not None and isinstance(error, RateLimitError):
        gate.pause(wait)
    _logger.info(
        "%s %s failed (%s); retry %d of %d in %.1f s",
        request.method,
        request.path or "to another host",
        _describe(error),
        state.attempt_number,
        max_retries,
        wait,
    )


def _describe(error: BaseException | None) -> str:
    """Return the class, status, code and request id; a code that is text is not one."""
    values = {
        "status": getattr(error, "status_code", None),
        "code": getattr(error, "code", None),
        "request id": getattr(error, "request_id", None),
    }
    facts = [f"{k} {v}" for k, v in values.items() if _CODE.fullmatch(str(v or ""))]
    return (
        f"{type(error).__name__}: {', '.join(facts)}"
        if facts
        else (type(error).__name__)
    )


def _wait(state: "RetryCallState") -> float:
    """Return the seconds to wait: as the service asks, else exponential backoff."""
    error = state.outcome.exception() if state.outcome else None
    seconds: float | None = getattr(error, "retry_after", None)
    if not seconds:
        return _back_off(state)
    return seconds * random.uniform(1.0, 1.0 + _SPREAD)  # noqa: S311 - not a secret


def _back_off(state: "RetryCallState") -> float:
    """Return the wait of both SDKs: 0.5 to 8 s, and up to 0.5 s at random."""
    from tenacity import wait_exponential, wait_random  # noqa: PLC0415

    exponential = wait_exponential(multiplier=0.5, max=8.0)
    return exponential(state) + wait_random(0, 0.5)(state)
