"""Rate limits: what they allow, in which store, and what they count."""

import asyncio
import copy
import json
import logging
import multiprocessing
import os
import pickle
import random
import sqlite3
import stat
import sys
import threading
import time
import types
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Literal

import fakeredis
import pytest
import redis
from typing_extensions import override

from modelstudio_core import tasks
from modelstudio_core.batches import BatchRun
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import (
    APIConnectionError,
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
)
from modelstudio_core.limit_state import Charge
from modelstudio_core.limits import RateLimit
from tests.core.support import KEY
from tests.support.batches import chat

PASSWORD: Final = "geheim-123"
REDIS: Final = f"redis://me:{PASSWORD}@redis.example:6379/0"
USED: Final = {"input_tokens": 10, "output_tokens": 20, "total_tokens": 30}
Store = Literal["memory", "sqlite", "redis"]
STORES: Final[tuple[Store, ...]] = ("memory", "sqlite", "redis")
EACH_STORE: Final = pytest.mark.parametrize("store", STORES)
DIGITS: Final = ("17", "21", "41", "401")
EACH_SHARED_STORE: Final = pytest.mark.parametrize("store", STORES[1:])


@pytest.fixture(autouse=True)
def fake_redis(monkeypatch: pytest.MonkeyPatch) -> fakeredis.FakeServer:
    server = fakeredis.FakeServer()

    def connect(_url: str, **_options: object) -> fakeredis.FakeStrictRedis:
        return fakeredis.FakeStrictRedis(server=server)

    monkeypatch.setattr(redis.Redis, "from_url", connect)
    return server


@pytest.fixture
def urls(tmp_path: Path) -> dict[Store, str | None]:
    return {
        "memory": None,
        "sqlite": f"sqlite:///{tmp_path}/limits.db",
        "redis": REDIS,
    }


def body(tokens: int) -> dict[str, object]:
    """Return a body whose estimate is a number of tokens."""
    return {"input": "x" * (tokens - 1) * 3}


def may_wait(limit: RateLimit, seconds: float, tokens: int = 1) -> bool:
    """Return whether a request may be sent within some time."""
    try:
        limit.acquire("/x", body(tokens), seconds)
    except TimeoutError:
        return False
    return True


def free(limit: RateLimit, tokens: int = 1, most: int = 1000) -> int:
    """Return how many requests may be sent at once, and send them."""
    return next(n for n in range(most) if not may_wait(limit, 0, tokens))


# --- What is allowed ----------------------------------------------------------------


@EACH_STORE
@pytest.mark.parametrize(("a_minute", "bucket"), [(100, 10), (19, 1), (5, 1), (1, 1)])
def test_a_bucket_holds_a_tenth_of_a_minute_and_never_less_than_one_request(
    urls: dict[Store, str | None], store: Store, a_minute: int, bucket: int
) -> None:
    limit = RateLimit(requests_per_minute=a_minute, store=urls[store])
    assert free(limit) == bucket
    limit.close()


@EACH_STORE
def test_it_fills_as_fast_as_the_limit_says(
    urls: dict[Store, str | None], store: Store
) -> None:
    limit = RateLimit(requests_per_minute=1200, store=urls[store])
    begin = time.monotonic()
    for _ in range(120 + 10):
        limit.acquire("/x", None, None)
    seconds = time.monotonic() - begin
    # What was taken while the bucket was emptied filled it again.
    assert 0.49 < seconds < 1.5
    limit.close()


@EACH_STORE
async def test_tasks_wait_together_without_blocking_the_loop(
    urls: dict[Store, str | None], store: Store
) -> None:
    limit = RateLimit(requests_per_minute=1200, store=urls[store])
    begin = time.monotonic()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await asyncio.gather(*(limit.aacquire("/x", None, None) for _ in range(130)))
    ticking.cancel()
    assert 0.49 < time.monotonic() - begin < 2.0
    assert ticks > 10
    limit.close()


@EACH_STORE
def test_tokens_are_limited_as_requests_are(
    urls: dict[Store, str | None], store: Store
) -> None:
    limit = RateLimit(tokens_per_minute=1000, store=urls[store])
    assert free(limit, tokens=10) == 10
    limit.close()


def test_a_request_waits_for_both_limits_and_takes_from_both_or_none() -> None:
    limit = RateLimit(requests_per_minute=100, tokens_per_minute=1000)
    assert may_wait(limit, 0, tokens=100)
    assert not may_wait(limit, 0, tokens=100)
    # The requests that were refused took no request and no token.
    assert limit.acquire("/x", None, 0)
    assert free(limit, tokens=1) == 0
    state = limit._state
    limit.acquire("/x", None, 0).give_back()
    assert state._owed.requests == -1


@EACH_STORE
def test_a_request_larger_than_the_bucket_takes_all_of_it(
    urls: dict[Store, str | None], store: Store
) -> None:
    limit = RateLimit(tokens_per_minute=60_000, store=urls[store])
    assert limit.acquire("/x", body(50_000), 0).tokens == 6000
    assert not may_wait(limit, 0.0, tokens=500)
    assert may_wait(limit, 1.0, tokens=500)
    limit.close()


@EACH_SHARED_STORE
def test_limits_with_one_name_and_store_are_one_limit(
    urls: dict[Store, str | None], store: Store
) -> None:
    first, second, other = (
        RateLimit(requests_per_minute=100, name=name, store=urls[store])
        for name in ("a", "a", "b")
    )
    assert free(first) == 10
    assert free(second) == 0
    assert free(other) == 10
    for limit in (first, second, other):
        limit.close()


def test_limits_in_memory_are_two_limits() -> None:
    first, second = RateLimit(requests_per_minute=100), RateLimit(requests_per_minute=9)
    assert (free(first), free(second)) == (10, 1)


def freeze(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Stop the clocks of all stores. The result lets seconds pass."""
    now = 1_800_000_000.0
    fake = types.SimpleNamespace(time=lambda: now)
    monkeypatch.setattr("fakeredis.commands_mixins.server_mixin.time", fake)
    for name in ("time_ns", "monotonic_ns"):
        monkeypatch.setattr(f"pyrate_limiter.clocks.{name}", lambda: int(now * 10**9))

    def advance(seconds: float) -> None:
        nonlocal now
        now += seconds

    return advance


def test_the_script_of_redis_does_what_the_other_stores_do(
    urls: dict[Store, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waits of all three stores, for random requests, settlements and limits."""
    advance = freeze(monkeypatch)
    random_ = random.Random(18)  # noqa: S311 - not a secret
    for case in range(5):
        limits = [
            RateLimit(
                requests_per_minute=600,
                tokens_per_minute=60_000,
                name=f"n{case}",
                store=url,
            )
            for url in urls.values()
        ]
        seen: set[bool] = set()
        for _ in range(40):
            advance(random_.choice([0.0, 0.25, 2.0]))
            tokens = random_.choice([1, 100, 1000, 9000])
            settle = random_.choice([None, 0, 50, 12_000])
            longest = random_.choice([None, 0.0, 2.0])
            waits: list[float] = []
            for limit in limits:
                charge = Charge(limit._state, "/x", tokens)
                waits.append(limit._state.book(charge, longest))
                if settle is not None and charge.is_counted:
                    charge.settle({"total_tokens": settle})
            # The clocks round differently.
            assert max(waits) - min(waits) < 0.002, (case, waits)
            seen.add(waits[0] > 0)
        assert seen == {True, False}
        for limit in limits:
            limit.close()


def test_a_clock_that_is_set_back_does_not_stop_a_file(
    urls: dict[Store, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = freeze(monkeypatch)
    limit = RateLimit(requests_per_minute=600, store=urls["sqlite"])
    assert free(limit) == 60
    advance(-3600.0)
    assert free(limit) == 0
    advance(1.0)
    assert free(limit) == 10
    limit.close()


@pytest.mark.parametrize(
    "far", [10**16, 10**20, 10**40, 10**400], ids=lambda far: f"{len(str(far))} digits"
)
@pytest.mark.parametrize("seconds", [None, 0.01])
async def test_a_state_that_no_requests_explain_is_an_error(
    tmp_path: Path, far: int, seconds: float | None
) -> None:
    path = tmp_path / "limits.db"
    limit = RateLimit(
        requests_per_minute=600, tokens_per_minute=9000, store=f"sqlite:///{path}"
    )
    limit.acquire("/x", None, None)
    now = int(time.time() * 1000)
    for state in ([now, far, 0], [now, 0, far], [now, far, far]):
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("UPDATE limits SET state = ?", (json.dumps(state),))
        with pytest.raises(APIConnectionError, match="No request was sent"):
            limit.acquire("/x", None, seconds)
        with pytest.raises(APIConnectionError, match="No request was sent"):
            await limit.aacquire("/x", None, seconds)
    limit.close()


def test_a_key_of_redis_that_no_requests_explain_is_an_error(
    fake_redis: fakeredis.FakeServer,
) -> None:
    limit = RateLimit(requests_per_minute=600, store=REDIS)
    limit.acquire("/x", None, None)
    client: Any = fakeredis.FakeStrictRedis(server=fake_redis)
    (key,) = client.keys("*")
    for far in ("1e16", "1e20", "1e40", "inf"):
        client.hset(key, "full1", far)
        with pytest.raises(APIConnectionError, match="No request was sent"):
            limit.acquire("/x", None, None)
    limit.close()


@EACH_STORE
@pytest.mark.parametrize("tokens", [10**9, 10**20, -(10**20)])
def test_an_answer_that_says_it_used_impossible_numbers_keeps_the_estimate(
    urls: dict[Store, str | None], store: Store, tokens: int
) -> None:
    limit = RateLimit(tokens_per_minute=10_000, store=urls[store])
    for name in ("total_tokens", "output_tokens", "input_tokens"):
        charge = limit.acquire("/x", body(100), None)
        charge.settle({name: tokens})
    # The bucket fills by a request in 0.6 s.
    assert 0 <= free(limit, tokens=100) - 7 <= 1
    limit.close()


# --- Settlement ---------------------------------------------------------------------


@EACH_STORE
@pytest.mark.parametrize(
    ("used", "free_then"), [(100, 9), (0, 10), (800, 2), (1000, 0), (5000, 0)]
)
def test_what_an_answer_used_is_settled_with_the_next_request(
    urls: dict[Store, str | None], store: Store, used: int, free_then: int
) -> None:
    limit = RateLimit(tokens_per_minute=10_000, store=urls[store])
    limit.acquire("/x", body(500), None).settle({"total_tokens": used})
    # The bucket fills by a request in 0.6 s.
    assert 0 <= free(limit, tokens=100) - free_then <= 1
    limit.close()


def test_a_debt_is_waited_for() -> None:
    limit = RateLimit(tokens_per_minute=600_000)
    limit.acquire("/x", body(10), None).settle({"total_tokens": 60_000 + 3000})
    assert not may_wait(limit, 0.25, tokens=1)
    begin = time.monotonic()
    assert may_wait(limit, 0.35, tokens=1)
    assert time.monotonic() - begin > 0.2


def test_a_charge_is_settled_once() -> None:
    limit = RateLimit(tokens_per_minute=10_000)
    charge = limit.acquire("/x", body(500), None)
    charge.settle(USED)
    charge.settle(USED)
    charge.end(BadRequestError("no"))
    charge.give_back()
    assert limit._state._owed.tokens == 30 - 500


def test_a_refused_request_uses_no_tokens_and_an_unknown_end_keeps_the_estimate() -> (
    None
):
    limit = RateLimit(requests_per_minute=1000, tokens_per_minute=10_000)
    limit.acquire("/x", body(500), None).end(BadRequestError("no"))
    owed = limit._state._owed
    assert (owed.requests, owed.tokens) == (0, -500)
    for error in (None, APITimeoutError("late"), KeyboardInterrupt()):
        charge = limit.acquire("/x", body(1), None)
        charge.end(error)
        charge.settle(None)
    assert limit._state._owed.tokens == 0


def test_the_average_of_answers_is_the_estimate_of_the_next() -> None:
    limit = RateLimit(tokens_per_minute=10_000_000)
    chat = {"messages": [{"content": "x" * 30}]}
    charge = limit.acquire("/chat", chat, None)
    assert charge.tokens == 11 + 500
    charge.settle(USED)
    assert limit.acquire("/chat", chat, None).tokens == 11 + 20


# --- Time limits and cancelling -----------------------------------------------------


def test_a_wait_that_is_too_long_ends_at_once_and_takes_nothing() -> None:
    limit = RateLimit(requests_per_minute=6)
    assert may_wait(limit, 0)
    begin = time.monotonic()
    for _ in range(5):
        with pytest.raises(TimeoutError):
            limit.acquire("/x", None, 5.0)
    assert time.monotonic() - begin < 1.0
    assert limit._state._owed.requests == 0


@EACH_STORE
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("seconds", [0.5, 1.5, None])
async def test_a_request_waits_as_long_as_it_may(
    urls: dict[Store, str | None],
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    asynchronous: bool,
    seconds: float | None,
) -> None:
    """The next request may be sent after a second."""
    freeze(monkeypatch)
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    sleep = asyncio.sleep

    async def sleep_not(delay: float) -> None:
        waits.append(delay)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", sleep_not)
    limit = RateLimit(requests_per_minute=60, store=urls[store])

    async def acquire(seconds: float | None) -> Charge:
        if asynchronous:
            return await limit.aacquire("/x", None, seconds)
        return limit.acquire("/x", None, seconds)

    for _ in range(6):
        assert (await acquire(0.0)).is_counted
    assert waits == []
    if seconds == 0.5:
        with pytest.raises(TimeoutError):
            await acquire(seconds)
        # It took nothing.
        assert (await acquire(None)).is_counted
        assert waits == [1.0]
    else:
        assert (await acquire(seconds)).is_counted
        assert (await acquire(None)).is_counted
        assert waits == [1.0, 2.0]
    limit.close()


async def test_the_turn_of_a_task_counts_to_its_time() -> None:
    limit = RateLimit(requests_per_minute=60)
    for _ in range(6):
        await limit.aacquire("/x", None, None)
    first = asyncio.create_task(limit.aacquire("/x", None, None))
    await asyncio.sleep(0)
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        await limit.aacquire("/x", None, 0.1)
    assert 0.05 < time.monotonic() - begin < 0.9
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


@EACH_STORE
async def test_a_cancelled_request_is_given_back(
    urls: dict[Store, str | None], store: Store
) -> None:
    limit = RateLimit(requests_per_minute=60, tokens_per_minute=600, store=urls[store])
    for _ in range(6):
        await limit.aacquire("/x", body(10), None)
    waiting = asyncio.create_task(limit.aacquire("/x", body(10), None))
    await asyncio.sleep(0.2)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (limit._state._owed.requests, limit._state._owed.tokens) == (-1, -10)
    limit.close()


async def test_a_cancelled_thread_gives_back_what_it_took_later(
    urls: dict[Store, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = RateLimit(requests_per_minute=60, store=urls["sqlite"])
    state = limit._state
    go, booked = threading.Event(), state.book

    def slow_book(*arguments: Any) -> float:
        go.wait(5)
        return booked(*arguments)

    monkeypatch.setattr(state, "book", slow_book)
    task = asyncio.create_task(limit.aacquire("/x", None, None))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert state._owed.requests == 0
    go.set()
    for _ in range(100):
        await asyncio.sleep(0.01)
        if state._owed.requests:
            break
    assert state._owed.requests == -1
    limit.close()


def test_a_blocked_loop_does_not_wait_for_its_own_task() -> None:
    limit = RateLimit(requests_per_minute=600)

    async def main() -> None:
        tasks = [
            asyncio.create_task(limit.aacquire("/x", None, None)) for _ in range(63)
        ]
        await asyncio.sleep(0.02)
        thread = threading.Thread(target=limit.acquire, args=("/x", None, None))
        thread.start()
        limit.acquire("/x", None, None)
        thread.join()
        await asyncio.gather(*tasks)

    asyncio.run(asyncio.wait_for(main(), 10))


# --- Processes ----------------------------------------------------------------------


def test_a_limit_without_a_store_cannot_be_pickled() -> None:
    with pytest.raises(ConfigurationError, match="sqlite:///path/to/file"):
        pickle.dumps(RateLimit(requests_per_minute=1))


@EACH_SHARED_STORE
def test_a_pickle_is_the_same_limit(
    urls: dict[Store, str | None], store: Store
) -> None:
    limit = RateLimit(requests_per_minute=100, name="a.b-c_1", store=urls[store])
    loaded: RateLimit = pickle.loads(pickle.dumps(limit))  # noqa: S301 - our own
    assert repr(loaded) == repr(limit)
    assert free(loaded) == 10
    assert free(limit) == 0
    limit.close()
    loaded.close()


def test_copies_share_the_limit() -> None:
    limit = RateLimit(requests_per_minute=1)
    assert copy.copy(limit) is limit
    assert copy.deepcopy([limit])[0] is limit


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_shares_a_file_and_refuses_memory(
    urls: dict[Store, str | None],
) -> None:
    context: Any = multiprocessing.get_context("fork")
    memory = RateLimit(requests_per_minute=100)
    shared = RateLimit(requests_per_minute=100, store=urls["sqlite"])
    assert free(shared) == 10
    results = context.Queue()

    def child() -> None:
        results.put(free(shared))
        try:
            memory.acquire("/x", None, None)
        except ConfigurationError as error:
            results.put(str(error))

    process = context.Process(target=child)
    process.start()
    assert results.get(timeout=20) == 0
    assert "in the process that created it" in results.get(timeout=20)
    process.join(20)
    assert free(shared) == 0
    shared.close()


def test_a_file_has_one_row_and_is_private(
    urls: dict[Store, str | None], tmp_path: Path
) -> None:
    limit = RateLimit(tokens_per_minute=10**9, name="n", store=urls["sqlite"])
    for _ in range(20):
        limit.acquire("/x", body(1000), None)
    limit.close()
    file = tmp_path / "limits.db"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 or sys.platform == "win32"
    with sqlite3.connect(file) as database:
        assert database.execute("SELECT count(*) FROM limits").fetchone() == (1,)
    database.close()


def test_the_key_of_redis_expires_when_its_buckets_are_full(
    fake_redis: fakeredis.FakeServer,
) -> None:
    limit = RateLimit(requests_per_minute=60, name="n", store=REDIS)
    limit.acquire("/x", None, None)
    client = fakeredis.FakeStrictRedis(server=fake_redis)
    assert client.keys() == [b"modelstudio:limit:n"]
    assert 55 < client.ttl("modelstudio:limit:n") < 70
    limit.close()


# --- Arguments, and what is shown ---------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "needs requests_per_minute="),
        ({"requests_per_minute": 0}, "requests_per_minute must be an integer from 1"),
        ({"requests_per_minute": 1.5}, "requests_per_minute must be an integer from 1"),
        ({"tokens_per_minute": True}, "tokens_per_minute must be an integer from 1"),
        ({"tokens_per_minute": -1}, "tokens_per_minute must be an integer from 1"),
        (
            {"tokens_per_minute": 10**12 + 1},
            "tokens_per_minute must be an integer from 1",
        ),
        ({"tokens_per_minute": KEY}, r"or None for no limit, got '\*{10}'"),
        ({"requests_per_minute": 1, "name": ""}, "name of a RateLimit"),
        ({"requests_per_minute": 1, "name": "a b"}, "name of a RateLimit"),
        ({"requests_per_minute": 1, "name": "-a"}, "name of a RateLimit"),
        ({"requests_per_minute": 1, "name": "a\n"}, "name of a RateLimit"),
        ({"requests_per_minute": 1, "name": "a" * 101}, "name of a RateLimit"),
        ({"requests_per_minute": 1, "name": 7}, "name of a RateLimit"),
        ({"requests_per_minute": 1, "name": f"x {KEY}"}, r"got 'x \*{10}'"),
        ({"requests_per_minute": 1, "store": 7}, "store must be a string"),
        ({"requests_per_minute": 1, "store": "file.db"}, "another scheme"),
        (
            {"requests_per_minute": 1, "store": f"http://u:{PASSWORD}@h"},
            "another scheme",
        ),
        ({"requests_per_minute": 1, "store": "sqlite://file.db"}, "no path"),
        ({"requests_per_minute": 1, "store": "sqlite:///"}, "no path"),
        ({"rpm": 5}, "'rpm' of RateLimit. Did you mean 'requests_per_minute'"),
        ({"tpm": 5, "name": "a"}, "Did you mean 'tokens_per_minute'"),
        ({"requests_per_minut": 5}, "Did you mean 'requests_per_minute'"),
        ({"requests_per_minute": 1, "timeout": 5}, "Unknown argument 'timeout'"),
        ({"requests_per_minute": 1, "store": f"redis://u:{PASSWORD}@"}, "no host"),
        ({"requests_per_minute": 1, "store": f"redis://:{PASSWORD}@h:x"}, "no host"),
        ({"requests_per_minute": 1, "store": f"redis://:{PASSWORD}@h:0"}, "no host"),
        ({"requests_per_minute": 1, "store": "redis://h:65536"}, "no host"),
        ({"requests_per_minute": 1, "store": "redis:/h"}, "another scheme"),
        ({"requests_per_minute": 1, "store": ""}, "another scheme"),
        ({"requests_per_minute": 1, "store": "sqlite://"}, "no path"),
    ],
)
def test_an_invalid_argument_is_refused(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        RateLimit(**arguments)
    assert PASSWORD not in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"requests_per_minute": 1}, "requests_per_minute=1"),
        ({"tokens_per_minute": 10**12}, "tokens_per_minute=1000000000000"),
        (
            {"requests_per_minute": 5, "tokens_per_minute": 6, "name": "0." + "x" * 98},
            f"requests_per_minute=5, tokens_per_minute=6, name='0.{'x' * 98}'",
        ),
        ({"requests_per_minute": 1, "name": "default"}, "requests_per_minute=1"),
        (
            {"requests_per_minute": 1, "store": "redis://h:65535"},
            "requests_per_minute=1, store='redis://h:65535'",
        ),
        (
            {"requests_per_minute": 1, "store": "sqlite:///a"},
            "requests_per_minute=1, store='sqlite:///a'",
        ),
    ],
)
def test_the_arguments_of_a_limit_are_shown(
    arguments: dict[str, Any], shown: str
) -> None:
    limit = RateLimit(**arguments)
    assert repr(limit) == f"RateLimit({shown})"
    for name in ("requests_per_minute", "tokens_per_minute", "store"):
        assert getattr(limit, name) == arguments.get(name)
    assert limit.name == arguments.get("name", "default")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (REDIS, "redis://me:***@redis.example:6379/0"),
        (f"rediss://:{PASSWORD}@h", "rediss://:***@h"),
        (f"redis://h/0?password={PASSWORD}", "redis://h/0"),
        ("redis://h:1/2", "redis://h:1/2"),
        ("redis://me@h:1", "redis://me@h:1"),
        ("redis://h/0#fragment", "redis://h/0"),
        (f"redis://a:{PASSWORD}@b@h", "redis://a:***@h"),
        ("sqlite:////tmp/a.db", "sqlite:////tmp/a.db"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    limit = RateLimit(requests_per_minute=7, store=url)
    assert limit.store == shown
    assert repr(limit) == f"RateLimit(requests_per_minute=7, store={shown!r})"
    assert PASSWORD not in f"{limit!r} {limit} {vars(limit)}"


def test_a_store_that_cannot_be_reached_is_an_error_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise redis.ConnectionError(f"refused: {REDIS}")

    limit = RateLimit(requests_per_minute=7, store=REDIS)
    monkeypatch.setattr(limit._state.store, "check", refuse)
    with pytest.raises(APIConnectionError, match="No request was sent") as caught:
        limit.acquire("/x", None, None)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert not caught.value.was_sent
    assert caught.value.is_retryable


def test_a_file_that_cannot_be_opened_is_an_error() -> None:
    limit = RateLimit(requests_per_minute=7, store="sqlite:////no/such/folder/a.db")
    with pytest.raises(
        APIConnectionError, match=r"/no/such/folder/a\.db: No such file"
    ):
        limit.acquire("/x", None, None)


def test_without_pyrate_limiter_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "modelstudio_core.limit_stores", None)
    with pytest.raises(ConfigurationError, match=r"modelstudio-integrations\[limits\]"):
        RateLimit(requests_per_minute=7)


def test_waits_are_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "modelstudio")
    limit = RateLimit(requests_per_minute=1200, name="mine")
    for _ in range(120 + 5):
        limit.acquire("/x", body(3), None)
    records = [r for r in caplog.records if "the rate limit mine" in r.getMessage()]
    assert [r.levelname for r in records][:1] == ["INFO"]
    assert {r.levelname for r in records[1:]} <= {"DEBUG"}


# --- What is counted ------------------------------------------------------------------


class _Counted(RateLimit):
    """Notes the paths of what is counted."""

    def __init__(self) -> None:
        super().__init__(requests_per_minute=60_000)
        self.paths: list[str] = []

    @override
    def acquire(
        self, path: str, body: Mapping[str, object] | None, seconds: float | None
    ) -> Charge:
        self.paths.append(path)
        return super().acquire(path, body, seconds)


def test_a_task_counts_when_it_is_created_and_not_when_it_is_queried() -> None:
    limiter = _Counted()
    with Emulator() as studio:
        task = tasks.submit(
            model="wan2.6-t2i",
            prompt="A",
            base_url=studio.base_url,
            api_key=studio.api_key,
            limiter=limiter,
        )
        task.refresh()
        with pytest.raises(BadRequestError):
            task.cancel()
        assert len(studio.requests) == 3
    assert limiter.paths == ["/services/aigc/image-generation/generation"]


def test_batches_and_their_files_do_not_count(tmp_path: Path) -> None:
    limiter = _Counted()
    with Emulator() as studio:
        run: BatchRun[Any] = BatchRun.prepare(
            chat(studio, limiter=limiter), ["Hi"], directory=tmp_path / "run"
        )
        run.submit()
        run.cancel()
        assert len(studio.requests) == 4
    assert limiter.paths == []
