"""The same answer in all sixteen combinations of protocol and call style.

The emulator writes each scripted reply in both protocols. The responses must be equal
but for the request id.
"""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock

from modelstudio_core.emulator import Emulator, Fault, Reply, ToolCall
from modelstudio_core.errors import APIConnectionError, APIError
from tests.support.calls import (
    CALL_STYLES,
    STREAM_STYLES,
    CallStyle,
    call,
    collect_text,
)
from tests.support.internals import forget_clients
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Protocol, model
from tests.support.proxy import refusing_proxy
from tests.support.responses import Summary, summarize

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
IMAGE = "https://x.example/a.png"
PROMPT = "Weather? JSON."

# The scripted reply, and the options of the call.
SCENARIOS: dict[str, tuple[Reply, dict[str, Any]]] = {
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
    "half a call": (
        Reply(
            text="Looking.",
            tool_calls=[ToolCall("weather", id="call_a", pieces=['{"city": ', '"Os'])],
            finish_reason="length",
        ),
        {"tools": [WEATHER]},
    ),
    "a call cut off before its arguments": (
        Reply(
            tool_calls=[ToolCall("weather", id="call_a", pieces=[""])],
            finish_reason="length",
        ),
        {"tools": [WEATHER]},
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


async def respond(
    emulator: Emulator,
    style: CallStyle,
    protocol: Protocol,
    model_id: str = "qwen3.7-plus",
    **options: Any,
) -> Summary:
    llm = model(style.framework, emulator, protocol, model=model_id)
    messages: dict[Framework, list[Any]] = {
        "LangChain": [HumanMessage(PROMPT)],
        "LlamaIndex": [ChatMessage(role="user", content=PROMPT)],
    }
    response = await call(llm, style, messages[style.framework], **options)
    return summarize(response)


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_sixteen_answers_are_equal(
    modelstudio_emulator: Emulator, scenario: str
) -> None:
    reply, options = SCENARIOS[scenario]
    answers: dict[str, Summary] = {}
    for protocol in PROTOCOLS:
        for style in CALL_STYLES:
            modelstudio_emulator.script(reply)
            answers[f"{protocol} {style}"] = await respond(
                modelstudio_emulator, style, protocol, **options
            )
    assert len(modelstudio_emulator.requests) == len(answers) == 16
    first = next(iter(answers.values()))
    assert first.blocks
    for name, answer in answers.items():
        assert answer == first, name


async def test_eight_answers_have_the_same_sources(
    modelstudio_emulator: Emulator,
) -> None:
    """Only the native protocol returns the sources of a web search."""
    options: dict[str, Any] = {
        "enable_search": True,
        "search_options": {"enable_source": True},
    }
    results = [{"index": 1, "title": "T", "url": "https://x.example", "icon": ""}]
    answers: list[Summary] = []
    for style in CALL_STYLES:
        modelstudio_emulator.script(Reply(text="Rain [1].", search_results=results))
        answers.append(
            await respond(modelstudio_emulator, style, "dashscope", **options)
        )
    assert answers[0].sources == results
    assert answers == [answers[0]] * 8


def tool_call(index: int, city: str) -> dict[str, Any]:
    function = {"name": "weather", "arguments": f'{{"city": "{city}"}}'}
    return {
        "index": index,
        "id": f"call_{index}",
        "type": "function",
        "function": function,
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("style", STREAM_STYLES, ids=str)
async def test_two_calls_in_one_delta_are_two_calls(
    modelstudio_emulator: Emulator, style: CallStyle, protocol: Protocol
) -> None:
    calls = [tool_call(0, "Oslo"), tool_call(1, "Rome")]
    delta = {"role": "assistant", "content": "", "tool_calls": calls}
    modelstudio_emulator.script(Reply(deltas=[delta], finish_reason="tool_calls"))
    answer = await respond(modelstudio_emulator, style, protocol, tools=[WEATHER])
    assert answer.calls == [
        ("call_0", "weather", {"city": "Oslo"}),
        ("call_1", "weather", {"city": "Rome"}),
    ]
    assert answer.finish_reason == "tool_calls"


FAULTS = {
    "content filter": Fault(
        status=400, code="data_inspection_failed", message="Input may be inappropriate."
    ),
    "content filter in a stream": Fault.in_stream(
        code="data_inspection_failed", message="Output may be inappropriate.", after=0
    ),
    "rate limit": Fault(
        status=429, code="limit_requests", message="Too many requests."
    ),
    "server error": Fault(status=500, code="internal_error", message="Oops."),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_sixteen_errors_are_equal(
    modelstudio_emulator: Emulator, fault: str
) -> None:
    errors: dict[str, Any] = {}
    for protocol in PROTOCOLS:
        for style in CALL_STYLES:
            modelstudio_emulator.script(FAULTS[fault])
            with pytest.raises(APIError) as caught:
                await respond(modelstudio_emulator, style, protocol)
            error = caught.value
            assert error.request_id
            assert error.protocol == protocol
            errors[f"{protocol} {style}"] = (
                type(error).__name__,
                error.status_code,
                error.is_retryable,
            )
    assert len(errors) == 16
    first = errors["openai LangChain-call-sync"]
    assert dict.fromkeys(errors, first) == errors


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_an_image_reaches_a_vision_model(
    modelstudio_emulator: Emulator, framework: Framework, protocol: Protocol
) -> None:
    modelstudio_emulator.script(Reply(text="A dog."))
    llm = model(framework, modelstudio_emulator, protocol, model="qwen3.7-plus")
    content: list[Any] = ["What is it?", {"type": "image", "url": IMAGE}]
    blocks = [TextBlock(text="What is it?"), ImageBlock(url=IMAGE)]
    messages: dict[Framework, list[Any]] = {
        "LangChain": [HumanMessage(content)],
        "LlamaIndex": [ChatMessage(role="user", blocks=blocks)],
    }
    response = await call(llm, CallStyle(framework), messages[framework])
    assert summarize(response).text == "A dog."
    (request,) = modelstudio_emulator.requests
    assert request.body is not None
    assert IMAGE in str(request.body)
    if protocol == "dashscope":
        assert request.path.endswith("/multimodal-generation/generation")
        parts = request.body["input"]["messages"][0]["content"]
        assert parts == [{"text": "What is it?"}, {"image": IMAGE}]


@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
async def test_a_replacement_model_is_called_on_its_own_path(
    modelstudio_emulator: Emulator, style: CallStyle
) -> None:
    with pytest.warns(DeprecationWarning, match=r"qwen3\.7-plus"):
        answer = await respond(
            modelstudio_emulator, style, "dashscope", model_id="deepseek-v3.2"
        )
    assert answer.text
    (request,) = modelstudio_emulator.requests
    assert request.path.endswith("/multimodal-generation/generation")
    assert request.body is not None
    assert request.body["model"] == "qwen3.7-plus"
    assert request.body["input"]["messages"][0]["content"] == [{"text": PROMPT}]
    assert request.body["parameters"]["enable_thinking"] is False


async def test_sixteen_answers_name_their_region_and_mode(
    modelstudio_emulator: Emulator,
) -> None:
    for protocol in PROTOCOLS:
        for style in CALL_STYLES:
            arguments = {"region": "us", "mode": "us", "model": "qwen-plus-us"}
            llm = model(style.framework, modelstudio_emulator, protocol, **arguments)
            response = await call(llm, style, "Hi")
            metadata = getattr(response, "response_metadata", None)
            metadata = metadata or response.additional_kwargs
            assert (metadata["region"], metadata["mode"]) == ("us-east-1", "us")


async def test_sixteen_errors_name_the_proxy(
    modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its password: a dead proxy must not look like a dead service."""
    del modelstudio_emulator
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    with refusing_proxy() as seen:
        address = seen[0].removeprefix("http://")
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret-word@{address}")
        forget_clients()
        for protocol in PROTOCOLS:
            for style in CALL_STYLES:
                llm = model(style.framework, "https://gateway.example.com", protocol)
                result = await collect_text(llm, style, "Hi")
                assert isinstance(result.error, APIConnectionError)
                assert (
                    "gateway.example.com cannot be reached through the proxy"
                    f" {address} of the environment" in str(result.error)
                )
                assert "secret-word" not in str(result.error)
        forget_clients()
