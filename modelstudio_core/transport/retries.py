"""The one retry layer, over both SDKs; tenacity is loaded by the first failure."""

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from modelstudio_core.errors import ModelStudioError

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["aretry", "retry"]

_T = TypeVar("_T")
# The longest that a server's Retry-After is waited for.
_LONGEST_WAIT: Final = 60.0
# So much longer than asked for, at most: those who were told the same come apart.
_SPREAD: Final = 0.25


def retry(once: Callable[[], _T], max_retries: int) -> _T:
    """Call a function until it succeeds, fails for good, or was tried often enough.

    Args:
        once: One attempt.
        max_retries: How often it is called again, at most.

    Raises:
        ModelStudioError: That of the last attempt.
    """
    try:
        return once()
    except ModelStudioError as error:
        if not (max_retries and _is_retryable(error)):
            raise
        failed = [error]

    def again() -> _T:
        if failed:
            raise failed.pop()
        return once()

    from tenacity import Retrying  # noqa: PLC0415 - most programs never need it

    return Retrying(**_policy(max_retries))(again)


async def aretry(once: Callable[[], Awaitable[_T]], max_retries: int) -> _T:
    """Do as ``attempt``."""
    try:
        return await once()
    except ModelStudioError as error:
        if not (max_retries and _is_retryable(error)):
            raise
        failed = [error]

    async def again() -> _T:
        if failed:
            raise failed.pop()
        return await once()

    from tenacity import AsyncRetrying  # noqa: PLC0415 - most programs never need it

    return cast("_T", await AsyncRetrying(**_policy(max_retries))(again))


def _policy(max_retries: int) -> dict[str, Any]:
    from tenacity import retry_if_exception, stop_after_attempt  # noqa: PLC0415

    return {
        "stop": stop_after_attempt(max_retries + 1),
        "wait": _wait,
        "retry": retry_if_exception(_is_retryable),
        "reraise": True,
    }


def _is_retryable(error: BaseException) -> bool:
    """Tell whether to try again: not before the service's time, and not much later."""
    if not isinstance(error, ModelStudioError):
        return False
    return error.is_retryable and (error.retry_after or 0.0) <= _LONGEST_WAIT


def _wait(state: "RetryCallState") -> float:
    """Wait as long as the service asks, else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    asked: float | None = getattr(error, "retry_after", None)
    if not asked:
        return _back_off(state)
    return asked * random.uniform(1.0, 1.0 + _SPREAD)  # noqa: S311 - not a secret


def _back_off(state: "RetryCallState") -> float:
    """Wait as both SDKs do: from half a second to eight, and a bit of chance."""
    from tenacity import wait_exponential, wait_random  # noqa: PLC0415

    longer = wait_exponential(multiplier=0.5, max=8.0)
    return longer(state) + wait_random(0, 0.5)(state)
