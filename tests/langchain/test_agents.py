"""``create_agent`` with thinking models, and the number of requests of each run."""

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
from tests.langchain.support import (
    both_protocols,
    check_rules,
    messages,
    model,
    never_blocking,
    parameters,
    v3_is_beta,
)

THINKING: list[dict[str, Any]] = [
    {"model": "deepseek-v4-pro"},
    {"model": "qwen3.7-plus", "enable_thinking": True},
]
both_models = pytest.mark.parametrize(
    "arguments", THINKING, ids=[arguments["model"] for arguments in THINKING]
)
sync_and_async = pytest.mark.parametrize("kind", ["sync", "async"])
required_call_warning = pytest.mark.filterwarnings(
    "ignore:.*an answer without a call is an error"
)


def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"It rains in {city}."


class Report(BaseModel):
    """The weather of a city."""

    city: str
    weather: str


QUESTION: Any = {"messages": [("user", "What is the weather in Oslo and in Rome?")]}
OSLO = ToolCall("get_weather", {"city": "Oslo"}, id="call_oslo")
ROME = ToolCall("get_weather", {"city": "Rome"}, id="call_rome")
REPORT = ToolCall("Report", {"city": "Oslo", "weather": "rain"}, id="call_report")
FIRST = Reply(reasoning="Oslo first.", tool_calls=[OSLO])
THEN = Reply(reasoning="Now Rome.", tool_calls=[ROME])
LAST = Reply(reasoning="I know both.", text="It rains in both.")


async def run(
    agent: Any, kind: str, question: Any = QUESTION, config: Any = None
) -> Any:
    """Run an agent; asynchronously it must not block the event loop."""
    if kind == "sync":
        return agent.invoke(question, config)
    with never_blocking():
        return await agent.ainvoke(question, config)


def reasoning_of(result: Any) -> list[str]:
    """Return the reasoning of each answer in an agent's result."""
    answers = [
        message for message in result["messages"] if isinstance(message, AIMessage)
    ]
    for answer in answers:
        blocks = [
            block for block in answer.content_blocks if block["type"] == "reasoning"
        ]
        reasoning = answer.additional_kwargs.get("reasoning_content")
        assert [block.get("reasoning") for block in blocks] == (
            [reasoning] if reasoning else []
        )
    return [
        message.additional_kwargs.get("reasoning_content", "") for message in answers
    ]


def sent_reasoning(studio: Emulator) -> list[list[Any]]:
    """Return the reasoning of the assistant messages in each request."""
    return [
        [
            message.get("reasoning_content")
            for message in messages(request)
            if _is_answer(message)
        ]
        for request in studio.requests
    ]


def _is_answer(message: dict[str, Any]) -> bool:
    return bool(message["role"] == "assistant")


def values(studio: Emulator, name: str) -> list[Any]:
    """Return the value of one parameter in each request."""
    return [parameters(request).get(name) for request in studio.requests]


# --- Tools ------------------------------------------------------------------------


@both_protocols
@both_models
@sync_and_async
async def test_reasoning_is_sent_back_in_every_step(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    kind: str,
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    modelstudio_emulator.script(FIRST, THEN, LAST)
    agent: Any = create_agent(llm, [get_weather], system_prompt="Be brief.")
    result = await run(agent, kind)
    assert result["messages"][-1].text == "It rains in both."
    assert reasoning_of(result) == ["Oslo first.", "Now Rome.", "I know both."]
    assert sent_reasoning(modelstudio_emulator) == [
        [],
        ["Oslo first."],
        ["Oslo first.", "Now Rome."],
    ]
    assert values(modelstudio_emulator, "enable_thinking") == [True] * 3
    check_rules(modelstudio_emulator)
    for message in messages(modelstudio_emulator.requests[-1]):
        assert "Oslo first." not in str(message["content"])


@both_protocols
@both_models
@sync_and_async
async def test_an_unscripted_run_sends_two_requests(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    kind: str,
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    agent: Any = create_agent(llm, [get_weather])
    question = {"messages": [("user", "What is the weather in Oslo?")]}
    result = await run(agent, kind, question)
    assert "It rains in Oslo." in result["messages"][-1].text
    assert all(reasoning_of(result))
    assert len(modelstudio_emulator.requests) == 2
    first, second = sent_reasoning(modelstudio_emulator)
    assert (first, second) == ([], [reasoning_of(result)[0]])


@both_protocols
@both_models
@sync_and_async
async def test_parallel_calls_are_answered_in_one_step(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    kind: str,
) -> None:
    llm = model(
        modelstudio_emulator, protocol=protocol, parallel_tool_calls=True, **arguments
    )
    modelstudio_emulator.script(Reply(reasoning="Both.", tool_calls=[OSLO, ROME]), LAST)
    result = await run(create_agent(llm, [get_weather]), kind)
    assert reasoning_of(result) == ["Both.", "I know both."]
    assert values(modelstudio_emulator, "parallel_tool_calls") == [True, True]
    *_, answer, oslo, rome = messages(modelstudio_emulator.requests[1])
    assert answer["reasoning_content"] == "Both."
    assert [call["id"] for call in answer["tool_calls"]] == ["call_oslo", "call_rome"]
    assert (oslo["tool_call_id"], rome["tool_call_id"]) == ("call_oslo", "call_rome")
    assert (oslo["content"], rome["content"]) == (
        "It rains in Oslo.",
        "It rains in Rome.",
    )
    check_rules(modelstudio_emulator)


@both_protocols
def test_a_broken_call_is_answered_with_its_error(
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
    agent.invoke(QUESTION, config)
    agent.invoke({"messages": [("user", "And?")]}, config)
    *_, answer, error, question = messages(modelstudio_emulator.requests[-1])
    assert answer["reasoning_content"] == "Oslo."
    assert (error["role"], error["tool_call_id"]) == ("tool", "call_broken")
    assert question["content"] == "And?"
    assert len(modelstudio_emulator.requests) == 2
    check_rules(modelstudio_emulator)


# --- Streams ----------------------------------------------------------------------


@both_protocols
@both_models
@sync_and_async
@pytest.mark.parametrize("output_version", ["v0", "v1"])
async def test_streamed_messages_have_reasoning_chunks(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    kind: str,
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
    if kind == "sync":
        received = [
            message for message, _ in agent.stream(QUESTION, stream_mode="messages")
        ]
    else:
        with never_blocking():
            stream = agent.astream(QUESTION, stream_mode="messages")
            received = [message async for message, _ in stream]
    chunks = [message for message in received if isinstance(message, AIMessageChunk)]
    reasoning = [
        block.get("reasoning", "")
        for chunk in chunks
        for block in chunk.content_blocks
        if block["type"] == "reasoning"
    ]
    assert "".join(reasoning) == "Oslo first.I know both."
    assert "".join(chunk.text for chunk in chunks) == "It rains in both."
    assert (
        len([message for message in received if isinstance(message, ToolMessage)]) == 1
    )
    assert sent_reasoning(modelstudio_emulator) == [[], ["Oslo first."]]
    streams = [request.body.get("stream") for request in modelstudio_emulator.requests]
    headers = [
        request.headers.get("x-dashscope-sse")
        for request in modelstudio_emulator.requests
    ]
    assert all(streams) or headers == ["enable"] * 2
    check_rules(modelstudio_emulator)


@both_protocols
@both_models
@v3_is_beta
def test_v3_events_have_reasoning_text_and_calls(
    modelstudio_emulator: Emulator, arguments: dict[str, Any], protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    modelstudio_emulator.script(FIRST, THEN, LAST)
    agent: Any = create_agent(llm, [get_weather])
    stream = agent.stream_events(QUESTION, version="v3")
    seen = [
        (
            "".join(message.reasoning),
            "".join(message.text),
            [c["id"] for c in message.output.tool_calls],
        )
        for message in stream.messages
    ]
    assert seen == [
        ("Oslo first.", "", ["call_oslo"]),
        ("Now Rome.", "", ["call_rome"]),
        ("I know both.", "It rains in both.", []),
    ]
    assert len(stream.output["messages"]) == 6
    assert sent_reasoning(modelstudio_emulator)[-1] == ["Oslo first.", "Now Rome."]
    assert len(modelstudio_emulator.requests) == 3
    check_rules(modelstudio_emulator)


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
        stream = await agent.astream_events(QUESTION, version="v3")
        seen = [
            (
                "".join([r async for r in message.reasoning]),
                "".join([t async for t in message.text]),
            )
            async for message in stream.messages
        ]
    assert seen == [("Oslo first.", ""), ("I know both.", "It rains in both.")]
    assert sent_reasoning(modelstudio_emulator) == [[], ["Oslo first."]]
    check_rules(modelstudio_emulator)


# --- Structured answers -----------------------------------------------------------


@both_protocols
@both_models
@sync_and_async
@required_call_warning
@pytest.mark.parametrize(
    "response_format", [Report, ToolStrategy(Report)], ids=["auto", "tool"]
)
async def test_a_schema_with_tools_is_a_tool_and_thinking_stays_on(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    kind: str,
    response_format: Any,
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    modelstudio_emulator.script(
        FIRST, Reply(reasoning="Rain.", text="", tool_calls=[REPORT])
    )
    agent: Any = create_agent(llm, [get_weather], response_format=response_format)
    result = await run(agent, kind)
    assert result["structured_response"] == Report(city="Oslo", weather="rain")
    assert reasoning_of(result) == ["Oslo first.", "Rain."]
    assert sent_reasoning(modelstudio_emulator) == [[], ["Oslo first."]]
    assert values(modelstudio_emulator, "tool_choice") == ["auto"] * 2
    assert values(modelstudio_emulator, "enable_thinking") == [True] * 2
    assert values(modelstudio_emulator, "response_format") == [None] * 2
    check_rules(modelstudio_emulator)


@both_protocols
@both_models
@sync_and_async
@pytest.mark.parametrize(
    "response_format", [Report, ToolStrategy(Report)], ids=["auto", "tool"]
)
async def test_a_schema_alone_is_a_forced_tool_in_one_request(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    kind: str,
    response_format: Any,
) -> None:
    """The emulator answers by its rules: the request must be valid."""
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    agent: Any = create_agent(llm, [], response_format=response_format)
    question = {"messages": [("user", "Report of 'Oslo': 'rain'.")]}
    result = await run(agent, kind, question)
    assert result["structured_response"] == Report(city="Oslo", weather="rain")
    (request,) = modelstudio_emulator.requests
    assert parameters(request)["enable_thinking"] is False
    metadata = result["messages"][1].response_metadata
    assert metadata["thinking_disabled_for_tool_choice"] is True


@both_protocols
@both_models
@sync_and_async
async def test_a_provider_schema_is_sent_with_the_tools(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    kind: str,
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    report = Reply(reasoning="Rain.", text='{"city": "Oslo", "weather": "rain"}')
    modelstudio_emulator.script(FIRST, report)
    response_format = ProviderStrategy(Report, strict=True)
    agent: Any = create_agent(llm, [get_weather], response_format=response_format)
    result = await run(agent, kind)
    assert result["structured_response"] == Report(city="Oslo", weather="rain")
    assert reasoning_of(result) == ["Oslo first.", "Rain."]
    assert sent_reasoning(modelstudio_emulator) == [[], ["Oslo first."]]
    for sent in values(modelstudio_emulator, "response_format"):
        assert sent["json_schema"]["name"] == "Report"
        assert sent["json_schema"]["strict"] is True
    assert [len(sent) for sent in values(modelstudio_emulator, "tools")] == [1, 1]
    assert len(modelstudio_emulator.requests) == 2


@both_protocols
@both_models
def test_a_rejected_schema_is_an_error_after_one_request(
    modelstudio_emulator: Emulator, arguments: dict[str, Any], protocol: str
) -> None:
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    agent: Any = create_agent(llm, [], response_format=ProviderStrategy(Report))
    with pytest.raises(BadRequestError):
        agent.invoke(QUESTION)
    (request,) = modelstudio_emulator.requests
    assert "tools" not in parameters(request)


@both_protocols
def test_default_thinking_is_switched_off_for_a_provider_schema(
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
@sync_and_async
@required_call_warning
@pytest.mark.parametrize("tools", [[], [get_weather]], ids=["alone", "with a tool"])
async def test_text_instead_of_the_required_call_ends_the_agent(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    kind: str,
    tools: list[Any],
) -> None:
    """Without an error ``create_agent`` would repeat the request 9,999 times."""
    llm = model(modelstudio_emulator, protocol=protocol, **arguments)
    modelstudio_emulator.script(Reply(text="I had rather not."))
    agent: Any = create_agent(llm, tools, response_format=Report)
    with pytest.raises(ToolChoiceError, match="without a call"):
        await run(agent, kind)
    assert len(modelstudio_emulator.requests) == 1


# --- Memory and middleware --------------------------------------------------------


@both_protocols
@both_models
@sync_and_async
@pytest.mark.parametrize("preserve", [None, True])
async def test_a_checkpointer_keeps_reasoning_for_the_next_question(
    modelstudio_emulator: Emulator,
    arguments: dict[str, Any],
    protocol: str,
    kind: str,
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
    await run(agent, kind, config=config)
    result = await run(agent, kind, {"messages": [("user", "Sure?")]}, config)
    assert reasoning_of(result) == ["Oslo first.", "I know both.", "I know both."]
    reasoning = "I know both." if preserve else None
    assert sent_reasoning(modelstudio_emulator) == [
        [],
        ["Oslo first."],
        ["Oslo first.", reasoning],
    ]
    assert values(modelstudio_emulator, "preserve_thinking") == [preserve] * 3
    check_rules(modelstudio_emulator)


@both_protocols
@sync_and_async
@pytest.mark.parametrize("overflows", [False, True])
async def test_a_long_conversation_is_summarized(
    modelstudio_emulator: Emulator, protocol: str, kind: str, overflows: bool
) -> None:
    """A summary whose prompt is too long is requested again with a shorter one."""
    llm = model(modelstudio_emulator, model="deepseek-v4-pro", protocol=protocol)
    too_long = Fault(
        status=400,
        code="invalid_parameter_error",
        message="<400> InternalError.Algo.InvalidParameter: Range of input length"
        " should be [1, 98304]",
    )
    summary = Reply(reasoning="Short.", text="They spoke of the weather.")
    modelstudio_emulator.script(FIRST, LAST, *([too_long] * overflows), summary, LAST)
    summarization = SummarizationMiddleware(
        llm, trigger=("messages", 5), keep=("messages", 1)
    )
    agent: Any = create_agent(
        llm, [get_weather], middleware=[summarization], checkpointer=InMemorySaver()
    )
    config = {"configurable": {"thread_id": "1"}}
    await run(agent, kind, config=config)
    question = {"messages": [("user", f"Sure? {'Really. ' * 400}")]}
    result = await run(agent, kind, question, config)
    assert result["messages"][-1].text == "It rains in both."
    assert len(modelstudio_emulator.requests) == 4 + overflows
    *_, last = map(messages, modelstudio_emulator.requests)
    assert [message["role"] for message in last] == ["user", "user"]
    assert "They spoke of the weather." in last[0]["content"]
    assert "Short." not in str(last)


@both_protocols
@sync_and_async
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
async def test_the_retry_middleware_retries_retryable_errors(  # noqa: PLR0917 - pytest passes names
    modelstudio_emulator: Emulator,
    protocol: str,
    kind: str,
    fault: Fault,
    error: type[Exception],
    requests: int,
) -> None:
    llm = model(modelstudio_emulator, model="deepseek-v4-pro", protocol=protocol)
    retry = ModelRetryMiddleware(
        max_retries=2, initial_delay=0.0, jitter=False, on_failure="error"
    )
    modelstudio_emulator.script(*[fault] * requests)
    agent: Any = create_agent(llm, [get_weather], middleware=[retry])
    with pytest.raises(error):
        await run(agent, kind)
    assert len(modelstudio_emulator.requests) == requests


@both_protocols
@sync_and_async
async def test_a_fallback_model_receives_the_reasoning_of_the_first(
    modelstudio_emulator: Emulator, protocol: str, kind: str
) -> None:
    llm = model(modelstudio_emulator, model="deepseek-v4-pro", protocol=protocol)
    other = model(modelstudio_emulator, enable_thinking=True, protocol=protocol)
    modelstudio_emulator.script(FIRST, Fault(status=500), LAST)
    agent: Any = create_agent(
        llm, [get_weather], middleware=[ModelFallbackMiddleware(other)]
    )
    result = await run(agent, kind)
    assert reasoning_of(result) == ["Oslo first.", "I know both."]
    models = [request.body["model"] for request in modelstudio_emulator.requests]
    assert models == ["deepseek-v4-pro", "deepseek-v4-pro", "qwen3.7-plus"]
    assert sent_reasoning(modelstudio_emulator)[1:] == [["Oslo first."]] * 2
    check_rules(modelstudio_emulator)
