"""Work on an event loop is done a little at a time, in order, and none is lost."""

import asyncio

import pytest

from modelstudio_core.transport import fairness
from modelstudio_core.transport.fairness import EVENT, REQUEST, cost_of, wait_for_turn

REQUESTS_PER_TURN = 8


async def test_the_requests_of_one_turn_do_not_wait() -> None:
    async with asyncio.timeout(1):
        for _ in range(REQUESTS_PER_TURN):
            await wait_for_turn(REQUEST)


async def record_turns(tasks: int, times: int, cost: int) -> list[int]:
    """Let tasks wait for turns; return the iteration of the event loop of each turn."""
    iteration, turns = 0, list[int]()

    async def count() -> None:
        nonlocal iteration
        while len(turns) < tasks * times:
            await asyncio.sleep(0)
            iteration += 1

    async def work() -> None:
        for _ in range(times):
            await wait_for_turn(cost)
            turns.append(iteration)

    await asyncio.gather(count(), *(work() for _ in range(tasks)))
    return turns


async def test_a_turn_has_a_limited_number_of_requests() -> None:
    turns = await record_turns(50, 1, REQUEST)
    assert turns == sorted(turns)
    assert max(map(turns.count, turns)) <= REQUESTS_PER_TURN


async def test_a_cancelled_task_leaves_its_turn_to_the_next() -> None:
    tasks = [asyncio.ensure_future(wait_for_turn(REQUEST)) for _ in range(30)]
    await asyncio.sleep(0)
    for task in tasks[REQUESTS_PER_TURN:20]:
        task.cancel()
    async with asyncio.timeout(1):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    cancelled = [r for r in results if isinstance(r, asyncio.CancelledError)]
    assert len(cancelled) == 20 - REQUESTS_PER_TURN
    await asyncio.wait_for(wait_for_turn(REQUEST), 1)


def test_a_loop_that_has_ended_is_forgotten() -> None:
    import gc

    before = len(fairness._turns_by_loop)
    asyncio.run(wait_for_turn(REQUEST))
    gc.collect()
    assert len(fairness._turns_by_loop) <= before


def test_a_loop_that_was_closed_with_waiting_tasks_is_forgotten() -> None:
    loop = asyncio.new_event_loop()
    waiting = [
        loop.create_task(wait_for_turn(REQUEST)) for _ in range(2 * REQUESTS_PER_TURN)
    ]
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert loop in fairness._turns_by_loop
    asyncio.run(wait_for_turn(REQUEST))
    assert loop not in fairness._turns_by_loop
    for task in waiting:
        # The loop is closed, so the task cannot be ended: no message about that.
        task._log_destroy_pending = False  # type: ignore[attr-defined]


async def test_a_turn_has_room_for_many_small_pieces_of_work() -> None:
    turns = await record_turns(10, 100, EVENT)
    assert max(map(turns.count, turns)) == REQUESTS_PER_TURN * REQUEST


def test_a_large_piece_costs_as_much_as_the_small_ones_that_it_could_be() -> None:
    """Each event costs about as much as 2 KB."""
    assert [cost_of(bytes(2048 * n - 1)) for n in range(1, 9)] == [*range(1, 9)]
    assert [cost_of(bytes(2048 * n)) for n in range(9)] == [*range(1, 10)]


async def test_large_work_needs_any_room_only() -> None:
    async with asyncio.timeout(1):
        for _ in range(5):
            await wait_for_turn(cost_of(bytes(2**21)))


@pytest.mark.parametrize("loops", [3])
def test_each_loop_has_its_own_turns(loops: int) -> None:
    async def all_of_one() -> None:
        await asyncio.gather(*(wait_for_turn(REQUEST) for _ in range(40)))

    for _ in range(loops):
        asyncio.run(all_of_one())
