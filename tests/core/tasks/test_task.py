"""A task: its queries, its cancellation, its end, and its saved state."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelstudio_core.errors import (
    APITimeoutError,
    ConfigurationError,
    InternalServerError,
    InvalidResponseError,
    PolicyError,
    TaskFailedError,
)
from modelstudio_core.policy import Policy, set_policy
from modelstudio_core.tasks import Task
from tests.support.http_server import HttpServer, Scripted, serve_http
from tests.support.internals import no_backoff
from tests.support.models import KEY
from tests.support.tasks import IMAGE, STYLES, Style, Tasks

EACH_STYLE = pytest.mark.parametrize("style", STYLES)
AT: dict[str, Any] = {"api_key": KEY, "region": "singapore"}
URL = "https://a.aliyuncs.com/b.png"
ID = "t-1-of-many"


def answer(status: str, task_id: str = ID, **facts: Any) -> Scripted:
    """Return an answer about a task."""
    output = {"task_id": task_id, "task_status": status, **facts}
    body = json.dumps({"output": output, "request_id": f"r-{status}"})
    return Scripted(body=body.encode())


def at(server: HttpServer, style: Style, **arguments: Any) -> Tasks:
    return Tasks(
        style,
        {"api_key": KEY, "base_url": server.base_url, "max_retries": 0, **arguments},
    )


@EACH_STYLE
async def test_a_query_is_repeated_and_a_cancellation_is_not(
    style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_backoff(monkeypatch)
    fault = Scripted(status=500)
    with serve_http(fault, answer("RUNNING"), fault, answer("RUNNING")) as server:
        tasks = at(server, style, max_retries=2)
        task = Task.from_id(ID, **tasks.connection)
        await tasks.refresh(task)
        assert (task.status, task.done, task.request_id) == (
            "RUNNING",
            False,
            "r-RUNNING",
        )
        with pytest.raises(InternalServerError):
            await tasks.cancel(task)
    path = f"/api/v1/tasks/{ID}"
    assert [(r.method, r.path) for r in server.received] == [
        *[("GET", path)] * 2,
        ("POST", f"{path}/cancel"),
    ]
    assert task.status == "RUNNING"


@EACH_STYLE
@pytest.mark.parametrize(
    ("body", "request_id"), [({"request_id": "r-body"}, "r-body"), ({}, "r-header")]
)
async def test_a_task_that_was_canceled_has_the_id_of_that_request(
    style: Style, body: dict[str, str], request_id: str
) -> None:
    headers = {"x-request-id": "r-header"}
    canceled = Scripted(body=json.dumps(body).encode(), headers=headers)
    with serve_http(canceled) as server:
        tasks = at(server, style)
        task = Task.from_id(ID, **tasks.connection)
        await tasks.cancel(task)
    assert (task.status, task.done, task.request_id) == ("CANCELED", True, request_id)


@EACH_STYLE
async def test_a_policy_of_models_bounds_queries_and_cancellations(
    style: Style,
) -> None:
    with serve_http(answer("RUNNING")) as server:
        tasks = at(server, style)
        named = Task.from_id(ID, model=IMAGE, **tasks.connection)
        unnamed = Task.from_id(ID, **tasks.connection)
        set_policy(Policy(models=["wan*"]))
        await tasks.refresh(named)
        await tasks.cancel(named)
        for request in (tasks.refresh, tasks.cancel):
            with pytest.raises(PolicyError):
                await request(unnamed)
        set_policy(Policy(models=["qwen*"]))
        for request in (tasks.refresh, tasks.cancel):
            with pytest.raises(PolicyError):
                await request(named)
    assert len(server.received) == 2


@EACH_STYLE
@pytest.mark.parametrize("other", ["t-0", "t-2", f"{ID}0"])
async def test_an_answer_about_another_task_changes_nothing(
    style: Style, other: str
) -> None:
    with serve_http(answer("SUCCEEDED", other)) as server:
        tasks = at(server, style)
        task = Task.from_id(ID, **tasks.connection)
        with pytest.raises(InvalidResponseError, match=f"task {ID} is about another"):
            await tasks.refresh(task)
    assert (task.id, task.status) == (ID, "UNKNOWN")


# --- Waiting --------------------------------------------------------------------------


@EACH_STYLE
async def test_a_result_is_read_once(style: Style) -> None:
    done = answer("SUCCEEDED", results=[{"url": URL}])
    with serve_http(answer("PENDING"), answer("RUNNING"), done) as server:
        tasks = at(server, style)
        task = Task.from_id(ID, **tasks.connection)
        result = await tasks.result(task)
        assert await tasks.result(task) is result
        # Another process queries it again.
        assert task.to_dict()["answer"] is None
    assert len(server.received) == 3
    assert (result.task_id, [file.url for file in result.files]) == (ID, [URL])


@EACH_STYLE
@pytest.mark.parametrize("status", ["FAILED", "CANCELED"])
async def test_a_task_without_a_result_is_an_error(style: Style, status: str) -> None:
    end = answer(status, code="Refused", message="It was refused.")
    with serve_http(end) as server:
        tasks = at(server, style)
        task = Task.from_id(ID, **tasks.connection)
        with pytest.raises(TaskFailedError) as caught:
            await tasks.result(task)
    error = caught.value
    assert (error.task_id, error.status, error.code) == (ID, status, "Refused")
    assert error.request_id == f"r-{status}"
    assert isinstance(error.body, dict)
    assert error.body["output"]["task_status"] == status


@EACH_STYLE
async def test_a_task_is_waited_for_as_long_as_it_lives(style: Style) -> None:
    with serve_http(answer("RUNNING")) as server:
        tasks = at(server, style)
        state = Task.from_id(ID, **tasks.connection).to_dict()
        for hours in (24, 25):
            created = datetime.now(UTC) - timedelta(hours=hours)
            old = {**state, "created_at": created.isoformat()}
            task = Task.from_dict(old, **tasks.connection)
            with pytest.raises(APITimeoutError, match=r"RUNNING after 0 s\.") as caught:
                await tasks.result(task)
            assert not caught.value.is_retryable
    assert len(server.received) == 2


@EACH_STYLE
@pytest.mark.parametrize(
    ("model", "label"), [("", "task t-1-of-m:"), (IMAGE, f"{IMAGE} t-1-of-m:")]
)
async def test_only_progress_that_is_asked_for_is_shown(
    style: Style, model: str, label: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve_http(answer("SUCCEEDED", results=[{"url": URL}])) as server:
        tasks = at(server, style)
        await tasks.result(Task.from_id(ID, model=model, **tasks.connection))
        assert capsys.readouterr() == ("", "")
        task = Task.from_id(ID, model=model, **tasks.connection)
        await tasks.result(task, progress=True)
    assert label in capsys.readouterr().err


# --- State ----------------------------------------------------------------------------


def test_a_task_says_where_it_is() -> None:
    task = Task.from_id(ID, model=IMAGE, **AT)
    assert repr(task) == (
        f"Task('{ID}', model='{IMAGE}', status='UNKNOWN', region='ap-southeast-1',"
        " mode='international', host='dashscope-intl.aliyuncs.com')"
    )
    assert (task.model, task.created_at, task.request_id) == (IMAGE, None, None)
    assert Task.from_id(ID, **AT).model == ""


def test_a_saved_task_has_the_status_that_was_seen() -> None:
    state = Task.from_id(ID, model=IMAGE, **AT).to_dict()
    assert (state["created_at"], state["answer"]) == (None, None)
    created = datetime(2026, 4, 17, 8, 26, 34, tzinfo=UTC)
    for status, seen in (("RUNNING", "RUNNING"), (None, "UNKNOWN"), (3, "UNKNOWN")):
        changed = {**state, "status": status, "created_at": created.isoformat()}
        task = Task.from_dict(changed, api_key=KEY)
        assert (task.status, task.created_at, task.model) == (seen, created, IMAGE)
        assert task.to_dict() == {**changed, "status": seen}


@pytest.mark.parametrize("version", [0, 2, None, "1", "x" * 100])
def test_a_state_of_another_release_is_refused(version: object) -> None:
    state = {**Task.from_id(ID, **AT).to_dict(), "version": version}
    message = "and this release reads version 1: use the release that wrote it"
    with pytest.raises(ConfigurationError, match=message) as caught:
        Task.from_dict(state, api_key=KEY)
    assert len(caught.value.message) < 150


def test_the_policy_is_checked_for_the_model_of_a_state() -> None:
    state = Task.from_id(ID, model=IMAGE, **AT).to_dict()
    set_policy(Policy(models=["wan*"]))
    assert Task.from_dict(state, api_key=KEY).model == IMAGE
    set_policy(Policy(models=["qwen*"]))
    with pytest.raises(PolicyError):
        Task.from_dict(state, api_key=KEY)
