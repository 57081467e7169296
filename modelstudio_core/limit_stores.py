"""Where a ``RateLimit`` keeps its state, on pyrate-limiter: memory, SQLite or Redis.

It is imported when a ``RateLimit`` is created, because pyrate-limiter is optional.

pyrate-limiter's GCRA rejects what does not fit, so a large request would wait for ever
beside small ones of other processes, and its weights cannot be negative. ``Booking`` is
the same arithmetic for requests and tokens at once, and books ahead.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final, cast

from pyrate_limiter import (
    Decision,
    Duration,
    InMemoryStateStore,
    Rate,
    RedisStateStore,
    StateAlgorithm,
    StateStore,
    WallClock,
)
from typing_extensions import override

from modelstudio_core.sqlite_files import SQLiteFile

__all__ = ["Booking", "Cost", "SQLiteStateStore", "book", "make_rates", "open_store"]

_MINUTE_US: Final = int(Duration.MINUTE) * 1000
_CONNECT_SECONDS: Final = 10.0
_REDIS_SECONDS: Final = 30.0
# Requests that wait and what answers used more than estimated explain hours, or days
# with a low limit; a time that is further away was not booked.
_MAX_WAIT: Final = 30 * 24 * 3600.0
_State = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request takes from one rate.

    Attributes:
        rate: The rate; its ``burst`` is the size of the bucket.
        units: The requests or tokens of the request, at most the bucket.
        owed: What earlier requests used more than they took; negative for less.
    """

    rate: Rate
    units: int
    owed: int

    @property
    def microseconds(self) -> tuple[int, int, int]:
        """The time in which the rate yields ``owed``, ``units`` and its bucket."""
        counts = (self.owed, self.units, self.rate.burst)
        owed, units, bucket = (ceil(n * _MINUTE_US / self.rate.limit) for n in counts)
        return owed, units, bucket


class Booking(StateAlgorithm):
    """Takes from several rates at once, ahead of time if they do not yield it yet.

    The state has one time for each rate, in microseconds: when its bucket will be full
    again. The decision's ``retry_after_ms`` is how long to wait before the request is
    sent. Where that is longer than ``longest``, nothing was taken.
    """

    def __init__(self, costs: Sequence[Cost], longest: float | None) -> None:
        """Create the algorithm of one request.

        Args:
            costs: What it takes from each rate.
            longest: The most seconds to wait; None for no limit.
        """
        self._times = [cost.microseconds for cost in costs]
        self._longest_ms = -1 if longest is None else int(longest * 1000)

    @override
    def initial(self, rates: list[Rate]) -> _State:
        """Return the state of full buckets."""
        return tuple(0 for _ in rates)

    @override
    def step(
        self, rates: list[Rate], state: _State, now: int, weight: int
    ) -> tuple[_State, Decision]:
        """Book what the request costs.

        Args:
            rates: The rates, in the order of the costs.
            state: The state.
            now: The time in milliseconds.
            weight: Not used: the costs are the algorithm's.
        """
        now_us = now * 1000
        taken: list[float] = []
        waits: list[float] = []
        for full_at, (owed, units, bucket) in zip(state, self._times, strict=True):
            taken.append(max(full_at + owed, now_us) + units)
            waits.append(taken[-1] - bucket - now_us)
        wait_ms = ceil(max(waits) / 1000)
        if wait_ms <= 0:
            return tuple(taken), Decision()
        decision = Decision(rates[waits.index(max(waits))], wait_ms)
        refused = 0 <= self._longest_ms < wait_ms
        return state if refused else tuple(taken), decision

    @override
    def decode(self, values: Sequence[str]) -> _State:
        """Parse a state that a store keeps as text."""
        return tuple(map(int, values))

    @override
    def redis_script(self) -> str:
        """Return ``step`` in Lua."""
        return _LUA

    @override
    def redis_args(self, rates: list[Rate]) -> list[int | float]:
        """Return the script's arguments after pyrate-limiter's four."""
        return [self._longest_ms, *(n for times in self._times for n in times)]


# The clock of the Redis server, so that those of the machines may differ. KEYS and the
# first four arguments are pyrate-limiter's: now, weight, ttl and the number of rates.
_LUA: Final = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local count = tonumber(ARGV[4])
local longest = tonumber(ARGV[5])
local fields = {}
for i = 1, count do
    fields[i] = 'full' .. i
end
local state = redis.call('HMGET', KEYS[1], unpack(fields))
local wait = -1
local slowest = 1
local last = now
local write = {}
for i = 1, count do
    local first = 6 + (i - 1) * 3
    local full = tonumber(state[i] or 0) + tonumber(ARGV[first])
    full = math.max(full, now) + tonumber(ARGV[first + 1])
    if full - tonumber(ARGV[first + 2]) - now > wait then
        wait = full - tonumber(ARGV[first + 2]) - now
        slowest = i
    end
    last = math.max(last, full)
    write[#write + 1] = fields[i]
    write[#write + 1] = string.format('%.0f', full)
end
local wait_ms = math.ceil(wait / 1000)
if longest < 0 or wait_ms <= longest then
    redis.call('HSET', KEYS[1], unpack(write))
    redis.call('PEXPIRE', KEYS[1], math.ceil((last - now) / 1000) + 60000)
end
if wait_ms <= 0 then
    return {-1, 0}
end
return {slowest - 1, wait_ms}
"""


class SQLiteStateStore(StateStore):
    """One row of a SQLite file, for the processes of one machine.

    It has the time when it was written, in milliseconds, and then the state.
    pyrate-limiter's own SQLite bucket has one row for each token.
    """

    # The clock of the machine, which all its processes have in common.
    default_clock = WallClock()

    def __init__(self, path: Path, name: str) -> None:
        """Create the store. The file is opened when it is first used.

        Args:
            path: The path of the file.
            name: The name of the limit: its row.
        """
        self._name = name
        self._file = SQLiteFile(
            path,
            "CREATE TABLE IF NOT EXISTS limits (name TEXT PRIMARY KEY, state TEXT)",
        )

    @override
    def check(
        self, algorithm: StateAlgorithm, rates: list[Rate], now: int, weight: int
    ) -> Decision:
        """Apply ``algorithm.step`` to the row, while other processes wait.

        Args:
            algorithm: The algorithm.
            rates: The rates.
            now: Not used: it may be old after waiting for the others.
            weight: The algorithm's weight.
        """

        def step(connection: sqlite3.Connection) -> Decision:
            state = self._state(connection, algorithm, rates)
            now = WallClock().now()
            new, decision = algorithm.step(rates, state, now, weight)
            numbers = [now, *(int(number) for number in new)]
            connection.execute(
                "INSERT OR REPLACE INTO limits VALUES (?, ?)",
                (self._name, json.dumps(numbers)),
            )
            return decision

        return self._file.update(step)

    @override
    def read(self, algorithm: StateAlgorithm, rates: list[Rate]) -> _State:
        """Return the state of the row."""
        return self._file.update(lambda open_: self._state(open_, algorithm, rates))

    @override
    def reset(self) -> None:
        """Delete the row."""
        self._file.write("DELETE FROM limits WHERE name = ?", self._name)

    @override
    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _state(
        self,
        connection: sqlite3.Connection,
        algorithm: StateAlgorithm,
        rates: list[Rate],
    ) -> _State:
        row = connection.execute(
            "SELECT state FROM limits WHERE name = ?", (self._name,)
        ).fetchone()
        if row is None:
            return algorithm.initial(rates)
        written, *state = cast("list[int]", json.loads(row[0]))
        # Another process may have other rates.
        if len(state) != len(rates):
            return algorithm.initial(rates)
        # A clock that was set back must not make requests wait until it is there again.
        back = max(0, written - WallClock().now()) * 1000
        return tuple(number - back for number in state)


def make_rates(*limits: int | None) -> list[Rate | None]:
    """Return rates a minute whose bucket is a tenth of the limit, and one at least.

    Args:
        *limits: How many a minute; None for a limit that does not exist.
    """
    return [
        Rate(limit, Duration.MINUTE, burst=max(1, limit // 10)) if limit else None
        for limit in limits
    ]


def open_store(url: str | None, name: str) -> StateStore:
    """Create the store of a limit. Nothing is opened or connected yet.

    Args:
        url: A URL of the schemes ``redis``, ``rediss`` and ``sqlite``; None: memory.
        name: The name of the limit.

    Raises:
        ValueError: The URL has an invalid part.
    """
    if url is None:
        return InMemoryStateStore()
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite":
        return SQLiteStateStore(Path(path), name)
    from redis import Redis  # noqa: PLC0415 - for users of Redis only

    # A parameter of the URL has precedence.
    from_url = cast("Callable[..., Redis]", Redis.from_url)  # pyright: ignore[reportUnknownMemberType] # untyped
    client = from_url(
        url, socket_connect_timeout=_CONNECT_SECONDS, socket_timeout=_REDIS_SECONDS
    )
    return RedisStateStore(client, f"modelstudio:limit:{name}")


def book(store: StateStore, costs: Sequence[Cost], longest: float | None) -> float:
    """Book what a request costs, and return the seconds to wait before it is sent.

    Args:
        store: The store.
        costs: What it takes from each rate.
        longest: The most seconds to wait; None for no limit. Where the result is more,
            nothing was taken.

    Raises:
        ValueError: The state is damaged: it would make requests wait for months.
        Exception: The store cannot be used: an exception of its library.
    """
    rates = [cost.rate for cost in costs]
    # Synchronous clocks and clients are used only.
    now = cast("int", store.default_clock.now())
    decision = cast("Decision", store.check(Booking(costs, longest), rates, now, 1))
    wait = (decision.retry_after_ms or 0) / 1000
    if wait > _MAX_WAIT:
        raise ValueError(
            "the state of the limit is damaged: it is used up for more than 30 days"
        )
    return wait
