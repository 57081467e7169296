"""Waiting for a task: pace, time limits, failed queries, and the shared budget."""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.emulator import Emulator, Fault, TaskOutcome
from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    InvalidResponseError,
    RateLimitError,
    TaskFailedError,
)
from modelstudio_core.tasks import Task, status, waiting
from modelstudio_core.tasks.waiting import Wait, progress_bar, query_gate
from tests.support.http_server import Scripted, serve_http
from tests.support.models import KEY
from tests.support.tasks import (
    IMAGE,
    STYLES,
    Style,
    Tasks,
    creations,
    stop_clock,
)

EACH_STYLE = pytest.mark.parametrize("style", STYLES)


@EACH_STYLE
async def test_the_states_of_a_task(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    modelstudio_emulator.script_tasks(TaskOutcome(seconds=100))
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit()
    seen = [(task.status, task.done)]
    for seconds in (0, 50, 50):
        modelstudio_emulator.advance(seconds)
        await at.refresh(task)
        seen.append((task.status, task.done))
    assert seen == [
        ("PENDING", False),
        ("PENDING", False),
        ("RUNNING", False),
        ("SUCCEEDED", True),
    ]
    count = len(modelstudio_emulator.requests)
    result = await at.result(task)
    assert len(modelstudio_emulator.requests) == count
    (file,) = result.files
    assert file.expires_at is not None
    left = file.expires_at - datetime.now(UTC)
    assert timedelta(hours=23) < left < timedelta(hours=24, minutes=5)
    assert result.usage == {"image_count": 1}


@EACH_STYLE
async def test_a_task_is_canceled_while_it_is_pending(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    modelstudio_emulator.script_tasks(*[TaskOutcome(seconds=100)] * 2)
    at = Tasks.at(style, modelstudio_emulator)
    task, running = await at.submit(), await at.submit(prompt="B")
    await at.cancel(task)
    assert (task.status, task.done) == ("CANCELED", True)
    with pytest.raises(TaskFailedError, match="was canceled") as caught:
        await at.result(task)
    assert caught.value.status == "CANCELED"
    modelstudio_emulator.advance(50)
    with pytest.raises(BadRequestError) as refused:
        await at.cancel(running)
    assert refused.value.code == "UnsupportedOperation"


@EACH_STYLE
async def test_a_task_that_is_late_goes_on(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    modelstudio_emulator.script_tasks(TaskOutcome(seconds=100))
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit()
    begin = time.monotonic()
    with pytest.raises(APITimeoutError, match=task.id) as caught:
        await at.result(task, timeout=0.2, poll_interval=0.1)
    assert time.monotonic() - begin < 2
    assert isinstance(caught.value, TimeoutError)
    assert "It goes on" in caught.value.message
    modelstudio_emulator.advance(100)
    assert len((await at.result(task)).files) == 1
    assert creations(modelstudio_emulator) == 1


@EACH_STYLE
async def test_a_time_limit_of_zero_queries_once(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit()
    assert (await at.result(task, timeout=0)).files


@EACH_STYLE
async def test_a_task_that_failed(style: Style, modelstudio_emulator: Emulator) -> None:
    modelstudio_emulator.script_tasks(TaskOutcome(status="FAILED"))
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit()
    with pytest.raises(TaskFailedError, match="inappropriate content") as caught:
        await at.result(task)
    error = caught.value
    assert (error.code, error.status) == ("DataInspectionFailed", "FAILED")
    assert (error.task_id, error.is_retryable) == (task.id, False)
    assert error.request_id == task.request_id
    again = Task.from_dict(task.to_dict(), **at.connection)
    with pytest.raises(TaskFailedError, match="inappropriate content"):
        await at.result(again)


@EACH_STYLE
async def test_some_files_failed(style: Style, modelstudio_emulator: Emulator) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    for model, errors in (
        ("wan2.5-t2i-preview", [True, False, True]),
        # Of choices the service sends the good ones only.
        (IMAGE, [False, True, True]),
    ):
        modelstudio_emulator.script_tasks(TaskOutcome(failed={0, 2}))
        task = await at.submit(model=model, prompt="A", parameters={"n": 3})
        result = await at.result(task)
        assert [file.error is not None for file in result.files] == errors
        assert [file.url is None for file in result.files] == errors
    modelstudio_emulator.script_tasks(TaskOutcome(failed={1}))
    task = await at.submit(model="fun-asr", urls=["https://a.com/1", "https://a.com/2"])
    good, bad = (await at.result(task)).files
    assert good.error is None
    assert bad.error is not None
    assert bad.error.code == "DataInspectionFailed"
    assert bad.raw["file_url"] == "https://a.com/2"


# --- UNKNOWN --------------------------------------------------------------------------


@EACH_STYLE
async def test_unknown_soon_after_the_creation_may_be_temporary(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    modelstudio_emulator.script_tasks(TaskOutcome(unknown=4))
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit()
    await at.refresh(task)
    assert (task.status, task.done) == ("UNKNOWN", False)
    assert len((await at.result(task)).files) == 1
    assert creations(modelstudio_emulator) == 1


@EACH_STYLE
async def test_unknown_for_long_is_the_end(
    style: Style, modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "_UNKNOWN_SECONDS", 0.05)
    at = Tasks.at(style, modelstudio_emulator)
    task = Task.from_id("nobody-made-it", **at.connection)
    with pytest.raises(TaskFailedError, match="another endpoint") as caught:
        await at.result(task, poll_interval=0.02)
    assert caught.value.status == "UNKNOWN"
    assert len(modelstudio_emulator.requests) >= 3


@EACH_STYLE
async def test_a_task_is_forgotten_after_24_hours(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit()
    await at.refresh(task)
    state = task.to_dict()
    modelstudio_emulator.advance(24 * 3600 + 1)
    old = (datetime.now(UTC) - timedelta(hours=24, seconds=1)).isoformat()
    late = Task.from_dict({**state, "created_at": old}, **at.connection)
    with pytest.raises(TaskFailedError, match="older than 24 hours"):
        await at.result(late)
    assert await at.list() == []


# --- Queries that fail ----------------------------------------------------------------


@EACH_STYLE
async def test_an_error_that_will_not_pass_ends_the_wait(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit()
    modelstudio_emulator.script(Fault(status=401, code="invalid_api_key"))
    with pytest.raises(AuthenticationError, match="which goes on"):
        await at.result(task)
    assert len((await at.result(task)).files) == 1


@EACH_STYLE
async def test_errors_for_five_minutes_end_the_wait(
    style: Style, modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_MAX_FAILING", 0.05)
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit()
    modelstudio_emulator.script(*[Fault(status=429, code="limit_requests")] * 30)
    with pytest.raises(RateLimitError, match=task.id):
        await at.result(task, poll_interval=0.02)
    modelstudio_emulator.clear_script()
    assert creations(modelstudio_emulator) == 1


@EACH_STYLE
async def test_an_answer_about_another_task_is_not_taken_for_its_own(
    style: Style,
) -> None:
    answers = [
        Scripted(body=b'{"output":{"task_id":"t-1","task_status":"PENDING"}}'),
        Scripted(body=b'{"output":{"task_id":"t-2","task_status":"SUCCEEDED"}}'),
    ]
    with serve_http(*answers) as server:
        at = Tasks(style, {"api_key": KEY, "base_url": server.base_url})
        task = await at.submit()
        with pytest.raises(InvalidResponseError, match="about another task"):
            await at.refresh(task)
    assert task.status == "PENDING"


@EACH_STYLE
@pytest.mark.parametrize("name", ["timeout", "poll_interval"])
@pytest.mark.parametrize(
    "value",
    [-1, True, "soon", float("inf"), float("nan"), 10**400],
    ids=["negative", "bool", "text", "inf", "nan", "huge"],
)
async def test_times_must_be_numbers(
    style: Style, name: str, value: Any, modelstudio_emulator: Emulator
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    task = Task.from_id("t-1", **at.connection)
    with pytest.raises(ConfigurationError, match=f"{name} must be a number"):
        await at.result(task, **{name: value})
    assert modelstudio_emulator.requests == []


# --- Pace -----------------------------------------------------------------------------


def test_the_pace_becomes_slower_up_to_its_limit() -> None:
    wait = Wait(3600.0, (3.0, 15.0), None, 0.0)
    pauses = [wait.pause() for _ in range(7)]
    expected = [3.0, 4.5, 6.75, 10.125, 15.0, 15.0, 15.0]
    for pause, least in zip(pauses, expected, strict=True):
        assert least <= pause <= least * 1.2


def test_waits_that_begin_together_do_not_go_on_together() -> None:
    pauses = {Wait(3600.0, (3.0, 15.0), None, 0.0).pause() for _ in range(8)}
    assert len(pauses) > 1


def test_a_saved_task_is_queried_at_once_and_a_new_one_later() -> None:
    assert Wait(60.0, (10.0, 30.0), None, float("inf")).pause() == 0.0
    assert Wait(60.0, (10.0, 30.0), None, 4.0).pause() >= 6.0
    assert Wait(2.0, (10.0, 30.0), None, 0.0).pause() <= 2.0


@pytest.mark.parametrize(
    ("left", "seconds"), [(3600.0, 60.0), (20.0, 20.0), (0.5, 1.0), (0.0, 1.0)]
)
def test_a_query_may_take_what_is_left_between_a_second_and_a_minute(
    left: float, seconds: float
) -> None:
    deadline = Wait(left, (3.0, 15.0), None, 0.0).begin_query()
    assert deadline.seconds == pytest.approx(seconds, abs=0.5)


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    return stop_clock(monkeypatch, "waiting")


def test_a_fixed_interval_stays_as_it_is() -> None:
    wait = Wait(3600.0, (3.0, 15.0), 7.0, 0.0)
    assert [wait.pause() for _ in range(3)] == pytest.approx([7.0] * 3)
    wait = Wait(3600.0, (3.0, 15.0), 0.0, 0.0)
    assert [wait.pause() for _ in range(3)] == [0.0] * 3
    # What has passed since the task was seen counts once.
    wait = Wait(3600.0, (3.0, 15.0), 7.0, 2.0)
    assert [wait.pause() for _ in range(3)] == pytest.approx([5.0, 7.0, 7.0])


def test_a_pause_ends_with_the_wait(advance: Callable[[float], None]) -> None:
    wait = Wait(10.0, (3.0, 15.0), 7.0, 0.0)
    assert (wait.pause(), wait.is_over) == (7.0, False)
    wait.begin_query()
    advance(7.0)
    assert (wait.pause(), wait.is_over) == (3.0, False)
    advance(2.0)
    assert (wait.pause(), wait.is_over) == (1.0, False)
    advance(1.0)
    assert (wait.pause(), wait.is_over) == (0.0, True)
    advance(100.0)
    assert (wait.pause(), wait.is_over) == (0.0, True)


def test_one_query_is_made_after_the_end_of_a_wait(
    advance: Callable[[float], None],
) -> None:
    wait = Wait(10.0, (3.0, 15.0), None, 0.0)
    advance(100.0)
    assert not wait.is_over
    assert wait.begin_query().seconds == 1.0
    assert wait.is_over


def test_a_longer_wait_that_the_service_asks_for_is_kept() -> None:
    wait = Wait(3600.0, (3.0, 15.0), None, 0.0)
    wait.count_failure(RateLimitError("Slow down.", retry_after=40.0), "t-1")
    assert wait.pause() >= 40.0


@pytest.mark.parametrize(
    ("interval", "retry_after", "pause"),
    [(0.0, None, 0.0), (7.0, None, 7.0), (7.0, 2.0, 7.0), (7.0, 9.0, 9.0)],
)
def test_a_shorter_wait_than_the_interval_changes_nothing(
    interval: float, retry_after: float | None, pause: float
) -> None:
    wait = Wait(3600.0, (3.0, 15.0), interval, 0.0)
    wait.count_failure(RateLimitError("Slow down.", retry_after=retry_after), "t-1")
    assert wait.pause() == pytest.approx(pause)


@pytest.mark.parametrize(
    ("error", "is_temporary"),
    [
        (RateLimitError("Slow down."), True),
        (InternalServerError("Oops."), True),
        (APIConnectionError("Cut."), True),
        # Whether the same request may be repeated is another question.
        (APIConnectionError("Lost.", is_retryable=False), True),
        (AuthenticationError("No."), False),
        (BadRequestError("Wrong."), False),
    ],
    ids=str,
)
def test_a_query_that_failed_is_made_again_if_the_error_may_pass(
    error: APIError, *, is_temporary: bool
) -> None:
    wait = Wait(3600.0, (3.0, 15.0), None, 0.0)
    if is_temporary:
        wait.count_failure(error, "t-1")
        return
    with pytest.raises(
        type(error), match=r"query of task t-1, which goes on"
    ) as caught:
        wait.count_failure(error, "t-1")
    assert caught.value is error


def test_only_queries_that_fail_for_five_minutes_end_a_wait(
    advance: Callable[[float], None],
) -> None:
    def fail() -> None:
        wait.count_failure(RateLimitError("Slow down."), "t-1")

    for is_answered in (False, True):
        wait = Wait(86400.0, (3.0, 15.0), None, 0.0)
        if is_answered:
            advance(299.0)
            fail()
            wait.count_answer()
        for _ in range(2):
            advance(150.0)
            fail()
        advance(1.0)
        with pytest.raises(RateLimitError, match="query of task t-1"):
            fail()


def test_a_wait_says_how_long_it_was() -> None:
    text = Wait(90.5, (3.0, 15.0), None, 0.0).describe("t-1", "RUNNING")
    assert text.startswith("Task t-1 was RUNNING after 90.5 s. It goes on")


def test_all_queries_with_one_key_at_one_endpoint_have_one_budget() -> None:
    def gate(**arguments: Any) -> object:
        at = {"api_key": KEY, "region": "singapore", **arguments}
        return query_gate(resolve_connection(at))

    assert gate() is gate(mode="international")
    others = [gate(api_key="sk-another"), gate(region="beijing")]
    assert len({id(each) for each in [gate(), *others]}) == 3


async def test_all_waits_share_20_queries_a_second(
    modelstudio_emulator: Emulator,
) -> None:
    """The emulator refuses more, as the service does; nothing is refused here."""
    modelstudio_emulator.script_tasks(*[TaskOutcome(seconds=0)] * 8)
    created = [
        await Tasks.at("sync", modelstudio_emulator).submit(prompt=str(number))
        for number in range(8)
    ]
    ends = time.monotonic() + 1.3
    threads = [
        threading.Thread(target=_query, args=(task, ends)) for task in created[:4]
    ]
    for thread in threads:
        thread.start()
    await asyncio.gather(*(_aquery(task, ends) for task in created[4:]))
    for thread in threads:
        thread.join()
    queries = sum(r.method == "GET" for r in modelstudio_emulator.requests)
    assert 20 <= queries <= 48
    assert {task.status for task in created} == {"SUCCEEDED"}


def _query(task: Task, ends: float) -> None:
    while time.monotonic() < ends:
        task.refresh()


async def _aquery(task: Task, ends: float) -> None:
    while time.monotonic() < ends:
        await task.arefresh()


def test_a_progress_bar_shows_the_status(
    modelstudio_emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    from modelstudio_core import tasks

    task = tasks.submit(
        model=IMAGE,
        prompt="A",
        base_url=modelstudio_emulator.base_url,
        api_key=modelstudio_emulator.api_key,
    )
    task.result(progress=True, poll_interval=0.0)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert IMAGE in shown.err
    assert "SUCCEEDED" in shown.err


@pytest.mark.parametrize(
    ("done", "total", "shown"),
    [(1, 3, "1/3 "), (3, 3, "3/3 "), (2, 0, "2file "), (0, 0, "0file ")],
)
def test_a_progress_bar_counts_the_files(
    done: int, total: int, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar("task t-1", is_shown=True) as show:
        show("RUNNING", done, total)
    text = capsys.readouterr().err
    assert "task t-1: " in text
    assert shown in text
    assert "RUNNING" in text


def test_a_progress_bar_needs_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with (
        pytest.raises(ConfigurationError, match="pip install tqdm"),
        progress_bar("task t-1", is_shown=True),
    ):
        pass
    with progress_bar("task t-1", is_shown=False) as show:
        show("RUNNING", 1, 3)


def test_no_progress_bar_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("task t-1", is_shown=False) as show:
        show("RUNNING", 1, 3)
    assert capsys.readouterr() == ("", "")


# --- The list -------------------------------------------------------------------------


@EACH_STYLE
async def test_a_list_has_several_pages(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    for number in range(3):
        await at.submit(prompt=str(number))
    found = await at.list(limit=2)
    assert len(found) == 2
    assert modelstudio_emulator.requests[-1].query == {"page_size": "2", "page_no": "1"}
    assert [s.status for s in await at.list(status="SUCCEEDED")] == ["SUCCEEDED"] * 3
    assert await at.list(status="RUNNING") == []
    later = datetime.now(UTC) + timedelta(hours=1)
    assert await at.list(since=later) == []
    assert len(await at.list(until=later, model=IMAGE)) == 3
    bad: list[dict[str, Any]] = [
        {"limit": 0},
        {"status": 3},
        {"since": datetime(2026, 1, 1)},  # noqa: DTZ001 - what is tested
        {"statsu": "RUNNING"},
    ]
    count = len(modelstudio_emulator.requests)
    for arguments in bad:
        with pytest.raises(ConfigurationError):
            await at.list(**arguments)
    assert len(modelstudio_emulator.requests) == count


@EACH_STYLE
async def test_pages_are_read_up_to_the_limit(style: Style) -> None:
    def page(number: int) -> Scripted:
        entries = [
            {"task_id": f"t-{number}-{n}", "status": "RUNNING", "gmt_create": 1}
            for n in range(2)
        ]
        body = {"data": entries, "total_page": 3, "page_no": number}
        return Scripted(body=json.dumps(body).encode())

    with serve_http(page(1), page(2), page(3)) as server:
        at = Tasks(style, {"api_key": KEY, "base_url": server.base_url})
        found = await at.list(limit=3)
    assert [summary.id for summary in found] == ["t-1-0", "t-1-1", "t-2-0"]
    assert [r.query["page_no"] for r in server.received] == ["1", "2"]
