"""The time limit of an answer ends the wait for a piece, and nothing else."""

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from modelstudio_core.transport.deadlines import Deadline
from modelstudio_core.transport.timed_bodies import until


async def pieces(count: int, pause: float = 0.0) -> AsyncGenerator[bytes]:
    """Yield pieces, and then wait without an end."""
    for number in range(count):
        await asyncio.sleep(pause)
        yield b"%d" % number
    await asyncio.Event().wait()


async def test_it_ends_the_wait_for_a_piece_after_those_that_came() -> None:
    begin, came = time.monotonic(), until(Deadline(0.1), pieces(3))
    assert [await anext(came) for _ in range(3)] == [b"0", b"1", b"2"]
    with pytest.raises(TimeoutError):
        await anext(came)
    assert time.monotonic() - begin < 5
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_it_does_not_interrupt_what_the_caller_does_between_two_pieces() -> None:
    came = until(Deadline(0.05), pieces(3))
    assert await anext(came) == b"0"
    await asyncio.sleep(0.1)
    with pytest.raises(TimeoutError):
        await anext(came)


async def test_pieces_that_end_in_time_leave_no_timer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ending() -> AsyncGenerator[bytes]:
        yield b"0"

    loop = asyncio.get_running_loop()
    call_later, timers = loop.call_later, list[asyncio.TimerHandle]()

    def record(*arguments: Any) -> asyncio.TimerHandle:
        timers.append(call_later(*arguments))
        return timers[-1]

    monkeypatch.setattr(loop, "call_later", record)
    assert [piece async for piece in until(Deadline(60), ending())] == [b"0"]
    assert [timer.cancelled() for timer in timers] == [True]


async def test_several_tasks_may_read_in_turn() -> None:
    came = until(Deadline(0.2), pieces(2))
    for expected in (b"0", b"1"):
        assert await asyncio.create_task(anext(came)) == expected
    with pytest.raises(TimeoutError):
        await asyncio.create_task(anext(came))


async def test_a_task_that_is_cancelled_at_the_deadline_is_cancelled() -> None:
    async def read() -> None:
        async for _ in until(Deadline(0.05), pieces(0)):
            pass

    task = asyncio.create_task(read())
    await asyncio.sleep(0)
    # Both in one turn of the loop: the timer is due when the sleep ends.
    time.sleep(0.1)  # noqa: ASYNC251 - it blocks the loop
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_pieces_is_raised() -> None:
    async def failing() -> AsyncGenerator[bytes]:
        yield b"0"
        raise EOFError

    with pytest.raises(EOFError):
        _ = [piece async for piece in until(Deadline(5), failing())]
