"""Scripted replies and faults on the DashScope protocol, and its official SDK."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from modelstudio_core.emulator import Fault, Reply, ToolCall
from tests.emulator.helpers import MULTIMODAL, DashScopeClient, dashscope_events

REPLY = Reply(pieces=["a", "b", "c"])


def test_deltas_are_sent_unchanged(dashscope: DashScopeClient) -> None:
    entry = {"index": 0, "id": "call_1", "function": {"name": "a", "arguments": ""}}
    deltas: list[dict[str, Any]] = [
        {"content": "x", "reasoning_content": "y"},
        {"tool_calls": [entry, entry | {"index": 1, "id": "call_2"}]},
    ]
    reply = Reply(deltas=deltas)
    dashscope.studio.script(reply, reply, Reply(deltas=[{"text": "x"}]))
    *chunks_before, end = dashscope.choices()
    assert [choice["message"] for choice in chunks_before] == deltas
    assert end["message"] == {"content": "", "role": "assistant"}
    assert end["finish_reason"] == "tool_calls"
    *_, last, end = dashscope.messages(incremental_output=False)
    assert last == end == deltas[1]
    chunks = dashscope.chunks(result_format="text")
    assert [body["output"] for body in chunks] == [
        {"finish_reason": "null", "text": "x"},
        {"finish_reason": "stop", "text": ""},
    ]


def test_raw_chunks_and_bodies_are_sent_unchanged(dashscope: DashScopeClient) -> None:
    chunks: list[dict[str, Any]] = [{"output": {}}, {"odd": True}]
    raw = b'data: {"output":{}}\r\n\r\n'
    dashscope.studio.script(
        Reply(raw_chunks=chunks), Reply(raw_chunks=[]), Reply(raw_body=raw)
    )
    assert dashscope.chunks() == chunks
    assert dashscope.chunks() == []
    assert dashscope.send(stream=True).content == raw


def test_a_stream_only_reply_needs_a_stream(dashscope: DashScopeClient) -> None:
    dashscope.studio.script(Reply(raw_chunks=[]))
    status, code, _ = dashscope.error()
    assert (status, code) == (500, "EmulatorScript")


def test_a_reply_skips_the_rules(dashscope: DashScopeClient) -> None:
    dashscope.studio.script(REPLY)
    output = dashscope.output(
        model="a-model-of-tomorrow", path=MULTIMODAL, temperature=9
    )
    assert output["choices"][0]["message"]["content"] == [{"text": "abc"}]


def test_parts_can_be_omitted(dashscope: DashScopeClient) -> None:
    dashscope.studio.script(
        *[Reply(text="x", omit={"finish_reason", "usage", "done"})] * 2,
        Reply(tool_calls=[ToolCall("a")], omit={"finish_reason"}),
        Reply(omit={"finish_reason"}),
        Reply(deltas=[{"content": "x"}], omit={"finish_reason"}),
    )
    (body,) = dashscope.chunks()
    assert body["output"]["choices"][0]["finish_reason"] == "null"
    assert "usage" not in body
    body = dashscope.send().json()
    assert body["output"]["choices"][0]["finish_reason"] == "null"
    assert "usage" not in body
    assert {c["finish_reason"] for c in dashscope.choices()} == {"null"}
    assert dashscope.chunks() == []
    assert dashscope.messages() == [{"content": "x"}]


def test_finish_reason_usage_and_logprobs_can_be_set(
    dashscope: DashScopeClient,
) -> None:
    usage = {"input_tokens": 1, "odd": 3}
    token: dict[str, Any] = {"token": "x", "logprob": -0.5, "top_logprobs": []}
    reply = Reply(
        reasoning="y", text="x", finish_reason="odd", usage=usage, logprobs=[token]
    )
    dashscope.studio.script(reply, reply)
    body = dashscope.send().json()
    (choice,) = body["output"]["choices"]
    assert body["usage"] == usage
    assert choice["finish_reason"] == "odd"
    assert choice["logprobs"] == {"content": [token]}
    chunks = dashscope.chunks()
    choices = [body["output"]["choices"][0] for body in chunks]
    assert [body["usage"] for body in chunks] == [usage] * 3
    assert ["logprobs" in choice for choice in choices] == [False, True, False]
    assert choices[-1]["finish_reason"] == "odd"


# --- Faults -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "sent"),
    [
        ("limit_requests", "Throttling.RateQuota"),
        ("insufficient_quota", "Throttling.AllocationQuota"),
        ("Throttling", "Throttling"),
        ("Arrearage", "Arrearage"),
        (None, "InternalError"),
    ],
)
def test_a_status_has_a_dashscope_code(
    dashscope: DashScopeClient, code: str | None, sent: str
) -> None:
    dashscope.studio.script(Fault(status=429, code=code, message="No."))
    assert dashscope.error(stream=True) == (429, sent, "No.")


def test_the_default_fault_is_an_internal_error(dashscope: DashScopeClient) -> None:
    dashscope.studio.script(Fault())
    status, code, _ = dashscope.error()
    assert (status, code) == (500, "InternalError")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.in_stream(after=2, reply=REPLY), 400, "DataInspectionFailed"),
        (Fault.in_stream(after=2, code="internal_error"), 500, "InternalError"),
        (Fault.in_stream(after=2, code="limit_requests"), 429, "Throttling.RateQuota"),
    ],
)
def test_an_error_inside_a_stream_ends_the_stream(
    dashscope: DashScopeClient, fault: Fault, status: int, code: str
) -> None:
    dashscope.studio.script(fault)
    response = dashscope.send(stream=True)
    *before, (kind, error_status, error) = dashscope_events(response.text)
    assert response.status_code == 200
    assert [name for name, _, _ in before] == ["result"] * 2
    assert (kind, error_status, error["code"]) == ("error", status, code)
    assert error["request_id"] == response.headers["x-request-id"]


def test_an_error_inside_a_complete_answer_is_its_body(
    dashscope: DashScopeClient,
) -> None:
    dashscope.studio.script(Fault.in_stream(message="No."))
    assert dashscope.error() == (200, "DataInspectionFailed", "No.")


def test_a_stream_can_be_cut(dashscope: DashScopeClient) -> None:
    dashscope.studio.script(Fault.cut(after=1, within=True, reply=REPLY))
    with pytest.raises(httpx.RemoteProtocolError):
        dashscope.send(stream=True)


# --- The SDK ----------------------------------------------------------------------


def test_the_official_sdk_reads_a_stream(dashscope: DashScopeClient) -> None:
    from dashscope import Generation

    messages: Any = [{"role": "user", "content": "Rust is a language. What is Rust?"}]
    result = Generation.call(
        api_key=dashscope.studio.api_key,
        base_address=dashscope.studio.base_url + "/api/v1",
        model="qwen-plus",
        messages=messages,
        result_format="message",
        stream=True,
        incremental_output=True,
        enable_thinking=True,
    )
    assert isinstance(result, Iterator)
    responses = list(result)
    parts = [response.output.choices[0].message for response in responses]
    answer = "".join(message.content for message in parts)
    reasoning = "".join(message.reasoning_content for message in parts)
    last = responses[-1]
    assert {response.status_code for response in responses} == {200}
    assert answer == "Rust is a language."
    assert reasoning.startswith('The user asks: "What is Rust?"')
    assert last.output.choices[0].finish_reason == "stop"
    usage = last.usage
    assert usage.input_tokens + usage.output_tokens == usage["total_tokens"]
    assert last.request_id == last.headers["x-request-id"]
