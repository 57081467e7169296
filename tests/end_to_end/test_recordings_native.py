"""Every recorded native chat that is incremental or whole comes out right.

Four streams lost the blank lines between their events in recording: they are restored.
Streams whose every event repeats all text so far are left out, because a request of
ours always asks for increments.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.errors import APIStatusError
from tests.support.recordings import native_exchanges
from tests.support.replay import replaying

KEY = "sk-recorded-0123456789"
pytestmark = pytest.mark.parametrize("exchange", native_exchanges())


def body_of(exchange: Any) -> str:
    """Return the recorded body, with the blank lines between its events."""
    body: str = exchange.body
    if exchange.streamed and "\n\nid:" not in body:
        body = body.replace("\nid:", "\n\nid:").rstrip("\n") + "\n\n"
    return body


def chunks(body: str) -> Iterator[dict[str, Any]]:
    if body.lstrip().startswith("{"):
        yield json.loads(body)
        return
    for line in re.findall(r"^data:(.*)$", body, re.MULTILINE):
        yield json.loads(line)


def expected(body: str) -> dict[str, Any]:
    """Read a recorded answer by the plainest means."""
    wanted: dict[str, Any] = {
        "content": "",
        "reasoning": "",
        "calls": [],
        "sources": [],
    }
    for chunk in chunks(body):
        output = chunk.get("output") or {}
        usage = chunk.get("usage") or {}
        wanted["usage"] = usage or wanted.get("usage")
        found = (output.get("search_info") or {}).get("search_results")
        wanted["sources"] = wanted["sources"] or found or []
        choices = output.get("choices") or [
            {"message": {"content": output.get("text")}, **output}
        ]
        message = choices[0].get("message") or {}
        content = message.get("content") or ""
        if isinstance(content, list):
            content = "".join(part.get("text", "") for part in content)
        wanted["content"] += content
        wanted["reasoning"] += message.get("reasoning_content") or ""
        wanted["calls"] += message.get("tool_calls") or []
        reason = choices[0].get("finish_reason")
        wanted["reason"] = None if reason == "null" else reason
        wanted["request_id"] = chunk["request_id"]
        wanted["tools"] = output.get("tool_info") or wanted.get("tools")
    return wanted


def headers(exchange: Any) -> dict[str, str]:
    kind = "text/event-stream" if exchange.streamed else "application/json"
    return {"content-type": kind}


def connection(base_url: str) -> dict[str, Any]:
    return {
        "model": "qwen-plus",
        "base_url": base_url,
        "api_key": KEY,
        "max_retries": 0,
        "protocol": "dashscope",
    }


WITHOUT_REASON = pytest.mark.filterwarnings("ignore:.*without a finish reason")


def check_message(message: AIMessage, wanted: dict[str, Any]) -> None:
    assert message.content == wanted["content"]
    assert message.additional_kwargs.get("reasoning_content", "") == wanted["reasoning"]
    calls = [(it["function"]["name"], it["id"]) for it in wanted["calls"]]
    assert [(it["name"], it["id"]) for it in message.tool_calls] == calls
    assert message.response_metadata["finish_reason"] == wanted["reason"]
    assert message.response_metadata["request_id"] == wanted["request_id"]
    assert message.additional_kwargs.get("search_results", []) == wanted["sources"]
    assert message.response_metadata.get("tool_info") == wanted["tools"]
    usage = message.usage_metadata
    assert usage is not None
    assert usage["input_tokens"] == wanted["usage"]["input_tokens"]
    assert usage["output_tokens"] == wanted["usage"]["output_tokens"]
    details = wanted["usage"].get("output_tokens_details") or {}
    thought = usage.get("output_token_details", {}).get("reasoning")
    assert thought == details.get("reasoning_tokens")
    kinds = [block["type"] for block in message.content_blocks]
    assert kinds == [
        *(["reasoning"] if wanted["reasoning"] else []),
        *(["text"] if wanted["content"] else []),
        *(["tool_call"] * len(wanted["calls"])),
    ]


def check_sent(replay: Any, exchange: Any) -> None:
    (sent,) = replay.requests
    assert list(sent) == ["model", "input", "parameters"]
    assert sent["parameters"]["result_format"] == "message"
    assert sent["parameters"].get("incremental_output", False) is exchange.streamed
    asked = replay.headers[0]
    assert asked.get("x-dashscope-sse") == ("enable" if exchange.streamed else None)
    assert asked["authorization"] == f"Bearer {KEY}"
    assert replay.paths == ["/api/v1/services/aigc/text-generation/generation"]


@WITHOUT_REASON
def test_langchain(exchange: Any) -> None:
    body = body_of(exchange)
    with replaying(exchange.status, headers(exchange), body.encode()) as replay:
        llm = ChatModelStudio(**connection(replay.base_url))
        if exchange.status != 200:
            with pytest.raises(APIStatusError) as caught:
                llm.invoke("Hi")
            check_error(caught.value, exchange)
        elif exchange.streamed:
            first, *rest = llm.stream("Hi")
            for chunk in rest:
                first += chunk
            check_message(first, expected(body))
        else:
            check_message(llm.invoke("Hi"), expected(body))
        check_sent(replay, exchange)


@WITHOUT_REASON
async def test_langchain_async(exchange: Any) -> None:
    body = body_of(exchange)
    with replaying(exchange.status, headers(exchange), body.encode()) as replay:
        llm = ChatModelStudio(**connection(replay.base_url))
        if exchange.status != 200:
            with pytest.raises(APIStatusError) as caught:
                await llm.ainvoke("Hi")
            check_error(caught.value, exchange)
        elif exchange.streamed:
            first, *rest = [it async for it in llm.astream("Hi")]
            for chunk in rest:
                first += chunk
            check_message(first, expected(body))
        else:
            check_message(await llm.ainvoke("Hi"), expected(body))
        check_sent(replay, exchange)


def check_error(error: APIStatusError, exchange: Any) -> None:
    told = json.loads(exchange.body)
    assert error.status_code == exchange.status
    assert error.code == told["code"]
    assert error.request_id == told["request_id"]
    assert told["message"] in error.message


def check_response(response: Any, wanted: dict[str, Any]) -> None:
    assert (response.text or "") == wanted["content"]
    extra = response.additional_kwargs
    assert extra.get("reasoning_content", "") == wanted["reasoning"]
    assert extra.get("finish_reason") == wanted["reason"]
    assert extra["request_id"] == wanted["request_id"]
    assert extra["prompt_tokens"] == wanted["usage"]["input_tokens"]
    assert extra["completion_tokens"] == wanted["usage"]["output_tokens"]
    assert response.raw["usage"] == wanted["usage"]
    assert extra.get("tool_info") == wanted["tools"]


@WITHOUT_REASON
def test_llamaindex(exchange: Any) -> None:
    body = body_of(exchange)
    with replaying(exchange.status, headers(exchange), body.encode()) as replay:
        llm = ModelStudio(**connection(replay.base_url))
        if exchange.status != 200:
            with pytest.raises(APIStatusError) as caught:
                llm.complete("Hi")
            check_error(caught.value, exchange)
        elif exchange.streamed:
            *_, last = llm.stream_complete("Hi")
            check_response(last, expected(body))
        else:
            check_response(llm.complete("Hi"), expected(body))
        check_sent(replay, exchange)


@WITHOUT_REASON
async def test_llamaindex_async(exchange: Any) -> None:
    body = body_of(exchange)
    with replaying(exchange.status, headers(exchange), body.encode()) as replay:
        llm = ModelStudio(**connection(replay.base_url))
        if exchange.status != 200:
            with pytest.raises(APIStatusError) as caught:
                await llm.acomplete("Hi")
            check_error(caught.value, exchange)
        elif exchange.streamed:
            responses = [it async for it in await llm.astream_complete("Hi")]
            check_response(responses[-1], expected(body))
        else:
            check_response(await llm.acomplete("Hi"), expected(body))
        check_sent(replay, exchange)
