"""What the catalog says of a model decides what is refused, warned of and sent."""

import warnings
from typing import Any, Final

import pytest

from modelstudio_core.emulator import Emulator, Reply
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from tests.end_to_end.field.sent import bodies, chat, parameters, prompt
from tests.end_to_end.field.support import TOOL
from tests.support.calls import CALL_STYLES, CallStyle
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Protocol, model

both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
both_frameworks = pytest.mark.parametrize("framework", FRAMEWORKS)
all_styles = pytest.mark.parametrize("style", CALL_STYLES, ids=str)
NOWHERE: Final = "http://127.0.0.1:9"


# --- The native path ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("qwen2.5-vl-72b-instruct", "multimodal-generation"),
        ("qwen2-vl-7b-instruct", "multimodal-generation"),
        ("qwen-omni-turbo", "multimodal-generation"),
        ("qwen3-asr-flash", "multimodal-generation"),
        ("gui-plus", "multimodal-generation"),
        ("gui-plus-2026-02-26", "multimodal-generation"),
        ("kimi-k2.5", "multimodal-generation"),
        ("kimi-k2.6", "multimodal-generation"),
        ("kimi-k2-thinking", "text-generation"),
        ("qwen3.8-27b", "multimodal-generation"),
        ("qwen-mt-plus", "text-generation"),
        ("glm-5.2", "text-generation"),
    ],
)
def test_the_native_path_of_text_follows_the_model(name: str, path: str) -> None:
    style = CallStyle("LangChain")
    llm = model("LangChain", NOWHERE, "dashscope", model=name)
    call = llm._to_call(prompt(style, ("user", "Hi")), None, {}, stream=True)
    assert call.request.path == f"/services/aigc/{path}/generation"


# --- Refusals -----------------------------------------------------------------------

EXACT: Final = [
    ("qwen-max", {"enable_thinking": True}, "does not support thinking"),
    ("glm-5.3", {"enable_thinking": False}, "always thinks"),
    ("deepseek-v4-pro", {"thinking_budget": 10}, "Use reasoning_effort"),
    ("qwen3.7-max", {"reasoning_effort": "high"}, "reasoning_effort cannot be set"),
    ("qwen3.7-plus", {"thinking_budget": 9_999_999}, "at most"),
    ("glm-5.2", {"reasoning_effort": "immense"}, "Unknown reasoning_effort"),
    ("siliconflow/deepseek-v3.2", {"presence_penalty": 1}, "cannot be set"),
    ("stepfun/step-3.7-flash", {"enable_search": True}, "cannot be set"),
]


@both_protocols
@both_frameworks
@pytest.mark.parametrize(("name", "arguments", "words"), EXACT)
def test_a_fact_of_an_exact_id_is_an_error(
    framework: Framework,
    protocol: Protocol,
    name: str,
    arguments: dict[str, Any],
    words: str,
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        model(framework, NOWHERE, protocol, model=name, **arguments)


@both_protocols
def test_a_us_twin_has_the_facts_of_its_model(protocol: Protocol) -> None:
    with pytest.raises(ConfigurationError, match="cannot be set"):
        model(
            "LangChain",
            NOWHERE,
            protocol,
            model="deepseek-v4-pro-us",
            mode="us",
            region="us-east-1",
            presence_penalty=1,
        )


FAMILY: Final = [
    ("qwen-max-2031-01-01", {"enable_thinking": True}, ("enable_thinking", True)),
    ("glm-5.3-air", {"enable_thinking": False}, ("enable_thinking", False)),
    ("deepseek-v4-ultra", {"thinking_budget": 10}, ("thinking_budget", 10)),
    ("qwen3.7-max-2031", {"reasoning_effort": "high"}, ("reasoning_effort", "high")),
    ("glm-5.9", {"reasoning_effort": "immense"}, ("reasoning_effort", "immense")),
    ("stepfun/step-9", {"enable_search": True}, ("enable_search", True)),
]


@both_protocols
@both_frameworks
@pytest.mark.parametrize(("name", "arguments", "sent"), FAMILY)
def test_a_fact_of_a_family_is_a_warning_and_sent(
    framework: Framework,
    protocol: Protocol,
    name: str,
    arguments: dict[str, Any],
    sent: tuple[str, object],
) -> None:
    with pytest.warns(ModelStudioWarning, match="the request is sent"):
        llm = model(framework, NOWHERE, protocol, model=name, **arguments)
    key, value = sent
    plan = llm.resolved.plan(stream=True)
    assert plan.parameters()[key] == value


def test_a_fact_is_warned_of_once_for_a_model_and_for_the_process() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in ("qwen-max-2031-01-01", "qwen-max-2031-01-01", "qwen-max-2032"):
            llm = model("LangChain", NOWHERE, model=name, enable_thinking=True)
            llm.resolved.plan(stream=True)
    assert [warning.category for warning in caught] == [ModelStudioWarning] * 2


@both_protocols
@all_styles
@pytest.mark.parametrize("name", ["qwen-vl-max", "qwen-vl-plus", "qwen3.5-omni-plus"])
async def test_tools_that_nothing_speaks_against_are_sent(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle, name: str
) -> None:
    modelstudio_emulator.script(Reply(text="Hello"))
    await chat(modelstudio_emulator, style, protocol, name, tools=[TOOL])
    assert parameters(bodies(modelstudio_emulator)[0])["tools"]


@both_protocols
@pytest.mark.parametrize(
    ("name", "given", "effort"),
    [
        ("glm-5.3", "max", "max"),
        ("glm-5.3", "low", "low"),
        ("ZHIPU/GLM-5.3", "high", "high"),
        ("kimi/kimi-k3", "high", "high"),
        ("qwen3.8-omni-flash", "low", "low"),
        ("deepseek-v4-pro", "xhigh", "max"),
    ],
)
def test_reasoning_effort_is_sent_as_the_model_names_it(
    protocol: Protocol, name: str, given: str, effort: str
) -> None:
    llm = model("LangChain", NOWHERE, protocol, model=name, reasoning_effort=given)
    assert llm.resolved.plan(stream=True).parameters()["reasoning_effort"] == effort


# --- Models of another kind ---------------------------------------------------------


@both_protocols
@both_frameworks
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("qwen3.7-text-embedding", "an embedding model"),
        ("qwen3-vl-embedding", "an embedding model"),
        ("qwen3-vl-rerank", "a rerank model"),
        ("qwen3-rerank", "a rerank model"),
        ("wan2.6-t2i", "an image generation model"),
        ("qwen-image-3.0", "an image generation model"),
        ("wan2.7-t2v", "a video generation model"),
        ("qwen3-omni-flash-realtime", "WebSocket"),
        ("qwen3.8-omni-flash-realtime", "WebSocket"),
        ("qwen3-tts-flash", "a speech model"),
        ("cosyvoice-v2", "a speech model"),
        ("paraformer-v2", "a speech recognition model"),
    ],
)
def test_a_model_of_another_kind_is_named_as_what_it_is(
    framework: Framework, protocol: Protocol, name: str, kind: str
) -> None:
    with pytest.raises(ConfigurationError, match=kind):
        model(framework, NOWHERE, protocol, model=name)


# --- Schemas ------------------------------------------------------------------------

SCHEMA: Final = {
    "title": "City",
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}


@both_protocols
@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("qwen3.8-max", "json_schema"),
        ("qwen3.8-flash", "json_schema"),
        *((name, "tool") for name in ("qwen-max", "qwen-turbo", "qwen3-coder-plus")),
        *((name, "tool") for name in ("qwen3-vl-plus", "qwen-plus", "qwen-flash")),
        *((name, "tool") for name in ("deepseek-v4.1-flash", "glm-5.2")),
        ("qwen3-235b-a22b-instruct-2507", "tool"),
    ],
)
def test_a_schema_is_sent_unasked_only_where_a_source_says_so(
    modelstudio_emulator: Emulator, protocol: Protocol, name: str, method: str
) -> None:
    llm = model("LangChain", modelstudio_emulator, protocol, model=name)
    llm.with_structured_output(SCHEMA, include_raw=True).invoke("The city 'Oslo'")
    sent = parameters(bodies(modelstudio_emulator)[0])
    assert ("response_format" in sent) is (method == "json_schema")
    assert ("tools" in sent) is (method == "tool")


@both_protocols
@pytest.mark.parametrize("name", ["qwen-max", "qwen3-coder-plus", "qwen3-vl-plus"])
def test_a_schema_that_is_asked_for_by_name_is_sent(
    modelstudio_emulator: Emulator, protocol: Protocol, name: str
) -> None:
    llm = model("LangChain", modelstudio_emulator, protocol, model=name)
    structured = llm.with_structured_output(SCHEMA, method="json_schema")
    structured.invoke("The city 'Oslo'")
    sent = parameters(bodies(modelstudio_emulator)[0])
    assert sent["response_format"]["type"] == "json_schema"
