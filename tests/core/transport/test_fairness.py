"""Turns of an event loop: a few at a time, in their order, and none is lost."""

import asyncio

import pytest

from modelstudio_core.transport import fairness
from modelstudio_core.transport.fairness import EVENT, REQUEST, cost_of, wait_for_turn

AT_ONCE = 8


async def test_as_many_as_may_do_not_wait() -> None:
    async with asyncio.timeout(1):
        for _ in range(AT_ONCE):
            await wait_for_turn(REQUEST)


async def turns_of(works: int, times: int, cost: int) -> list[int]:
    """Let works take turns; return the loop's own turn at each time."""
    turn, taken = 0, list[int]()

    async def count() -> None:
        nonlocal turn
        while len(taken) < works * times:
            await asyncio.sleep(0)
            turn += 1

    async def work() -> None:
        for _ in range(times):
            await wait_for_turn(cost)
            taken.append(turn)

    await asyncio.gather(count(), *(work() for _ in range(works)))
    return taken


async def test_no_turn_has_more_than_may() -> None:
    taken = await turns_of(50, 1, REQUEST)
    assert taken == sorted(taken)
    assert max(map(taken.count, taken)) <= AT_ONCE


async def test_who_is_cancelled_gives_the_place_to_the_next() -> None:
    tasks = [asyncio.ensure_future(wait_for_turn(REQUEST)) for _ in range(30)]
    await asyncio.sleep(0)
    for task in tasks[AT_ONCE:20]:
        task.cancel()
    done = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 1)
    cancelled = [it for it in done if isinstance(it, asyncio.CancelledError)]
    assert len(cancelled) == 20 - AT_ONCE
    await asyncio.wait_for(wait_for_turn(REQUEST), 1)


def test_a_loop_that_is_over_is_forgotten() -> None:
    import gc

    before = len(fairness._turns_by_loop)
    asyncio.run(wait_for_turn(REQUEST))
    gc.collect()
    assert len(fairness._turns_by_loop) <= before


def test_a_loop_that_was_closed_with_waiters_is_forgotten() -> None:
    loop = asyncio.new_event_loop()
    waiting = [loop.create_task(wait_for_turn(REQUEST)) for _ in range(2 * AT_ONCE)]
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert loop in fairness._turns_by_loop
    asyncio.run(wait_for_turn(REQUEST))
    assert loop not in fairness._turns_by_loop
    for task in waiting:
        # Its loop is closed: nobody can end it any more, and nobody is to be told.
        task._log_destroy_pending = False  # type: ignore[attr-defined]


async def test_small_work_leaves_room_for_more() -> None:
    taken = await turns_of(10, 100, EVENT)
    assert max(map(taken.count, taken)) == AT_ONCE * REQUEST


async def test_large_work_is_done_once_there_is_any_room() -> None:
    async with asyncio.timeout(1):
        for _ in range(5):
            await wait_for_turn(cost_of(bytes(2**21)))


@pytest.mark.parametrize("loops", [3])
def test_each_loop_has_its_own(loops: int) -> None:
    async def all_of_one() -> None:
        await asyncio.gather(*(wait_for_turn(REQUEST) for _ in range(40)))

    for _ in range(loops):
        asyncio.run(all_of_one())
