"""The OpenAI-compatible protocol: the recorded shapes of both generations."""

import json
import time
from typing import Any

import httpx
import pytest

from modelstudio_core.emulator import Emulator, Reply, ToolCall
from tests.emulator.helpers import OpenAIClient, openai_events

REPLY = Reply(reasoning="Hmm.", text="Yes.")
TOOL_REPLY = Reply(tool_calls=[ToolCall("add", pieces=['{"a"', ": 1}"], id="call_1")])


def choices(client: OpenAIClient, reply: Reply) -> list[Any]:
    client.studio.script(reply)
    return [chunk["choices"][0] for chunk in client.chunks()]


def call_delta(call_id: str, function: dict[str, Any]) -> dict[str, Any]:
    entry = {"index": 0, "id": call_id, "type": "function", "function": function}
    return {"content": "", "tool_calls": [entry]}


# --- Streams ----------------------------------------------------------------------


def test_a_chunk_has_the_recorded_keys(client: OpenAIClient) -> None:
    chunk = client.chunks()[0]
    assert chunk.pop("id").startswith("chatcmpl-")
    assert isinstance(chunk.pop("created"), int)
    assert len(chunk.pop("choices")) == 1
    assert chunk == {
        "model": "qwen3.7-plus",
        "object": "chat.completion.chunk",
        "usage": None,
    }


def test_generation_empty_sends_an_empty_text_for_no_content(
    client: OpenAIClient,
) -> None:
    rest = {"index": 0, "finish_reason": None, "logprobs": None}
    first = {"content": "", "role": "assistant", "reasoning_content": ""}
    assert choices(client, REPLY) == [
        {"delta": first, **rest},
        {"delta": {"content": "", "reasoning_content": "Hmm."}, **rest},
        {"delta": {"content": "Yes.", "reasoning_content": ""}, **rest},
        {
            "delta": {"content": "", "reasoning_content": ""},
            **rest,
            "finish_reason": "stop",
        },
    ]


def test_generation_null_sends_null_for_no_content(null_client: OpenAIClient) -> None:
    first = {"content": None, "role": "assistant", "reasoning_content": ""}
    end = {"content": "", "reasoning_content": None, "role": None}
    assert choices(null_client, REPLY) == [
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
    client: OpenAIClient, null_client: OpenAIClient
) -> None:
    assert [c["delta"] for c in choices(client, Reply(text="Yes."))] == [
        {"content": "", "role": "assistant"},
        {"content": "Yes."},
        {"content": ""},
    ]
    assert [c["delta"] for c in choices(null_client, Reply(text="Yes."))] == [
        {"content": "", "role": "assistant"},
        {"content": "Yes.", "role": None},
        {"content": "", "role": None},
    ]


def test_generation_empty_sends_the_id_of_a_call_once(client: OpenAIClient) -> None:
    tool_choices = choices(client, TOOL_REPLY)
    assert [c["delta"] for c in tool_choices] == [
        {"content": "", "role": "assistant"},
        call_delta("call_1", {"name": "add", "arguments": ""}),
        call_delta("", {"arguments": '{"a"'}),
        call_delta("", {"arguments": ": 1}"}),
        call_delta("", {"arguments": ""}),
        {},
    ]
    assert tool_choices[-1]["finish_reason"] == "tool_calls"


def test_generation_null_sends_the_id_of_a_call_twice(
    null_client: OpenAIClient,
) -> None:
    tool_choices = choices(null_client, TOOL_REPLY)
    first = call_delta("call_1", {"name": "add", "arguments": ""})
    second = call_delta("call_1", {"name": "", "arguments": '{"a"'})
    assert [c["delta"] for c in tool_choices] == [
        first | {"role": "assistant"},
        second | {"role": None},
        call_delta("", {"arguments": ": 1}"}) | {"role": None},
        call_delta("", {"arguments": None}),
        {},
    ]
    assert tool_choices[-1]["finish_reason"] == "tool_calls"


def test_usage_is_a_separate_chunk_if_requested(client: OpenAIClient) -> None:
    options = {"stream_options": {"include_usage": True}, "enable_thinking": True}
    *chunks, last = client.chunks("Why?", **options)
    assert last["choices"] == []
    usage = last["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] > 0
    assert usage["prompt_tokens_details"] == {"cached_tokens": 0}
    assert {json.dumps(chunk["usage"]) for chunk in chunks} == {"null"}
    assert all(chunk["choices"] for chunk in client.chunks("Why?"))


def test_characters_are_neither_split_nor_escaped(client: OpenAIClient) -> None:
    text = "杭州是浙江省的省会。🏯 Größe"
    client.studio.script(Reply(text=text))
    response = client.send(stream=True)
    pieces = [
        json.loads(e)["choices"][0]["delta"] for e in openai_events(response.text)[:-1]
    ]
    assert "".join(piece.get("content") or "" for piece in pieces) == text
    assert "杭州是" in response.text
    assert len(pieces) > 4


@pytest.mark.parametrize("fixture", ["client", "null_client"])
def test_the_choices_of_a_stream_alternate(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    openai_client: OpenAIClient = request.getfixturevalue(fixture)
    indices = [c["choices"][0]["index"] for c in openai_client.chunks("Why?", n=2)]
    assert indices[:4] == [0, 1, 0, 1]


def test_a_stream_can_be_delayed(http: httpx.Client) -> None:
    with Emulator(chunk_delay=0.01) as studio:
        start = time.monotonic()
        count = len(OpenAIClient(studio, http).chunks("Why?"))
    assert time.monotonic() - start >= 0.01 * (count - 1)


# --- Complete answers and errors --------------------------------------------------


def test_a_complete_answer_has_the_shape_of_its_generation(
    client: OpenAIClient, null_client: OpenAIClient
) -> None:
    for each in (client, null_client):
        each.studio.script(REPLY)
    new, old = client.send().json(), null_client.send().json()
    message = {"content": "Yes.", "reasoning_content": "Hmm.", "role": "assistant"}
    choice = {"finish_reason": "stop", "index": 0, "message": message}
    assert new["choices"] == [choice]
    assert old["choices"] == [choice | {"logprobs": None}]
    assert old.keys() - new.keys() == {"system_fingerprint"}
    assert new["object"] == "chat.completion"


ALGO = "<400> InternalError.Algo.InvalidParameter: "


def test_a_refusal_of_a_model_has_both_ids(client: OpenAIClient) -> None:
    response = client.send(temperature=2.0, stream=True)
    request_id = response.headers["x-request-id"]
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "error": {
            "message": f"{ALGO}Temperature should be in [0.0, 2.0)",
            "type": "invalid_request_error",
            "param": None,
            "code": "invalid_parameter_error",
        },
        "id": f"chatcmpl-{request_id}",
        "request_id": request_id,
    }


def test_generation_null_refuses_inside_a_stream(null_client: OpenAIClient) -> None:
    response = null_client.send(temperature=2.0, stream=True)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream;charset=utf-8"
    (event,) = openai_events(response.text)
    assert event.startswith('{"error":{"message":"<400> InternalError.Algo.')
    assert event.endswith(f'"id":"chatcmpl-{response.headers["x-request-id"]}"}}')
    assert null_client.error(temperature=2.0)[0] == 400
