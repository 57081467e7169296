"""Every recorded OpenAI-compatible chat is read completely, in both frameworks.

An error inside a stream with status 200 has the status that the service's page of error
codes lists for its code.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, convert_to_messages
from llama_index.core.base.llms.types import (
    ChatMessage,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from modelstudio_core.chat.options import OPTION_NAMES
from modelstudio_core.errors import APIStatusError
from tests.support.calls import CallStyle, call
from tests.support.models import FRAMEWORKS, KEY, Framework, model
from tests.support.recordings import (
    VARIABLE,
    Exchange,
    Expected,
    batch_exchanges,
    chat_exchanges,
    creation_exchanges,
    embedding_exchanges,
    expected_answer,
    native_exchanges,
    query_exchanges,
    rerank_exchanges,
)
from tests.support.replay import Replay, replaying
from tests.support.responses import Summary, summarize


@pytest.mark.parametrize(
    "exchanges",
    [
        batch_exchanges,
        chat_exchanges,
        creation_exchanges,
        embedding_exchanges,
        native_exchanges,
        query_exchanges,
        rerank_exchanges,
    ],
)
def test_one_parameter_is_skipped_without_recordings(
    exchanges: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    (parameter,) = exchanges()
    assert [mark.name for mark in parameter.marks] == ["skip"]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("exchange", chat_exchanges())
async def test_a_recorded_chat(
    exchange: Exchange, framework: Framework, asynchronous: bool
) -> None:
    expected = expected_answer(exchange)
    style = CallStyle(framework, stream=exchange.streamed, asynchronous=asynchronous)
    messages, options = messages_of(exchange, framework), options_of(exchange)
    body = exchange.body.encode()
    with replaying(exchange.status, exchange.headers, body) as replay:
        llm = model(framework, replay.base_url, model=exchange.request["model"])
        if expected.error:
            with pytest.raises(APIStatusError) as caught:
                await call(llm, style, messages, **options)
            check_error(caught.value, exchange, expected)
        else:
            response = await call(llm, style, messages, **options)
            check_answer(summarize(response), expected)
            if isinstance(response, AIMessage):
                assert response.content == expected.text
                assert response.invalid_tool_calls == []
            else:
                check_llamaindex(response, expected)
        check_request(replay, exchange)


# --- The request ----------------------------------------------------------------------


def options_of(exchange: Exchange) -> dict[str, Any]:
    """Return the options of the call that sends the recorded request."""
    others = {"model", "messages", "stream", "stream_options"}
    sent = {k: v for k, v in exchange.request.items() if k not in others}
    options = {k: v for k, v in sent.items() if k in OPTION_NAMES and v is not None}
    extra_body = {k: v for k, v in sent.items() if k not in OPTION_NAMES}
    return {**options, **({"extra_body": extra_body} if extra_body else {})}


def messages_of(exchange: Exchange, framework: Framework) -> Sequence[Any]:
    """Return the recorded messages as messages of a framework."""
    messages = exchange.request["messages"]
    if framework == "LangChain":
        return convert_to_messages([{"content": "", **message} for message in messages])
    return [to_llamaindex(message) for message in messages]


def to_llamaindex(message: dict[str, Any]) -> ChatMessage:
    """Return a recorded message as an application would build it."""
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


def check_request(replay: Replay, exchange: Exchange) -> None:
    """Check that one request was sent, equal to the recorded one."""
    (sent,) = replay.requests
    assert replay.headers[0]["authorization"] == f"Bearer {KEY}"
    for name, value in exchange.request.items():
        if name == "messages":
            assert sent[name] == [normalize_message(message) for message in value]
        elif value not in (None, []) and name != "stream_options":
            assert sent[name] == value, name


def normalize_message(message: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded message without empty fields, with text parts as one text."""
    kept = {k: v for k, v in message.items() if v not in (None, [])}
    content = kept.get("content", "")
    if isinstance(content, list) and all(part["type"] == "text" for part in content):
        content = "\n".join(part["text"] for part in content)
    kept["content"] = content
    kept.pop("index", None)
    if calls := kept.get("tool_calls"):
        kept["tool_calls"] = [normalize_call(call) for call in calls]
    else:
        kept.pop("reasoning_content", None)
    return kept


def normalize_call(call: dict[str, Any]) -> dict[str, Any]:
    arguments = json.dumps(json.loads(call["function"].get("arguments") or "{}"))
    function = {"name": call["function"]["name"], "arguments": arguments}
    return {"id": call["id"], "type": "function", "function": function}


# --- The response ---------------------------------------------------------------------


def check_answer(answer: Summary, expected: Expected) -> None:
    assert answer.text == expected.text
    assert answer.reasoning == expected.reasoning
    assert answer.calls == [
        (call.id, call.name, json.loads(call.arguments or "{}"))
        for call in expected.calls
    ]
    assert answer.blocks == [
        *(["reasoning"] if expected.reasoning else []),
        *(["text"] if expected.text else []),
        *(["tool_call"] * len(expected.calls)),
    ]
    assert answer.finish_reason == expected.finish_reason
    assert answer.request_id
    assert expected.usage is not None
    inputs = expected.usage.get("prompt_tokens_details") or {}
    outputs = expected.usage.get("completion_tokens_details") or {}
    assert answer.input_tokens == expected.usage["prompt_tokens"]
    assert answer.output_tokens == expected.usage["completion_tokens"]
    assert answer.total_tokens == expected.usage["total_tokens"]
    assert answer.reasoning_tokens == outputs.get("reasoning_tokens")
    assert answer.cached_tokens == inputs.get("cached_tokens")


def check_llamaindex(response: Any, expected: Expected) -> None:
    message = response.message
    thinking = [block for block in message.blocks if isinstance(block, ThinkingBlock)]
    assert "".join(block.content or "" for block in thinking) == expected.reasoning
    calls = message.additional_kwargs.get("tool_calls", [])
    assert [call["function"]["arguments"] for call in calls] == [
        call.arguments for call in expected.calls
    ]
    assert response.raw["usage"] == expected.usage


STATUS_OF_CODE = {"invalid_parameter_error": 400, "data_inspection_failed": 400}


def check_error(error: APIStatusError, exchange: Exchange, expected: Expected) -> None:
    assert expected.error is not None
    status = exchange.status
    if status == 200:
        status = STATUS_OF_CODE[expected.error["code"]]
    assert error.status_code == status
    assert error.code == expected.error.get("code")
    assert str(expected.error["message"]) in error.message
    assert error.request_id
    assert KEY not in f"{error!r} {error} {error.body}"
