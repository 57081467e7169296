"""The paced gate: no more requests in a second than there are places."""

import asyncio
import threading
import time

import pytest

from modelstudio_core.transport.gate import BLOCKS_LOOP
from modelstudio_core.transport.pace import PacedGate
from tests.core.support import apassing, passing


def most_in_a_second(times: list[float]) -> int:
    return max(sum(start <= t < start + 0.99 for t in times) for start in times)


def test_threads_pass_a_number_of_times_in_a_second() -> None:
    gate, times = PacedGate(5), list[float]()

    def work() -> None:
        for _ in range(3):
            with passing(gate):
                times.append(time.monotonic())

    run([threading.Thread(target=work) for _ in range(4)])
    assert len(times) == 12
    assert most_in_a_second(times) <= 5


def run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def test_tasks_pass_a_number_of_times_in_a_second() -> None:
    gate, times = PacedGate(5), list[float]()

    async def work() -> None:
        async with apassing(gate):
            times.append(time.monotonic())

    await asyncio.gather(*(work() for _ in range(8)))
    assert most_in_a_second(times) == 5


async def test_a_cancelled_task_gives_its_place_back() -> None:
    gate = PacedGate(1)
    async with apassing(gate):
        pass
    waiting = asyncio.ensure_future(gate.aenter())
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    begin = time.monotonic()
    async with apassing(gate):
        assert 0.5 < time.monotonic() - begin < 1.9


def test_a_call_that_blocks_a_loop_does_not_wait_for_a_place() -> None:
    gate = PacedGate(1)
    gate.enter()
    token = BLOCKS_LOOP.set(True)
    try:
        with passing(gate):
            pass
    finally:
        BLOCKS_LOOP.reset(token)
    gate.leave()


async def test_who_waits_too_long_for_its_second_gives_up() -> None:
    gate = PacedGate(1)
    with passing(gate):
        pass
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        gate.enter(begin + 0.3)
    with pytest.raises(TimeoutError):
        await gate.aenter(begin + 0.3)
    with passing(gate, begin + 5):
        assert 0.5 < time.monotonic() - begin < 1.9
