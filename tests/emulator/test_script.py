"""Scripted replies: exactly what was said, in the order it was said."""

import json
from typing import Any

import pytest

from modelstudio_core.emulator import Reply, ToolCall
from tests.emulator.client import Client, events

TWO_CALLS = [ToolCall("add", {"a": 1}, id="call_1"), ToolCall("now", "{", id="")]


def test_replies_are_used_up_in_their_order(client: Client) -> None:
    client.studio.script(Reply(text="one"), Reply(text="two"))
    said = [client.say("Why?")["content"] for _ in range(3)]
    assert said[:2] == ["one", "two"]
    assert "emulator" in said[2]


def test_a_reply_waits_for_the_right_key(client: Client) -> None:
    client.studio.script(Reply(text="one"))
    assert client.http.post(client.url, json={}).status_code == 401
    assert client.say()["content"] == "one"


def test_a_reply_knows_no_rules(client: Client) -> None:
    client.studio.script(Reply(text="Hi"))
    assert client.say(model="a-model-of-tomorrow", temperature=9)["content"] == "Hi"


def test_text_reasoning_and_calls_come_in_this_order(client: Client) -> None:
    reply = Reply(text="Let me see.", reasoning="Hm.", tool_calls=TWO_CALLS)
    client.studio.script(reply, reply)
    message = client.say()
    assert message["content"] == "Let me see."
    assert message["reasoning_content"] == "Hm."
    found = [(c["id"], c["index"], c["function"]) for c in message["tool_calls"]]
    assert found == [
        ("call_1", 0, {"name": "add", "arguments": '{"a": 1}'}),
        ("", 1, {"name": "now", "arguments": "{"}),
    ]
    deltas = client.deltas()
    kinds = [_kind(delta) for delta in deltas]
    assert kinds == sorted(kinds, key=["start", "think", "say", "call", "end"].index)


def _kind(delta: dict[str, Any]) -> str:
    if "role" in delta:
        return "start"
    if delta.get("tool_calls"):
        return "call"
    if delta.get("content"):
        return "say"
    return "think" if delta.get("reasoning_content") else "end"


def test_the_pieces_can_be_chosen(client: Client) -> None:
    client.studio.script(Reply(pieces=["a", "", "bc"]), Reply(pieces=["a", "bc"]))
    contents = [delta["content"] for delta in client.deltas()]
    assert contents == ["", "a", "", "bc", ""]
    assert client.say()["content"] == "abc"


def test_deltas_are_sent_as_they_are(client: Client) -> None:
    """For both phases in one chunk, two calls in one delta, ids that come again."""
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


def test_chunks_are_sent_as_they_are(client: Client) -> None:
    chunks: list[dict[str, Any]] = [{"choices": []}, {"odd": True}]
    client.studio.script(Reply(raw_chunks=chunks), Reply(raw_chunks=[]))
    assert client.chunks() == chunks
    assert client.chunks() == []


def test_bytes_are_sent_as_they_are(client: Client) -> None:
    raw = b"data:{}\r\n\r\n: comment\r\n\r\ndata: [DO"
    client.studio.script(
        Reply(raw_body=raw), Reply(raw_body=b"odd", content_type="text/odd")
    )
    response = client.ask(stream=True)
    assert response.content == raw
    assert response.headers["content-type"].startswith("text/event-stream")
    assert client.ask().headers["content-type"] == "text/odd"


@pytest.mark.parametrize(
    "reply", [Reply(deltas=[{"content": "x"}]), Reply(raw_chunks=[])]
)
def test_what_only_streams_is_an_error_elsewhere(client: Client, reply: Reply) -> None:
    client.studio.script(reply)
    response = client.ask()
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "emulator_script"


def test_parts_of_the_end_can_be_left_out(client: Client) -> None:
    asked: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}

    def ends(reply: Reply) -> list[Any]:
        client.studio.script(reply)
        return events(client.ask(**asked).text)

    whole = ends(Reply(text="x"))
    assert len(whole) == 5
    assert whole[-1] == "[DONE]"
    assert ends(Reply(text="x", omit={"done"}))[-1] != "[DONE]"
    assert not any('"total' in event for event in ends(Reply(text="x", omit={"usage"})))
    bare = ends(Reply(text="x", omit={"finish_reason", "usage", "done"}))
    assert len(bare) == 2
    assert all(json.loads(e)["choices"][0]["finish_reason"] is None for e in bare)


def test_parts_of_a_whole_answer_can_be_left_out(client: Client) -> None:
    client.studio.script(Reply(text="x", omit={"finish_reason", "usage"}))
    body = client.ask().json()
    assert body["choices"][0]["finish_reason"] is None
    assert "usage" not in body


def test_reason_usage_and_logprobs_can_be_chosen(client: Client) -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "odd": 3}
    token: dict[str, Any] = {"token": "x", "logprob": -0.5, "top_logprobs": []}
    reply = Reply(text="x", finish_reason="odd", usage=usage, logprobs=[token])
    client.studio.script(reply, reply)
    body = client.ask().json()
    assert body["usage"] == usage
    assert body["choices"][0]["finish_reason"] == "odd"
    assert body["choices"][0]["logprobs"] == {"content": [token]}
    said = [chunk["choices"][0] for chunk in client.chunks()]
    assert [choice["logprobs"] for choice in said] == [None, {"content": [token]}, None]


def test_headers_can_be_added(client: Client) -> None:
    client.studio.script(Reply(headers={"x-odd": "yes"}))
    assert client.ask().headers["x-odd"] == "yes"


def test_calls_without_an_id_get_one(client: Client) -> None:
    client.studio.script(Reply(tool_calls=[ToolCall("a"), ToolCall("a")]))
    ids = [call["id"] for call in client.say()["tool_calls"]]
    assert len(set(ids)) == 2
    assert all(call_id.startswith("call_") for call_id in ids)
