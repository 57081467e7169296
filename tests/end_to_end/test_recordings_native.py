"""Every recorded native chat is read completely, in both frameworks."""

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from llama_index.core.base.llms.types import CompletionResponse

from modelstudio_core.errors import APIStatusError
from tests.support.calls import CallStyle, call
from tests.support.models import FRAMEWORKS, KEY, Framework, model
from tests.support.recordings import (
    Exchange,
    Expected,
    expected_native_answer,
    native_exchanges,
)
from tests.support.replay import Replay, replaying


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("exchange", native_exchanges())
@pytest.mark.filterwarnings("ignore:.*without a finish reason")
async def test_a_recorded_chat(
    exchange: Exchange, framework: Framework, asynchronous: bool
) -> None:
    style = CallStyle(framework, stream=exchange.streamed, asynchronous=asynchronous)
    kind = "text/event-stream" if exchange.streamed else "application/json"
    headers, body = {"content-type": kind}, exchange.body.encode()
    with replaying(exchange.status, headers, body) as replay:
        llm = model(framework, replay.base_url, "dashscope")
        if exchange.status != 200:
            with pytest.raises(APIStatusError) as caught:
                await call(llm, style, "Hi")
            check_error(caught.value, exchange)
        else:
            response: Any = await call(llm, style, "Hi")
            expected = expected_native_answer(exchange)
            if framework == "LangChain":
                check_message(response, expected)
            else:
                check_completion(response, expected)
        check_request(replay, exchange)


def check_request(replay: Replay, exchange: Exchange) -> None:
    (sent,) = replay.requests
    assert list(sent) == ["model", "input", "parameters"]
    assert sent["parameters"]["result_format"] == "message"
    assert sent["parameters"].get("incremental_output", False) is exchange.streamed
    headers = replay.headers[0]
    assert headers.get("x-dashscope-sse") == ("enable" if exchange.streamed else None)
    assert headers["authorization"] == f"Bearer {KEY}"
    assert replay.paths == ["/api/v1/services/aigc/text-generation/generation"]


def check_error(error: APIStatusError, exchange: Exchange) -> None:
    body = json.loads(exchange.body)
    assert error.status_code == exchange.status
    assert error.code == body["code"]
    assert error.request_id == body["request_id"]
    assert body["message"] in error.message


def check_message(message: AIMessage, expected: Expected) -> None:
    extra, metadata = message.additional_kwargs, message.response_metadata
    assert message.content == expected.text
    assert extra.get("reasoning_content", "") == expected.reasoning
    assert [(call["name"], call["id"]) for call in message.tool_calls] == [
        (call.name, call.id) for call in expected.calls
    ]
    assert metadata["finish_reason"] == expected.finish_reason
    assert metadata["request_id"] == expected.request_id
    assert extra.get("search_results", []) == expected.sources
    assert metadata.get("tool_info") == expected.tool_info
    usage = message.usage_metadata
    assert usage is not None
    assert expected.usage is not None
    assert usage["input_tokens"] == expected.usage["input_tokens"]
    assert usage["output_tokens"] == expected.usage["output_tokens"]
    details = expected.usage.get("output_tokens_details") or {}
    reasoning_tokens = usage.get("output_token_details", {}).get("reasoning")
    assert reasoning_tokens == details.get("reasoning_tokens")
    assert [block["type"] for block in message.content_blocks] == [
        *(["reasoning"] if expected.reasoning else []),
        *(["text"] if expected.text else []),
        *(["tool_call"] * len(expected.calls)),
    ]


def check_completion(response: CompletionResponse, expected: Expected) -> None:
    extra = response.additional_kwargs
    assert (response.text or "") == expected.text
    assert extra.get("reasoning_content", "") == expected.reasoning
    assert extra.get("finish_reason") == expected.finish_reason
    assert extra["request_id"] == expected.request_id
    assert expected.usage is not None
    assert extra["prompt_tokens"] == expected.usage["input_tokens"]
    assert extra["completion_tokens"] == expected.usage["output_tokens"]
    assert response.raw is not None
    assert response.raw["usage"] == expected.usage
    assert extra.get("tool_info") == expected.tool_info
