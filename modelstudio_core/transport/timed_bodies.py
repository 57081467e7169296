"""The time limit of an async body, whatever HTTP client receives it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

from modelstudio_core.transport.deadlines import Deadline

__all__ = ["until"]


async def until(
    deadline: Deadline, pieces: AsyncIterator[bytes]
) -> AsyncGenerator[bytes]:
    """Yield what comes until a deadline, which ends the wait for it, too.

    One timer serves all waits: one for each would take longer than to read a piece.

    Args:
        deadline: When it ends.
        pieces: What comes.

    Raises:
        TimeoutError: The deadline has passed.
    """
    waiting: asyncio.Task[object] | None = None
    is_late = False

    def end_wait() -> None:
        nonlocal is_late
        is_late = True
        if waiting is not None:
            waiting.cancel()

    timer = asyncio.get_running_loop().call_later(deadline.remaining, end_wait)
    try:
        while not is_late:
            # Several tasks may read in turn.
            waiting = cast("asyncio.Task[object]", asyncio.current_task())
            before = waiting.cancelling()
            try:
                piece = await anext(pieces, None)
            except asyncio.CancelledError:
                if not is_late or waiting.uncancel() > before:
                    raise
                break
            waiting = None
            if piece is None:
                return
            yield piece
    finally:
        timer.cancel()
    raise TimeoutError
