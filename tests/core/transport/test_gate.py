"""The gate: a limit of requests at once over threads and event loops, and pauses."""

import asyncio
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from modelstudio_core.transport.gate import BLOCKS_LOOP, Gate


def test_no_more_threads_pass_than_the_limit() -> None:
    gate, at_once, most = Gate(2), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal at_once, most
        with gate:
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
        with gate:
            entered.set()
            leave.wait()
            order.append("thread")

    thread = threading.Thread(target=work)
    thread.start()
    await asyncio.to_thread(entered.wait)
    asyncio.get_running_loop().call_later(0.02, leave.set)
    async with gate:
        order.append("task")
    thread.join()
    assert order == ["thread", "task"]


async def test_a_cancelled_task_takes_no_place() -> None:
    gate = Gate(1)
    async with gate:
        waiting = asyncio.ensure_future(gate.__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(1):
        async with gate:
            pass


async def test_a_task_that_is_cancelled_when_it_gets_its_place_gives_it_back() -> None:
    gate = Gate(1)
    await gate.__aenter__()
    waiting = asyncio.ensure_future(gate.__aenter__())
    await asyncio.sleep(0)
    await gate.__aexit__(None, None, None)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(1):
        async with gate:
            pass


async def test_a_pause_holds_for_threads_and_tasks() -> None:
    gate = Gate(4)
    gate.pause(0.05)
    gate.pause(0.0)
    begin = time.monotonic()

    def work() -> None:
        with gate:
            pass

    await asyncio.gather(asyncio.to_thread(work), gate.__aenter__())
    assert time.monotonic() - begin >= 0.045


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
    async with gate:
        token = BLOCKS_LOOP.set(True)
        with gate:
            pass
        BLOCKS_LOOP.reset(token)
    with gate:
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_child_process_has_all_places() -> None:
    """Those that the parent's threads have, and their lock, are not given back here."""
    gate = Gate(1)
    gate.__enter__()
    with gate._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(5)
            with gate:
                pass
            gate.pause(0.0)
            with gate:
                os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    gate.__exit__(None, None, None)
    with gate:
        pass
