"""Calls for many items: order, limits, errors, cancellation, context."""

import asyncio
import gc
import threading
import time
import weakref
from contextvars import ContextVar

import pytest

from modelstudio_core.transport.workers import acall_for_each, call_for_each
from tests.core.transport.support import SYNC_AND_ASYNC, call

VARIABLE = ContextVar("variable", default="default")


def slow_double(item: int) -> int:
    time.sleep(0.001 * (5 - item % 5))
    return 2 * item


async def test_results_are_in_the_order_of_the_items() -> None:
    items = list(range(20))

    async def double(item: int) -> int:
        await asyncio.sleep(0.001 * (5 - item % 5))
        return 2 * item

    expected = [2 * item for item in items]
    assert call_for_each(slow_double, items, 4) == expected
    assert await acall_for_each(double, items, 4) == expected


async def test_no_items_are_no_results() -> None:
    async def never(item: int) -> int:
        raise AssertionError(item)

    assert call_for_each(slow_double, [], 4) == []
    assert await acall_for_each(never, [], 4) == []


def test_one_item_needs_no_thread() -> None:
    names = call_for_each(lambda _: threading.current_thread().name, [1], 4)
    assert names == [threading.current_thread().name]


def test_a_limit_of_one_needs_no_thread() -> None:
    names = call_for_each(lambda _: threading.current_thread().name, [1, 2], 1)
    assert names == [threading.current_thread().name] * 2
    names = call_for_each(lambda _: threading.current_thread().name, [1, 2], 2)
    assert threading.current_thread().name not in names


@pytest.mark.parametrize(("limit", "most"), [(1, 1), (2, 2), (9, 4)])
async def test_no_more_calls_are_made_at_once_than_the_limit(
    limit: int, most: int
) -> None:
    at_once, seen = 0, list[int]()

    async def work(_: int) -> None:
        nonlocal at_once
        at_once += 1
        seen.append(at_once)
        await asyncio.sleep(0)
        at_once -= 1

    await acall_for_each(work, [1, 2, 3, 4], limit)
    assert (max(seen), len(seen)) == (most, 4)


def test_threads_see_the_context_of_the_caller() -> None:
    VARIABLE.set("caller")
    assert call_for_each(lambda _: VARIABLE.get(), [1, 2], 2) == ["caller"] * 2


def test_the_first_error_drops_calls_that_have_not_begun() -> None:
    begun, threads = list[int](), set[threading.Thread]()
    may_end = threading.Event()

    def work(item: int) -> None:
        begun.append(item)
        threads.add(threading.current_thread())
        if item == 1:
            raise ValueError(item)
        may_end.wait(5)

    with pytest.raises(ValueError, match="1"):
        call_for_each(work, list(range(50)), 2)
    may_end.set()
    for thread in threads:
        thread.join()
    # The thread of the call that failed may have begun another one.
    assert begun[:2] == [0, 1]
    assert len(begun) <= 3


def test_an_error_is_raised_while_another_call_is_still_under_way() -> None:
    end = threading.Event()

    def work(item: int) -> None:
        if item == 0:
            end.wait(5)
        else:
            raise ValueError(item)

    begin = time.monotonic()
    with pytest.raises(ValueError, match="1"):
        call_for_each(work, [0, 1], 2)
    assert time.monotonic() - begin < 2
    end.set()


async def test_an_error_cancels_the_other_tasks() -> None:
    cancelled: list[int] = []

    async def work(item: int) -> None:
        if item == 1:
            raise ValueError(item)
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    with pytest.raises(ValueError, match="1"):
        await acall_for_each(work, [0, 1, 2, 3], 3)
    assert cancelled == [0, 2]


async def test_a_cancelled_call_cancels_its_tasks() -> None:
    begun, cancelled = list[int](), list[int]()

    async def work(item: int) -> None:
        begun.append(item)
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    under_way = asyncio.ensure_future(acall_for_each(work, [0, 1, 2, 3], 2))
    await asyncio.sleep(0.01)
    under_way.cancel()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    assert begun == cancelled == [0, 1]


class Answer:
    """What a call returned."""


class RefusedError(Exception):
    """What a call raised."""


@SYNC_AND_ASYNC
async def test_an_error_that_is_kept_keeps_no_results_of_other_calls(
    is_async: bool,
) -> None:
    """Nor is there a cycle, which only the garbage collector frees."""
    answers: list[weakref.ref[Answer]] = []
    threads = set[threading.Thread]()

    def work(item: int) -> Answer:
        threads.add(threading.current_thread())
        if item == 3:
            raise RefusedError
        answer = Answer()
        answers.append(weakref.ref(answer))
        return answer

    async def awork(item: int) -> Answer:
        return work(item)

    gc.collect()
    gc.disable()
    try:
        with pytest.raises(RefusedError) as caught:
            await call(
                is_async,
                lambda: call_for_each(work, [0, 1, 2, 3], 2),
                lambda: acall_for_each(awork, [0, 1, 2, 3], 2),
            )
        for thread in threads - {threading.current_thread()}:
            thread.join()
        assert len(answers) == 3
        assert [answer() for answer in answers] == [None] * 3
        error = weakref.ref(caught.value)
        del caught
        # asyncio has it until the end of the turn.
        await asyncio.sleep(0)
        assert error() is None
    finally:
        gc.enable()
