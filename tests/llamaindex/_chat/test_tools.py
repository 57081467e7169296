"""Tools in requests, and tool calls in responses."""

import asyncio
from functools import partial
from typing import Any

import pytest
from llama_index.core.tools import FunctionTool

from modelstudio_core.errors import ConfigurationError
from tests.llamaindex.support import HI, replay_llm, sent_body
from tests.support.answers import CALLS, JSON, RESPONSE, STREAM, response_body
from tests.support.replay import replaying


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"Rain in {city}"


TOOL = FunctionTool.from_defaults(weather)


def test_tools_are_sent_with_their_schema() -> None:
    history = list(HI)
    llm = replay_llm(enable_thinking=False)
    prepared = llm._prepare_chat_with_tools(
        [TOOL], "And now?", history, tool_required=True, tool_choice=None
    )
    assert len(history) == 1
    assert [message.content for message in prepared["messages"]] == ["Hi", "And now?"]
    assert prepared["tool_choice"] == "required"
    body = sent_body(prepared.pop("messages"), prepared, enable_thinking=False)
    assert body["tools"] == [TOOL.metadata.to_openai_tool()]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert "parallel_tool_calls" not in body


def test_without_tools_no_tool_arguments_are_sent() -> None:
    prepared = replay_llm()._prepare_chat_with_tools([], "Hi", tool_required=True)
    assert list(prepared) == ["messages"]


def test_a_forced_tool_disables_thinking_for_one_request() -> None:
    with replaying(200, JSON, RESPONSE, times=2) as replay:
        llm = replay_llm(replay, enable_thinking=True)
        llm.chat_with_tools([TOOL], "Hi", tool_required=True)
        llm.chat(HI)
    assert [body["enable_thinking"] for body in replay.requests] == [False, True]


def test_tool_calls_are_parsed_while_they_arrive() -> None:
    llm = replay_llm()
    with replaying(200, STREAM, CALLS) as replay:
        responses = list(replay_llm(replay).stream_chat(HI))
    partial = [
        [
            call.tool_kwargs
            for call in llm.get_tool_calls_from_response(
                response, error_on_no_tool_call=False
            )
        ]
        for response in responses
    ]
    assert [] in partial
    assert [{}] in partial
    last = llm.get_tool_calls_from_response(responses[-1])
    assert [(call.tool_id, call.tool_name, call.tool_kwargs) for call in last] == [
        ("call_a", "weather", {"city": "Oslo"}),
        ("call_b", "clock", {}),
    ]


def test_a_missing_tool_call_is_an_error_unless_allowed() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        response = replay_llm(replay).chat(HI)
    assert replay_llm().get_tool_calls_from_response(response, False) == []
    with pytest.raises(ValueError, match="at least one tool call"):
        replay_llm().get_tool_calls_from_response(response)


def test_a_second_tool_call_is_removed_unless_allowed() -> None:
    calls = [
        {
            "index": index,
            "id": f"c{index}",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
        }
        for index in range(2)
    ]
    answer = {"role": "assistant", "content": "", "tool_calls": calls}
    body = response_body(answer, "tool_calls")
    with replaying(200, JSON, body, times=2) as replay:
        llm = replay_llm(replay)
        one = llm.chat_with_tools([TOOL], "Hi")
        both = llm.chat_with_tools([TOOL], "Hi", allow_parallel_tool_calls=True)
    assert [call.tool_id for call in llm.get_tool_calls_from_response(one)] == ["c0"]
    assert len(one.message.additional_kwargs["tool_calls"]) == 1
    assert len(llm.get_tool_calls_from_response(both)) == 2
    assert replay.requests[1]["parallel_tool_calls"] is True


async def acity(city: str) -> str:
    """Return the weather of a city."""
    return f"Rain in {city}"


@pytest.mark.parametrize("tool", [TOOL, weather, acity], ids=["tool", "def", "async"])
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_predict_and_call_runs_the_tool(tool: Any, asynchronous: bool) -> None:
    name = "acity" if tool is acity else "weather"
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": name, "arguments": '{"city": "Oslo"}'},
    }
    body = response_body(
        {"role": "assistant", "content": "", "tool_calls": [call]}, "tool_calls"
    )
    with replaying(200, JSON, body) as replay:
        llm = replay_llm(replay)
        response = (
            await llm.apredict_and_call([tool], "Hi")
            if asynchronous
            else await asyncio.to_thread(llm.predict_and_call, [tool], "Hi")
        )
    assert str(response) == "Rain in Oslo"


async def test_a_function_is_sent_as_the_tool_that_it_makes() -> None:
    functions: Any = [weather]
    with replaying(200, JSON, RESPONSE, times=2) as replay:
        llm = replay_llm(replay)
        llm.chat_with_tools(functions, "Hi")
        await llm.achat_with_tools(functions, "Hi")
    with replaying(200, STREAM, CALLS, times=2) as streaming:
        llm = replay_llm(streaming)
        list(llm.stream_chat_with_tools(functions, "Hi"))
        _ = [one async for one in await llm.astream_chat_with_tools(functions, "Hi")]
    sent = [request["tools"] for request in (*replay.requests, *streaming.requests)]
    assert sent == [[TOOL.metadata.to_openai_tool()]] * 4


@pytest.mark.parametrize(
    ("tools", "problem"),
    [
        (weather, "tools must be a list"),
        ([str], r"tools\[0\] must be a tool of LlamaIndex or a function"),
        ([max], r"tools\[0\] cannot be converted to a tool"),
        ([partial(weather)], r"tools\[0\] cannot be converted to a tool"),
        ([TOOL, 5], r"tools\[1\] must be a tool of LlamaIndex or a function"),
        ([{"type": "web_search"}], "enable_search=True"),
    ],
)
def test_what_is_no_tool_is_refused_before_a_request(tools: Any, problem: str) -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        llm = replay_llm(replay)
        for method in (llm.chat_with_tools, llm.predict_and_call):
            with pytest.raises(ConfigurationError, match=problem):
                method(tools, "Hi")
        assert replay.requests == []


def test_a_tool_that_the_service_would_run_is_refused_in_any_call() -> None:
    with pytest.raises(ConfigurationError, match="enable_code_interpreter=True"):
        replay_llm().chat(HI, tools=[{"type": "code_interpreter"}])
