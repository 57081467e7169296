"""Agents that keep thinking: real loops, each with the number of requests it takes."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    SummarizationMiddleware,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel

from modelstudio_core.emulator import Emulator, Fault, Reply, ToolCall
from modelstudio_core.errors import (
    BadRequestError,
    ContextOverflowError,
    InternalServerError,
    ToolChoiceError,
)
from tests.langchain.asking import (
    PROTOCOLS,
    check_legal,
    messages,
    model,
    never_blocking,
    parameters,
)

THINKING: list[dict[str, Any]] = [
    {"model": "deepseek-v4-pro"},
    {"model": "qwen3.7-plus", "enable_thinking": True},
]
both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)
both_models = pytest.mark.parametrize(
    "arguments", THINKING, ids=[it["model"] for it in THINKING]
)
both_colours = pytest.mark.parametrize("colour", ["sync", "async"])
a_call_is_demanded = pytest.mark.filterwarnings("ignore:.*a call demanded")
v3_is_beta = pytest.mark.filterwarnings("ignore:The v3 streaming protocol")


def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It rains in {city}."


class Report(BaseModel):
    """The weather of a city."""

    city: str
    weather: str


ASKED: Any = {"messages": [("user", "What is the weather in Oslo and in Rome?")]}
OSLO = ToolCall("get_weather", {"city": "Oslo"}, id="call_oslo")
ROME = ToolCall("get_weather", {"city": "Rome"}, id="call_rome")
REPORT = ToolCall("Report", {"city": "Oslo", "weather": "rain"}, id="call_report")
FIRST = Reply(reasoning="Oslo first.", tool_calls=[OSLO])
THEN = Reply(reasoning="Now Rome.", tool_calls=[ROME])
LAST = Reply(reasoning="I know both.", text="It rains in both.")


async def run(agent: Any, colour: str, asked: Any = ASKED, config: Any = None) -> Any:
    """Run an agent in a colour; async never blocks its loop."""
    if colour == "sync":
        return agent.invoke(asked, config)
    with never_blocking():
        return await agent.ainvoke(asked, config)


def reasoning_of(result: Any) -> list[str]:
    """Return what the caller sees of each turn's reasoning."""
    turns = [it for it in result["messages"] if isinstance(it, AIMessage)]
    for turn in turns:
        blocks = [it for it in turn.content_blocks if it["type"] == "reasoning"]
        kept = turn.additional_kwargs.get("reasoning_content")
        assert [it.get("reasoning") for it in blocks] == ([kept] if kept else [])
    return [it.additional_kwargs.get("reasoning_content", "") for it in turns]


def sent_reasoning(studio: Emulator) -> list[list[Any]]:
    """Return the reasoning of the assistant's turns in each request."""
    return [
        [it.get("reasoning_content") for it in messages(request) if _is_turn(it)]
        for request in studio.requests
    ]


def _is_turn(message: dict[str, Any]) -> bool:
    return bool(message["role"] == "assistant")


def values(studio: Emulator, name: str) -> list[Any]:
    """Return what each request said of one parameter."""
    return [parameters(request).get(name) for request in studio.requests]


# --- Tools ------------------------------------------------------------------------


@both_protocols
@both_models
@both_colours
async def test_a_loop_of_several_steps_keeps_its_reasoning(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    colour: str,
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    modelstudio_emulator.script(FIRST, THEN, LAST)
    agent: Any = create_agent(llm, [get_weather], system_prompt="Be brief.")
    result = await run(agent, colour)
    assert result["messages"][-1].text == "It rains in both."
    assert reasoning_of(result) == ["Oslo first.", "Now Rome.", "I know both."]
    assert sent_reasoning(modelstudio_emulator) == [
        [],
        ["Oslo first."],
        ["Oslo first.", "Now Rome."],
    ]
    assert values(modelstudio_emulator, "enable_thinking") == [True] * 3
    check_legal(modelstudio_emulator)
    for message in messages(modelstudio_emulator.requests[-1]):
        assert "Oslo first." not in str(message["content"])


@both_protocols
@both_models
@both_colours
async def test_a_loop_that_nobody_scripted_takes_two_requests(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    colour: str,
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    agent: Any = create_agent(llm, [get_weather])
    asked = {"messages": [("user", "What is the weather in Oslo?")]}
    result = await run(agent, colour, asked)
    assert "It rains in Oslo." in result["messages"][-1].text
    assert all(reasoning_of(result))
    assert len(modelstudio_emulator.requests) == 2
    first, second = sent_reasoning(modelstudio_emulator)
    assert (first, second) == ([], [reasoning_of(result)[0]])


@both_protocols
@both_models
@both_colours
async def test_parallel_calls_are_answered_in_one_turn(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    colour: str,
) -> None:
    llm = model(
        modelstudio_emulator, protocol=protocol, parallel_tool_calls=True, **arguments
    )
    modelstudio_emulator.script(Reply(reasoning="Both.", tool_calls=[OSLO, ROME]), LAST)
    result = await run(create_agent(llm, [get_weather]), colour)
    assert reasoning_of(result) == ["Both.", "I know both."]
    assert values(modelstudio_emulator, "parallel_tool_calls") == [True, True]
    *_, turn, oslo, rome = messages(modelstudio_emulator.requests[1])
    assert turn["reasoning_content"] == "Both."
    assert [it["id"] for it in turn["tool_calls"]] == ["call_oslo", "call_rome"]
    assert (oslo["tool_call_id"], rome["tool_call_id"]) == ("call_oslo", "call_rome")
    assert (oslo["content"], rome["content"]) == (
        "It rains in Oslo.",
        "It rains in Rome.",
    )
    check_legal(modelstudio_emulator)


@both_protocols
def test_an_agent_whose_call_is_broken_tells_the_model(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    broken = Reply(
        reasoning="Oslo.",
        tool_calls=[ToolCall("get_weather", '{"city": ', id="call_broken")],
    )
    llm = model(modelstudio_emulator, model="deepseek-v4-pro", protocol=protocol)
    modelstudio_emulator.script(broken, LAST)
    agent: Any = create_agent(llm, [get_weather], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    agent.invoke(ASKED, config)
    agent.invoke({"messages": [("user", "And?")]}, config)
    *_, turn, told, asked = messages(modelstudio_emulator.requests[-1])
    assert turn["reasoning_content"] == "Oslo."
    assert (told["role"], told["tool_call_id"]) == ("tool", "call_broken")
    assert asked["content"] == "And?"
    assert len(modelstudio_emulator.requests) == 2
    check_legal(modelstudio_emulator)


# --- Streams ----------------------------------------------------------------------


@both_protocols
@both_models
@both_colours
@pytest.mark.parametrize("output_version", ["v0", "v1"])
async def test_streamed_messages_bring_reasoning_as_it_comes(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    colour: str,
    output_version: str,
) -> None:
    llm = model(
        modelstudio_emulator,
        protocol=protocol,
        output_version=output_version,
        **arguments,
    )
    modelstudio_emulator.script(FIRST, LAST)
    agent: Any = create_agent(llm, [get_weather])
    if colour == "sync":
        pieces = [it for it, _ in agent.stream(ASKED, stream_mode="messages")]
    else:
        with never_blocking():
            stream = agent.astream(ASKED, stream_mode="messages")
            pieces = [it async for it, _ in stream]
    chunks = [it for it in pieces if isinstance(it, AIMessageChunk)]
    thought = [
        block.get("reasoning", "")
        for chunk in chunks
        for block in chunk.content_blocks
        if block["type"] == "reasoning"
    ]
    assert "".join(thought) == "Oslo first.I know both."
    assert "".join(it.text for it in chunks) == "It rains in both."
    assert len([it for it in pieces if isinstance(it, ToolMessage)]) == 1
    assert sent_reasoning(modelstudio_emulator) == [[], ["Oslo first."]]
    streams = [it.body.get("stream") for it in modelstudio_emulator.requests]
    headers = [
        it.headers.get("x-dashscope-sse") for it in modelstudio_emulator.requests
    ]
    assert all(streams) or headers == ["enable"] * 2
    check_legal(modelstudio_emulator)


@both_protocols
@both_models
@v3_is_beta
def test_v3_events_bring_reasoning_text_and_calls(
    modelstudio_emulator: Emulator, arguments: dict[str, Any], protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    modelstudio_emulator.script(FIRST, THEN, LAST)
    agent: Any = create_agent(llm, [get_weather])
    stream = agent.stream_events(ASKED, version="v3")
    seen = [
        (
            "".join(it.reasoning),
            "".join(it.text),
            [c["id"] for c in it.output.tool_calls],
        )
        for it in stream.messages
    ]
    assert seen == [
        ("Oslo first.", "", ["call_oslo"]),
        ("Now Rome.", "", ["call_rome"]),
        ("I know both.", "It rains in both.", []),
    ]
    assert len(stream.output["messages"]) == 6
    assert sent_reasoning(modelstudio_emulator)[-1] == ["Oslo first.", "Now Rome."]
    assert len(modelstudio_emulator.requests) == 3
    check_legal(modelstudio_emulator)


@both_protocols
@both_models
@v3_is_beta
async def test_async_v3_events_are_the_same(
    modelstudio_emulator: Emulator, arguments: dict[str, Any], protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    modelstudio_emulator.script(FIRST, LAST)
    agent: Any = create_agent(llm, [get_weather])
    with never_blocking():
        stream = await agent.astream_events(ASKED, version="v3")
        seen = [
            (
                "".join([r async for r in it.reasoning]),
                "".join([t async for t in it.text]),
            )
            async for it in stream.messages
        ]
    assert seen == [("Oslo first.", ""), ("I know both.", "It rains in both.")]
    assert sent_reasoning(modelstudio_emulator) == [[], ["Oslo first."]]
    check_legal(modelstudio_emulator)


# --- Answers in the shape of a schema ---------------------------------------------


@both_protocols
@both_models
@both_colours
@a_call_is_demanded
@pytest.mark.parametrize("wanted", [Report, ToolStrategy(Report)], ids=["auto", "tool"])
async def test_a_schema_beside_tools_is_a_tool_and_thinking_stays_on(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    colour: str,
    wanted: Any,
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    modelstudio_emulator.script(
        FIRST, Reply(reasoning="Rain.", text="", tool_calls=[REPORT])
    )
    agent: Any = create_agent(llm, [get_weather], response_format=wanted)
    result = await run(agent, colour)
    assert result["structured_response"] == Report(city="Oslo", weather="rain")
    assert reasoning_of(result) == ["Oslo first.", "Rain."]
    assert sent_reasoning(modelstudio_emulator) == [[], ["Oslo first."]]
    assert values(modelstudio_emulator, "tool_choice") == ["auto"] * 2
    assert values(modelstudio_emulator, "enable_thinking") == [True] * 2
    assert values(modelstudio_emulator, "response_format") == [None] * 2
    check_legal(modelstudio_emulator)


@both_protocols
@both_models
@both_colours
@pytest.mark.parametrize("wanted", [Report, ToolStrategy(Report)], ids=["auto", "tool"])
async def test_a_schema_alone_is_a_forced_tool_in_one_request(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    colour: str,
    wanted: Any,
) -> None:
    """Nobody scripts the answer: the rules of the service hold for the request."""
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    agent: Any = create_agent(llm, [], response_format=wanted)
    asked = {"messages": [("user", "Report of 'Oslo': 'rain'.")]}
    result = await run(agent, colour, asked)
    assert result["structured_response"] == Report(city="Oslo", weather="rain")
    (request,) = modelstudio_emulator.requests
    assert parameters(request)["enable_thinking"] is False
    metadata = result["messages"][1].response_metadata
    assert metadata["thinking_disabled_for_tool_choice"] is True


@both_protocols
@both_models
@both_colours
async def test_a_schema_that_the_provider_fills_goes_with_the_tools(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    colour: str,
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    told = Reply(reasoning="Rain.", text='{"city": "Oslo", "weather": "rain"}')
    modelstudio_emulator.script(FIRST, told)
    wanted = ProviderStrategy(Report, strict=True)
    agent: Any = create_agent(llm, [get_weather], response_format=wanted)
    result = await run(agent, colour)
    assert result["structured_response"] == Report(city="Oslo", weather="rain")
    assert reasoning_of(result) == ["Oslo first.", "Rain."]
    assert sent_reasoning(modelstudio_emulator) == [[], ["Oslo first."]]
    for asked in values(modelstudio_emulator, "response_format"):
        assert asked["json_schema"]["name"] == "Report"
        assert asked["json_schema"]["strict"] is True
    assert [len(it) for it in values(modelstudio_emulator, "tools")] == [1, 1]
    assert len(modelstudio_emulator.requests) == 2


@both_protocols
@both_models
def test_a_schema_that_the_service_refuses_is_one_request_and_an_error(
    modelstudio_emulator: Emulator, arguments: dict[str, Any], protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    agent: Any = create_agent(llm, [], response_format=ProviderStrategy(Report))
    with pytest.raises(BadRequestError):
        agent.invoke(ASKED)
    (request,) = modelstudio_emulator.requests
    assert "tools" not in parameters(request)


@both_protocols
def test_thinking_that_was_not_asked_for_gives_way_to_the_providers_schema(
    modelstudio_emulator: Emulator, protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol)
    agent: Any = create_agent(llm, [], response_format=ProviderStrategy(Report))
    result = agent.invoke({"messages": [("user", "Report of 'Oslo': 'rain'.")]})
    assert result["structured_response"] == Report(city="Oslo", weather="rain")
    (request,) = modelstudio_emulator.requests
    assert parameters(request)["enable_thinking"] is False
    metadata = result["messages"][1].response_metadata
    assert metadata["thinking_disabled_for_response_format"] is True


@both_protocols
@both_models
@both_colours
@a_call_is_demanded
@pytest.mark.parametrize("tools", [[], [get_weather]], ids=["alone", "with a tool"])
async def test_text_in_place_of_a_demanded_call_ends_the_agent(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    colour: str,
    tools: list[Any],
) -> None:
    """An agent that asks again, as ``create_agent`` does, would do so 9,999 times."""
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    modelstudio_emulator.script(*[Reply(text="I had rather not.")] * 5)
    agent: Any = create_agent(llm, tools, response_format=Report)
    with pytest.raises(ToolChoiceError, match="without a call"):
        await run(agent, colour)
    assert len(modelstudio_emulator.requests) == 1


# --- Memory and middleware --------------------------------------------------------


@both_protocols
@both_models
@both_colours
@pytest.mark.parametrize("preserve", [None, True])
async def test_a_checkpointer_brings_reasoning_into_the_next_turn(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    colour: str,
    preserve: bool | None,
) -> None:
    llm = model(
        modelstudio_emulator,
        protocol=protocol,
        preserve_thinking=preserve,
        **arguments,
    )
    modelstudio_emulator.script(FIRST, LAST, LAST)
    agent: Any = create_agent(llm, [get_weather], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    await run(agent, colour, config=config)
    result = await run(agent, colour, {"messages": [("user", "Sure?")]}, config)
    assert reasoning_of(result) == ["Oslo first.", "I know both.", "I know both."]
    kept = "I know both." if preserve else None
    assert sent_reasoning(modelstudio_emulator) == [
        [],
        ["Oslo first."],
        ["Oslo first.", kept],
    ]
    assert values(modelstudio_emulator, "preserve_thinking") == [preserve] * 3
    check_legal(modelstudio_emulator)


@both_protocols
@both_colours
@pytest.mark.parametrize("overflows", [False, True])
async def test_a_long_conversation_is_summed_up(
    modelstudio_emulator: Emulator, protocol: str, colour: str, overflows: bool
) -> None:
    """A summary whose prompt is too long is asked for again with a shorter one."""
    llm = model(modelstudio_emulator, model="deepseek-v4-pro", protocol=protocol)
    too_long = Fault(
        status=400,
        code="invalid_parameter_error",
        message="<400> InternalError.Algo.InvalidParameter: Range of input length"
        " should be [1, 98304]",
    )
    summary = Reply(reasoning="Short.", text="They spoke of the weather.")
    modelstudio_emulator.script(FIRST, LAST, *([too_long] * overflows), summary, LAST)
    summing = SummarizationMiddleware(
        llm, trigger=("messages", 5), keep=("messages", 1)
    )
    agent: Any = create_agent(
        llm, [get_weather], middleware=[summing], checkpointer=InMemorySaver()
    )
    config = {"configurable": {"thread_id": "1"}}
    await run(agent, colour, config=config)
    asked = {"messages": [("user", f"Sure? {'Really. ' * 400}")]}
    result = await run(agent, colour, asked, config)
    assert result["messages"][-1].text == "It rains in both."
    assert len(modelstudio_emulator.requests) == 4 + overflows
    *_, last = map(messages, modelstudio_emulator.requests)
    assert [it["role"] for it in last] == ["user", "user"]
    assert "They spoke of the weather." in last[0]["content"]
    assert "Short." not in str(last)


@both_protocols
@both_colours
@pytest.mark.parametrize(
    ("fault", "error", "requests"),
    [
        (
            Fault(status=400, code="invalid_parameter_error", message="No."),
            BadRequestError,
            1,
        ),
        (
            Fault(
                status=400,
                code="invalid_parameter_error",
                message="Range of input length should be [1, 9]",
            ),
            ContextOverflowError,
            1,
        ),
        (Fault(status=500), InternalServerError, 3),
    ],
)
async def test_the_retry_middleware_tries_what_may_succeed(  # noqa: PLR0917 - pytest passes names
    modelstudio_emulator: Emulator,
    protocol: str,
    colour: str,
    fault: Fault,
    error: type[Exception],
    requests: int,
) -> None:
    llm = model(modelstudio_emulator, model="deepseek-v4-pro", protocol=protocol)
    retrying = ModelRetryMiddleware(
        max_retries=2, initial_delay=0.0, jitter=False, on_failure="error"
    )
    modelstudio_emulator.script(*[fault] * 5)
    agent: Any = create_agent(llm, [get_weather], middleware=[retrying])
    with pytest.raises(error):
        await run(agent, colour)
    assert len(modelstudio_emulator.requests) == requests


@both_protocols
@both_colours
async def test_a_fallback_model_gets_the_reasoning_of_the_first(
    modelstudio_emulator: Emulator, protocol: str, colour: str
) -> None:
    llm = model(modelstudio_emulator, model="deepseek-v4-pro", protocol=protocol)
    other = model(modelstudio_emulator, enable_thinking=True, protocol=protocol)
    modelstudio_emulator.script(FIRST, Fault(status=500), LAST)
    agent: Any = create_agent(
        llm, [get_weather], middleware=[ModelFallbackMiddleware(other)]
    )
    result = await run(agent, colour)
    assert reasoning_of(result) == ["Oslo first.", "I know both."]
    models = [it.body["model"] for it in modelstudio_emulator.requests]
    assert models == ["deepseek-v4-pro", "deepseek-v4-pro", "qwen3.7-plus"]
    assert sent_reasoning(modelstudio_emulator)[1:] == [["Oslo first."]] * 2
    check_legal(modelstudio_emulator)
