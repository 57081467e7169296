"""Every recorded chat comes out whole: both frameworks, both colours, odd cuts.

The status of an error that was delivered inside a stream of status 200 is worked out
from the code by the table of the official error-code page.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, convert_to_messages
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
from modelstudio_core.chat.options import OPTION_NAMES
from modelstudio_core.errors import APIStatusError
from tests.support.recordings import Exchange, Expected, chat_exchanges, expected
from tests.support.replay import Replay, replaying

KEY = "sk-recorded-0123456789"
pytestmark = pytest.mark.parametrize("exchange", chat_exchanges())


def play(exchange: Exchange) -> Any:
    return replaying(exchange.status, exchange.headers, exchange.body.encode())


def arguments(exchange: Exchange) -> dict[str, Any]:
    """Return what was asked for, as the arguments that ask for it."""
    ignored = {"model", "messages", "stream", "stream_options"}
    asked = {k: v for k, v in exchange.request.items() if k not in ignored}
    named = {k: v for k, v in asked.items() if k in OPTION_NAMES and v is not None}
    rest = {k: v for k, v in asked.items() if k not in OPTION_NAMES}
    return {**named, **({"extra_body": rest} if rest else {})}


def connection(replay: Replay, exchange: Exchange) -> dict[str, Any]:
    model = exchange.request["model"]
    return {
        "model": model,
        "base_url": replay.base_url,
        "api_key": KEY,
        "max_retries": 0,
    }


def check_sent(replay: Replay, exchange: Exchange) -> None:
    """See that one request was sent, and that it asks for what was recorded."""
    (sent,) = replay.requests
    assert replay.headers[0]["authorization"] == f"Bearer {KEY}"
    for name, value in exchange.request.items():
        if name == "messages":
            assert sent[name] == [plain_message(message) for message in value]
        elif value not in (None, []) and name != "stream_options":
            assert sent[name] == value, name


def plain_message(message: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded message without what means nothing, text parts as text."""
    plain = {k: v for k, v in message.items() if v not in (None, [])}
    content = plain.get("content", "")
    if isinstance(content, list) and all(it["type"] == "text" for it in content):
        content = "\n".join(it["text"] for it in content)
    plain["content"] = content
    plain.pop("index", None)
    if calls := plain.get("tool_calls"):
        plain["tool_calls"] = [plain_call(call) for call in calls]
    if not plain.get("tool_calls"):
        plain.pop("reasoning_content", None)
    return plain


def plain_call(call: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(json.loads(call["function"].get("arguments") or "{}"))
    function = {"name": call["function"]["name"], "arguments": text}
    return {"id": call["id"], "type": "function", "function": function}


def check_usage(found: dict[str, int | None], wanted: dict[str, Any]) -> None:
    inputs = wanted.get("prompt_tokens_details") or {}
    outputs = wanted.get("completion_tokens_details") or {}
    assert found == {
        "input": wanted["prompt_tokens"],
        "output": wanted["completion_tokens"],
        "total": wanted["total_tokens"],
        "reasoning": outputs.get("reasoning_tokens"),
        "cached": inputs.get("cached_tokens"),
    }


STATUS_OF_CODE = {"invalid_parameter_error": 400, "data_inspection_failed": 400}


def check_error(error: APIStatusError, exchange: Exchange, wanted: Expected) -> None:
    assert wanted.error is not None, error
    status = exchange.status
    if status == 200:
        status = STATUS_OF_CODE[wanted.error["code"]]
    assert error.status_code == status
    assert error.code == wanted.error.get("code")
    assert str(wanted.error["message"]) in error.message
    assert error.request_id
    assert KEY not in f"{error!r} {error} {error.body}"


# --- LangChain --------------------------------------------------------------------


def langchain_whole(llm: ChatModelStudio, messages: Any, asked: Any) -> AIMessage:
    return llm.invoke(messages, **asked)


async def langchain_awhole(
    llm: ChatModelStudio, messages: Any, asked: Any
) -> AIMessage:
    return await llm.ainvoke(messages, **asked)


def langchain_stream(llm: ChatModelStudio, messages: Any, asked: Any) -> AIMessage:
    whole: AIMessageChunk | None = None
    for chunk in llm.stream(messages, **asked):
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    return whole


async def langchain_astream(
    llm: ChatModelStudio, messages: Any, asked: Any
) -> AIMessage:
    whole: AIMessageChunk | None = None
    async for chunk in llm.astream(messages, **asked):
        whole = chunk if whole is None else whole + chunk
    assert whole is not None
    return whole


def check_message(message: AIMessage, wanted: Expected) -> None:
    assert wanted.error is None
    assert message.content == wanted.content
    assert message.additional_kwargs.get("reasoning_content", "") == wanted.reasoning
    calls = [
        {"id": it["id"], "name": it["name"], "args": it["args"]}
        for it in message.tool_calls
    ]
    assert calls == [
        {
            "id": it["id"],
            "name": it["name"],
            "args": json.loads(it["arguments"] or "{}"),
        }
        for _, it in sorted(wanted.calls.items())
    ]
    assert message.invalid_tool_calls == []
    metadata = message.response_metadata
    assert metadata["finish_reason"] == wanted.finish_reason
    assert metadata["request_id"]
    assert wanted.usage is not None
    usage = message.usage_metadata
    assert usage is not None
    check_usage(
        {
            "input": usage["input_tokens"],
            "output": usage["output_tokens"],
            "total": usage["total_tokens"],
            "reasoning": usage.get("output_token_details", {}).get("reasoning"),
            "cached": usage.get("input_token_details", {}).get("cache_read"),
        },
        wanted.usage,
    )
    kinds = [block["type"] for block in message.content_blocks]
    assert kinds == [
        *(["reasoning"] if wanted.reasoning else []),
        *(["text"] if wanted.content else []),
        *(["tool_call"] * len(wanted.calls)),
    ]


def langchain_case(exchange: Exchange, replay: Replay) -> tuple[Any, Any, Any]:
    llm = ChatModelStudio(**connection(replay, exchange))
    recorded = [{"content": "", **it} for it in exchange.request["messages"]]
    return llm, convert_to_messages(recorded), arguments(exchange)


def test_langchain(exchange: Exchange) -> None:
    wanted = expected(exchange)
    call: Callable[..., AIMessage]
    call = langchain_stream if exchange.streamed else langchain_whole
    with play(exchange) as replay:
        case = langchain_case(exchange, replay)
        if wanted.error:
            with pytest.raises(APIStatusError) as caught:
                call(*case)
            check_error(caught.value, exchange, wanted)
        else:
            check_message(call(*case), wanted)
        check_sent(replay, exchange)


async def test_langchain_async(exchange: Exchange) -> None:
    wanted = expected(exchange)
    call = langchain_astream if exchange.streamed else langchain_awhole
    with play(exchange) as replay:
        case = langchain_case(exchange, replay)
        if wanted.error:
            with pytest.raises(APIStatusError) as caught:
                await call(*case)
            check_error(caught.value, exchange, wanted)
        else:
            check_message(await call(*case), wanted)
        check_sent(replay, exchange)


# --- LlamaIndex -------------------------------------------------------------------


def to_llamaindex(message: dict[str, Any]) -> ChatMessage:
    """Return a recorded message as an application would have built it."""
    blocks: list[Any] = []
    content = message.get("content") or ""
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, str):
            blocks.extend([TextBlock(text=part)] if part else [])
        elif part["type"] == "text":
            blocks.append(TextBlock(text=part["text"]))
        else:
            blocks.append(ImageBlock(url=part["image_url"]["url"]))
    if reasoning := message.get("reasoning_content"):
        blocks.insert(0, ThinkingBlock(content=reasoning))
    blocks.extend(
        ToolCallBlock(
            tool_call_id=call["id"],
            tool_name=call["function"]["name"],
            tool_kwargs=json.loads(call["function"]["arguments"] or "{}"),
        )
        for call in message.get("tool_calls") or []
    )
    extra = {k: message[k] for k in ("tool_call_id", "name") if message.get(k)}
    return ChatMessage(role=message["role"], blocks=blocks, additional_kwargs=extra)


def llamaindex_case(exchange: Exchange, replay: Replay) -> tuple[Any, Any, Any]:
    llm = ModelStudio(**connection(replay, exchange))
    messages = [to_llamaindex(it) for it in exchange.request["messages"]]
    return llm, messages, arguments(exchange)


def llamaindex_whole(llm: ModelStudio, messages: Any, asked: Any) -> ChatResponse:
    response: ChatResponse = llm.chat(messages, **asked)
    return response


def llamaindex_stream(llm: ModelStudio, messages: Any, asked: Any) -> ChatResponse:
    responses = list(llm.stream_chat(messages, **asked))
    return check_deltas(responses)


async def llamaindex_awhole(
    llm: ModelStudio, messages: Any, asked: Any
) -> ChatResponse:
    response: ChatResponse = await llm.achat(messages, **asked)
    return response


async def llamaindex_astream(
    llm: ModelStudio, messages: Any, asked: Any
) -> ChatResponse:
    responses = [it async for it in await llm.astream_chat(messages, **asked)]
    return check_deltas(responses)


def check_deltas(responses: list[ChatResponse]) -> ChatResponse:
    last = responses[-1]
    assert "".join(it.delta or "" for it in responses) == (last.message.content or "")
    thinking = "".join(it.additional_kwargs["thinking_delta"] for it in responses)
    assert thinking == last.message.additional_kwargs.get("reasoning_content", "")
    return last


def check_response(response: ChatResponse, wanted: Expected) -> None:
    assert wanted.error is None
    message = response.message
    assert (message.content or "") == wanted.content
    thinking = [b for b in message.blocks if isinstance(b, ThinkingBlock)]
    assert "".join(b.content or "" for b in thinking) == wanted.reasoning
    calls = [b for b in message.blocks if isinstance(b, ToolCallBlock)]
    ordered = [it for _, it in sorted(wanted.calls.items())]
    assert [
        {"id": b.tool_call_id, "name": b.tool_name, "args": b.tool_kwargs}
        for b in calls
    ] == [
        {
            "id": it["id"],
            "name": it["name"],
            "args": json.loads(it["arguments"] or "{}"),
        }
        for it in ordered
    ]
    kept = message.additional_kwargs.get("tool_calls", [])
    assert [it["function"]["arguments"] for it in kept] == [
        it["arguments"] for it in ordered
    ]
    extra = response.additional_kwargs
    assert extra["finish_reason"] == wanted.finish_reason
    assert extra["request_id"]
    assert wanted.usage is not None
    assert response.raw is not None
    assert response.raw["usage"] == wanted.usage
    check_usage(
        {
            "input": extra["prompt_tokens"],
            "output": extra["completion_tokens"],
            "total": extra["total_tokens"],
            "reasoning": extra.get("reasoning_tokens"),
            "cached": extra.get("cached_tokens"),
        },
        wanted.usage,
    )


def test_llamaindex(exchange: Exchange) -> None:
    wanted = expected(exchange)
    call = llamaindex_stream if exchange.streamed else llamaindex_whole
    with play(exchange) as replay:
        case = llamaindex_case(exchange, replay)
        if wanted.error:
            with pytest.raises(APIStatusError) as caught:
                call(*case)
            check_error(caught.value, exchange, wanted)
        else:
            check_response(call(*case), wanted)
        check_sent(replay, exchange)


async def test_llamaindex_async(exchange: Exchange) -> None:
    wanted = expected(exchange)
    call = llamaindex_astream if exchange.streamed else llamaindex_awhole
    with play(exchange) as replay:
        case = llamaindex_case(exchange, replay)
        if wanted.error:
            with pytest.raises(APIStatusError) as caught:
                await call(*case)
            check_error(caught.value, exchange, wanted)
        else:
            check_response(await call(*case), wanted)
        check_sent(replay, exchange)
