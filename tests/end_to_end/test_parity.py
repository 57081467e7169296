"""The same answer in all sixteen combinations of protocol and call style.

The emulator writes each scripted reply in both protocols. The responses must be equal
but for the request id.
"""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.messages import ToolCall as LangChainCall
from llama_index.core.base.llms.types import (
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ToolCallBlock,
    VideoBlock,
)

from langchain_modelstudio import batches as langchain_batches
from llamaindex_modelstudio import batches as llamaindex_batches
from modelstudio_core.emulator import BatchScript, Emulator, Fault, Reply, ToolCall
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
VIDEO = "https://x.example/a.mp4"
PDF = "https://x.example/a.pdf"
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
    "speech": (
        Reply(text="Hello there, and welcome."),
        {"model_id": "qwen3.5-omni-plus", "modalities": ["text", "audio"]},
    ),
    "the text so far in each chunk": (
        Reply(text="I did not laugh.", pieces=["I", " did", " not laugh."]),
        {"model_id": "qwen-mt-plus"},
    ),
    "pieces that repeat": (
        Reply(text="hahaha", pieces=["ha", "ha", "ha"]),
        {"model_id": "qwen-mt-flash"},
    ),
    "a stream underneath": (
        Reply(reasoning="Hm.", text="Hello."),
        {"model_id": "qwen3-4b"},
    ),
    "calls that never came": (
        Reply(text="I will look.", finish_reason="tool_calls"),
        {"tools": [WEATHER]},
    ),
    "a call written as text": (
        Reply(text='<tool_call>{"name": "weather"}</tool_call>'),
        {"tools": [WEATHER]},
    ),
    "a forced call of a model that only thinks": (
        Reply(
            text="Now.", tool_calls=[ToolCall("weather", {"city": "Oslo"}, id="call_a")]
        ),
        {"tools": [WEATHER], "tool_choice": "weather", "model_id": "glm-5.3"},
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
@pytest.mark.filterwarnings("ignore:.*(answered with the finish|wrote a tool call)")
@pytest.mark.filterwarnings("ignore:.*an answer without a call is an error")
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


MEDIA: dict[str, tuple[dict[str, Any], Any, list[dict[str, Any]]]] = {
    "image": (
        {"type": "image", "url": IMAGE},
        ImageBlock(url=IMAGE),
        [{"type": "image_url", "image_url": {"url": IMAGE}}, {"image": IMAGE}],
    ),
    "video": (
        {"type": "video", "url": VIDEO, "fps": 2},
        VideoBlock(url=VIDEO, fps=2),
        [
            {"type": "video_url", "video_url": {"url": VIDEO}, "fps": 2},
            {"video": VIDEO, "fps": 2},
        ],
    ),
    "PDF": (
        {"type": "file", "url": PDF},
        DocumentBlock(url=PDF),
        [{"type": "file", "file": {"file_url": PDF}}, {"file_url": PDF}],
    ),
}


@pytest.mark.parametrize("kind", MEDIA)
async def test_sixteen_requests_have_the_same_media(
    modelstudio_emulator: Emulator, kind: str
) -> None:
    block, llamaindex_block, forms = MEDIA[kind]
    text = {"type": "text", "text": "What is it?"}
    blocks = [llamaindex_block, TextBlock(text="What is it?")]
    messages: dict[Framework, list[Any]] = {
        "LangChain": [HumanMessage([block, text])],
        "LlamaIndex": [ChatMessage(role="user", blocks=blocks)],
    }
    for protocol, form in zip(PROTOCOLS, forms, strict=True):
        for style in CALL_STYLES:
            llm = model(
                style.framework, modelstudio_emulator, protocol, model="qwen3.8-max"
            )
            assert await call(llm, style, messages[style.framework])
            body = modelstudio_emulator.requests[-1].body
            content = body.get("input", body)["messages"][0]["content"]
            words = text if protocol == "openai" else {"text": "What is it?"}
            assert content == [form, words]
    assert len(modelstudio_emulator.requests) == 16


async def test_sixteen_histories_are_repaired_alike(
    modelstudio_emulator: Emulator,
) -> None:
    """A trimmed call, and one that an interrupt left without a result."""
    names = {"tool_call_id": "call_a", "name": "weather"}
    open_call = ToolCallBlock(
        tool_call_id="call_b", tool_name="weather", tool_kwargs={"city": "Rome"}
    )
    histories: dict[Framework, list[Any]] = {
        "LangChain": [
            ToolMessage("Rain.", tool_call_id="call_a", name="weather"),
            AIMessage(
                "",
                tool_calls=[
                    LangChainCall(name="weather", args={"city": "Rome"}, id="call_b")
                ],
            ),
            HumanMessage("Stop."),
        ],
        "LlamaIndex": [
            ChatMessage(role="tool", content="Rain.", additional_kwargs=names),
            ChatMessage(role="assistant", blocks=[open_call]),
            ChatMessage(role="user", content="Stop."),
        ],
    }
    sent: list[Any] = []
    for protocol in PROTOCOLS:
        for style in CALL_STYLES:
            llm = model(
                style.framework, modelstudio_emulator, protocol, model="qwen-max"
            )
            assert await call(llm, style, histories[style.framework])
            body = modelstudio_emulator.requests[-1].body
            sent.append(body.get("input", body)["messages"])
    assert sent == [sent[0]] * 16
    roles = [message["role"] for message in sent[0]]
    assert roles == ["user", "assistant", "tool", "user"]
    assert "Rain." in sent[0][0]["content"]


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


async def test_the_rows_of_batches_are_the_answers_of_calls(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    """In both frameworks, from models of both protocols, in sync and async code."""
    runs: dict[Framework, Any] = {
        "LangChain": langchain_batches.BatchRun,
        "LlamaIndex": llamaindex_batches.BatchRun,
    }
    expected = {"text": "Hello wörld.", "reasoning": "Let me think."}
    reply = Reply(text=expected["text"], reasoning=expected["reasoning"])
    usages: list[Any] = []
    for number, (framework, protocol, is_async) in enumerate(
        product(FRAMEWORKS, PROTOCOLS, (False, True))
    ):
        modelstudio_emulator.script_batches(BatchScript(replies={0: reply}))
        llm = model(framework, modelstudio_emulator, protocol, model="qwen3.7-plus")
        run = runs[framework].prepare(llm, [PROMPT], tmp_path / str(number))
        await run.asubmit() if is_async else run.submit()
        modelstudio_emulator.advance(60)
        await run.acollect() if is_async else run.collect()
        (row,) = run.results()
        message: Any = row.message
        content = message.content
        reasoning = message.additional_kwargs["reasoning_content"]
        assert {"text": content, "reasoning": reasoning} == expected
        usages.append(row.usage)
    assert usages == [usages[0]] * 8
    assert usages[0].reasoning_tokens
