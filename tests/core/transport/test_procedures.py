"""Procedures: the same steps in synchronous and in asynchronous code."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import NotFoundError
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import JsonAnswer
from modelstudio_core.transport.procedures import (
    Download,
    Fetch,
    Procedure,
    Sleep,
    arun,
    run,
)
from modelstudio_core.transport.requests import HttpRequest


@pytest.fixture
def connection() -> Iterator[Connection]:
    with Emulator() as studio:
        yield resolve_connection(
            {"base_url": studio.base_url, "api_key": studio.api_key, "max_retries": 0}
        )


def get(path: str) -> Fetch:
    return Fetch(HttpRequest(path=path, method="GET"))


def steps(seen: list[str], to: Path) -> Procedure[int]:
    """List models, write the list to a file, wait, and be refused once."""
    answer = yield get("/models")
    seen.append(str(answer.body["object"]))
    nothing = yield Download(HttpRequest(path="/models", method="GET"), to)
    seen.append(str(nothing.body))
    yield Sleep(0.0)
    try:
        yield get("/models/unknown")
    except NotFoundError as error:
        seen.append(str(error.code))
    return len(seen)


@pytest.mark.parametrize("is_async", [False, True])
async def test_steps_are_taken_in_order(
    is_async: bool, connection: Connection, tmp_path: Path
) -> None:
    seen: list[str] = []
    procedure = steps(seen, tmp_path / "models")
    context = connection.context
    if is_async:
        assert await arun(connection, context, procedure) == 3
    else:
        assert run(connection, context, procedure) == 3
    assert seen == ["list", "{}", "model_not_found"]
    assert (tmp_path / "models").read_bytes().startswith(b"{")


@pytest.mark.parametrize("is_async", [False, True])
async def test_an_error_that_is_not_caught_ends_the_procedure(
    is_async: bool, connection: Connection
) -> None:
    ended: list[str] = []

    def refused() -> Procedure[None]:
        try:
            yield get("/models/unknown")
        finally:
            ended.append("finally")

    async def start() -> None:
        if is_async:
            await arun(connection, connection.context, refused())
        else:
            run(connection, connection.context, refused())

    with pytest.raises(NotFoundError):
        await start()
    assert ended == ["finally"]


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("whom", ["the task", "all tasks"])
async def test_a_cancelled_task_waits_for_its_thread_and_closes_the_procedure(
    times: int, whom: str, connection: Connection
) -> None:
    """However often it is cancelled, and with all others at the end of the loop."""
    begun, may_go_on, ended = threading.Event(), threading.Event(), list[str]()

    def slow() -> Procedure[None]:
        try:
            begun.set()
            may_go_on.wait(5)
            ended.append("written")
            yield Sleep(0.0)
        finally:
            ended.append("closed")

    task = asyncio.create_task(arun(connection, connection.context, slow()))
    await asyncio.to_thread(begun.wait, 5)
    for _ in range(times):
        tasks = {task} if whom == "the task" else asyncio.all_tasks()
        for cancelled in tasks - {asyncio.current_task()}:
            cancelled.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
    assert ended == []
    may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["written", "closed"]


def test_a_procedure_without_steps_returns(connection: Connection) -> None:
    def empty() -> Procedure[str]:
        return "done"
        yield Sleep(0.0)

    assert run(connection, connection.context, empty()) == "done"
    assert JsonAnswer({}, None, {}).body == {}
