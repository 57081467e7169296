"""The time limit of a whole answer: what is left of it, and its error."""

import time

import pytest

from modelstudio_core.errors import APIConnectionError, APIError, InvalidResponseError
from modelstudio_core.transport.deadlines import Deadline


def test_what_is_left_is_never_zero() -> None:
    """Zero would be no time limit at all."""
    begin = time.monotonic()
    deadline = Deadline(60.0)
    assert begin + 60 <= deadline.at <= time.monotonic() + 60
    assert 50 < deadline.remaining <= 60
    assert not deadline.has_passed
    over = Deadline(0.0)
    assert over.has_passed
    assert 0 < over.remaining < 0.01


def test_another_limit_holds_if_it_is_shorter() -> None:
    deadline = Deadline(60.0)
    assert deadline.limit(2.0) == 2.0
    assert 50 < deadline.limit(90.0) <= 60
    assert 50 < deadline.limit(None) <= 60


@pytest.mark.parametrize(
    ("error", "was_sent"),
    [
        (APIConnectionError("x", was_sent=False), False),
        (APIConnectionError("x", was_sent=True), True),
        # Where there was an answer, the request was sent.
        (InvalidResponseError("x"), True),
    ],
)
def test_its_error_keeps_what_is_known_of_the_request(
    error: APIError, was_sent: bool
) -> None:
    error.request_id, error.region, error.protocol = "r-1", "us-east-1", "dashscope"
    late = Deadline(2.5).error(error)
    assert late.message == (
        "The answer was not complete within total_timeout=2.5 s."
        " Raise total_timeout= for slow answers."
    )
    facts = (late.request_id, late.region, late.protocol)
    assert facts == ("r-1", "us-east-1", "dashscope")
    assert (late.was_sent, late.is_retryable) == (was_sent, False)


def test_its_error_says_what_else_happened() -> None:
    late = Deadline(3).error(APIConnectionError("x"), "It had to wait.")
    assert late.message == (
        "The answer was not complete within total_timeout=3 s. It had to wait."
    )
