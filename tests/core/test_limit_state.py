"""What a process counts for a rate limit: charges, debts and turns."""

import asyncio
import gc
import logging
import math
import threading
import time
import types
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from modelstudio_core import limit_state
from modelstudio_core.errors import (
    APIConnectionError,
    APITimeoutError,
    BadRequestError,
    RateLimitError,
)
from modelstudio_core.limit_state import Charge, LimitState, call_in_thread
from modelstudio_core.limit_stores import make_rates, open_store

CHAT: Final[Mapping[str, object]] = {"messages": []}


def make_state(requests: int | None, tokens: int | None) -> LimitState:
    """Return the state of a limit in memory."""
    return LimitState(open_store(None, "default"), make_rates(requests, tokens))


def booked(state: LimitState, tokens: int, longest: float | None = None) -> Charge:
    """Book a request, and return its charge."""
    charge = Charge(state, "/chat", tokens)
    state.book(charge, longest)
    return charge


def owed(state: LimitState) -> tuple[int, int]:
    """Return the requests and tokens that are settled with the next request."""
    return state._owed.requests, state._owed.tokens


# --- Charges ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "difference", "output"),
    [
        ({"total_tokens": 130, "input_tokens": 10, "output_tokens": 20}, 30, 20),
        ({"input_tokens": 70, "output_tokens": 20}, -10, 20),
        ({"input_tokens": 70}, -30, 0),
        ({"output_tokens": 21}, -79, 21),
        ({"total_tokens": 7}, -93, 0),
        ({"total_tokens": 100, "output_tokens": 3}, 0, 3),
        ({"total_tokens": 0}, -100, 0),
    ],
)
def test_an_answer_settles_the_difference_and_is_learned_from(
    used: dict[str, int], difference: int, output: int
) -> None:
    state = make_state(6000, 60_000)
    booked(state, 100).settle(used)
    assert owed(state) == (0, difference)
    assert state.estimator.estimate("/chat", CHAT) == output


@pytest.mark.parametrize(
    "used",
    [
        None,
        {},
        {"total_tokens": 10**8},
        {"total_tokens": 5, "input_tokens": -(10**8)},
        {"total_tokens": 5, "output_tokens": 10**8},
    ],
)
def test_an_answer_that_does_not_say_what_it_used_keeps_the_estimate(
    used: dict[str, int] | None,
) -> None:
    state = make_state(6000, 60_000)
    charge = booked(state, 100)
    charge.settle(used)
    assert owed(state) == (0, 0)
    assert state.estimator.estimate("/chat", CHAT) == 500
    # It may be settled later.
    charge.settle({"total_tokens": 7})
    assert owed(state) == (0, -93)


def end_with(error: BaseException | None) -> Callable[[Charge], None]:
    return lambda charge: charge.end(error)


def settle(charge: Charge) -> None:
    charge.settle({"total_tokens": 150})


@pytest.mark.parametrize(
    ("end", "difference"),
    [
        (end_with(None), (0, 0)),
        (end_with(BadRequestError("no")), (0, -100)),
        (end_with(RateLimitError("no")), (0, -100)),
        (end_with(APITimeoutError("late")), (0, 0)),
        (end_with(APIConnectionError("broken")), (0, 0)),
        (end_with(KeyboardInterrupt()), (0, 0)),
        (Charge.give_back, (-1, -100)),
        (settle, (0, 50)),
    ],
    ids=["an answer", "400", "429", "late", "broken", "interrupt", "unsent", "settled"],
)
def test_what_the_end_of_a_request_counts(
    end: Callable[[Charge], None], difference: tuple[int, int]
) -> None:
    state = make_state(6000, 60_000)
    charge = booked(state, 100)
    end(charge)
    assert owed(state) == difference
    # Only the first end that says something counts.
    if difference != (0, 0):
        for another in (settle, Charge.give_back, end_with(BadRequestError("no"))):
            another(charge)
        assert owed(state) == difference


def test_a_request_that_was_never_counted_is_not_given_back() -> None:
    state = make_state(6000, 60_000)
    charge = Charge(state, "/chat", 100)
    charge.give_back()
    assert owed(state) == (0, 0)
    # A thread was counting it.
    charge.count(60)
    assert (charge.is_counted, charge.tokens) == (True, 60)
    assert owed(state) == (-1, -60)


# --- Booking ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requests", "tokens", "counted"),
    [
        (6000, 60_000, 100),
        (None, 60_000, 100),
        # The bucket has a tenth of a minute.
        (6000, 990, 99),
        (6000, 1000, 100),
        (6000, 5, 1),
        # Without a limit of tokens none are counted.
        (6000, None, 0),
    ],
)
def test_at_most_the_bucket_is_counted(
    requests: int | None, tokens: int | None, counted: int
) -> None:
    state = make_state(requests, tokens)
    charge = booked(state, 100)
    assert (charge.is_counted, charge.tokens) == (True, counted)


@pytest.mark.parametrize(
    ("longest", "is_booked"), [(None, True), (70.0, True), (50.0, False), (0.0, False)]
)
def test_debts_are_settled_with_a_request_that_is_booked(
    longest: float | None, is_booked: bool
) -> None:
    state = make_state(1, 1000)
    assert booked(state, 1).is_counted
    state.owe(requests=0, tokens=7)
    state.owe(tokens=5)
    charge = Charge(state, "/chat", 1)
    wait = state.book(charge, longest)
    assert 59.0 < wait <= 60.0
    assert charge.is_counted is is_booked
    assert owed(state) == ((0, 0) if is_booked else (0, 12))


def test_debts_stay_if_the_store_cannot_be_used() -> None:
    state = make_state(1, 1000)
    state.owe(requests=2, tokens=7)

    def refuse(*_: object) -> None:
        raise OSError

    store: Any = state.store
    store.check = refuse
    with pytest.raises(OSError):  # noqa: PT011 - the one above
        booked(state, 1)
    assert owed(state) == (2, 7)


# --- Turns --------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 5.0, math.inf])
def test_a_turn_that_is_free_is_taken_and_given_back(seconds: float) -> None:
    state = make_state(1, None)
    done: list[int] = []
    for _ in range(2):
        state.in_turn(time.monotonic() + seconds, lambda: done.append(1))
    assert done == [1, 1]


@pytest.mark.parametrize(
    ("seconds", "most"), [(-1e9, 0.0), (-1.0, 0.0), (0.0, 0.0), (0.05, 0.05)]
)
def test_a_turn_is_waited_for_so_long(seconds: float, most: float) -> None:
    state = make_state(1, None)
    began: list[float] = []

    def again() -> None:
        began.append(time.monotonic())
        with pytest.raises(TimeoutError):
            state.in_turn(time.monotonic() + seconds, again)
        began.append(time.monotonic())

    state.in_turn(math.inf, again)
    begin, end = began
    assert most <= end - begin < most + 2.0


@pytest.mark.parametrize("seconds", [20.0, math.inf])
def test_a_turn_that_another_thread_has_comes(seconds: float) -> None:
    state = make_state(1, None)
    began = threading.Event()
    done: list[str] = []

    def first() -> None:
        began.set()
        time.sleep(0.05)
        done.append("first")

    thread = threading.Thread(target=state.in_turn, args=(math.inf, first))
    thread.start()
    began.wait(5)
    state.in_turn(time.monotonic() + seconds, lambda: done.append("second"))
    thread.join()
    assert done == ["first", "second"]


@pytest.mark.parametrize("seconds", [-1.0, 0.02])
async def test_the_turn_of_a_task_is_waited_for_so_long(seconds: float) -> None:
    state = make_state(1, None)
    async with state.aturn(math.inf):
        begin = time.monotonic()
        with pytest.raises(TimeoutError):
            async with state.aturn(begin + seconds):
                pass
        assert max(seconds, 0.0) <= time.monotonic() - begin < 2.0
    # It was given back.
    async with asyncio.timeout(5), state.aturn(time.monotonic() + 5):
        pass


@pytest.mark.parametrize("seconds", [20.0, math.inf])
async def test_the_turn_of_a_task_comes(seconds: float) -> None:
    state = make_state(1, None)
    done: list[str] = []

    async def take(name: str) -> None:
        async with state.aturn(time.monotonic() + seconds):
            await asyncio.sleep(0)
            done.append(name)

    async with asyncio.timeout(5):
        await asyncio.gather(*(take(name) for name in "abc"))
    assert done == ["a", "b", "c"]


# --- Logs ---------------------------------------------------------------------------


def test_a_wait_is_logged_for_users_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG, "modelstudio")
    state = make_state(1, None)
    for now in (5.0, 5.5, 64.0, 66.0, 67.0, 127.0):
        clock = types.SimpleNamespace(monotonic=lambda now=now: now)
        monkeypatch.setattr(limit_state, "time", clock)
        state.log_wait("mine", now / 2)
    assert [record.levelname for record in caplog.records] == [
        "INFO",
        "DEBUG",
        "DEBUG",
        "INFO",
        "DEBUG",
        "INFO",
    ]
    first = caplog.records[0].getMessage()
    assert first == "the rate limit mine is reached: wait 2.5 s"


async def test_a_call_in_a_thread_goes_on_if_its_task_is_cancelled() -> None:
    may_end, ended = threading.Event(), threading.Event()

    def work() -> int:
        may_end.wait(5)
        ended.set()
        return 7

    task = asyncio.create_task(call_in_thread(work))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    may_end.set()
    assert await asyncio.to_thread(ended.wait, 5)
    assert await call_in_thread(work) == 7


async def test_a_failure_that_nobody_waits_for_any_more_is_not_reported() -> None:
    """Asyncio reports an exception that was never asked for."""
    may_end, reports = threading.Event(), list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, report: reports.append(report)
    )

    def fail() -> None:
        may_end.wait(5)
        raise OSError

    task = asyncio.create_task(call_in_thread(fail))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    others = asyncio.all_tasks() - {asyncio.current_task()}
    may_end.set()
    await asyncio.wait(others, timeout=5)
    await asyncio.sleep(0)
    del others
    gc.collect()
    assert reports == []
