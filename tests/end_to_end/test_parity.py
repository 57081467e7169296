"""One scenario, sixteen answers: protocol × framework × colour × whole or streamed.

Each scenario is scripted on the emulator, which writes it in both protocols, and must
come out equal but for ids and ``created``.
"""

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.emulator import Emulator, Fault, Reply, ToolCall
from modelstudio_core.errors import APIError

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
IMAGE = "https://x.example/a.png"

# What is scripted, and what is asked for with it.
SCENARIOS: dict[str, tuple[Any, dict[str, Any]]] = {
    "plain": (Reply(text="Hello wörld."), {"enable_thinking": False}),
    "thinking": (Reply(reasoning="Let me think. 思", text="Hello."), {}),
    "one call": (
        Reply(
            reasoning="A tool.",
            text="Looking.",
            tool_calls=[ToolCall("weather", {"city": "Oslo"}, id="call_a")],
        ),
        {"tools": [WEATHER]},
    ),
    "parallel calls": (
        Reply(
            tool_calls=[
                ToolCall("weather", {"city": "Oslo"}, id="call_a"),
                ToolCall("weather", {"city": "Rome"}, id="call_b"),
            ],
        ),
        {"tools": [WEATHER], "parallel_tool_calls": True},
    ),
    "length": (Reply(text="Hello", finish_reason="length"), {"max_tokens": 1}),
    "json": (
        Reply(text='{"answer": 42}'),
        {"response_format": {"type": "json_object"}, "enable_thinking": False},
    ),
    "cached tokens": (
        Reply(
            text="Hello.",
            usage={
                "prompt_tokens": 300,
                "completion_tokens": 2,
                "total_tokens": 302,
                "prompt_tokens_details": {"cached_tokens": 256},
                "input_tokens": 300,
                "output_tokens": 2,
            },
        ),
        {},
    ),
}


def connection(studio: Emulator, protocol: str) -> dict[str, Any]:
    return {
        "model": "qwen3.7-plus",
        "protocol": protocol,
        "base_url": studio.base_url,
        "api_key": studio.api_key,
        "max_retries": 0,
    }


def of_langchain(message: AIMessage) -> dict[str, Any]:
    usage: Any = message.usage_metadata or {}
    return {
        "text": message.text,
        "reasoning": message.additional_kwargs.get("reasoning_content", ""),
        "calls": [(it["id"], it["name"], it["args"]) for it in message.tool_calls],
        "blocks": [
            {"tool_call": "call"}.get(it["type"], it["type"])
            for it in message.content_blocks
        ],
        "finish_reason": message.response_metadata["finish_reason"],
        "input": usage.get("input_tokens"),
        "output": usage.get("output_tokens"),
        "thought": usage.get("output_token_details", {}).get("reasoning"),
        "cached": usage.get("input_token_details", {}).get("cache_read"),
        "sources": message.additional_kwargs.get("search_results", []),
    }


def of_llamaindex(response: ChatResponse) -> dict[str, Any]:
    kinds = {ThinkingBlock: "reasoning", TextBlock: "text", ToolCallBlock: "call"}
    calls = [b for b in response.message.blocks if isinstance(b, ToolCallBlock)]
    extra: Any = response.additional_kwargs
    return {
        "text": response.message.content or "",
        "reasoning": response.message.additional_kwargs.get("reasoning_content", ""),
        "calls": [(b.tool_call_id, b.tool_name, b.tool_kwargs) for b in calls],
        "blocks": [kinds[type(b)] for b in response.message.blocks],  # pyright: ignore[reportArgumentType]
        "finish_reason": extra["finish_reason"],
        "input": extra.get("prompt_tokens"),
        "output": extra.get("completion_tokens"),
        "thought": extra.get("reasoning_tokens"),
        "cached": extra.get("cached_tokens"),
        "sources": response.message.additional_kwargs.get("search_results", []),
    }


Asker = Callable[[dict[str, Any], dict[str, Any]], Any]


async def langchain_whole(at: dict[str, Any], asked: dict[str, Any]) -> Any:
    return of_langchain(ChatModelStudio(**at).invoke("Weather? JSON.", **asked))


async def langchain_stream(at: dict[str, Any], asked: dict[str, Any]) -> Any:
    first, *rest = ChatModelStudio(**at).stream("Weather? JSON.", **asked)
    for chunk in rest:
        first += chunk
    return of_langchain(first)


async def langchain_awhole(at: dict[str, Any], asked: dict[str, Any]) -> Any:
    return of_langchain(await ChatModelStudio(**at).ainvoke("Weather? JSON.", **asked))


async def langchain_astream(at: dict[str, Any], asked: dict[str, Any]) -> Any:
    stream = ChatModelStudio(**at).astream("Weather? JSON.", **asked)
    first, *rest = [chunk async for chunk in stream]
    for chunk in rest:
        first += chunk
    return of_langchain(first)


ASKED = [ChatMessage(role="user", content="Weather? JSON.")]


async def llamaindex_whole(at: dict[str, Any], asked: dict[str, Any]) -> Any:
    return of_llamaindex(ModelStudio(**at).chat(ASKED, **asked))


async def llamaindex_stream(at: dict[str, Any], asked: dict[str, Any]) -> Any:
    *_, last = ModelStudio(**at).stream_chat(ASKED, **asked)
    return of_llamaindex(last)


async def llamaindex_awhole(at: dict[str, Any], asked: dict[str, Any]) -> Any:
    return of_llamaindex(await ModelStudio(**at).achat(ASKED, **asked))


async def llamaindex_astream(at: dict[str, Any], asked: dict[str, Any]) -> Any:
    stream = await ModelStudio(**at).astream_chat(ASKED, **asked)
    return of_llamaindex([it async for it in stream][-1])


WAYS = [
    langchain_whole,
    langchain_stream,
    langchain_awhole,
    langchain_astream,
    llamaindex_whole,
    llamaindex_stream,
    llamaindex_awhole,
    llamaindex_astream,
]


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_sixteen_answers_are_equal(
    modelstudio_emulator: Emulator, scenario: str
) -> None:
    reply, asked = SCENARIOS[scenario]
    answers: dict[str, Any] = {}
    for protocol in ("openai", "dashscope"):
        for way in WAYS:
            modelstudio_emulator.script(reply)
            at = connection(modelstudio_emulator, protocol)
            answers[f"{protocol} {way.__name__}"] = await way(at, asked)
    assert len(modelstudio_emulator.requests) == 16
    first = answers["openai langchain_whole"]
    assert first["text"] or first["calls"]
    for name, answer in answers.items():
        assert answer == first, name


async def test_eight_answers_have_the_same_sources(
    modelstudio_emulator: Emulator,
) -> None:
    """Web search with sources is the native protocol's alone."""
    asked = {"enable_search": True, "search_options": {"enable_source": True}}
    found = [{"index": 1, "title": "T", "url": "https://x.example", "icon": ""}]
    at = connection(modelstudio_emulator, "dashscope")
    answers: list[Any] = []
    for way in WAYS:
        modelstudio_emulator.script(Reply(text="Rain [1].", search_results=found))
        answers.append(await way(at, asked))
    assert answers[0]["sources"] == found
    assert answers == [answers[0]] * 8


def entry(index: int, city: str) -> dict[str, Any]:
    function = {"name": "weather", "arguments": f'{{"city": "{city}"}}'}
    return {
        "index": index,
        "id": f"call_{index}",
        "type": "function",
        "function": function,
    }


async def test_two_calls_in_one_delta_are_two_calls(
    modelstudio_emulator: Emulator,
) -> None:
    calls = [entry(0, "Oslo"), entry(1, "Rome")]
    delta = {"role": "assistant", "content": "", "tool_calls": calls}
    for protocol in ("openai", "dashscope"):
        for way in WAYS:
            if "stream" not in way.__name__:
                continue
            reply = Reply(deltas=[delta], finish_reason="tool_calls")
            modelstudio_emulator.script(reply)
            answer = await way(
                connection(modelstudio_emulator, protocol), {"tools": [WEATHER]}
            )
            assert answer["calls"] == [
                ("call_0", "weather", {"city": "Oslo"}),
                ("call_1", "weather", {"city": "Rome"}),
            ], (protocol, way.__name__)
            assert answer["finish_reason"] == "tool_calls"


FAULTS = {
    "a filter": Fault(
        status=400, code="data_inspection_failed", message="Input may be inappropriate."
    ),
    "a filter inside a stream": Fault.in_stream(
        code="data_inspection_failed", message="Output may be inappropriate.", after=0
    ),
    "a limit": Fault(status=429, code="limit_requests", message="Too many requests."),
    "a fault of the service": Fault(status=500, code="internal_error", message="Oops."),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_sixteen_errors_are_equal(
    modelstudio_emulator: Emulator, fault: str
) -> None:
    seen: dict[str, Any] = {}
    for protocol in ("openai", "dashscope"):
        for way in WAYS:
            modelstudio_emulator.script(FAULTS[fault])
            with pytest.raises(APIError) as caught:
                await way(connection(modelstudio_emulator, protocol), {})
            error = caught.value
            assert error.request_id
            assert error.protocol == protocol
            seen[f"{protocol} {way.__name__}"] = (
                type(error).__name__,
                error.status_code,
                error.is_retryable,
            )
    first = seen["openai langchain_whole"]
    assert dict.fromkeys(seen, first) == seen


@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
@pytest.mark.parametrize("cls", [ChatModelStudio, ModelStudio])
def test_an_image_reaches_a_model_that_sees(
    modelstudio_emulator: Emulator, cls: Any, protocol: str
) -> None:
    modelstudio_emulator.script(Reply(text="A dog."))
    llm = cls(**connection(modelstudio_emulator, protocol))
    if cls is ChatModelStudio:
        content: list[Any] = ["What is it?", {"type": "image", "url": IMAGE}]
        assert llm.invoke([HumanMessage(content)]).text == "A dog."
    else:
        blocks = [TextBlock(text="What is it?"), ImageBlock(url=IMAGE)]
        response = llm.chat([ChatMessage(role="user", blocks=blocks)])
        assert response.message.content == "A dog."
    (request,) = modelstudio_emulator.requests
    assert request.body is not None
    assert IMAGE in str(request.body)
    if protocol == "dashscope":
        assert request.path.endswith("/multimodal-generation/generation")
        parts = request.body["input"]["messages"][0]["content"]
        assert parts == [{"text": "What is it?"}, {"image": IMAGE}]


@pytest.mark.parametrize("way", WAYS)
async def test_a_replaced_model_goes_where_it_can_answer(
    modelstudio_emulator: Emulator, way: Any
) -> None:
    at = connection(modelstudio_emulator, "dashscope") | {"model": "deepseek-v3.2"}
    with pytest.warns(DeprecationWarning, match=r"qwen3\.7-plus"):
        answer = await way(at, {})
    assert answer["text"]
    (request,) = modelstudio_emulator.requests
    assert request.path.endswith("/multimodal-generation/generation")
    assert request.body is not None
    assert request.body["model"] == "qwen3.7-plus"
    assert request.body["input"]["messages"][0]["content"] == [
        {"text": "Weather? JSON."}
    ]
    assert request.body["parameters"]["enable_thinking"] is False
