"""Retries: which errors, how often, and for how long a request may wait."""

from collections.abc import Sequence

import pytest

from modelstudio_core.errors import (
    APIConnectionError,
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    ModelStudioError,
    RateLimitError,
)
from modelstudio_core.transport.gate import Gate
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.retries import aretry, retry
from tests.core.transport.support import SYNC_AND_ASYNC, call
from tests.support.internals import record_waits, use_wait

BUSY = InternalServerError("busy", status_code=503, is_retryable=True)
LIMITED = RateLimitError("slow down", status_code=429, is_retryable=True)
UNREACHED = APIConnectionError("x", was_sent=False, is_retryable=True)
LOST = APIConnectionError("x", was_sent=True, is_retryable=True)
REFUSED = BadRequestError("x", status_code=400, is_retryable=False)
ANY = HttpRequest(path="/list")
PAID = HttpRequest(path="/create", repeatable=False)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect the waits, without waiting."""
    return record_waits(monkeypatch)


async def attempts_of(
    errors: Sequence[Exception],
    request: HttpRequest = ANY,
    *,
    max_retries: int = 2,
    gate: Gate | None = None,
    is_async: bool,
) -> list[int]:
    """Make attempts that fail with errors in turn; return the numbers of them.

    An error that is not repeated is raised after them.
    """
    attempts: list[int] = []

    def once(attempt: int) -> list[int]:
        attempts.append(attempt)
        if len(attempts) <= len(errors):
            raise errors[len(attempts) - 1]
        return attempts

    async def aonce(attempt: int) -> list[int]:
        return once(attempt)

    try:
        return await call(
            is_async,
            lambda: retry(once, max_retries, request, gate),
            lambda: aretry(aonce, max_retries, request, gate),
        )
    except ModelStudioError as error:
        raised = [error, error.__cause__]
        assert errors[len(attempts) - 1] in raised
        raise


@SYNC_AND_ASYNC
@pytest.mark.parametrize("max_retries", [0, 1, 3])
async def test_a_request_is_sent_once_and_max_retries_times_again(
    is_async: bool, max_retries: int
) -> None:
    most = [BUSY] * max_retries
    attempts = await attempts_of(most, max_retries=max_retries, is_async=is_async)
    assert attempts == [*range(1, max_retries + 2)]
    with pytest.raises(InternalServerError):
        await attempts_of([*most, BUSY], max_retries=max_retries, is_async=is_async)


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    ("error", "request_", "is_repeated"),
    [
        (BUSY, ANY, True),
        (LIMITED, ANY, True),
        (LOST, ANY, True),
        (REFUSED, ANY, False),
        (ConfigurationError("x"), ANY, False),
        (ValueError("x"), ANY, False),
        (BUSY, PAID, False),
        (LOST, PAID, False),
        (APITimeoutError("x", is_retryable=True), PAID, False),
        (LIMITED, PAID, True),
        (UNREACHED, PAID, True),
    ],
)
async def test_what_may_succeed_and_costs_nothing_twice_is_repeated(
    is_async: bool, error: Exception, request_: HttpRequest, is_repeated: bool
) -> None:
    """As the first error, and as one that follows."""
    if is_repeated:
        assert await attempts_of([error], request_, is_async=is_async) == [1, 2]
        return
    for errors in ([error], [LIMITED, error]):
        with pytest.raises(type(error)):
            await attempts_of(errors, request_, is_async=is_async)


@SYNC_AND_ASYNC
async def test_a_wait_of_more_than_a_minute_is_left_to_the_caller(
    is_async: bool, waits: list[float]
) -> None:
    def limited(seconds: float) -> ModelStudioError:
        return RateLimitError(
            "slow down", status_code=429, is_retryable=True, retry_after=seconds
        )

    assert await attempts_of([limited(60.0)], is_async=is_async) == [1, 2]
    (wait,) = waits
    assert 60 <= wait <= 75
    with pytest.raises(RateLimitError):
        await attempts_of([limited(60.5)], is_async=is_async)
    assert len(waits) == 1


@SYNC_AND_ASYNC
async def test_no_wish_is_no_wait_of_zero(is_async: bool, waits: list[float]) -> None:
    """A service that asks for no time is not asked again at once."""
    now = InternalServerError("x", status_code=503, is_retryable=True, retry_after=0.0)
    assert await attempts_of([now, BUSY], is_async=is_async) == [1, 2, 3]
    assert 0.5 <= waits[0] <= 1.0
    assert 1.0 <= waits[1] <= 1.5


class Pauses(Gate):
    """Records its pauses."""

    def __init__(self) -> None:
        super().__init__(1)
        self.seconds: list[float] = []

    def pause(self, seconds: float) -> None:  # pyright: ignore[reportImplicitOverride] - of a test
        self.seconds.append(seconds)


@SYNC_AND_ASYNC
@pytest.mark.parametrize(("error", "pauses"), [(LIMITED, 1), (BUSY, 0)])
async def test_all_requests_wait_after_a_429(
    is_async: bool, error: Exception, pauses: int
) -> None:
    gate = Pauses()
    await attempts_of([error], gate=gate, is_async=is_async)
    assert len(gate.seconds) == pauses


@SYNC_AND_ASYNC
@pytest.mark.parametrize(
    ("error", "request_", "was_sent"),
    [
        (BUSY, ANY, True),
        (LOST, ANY, True),
        (LIMITED, ANY, True),
        (UNREACHED, ANY, False),
        (UNREACHED, PAID, False),
        # A service that had too many requests has created nothing.
        (LIMITED, PAID, False),
    ],
)
async def test_a_retry_that_would_be_too_late_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
    is_async: bool,
    error: ModelStudioError,
    request_: HttpRequest,
    was_sent: bool,
) -> None:
    use_wait(monkeypatch, 30.0)
    with pytest.raises(APITimeoutError) as caught:
        await attempts_of([error], request_.started(20.0), is_async=is_async)
    assert caught.value.message.startswith(
        "The answer was not complete within total_timeout=20 s. No time is left to try"
        f" again after {type(error).__name__}"
    )
    assert caught.value.__cause__ is error
    assert caught.value.was_sent is was_sent
    use_wait(monkeypatch, 0.0)
    attempts = await attempts_of([error], request_.started(20.0), is_async=is_async)
    assert attempts == [1, 2]
