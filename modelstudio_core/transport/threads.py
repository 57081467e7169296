"""Work on files in threads, which a cancelled task does not leave behind."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import TypeVar

__all__ = ["finish_in_thread"]

_Value = TypeVar("_Value")


async def finish_in_thread(
    function: Callable[[], _Value], undo: Callable[[_Value], object] | None = None
) -> _Value:
    """Call a function in a thread. A cancelled task waits until it has ended.

    Nothing ends a thread: it would go on with files that nobody knows of any more.

    Args:
        function: The function.
        undo: Called with the result if the task was cancelled and does not get it.
    """
    loop, context = asyncio.get_running_loop(), copy_context()
    # Not a task, which the end of the event loop would cancel.
    work = loop.run_in_executor(None, context.run, function)
    try:
        await asyncio.wait([work])
    except asyncio.CancelledError:
        await _outlast(work)
        if work.exception() is None and undo is not None:
            undo(work.result())
        raise
    try:
        return work.result()
    finally:
        # Its error would keep this frame, and this frame the error.
        del work


async def _outlast(work: asyncio.Future[_Value]) -> None:
    """Wait for a thread, however often the task is cancelled."""
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work])
