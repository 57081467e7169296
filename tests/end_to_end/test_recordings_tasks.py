"""Every recorded exchange about a task is sent and read as it was."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from modelstudio_core.errors import BadRequestError
from modelstudio_core.tasks import Task
from tests.support.http_server import Scripted, serve_http
from tests.support.models import KEY
from tests.support.recordings import (
    Exchange,
    creation_exchanges,
    query_exchanges,
)
from tests.support.tasks import STYLES, Style, Tasks

EACH_STYLE = pytest.mark.parametrize("style", STYLES)


def answer(exchange: Exchange) -> Scripted:
    headers = {"content-type": "application/json"}
    return Scripted(exchange.status, exchange.body.encode(), headers)


@EACH_STYLE
@pytest.mark.parametrize("exchange", creation_exchanges())
async def test_a_recorded_creation(exchange: Exchange, style: Style) -> None:
    body, request = json.loads(exchange.body), exchange.request
    path = urlsplit(exchange.url).path
    with serve_http(answer(exchange)) as server:
        at = Tasks(style, {"api_key": KEY, "base_url": server.base_url})
        task = await at.submit(
            model=request["model"],
            input=request["input"],
            path=path if "multimodal" in path else None,
            # n was left to the service in some of them.
            parameters={"n": None, **request["parameters"]},
        )
        result = await at.result(task) if task.done else None
    received = server.only
    assert received.path.rstrip("/") == path.rstrip("/")
    assert received.headers["authorization"] == f"Bearer {KEY}"
    sent = json.loads(received.body)
    assert sent == {k: v for k, v in request.items() if v != {}}
    assert task.request_id == body["request_id"]
    if result is None:
        assert received.headers["x-dashscope-async"] == "enable"
        assert (task.id, task.status) == (body["output"]["task_id"], "PENDING")
        return
    (choice,) = body["output"]["choices"]
    assert [file.url for file in result.files] == [
        part["image"] for part in choice["message"]["content"]
    ]
    assert result.usage == body["usage"]


@EACH_STYLE
@pytest.mark.parametrize("exchange", query_exchanges())
async def test_a_recorded_query(exchange: Exchange, style: Style) -> None:
    body: Any = json.loads(exchange.body)
    with serve_http(answer(exchange)) as server:
        at = Tasks(style, {"api_key": KEY, "base_url": server.base_url})
        if exchange.url.endswith("/cancel"):
            task = Task.from_id(exchange.url.split("/")[-2], **at.connection)
            with pytest.raises(BadRequestError) as caught:
                await at.cancel(task)
            assert caught.value.code == body["code"] == "UnsupportedOperation"
            assert caught.value.request_id == body["request_id"]
        elif exchange.url.endswith("/tasks"):
            (summary,) = await at.list()
            check_summary(summary, body["data"][0])
        else:
            task = Task.from_id(exchange.url.rpartition("/")[2], **at.connection)
            result = await at.result(task)
            check_result(result, body)
    assert server.only.path == urlsplit(exchange.url).path


def check_summary(summary: Any, entry: Any) -> None:
    assert (summary.id, summary.status) == (entry["task_id"], entry["status"])
    assert (summary.model, summary.region) == (entry["model_name"], entry["region"])
    times = (summary.created_at, summary.started_at, summary.ended_at)
    names = ("gmt_create", "start_time", "end_time")
    for time, name in zip(times, names, strict=True):
        assert time == datetime.fromtimestamp(entry[name] / 1000, UTC)
    assert summary.raw == entry


def check_result(result: Any, body: Any) -> None:
    output = body["output"]
    assert [file.url for file in result.files] == [r["url"] for r in output["results"]]
    assert all(file.error is None for file in result.files)
    assert (result.usage, result.raw) == (body["usage"], body)
    # The times of the service are those of Beijing; some have no milliseconds.
    ended = datetime.fromisoformat(f"{output['end_time']}+08:00")
    assert {file.expires_at for file in result.files} == {ended + timedelta(hours=24)}


# What the pages show beside the recorded forms.
FORMS: dict[str, tuple[dict[str, Any], list[str | None], str]] = {
    "choices": (
        {"choices": [{"message": {"content": [{"image": "https://a/1"}]}}] * 2},
        ["https://a/1", "https://a/1"],
        "",
    ),
    "interleaved": (
        {
            "choices": [
                {
                    "message": {
                        "content": [
                            {"type": "text", "text": "First"},
                            {"type": "image", "image": "https://a/1"},
                            {"type": "text", "text": "Then"},
                        ]
                    }
                }
            ]
        },
        ["https://a/1"],
        "First\nThen",
    ),
    "results": (
        {"results": [{"url": "https://a/1"}, {"code": "C", "message": "M"}]},
        ["https://a/1", None],
        "",
    ),
    "video": ({"video_url": "https://a/1.mp4"}, ["https://a/1.mp4"], ""),
    "image": ({"image_url": "https://a/1.png"}, ["https://a/1.png"], ""),
    "one transcription": (
        {"result": {"transcription_url": "https://a/1.json"}},
        ["https://a/1.json"],
        "",
    ),
    "transcriptions": (
        {
            "results": [
                {"file_url": "f", "transcription_url": "https://a/1.json"},
                {"file_url": "g", "code": "C", "message": "M"},
            ]
        },
        ["https://a/1.json", None],
        "",
    ),
    "file": ({"url": "https://a/1.txt.gz"}, ["https://a/1.txt.gz"], ""),
    "text": ({"text": "Hello"}, [], "Hello"),
    "metrics alone": (
        {
            "choices": [{"message": {"content": [{"image": "https://a/1"}]}}],
            "task_metric": {"TOTAL": 3, "SUCCEEDED": 1, "FAILED": 2},
        },
        ["https://a/1", None, None],
        "",
    ),
}


@pytest.mark.parametrize("name", FORMS)
async def test_each_form_of_a_result(name: str) -> None:
    output, urls, text = FORMS[name]
    done = {"task_id": "t-1", "task_status": "SUCCEEDED", **output}
    response = Scripted(body=json.dumps({"output": done}).encode())
    with serve_http(response) as server:
        task = Task.from_id("t-1", api_key=KEY, base_url=server.base_url)
        result = task.result()
    assert [file.url for file in result.files] == urls
    assert [file.error is None for file in result.files] == [bool(url) for url in urls]
    assert result.text == text


def test_a_result_of_an_unknown_form_is_kept_and_warned_about() -> None:
    done = {"task_id": "t-1", "task_status": "SUCCEEDED", "model_3d": "https://a/1"}
    response = Scripted(body=json.dumps({"output": done}).encode())
    with serve_http(response) as server:
        task = Task.from_id("t-1", api_key=KEY, base_url=server.base_url)
        with pytest.warns(UserWarning, match="read it from raw"):
            result = task.result()
    assert (result.files, result.raw["output"]) == ((), done)


def test_an_address_whose_signature_ends_earlier() -> None:
    soon = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())
    url = f"https://a.oss-cn-beijing.aliyuncs.com/1.png?Expires={soon}&Signature=x"
    done = {"task_id": "t-1", "task_status": "SUCCEEDED", "image_url": url}
    response = Scripted(body=json.dumps({"output": done}).encode())
    with serve_http(response) as server:
        task = Task.from_id("t-1", api_key=KEY, base_url=server.base_url)
        (file,) = task.result().files
    assert file.expires_at == datetime.fromtimestamp(soon, UTC)
