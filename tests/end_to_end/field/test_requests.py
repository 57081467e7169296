"""Requests as people really send them, by the bytes that reach the service."""

import logging
import warnings
from typing import Any, Final

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from pydantic import BaseModel

from langchain_modelstudio import ChatModelStudio
from langchain_modelstudio.errors import ToolChoiceError as LangChainToolChoiceError
from modelstudio_core.chat import tools
from modelstudio_core.emulator import Emulator, Fault, Reply, ToolCall
from modelstudio_core.errors import (
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    ModelStudioWarning,
    ToolChoiceError,
)
from tests.end_to_end.field.sent import (
    bodies,
    chat,
    messages,
    parameters,
    prompt,
    text_of,
)
from tests.end_to_end.field.support import TOOL
from tests.support.calls import CALL_STYLES, CallStyle
from tests.support.internals import no_backoff
from tests.support.models import PROTOCOLS, Protocol, model

both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
all_styles = pytest.mark.parametrize("style", CALL_STYLES, ids=str)
pytestmark = pytest.mark.filterwarnings("ignore:.*an answer without a call is an error")
OTHER_TOOL: Final = {
    "type": "function",
    "function": {**TOOL["function"], "name": "read"},
}
MARKER: Final = {"type": "ephemeral"}
CALLING: Final = CallStyle("LangChain")


# --- Thinking under a hybrid's prefix -----------------------------------------------


@both_protocols
@all_styles
@pytest.mark.parametrize(
    "name",
    ["qwen3-vl-8b-thinking", "qwen3.8-2.4t-a95b", "kimi-k3", "kimi/kimi-k2.7-code"],
)
async def test_a_model_that_only_thinks_gets_no_switch(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle, name: str
) -> None:
    await chat(modelstudio_emulator, style, protocol, name)
    (body,) = bodies(modelstudio_emulator)
    assert "enable_thinking" not in parameters(body)


@both_protocols
@all_styles
@pytest.mark.parametrize("name", ["qwen3-4b", "qwen3-1.7b", "qwen3-0.6b"])
async def test_small_open_hybrids_are_streamed_underneath(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle, name: str
) -> None:
    await chat(modelstudio_emulator, style, protocol, name)
    (request,) = modelstudio_emulator.requests
    assert parameters(request.body)["enable_thinking"] is True
    headers = request.headers.get("x-dashscope-sse")
    assert request.body.get("stream") or headers == "enable"


@both_protocols
@all_styles
@pytest.mark.parametrize("where", ["constructor", "call"])
async def test_endless_thinking_ends_with_the_total_timeout(
    protocol: Protocol, style: CallStyle, where: str
) -> None:
    """The emulator sends words without a pause: a limit of silence never ends it."""
    limit: dict[str, Any] = {"total_timeout": 0.15}
    arguments, options = (limit, {}) if where == "constructor" else ({}, limit)
    with Emulator(chunk_delay=0.01) as studio:
        studio.script(Reply(reasoning="On the one hand, but then. " * 200, text="No."))
        with pytest.raises(APITimeoutError, match="total_timeout"):
            await chat(
                studio,
                style,
                protocol,
                "qwen3-4b",
                prompt(style, ("user", "Hi")),
                {"max_retries": 0, "timeout": 60, **arguments},
                **options,
            )


# --- GLM and tools ------------------------------------------------------------------


@both_protocols
@all_styles
@pytest.mark.parametrize("name", ["glm-5.1", "glm-4.6", "glm-5.3", "ZHIPU/GLM-5.2"])
async def test_tool_stream_is_sent_with_tools_for_glm(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle, name: str
) -> None:
    await chat(modelstudio_emulator, style, protocol, name, tools=[TOOL])
    await chat(modelstudio_emulator, style, protocol, name)
    off: dict[str, Any] = {"tool_stream": False}
    await chat(modelstudio_emulator, style, protocol, name, tools=[TOOL], **off)
    with_tools, without, switched_off = map(parameters, bodies(modelstudio_emulator))
    assert with_tools["tool_stream"] is True
    assert "tool_stream" not in without
    assert switched_off["tool_stream"] is False


@both_protocols
async def test_tool_stream_is_not_sent_to_others(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    await chat(modelstudio_emulator, CALLING, protocol, "qwen3.7-plus", tools=[TOOL])
    assert "tool_stream" not in parameters(bodies(modelstudio_emulator)[0])


# --- Several system messages --------------------------------------------------------


@both_protocols
@all_styles
@pytest.mark.parametrize(
    ("name", "roles", "first"),
    [
        ("MiniMax-M2.5", ["system", "user", "user"], "One.\n\nTwo."),
        ("qwen3.6-35b-a3b", ["system", "user", "user"], "One.\n\nTwo."),
        ("qwen3.5-27b", ["system", "user", "user"], "One.\n\nTwo."),
        ("qwen3.7-plus", ["system", "user", "system", "user"], "One."),
        ("deepseek-v4-pro", ["system", "user", "system", "user"], "One."),
    ],
)
async def test_system_messages_are_merged_where_several_are_refused(  # noqa: PLR0917 - pytest passes names
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    style: CallStyle,
    name: str,
    roles: list[str],
    first: str,
) -> None:
    turns = prompt(
        style, ("system", "One."), ("user", "Hi"), ("system", "Two."), ("user", "Go")
    )
    await chat(modelstudio_emulator, style, protocol, name, turns)
    sent = messages(bodies(modelstudio_emulator)[0])
    assert [message["role"] for message in sent] == roles
    assert text_of(sent[0]) == first
    assert text_of(sent[-1]) == "Go"


# --- Partial mode -------------------------------------------------------------------

PREFIX: Final = ("assistant", "Once upon", {"partial": True})


@both_protocols
@all_styles
@pytest.mark.parametrize("name", ["qwen3.7-plus", "qwen3.8-max", "kimi/kimi-k2.6"])
async def test_partial_mode_disables_default_thinking(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle, name: str
) -> None:
    turns = prompt(style, ("user", "Tell"), PREFIX)
    answer = await chat(modelstudio_emulator, style, protocol, name, turns)
    (body,) = bodies(modelstudio_emulator)
    assert parameters(body)["enable_thinking"] is False
    assert messages(body)[-1]["partial"] is True
    metadata = (
        answer.response_metadata
        if style.framework == "LangChain"
        else answer.additional_kwargs
    )
    assert metadata["thinking_disabled_for_partial"] is True


@both_protocols
@pytest.mark.parametrize("name", ["vanchin/deepseek-r1", "kimi/kimi-k3"])
async def test_partial_mode_of_a_model_that_only_thinks_sends_no_switch(
    modelstudio_emulator: Emulator, protocol: Protocol, name: str
) -> None:
    llm = model("LangChain", modelstudio_emulator, protocol, model=name)
    call = llm._to_call(
        prompt(CALLING, ("user", "Tell"), PREFIX), None, {}, stream=True
    )
    assert call.request.json is not None
    assert "enable_thinking" not in parameters(dict(call.request.json))


@both_protocols
@all_styles
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("qwen3.7-plus", {"enable_thinking": True}),
        ("qwen3.7-plus", {"thinking_budget": 100}),
        ("qwen-plus", {"extra_body": {"enable_thinking": True}}),
        ("qwen3.7-plus", {"enable_code_interpreter": True}),
        ("qwen3.7-plus", {"extra_body": {"enable_code_interpreter": True}}),
        ("deepseek-v4-pro", {}),
        ("glm-5.2", {}),
        ("kimi-k2.6", {}),
    ],
)
async def test_partial_mode_that_cannot_be_is_an_error(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    style: CallStyle,
    name: str,
    arguments: dict[str, Any],
) -> None:
    turns = prompt(style, ("user", "Tell"), PREFIX)
    with pytest.raises(ConfigurationError, match="artial mode"):
        await chat(modelstudio_emulator, style, protocol, name, turns, arguments)
    assert not modelstudio_emulator.requests


@both_protocols
async def test_partial_can_be_a_field_of_a_langchain_message(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    turns = [HumanMessage("Tell"), AIMessage("Once", partial=True)]
    await chat(modelstudio_emulator, CALLING, protocol, "qwen-max", turns)
    assert messages(bodies(modelstudio_emulator)[0])[-1]["partial"] is True


@both_protocols
@all_styles
async def test_an_old_prefix_is_history(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle
) -> None:
    turns = prompt(style, ("user", "Tell"), PREFIX, ("user", "More"))
    await chat(modelstudio_emulator, style, protocol, "deepseek-v4-pro", turns)
    sent = messages(bodies(modelstudio_emulator)[0])
    assert not any("partial" in message for message in sent)


# --- Reasoning that is sent back ----------------------------------------------------


@both_protocols
@all_styles
@pytest.mark.parametrize(
    ("name", "reasoning"),
    [
        ("kimi/kimi-k2.6", ["Hm.", ""]),
        ("kimi/kimi-k3", ["Hm.", ""]),
        ("stepfun/step-3.7-flash", ["Hm.", ""]),
        ("qwen3.7-plus", [None, None]),
    ],
)
async def test_reasoning_of_every_turn_goes_to_those_that_want_it(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    style: CallStyle,
    name: str,
    reasoning: list[str | None],
) -> None:
    turns = prompt(
        style,
        ("user", "One"),
        ("assistant", "First", {"reasoning_content": "Hm."}),
        ("user", "Two"),
        ("assistant", "Second"),
        ("user", "Three"),
    )
    await chat(modelstudio_emulator, style, protocol, name, turns)
    sent = messages(bodies(modelstudio_emulator)[0])
    answers = [message for message in sent if message["role"] == "assistant"]
    assert [message.get("reasoning_content") for message in answers] == reasoning


# --- JSON mode ----------------------------------------------------------------------


@both_protocols
@all_styles
@pytest.mark.parametrize(
    ("turns", "roles"),
    [
        ([("user", "Name a city")], ["system", "user"]),
        ([("system", "Be brief"), ("user", "A city")], ["system", "user"]),
        # The word counts in system and user messages only.
        (
            [("user", "A"), ("assistant", "json"), ("user", "B")],
            ["system", "user", "assistant", "user"],
        ),
        ([("user", "A city as Json")], ["user"]),
    ],
)
async def test_json_mode_gets_the_word_that_it_needs(  # noqa: PLR0917 - pytest passes names
    modelstudio_emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    protocol: Protocol,
    style: CallStyle,
    turns: list[tuple[str, str]],
    roles: list[str],
) -> None:
    tools.log_once.cache_clear()
    caplog.set_level(logging.INFO, "modelstudio")
    for _ in range(2):
        await chat(
            modelstudio_emulator,
            style,
            protocol,
            "qwen-plus",
            prompt(style, *turns),
            response_format={"type": "json_object"},
        )
    sent = messages(bodies(modelstudio_emulator)[0])
    assert [message["role"] for message in sent] == roles
    assert "json" in text_of(sent[0]).casefold()
    logged = [r for r in caplog.records if "json_object" in r.getMessage()]
    assert len(logged) == (roles[0] == "system")


# --- Requests that are sure to fail otherwise ---------------------------------------


@both_protocols
@all_styles
@pytest.mark.parametrize(
    "arguments",
    [
        {"enable_code_interpreter": True},
        {"extra_body": {"enable_code_interpreter": True}},
    ],
)
async def test_the_code_interpreter_thinks_and_is_streamed(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    style: CallStyle,
    arguments: dict[str, Any],
) -> None:
    await chat(modelstudio_emulator, style, protocol, "qwen3-max", arguments=arguments)
    (request,) = modelstudio_emulator.requests
    sent = parameters(request.body)
    assert sent["enable_code_interpreter"] is True
    assert sent["enable_thinking"] is True
    sse = request.headers.get("x-dashscope-sse")
    assert sent.get("stream") or sse == "enable"


@both_protocols
async def test_the_code_interpreter_without_thinking_is_an_error(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    with pytest.raises(ConfigurationError, match="thinking only"):
        model(
            "LangChain",
            modelstudio_emulator,
            protocol,
            model="qwen3-max",
            enable_code_interpreter=True,
            enable_thinking=False,
        )


SEARCH: Final = {"type": "function", "function": {**TOOL["function"], "name": "search"}}


@both_protocols
async def test_a_tool_named_search_is_sent_and_its_refusal_explained(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    modelstudio_emulator.script(
        Fault(
            status=400,
            code="invalid_parameter_error",
            message="Tool names are not allowed to be [search]",
        )
    )
    with pytest.raises(BadRequestError, match="rename the tool"):
        await chat(
            modelstudio_emulator, CALLING, protocol, "qwen3.7-max", tools=[SEARCH]
        )
    sent = parameters(bodies(modelstudio_emulator)[0])
    assert sent["tools"][0]["function"]["name"] == "search"


# --- The explicit cache -------------------------------------------------------------


@both_protocols
@pytest.mark.parametrize(
    "tool",
    [
        {**TOOL, "cache_control": MARKER},
        {
            "name": "find",
            "description": "Find files.",
            "input_schema": TOOL["function"]["parameters"],
            "cache_control": MARKER,
        },
    ],
)
def test_a_marker_on_a_tool_is_kept(
    modelstudio_emulator: Emulator, protocol: Protocol, tool: dict[str, Any]
) -> None:
    llm = model("LangChain", modelstudio_emulator, protocol, model="qwen3.7-plus")
    llm.bind_tools([tool]).invoke("Hi")
    (sent,) = parameters(bodies(modelstudio_emulator)[0])["tools"]
    assert sent["cache_control"] == MARKER
    assert sent["function"]["name"] == "find"


def marked(message: dict[str, Any]) -> bool:
    """Whether the end of a message has a marker."""
    content = message["content"]
    return isinstance(content, list) and content[-1].get("cache_control") == MARKER


@both_protocols
@all_styles
@pytest.mark.parametrize("name", ["qwen3.7-plus", "qwen-plus", "kimi-k2.6", "glm-5.1"])
async def test_context_cache_marks_the_ends(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle, name: str
) -> None:
    turns = prompt(
        style,
        ("system", "Rules"),
        ("user", "One"),
        ("assistant", "First"),
        ("user", "Two"),
        ("assistant", "Second"),
        ("user", "Three"),
    )
    arguments = {"context_cache": "auto"}
    await chat(
        modelstudio_emulator, style, protocol, name, turns, arguments, tools=[TOOL]
    )
    (body,) = bodies(modelstudio_emulator)
    marks = [marked(message) for message in messages(body)]
    assert marks == [True, False, False, False, True, True]
    assert "cache_control" not in parameters(body)["tools"][0]


@both_protocols
@pytest.mark.parametrize(
    "name", ["glm-5.2", "deepseek-v4-pro", "qwen-plus-2031", "a-model-of-tomorrow"]
)
def test_context_cache_of_other_models_is_a_warning(
    modelstudio_emulator: Emulator, protocol: Protocol, name: str
) -> None:
    with pytest.warns(ModelStudioWarning, match="context_cache='auto' has no effect"):
        llm = model(
            "LangChain",
            modelstudio_emulator,
            protocol,
            model=name,
            context_cache="auto",
        )
    call = llm._to_call(prompt(CALLING, ("user", "Hi")), None, {}, stream=True)
    assert "cache_control" not in str(call.request.json)


def test_context_cache_follows_the_region() -> None:
    with pytest.warns(ModelStudioWarning, match="us-east-1"):
        ChatModelStudio(
            model="kimi-k2.6", region="us-east-1", api_key="k", context_cache="auto"
        )
    ChatModelStudio(
        model="kimi-k2.6", region="cn-beijing", api_key="k", context_cache="auto"
    )


# --- Forced tool calls --------------------------------------------------------------

FORCED: Final[dict[str, Any]] = {"tools": [TOOL, OTHER_TOOL], "tool_choice": "required"}


@both_protocols
@all_styles
@pytest.mark.parametrize("name", ["glm-5.3", "qwen3.7-plus", "kimi/kimi-k2.6"])
async def test_auto_in_place_of_a_forced_call_is_asked_for_in_words(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle, name: str
) -> None:
    modelstudio_emulator.script(Reply(text="I had rather not."))
    with pytest.raises(ToolChoiceError) as caught:
        await chat(modelstudio_emulator, style, protocol, name, **FORCED)
    (body,) = bodies(modelstudio_emulator)
    assert parameters(body)["tool_choice"] == "auto"
    first = messages(body)[0]
    assert first["role"] == "system"
    assert "call of one of the tools" in text_of(first)
    received: Any = caught.value.message_received
    assert received.content == "I had rather not."
    if style.framework == "LangChain":
        assert isinstance(caught.value, LangChainToolChoiceError)
        assert isinstance(received, AIMessage)


@both_protocols
@all_styles
async def test_a_forced_call_is_asked_for_again_only_if_wanted(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle
) -> None:
    called = Reply(text="Now.", tool_calls=[ToolCall("find", {"pattern": "*"})])
    modelstudio_emulator.script(Reply(text="No."), Reply(text="Nor now."), called)
    arguments = {"forced_tool_choice_retries": 2}
    answer = await chat(
        modelstudio_emulator,
        style,
        protocol,
        "glm-5.3",
        prompt(style, ("user", "Hi")),
        arguments,
        **FORCED,
    )
    assert len(modelstudio_emulator.requests) == 3
    if style.framework == "LangChain":
        assert [call["name"] for call in answer.tool_calls] == ["find"]
        assert "No." not in answer.text
    else:
        calls = answer.message.additional_kwargs["tool_calls"]
        assert [call["function"]["name"] for call in calls] == ["find"]


@both_protocols
@all_styles
async def test_the_last_answer_without_the_call_is_an_error(
    modelstudio_emulator: Emulator, protocol: Protocol, style: CallStyle
) -> None:
    modelstudio_emulator.script(Reply(text="No."), Reply(text="Never."))
    with pytest.raises(ToolChoiceError) as caught:
        await chat(
            modelstudio_emulator,
            style,
            protocol,
            "glm-5.3",
            **FORCED,
            forced_tool_choice_retries=1,
        )
    received: Any = caught.value.message_received
    assert received.content == "Never."
    assert len(modelstudio_emulator.requests) == 2


@both_protocols
@all_styles
@pytest.mark.parametrize("after", [1, 3], ids=["at once", "within the text"])
async def test_an_answer_that_breaks_before_the_forced_call_is_asked_for_again(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    style: CallStyle,
    after: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    no_backoff(monkeypatch)
    called = Reply(text="Now.", tool_calls=[ToolCall("find", {"pattern": "*"})])
    words = Reply(pieces=["Let ", "me ", "think ", "of it."])
    broken = Fault.cut(after=after, reply=words) if style.stream else Fault.cut()
    modelstudio_emulator.script(broken, called)
    answer = await chat(
        modelstudio_emulator,
        style,
        protocol,
        "glm-5.3",
        prompt(style, ("user", "Hi")),
        {"forced_tool_choice_retries": 1, "max_retries": 1},
        **FORCED,
    )
    assert len(modelstudio_emulator.requests) == 2
    assert "Let" not in repr(answer)
    assert "find" in repr(answer)


@both_protocols
async def test_kimi_k3_is_forced_while_it_thinks(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    await chat(modelstudio_emulator, CALLING, protocol, "kimi/kimi-k3", **FORCED)
    sent = parameters(bodies(modelstudio_emulator)[0])
    assert sent["tool_choice"] == "required"
    assert "enable_thinking" not in sent


class Report(BaseModel):
    """A report on the weather."""

    city: str


@both_protocols
@pytest.mark.parametrize("name", ["qwen3.7-plus", "deepseek-v4-pro"])
def test_an_agent_with_a_response_format_warns_once_and_ends(
    modelstudio_emulator: Emulator, protocol: Protocol, name: str
) -> None:
    def weather(city: str) -> str:
        """Return the weather of a city."""
        return f"Rain in {city}."

    llm = model("LangChain", modelstudio_emulator, protocol, model=name)
    modelstudio_emulator.script(
        Reply(tool_calls=[ToolCall("weather", {"city": "Oslo"})]),
        Reply(tool_calls=[ToolCall("Report", {"city": "Oslo"})]),
    )
    agent: Any = create_agent(llm, [weather], response_format=Report)
    result = agent.invoke({"messages": [("user", "The weather of Oslo?")]})
    assert result["structured_response"] == Report(city="Oslo")


@pytest.mark.filterwarnings("default:.*an answer without a call")
def test_a_warning_is_issued_once_for_a_model(modelstudio_emulator: Emulator) -> None:
    llm = model("LangChain", modelstudio_emulator, model="glm-5.3")
    bound = llm.bind_tools([TOOL, OTHER_TOOL], tool_choice="any")
    modelstudio_emulator.script(*[Reply(tool_calls=[ToolCall("find", {})])] * 3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            bound.invoke("Hi")
    assert [warning.category for warning in caught] == [ModelStudioWarning]
