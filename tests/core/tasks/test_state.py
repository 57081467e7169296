"""A saved task stays at its endpoint and with its key, whatever its file says."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError, TaskFailedError
from modelstudio_core.tasks import Task, TaskFile, TaskResult
from modelstudio_core.tasks.state import load_result, save_result, saved_time
from tests.support.http_server import Scripted, serve_http
from tests.support.models import KEY
from tests.support.tasks import STYLES, Style, Tasks, hosts

EACH_STYLE = pytest.mark.parametrize("style", STYLES)
EVIL = "http://127.0.0.1:9/api/v1"


async def saved(style: Style, studio: Emulator) -> dict[str, Any]:
    """Return the state of a task in Virginia."""
    async with hosts(studio) as service:
        at = Tasks(style, service.connection)
        task = await at.submit(region="us-virginia", mode="global")
        state: dict[str, Any] = json.loads(json.dumps(task.to_dict()))
        return state


@EACH_STYLE
async def test_a_state_has_neither_the_key_nor_the_prompt(
    style: Style, modelstudio_emulator: Emulator
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit(prompt="A secret place")
    await at.result(task)
    text = json.dumps(task.to_dict())
    assert modelstudio_emulator.api_key not in text
    assert "secret" not in text
    assert modelstudio_emulator.api_key not in repr(task)


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "https://evil.example.com/api/v1"},
        {"base_url": "https://evil.example.com/api/v1", "region": None, "mode": None},
        {"base_url": EVIL, "region": None, "mode": None, "workspace": None},
        {"base_url": "http://dashscope-us.aliyuncs.com/api/v1"},
        {"base_url": "https://dashscope-us.aliyuncs.com:8443/api/v1"},
        {"base_url": "https://dashscope-us.aliyuncs.com/other"},
        {"base_url": "https://dashscope-us.aliyuncs.com.evil.example/api/v1"},
        {"base_url": "https://user@dashscope-us.aliyuncs.com/api/v1"},
        {"base_url": "https://dashscope.aliyuncs.com/api/v1", "region": "cn-beijing"},
        {
            "base_url": "https://dashscope.aliyuncs.com/api/v1",
            "region": "cn-beijing",
            "mode": "chinese-mainland",
        },
        {"base_url": None},
        {"base_url": "https://[bad/api/v1"},
        {"workspace": "ws-other"},
        {"mode": "us"},
        {"id": "../../../compatible-mode/v1/files"},
        {"id": "another-task"},
        {"model": "qwen3.7-max"},
        {"model": "wan2.7-image"},
        {"signature": "0" * 64},
        {"signature": None},
        {"signature": "\u00e9\ud800"},
        {"kind": "other"},
        {"version": 2},
        {"created_at": "yesterday"},
    ],
    ids=str,
)
async def test_a_state_that_somebody_changed_sends_nothing(
    change: dict[str, Any], modelstudio_emulator: Emulator
) -> None:
    state = await saved("sync", modelstudio_emulator)
    count = len(modelstudio_emulator.requests)
    async with hosts(modelstudio_emulator) as service:
        assert Task.from_dict(state, **service.connection).status == "PENDING"
        with pytest.raises(ConfigurationError) as caught:
            Task.from_dict(state | change, **service.connection)
        assert modelstudio_emulator.api_key not in caught.value.message
        assert service.seen == []
    assert len(modelstudio_emulator.requests) == count


def test_a_thing_that_is_no_state_is_refused() -> None:
    things: list[Any] = [{}, [], "state", None]
    for wrong in things:
        with pytest.raises(ConfigurationError, match=r"Task\.to_dict"):
            Task.from_dict(wrong, api_key=KEY)


@pytest.mark.parametrize(
    "time",
    ["", "soon", "2026-13-01T00:00:00+00:00", "2026-04-17T08:26:34", 1776414394, []],
    ids=str,
)
def test_a_time_of_a_state_has_a_zone(time: object) -> None:
    with pytest.raises(
        ConfigurationError, match="created_at of the state is not a time"
    ):
        saved_time({"created_at": time}, "created_at")


def test_a_time_of_a_state_may_be_missing() -> None:
    assert saved_time({}, "created_at") is None
    assert saved_time({"created_at": None}, "created_at") is None
    time = saved_time({"created_at": "2026-04-17T16:26:34+08:00"}, "created_at")
    assert time == datetime(2026, 4, 17, 8, 26, 34, tzinfo=UTC)


def test_a_result_that_was_answered_at_once_is_the_same_in_another_process() -> None:
    end = datetime(2026, 4, 17, 8, 26, 34, tzinfo=UTC)
    connection = resolve_connection({"api_key": KEY, "region": "singapore"})
    refused = TaskFailedError("It was refused.", code="DataInspectionFailed")
    result = TaskResult(
        task_id="t-1",
        files=(
            TaskFile("https://a.com/b.png", end, None, {"actual_prompt": "A secret"}),
            TaskFile("https://a.com/c.png", None, None, {}),
            TaskFile(None, None, refused, {}),
        ),
        text="Hello",
        usage={"image_count": 2},
        raw={"output": "A secret"},
        _connection=connection,
        _context=connection.context,
    )
    text = json.dumps(save_result(result))
    assert "secret" not in text
    state = {"id": "t-1", "answer": json.loads(text)}
    loaded = load_result(state, connection, connection.context)
    assert loaded is not None
    assert (loaded.task_id, loaded.text, loaded.usage) == ("t-1", "Hello", result.usage)
    good, endless, bad = loaded.files
    assert (good.url, good.expires_at) == ("https://a.com/b.png", end)
    assert (endless.url, endless.expires_at) == ("https://a.com/c.png", None)
    assert (good.error, endless.error, bad.url, bad.expires_at) == (None,) * 4
    assert bad.error is not None
    assert (bad.error.message, bad.error.code) == (refused.message, refused.code)


@pytest.mark.parametrize("answer", [None, "x", [], 3])
def test_a_task_has_no_result_in_its_state(answer: object) -> None:
    connection = resolve_connection({"api_key": KEY, "region": "singapore"})
    state = {"id": "t-1", "answer": answer}
    assert load_result(state, connection, connection.context) is None
    assert save_result(None) is None


async def test_a_state_belongs_to_the_key_that_created_the_task(
    modelstudio_emulator: Emulator,
) -> None:
    state = await saved("sync", modelstudio_emulator)
    with pytest.raises(ConfigurationError, match="another API key"):
        Task.from_dict(state, api_key=KEY)


def test_an_address_that_is_not_documented_must_be_passed() -> None:
    created = Scripted(body=b'{"output":{"task_id":"t-1","task_status":"PENDING"}}')
    with serve_http(created) as server:
        at: dict[str, Any] = {"api_key": KEY, "base_url": server.base_url}
        from modelstudio_core import tasks

        state = tasks.submit(model="wan2.6-t2i", prompt="A", **at).to_dict()
    # Loopback alone needs no argument.
    assert Task.from_dict(state, api_key=KEY).id == "t-1"
    gateway = "https://gateway.example.com/api/v1"
    from modelstudio_core.tasks.options import connect
    from modelstudio_core.tasks.state import save_binding

    bound = connect({"api_key": KEY, "base_url": gateway}, "wan2.6-t2i")
    foreign = save_binding("t-1", "wan2.6-t2i", bound, KEY)
    with pytest.raises(ConfigurationError, match="pass the same address"):
        Task.from_dict(foreign, api_key=KEY)
    with pytest.raises(ConfigurationError, match="bound to its endpoint"):
        Task.from_dict(foreign, api_key=KEY, base_url="https://other.example.com")
    trusted = Task.from_dict(
        foreign, api_key=KEY, base_url="https://gateway.example.com"
    )
    assert trusted.endpoint.dashscope_base_url == gateway


async def test_variables_of_another_place_do_not_move_a_task(
    modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await saved("sync", modelstudio_emulator)
    monkeypatch.setenv("DASHSCOPE_REGION", "cn-beijing")
    monkeypatch.setenv("DASHSCOPE_WORKSPACE_ID", "ws-9")
    monkeypatch.setenv("DASHSCOPE_API_KEY", modelstudio_emulator.api_key)
    task = Task.from_dict(state)
    assert task.endpoint.host == "dashscope-us.aliyuncs.com"
    assert task.endpoint.workspace is None


@pytest.mark.parametrize("task_id", ["", "a/b", "..", "a?b", "x" * 129, None, "ä"])
def test_an_id_cannot_lead_to_another_path(task_id: Any) -> None:
    with pytest.raises(ConfigurationError, match="is not the id of a task"):
        Task.from_id(task_id, api_key=KEY)


@pytest.mark.parametrize("model", [5, None, ["wan2.6-t2i"], "wan2.6-t2i\n"])
def test_a_model_of_an_id_must_be_one(model: Any) -> None:
    with pytest.raises(ConfigurationError, match="model must be a model's id"):
        Task.from_id("abc", model=model, region="singapore", api_key=KEY)
