"""What was seen of a task: whether it ended, and how long ago."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.tasks.answers import Observation, parse_task
from modelstudio_core.tasks.status import TaskStatus, check_status, unseen
from modelstudio_core.transport.fetch import JsonAnswer
from tests.core.support import CONTEXT
from tests.support.tasks import stop_clock

LOST = (
    "Task t-1 is not known at a.com: it is older than 24 hours, or it was created at"
    " another endpoint or by another account."
)
ENDS = ("SUCCEEDED", "FAILED", "CANCELED")


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    return stop_clock(monkeypatch, "status")


def seen(status: str, **output: Any) -> Observation:
    facts = {"task_id": "t-1", "task_status": status, **output}
    # As it comes: no string of an answer is one of the core's own.
    body = json.loads(json.dumps({"output": facts}))
    return parse_task(JsonAnswer(body, None, {}), CONTEXT)


@pytest.mark.parametrize(
    "status",
    [*ENDS, "PENDING", "RUNNING", "SUSPENDED", "UNKNOWN"],
)
def test_a_status_is_written_as_the_service_writes_it(status: str) -> None:
    for written in (status, status.lower(), status.title()):
        assert check_status(written) == status


@pytest.mark.parametrize("status", ["", "DONE", "pending ", None, 3, "x" * 1000])
def test_a_thing_that_is_no_status_is_refused(status: object) -> None:
    with pytest.raises(
        ConfigurationError, match="status must be one of PENDING, "
    ) as caught:
        check_status(status)
    assert len(caught.value.message) < 250


def test_the_time_since_a_task_was_seen(advance: Callable[[float], None]) -> None:
    task = TaskStatus(seen("PENDING"), None)
    assert task.rested == 0.0
    advance(2.5)
    assert task.rested == 2.5
    task.observe(seen("RUNNING"))
    assert task.rested == 0.0
    advance(40.0)
    assert task.rested == 40.0


def test_a_task_that_was_not_queried_was_seen_never() -> None:
    assert TaskStatus(unseen("t-1", "PENDING"), None).rested == math.inf


@pytest.mark.parametrize(
    ("status", "is_done"),
    [
        *((status, True) for status in ENDS),
        *(
            (status, False)
            for status in ("PENDING", "RUNNING", "SUSPENDED", "NEW", "WAITING")
        ),
    ],
)
def test_a_task_has_ended(status: str, *, is_done: bool) -> None:
    task = TaskStatus(seen(status), None)
    assert (task.is_done, task.is_explained) == (is_done, is_done)
    # Another process saw it: why it ended must still be queried.
    task = TaskStatus(unseen("t-1", status), None)
    assert (task.is_done, task.is_explained) == (is_done, False)


@pytest.mark.parametrize(
    ("waits", "is_done"),
    [
        ((0.0,), False),
        ((0.0, 30.0), False),
        ((0.0, 3600.0), False),
        ((0.0, 15.0, 14.0), False),
        ((0.0, 15.0, 15.0), True),
        ((0.0, 1.0, 30.0), True),
        ((0.0, *[1.0] * 29), False),
        ((0.0, *[1.0] * 30), True),
    ],
    ids=str,
)
def test_unknown_counts_after_three_answers_over_30_seconds(
    waits: tuple[float, ...], advance: Callable[[float], None], *, is_done: bool
) -> None:
    task = TaskStatus(seen("PENDING"), None)
    for seconds in waits:
        advance(seconds)
        task.observe(seen("UNKNOWN"))
    assert (task.is_done, task.is_explained) == (is_done, is_done)


def test_a_task_that_is_known_again_is_counted_anew(
    advance: Callable[[float], None],
) -> None:
    task = TaskStatus(unseen("t-1", "UNKNOWN"), None)
    assert not task.is_done
    for known in ("RUNNING", "WAITING"):
        for status in ("UNKNOWN", "UNKNOWN", known, "UNKNOWN", "UNKNOWN"):
            task.observe(seen(status))
            advance(20.0)
            assert not task.is_done
        task.observe(seen("UNKNOWN"))
        assert task.is_done
        task.observe(seen(known))
        assert not task.is_done


@pytest.mark.parametrize(
    ("age", "is_done"),
    [
        (timedelta(hours=24, seconds=1), True),
        (timedelta(hours=23, minutes=59), False),
        (None, False),
    ],
    ids=str,
)
def test_unknown_is_the_end_of_a_task_older_than_24_hours(
    age: timedelta | None, *, is_done: bool
) -> None:
    created = None if age is None else datetime.now(UTC) - age
    task = TaskStatus(unseen("t-1", "UNKNOWN"), created)
    assert not task.is_done
    task.observe(seen("UNKNOWN"))
    assert task.is_done == is_done
    task.observe(seen("RUNNING"))
    assert not task.is_done


@pytest.mark.parametrize(
    ("hours", "left"), [(None, 24), (0, 24), (1, 23), (24, 0), (25, 0), (1000, 0)]
)
def test_the_rest_of_the_24_hours_of_a_task(hours: float | None, left: float) -> None:
    created = None if hours is None else datetime.now(UTC) - timedelta(hours=hours)
    seconds = TaskStatus(seen("PENDING"), created).life_left
    assert seconds >= 0
    assert seconds == pytest.approx(left * 3600, abs=60)


@pytest.mark.parametrize(
    ("metrics", "counts"),
    [
        (None, (0, 0)),
        ({}, (0, 0)),
        ({"TOTAL": 4}, (0, 4)),
        ({"TOTAL": 4, "SUCCEEDED": 2}, (2, 4)),
        ({"TOTAL": 4, "FAILED": 1}, (1, 4)),
        ({"TOTAL": 4, "SUCCEEDED": 2, "FAILED": 1}, (3, 4)),
        ({"TOTAL": 4, "SUCCEEDED": 3, "FAILED": 1}, (4, 4)),
    ],
    ids=str,
)
def test_what_failed_is_done_too(
    metrics: dict[str, int] | None, counts: tuple[int, int]
) -> None:
    assert TaskStatus(seen("RUNNING", task_metrics=metrics), None).counts == counts


@pytest.mark.parametrize(
    ("status", "facts", "message"),
    [
        ("CANCELED", {}, "Task t-1 was canceled."),
        ("FAILED", {"message": "It was refused."}, "Task t-1 failed: It was refused."),
        ("FAILED", {}, "Task t-1 failed: The service does not say why."),
        (
            "UNKNOWN",
            {},
            LOST,
        ),
    ],
)
def test_an_end_without_a_result_is_described(
    status: str, facts: dict[str, str], message: str
) -> None:
    assert TaskStatus(seen(status, **facts), None).describe_end("a.com") == message
