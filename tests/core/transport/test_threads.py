"""Threads to whose end a cancelled task waits."""

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from modelstudio_core.transport.threads import finish_in_thread


async def test_a_function_has_the_context_of_the_task() -> None:
    variable = ContextVar("variable", default="outside")
    variable.set("inside")
    threads: list[int] = []

    def look() -> str:
        threads.append(threading.get_ident())
        return variable.get()

    assert await finish_in_thread(look) == "inside"
    assert threads != [threading.get_ident()]


async def test_an_error_is_raised_and_not_kept() -> None:
    class OwnError(Exception):
        pass

    def fail() -> None:
        raise OwnError

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(OwnError) as caught:
            await finish_in_thread(fail)
        kept = weakref.ref(caught.value)
        del caught
        # The thread has forgotten the error when it takes its next work.
        await asyncio.to_thread(int)
        assert kept() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("turns", range(6))
async def test_a_result_is_returned_or_undone(turns: int) -> None:
    """Whether the cancellation comes before the end of the function or after it."""
    may_end, undone = threading.Event(), list[str]()

    def work() -> str:
        may_end.wait(5)
        return "result"

    task = asyncio.create_task(finish_in_thread(work, undone.append))
    await asyncio.sleep(0)
    may_end.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(result, asyncio.CancelledError):
        assert undone == ["result"]
    else:
        assert (result, undone) == ("result", [])


async def test_nothing_is_undone_if_the_function_fails_for_a_cancelled_task(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, may_end, undone = threading.Event(), threading.Event(), list[None]()

    def fail() -> None:
        begun.set()
        may_end.wait(5)
        raise OSError

    task = asyncio.create_task(finish_in_thread(fail, undone.append))
    await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    del task
    gc.collect()
    assert (undone, caplog.records) == ([], [])
