"""A run is stopped at each of its writes and requests, and goes on in a new process.

The crash is an exception that nothing catches, before or after the step; then the
program is started again with new objects, which know nothing but the directory. What
counts is counted at the emulator.
"""

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.batches import BatchRun, progress
from modelstudio_core.batches.remote import RemoteBatch
from modelstudio_core.emulator import BatchScript, Emulator
from modelstudio_core.errors import APIConnectionError, ConfigurationError
from modelstudio_core.transport import procedures
from tests.support.batches import (
    Crash,
    Crashes,
    chat,
    finish,
    prompts,
    settle_at_once,
    small_parts,
)

ROWS = 4
Program = Callable[[Emulator, Path], BatchRun[Any]]


def submit_and_collect(studio: Emulator, path: Path) -> BatchRun[Any]:
    """Prepare, submit and collect: the usual program, started again after a crash."""
    run: BatchRun[Any] = BatchRun.prepare(chat(studio), prompts(ROWS), directory=path)
    run.submit()
    finish(studio, run)
    return run


def open_and_collect(studio: Emulator, path: Path) -> BatchRun[Any]:
    """The same program, which opens the run where there is one."""
    if not (path / "manifest.json").exists():
        BatchRun.prepare(chat(studio), prompts(ROWS), directory=path)
    run: BatchRun[Any] = BatchRun.open(path, api_key=studio.api_key, max_retries=0)
    run.submit()
    finish(studio, run, delete_remote=True)
    return run


def collect_and_resume(studio: Emulator, path: Path) -> BatchRun[Any]:
    """The same program, which sends rows again until each has its answer."""
    run = submit_and_collect(studio, path)
    while run.resume(errors=True):
        finish(studio, run)
    return run


def cancel_and_resume(studio: Emulator, path: Path) -> BatchRun[Any]:
    """Cancel a run at its half, once, and send the rest again."""
    run: BatchRun[Any] = BatchRun.prepare(chat(studio), prompts(ROWS), directory=path)
    run.submit()
    flag = path.parent / f"{path.name}.cancelled"
    if not flag.exists():
        studio.advance(10)
        run.cancel()
        flag.touch()
    finish(studio, run)
    while run.resume():
        finish(studio, run)
    return run


# The programs, their first moment that no program before has, how their first batches
# go on, and in how many batches all ends at most.
PROGRAMS: dict[str, tuple[Program, int, list[BatchScript], int]] = {
    "submit and collect": (submit_and_collect, 1, [], 2),
    "open and collect": (open_and_collect, 1, [], 2),
    "resume": (
        collect_and_resume,
        36,
        [
            BatchScript(missing_lines={0}),
            BatchScript(bad_lines={1}, bad_code="InternalError", no_error_file=""),
        ],
        3,
    ),
    "cancel": (cancel_and_resume, 24, [], 4),
}


@pytest.mark.filterwarnings("ignore:.*The files of part")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_run_survives_a_crash_at_each_of_its_steps(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, first, scripts, most_batches = PROGRAMS[name]
    settle_at_once(monkeypatch)
    small_parts(monkeypatch, ROWS // 2)
    crashes = Crashes(monkeypatch)
    moment = first
    with Emulator() as studio:
        for moment in count(first):
            path = tmp_path / str(moment)
            before = len(studio.batches)
            studio.script_batches(*scripts)
            crashes.begin(moment)
            try:
                run = program(studio, path)
                crashed = False
            except Crash:
                crashes.begin(0)
                run = program(studio, path)
                crashed = True
            check(run, studio.batches[before:], most_batches)
            if not crashed:
                break
            # Many lists in a moment are refused by the service's limit of a minute.
            studio.advance(60)
    assert moment > first + 20


def check(run: BatchRun[Any], batches: list[Any], most_batches: int) -> None:
    """Each row is answered once, in order; nothing is created or paid for twice."""
    rows = list(run.results())
    assert [row.index for row in rows] == [*range(ROWS)]
    assert [row.status for row in rows] == ["done"] * ROWS
    assert len(batches) <= most_batches
    assert sum(batch.answered for batch in batches) == ROWS
    assert len({batch.input_file_id for batch in batches}) == len(batches)
    assert run.status == "collected"


@pytest.mark.parametrize("is_async", [False, True])
async def test_the_answer_to_a_creation_is_lost(
    is_async: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same call finds the batch that was created, and does not create another."""
    settle_at_once(monkeypatch)
    name = "afetch" if is_async else "fetch"
    lose_answers(monkeypatch, name, "/batches")
    with Emulator() as studio:
        run: BatchRun[Any] = BatchRun.prepare(
            chat(studio, max_retries=3), prompts(2), directory=tmp_path / "run"
        )
        await run.asubmit() if is_async else run.submit()
        sent = [(r.method, r.path.partition("/v1")[2]) for r in studio.requests]
        assert sent == [("POST", "/files"), ("POST", "/batches"), ("GET", "/batches")]
        assert run.batch_ids == [batch.id for batch in studio.batches]
        finish(studio, run)
        assert run.count_rows() == {"done": 2}


def test_the_answer_to_a_creation_and_to_the_search_are_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_at_once(monkeypatch)
    with Emulator() as studio:
        run: BatchRun[Any] = BatchRun.prepare(
            chat(studio), prompts(2), directory=tmp_path / "run"
        )
        with monkeypatch.context() as broken:
            lose_answers(broken, "fetch", "/batches", times=2)
            with pytest.raises(APIConnectionError):
                run.submit()
        run.submit()
        assert len(studio.batches) == 1


@pytest.mark.parametrize("is_async", [False, True])
async def test_the_answer_to_a_creation_is_lost_and_the_batch_is_listed_late(
    is_async: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next submission looks for it again, and creates nothing."""
    settle_at_once(monkeypatch)
    name = "afetch" if is_async else "fetch"
    with Emulator() as studio:
        run: BatchRun[Any] = BatchRun.prepare(
            chat(studio), prompts(2), directory=tmp_path / "run"
        )
        with monkeypatch.context() as broken:
            lose_answers(broken, name, "/batches")
            broken.setattr(progress, "find_batches", nothing_listed)
            with pytest.raises(APIConnectionError):
                await run.asubmit() if is_async else run.submit()
        assert run.batch_ids == []
        await run.asubmit() if is_async else run.submit()
        assert run.batch_ids == [batch.id for batch in studio.batches]
        assert len(run.batch_ids) == 1


def nothing_listed(_file_id: str) -> procedures.Procedure[list[RemoteBatch]]:
    """List no batch yet, in the place of ``find_batches``."""
    yield procedures.Sleep(0.0)
    return []


def test_the_answer_to_an_upload_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator() as studio:
        run: BatchRun[Any] = BatchRun.prepare(
            chat(studio), prompts(2), directory=tmp_path / "run"
        )
        with monkeypatch.context() as broken:
            lose_answers(broken, "fetch", "/files")
            with pytest.raises(APIConnectionError):
                run.submit()
        run.submit()
        uploads = [r for r in studio.requests if r.path.endswith("/files")]
        assert [request.method for request in uploads] == ["POST", "GET"]


def lose_answers(
    monkeypatch: pytest.MonkeyPatch, name: str, path: str, times: int = 1
) -> None:
    """Let the answers to requests be lost after the service took them."""
    original, left = getattr(procedures, name), [None] * times

    def lost(connection: Any, request: Any, context: Any) -> Any:
        answer = original(connection, request, context)
        if request.path == path and left:
            left.pop()
            raise APIConnectionError("The connection was lost.")
        return answer

    async def alost(connection: Any, request: Any, context: Any) -> Any:
        answer = await original(connection, request, context)
        if request.path == path and left:
            left.pop()
            raise APIConnectionError("The connection was lost.")
        return answer

    monkeypatch.setattr(procedures, name, alost if name == "afetch" else lost)


def interrupt_creation(
    studio: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> BatchRun[Any]:
    """Return a run that died after its batch was created, so many days ago."""
    settle_at_once(monkeypatch)
    path = tmp_path / "run"
    run: BatchRun[Any] = BatchRun.prepare(chat(studio), ["Hi"], directory=path)
    crashes = Crashes(monkeypatch)
    crashes.begin(moment_of_creation(studio, tmp_path, crashes))
    with pytest.raises(Crash):
        run.submit()
    crashes.begin(0)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + days * 86400)
    return BatchRun.open(path, api_key=studio.api_key)


def test_a_creation_that_was_begun_too_long_ago_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list has the batches of 30 days: older ones cannot be ruled out."""
    with Emulator() as studio:
        run = interrupt_creation(studio, tmp_path, monkeypatch, days=30)
        sent = len(studio.requests)
        with pytest.raises(ConfigurationError, match="30 days ago"):
            run.submit()
        assert len(studio.requests) == sent


def test_a_creation_that_was_begun_four_weeks_ago_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Emulator() as studio:
        run = interrupt_creation(studio, tmp_path, monkeypatch, days=28)
        sent = len(studio.requests)
        run.submit()
        assert [request.method for request in studio.requests[sent:]] == ["GET"]
        assert run.batch_ids == [studio.batches[-1].id]


def moment_of_creation(studio: Emulator, tmp_path: Path, crashes: Crashes) -> int:
    """Return the moment after the creation of the batch of a run with one part."""
    run: BatchRun[Any] = BatchRun.prepare(
        chat(studio), ["Hi"], directory=tmp_path / "other"
    )
    crashes.begin(0)
    run.submit()
    # The state is written afterwards: one moment before, and one after.
    return crashes.passed - 2


def test_time_passes_before_a_batch_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be listed a little later than it is created."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    lose_answers(monkeypatch, "fetch", "/batches")
    with Emulator() as studio:
        BatchRun.prepare(chat(studio), ["Hi"], directory=tmp_path / "run").submit()
    assert len(waits) == 1
    assert 4 < waits[0] <= 5
