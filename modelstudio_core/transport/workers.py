"""Calls of a function for many items, several at once, with results in their order."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from modelstudio_core.transport.gate import BLOCKS_LOOP

__all__ = ["acall_for_each", "call_for_each"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def call_for_each(
    function: Callable[[_Item], _Result], items: Sequence[_Item], limit: int
) -> list[_Result]:
    """Call a function for each item, in threads if there are several items.

    Args:
        function: The function. It sees the context variables of the caller.
        items: The items.
        limit: How many threads there are at most.

    Returns:
        The results, in the order of the items.

    Raises:
        Exception: The first one of a call. Calls that have not begun are dropped, and
            calls under way are not waited for.
    """
    with _blocking():
        if len(items) <= 1 or limit == 1:
            return [function(item) for item in items]
        pool = ThreadPoolExecutor(min(limit, len(items)), "modelstudio")
        futures: list[Future[_Result]] = []
        try:
            futures += [
                pool.submit(copy_context().run, function, item) for item in items
            ]
            if failures := _first_error(futures):
                raise failures.pop()
            return [future.result() for future in futures]
        finally:
            # The traceback of an error keeps the list.
            futures.clear()
            pool.shutdown(wait=False, cancel_futures=True)


def _first_error(futures: Sequence[Future[_Result]]) -> list[BaseException]:
    """Wait for all calls, or for the first error, which is returned in a list."""
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    return [*filter(None, map(Future[_Result].exception, done))][:1]


async def acall_for_each(
    function: Callable[[_Item], Awaitable[_Result]], items: Sequence[_Item], limit: int
) -> list[_Result]:
    """Async version of ``call_for_each``, with tasks that an error cancels."""
    if len(items) <= 1 or limit == 1:
        return [await function(item) for item in items]
    results: dict[int, _Result] = {}
    remaining = iter(enumerate(items))

    async def work() -> None:
        for index, item in remaining:
            results[index] = await function(item)

    tasks = [asyncio.ensure_future(work()) for _ in range(min(limit, len(items)))]
    try:
        await asyncio.gather(*tasks)
        return [results[index] for index in range(len(items))]
    finally:
        try:
            await _end(tasks)
        finally:
            # The traceback of an error keeps both.
            results.clear()
            tasks.clear()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks, and wait for their end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def _blocking() -> Generator[None]:
    """Mark calls for which the thread of an event loop waits."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        yield
        return
    token = BLOCKS_LOOP.set(True)
    try:
        yield
    finally:
        BLOCKS_LOOP.reset(token)
