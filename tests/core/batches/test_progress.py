"""The steps of a run: how it waits, and what an unfinished submission is asked for."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.batches import BatchRun
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.emulator import BatchScript, Emulator, Fault
from modelstudio_core.errors import (
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
)
from modelstudio_core.transport.fetch import JsonAnswer
from modelstudio_core.transport.procedures import Fetch, Sleep
from modelstudio_core.transport.requests import HttpRequest
from tests.support.batches import change, chat, finish, prompts, small_parts

Run = BatchRun[Any]
KEY = "sk-0123456789abcdef"


def submitted(studio: Emulator, path: Path, seconds: float = 60) -> Run:
    """Return a run whose batch ends after so many seconds."""
    studio.script_batches(BatchScript(seconds=seconds))
    run: Run = BatchRun.prepare(chat(studio), prompts(2), directory=path)
    run.submit()
    return run


def methods(studio: Emulator, begin: int) -> list[str]:
    return [request.method for request in studio.requests[begin:]]


# --- Waiting --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("poll_interval", "expected"),
    [
        (None, [30, 37.5, 46.875, 58.59375, 60, 60, 60]),
        (50, [50, 50, 50, 50, 50, 50]),
    ],
)
def test_the_interval_of_the_looks_grows_up_to_a_minute_if_none_is_given(
    poll_interval: float | None,
    expected: list[float],
    studio: Emulator,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        studio.advance(seconds)

    run = submitted(studio, path, seconds=295)
    monkeypatch.setattr(time, "sleep", sleep)
    run.collect(poll_interval=poll_interval)
    assert waits == expected
    assert run.status == "collected"


class EndOfTestError(Exception):
    """What a test raises in the place of a wait."""


def test_no_wait_is_longer_than_the_time_that_is_left(
    studio: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        raise EndOfTestError

    run = submitted(studio, path)
    monkeypatch.setattr(time, "sleep", sleep)
    for timeout, poll_interval in ((29, None), (None, None), (29, 20)):
        with pytest.raises(EndOfTestError):
            run.collect(timeout=timeout, poll_interval=poll_interval)
    assert 0 < waits[0] <= 29
    assert waits[1] == 30
    assert 0 < waits[2] <= 20


def test_without_time_there_is_one_look(studio: Emulator, path: Path) -> None:
    run = submitted(studio, path)
    begin = len(studio.requests)
    with pytest.raises(APITimeoutError, match="has not ended within 0 s"):
        run.collect(timeout=0)
    assert methods(studio, begin) == ["GET"]
    finish(studio, run, timeout=0)
    assert run.count_rows() == {"done": 2}


def fail_at_looks(
    studio: Emulator, monkeypatch: pytest.MonkeyPatch, failures: list[bool]
) -> None:
    """Let looks fail, beginning with the first; then the batch has ended."""
    looks = iter(failures)

    def before_look(_seconds: float = 0) -> None:
        fails = next(looks, None)
        if fails is None:
            studio.advance(120)
        elif fails:
            studio.script(Fault(status=503))

    before_look()
    monkeypatch.setattr(time, "sleep", before_look)


def test_looks_may_fail_nine_times_in_a_row(
    studio: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = submitted(studio, path)
    begin = len(studio.requests)
    fail_at_looks(studio, monkeypatch, [True] * 9 + [False] + [True] * 9)
    run.collect(poll_interval=0)
    # The last look, and a download.
    assert methods(studio, begin) == ["GET"] * (9 + 1 + 9 + 1 + 1)
    assert run.count_rows() == {"done": 2}


@pytest.mark.parametrize("before", [0, 1])
def test_the_tenth_look_in_a_row_that_fails_ends_the_wait(
    before: int, studio: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = submitted(studio, path)
    begin = len(studio.requests)
    fail_at_looks(studio, monkeypatch, [False] * before + [True] * 20)
    with pytest.raises(APIStatusError) as caught:
        run.collect(poll_interval=0)
    assert caught.value.status_code == 503
    assert methods(studio, begin) == ["GET"] * (before + 10)


def test_a_look_that_is_refused_ends_the_wait(studio: Emulator, path: Path) -> None:
    run = submitted(studio, path)
    begin = len(studio.requests)
    studio.script(Fault(status=400))
    with pytest.raises(BadRequestError):
        run.collect(poll_interval=0)
    assert methods(studio, begin) == ["GET"]


# --- Before all is submitted ----------------------------------------------------------


def test_nothing_is_asked_about_batches_that_were_not_begun(
    studio: Emulator, path: Path
) -> None:
    run: Run = BatchRun.prepare(chat(studio), prompts(3), directory=path)
    run.refresh()
    run.cancel()
    assert (run.status, studio.requests) == ("prepared", [])
    assert run.resume() == 3
    assert run.status == "running"
    assert methods(studio, 0) == ["POST", "POST"]


def test_of_a_run_in_submission_the_batches_that_there_are_can_be_asked_for(
    studio: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch, 1)
    run: Run = BatchRun.prepare(chat(studio), prompts(2), directory=path)
    file = path / "part-0002.jsonl"
    content = file.read_bytes()
    file.write_bytes(content + b"\n")
    with pytest.raises(ConfigurationError, match=r"part-0002\.jsonl"):
        run.submit()
    assert (run.status, len(run.batch_ids)) == ("submitting", 1)
    begin = len(studio.requests)
    run.refresh()
    assert methods(studio, begin) == ["GET"]
    with pytest.raises(ConfigurationError, match=r"call submit\(\) first"):
        run.collect()
    file.write_bytes(content)
    run.submit()
    assert (run.status, len(run.batch_ids)) == ("running", 2)
    finish(studio, run)
    assert run.count_rows() == {"done": 2}


# --- After an interruption ------------------------------------------------------------


def interrupted(path: Path, step: str) -> tuple[Run, dict[str, Any]]:
    """Return a run that was interrupted a minute ago, and the state of its part."""
    model = ChatArguments(model="qwen-plus", region="beijing", api_key=KEY)
    BatchRun.prepare(model, prompts(2), directory=path)
    moment = time.time() - 60
    change(path / "state.json", step=step, step_time=moment, file_id="file-1")
    run: Run = BatchRun.open(path, api_key=KEY)
    return run, run._progress.parts[0].to_json()


def first_request(procedure: Any) -> tuple[str, str]:
    """Return the method and the path of the first request."""
    step = next(procedure)
    assert isinstance(step, Fetch)
    return step.request.method, step.request.path


def answered(procedure: Any, body: dict[str, Any]) -> HttpRequest | None:
    """Answer the last request; return the next one, None at the end."""
    try:
        step = procedure.send(JsonAnswer(body, None, {}))
    except StopIteration:
        return None
    assert isinstance(step, Fetch)
    return step.request


def batch(name: str, **fields: object) -> dict[str, object]:
    return {"id": name, "status": "validating", "input_file_id": "file-1", **fields}


def test_of_several_batches_of_a_file_the_first_is_that_of_the_part(
    path: Path,
) -> None:
    run, _ = interrupted(path, "creating")
    procedure = run._progress.submit()
    assert first_request(procedure) == ("GET", "/batches")
    created = {"batch_2": 20, "batch_1": 10, "batch_3": 30}
    found = [batch(name, created_at=moment) for name, moment in created.items()]
    assert answered(procedure, {"data": found}) is None
    assert run.batch_ids == ["batch_1"]


def test_the_time_until_a_batch_is_listed_counts_from_the_failure_of_its_creation(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway may fail after a minute, and the service create the batch just then."""
    run, part = interrupted(path, "uploaded")
    procedure = run._progress.submit()
    assert first_request(procedure) == ("POST", "/batches")
    late = part["step_time"] + 3600
    monkeypatch.setattr(time, "time", lambda: late)
    step = procedure.throw(APIStatusError("Gateway Timeout", status_code=504))
    assert isinstance(step, Sleep)
    assert step.seconds == 5
    procedure.close()


def test_a_batch_that_is_listed_late_is_found_by_the_next_submission(
    path: Path,
) -> None:
    """What died may have created it a moment ago, however long ago it began."""
    run, _ = interrupted(path, "creating")
    procedure = run._progress.submit()
    assert first_request(procedure) == ("GET", "/batches")
    step = procedure.send(JsonAnswer({"data": []}, None, {}))
    assert isinstance(step, Sleep)
    assert step.seconds == 5
    request = answered(procedure, {})
    assert request is not None
    assert (request.method, request.path) == ("GET", "/batches")
    assert answered(procedure, {"data": [batch("batch_1", created_at=1)]}) is None
    assert run.batch_ids == ["batch_1"]


def test_a_file_of_the_same_name_and_size_is_that_of_an_upload(path: Path) -> None:
    run, part = interrupted(path, "uploading")
    name = f"{run.id}-0001-{part['sha256'][:8]}.jsonl"
    files = [
        {"id": "file-2", "filename": name, "bytes": part["size"] + 1},
        {"id": "file-3", "filename": "other.jsonl", "bytes": part["size"]},
        {"id": "file-4", "filename": name, "bytes": part["size"]},
        {"id": "file-5", "filename": name, "bytes": part["size"]},
    ]
    for found, path_of_next in ((files, "/batches"), (files[:2], "/files")):
        change(path / "state.json", step="uploading", file_id=None)
        procedure = run._progress.submit()
        assert first_request(procedure) == ("GET", "/files")
        request = answered(procedure, {"data": found})
        assert request is not None
        assert (request.method, request.path) == ("POST", path_of_next)
        if path_of_next == "/batches":
            assert (request.json or {})["input_file_id"] == "file-4"
        procedure.close()


def test_uploads_are_looked_for_from_an_hour_before_they_were_begun(
    path: Path,
) -> None:
    """The clocks of two machines differ."""
    run, part = interrupted(path, "uploading")
    procedure = run._progress.submit()
    step = next(procedure)
    assert isinstance(step, Fetch)
    text = (step.request.query or {})["create_after"]
    begin = datetime.strptime(f"{text}+0800", "%Y%m%d%H%M%S%z")
    assert 3600 <= part["step_time"] - begin.timestamp() < 3601
    procedure.close()


def test_an_upload_that_cannot_be_looked_for_is_made_again(path: Path) -> None:
    run, _ = interrupted(path, "uploading")
    procedure = run._progress.submit()
    next(procedure)
    refusal = APIStatusError("No.", status_code=404)
    step = procedure.throw(refusal)
    assert isinstance(step, Fetch)
    assert (step.request.method, step.request.path) == ("POST", "/files")
    procedure.close()


def test_a_batch_that_ends_before_it_is_cancelled_is_looked_at_again(
    path: Path,
) -> None:
    run, _ = interrupted(path, "created")
    change(path / "state.json", batch_id="batch_1", status="in_progress")
    procedure = run._progress.cancel()
    assert first_request(procedure) == ("GET", "/batches/batch_1")
    request = answered(procedure, batch("batch_1", status="in_progress"))
    assert request is not None
    assert (request.method, request.path) == ("POST", "/batches/batch_1/cancel")
    step = procedure.throw(BadRequestError("It has ended.", status_code=400))
    assert isinstance(step, Fetch)
    assert (step.request.method, step.request.path) == ("GET", "/batches/batch_1")
    assert answered(procedure, batch("batch_1", status="completed")) is None
    assert run.status == "ended"
