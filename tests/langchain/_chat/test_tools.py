"""``bind_tools``: tools and choices in requests, and calls in answers."""

import logging
import warnings
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessageChunk, ToolMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, tool
from pydantic import BaseModel, Field
from pydantic.v1 import BaseModel as OldBaseModel
from pydantic.v1 import Field as OldField

from modelstudio_core.chat import tools
from modelstudio_core.emulator import Emulator, Reply, ToolCall
from modelstudio_core.errors import ConfigurationError, ToolChoiceError
from tests.langchain.support import both_protocols, messages, model, parameters, state

# --- Kinds of tools ---------------------------------------------------------------


def weather(city: str) -> str:
    """Tell the weather.

    Args:
        city: The city.
    """
    return f"It rains in {city}."


class Weather(BaseModel):
    """Tell the weather."""

    city: str = Field(description="The city.")


class OldWeather(OldBaseModel):
    """Tell the weather."""

    city: str = OldField(description="The city.")


class TypedWeather(TypedDict):
    """Tell the weather."""

    city: Annotated[str, ..., "The city."]


class WeatherTool(BaseTool):
    """Tell the weather."""

    name: str = "weather"
    description: str = "Tell the weather."
    args_schema: Any = Weather

    def _run(self, city: str) -> str:
        return weather(city)


CITY = {"type": "string", "description": "The city."}
PARAMETERS = {"type": "object", "properties": {"city": CITY}, "required": ["city"]}
DESCRIBED = {"description": "Tell the weather."}
FUNCTION = {"name": "weather", **DESCRIBED, "parameters": PARAMETERS}
KINDS: dict[str, Any] = {
    "function": weather,
    "decorated": tool(weather, parse_docstring=True),
    "pydantic": Weather,
    "old pydantic": OldWeather,
    "typed dict": TypedWeather,
    "json schema": {"title": "weather", **DESCRIBED, **PARAMETERS},
    "openai": {"type": "function", "function": FUNCTION},
    "openai function": FUNCTION,
    "openai responses": {"type": "function", **FUNCTION},
    "anthropic": {"name": "weather", **DESCRIBED, "input_schema": PARAMETERS},
    "bedrock": {
        "toolSpec": {
            "name": "weather",
            **DESCRIBED,
            "inputSchema": {"json": PARAMETERS},
        }
    },
    "base tool": WeatherTool(),
}
OPENAI: Any = {"type": "function", "function": FUNCTION}
OTHER: Any = {"type": "function", "function": {**FUNCTION, "name": "clock"}}


def sent(studio: Emulator, llm: Any, **call: Any) -> dict[str, Any]:
    """Call a model for a scripted answer, and return the request's parameters."""
    studio.script(Reply(text="42", tool_calls=[ToolCall("weather", {"city": "Oslo"})]))
    llm.invoke("Hi", **call)
    return parameters(studio.requests[-1])


@both_protocols
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_tool_is_sent_in_openais_form(
    modelstudio_emulator: Emulator, kind: str, protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol)
    bound = sent(modelstudio_emulator, llm.bind_tools([KINDS[kind]]))
    (shape,) = bound["tools"]
    assert shape["type"] == "function"
    function = shape["function"]
    assert function["name"].lower().endswith("weather")
    assert function["description"] == "Tell the weather."
    city = function["parameters"]["properties"]["city"]
    assert city["type"] == "string"
    if kind != "function":  # LangChain parses docstrings of tools on request only
        assert city["description"] == "The city."
    assert function["parameters"]["required"] == ["city"]
    assert sent(modelstudio_emulator, llm, tools=[KINDS[kind]]) == bound


@pytest.mark.filterwarnings("ignore:.*is in beta")
def test_a_runnable_as_a_tool_is_sent(modelstudio_emulator: Emulator) -> None:
    def exclaim(arguments: dict[str, Any]) -> str:
        return f"{arguments['text']}!"

    shout = RunnableLambda(exclaim).as_tool(
        arg_types={"text": str}, name="shout", description="Shout."
    )
    llm = model(modelstudio_emulator).bind_tools([shout])
    (shape,) = sent(modelstudio_emulator, llm)["tools"]
    assert shape["function"]["name"] == "shout"
    assert shape["function"]["parameters"]["required"] == ["text"]


def test_what_other_services_run_is_refused_with_what_this_one_has(
    modelstudio_emulator: Emulator,
) -> None:
    llm = model(modelstudio_emulator)
    search, code = "enable_search=True", "enable_code_interpreter=True"
    for hosted, advice in (
        ({"type": "web_search"}, search),
        ({"type": "web_search_preview"}, search),
        ({"type": "web_search_20250305", "name": "web_search"}, search),
        ({"googleSearch": {}}, search),
        ({"google_search": {}}, search),
        ({"type": "code_interpreter", "container": {"type": "auto"}}, code),
        ({"code_execution": {}}, code),
        ({"type": "mcp", "headers": {"Authorization": "SECRET"}}, "MCP server"),
    ):
        tools: list[Any] = [weather, hosted]
        for bind in (
            lambda: llm.bind_tools(tools),  # noqa: B023 - called in this turn
            lambda: llm.invoke("Hi", tools=tools),  # noqa: B023 - called in this turn
        ):
            with pytest.raises(ConfigurationError, match=advice) as raised:
                bind()
            assert "SECRET" not in str(raised.value)
    assert modelstudio_emulator.requests == []


@pytest.mark.parametrize(
    "tools",
    [None, weather, Weather, WeatherTool(), "weather", {"type": "function"}],
    ids=["None", "a function", "a class", "a tool", "a name", "a dict"],
)
def test_tools_that_are_no_list_are_refused_by_that_name(
    modelstudio_emulator: Emulator, tools: Any
) -> None:
    with pytest.raises(ConfigurationError, match=r"^tools must be a list, got "):
        model(modelstudio_emulator).bind_tools(tools)


@pytest.mark.parametrize(
    "tools",
    [[5], ["weather"], [{"type": "function"}], [{"type": "web_search"}], 5, [{}]],
)
def test_an_unsupported_tool_is_an_error_before_the_request(
    modelstudio_emulator: Emulator, tools: Any
) -> None:
    llm = model(modelstudio_emulator)
    with pytest.raises(ConfigurationError, match="tools"):
        llm.bind_tools(tools)
    with pytest.raises(ConfigurationError, match="tools"):
        llm.invoke("Hi", tools=tools)
    assert modelstudio_emulator.requests == []


@both_protocols
def test_an_empty_list_of_tools_is_not_sent(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol)
    plain = sent(modelstudio_emulator, llm)
    assert sent(modelstudio_emulator, llm.bind_tools([])) == plain
    assert sent(modelstudio_emulator, llm, tools=[]) == plain
    assert sent(modelstudio_emulator, llm.bind_tools([], tool_choice="auto")) == plain
    with pytest.raises(ConfigurationError, match="needs tools"):
        llm.bind_tools([], tool_choice="any")


# --- Tool choices and options -----------------------------------------------------

NAMED = {"type": "function", "function": {"name": "weather"}}
CHOICES: list[tuple[Any, Any]] = [
    (None, None),
    (False, None),
    ("auto", "auto"),
    ("none", "none"),
    ("any", NAMED),
    ("required", NAMED),
    (True, NAMED),
    ("weather", NAMED),
    (NAMED, NAMED),
]


@both_protocols
@pytest.mark.parametrize(("choice", "expected"), CHOICES)
def test_each_form_of_tool_choice_is_converted(
    modelstudio_emulator: Emulator, choice: Any, expected: Any, protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, enable_thinking=False)
    bound = llm.bind_tools([weather], tool_choice=choice)
    assert sent(modelstudio_emulator, bound).get("tool_choice") == expected
    body = sent(modelstudio_emulator, llm, tools=[weather], tool_choice=choice)
    assert body.get("tool_choice") == expected


def test_a_choice_among_several_tools_is_sent_by_name(
    modelstudio_emulator: Emulator,
) -> None:
    llm = model(modelstudio_emulator, enable_thinking=False)
    bound = llm.bind_tools([OTHER, weather], tool_choice="weather")
    assert sent(modelstudio_emulator, bound)["tool_choice"] == NAMED


def test_a_choice_of_an_unknown_tool_is_an_error_that_names_the_nearest(
    modelstudio_emulator: Emulator,
) -> None:
    llm = model(modelstudio_emulator)
    with pytest.raises(ConfigurationError, match="Did you mean 'weather'"):
        llm.bind_tools([OTHER, weather], tool_choice="wether")
    with pytest.raises(ConfigurationError, match="Did you mean 'weather'"):
        llm.invoke("Hi", tools=[OTHER, weather], tool_choice="wether")
    assert modelstudio_emulator.requests == []


@both_protocols
@pytest.mark.parametrize("parallel", [None, True, False])
def test_parallel_tool_calls_is_sent(
    modelstudio_emulator: Emulator, parallel: bool | None, protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol)
    bound = llm.bind_tools([weather], parallel_tool_calls=parallel)
    assert sent(modelstudio_emulator, bound).get("parallel_tool_calls") is parallel
    body = sent(
        modelstudio_emulator, llm, tools=[weather], parallel_tool_calls=parallel
    )
    assert body.get("parallel_tool_calls") is parallel


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strict", [True, False])
def test_strict_is_sent_for_every_kind_of_tool(
    modelstudio_emulator: Emulator, kind: str, strict: bool
) -> None:
    llm = model(modelstudio_emulator).bind_tools([KINDS[kind]], strict=strict)
    (shape,) = sent(modelstudio_emulator, llm)["tools"]
    assert shape["function"]["strict"] is strict
    closed = shape["function"]["parameters"].get("additionalProperties")
    assert closed is (False if strict else None)


@both_protocols
def test_a_response_format_is_sent_with_the_tools(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol)
    bound = llm.bind_tools([weather], response_format=Weather, strict=True)
    body = sent(modelstudio_emulator, bound)
    assert len(body["tools"]) == 1
    assert body["response_format"]["type"] == "json_schema"
    described = body["response_format"]["json_schema"]
    assert (described["name"], described["strict"]) == ("Weather", True)
    assert described["schema"]["properties"]["city"]["type"] == "string"
    assert body["enable_thinking"] is False


@pytest.mark.parametrize(
    "given",
    [
        Weather,
        {"title": "Weather", **DESCRIBED, **PARAMETERS},
        {"name": "Weather", **DESCRIBED, "parameters": PARAMETERS},
    ],
)
def test_a_response_format_of_a_call_can_be_a_schema(
    modelstudio_emulator: Emulator, given: Any
) -> None:
    llm = model(modelstudio_emulator)
    body = sent(modelstudio_emulator, llm, response_format=given)["response_format"]
    assert body["json_schema"]["name"] == "Weather"
    bound = llm.bind_tools([], response_format=given)
    assert sent(modelstudio_emulator, bound)["response_format"] == body


def test_openais_response_format_is_sent_unchanged(
    modelstudio_emulator: Emulator,
) -> None:
    given: Any = {
        "type": "json_schema",
        "json_schema": {"name": "w", "schema": PARAMETERS},
    }
    llm = model(modelstudio_emulator)
    body = sent(modelstudio_emulator, llm.bind_tools([], response_format=given))
    assert body["response_format"] == given
    stricter = llm.bind_tools([], response_format=given, strict=True)
    body = sent(modelstudio_emulator, stricter)
    assert body["response_format"]["json_schema"]["strict"] is True
    assert "strict" not in given["json_schema"]


def test_tools_work_in_a_chain(modelstudio_emulator: Emulator) -> None:
    prompt = ChatPromptTemplate.from_messages([("system", "S"), ("user", "{q}")])
    chain = prompt | model(modelstudio_emulator).bind_tools([weather])
    modelstudio_emulator.script(Reply(tool_calls=[ToolCall("weather", id="c")]))
    assert chain.invoke({"q": "Rain?"}).tool_calls[0]["id"] == "c"
    (request,) = modelstudio_emulator.requests
    assert [message["role"] for message in messages(request)] == ["system", "user"]


# --- Calls in answers -------------------------------------------------------------

# Two recorded calls: later deltas repeat the id, or have an empty one.
DELTAS = [
    {"index": 0, "id": "call_a", "function": {"name": "weather", "arguments": ""}},
    {"index": 0, "id": "", "function": {"name": "", "arguments": '{"city": '}},
    {"index": 1, "id": "call_b", "function": {"name": "clock", "arguments": None}},
    {"index": 0, "id": "call_a", "function": {"arguments": '"Oslo"}'}},
    {"index": 1, "id": "", "function": {"name": "", "arguments": "{}"}},
]


@both_protocols
def test_streamed_calls_have_clean_ids_and_indices(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    deltas = [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"type": "function"} | delta],
        }
        for delta in DELTAS
    ]
    modelstudio_emulator.script(Reply(deltas=deltas, finish_reason="tool_calls"))
    llm = model(modelstudio_emulator, protocol=protocol)
    chunks = list(llm.bind_tools([OPENAI, OTHER]).stream("Hi"))
    pieces: list[Any] = []
    for chunk in chunks:
        assert isinstance(chunk, AIMessageChunk)
        pieces.extend(chunk.tool_call_chunks)
    assert [(piece["index"], piece["id"], piece["name"]) for piece in pieces] == [
        (0, "call_a", "weather"),
        (0, None, None),
        (1, "call_b", "clock"),
        (0, None, None),
        (1, None, None),
    ]
    assert [piece["args"] for piece in pieces] == ["", '{"city": ', "", '"Oslo"}', "{}"]


BROKEN = Reply(
    tool_calls=[
        ToolCall("weather", '{"city": ', id="c1"),
        ToolCall("weather", '{"city": "Oslo"}', id="c2"),
    ]
)


@both_protocols
@pytest.mark.parametrize("output_version", ["v0", "v1"])
def test_an_invalid_call_is_sent_back_as_json(
    modelstudio_emulator: Emulator, output_version: str, protocol: str
) -> None:
    modelstudio_emulator.script(BROKEN, Reply(text="Sorry."))
    llm = model(modelstudio_emulator, protocol=protocol, output_version=output_version)
    message = llm.bind_tools([weather]).invoke("Hi")
    assert [call["id"] for call in message.tool_calls] == ["c2"]
    (invalid,) = message.invalid_tool_calls
    assert (invalid["id"], invalid["args"]) == ("c1", '{"city": ')
    assert invalid["error"]
    kinds = [block["type"] for block in message.content_blocks]
    assert kinds == ["tool_call", "invalid_tool_call"]
    answers = [ToolMessage("?", tool_call_id=call_id) for call_id in ("c1", "c2")]
    llm.invoke([("user", "Hi"), message, *answers])
    sent_calls = messages(modelstudio_emulator.requests[-1])[1]["tool_calls"]
    assert {call["id"]: call["function"]["arguments"] for call in sent_calls} == {
        "c1": '{"invalid_arguments": "{\\"city\\": "}',
        "c2": '{"city": "Oslo"}',
    }


@pytest.mark.filterwarnings("ignore:.*is in beta")
def test_a_v3_stream_keeps_an_invalid_call(
    modelstudio_emulator: Emulator,
) -> None:
    modelstudio_emulator.script(BROKEN)
    message = model(modelstudio_emulator).stream_events("Hi", version="v3").output
    assert [call["id"] for call in message.tool_calls] == ["c2"]
    assert [call["id"] for call in message.invalid_tool_calls] == ["c1"]


def test_a_call_without_arguments_has_empty_arguments(
    modelstudio_emulator: Emulator,
) -> None:
    reply = Reply(tool_calls=[ToolCall("now", "", id="c")])
    modelstudio_emulator.script(reply, reply)
    llm = model(modelstudio_emulator)
    assert llm.invoke("Hi").tool_calls[0]["args"] == {}
    *_, last = llm.stream("Hi")
    assert last.response_metadata["finish_reason"] == "tool_calls"


# --- Forced tools with thinking ---------------------------------------------------

AUTO_WARNED = ("auto", True, True, False)
NAMED_SILENT = (NAMED, False, False, False)
AUTO_NOT_THINKING = ("auto", False, True, False)
# model, policy, number of tools → tool_choice, enable_thinking, warned, switched off;
# None is an error before the request.
FORCED: list[tuple[dict[str, Any], str, int, Any]] = [
    ({"model": "deepseek-v4-pro"}, "disable_thinking", 1, (NAMED, False, False, True)),
    ({"model": "deepseek-v4-pro"}, "auto", 1, AUTO_WARNED),
    ({"model": "deepseek-v4-pro"}, "error", 1, None),
    ({"model": "deepseek-v4-pro"}, "disable_thinking", 2, AUTO_WARNED),
    ({"model": "deepseek-v4-pro"}, "auto", 2, AUTO_WARNED),
    ({"model": "deepseek-v4-pro"}, "error", 2, None),
    ({"enable_thinking": True}, "disable_thinking", 1, (NAMED, False, False, True)),
    ({"model": "qwen3-max"}, "disable_thinking", 1, NAMED_SILENT),
    ({"model": "qwen3-max"}, "auto", 1, NAMED_SILENT),
    ({"model": "qwen3-max"}, "error", 1, NAMED_SILENT),
    ({"model": "qwen3-max"}, "disable_thinking", 2, AUTO_NOT_THINKING),
    ({"model": "qwen3-max"}, "auto", 2, AUTO_NOT_THINKING),
    ({"model": "qwen3-max"}, "error", 2, None),
    ({"model": "qwen-plus"}, "disable_thinking", 2, ("required", False, False, False)),
    ({"model": "qwen-plus"}, "error", 2, ("required", False, False, False)),
    (
        {"model": "qwen-plus", "enable_thinking": True},
        "disable_thinking",
        2,
        ("required", False, False, True),
    ),
    ({"model": "glm-5.3"}, "disable_thinking", 1, ("auto", None, True, False)),
    ({"model": "glm-5.3"}, "auto", 1, ("auto", None, True, False)),
    ({"model": "glm-5.3"}, "error", 1, None),
    ({"model": "glm-5.3"}, "disable_thinking", 2, ("auto", None, True, False)),
    ({"model": "glm-5.3"}, "auto", 2, ("auto", None, True, False)),
    ({"model": "glm-5.3"}, "error", 2, None),
    ({"model": "qwen-max"}, "disable_thinking", 1, (NAMED, None, False, False)),
    ({"model": "qwen-max"}, "auto", 1, (NAMED, None, False, False)),
    ({"model": "qwen-max"}, "error", 1, (NAMED, None, False, False)),
    ({"model": "qwen-max"}, "disable_thinking", 2, ("auto", None, True, False)),
    ({"model": "qwen-max"}, "auto", 2, ("auto", None, True, False)),
    ({"model": "qwen-max"}, "error", 2, None),
]


@both_protocols
@pytest.mark.parametrize(("arguments", "policy", "count", "expected"), FORCED)
def test_a_forced_tool_with_thinking_follows_the_policy(  # noqa: PLR0917 - pytest passes names
    modelstudio_emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    arguments: dict[str, Any],
    policy: Any,
    count: int,
    expected: Any,
    protocol: str,
) -> None:
    tools.log_once.cache_clear()
    caplog.set_level(logging.INFO, "modelstudio")
    llm = model(
        modelstudio_emulator,
        protocol=protocol,
        forced_tool_choice=policy,
        **arguments,
    )
    before = state(llm)
    bound = llm.bind_tools([OPENAI, OTHER][:count], tool_choice="any")
    if expected is None:
        with pytest.raises(ConfigurationError, match="tool_choice='auto'"):
            bound.invoke("Hi")
        assert modelstudio_emulator.requests == []
        return
    choice, thinking, warned, switched_off = expected
    modelstudio_emulator.script(*[Reply(tool_calls=[ToolCall("weather")])] * 2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answers = [bound.invoke("Hi"), bound.invoke("Hi")]
    for request in modelstudio_emulator.requests:
        assert parameters(request)["tool_choice"] == choice
        assert parameters(request).get("enable_thinking") is thinking
    # Once, and not for each call.
    assert [warning.filename for warning in caught] == [__file__] * bool(warned)
    assert all(
        "tool_choice='auto' is sent" in str(warning.message) for warning in caught
    )
    records = [r for r in caplog.records if r.name == "modelstudio"]
    # Either that thinking was disabled, or that a sentence asks for the call.
    assert len(records) == bool(switched_off or warned)
    for answer in answers:
        metadata = answer.response_metadata
        disabled = metadata.get("thinking_disabled_for_tool_choice")
        assert disabled is (True if switched_off else None)
    assert state(llm) == before


@both_protocols
@pytest.mark.filterwarnings("ignore:.*an answer without a call is an error")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("deepseek-v4-pro", "auto"),
        ("deepseek-v4-pro", "disable_thinking"),
        ("qwen-max", "disable_thinking"),
        ("glm-5.3", "disable_thinking"),
    ],
)
def test_an_answer_without_the_required_call_is_an_error(
    modelstudio_emulator: Emulator, name: str, policy: Any, stream: bool, protocol: str
) -> None:
    llm = model(
        modelstudio_emulator, model=name, forced_tool_choice=policy, protocol=protocol
    )
    bound = llm.bind_tools([weather], tool_choice="any")
    modelstudio_emulator.script(Reply(reasoning="No tool.", text="42"))
    with pytest.raises(ToolChoiceError, match="without a call") as caught:
        list(bound.stream("Hi")) if stream else bound.invoke("Hi")
    assert caught.value.request_id
    assert caught.value.is_retryable is False
    assert len(modelstudio_emulator.requests) == 1


def test_a_call_can_set_the_policy_for_forced_tools(
    modelstudio_emulator: Emulator,
) -> None:
    llm = model(modelstudio_emulator)
    bound = llm.bind_tools([weather], tool_choice="any")
    modelstudio_emulator.script(*[Reply(tool_calls=[ToolCall("weather")])] * 2)
    with pytest.warns(UserWarning, match="an answer without a call is an error"):
        bound.invoke("Hi", forced_tool_choice="auto")
    bound.invoke("Hi", enable_thinking=False)
    first, second = map(parameters, modelstudio_emulator.requests)
    assert (first["tool_choice"], first["enable_thinking"]) == ("auto", True)
    assert (second["tool_choice"], second["enable_thinking"]) == (NAMED, False)
    with pytest.raises(ConfigurationError, match="forced_tool_choice"):
        bound.invoke("Hi", forced_tool_choice="error")
    assert llm.forced_tool_choice == "disable_thinking"
