"""Scripted replies and faults on the native protocol, and its official SDK."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from modelstudio_core.emulator import Fault, Reply, ToolCall
from tests.emulator.native_client import MULTIMODAL, Native, events

SAID = Reply(pieces=["a", "b", "c"])


def test_messages_are_sent_as_they_are(native: Native) -> None:
    entry = {"index": 0, "id": "call_1", "function": {"name": "a", "arguments": ""}}
    deltas: list[dict[str, Any]] = [
        {"content": "x", "reasoning_content": "y"},
        {"tool_calls": [entry, entry | {"index": 1, "id": "call_2"}]},
    ]
    reply = Reply(deltas=deltas)
    native.studio.script(reply, reply, Reply(deltas=[{"text": "x"}]))
    *said, end = native.choices()
    assert [choice["message"] for choice in said] == deltas
    assert end["message"] == {"content": "", "role": "assistant"}
    assert end["finish_reason"] == "tool_calls"
    *_, last, end = native.messages(incremental_output=False)
    assert last == end == deltas[1]
    bodies = native.bodies(result_format="text")
    assert [body["output"] for body in bodies] == [
        {"finish_reason": "null", "text": "x"},
        {"finish_reason": "stop", "text": ""},
    ]


def test_chunks_and_bytes_are_sent_as_they_are(native: Native) -> None:
    chunks: list[dict[str, Any]] = [{"output": {}}, {"odd": True}]
    raw = b'data: {"output":{}}\r\n\r\n'
    native.studio.script(
        Reply(raw_chunks=chunks), Reply(raw_chunks=[]), Reply(raw_body=raw)
    )
    assert native.bodies() == chunks
    assert native.bodies() == []
    assert native.ask(stream=True).content == raw


def test_what_only_streams_is_an_error_elsewhere(native: Native) -> None:
    native.studio.script(Reply(raw_chunks=[]))
    status, code, _ = native.refusal()
    assert (status, code) == (500, "EmulatorScript")


def test_a_reply_knows_no_rules(native: Native) -> None:
    native.studio.script(SAID)
    said = native.say(model="a-model-of-tomorrow", path=MULTIMODAL, temperature=9)
    assert said["choices"][0]["message"]["content"] == [{"text": "abc"}]


def test_parts_can_be_left_out(native: Native) -> None:
    native.studio.script(
        *[Reply(text="x", omit={"finish_reason", "usage", "done"})] * 2,
        Reply(tool_calls=[ToolCall("a")], omit={"finish_reason"}),
        Reply(omit={"finish_reason"}),
        Reply(deltas=[{"content": "x"}], omit={"finish_reason"}),
    )
    (body,) = native.bodies()
    assert body["output"]["choices"][0]["finish_reason"] == "null"
    assert "usage" not in body
    whole = native.ask().json()
    assert whole["output"]["choices"][0]["finish_reason"] == "null"
    assert "usage" not in whole
    assert {c["finish_reason"] for c in native.choices()} == {"null"}
    assert native.bodies() == []
    assert native.messages() == [{"content": "x"}]


def test_reason_usage_and_logprobs_can_be_chosen(native: Native) -> None:
    usage = {"input_tokens": 1, "odd": 3}
    token: dict[str, Any] = {"token": "x", "logprob": -0.5, "top_logprobs": []}
    reply = Reply(
        reasoning="y", text="x", finish_reason="odd", usage=usage, logprobs=[token]
    )
    native.studio.script(reply, reply)
    body = native.ask().json()
    (choice,) = body["output"]["choices"]
    assert body["usage"] == usage
    assert choice["finish_reason"] == "odd"
    assert choice["logprobs"] == {"content": [token]}
    bodies = native.bodies()
    choices = [body["output"]["choices"][0] for body in bodies]
    assert [body["usage"] for body in bodies] == [usage] * 3
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
def test_a_status_has_a_native_code(
    native: Native, code: str | None, sent: str
) -> None:
    native.studio.script(Fault(status=429, code=code, message="No."))
    assert native.refusal(stream=True) == (429, sent, "No.")


def test_a_fault_alone_is_an_internal_error(native: Native) -> None:
    native.studio.script(Fault())
    status, code, _ = native.refusal()
    assert (status, code) == (500, "InternalError")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault.in_stream(after=2, reply=SAID), 400, "DataInspectionFailed"),
        (Fault.in_stream(after=2, code="internal_error"), 500, "InternalError"),
        (Fault.in_stream(after=2, code="limit_requests"), 429, "Throttling.RateQuota"),
    ],
)
def test_an_error_can_come_inside_a_stream(
    native: Native, fault: Fault, status: int, code: str
) -> None:
    native.studio.script(fault)
    response = native.ask(stream=True)
    *before, (kind, said, error) = events(response.text)
    assert response.status_code == 200
    assert [name for name, _, _ in before] == ["result"] * 2
    assert (kind, said, error["code"]) == ("error", status, code)
    assert error["request_id"] == response.headers["x-request-id"]


def test_an_error_can_come_inside_a_whole_answer(native: Native) -> None:
    native.studio.script(Fault.in_stream(message="No."))
    assert native.refusal() == (200, "DataInspectionFailed", "No.")


def test_a_stream_can_be_cut(native: Native) -> None:
    native.studio.script(Fault.cut(after=1, within=True, reply=SAID))
    with pytest.raises(httpx.RemoteProtocolError):
        native.ask(stream=True)


# --- The SDK ----------------------------------------------------------------------


def test_the_official_sdk_reads_its_streams(native: Native) -> None:
    from dashscope import Generation

    messages: Any = [{"role": "user", "content": "Rust is a language. What is Rust?"}]
    found = Generation.call(
        api_key=native.studio.api_key,
        base_address=native.studio.base_url + "/api/v1",
        model="qwen-plus",
        messages=messages,
        result_format="message",
        stream=True,
        incremental_output=True,
        enable_thinking=True,
    )
    assert isinstance(found, Iterator)
    responses = list(found)
    said = [response.output.choices[0].message for response in responses]
    answer = "".join(message.content for message in said)
    reasoning = "".join(message.reasoning_content for message in said)
    last = responses[-1]
    assert {response.status_code for response in responses} == {200}
    assert answer == "Rust is a language."
    assert reasoning.startswith('The user asks: "What is Rust?"')
    assert last.output.choices[0].finish_reason == "stop"
    usage = last.usage
    assert usage.input_tokens + usage.output_tokens == usage["total_tokens"]
    assert last.request_id == last.headers["x-request-id"]
