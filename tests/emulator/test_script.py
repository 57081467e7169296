"""Scripted replies: each field changes the response as documented."""

import json
from typing import Any

import pytest

from modelstudio_core.emulator import (
    BatchScript,
    Emulator,
    Fault,
    Reply,
    TaskOutcome,
    ToolCall,
)
from tests.emulator.helpers import OpenAIClient, openai_events

TWO_CALLS = [ToolCall("add", {"a": 1}, id="call_1"), ToolCall("now", "{", id="")]


def test_reasoning_text_and_calls_are_sent_in_this_order(client: OpenAIClient) -> None:
    reply = Reply(text="Let me see.", reasoning="Hm.", tool_calls=TWO_CALLS)
    client.studio.script(reply, reply)
    message = client.message()
    assert message["content"] == "Let me see."
    assert message["reasoning_content"] == "Hm."
    calls = [(c["id"], c["index"], c["function"]) for c in message["tool_calls"]]
    assert calls == [
        ("call_1", 0, {"name": "add", "arguments": '{"a": 1}'}),
        ("", 1, {"name": "now", "arguments": "{"}),
    ]
    deltas = client.deltas()
    kinds = [_kind(delta) for delta in deltas]
    assert kinds == sorted(
        kinds, key=["start", "reasoning", "text", "call", "end"].index
    )


def _kind(delta: dict[str, Any]) -> str:
    if "role" in delta:
        return "start"
    if delta.get("tool_calls"):
        return "call"
    if delta.get("content"):
        return "text"
    return "reasoning" if delta.get("reasoning_content") else "end"


@pytest.mark.parametrize(
    ("method", "item", "error"),
    [
        ("script", "Hi", "accepts Reply or Fault objects, got a str. Pass each as an"),
        ("script", [Reply()], "got a list. Pass each as an argument."),
        ("script", TaskOutcome(), r"got a TaskOutcome. script_tasks\(\) is for those."),
        ("script", BatchScript(), r"got a BatchScript. script_batches\(\) is for"),
        ("script_tasks", Fault(status=500), r"got a Fault. script\(\) is for those."),
        (
            "script_batches",
            Reply(),
            r"accepts BatchScript objects, got a Reply. script",
        ),
    ],
)
def test_what_a_method_does_not_script_is_refused(
    method: str, item: object, error: str
) -> None:
    emulator = Emulator()
    with pytest.raises(TypeError, match=error):
        getattr(emulator, method)(item)
    assert emulator.scripted == []


def test_a_tool_call_of_a_framework_is_refused() -> None:
    call: Any = {"name": "add", "args": {"a": 1}, "id": "call_1"}
    with pytest.raises(TypeError, match=r"ToolCall\('add', .*got a dict\."):
        Reply(tool_calls=[call])


def test_what_no_request_used_is_shown_and_can_be_removed() -> None:
    emulator = Emulator()
    emulator.script(Reply())
    emulator.script_tasks(TaskOutcome())
    emulator.script_batches(BatchScript())
    assert emulator.scripted == [Reply(), TaskOutcome(), BatchScript()]
    emulator.clear_script()
    assert emulator.scripted == []


def test_pieces_are_the_deltas_of_a_stream(client: OpenAIClient) -> None:
    client.studio.script(Reply(pieces=["a", "", "bc"]), Reply(pieces=["a", "bc"]))
    contents = [delta["content"] for delta in client.deltas()]
    assert contents == ["", "a", "", "bc", ""]
    assert client.message()["content"] == "abc"


def test_deltas_are_sent_unchanged(client: OpenAIClient) -> None:
    """Reasoning and text in one chunk, two calls in one delta, a repeated id."""
    entry = {"index": 0, "id": "call_1", "function": {"name": "a", "arguments": ""}}
    deltas: list[dict[str, Any]] = [
        {"content": "x", "reasoning_content": "y"},
        {"tool_calls": [entry, entry | {"index": 1, "id": "call_2"}]},
        {"tool_calls": [entry | {"function": {"arguments": "{}"}}]},
    ]
    client.studio.script(Reply(deltas=deltas))
    chunks = client.chunks()
    assert [chunk["choices"][0]["delta"] for chunk in chunks[:-1]] == deltas
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_raw_chunks_are_sent_unchanged(client: OpenAIClient) -> None:
    chunks: list[dict[str, Any]] = [{"choices": []}, {"odd": True}]
    client.studio.script(Reply(raw_chunks=chunks), Reply(raw_chunks=[]))
    assert client.chunks() == chunks
    assert client.chunks() == []


def test_a_raw_body_is_sent_unchanged(client: OpenAIClient) -> None:
    raw = b"data:{}\r\n\r\n: comment\r\n\r\ndata: [DO"
    client.studio.script(
        Reply(raw_body=raw), Reply(raw_body=b"odd", content_type="text/odd")
    )
    response = client.send(stream=True)
    assert response.content == raw
    assert response.headers["content-type"].startswith("text/event-stream")
    assert client.send().headers["content-type"] == "text/odd"


@pytest.mark.parametrize(
    "reply", [Reply(deltas=[{"content": "x"}]), Reply(raw_chunks=[])]
)
def test_a_stream_only_reply_needs_a_stream(client: OpenAIClient, reply: Reply) -> None:
    client.studio.script(reply)
    response = client.send()
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "emulator_script"


def test_the_end_of_a_stream_can_be_omitted(client: OpenAIClient) -> None:
    options: dict[str, Any] = {
        "stream": True,
        "stream_options": {"include_usage": True},
    }

    def read_events(reply: Reply) -> list[Any]:
        client.studio.script(reply)
        return openai_events(client.send(**options).text)

    complete = read_events(Reply(text="x"))
    assert len(complete) == 5
    assert complete[-1] == "[DONE]"
    assert read_events(Reply(text="x", omit={"done"}))[-1] != "[DONE]"
    assert not any(
        '"total' in event for event in read_events(Reply(text="x", omit={"usage"}))
    )
    bare = read_events(Reply(text="x", omit={"finish_reason", "usage", "done"}))
    assert len(bare) == 2
    assert all(json.loads(e)["choices"][0]["finish_reason"] is None for e in bare)


def test_parts_of_a_complete_answer_can_be_omitted(client: OpenAIClient) -> None:
    client.studio.script(Reply(text="x", omit={"finish_reason", "usage"}))
    body = client.send().json()
    assert body["choices"][0]["finish_reason"] is None
    assert "usage" not in body


def test_finish_reason_usage_and_logprobs_can_be_set(client: OpenAIClient) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "odd": 3}
    token: dict[str, Any] = {"token": "x", "logprob": -0.5, "top_logprobs": []}
    reply = Reply(text="x", finish_reason="odd", usage=usage, logprobs=[token])
    client.studio.script(reply, reply)
    body = client.send().json()
    assert body["usage"] == usage
    assert body["choices"][0]["finish_reason"] == "odd"
    assert body["choices"][0]["logprobs"] == {"content": [token]}
    choices = [chunk["choices"][0] for chunk in client.chunks()]
    assert [choice["logprobs"] for choice in choices] == [
        None,
        {"content": [token]},
        None,
    ]


def test_headers_can_be_added(client: OpenAIClient) -> None:
    client.studio.script(Reply(headers={"x-odd": "yes"}))
    assert client.send().headers["x-odd"] == "yes"


def test_calls_without_an_id_get_one(client: OpenAIClient) -> None:
    client.studio.script(Reply(tool_calls=[ToolCall("a"), ToolCall("a")]))
    ids = [call["id"] for call in client.message()["tool_calls"]]
    assert len(set(ids)) == 2
    assert all(call_id.startswith("call_") for call_id in ids)
