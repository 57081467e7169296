"""The gate: a limit of requests at once over threads and event loops, and pauses."""

import asyncio
import math
import os
import signal
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import _base as futures
from typing import Any

import pytest

from modelstudio_core import fork_locks
from modelstudio_core.transport import gate as gate_module
from modelstudio_core.transport.gate import BLOCKS_LOOP, Gate
from tests.core.support import apassing, passing
from tests.support.interrupts import interrupted_everywhere


def test_no_more_threads_pass_than_the_limit() -> None:
    gate, at_once, most = Gate(2), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal at_once, most
        with passing(gate):
            with lock:
                at_once += 1
                most = max(most, at_once)
            time.sleep(0.01)
            with lock:
                at_once -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


async def test_a_task_waits_for_a_thread() -> None:
    gate, order = Gate(1), list[str]()
    entered, leave = threading.Event(), threading.Event()

    def work() -> None:
        with passing(gate):
            entered.set()
            leave.wait()
            order.append("thread")

    thread = threading.Thread(target=work)
    thread.start()
    await asyncio.to_thread(entered.wait)
    asyncio.get_running_loop().call_later(0.02, leave.set)
    async with apassing(gate):
        order.append("task")
    thread.join()
    assert order == ["thread", "task"]


async def test_a_cancelled_task_takes_no_place() -> None:
    gate = Gate(1)
    async with apassing(gate):
        waiting = asyncio.ensure_future(gate.aenter())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(1):
        async with apassing(gate):
            pass


async def test_a_task_that_is_cancelled_when_it_gets_its_place_gives_it_back() -> None:
    gate = Gate(1)
    await gate.aenter()
    waiting = asyncio.ensure_future(gate.aenter())
    await asyncio.sleep(0)
    gate.leave()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(1):
        async with apassing(gate):
            pass


async def test_a_pause_holds_for_threads_and_tasks() -> None:
    gate = Gate(4)
    gate.pause(0.05)
    gate.pause(0.0)
    begin = time.monotonic()

    def work() -> None:
        with passing(gate):
            pass

    await asyncio.gather(asyncio.to_thread(work), gate.aenter())
    assert time.monotonic() - begin >= 0.045


@pytest.mark.parametrize("waits_for", ["place", "pause"])
async def test_who_waits_too_long_gives_up_and_takes_no_place(waits_for: str) -> None:
    gate = Gate(1)
    if waits_for == "place":
        gate.enter()
    else:
        gate.pause(2)
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        gate.enter(begin + 0.05)
    with pytest.raises(TimeoutError):
        await gate.aenter(begin + 0.1)
    assert time.monotonic() - begin < 1.5
    if waits_for == "place":
        gate.leave()
    with passing(gate, math.inf):
        waiting = asyncio.ensure_future(gate.aenter(time.monotonic() + 5))
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting
    gate.leave()


def test_a_pause_is_set_by_one_thread_at_a_time() -> None:
    """Else a shorter pause could replace a longer one that another thread sets."""
    gate = Gate(1)
    with ThreadPoolExecutor(1) as threads:
        with gate._lock:
            pausing = threads.submit(gate.pause, 0.0)
            with pytest.raises(TimeoutError):
                pausing.result(0.05)
        pausing.result(5)


async def test_a_call_that_blocks_the_loop_does_not_wait_for_its_tasks() -> None:
    gate = Gate(1)
    async with apassing(gate):
        token = BLOCKS_LOOP.set(True)
        with passing(gate):
            pass
        BLOCKS_LOOP.reset(token)
    with passing(gate):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_child_process_has_all_places() -> None:
    """Those that the parent's threads have, and their lock, are not given back here."""
    gate = Gate(1)
    gate.enter()
    with gate._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(5)
            with passing(gate):
                pass
            gate.pause(0.0)
            with passing(gate):
                os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    gate.leave()
    with passing(gate):
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_two_threads_of_a_child_process_may_be_the_first_at_once() -> None:
    """Neither takes the lock that a thread of the parent had."""
    gate = Gate(1)
    gate.enter()
    with gate._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(5)
            try:
                os._exit(7 if both_pass(gate) else 1)
            finally:
                os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    gate.leave()


def both_pass(gate: Gate) -> bool:
    """Let a thread come while another one opens the gate; it must not end it all."""

    def work() -> None:
        with passing(gate):
            pass

    threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]

    def open_slowly() -> deque[Any]:
        if threads[1].ident is None:
            threads[1].start()
            threads[1].join(0.1)
        return deque()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate_module, "deque", open_slowly)
        threads[0].start()
        threads[0].join(2)
        threads[1].join(2)
    return not any(thread.is_alive() for thread in threads)


def test_an_interrupt_at_any_place_takes_no_place() -> None:
    gate = Gate(1)

    def check(is_complete: bool) -> None:
        if is_complete:
            gate.leave()
        gate.enter(time.monotonic())
        with pytest.raises(TimeoutError):
            gate.enter(time.monotonic())
        gate.leave()

    modules = [gate_module, fork_locks, futures]
    assert interrupted_everywhere(modules, gate.enter, check) > 10
