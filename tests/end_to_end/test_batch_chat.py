"""Batch Chat in both frameworks: its host and time limit, no streams or repetition."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.batches import BatchRun
from modelstudio_core.emulator import Emulator, Fault
from modelstudio_core.endpoints import resolve_endpoint
from modelstudio_core.errors import (
    APITimeoutError,
    ConfigurationError,
    InternalServerError,
    ModelStudioWarning,
    PolicyError,
)
from modelstudio_core.policy import Policy, set_policy
from tests.support.calls import CALL_STYLES, STREAM_STYLES, CallStyle, collect_text
from tests.support.internals import forget_clients, no_backoff
from tests.support.models import FRAMEWORKS, Framework, model
from tests.support.proxy import refusing_proxy

KEY = "sk-0123456789"
CLASSES: dict[Framework, Any] = {
    "LangChain": ChatModelStudio,
    "LlamaIndex": ModelStudio,
}
WHOLE_ANSWERS = [style for style in CALL_STYLES if style not in STREAM_STYLES]
EACH_FRAMEWORK = pytest.mark.parametrize("framework", FRAMEWORKS)


def build(framework: Framework, **arguments: Any) -> Any:
    defaults = {"model": "qwen3.7-plus", "api_key": KEY, "batch_chat": True}
    return CLASSES[framework](**{**defaults, **arguments})


@EACH_FRAMEWORK
def test_it_has_its_own_host_and_time_limit(framework: Framework) -> None:
    llm = build(framework, region="beijing")
    connection = llm.resolved.connection
    url = "https://batch.dashscope.aliyuncs.com/compatible-mode/v1"
    assert connection.endpoint.openai_base_url == url
    assert connection.endpoint.region == "cn-beijing"
    assert connection.endpoint.is_documented
    assert connection.read_timeout == 3600.0
    assert connection.connect_timeout == 10.0
    assert llm.timeout == 3600.0
    assert build(framework, region="beijing", timeout=60).timeout == 60
    assert build(framework, region="beijing", batch_chat=False).timeout == 600
    for copied in (
        llm.model_copy(),
        llm.model_copy(update={"temperature": 0.1}),
        pickle.loads(pickle.dumps(llm)),  # noqa: S301 - our own
    ):
        assert copied.resolved.connection.endpoint.openai_base_url == url
        assert copied.resolved.connection.read_timeout == 3600.0


@EACH_FRAMEWORK
def test_its_time_limit_follows_an_assignment_and_a_copy(framework: Framework) -> None:
    llm = build(framework, region="beijing", batch_chat=False)
    copied = llm.model_copy(update={"batch_chat": True})
    assert copied.timeout == copied.resolved.connection.read_timeout == 3600.0
    assert llm.timeout == 600.0
    llm.batch_chat = True
    assert llm.timeout == llm.resolved.connection.read_timeout == 3600.0
    llm.batch_chat = False
    assert llm.timeout == llm.resolved.connection.read_timeout == 600.0
    back = build(framework, region="beijing").model_copy(update={"batch_chat": False})
    assert back.timeout == 600.0


@EACH_FRAMEWORK
def test_a_time_limit_that_was_given_is_kept(framework: Framework) -> None:
    llm = build(framework, region="beijing", batch_chat=False, timeout=60)
    llm.batch_chat = True
    assert llm.timeout == llm.resolved.connection.read_timeout == 60
    changes = {"batch_chat": True, "timeout": 5}
    copied = build(framework, region="beijing", batch_chat=False).model_copy(
        update=changes
    )
    assert copied.timeout == 5
    for seconds in (60, 3599, 3601):
        llm = build(framework, region="beijing", timeout=seconds)
        llm.batch_chat = False
        assert llm.timeout == llm.resolved.connection.read_timeout == seconds


@EACH_FRAMEWORK
@pytest.mark.parametrize("batch_chat", [False, True])
def test_the_time_limit_of_batch_chat_is_kept_where_a_user_sets_it(
    framework: Framework, batch_chat: bool
) -> None:
    llm = build(framework, region="beijing", batch_chat=batch_chat, timeout=3600)
    assert llm.timeout == 3600
    llm.max_retries = 7
    assert llm.timeout == 3600


@EACH_FRAMEWORK
def test_a_refused_assignment_changes_nothing(framework: Framework) -> None:
    llm = build(framework, region="singapore", batch_chat=False)
    with pytest.raises(ConfigurationError, match="not in ap-southeast-1"):
        llm.batch_chat = True
    assert (llm.batch_chat, llm.timeout) == (False, 600.0)
    assert llm.resolved.connection.read_timeout == 600.0


@EACH_FRAMEWORK
@pytest.mark.parametrize("value", [1, 0, "yes", []])
def test_it_is_true_or_false(framework: Framework, value: Any) -> None:
    with pytest.raises(ConfigurationError, match="batch_chat must be True or False"):
        build(framework, region="beijing", batch_chat=value)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no region": ({}, r"cn-beijing \(beijing\) only, and not in ap-southeast-1"),
    "a region": ({"region": "virginia"}, r"not in us-east-1 \(virginia\)"),
    "a workspace": (
        {"region": "beijing", "workspace": "ws-1"},
        "no host for workspaces",
    ),
    "the native protocol": (
        {"region": "beijing", "protocol": "dashscope"},
        "OpenAI-compatible protocol only",
    ),
    "a model": (
        {"region": "beijing", "model": "deepseek-v4-pro"},
        "deepseek-v4-pro is not among the models.*qwen3.8-max",
    ),
    "another value": ({"region": "beijing", "batch_chat": 3}, "must be True or False"),
}


@EACH_FRAMEWORK
@pytest.mark.parametrize("name", WRONG)
def test_it_is_refused_with(name: str, framework: Framework) -> None:
    arguments, message = WRONG[name]
    with pytest.raises(ConfigurationError, match=message):
        build(framework, **arguments)


@EACH_FRAMEWORK
def test_a_workspace_of_the_environment_counts(
    framework: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHSCOPE_WORKSPACE_ID", "ws-1")
    with pytest.raises(ConfigurationError, match="DASHSCOPE_WORKSPACE_ID"):
        build(framework, region="beijing")


@EACH_FRAMEWORK
def test_a_model_of_tomorrow_is_sent_with_a_warning(framework: Framework) -> None:
    with pytest.warns(ModelStudioWarning, match="is not among the models"):
        build(framework, region="beijing", model="a-model-of-tomorrow")


@pytest.mark.parametrize("style", WHOLE_ANSWERS, ids=str)
async def test_a_call_goes_to_that_host(
    style: CallStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with refusing_proxy() as seen:
        monkeypatch.setenv("HTTPS_PROXY", seen.pop(0))
        forget_clients()
        llm = build(style.framework, region="beijing", max_retries=0)
        await collect_text(llm, style, "Hi")
        set_policy(Policy(regions=["singapore"]))
        refused = await collect_text(llm, style, "Hi")
        set_policy(Policy(regions=["beijing"], modes=["chinese-mainland"]))
        allowed = await collect_text(llm, style, "Hi")
        forget_clients()
    assert isinstance(refused.error, PolicyError)
    assert not isinstance(allowed.error, ConfigurationError)
    assert {host.partition(":")[0] for host in seen} == {"batch.dashscope.aliyuncs.com"}
    assert len(seen) == 2


@pytest.mark.parametrize("style", WHOLE_ANSWERS, ids=str)
async def test_a_call_is_answered_and_not_repeated_after_a_time_out(
    style: CallStyle, modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_backoff(monkeypatch)
    arguments: dict[str, Any] = {"batch_chat": True, "max_retries": 3, "timeout": 0.2}
    llm = model(style.framework, modelstudio_emulator, **arguments)
    assert (await collect_text(llm, style, "Hi")).error is None
    failures = {
        APITimeoutError: Fault.silence(1.0),
        InternalServerError: Fault(status=500),
    }
    for expected, fault in failures.items():
        before = len(modelstudio_emulator.requests)
        modelstudio_emulator.script(fault)
        assert isinstance((await collect_text(llm, style, "Hi")).error, expected)
        assert len(modelstudio_emulator.requests) == before + 1
    # A request that was not taken is repeated.
    modelstudio_emulator.script(Fault(status=429, code="limit_requests"))
    assert (await collect_text(llm, style, "Hi")).error is None


@pytest.mark.parametrize("style", STREAM_STYLES, ids=str)
async def test_streams_are_refused(
    style: CallStyle, modelstudio_emulator: Emulator
) -> None:
    llm = model(style.framework, modelstudio_emulator, batch_chat=True)
    error = (await collect_text(llm, style, "Hi")).error
    assert isinstance(error, ConfigurationError)
    assert "Batch Chat has no streams" in error.message
    assert modelstudio_emulator.requests == []


@EACH_FRAMEWORK
def test_a_model_of_a_call_is_checked_too(
    framework: Framework, modelstudio_emulator: Emulator
) -> None:
    llm = model(framework, modelstudio_emulator, batch_chat=True)
    call = llm.invoke if isinstance(llm, ChatModelStudio) else llm.complete
    with pytest.raises(ConfigurationError, match=r"glm-5\.3 is not among the models"):
        call("Hi", model="glm-5.3")
    assert modelstudio_emulator.requests == []


def test_a_run_of_batches_does_not_take_such_a_model(
    tmp_path: Path, modelstudio_emulator: Emulator
) -> None:
    llm = model("LangChain", modelstudio_emulator, batch_chat=True)
    with pytest.raises(ConfigurationError, match="pass a model without it"):
        BatchRun.prepare(llm, ["Hi"], directory=tmp_path / "run")


def test_its_host_is_documented() -> None:
    endpoint = resolve_endpoint(base_url="https://batch.dashscope.aliyuncs.com")
    assert (endpoint.region, endpoint.is_documented) == ("cn-beijing", True)
    with pytest.raises(ConfigurationError, match="contradicts"):
        resolve_endpoint(
            base_url="https://batch.dashscope.aliyuncs.com", region="singapore"
        )
