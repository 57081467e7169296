"""Creating a task is paid for: nothing creates one twice."""

import asyncio
import json
import logging
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest

from modelstudio_core.emulator import Emulator, Fault, TaskOutcome
from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    IncompleteStreamError,
    InternalServerError,
    InvalidResponseError,
    ModelStudioWarning,
    RateLimitError,
)
from modelstudio_core.tasks import Task
from tests.end_to_end.field.media_support import PNG_BYTES
from tests.support.audit import audit_records
from tests.support.http_server import Scripted, serve_http
from tests.support.internals import no_backoff
from tests.support.models import KEY
from tests.support.tasks import IMAGE, STYLES, Style, Tasks, creations, hosts

EACH_STYLE = pytest.mark.parametrize("style", STYLES)


@pytest.fixture(autouse=True)
def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    no_backoff(monkeypatch)


@EACH_STYLE
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.cut(), APIConnectionError),
        (Fault.short_body(3), IncompleteStreamError),
        (Fault(status=500), InternalServerError),
        (Fault(status=503, code="ModelServingError"), InternalServerError),
        (Fault(status=504, body="<html>Gateway Timeout</html>"), InternalServerError),
        (Fault(status=200, body="not JSON"), InvalidResponseError),
        (Fault(status=200, body='{"output": {}}'), InvalidResponseError),
    ],
    ids=["cut", "short", "500", "503", "504", "no JSON", "no id"],
)
async def test_a_creation_whose_answer_is_lost_is_not_repeated(
    style: Style,
    fault: Fault,
    error: type[APIError],
    modelstudio_emulator: Emulator,
) -> None:
    modelstudio_emulator.script(fault)
    at = Tasks.at(style, modelstudio_emulator, max_retries=5)
    with pytest.raises(error) as caught:
        await at.submit()
    assert creations(modelstudio_emulator) == 1
    assert not caught.value.is_retryable
    assert "tasks.list_tasks()" in caught.value.message


@EACH_STYLE
@pytest.mark.parametrize(
    ("status", "may_exist"),
    [
        *((status, False) for status in (400, 401, 403, 404, 409, 429, 499)),
        *((status, True) for status in (500, 501, 502, 599)),
    ],
)
async def test_only_an_error_of_a_server_may_hide_a_task(
    style: Style, status: int, *, may_exist: bool
) -> None:
    with serve_http(Scripted(status=status)) as server:
        at = Tasks(style, {"base_url": server.base_url, "api_key": KEY})
        with pytest.raises(APIStatusError) as caught:
            await Tasks(style, {**at.connection, "max_retries": 0}).submit()
    assert ("may have been created" in caught.value.message) == may_exist
    assert not (may_exist and caught.value.is_retryable)


@EACH_STYLE
@pytest.mark.parametrize(
    ("request_id", "task_id"),
    [
        ("0b1c-2d_3E", r"0b1c-2d_3E"),
        ("a/b c?d", "abcd"),
        ("x" * 129, "x" * 128),
        ("/", "[0-9a-f]{32}"),
        (None, "[0-9a-f]{32}"),
    ],
)
async def test_a_call_without_a_task_has_the_id_of_its_request(
    style: Style, request_id: str | None, task_id: str
) -> None:
    body = {"output": {"text": "Hello"}, "request_id": request_id}
    with serve_http(Scripted(body=json.dumps(body).encode())) as server:
        at = Tasks(style, {"base_url": server.base_url, "api_key": KEY})
        task = await at.submit(model="qwen-image-2.0", prompt="A")
    assert re.fullmatch(task_id, task.id)
    assert (task.status, task.done, task.request_id) == ("SUCCEEDED", True, request_id)
    assert task.created_at is not None
    assert abs(datetime.now(UTC) - task.created_at) < timedelta(minutes=1)


@EACH_STYLE
async def test_a_creation_that_times_out_is_not_repeated(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    modelstudio_emulator.script(Fault.silence(0.5))
    at = Tasks.at(style, modelstudio_emulator, max_retries=5, timeout=0.1)
    with pytest.raises(APITimeoutError, match="may have been created"):
        await at.submit()
    assert creations(modelstudio_emulator) == 1


@EACH_STYLE
async def test_an_error_that_the_caller_handles_repeats_no_creation(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    request = httpx.Request("POST", "https://other.example/")
    modelstudio_emulator.script(Fault.cut())
    at = Tasks.at(style, modelstudio_emulator, max_retries=5)
    try:
        httpx.Response(429, request=request).raise_for_status()
    except httpx.HTTPStatusError:
        with pytest.raises(APIConnectionError, match="may have been created"):
            await at.submit()
    assert creations(modelstudio_emulator) == 1


@EACH_STYLE
async def test_a_task_whose_answer_was_lost_is_in_the_list(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    modelstudio_emulator.script(Fault.cut())
    at = Tasks.at(style, modelstudio_emulator)
    with pytest.raises(APIConnectionError):
        await at.submit()
    (found,) = await at.list(model=IMAGE, since=before)
    task = found.open()
    assert len((await at.result(task)).files) == 1
    assert creations(modelstudio_emulator) == 1


@EACH_STYLE
async def test_a_creation_is_repeated_where_nothing_can_have_been_created(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    modelstudio_emulator.script(*[Fault(status=429, code="limit_requests")] * 2)
    at = Tasks.at(style, modelstudio_emulator, max_retries=2)
    task = await at.submit()
    assert (task.status, creations(modelstudio_emulator)) == ("PENDING", 3)
    assert len(await at.list()) == 1


@EACH_STYLE
async def test_refused_creations_may_be_repeated_by_the_caller(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    modelstudio_emulator.script(Fault(status=429, code="limit_requests"))
    at = Tasks.at(style, modelstudio_emulator)
    with pytest.raises(RateLimitError) as caught:
        await at.submit()
    assert caught.value.is_retryable
    assert "may have been created" not in caught.value.message
    with pytest.raises(BadRequestError) as refused:
        await at.submit(parameters={"size": "1024x1024"})
    assert "may have been created" not in refused.value.message


@EACH_STYLE
@pytest.mark.parametrize("name", [IMAGE, "qwen-image-2.0"])
async def test_a_creation_that_was_only_refused_cannot_have_succeeded(
    style: Style, name: str, modelstudio_emulator: Emulator
) -> None:
    modelstudio_emulator.script(
        Fault(status=429, code="limit_requests", headers={"Retry-After": "5"})
    )
    at = Tasks.at(style, modelstudio_emulator, max_retries=2, total_timeout=2)
    with pytest.raises(APITimeoutError, match="No time is left") as caught:
        await at.submit(model=name, prompt="A")
    assert creations(modelstudio_emulator) == 1
    assert not caught.value.was_sent
    assert "nevertheless" not in caught.value.message


@EACH_STYLE
async def test_a_creation_without_a_connection_in_time_cannot_have_succeeded(
    style: Style,
) -> None:
    def connect(_: httpx2.Request) -> httpx2.Response:
        time.sleep(0.1)
        raise httpx2.ConnectTimeout("no connection")

    transport = httpx2.MockTransport(connect)
    connection: dict[str, Any] = {
        "api_key": KEY,
        "total_timeout": 0.05,
        "http_client": httpx2.Client(transport=transport),
        "http_async_client": httpx2.AsyncClient(transport=transport),
    }
    with pytest.raises(APITimeoutError, match="total_timeout") as caught:
        await Tasks(style, connection).submit()
    assert not caught.value.was_sent
    assert "nevertheless" not in caught.value.message


@EACH_STYLE
async def test_a_call_that_is_answered_at_once_is_not_repeated(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    modelstudio_emulator.script(Fault.cut())
    at = Tasks.at(style, modelstudio_emulator, max_retries=5)
    with pytest.raises(APIConnectionError, match="images may have been made"):
        await at.submit(model="qwen-image-2.0", prompt="A")
    assert creations(modelstudio_emulator) == 1


@EACH_STYLE
async def test_failed_queries_and_downloads_create_nothing(
    style: Style, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit()
    modelstudio_emulator.script(
        Fault(status=500),
        Fault(status=429, code="limit_requests"),
        Fault.cut(),
        Fault(status=502, body="<html>Bad Gateway</html>"),
        Fault(status=200, body="not JSON"),
    )
    result = await at.result(task)
    modelstudio_emulator.script(Fault(status=500), Fault.cut(after=0))
    for _ in range(2):
        with pytest.raises(APIError):
            await at.download(result, tmp_path)
    (path,) = await at.download(result, tmp_path)
    assert path.read_bytes().startswith(PNG_BYTES[:8])
    assert names(tmp_path) == [path.name]
    assert creations(modelstudio_emulator) == 1


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


KILLED = """
import json, os, sys
from modelstudio_core import tasks
connection = json.loads(sys.argv[1])
task = tasks.submit(model="wan2.6-t2i", prompt="A flower shop", **connection)
with open(sys.argv[2], "w") as file:
    json.dump(task.to_dict(), file)
os.kill(os.getpid(), 9)
"""


@EACH_STYLE
async def test_a_process_that_is_killed_goes_on_with_its_saved_state(
    style: Style, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    state = tmp_path / "task.json"
    arguments = [sys.executable, "-c", KILLED, json.dumps(at.connection), str(state)]
    ran = await asyncio.to_thread(subprocess.run, arguments, check=False)
    assert ran.returncode == -9
    task = Task.from_dict(json.loads(state.read_text()), **at.connection)
    assert (task.status, task.done) == ("PENDING", False)
    assert len((await at.result(task)).files) == 1
    assert creations(modelstudio_emulator) == 1


# --- What is sent ---------------------------------------------------------------------

# The request of "Regions and deployment modes".
SAMPLE: dict[str, Any] = {
    "model": "wan2.6-t2i",
    "input": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "text": "A flower shop with exquisite windows, a beautiful"
                        " wooden door, and flowers on display"
                    }
                ],
            }
        ]
    },
    "parameters": {"n": 1},
}


@EACH_STYLE
async def test_the_documented_task_in_the_global_mode_of_virginia(
    style: Style, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    prompt = SAMPLE["input"]["messages"][0]["content"][0]["text"]
    async with hosts(modelstudio_emulator) as service:
        at = Tasks(style, service.connection)
        task = await at.submit(prompt=prompt, region="us-virginia", mode="global")
        result = await at.result(task)
        (path,) = await at.download(result, tmp_path)
    assert path.read_bytes().startswith(PNG_BYTES[:8])
    create, query, download = modelstudio_emulator.requests
    assert create.path == "/api/v1/services/aigc/image-generation/generation"
    assert create.headers["x-dashscope-async"] == "enable"
    assert create.body == SAMPLE
    assert (query.method, query.path) == ("GET", f"/api/v1/tasks/{task.id}")
    assert set(service.seen) == {"https://dashscope-us.aliyuncs.com"}
    assert "authorization" in query.headers
    assert "authorization" not in download.headers
    assert (task.endpoint.region, task.endpoint.mode) == ("us-east-1", "global")


@EACH_STYLE
async def test_a_task_at_another_host_is_refused_before_a_request(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    async with hosts(modelstudio_emulator) as service:
        at = Tasks(style, service.connection)
        task = await at.submit(region="us-virginia", mode="global")
        state = task.to_dict()
        count = len(modelstudio_emulator.requests)
        others: list[dict[str, Any]] = [
            {"region": "beijing"},
            {"mode": "us"},
            {"workspace": "ws-1"},
            {"base_url": "https://dashscope.aliyuncs.com"},
        ]
        for other in others:
            with pytest.raises(ConfigurationError, match="bound to its endpoint"):
                Task.from_dict(state, **service.connection, **other)
        assert len(modelstudio_emulator.requests) == count
        # Forced: the service does not know it there.
        forced = Task.from_id(task.id, region="beijing", **service.connection)
        await at.refresh(forced)
        assert forced.status == "UNKNOWN"
        assert service.seen[-1] == "https://dashscope.aliyuncs.com"
        same = Task.from_dict(state, region="us-virginia", **service.connection)
        await at.refresh(same)
        assert same.status == "SUCCEEDED"


@EACH_STYLE
async def test_image_models_make_one_image_unless_more_are_requested(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    for parameters, sent in ((None, 1), ({"size": "1280*720"}, 1), ({"n": 3}, 3)):
        task = await at.submit(parameters=parameters)
        assert modelstudio_emulator.requests[-1].body["parameters"]["n"] == sent
        assert len((await at.result(task)).files) == sent
    # None leaves the number to the service, whose default is 4.
    task = await at.submit(parameters={"n": None})
    assert "parameters" not in modelstudio_emulator.requests[-1].body
    assert len((await at.result(task)).files) == 4


@EACH_STYLE
async def test_a_model_without_tasks_is_answered_at_once(
    style: Style, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit(model="qwen-image-2.0", prompt="A flower shop")
    (request,) = modelstudio_emulator.requests
    assert request.path == "/api/v1/services/aigc/multimodal-generation/generation"
    assert "x-dashscope-async" not in request.headers
    assert (task.done, task.status) == (True, "SUCCEEDED")
    await at.refresh(task)
    result = await at.result(task)
    assert len(modelstudio_emulator.requests) == 1
    with pytest.raises(ConfigurationError, match="has no tasks"):
        await at.cancel(task)
    text = json.dumps(task.to_dict())
    assert "flower" not in text
    again = Task.from_dict(json.loads(text), **at.connection)
    loaded = await at.result(again)
    assert [file.url for file in loaded.files] == [file.url for file in result.files]
    assert loaded.files[0].expires_at == result.files[0].expires_at
    assert len(await at.download(loaded, tmp_path)) == 1


@EACH_STYLE
async def test_every_request_of_a_task_is_in_the_audit_record(
    style: Style,
    modelstudio_emulator: Emulator,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "modelstudio.audit")
    modelstudio_emulator.script_tasks(TaskOutcome(seconds=60))
    at = Tasks.at(style, modelstudio_emulator)
    picture = tmp_path / "a.png"
    picture.write_bytes(PNG_BYTES + bytes(12 * 2**20))
    task = await at.submit(
        model="wan2.7-image", prompt="A", images=[picture], upload_media=True
    )
    await at.refresh(task)
    modelstudio_emulator.advance(60)
    result = await at.result(task)
    await at.download(result, tmp_path)
    await at.list()
    records = audit_records(caplog)
    paths = [record["path"] for record in records]
    name = f"/task-results/{task.id}-0.png"
    assert paths == [
        "/api/v1/uploads",
        "/temporary-storage",
        "/api/v1/services/aigc/image-generation/generation",
        f"/api/v1/tasks/{task.id}",
        f"/api/v1/tasks/{task.id}",
        name,
        "/api/v1/tasks",
    ]
    models = [record["model"] for record in records]
    assert models == ["wan2.7-image", None, *["wan2.7-image"] * 3, None, None]
    assert "Signature" not in caplog.text
    assert modelstudio_emulator.api_key not in caplog.text


# --- Arguments ------------------------------------------------------------------------


@EACH_STYLE
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "nobody-knows-it"}, "pass path="),
        ({"model": "qwen3.7-max"}, "is a chat model"),
        ({"model": "qwen3-asr-flash-realtime"}, "WebSocket only"),
        ({"model": None}, "model must be a model's id"),
        ({"model": "wan2.6-t2i\n"}, "got 'wan2.6-t2i\\n': strip it."),
        ({"prompt": None}, "needs prompt="),
        ({"prompt": ""}, "prompt is empty. Pass a text."),
        ({"prompt": "A", "size": "1K"}, "go into parameters=: {'size': ...}."),
        ({"prompt": "A", "negative_prompt": "B"}, "into parameters=: {'negative"),
        (
            {"model": "wan2.2-t2i-plus", "prompt": "A", "negative_prompt": "B"},
            "It is a field of the input: pass input=",
        ),
        *(
            (
                {"model": name, "prompt": "A", "negative_prompt": "B"},
                "{'negative_prompt'",
            )
            for name in ("wan2.5-t2i-preview", "wan2.6-t2v", "qwen-image")
        ),
        (
            {"model": "wanx-style-repaint-v1", "style_index": 3},
            "pass input=, which replaces prompt=",
        ),
        ({"model": "wanx2.1-imageedit", "function": "expand"}, "pass input="),
        ({"model": "fun-asr", "prompt": None, "audio": "x"}, "Did you mean 'urls'?"),
        ({"model": "fun-asr", "file_urls": ["x"]}, "Did you mean 'urls'?"),
        ({"image_url": "x"}, "Did you mean 'images'?"),
        ({"model": "wan2.2-kf2v-flash", "first_frame_url": "x"}, "mean 'images'?"),
        ({"prompt": 3}, "prompt must be a string"),
        ({"prompt": "x" * 2101}, "accepts 2100"),
        ({"prompt": "A", "images": ["https://a.com/b.png"]}, "no place for images="),
        (
            {"model": "qwen-image", "prompt": "A", "urls": ["https://a.com/b.wav"]},
            "no place for urls=",
        ),
        ({"prompt": "A", "input": {"prompt": "B"}}, "input replaces prompt="),
        ({"prompt": "A", "parameters": ["n"]}, "parameters must be a mapping"),
        ({"prompt": "A", "parameters": {"n": "2"}}, "n must be an integer"),
        ({"prompt": "A", "parameters": {"n": 0}}, "n must be an integer"),
        ({"parameters": {"x": float("nan")}}, "parameters must hold"),
        ({"parameters": {"x": {1}}}, "parameters must hold"),
        ({"prompt": None, "input": {"prompt": object()}}, "input must hold"),
        ({"prompt": "A", "path": "../x"}, "path must be the path"),
        ({"prompt": "A", "regoin": "x"}, "Did you mean 'region'"),
        ({"prompt": "A", "region": "mars"}, "Unknown region"),
        ({"model": "wan2.7-image", "prompt": "A", "images": "a.png"}, "must be a list"),
        ({"model": "wan2.7-image", "prompt": "A", "images": [3]}, "a URL or a path"),
        ({"model": "wan2.7-image", "prompt": "A", "images": ["no.png"]}, "Cannot read"),
        ({"model": "qwen-image", "prompt": "A", "parameters": {"n": 2}}, "got n=2"),
        ({"model": "qwen-image-edit", "prompt": "A"}, "1 to 3 images"),
        ({"model": "wan2.7-i2v", "media": [{"type": "x"}]}, "type and url"),
        (
            {
                "model": "wan2.7-i2v",
                "media": [{"type": "x", "url": "https://a.com/b", "y": b""}],
            },
            "media[0] must hold",
        ),
        ({"model": "wan2.6-i2v", "prompt": "A"}, "needs images="),
        (
            {"model": "wan2.2-i2v-plus", "urls": ["https://a.com/b"]},
            "no place for urls",
        ),
        ({"model": "fun-asr"}, "needs urls="),
        ({"model": "fun-asr", "urls": ["data:audio/wav;base64,"]}, "data URL"),
        (
            {
                "model": "wan2.2-i2v-plus",
                "images": ["data:image/png;base64,b'iVBORw0KGgo='"],
            },
            "begins with b', as str() of bytes does",
        ),
        ({"model": "wanx2.1-imageedit", "prompt": "A"}, "pass input="),
        ({"model": "text-embedding-async-v2", "urls": ["a.txt"]}, "of a text file"),
    ],
)
async def test_invalid_input_is_refused_before_a_request(
    style: Style,
    arguments: dict[str, Any],
    message: str,
    modelstudio_emulator: Emulator,
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    if "regoin" in arguments or "region" in arguments:
        at = Tasks(style, {"api_key": KEY})
    if "model" not in arguments and "prompt" not in arguments:
        arguments = {"prompt": "A", **arguments}
    with pytest.raises(ConfigurationError) as caught:
        await at.submit(**arguments)
    assert message in caught.value.message
    assert modelstudio_emulator.requests == []


@EACH_STYLE
async def test_what_is_not_known_for_certain_is_sent_with_a_warning(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    with (
        pytest.warns(ModelStudioWarning, match="the request is sent"),
        pytest.raises(BadRequestError),
    ):
        await at.submit(
            model="wan2.7-image-2027-01-01", prompt="A", parameters={"n": 9}
        )
    assert creations(modelstudio_emulator) == 1


@EACH_STYLE
async def test_an_unknown_model_is_called_at_the_path_that_is_given(
    style: Style,
) -> None:
    answer = Scripted(body=b'{"output":{"task_id":"t-1"},"request_id":"r"}')
    with serve_http(answer) as server:
        at = Tasks(style, {"base_url": server.base_url, "api_key": KEY})
        task = await at.submit(
            model="of-tomorrow",
            prompt="A",
            path="/api/v1/services/aigc/text2image/image-synthesis",
        )
    assert (task.id, task.status) == ("t-1", "PENDING")
    received = server.only
    assert received.path == "/api/v1/services/aigc/text2image/image-synthesis"
    assert received.headers["x-dashscope-async"] == "enable"
    assert json.loads(received.body) == {
        "model": "of-tomorrow",
        "input": {"prompt": "A"},
        "parameters": {"n": 1},
    }


def test_an_error_of_the_service_keeps_its_code(modelstudio_emulator: Emulator) -> None:
    from modelstudio_core import tasks

    with pytest.raises(APIStatusError) as caught:
        tasks.submit(
            model="wan2.6-t2i",
            input={"messages": []},
            base_url=modelstudio_emulator.base_url,
            api_key=modelstudio_emulator.api_key,
        )
    assert caught.value.code == "InvalidParameter"
    assert caught.value.request_id


_URL = "https://example.com/a.png"


@pytest.mark.parametrize(
    ("model", "most", "argument"),
    [
        ("wan2.7-image", 4, lambda count: {"parameters": {"n": count}}),
        ("qwen-image-2.0", 6, lambda count: {"parameters": {"n": count}}),
        ("wan2.7-image", 9, lambda count: {"images": [_URL] * count}),
        ("qwen-image-edit", 3, lambda count: {"images": [_URL] * count}),
        (IMAGE, 2100, lambda count: {"prompt": "x" * count}),
    ],
)
@EACH_STYLE
async def test_the_largest_number_is_sent_and_one_more_is_refused(
    style: Style,
    model: str,
    most: int,
    argument: Callable[[int], dict[str, Any]],
    modelstudio_emulator: Emulator,
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    for count in (most - 1, most):
        await at.submit(model=model, **{"prompt": "A", **argument(count)})
    with pytest.raises(ConfigurationError, match=f" {most}\\b"):
        await at.submit(model=model, **{"prompt": "A", **argument(most + 1)})
    assert len(modelstudio_emulator.requests) == 2


@EACH_STYLE
async def test_a_series_has_more_images_than_a_single_request(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    parameters = {"n": 12, "enable_sequential": True}
    at = Tasks.at(style, modelstudio_emulator)
    await at.submit(model="wan2.7-image", prompt="A", parameters=parameters)
    assert modelstudio_emulator.requests[-1].body["parameters"] == parameters


@pytest.mark.parametrize(
    "task_id", ["", "\r\nX-A: b", "\0", "\ud83d", "../../x", "a" * 129, 5, None, "é"]
)
@EACH_STYLE
async def test_an_id_that_cannot_be_in_an_address_is_none(
    style: Style, task_id: object
) -> None:
    output = {"task_id": task_id, "task_status": "PENDING"}
    answer = Scripted(body=json.dumps({"output": output, "request_id": "r"}).encode())
    with serve_http(answer) as server:
        at = Tasks(style, {"api_key": KEY, "base_url": server.base_url})
        with pytest.raises(InvalidResponseError, match="no valid id") as caught:
            await at.submit()
        assert len(server.received) == 1
    assert "tasks.list_tasks()" in caught.value.message
    assert caught.value.request_id == "r"
