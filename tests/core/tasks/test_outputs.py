"""The files of a result: names, addresses, and downloads that fail."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.emulator import Emulator, Fault, TaskOutcome
from modelstudio_core.errors import (
    APIStatusError,
    ConfigurationError,
    InternalServerError,
    ModelStudioWarning,
    PermissionDeniedError,
)
from modelstudio_core.tasks import Task, TaskFile, TaskResult
from modelstudio_core.tasks.outputs import make_folder
from tests.support.http_server import Scripted, serve_http
from tests.support.internals import no_backoff
from tests.support.models import KEY
from tests.support.tasks import STYLES, Style, Tasks, creations

EACH_STYLE = pytest.mark.parametrize("style", STYLES)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@EACH_STYLE
async def test_names_are_made_of_the_id_and_the_number(
    style: Style, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    modelstudio_emulator.script_tasks(TaskOutcome(failed={0}))
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit(model="wan2.5-t2i-preview", prompt="A", parameters={"n": 3})
    result = await at.result(task)
    folder = tmp_path / "new" / "folder"
    paths = await at.download(result, folder)
    expected = [f"{task.id}-2.png", f"{task.id}-3.png"]
    assert [path.name for path in paths] == names(folder) == expected
    count = len(modelstudio_emulator.requests)
    assert await at.download(result, str(folder)) == paths
    assert len(modelstudio_emulator.requests) == count


@EACH_STYLE
@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("a.PNG", ".png"),
        ("a.mp4", ".mp4"),
        ("a.json", ".json"),
        ("a.exe", ""),
        ("..%2F..%2Fetc%2Fpasswd", ""),
        ("a.png%00.sh", ""),
        ("a", ""),
        ("../../a.png/..", ""),
    ],
)
async def test_nothing_of_a_name_is_the_services(
    style: Style, path: str, suffix: str, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit(model="z-image-turbo", prompt="A")
    state = task.to_dict()
    with serve_http(Scripted(body=b"data")) as server:
        url = f"{server.base_url}/{path}"
        changed: dict[str, Any] = {**state, "answer": {"files": [{"url": url}]}}
        result = await at.result(Task.from_dict(changed, **at.connection))
        (saved,) = await at.download(result, tmp_path)
    assert saved == tmp_path / f"{task.id}-1{suffix}"
    assert names(tmp_path) == [saved.name]


@EACH_STYLE
async def test_a_download_is_repeated_and_sends_no_key(
    style: Style,
    modelstudio_emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    no_backoff(monkeypatch)
    at = Tasks.at(
        style, modelstudio_emulator, max_retries=2, default_headers={"x": "y"}
    )
    result = await at.result(await at.submit())
    modelstudio_emulator.script(*[Fault(status=503)] * 2)
    assert len(await at.download(result, tmp_path)) == 1
    downloads = modelstudio_emulator.requests[-3:]
    assert {request.path for request in downloads} == {downloads[0].path}
    for request in downloads:
        assert not {"authorization", "x", "x-dashscope-workspace"} & {*request.headers}
    modelstudio_emulator.script(*[Fault(status=503)] * 3)
    with pytest.raises(InternalServerError):
        await at.download(result, tmp_path / "other")
    assert names(tmp_path / "other") == []
    assert creations(modelstudio_emulator) == 1


@EACH_STYLE
async def test_an_address_stops_working_after_24_hours(
    style: Style, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    result = await at.result(await at.submit())
    modelstudio_emulator.advance(24 * 3600 + 1)
    with pytest.raises(PermissionDeniedError, match="24 hours after") as caught:
        await at.download(result, tmp_path)
    assert "Signature=" not in str(caught.value)
    assert names(tmp_path) == []


@EACH_STYLE
async def test_a_folder_that_cannot_be_made(
    style: Style, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    result = await at.result(await at.submit())
    file = tmp_path / "file"
    file.write_text("x")
    count = len(modelstudio_emulator.requests)
    with pytest.raises(ConfigurationError, match="cannot be made"):
        await at.download(result, file)
    assert len(modelstudio_emulator.requests) == count


@pytest.mark.parametrize("wrong", [None, 5, b"x", "a\0b"])
@pytest.mark.parametrize("style", STYLES)
async def test_a_folder_that_is_no_path_is_refused(
    style: Style, wrong: Any, modelstudio_emulator: Emulator
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    result = await at.result(await at.submit(prompt="A"))
    before = len(modelstudio_emulator.requests)
    with pytest.raises(ConfigurationError, match="directory must be a path"):
        await at.download(result, wrong)
    assert len(modelstudio_emulator.requests) == before


def result_at(base_url: str, *files: TaskFile, **facts: Any) -> TaskResult:
    """Return a result of a task at an address."""
    at = {"api_key": KEY, "base_url": base_url, "max_retries": 0}
    connection = resolve_connection({**at, **facts.pop("connection", {})})
    values: dict[str, Any] = {"task_id": "t-1", "text": "", "usage": {}, "raw": {}}
    return TaskResult(
        files=files,
        **values | facts,
        _connection=connection,
        _context=connection.context,
    )


@EACH_STYLE
@pytest.mark.parametrize(
    ("status", "hours", "sentence"),
    [
        (403, -1, "stopped"),
        (404, -1, "stopped"),
        (403, 1, "stops"),
        (404, 1, "stops"),
        (403, None, None),
        (400, -1, None),
        (410, -1, None),
        (500, -1, None),
    ],
)
async def test_an_error_says_when_the_address_stops_working(
    style: Style, status: int, hours: float | None, sentence: str | None, tmp_path: Path
) -> None:
    ends = None if hours is None else datetime.now(UTC) + timedelta(hours=hours)
    with serve_http(Scripted(status=status, body=b"x")) as server:
        url = f"{server.base_url}/a.png"
        result = result_at(server.base_url, TaskFile(url, ends, None, {}))
        with pytest.raises(APIStatusError) as caught:
            await Tasks(style, {}).download(result, tmp_path)
    message = caught.value.message
    assert message.endswith("Task t-1 is done: download its files again.")
    if sentence is None:
        assert "working" not in message
    else:
        assert f" {sentence} working at {ends:%Y-%m-%d %H:%M} UTC, 24 hours" in message
    assert names(tmp_path) == []


@EACH_STYLE
async def test_a_file_that_is_there_already_is_not_fetched(
    style: Style, tmp_path: Path
) -> None:
    (tmp_path / "t-1-1.png").write_bytes(b"old")
    with serve_http(Scripted(body=b"new")) as server:
        files = [
            TaskFile(f"{server.base_url}/{name}", None, None, {})
            for name in ("a.png", "b.png")
        ]
        result = result_at(server.base_url, *files)
        paths = await Tasks(style, {}).download(result, tmp_path)
    assert [path.read_bytes() for path in paths] == [b"old", b"new"]
    assert server.only.path == "/b.png"


@EACH_STYLE
async def test_a_name_has_the_beginning_of_a_long_id(
    style: Style, tmp_path: Path
) -> None:
    with serve_http(Scripted(body=b"x")) as server:
        file = TaskFile(f"{server.base_url}/a.jpeg", None, None, {})
        result = result_at(server.base_url, file, task_id="../ä" + "t" * 124)
        (path,) = await Tasks(style, {}).download(result, tmp_path)
    assert path == tmp_path / ("----" + "t" * 76 + "-1.jpeg")
    assert path.exists()


def clients_that(do: Callable[[httpx2.Request], None]) -> dict[str, Any]:
    """Return HTTP clients that do something in place of sending a request."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        do(request)
        return httpx2.Response(200, content=b"x")

    transport = httpx2.MockTransport(answer)
    return {
        "http_client": httpx2.Client(transport=transport),
        "http_async_client": httpx2.AsyncClient(transport=transport),
    }


@EACH_STYLE
@pytest.mark.parametrize(
    ("base_url", "scheme"),
    [("https://dashscope.aliyuncs.com", "https"), ("http://127.0.0.1:9", "http")],
)
async def test_a_result_of_the_service_is_fetched_over_https(
    style: Style, base_url: str, scheme: str, tmp_path: Path
) -> None:
    sent: list[str] = []
    clients = clients_that(lambda request: sent.append(str(request.url)))
    path = "//127.0.0.1:9/a.png" if scheme == "http" else "//a.aliyuncs.com/http://b"
    file = TaskFile(f"http:{path}", None, None, {})
    result = result_at(base_url, file, connection=clients)
    await Tasks(style, {}).download(result, tmp_path)
    assert sent == [f"{scheme}:{path}"]


@EACH_STYLE
async def test_a_file_that_cannot_be_written_is_an_error_about_its_task(
    style: Style, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    clients = clients_that(lambda _: folder.rmdir())
    file = TaskFile("https://a.aliyuncs.com/a.png", None, None, {})
    result = result_at("https://dashscope.aliyuncs.com", file, connection=clients)
    with pytest.raises(ConfigurationError, match="written to it: No such") as caught:
        await Tasks(style, {}).download(result, folder)
    assert caught.value.message.endswith("Task t-1 is done: download its files again.")


def test_a_folder_is_empty_after_it_was_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert make_folder(folder) == make_folder(str(folder)) == folder
    assert names(folder) == []


def test_an_error_says_why_a_folder_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(ConfigurationError, match=r"written to it: [A-Z][a-z ]+\.$"):
        make_folder(tmp_path / "file")

    def fail(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(ConfigurationError, match=r"written to it: PermissionError\."):
        make_folder(tmp_path / "new")


# --- Answers that nobody expects ----------------------------------------------------


async def result_of(style: Style, output: dict[str, Any]) -> TaskResult:
    """Return the result of a task that is created and done in one answer."""
    facts = {"task_id": "t-1", "task_status": "SUCCEEDED", **output}
    body = json.dumps({"output": facts}).encode()
    with serve_http(Scripted(body=body)) as server:
        at = Tasks(style, {"api_key": KEY, "base_url": server.base_url})
        return await at.result(await at.submit(), progress=True)


@EACH_STYLE
@pytest.mark.parametrize(
    "end",
    [
        "9999-12-31 23:59:59.999",
        "0001-01-01 00:00:00",
        "0001-01-01 00:00:00+23:59",
        "2026-13-01 00:00:00",
        "",
        20260417,
    ],
)
async def test_a_time_that_is_centuries_away_loses_no_result(
    style: Style, end: object
) -> None:
    url = "https://a.oss-cn-beijing.aliyuncs.com/a.png?Expires=9999999999"
    result = await result_of(style, {"end_time": end, "results": [{"url": url}]})
    (file,) = result.files
    assert file.url == url
    assert file.expires_at is not None
    assert abs(file.expires_at - datetime.now(UTC)) < timedelta(hours=25)


@EACH_STYLE
async def test_a_result_in_a_place_that_is_not_known_is_a_warning(style: Style) -> None:
    with pytest.warns(ModelStudioWarning, match="task t-1 has no file in a place"):
        result = await result_of(style, {"of_tomorrow": "https://a.com/b.png"})
    assert (result.files, result.text, result.usage) == ((), "", {})
    assert result.raw["output"]["of_tomorrow"] == "https://a.com/b.png"
    result = await result_of(style, {"text": "Hello"})
    assert (result.files, result.text) == ((), "Hello")


@EACH_STYLE
async def test_an_address_that_is_none_loses_no_other_file(
    style: Style, tmp_path: Path
) -> None:
    urls = ["https://[bad/x.png", "https://a.oss-cn-beijing.aliyuncs.com/a.png"]
    result = await result_of(style, {"results": [{"url": url} for url in urls]})
    assert [file.url for file in result.files] == urls
    with pytest.raises(ConfigurationError, match="malformed"):
        await Tasks(style, {}).download(result, tmp_path)


@EACH_STYLE
@pytest.mark.parametrize(
    "count", [50_000_000, 10**30, 10**400], ids=["50 million", "10**30", "10**400"]
)
async def test_a_count_of_files_costs_no_memory(style: Style, count: int) -> None:
    metrics = {"TOTAL": count, "SUCCEEDED": -count, "FAILED": count}
    result = await result_of(style, {"task_metrics": metrics, "text": "Hello"})
    assert len(result.files) == 1000
    assert {file.url for file in result.files} == {None}
