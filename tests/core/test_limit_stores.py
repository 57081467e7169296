"""What a rate limit keeps: the arithmetic, and the stores."""

import json
import math
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pyrate_limiter import InMemoryStateStore, Rate, RedisStateStore, WallClock

from modelstudio_core.limit_stores import (
    Booking,
    Cost,
    SQLiteStateStore,
    book,
    make_rates,
    open_store,
)

# 600 a minute: each takes 0.1 s, and the bucket holds 60 of them.
RATE = Rate(600, 60_000, burst=60)
# 60 a minute: each takes 1 s, and the bucket holds 6.
SLOW = Rate(60, 60_000, burst=6)
SECOND = 1_000_000
NOW = 1000 * SECOND


class Clock(WallClock):
    """A clock that shows one time."""

    def now(self) -> int:
        return NOW // 1000


class Store(InMemoryStateStore):
    """A store in memory whose clock does not go on."""

    default_clock = Clock()


@pytest.mark.parametrize(
    ("limits", "buckets"),
    [
        ([1], [1]),
        ([9], [1]),
        ([10], [1]),
        ([19], [1]),
        ([20], [2]),
        ([10**12], [10**11]),
        ([None], [None]),
        ([100, None], [10, None]),
        ([None, 1000], [None, 100]),
    ],
)
def test_a_bucket_is_a_tenth_of_a_minute(
    limits: list[int | None], buckets: list[int | None]
) -> None:
    rates = make_rates(*limits)
    assert [rate and rate.burst for rate in rates] == buckets
    assert [rate and rate.limit for rate in rates] == limits
    assert {rate.interval for rate in rates if rate} <= {60_000}


@pytest.mark.parametrize(
    ("rate", "units", "owed", "microseconds"),
    [
        (RATE, 1, 0, (0, SECOND // 10, 6 * SECOND)),
        (RATE, 60, 15, (3 * SECOND // 2, 6 * SECOND, 6 * SECOND)),
        (RATE, 0, -1, (-SECOND // 10, 0, 6 * SECOND)),
        # They are rounded up: 60 s / 7 = 8,571,428.57 µs.
        (Rate(7, 60_000, burst=1), 1, 2, (17_142_858, 8_571_429, 8_571_429)),
    ],
)
def test_a_cost_is_the_time_in_which_the_rate_yields_it(
    rate: Rate, units: int, owed: int, microseconds: tuple[int, int, int]
) -> None:
    assert Cost(rate, units, owed).microseconds == microseconds


def step(
    costs: list[Cost], state: tuple[float, ...], longest: float | None = None
) -> tuple[list[float], float, Rate | None]:
    """Book, and return the seconds from now until the buckets are full, and the wait.

    Args:
        costs: What the request costs.
        state: The seconds from now until the buckets are full, before.
        longest: As for ``Booking``.
    """
    rates = [cost.rate for cost in costs]
    before = tuple(NOW + seconds * SECOND for seconds in state)
    after, decision = Booking(costs, longest).step(rates, before, NOW // 1000, 1)
    wait = (decision.retry_after_ms or 0) / 1000
    return [(at - NOW) / SECOND for at in after], wait, decision.failing_rate


@pytest.mark.parametrize(
    ("units", "owed", "before", "after", "wait"),
    [
        # Full for a long time, or just now.
        (1, 0, -500.0, 0.1, 0.0),
        (1, 0, 0.0, 0.1, 0.0),
        (60, 0, 0.0, 6.0, 0.0),
        # The last one of the bucket, and the first one for which it has to fill.
        (1, 0, 5.9, 6.0, 0.0),
        (1, 0, 6.0, 6.1, 0.1),
        (1, 0, 100.0, 100.1, 94.1),
        (30, 0, 3.5, 6.5, 0.5),
        # Debts of earlier requests, and what they did not use.
        (1, 10, 2.0, 3.1, 0.0),
        (1, 50, 2.0, 7.1, 1.1),
        (1, -10, 6.5, 5.6, 0.0),
        (1, -10, 0.5, 0.1, 0.0),
        (0, -10, 6.5, 5.5, 0.0),
        # A bucket that has been full for some time has more than it holds for debts.
        (1, 10, -0.5, 0.6, 0.0),
        (1, 10, -1.0, 0.1, 0.0),
        (1, 10, -2.0, 0.1, 0.0),
    ],
)
def test_a_request_is_booked_ahead(
    units: int, owed: int, before: float, after: float, wait: float
) -> None:
    cost = Cost(RATE, units, owed)
    (found,), waits, slowest = step([cost], (before,))
    assert found == pytest.approx(after)
    assert waits == pytest.approx(wait)
    assert slowest is (RATE if wait else None)


@pytest.mark.parametrize(
    ("before", "after", "wait", "slowest"),
    [
        ((0.0, 0.0), [0.1, 1.0], 0.0, None),
        ((5.9, 5.0), [6.0, 6.0], 0.0, None),
        ((6.0, 0.0), [6.1, 1.0], 0.1, RATE),
        ((0.0, 6.0), [0.1, 7.0], 1.0, SLOW),
        ((7.0, 6.0), [7.1, 7.0], 1.1, RATE),
    ],
)
def test_a_request_waits_for_the_slowest_rate(
    before: tuple[float, ...], after: list[float], wait: float, slowest: Rate | None
) -> None:
    costs = [Cost(RATE, 1, 0), Cost(SLOW, 1, 0)]
    found, waits, failing = step(costs, before)
    assert found == pytest.approx(after)
    assert waits == pytest.approx(wait)
    assert failing is slowest


@pytest.mark.parametrize(
    ("longest", "wait", "is_booked"),
    [
        (None, 10**6, True),
        (0.0, 0, True),
        (0.0, 0.001, False),
        (2.0, 1.999, True),
        (2.0, 2.0, True),
        (2.0, 2.001, False),
        (0.5, 0.4, True),
        (0.5, 0.6, False),
        (1200.0, 1199.0, True),
        (1200.0, 1201.0, False),
    ],
)
def test_what_would_wait_longer_than_it_may_is_not_booked(
    longest: float | None, wait: float, is_booked: bool
) -> None:
    before = 5.9 + wait
    (after,), waits, _ = step([Cost(RATE, 1, 0)], (before,), longest)
    assert waits == pytest.approx(wait)
    assert after == pytest.approx(before + 0.1 if is_booked else before)


def test_a_wait_is_rounded_up() -> None:
    """A request must not be sent before the bucket has it."""
    for part in (1, 500, 999):
        _, wait, _ = step([Cost(RATE, 1, 0)], (5.9 + part / SECOND,))
        assert wait == 0.001


def test_a_new_state_has_full_buckets_and_a_text_can_be_parsed() -> None:
    costs = [Cost(RATE, 1, 0), Cost(SLOW, 2, 3)]
    booking = Booking(costs, None)
    assert booking.initial([RATE, SLOW]) == (0, 0)
    assert booking.decode(["17", "0"]) == (17, 0)


@pytest.mark.parametrize(
    ("longest", "sent"), [(None, -1), (0.0, 0), (0.25, 250), (2.0, 2000)]
)
def test_a_script_has_the_longest_wait_and_the_times(
    longest: float | None, sent: int
) -> None:
    costs = [Cost(RATE, 1, 0), Cost(SLOW, 2, 3)]
    assert Booking(costs, longest).redis_args([RATE, SLOW]) == [
        sent,
        *(0, SECOND // 10, 6 * SECOND),
        *(3 * SECOND, 2 * SECOND, 6 * SECOND),
    ]


@pytest.mark.parametrize("longest", [None, 10.0])
def test_one_request_after_the_other_is_booked(longest: float | None) -> None:
    store = Store()
    waits = [book(store, [Cost(SLOW, 3, 0)], longest) for _ in range(4)]
    assert waits == [0.0, 0.0, 3.0, 6.0]


@pytest.mark.parametrize(("days", "is_error"), [(29, False), (30, False), (31, True)])
def test_a_wait_of_more_than_a_month_is_an_error(days: int, is_error: bool) -> None:
    store = Store()
    store._state = (NOW + (days * 86_400 + 5) * SECOND,)
    costs = [Cost(SLOW, 1, 0)]
    if is_error:
        with pytest.raises(ValueError, match="used up for more than 30 days"):
            book(store, costs, None)
    else:
        assert book(store, costs, None) == days * 86_400


# --- SQLite -------------------------------------------------------------------------


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the time of all processes in milliseconds, which a test may change."""
    times = [NOW // 1000]
    monkeypatch.setattr("pyrate_limiter.clocks.time_ns", lambda: times[0] * 1_000_000)
    return times


def rows_of(path: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(path)) as file:
        found = file.execute("SELECT name, state FROM limits").fetchall()
    return {name: json.loads(state) for name, state in found}


def test_a_file_has_the_time_and_the_state_of_each_name(
    tmp_path: Path, wall: list[int]
) -> None:
    path = tmp_path / "limits.db"
    one, two = SQLiteStateStore(path, "one"), SQLiteStateStore(path, "two")
    costs = [Cost(RATE, 1, 0), Cost(SLOW, 1, 0)]
    booking = Booking(costs, None)
    assert one.read(booking, [RATE, SLOW]) == (0, 0)
    assert book(one, costs, None) == 0
    assert book(two, costs[1:], None) == 0
    first = [NOW // 1000, NOW + SECOND // 10, NOW + SECOND]
    assert rows_of(path) == {"one": first, "two": [first[0], first[2]]}
    assert one.read(booking, [RATE, SLOW]) == tuple(first[1:])
    wall[0] += 7
    assert book(two, costs[1:], None) == 0
    assert rows_of(path)["two"] == [first[0] + 7, NOW + 2 * SECOND]
    one.reset()
    assert rows_of(path).keys() == {"two"}
    one.close()
    two.close()


def test_a_state_of_other_rates_is_begun_anew(tmp_path: Path, wall: list[int]) -> None:
    del wall
    path = tmp_path / "limits.db"
    store = SQLiteStateStore(path, "one")
    for costs in ([Cost(SLOW, 6, 0)], [Cost(RATE, 60, 0), Cost(SLOW, 6, 0)]):
        assert book(store, costs, None) == 0
        assert book(store, costs, None) > 0
    assert book(store, [Cost(SLOW, 6, 0)], None) == 0
    store.close()


@pytest.mark.parametrize(
    ("milliseconds", "wait"), [(0, 1.0), (400, 0.6), (-1, 1.0), (-3_600_000, 1.0)]
)
def test_a_clock_that_was_set_back_changes_no_wait(
    tmp_path: Path, wall: list[int], milliseconds: int, wait: float
) -> None:
    store = SQLiteStateStore(tmp_path / "limits.db", "one")
    assert book(store, [Cost(SLOW, 6, 0)], None) == 0
    wall[0] += milliseconds
    assert book(store, [Cost(SLOW, 1, 0)], 0.0) == pytest.approx(wait)
    store.close()


# --- Stores -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:////tmp/a.db", "/tmp/a.db"), ("sqlite:///a/b.db", "a/b.db")],  # noqa: S108 - not created
)
def test_the_path_of_a_file(url: str, path: str) -> None:
    store = open_store(url, "one")
    assert isinstance(store, SQLiteStateStore)
    assert store._file.path == Path(path).absolute()


@pytest.mark.parametrize(
    ("query", "connect", "read"),
    [("", 10.0, 30.0), ("?socket_timeout=2.5&socket_connect_timeout=1.5", 1.5, 2.5)],
)
def test_a_redis_that_does_not_answer_is_waited_for_not_for_ever(
    query: str, connect: float, read: float
) -> None:
    store: Any = open_store(f"redis://h:1/2{query}", "one")
    assert isinstance(store, RedisStateStore)
    arguments = store.redis.connection_pool.connection_kwargs
    assert arguments["socket_connect_timeout"] == connect
    assert arguments["socket_timeout"] == read
    assert (arguments["host"], arguments["port"], arguments["db"]) == ("h", 1, 2)


def test_without_a_url_the_store_is_memory() -> None:
    assert isinstance(open_store(None, "one"), InMemoryStateStore)
    with pytest.raises(ValueError, match="Port"):
        open_store("redis://h:x/0", "one")
    assert math.isfinite(book(open_store(None, "one"), [Cost(RATE, 1, 0)], None))
