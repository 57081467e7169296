"""Streams: the exact shapes of both recorded generations."""

import json
import time
from typing import Any

import httpx
import pytest

from modelstudio_core.emulator import Emulator, Reply, ToolCall
from tests.emulator.client import Client, events

SAID = Reply(reasoning="Hmm.", text="Yes.")
CALLED = Reply(tool_calls=[ToolCall("add", pieces=['{"a"', ": 1}"], id="call_1")])


def choices(client: Client, reply: Reply) -> list[Any]:
    client.studio.script(reply)
    return [chunk["choices"][0] for chunk in client.chunks()]


def test_a_chunk_has_the_recorded_keys(client: Client) -> None:
    chunk = client.chunks()[0]
    assert chunk.pop("id").startswith("chatcmpl-")
    assert isinstance(chunk.pop("created"), int)
    assert len(chunk.pop("choices")) == 1
    assert chunk == {
        "model": "qwen3.7-plus",
        "object": "chat.completion.chunk",
        "usage": None,
    }


def test_the_newer_generation_says_nothing_as_an_empty_text(client: Client) -> None:
    rest = {"index": 0, "finish_reason": None, "logprobs": None}
    first = {"content": "", "role": "assistant", "reasoning_content": ""}
    assert choices(client, SAID) == [
        {"delta": first, **rest},
        {"delta": {"content": "", "reasoning_content": "Hmm."}, **rest},
        {"delta": {"content": "Yes.", "reasoning_content": ""}, **rest},
        {
            "delta": {"content": "", "reasoning_content": ""},
            **rest,
            "finish_reason": "stop",
        },
    ]


def test_the_older_generation_says_nothing_as_null(older: Client) -> None:
    first = {"content": None, "role": "assistant", "reasoning_content": ""}
    end = {"content": "", "reasoning_content": None, "role": None}
    assert choices(older, SAID) == [
        {"logprobs": None, "delta": first, "index": 0},
        {
            "delta": {"content": None, "reasoning_content": "Hmm.", "role": None},
            "index": 0,
        },
        {
            "delta": {"content": "Yes.", "reasoning_content": None, "role": None},
            "index": 0,
        },
        {"delta": end, "index": 0, "finish_reason": "stop"},
    ]


def test_without_thinking_there_is_no_reasoning_key(
    client: Client, older: Client
) -> None:
    assert [c["delta"] for c in choices(client, Reply(text="Yes."))] == [
        {"content": "", "role": "assistant"},
        {"content": "Yes."},
        {"content": ""},
    ]
    assert [c["delta"] for c in choices(older, Reply(text="Yes."))] == [
        {"content": "", "role": "assistant"},
        {"content": "Yes.", "role": None},
        {"content": "", "role": None},
    ]


def test_a_call_of_the_newer_generation_has_its_id_once(client: Client) -> None:
    found = choices(client, CALLED)
    assert [c["delta"] for c in found] == [
        {"content": "", "role": "assistant"},
        call("call_1", {"name": "add", "arguments": ""}),
        call("", {"arguments": '{"a"'}),
        call("", {"arguments": ": 1}"}),
        call("", {"arguments": ""}),
        {},
    ]
    assert found[-1]["finish_reason"] == "tool_calls"


def test_a_call_of_the_older_generation_repeats_its_id(older: Client) -> None:
    found = choices(older, CALLED)
    first = call("call_1", {"name": "add", "arguments": ""})
    second = call("call_1", {"name": "", "arguments": '{"a"'})
    assert [c["delta"] for c in found] == [
        first | {"role": "assistant"},
        second | {"role": None},
        call("", {"arguments": ": 1}"}) | {"role": None},
        call("", {"arguments": None}),
        {},
    ]
    assert found[-1]["finish_reason"] == "tool_calls"


def call(call_id: str, function: dict[str, Any]) -> dict[str, Any]:
    entry = {"index": 0, "id": call_id, "type": "function", "function": function}
    return {"content": "", "tool_calls": [entry]}


def test_usage_is_a_chunk_of_its_own_and_only_if_asked_for(client: Client) -> None:
    asked = {"stream_options": {"include_usage": True}, "enable_thinking": True}
    *chunks, last = client.chunks("Why?", **asked)
    assert last["choices"] == []
    usage = last["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] > 0
    assert usage["prompt_tokens_details"] == {"cached_tokens": 0}
    assert {json.dumps(chunk["usage"]) for chunk in chunks} == {"null"}
    assert all(chunk["choices"] for chunk in client.chunks("Why?"))


def test_a_whole_answer_has_the_shape_of_its_generation(
    client: Client, older: Client
) -> None:
    for studio in (client, older):
        studio.studio.script(SAID)
    new, old = client.ask().json(), older.ask().json()
    message = {"content": "Yes.", "reasoning_content": "Hmm.", "role": "assistant"}
    choice = {"finish_reason": "stop", "index": 0, "message": message}
    assert new["choices"] == [choice]
    assert old["choices"] == [choice | {"logprobs": None}]
    assert old.keys() - new.keys() == {"system_fingerprint"}
    assert new["object"] == "chat.completion"


def test_characters_stay_whole_and_unescaped(client: Client) -> None:
    text = "杭州是浙江省的省会。🏯 Größe"
    client.studio.script(Reply(text=text))
    response = client.ask(stream=True)
    pieces = [json.loads(e)["choices"][0]["delta"] for e in events(response.text)[:-1]]
    assert "".join(piece.get("content") or "" for piece in pieces) == text
    assert "杭州是" in response.text
    assert len(pieces) > 4


@pytest.mark.parametrize("generation", ["client", "older"])
def test_several_answers_take_turns_in_a_stream(
    generation: str, request: pytest.FixtureRequest
) -> None:
    studio: Client = request.getfixturevalue(generation)
    indices = [c["choices"][0]["index"] for c in studio.chunks("Why?", n=2)]
    assert indices[:4] == [0, 1, 0, 1]


def test_a_stream_can_be_slowed_down(http: httpx.Client) -> None:
    with Emulator(chunk_delay=0.01) as studio:
        began = time.monotonic()
        count = len(Client(studio, http).chunks("Why?"))
    assert time.monotonic() - began >= 0.01 * (count - 1)
