"""The times of the service, as texts and in seconds."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from modelstudio_core.wire.times import is_near, moment_of, read_time, write_time

BEIJING = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        *((year, False) for year in (1, 1969, 3000, 9999)),
        *((year, True) for year in (1970, 2026, 2999)),
    ],
)
def test_a_time_that_is_centuries_away_is_none(year: int, expected: bool) -> None:
    time = datetime(year, 6, 1, tzinfo=BEIJING)
    assert is_near(time) is expected
    assert (read_time(f"{year:04}-06-01 00:00:00") == time) is expected
    assert (read_time(f"{year:04}-06-01T00:00:00Z") is not None) is expected
    seconds = (time - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    assert (moment_of(seconds) == time) is expected


@pytest.mark.parametrize(
    "seconds", [math.inf, -math.inf, math.nan, 1e300, -1e300, 10**400, 1e17]
)
def test_seconds_that_are_no_time(seconds: float) -> None:
    assert moment_of(seconds) is None


@pytest.mark.parametrize("seconds", [0, 1776414394, 1776414394.5])
def test_seconds_are_those_since_1970(seconds: float) -> None:
    time = moment_of(seconds)
    assert time is not None
    assert time == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert time.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2024-03-01 17:38:55", datetime(2024, 3, 1, 17, 38, 55, tzinfo=BEIJING)),
        (
            "2024-03-01 17:38:55.565",
            datetime(2024, 3, 1, 17, 38, 55, 565000, tzinfo=BEIJING),
        ),
        ("2024-03-01T09:38:55Z", datetime(2024, 3, 1, 9, 38, 55, tzinfo=UTC)),
        ("2024-03-01T09:38:55+00:00", datetime(2024, 3, 1, 9, 38, 55, tzinfo=UTC)),
    ],
)
def test_a_text_without_a_zone_is_a_time_of_beijing(text: str, time: datetime) -> None:
    read = read_time(text)
    assert read is not None
    assert read == time
    assert read.utcoffset() == time.utcoffset()


@pytest.mark.parametrize("value", [None, "", "soon", 5, 1776414394, [], "2024-13-01"])
def test_what_is_no_time_is_none(value: object) -> None:
    assert read_time(value) is None


def test_a_time_is_written_as_that_of_beijing() -> None:
    assert write_time(datetime(2026, 4, 17, 23, 5, 4, tzinfo=UTC)) == "20260418070504"
    assert write_time(datetime(2026, 4, 17, 23, 5, 4, tzinfo=BEIJING)) == (
        "20260417230504"
    )
