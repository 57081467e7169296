"""The DashScope protocol: the recorded shapes of answers and streams."""

from typing import Any

import pytest

from modelstudio_core.emulator import Reply, ToolCall
from tests.emulator.helpers import (
    MULTIMODAL,
    TEXT,
    DashScopeClient,
    OpenAIClient,
    dashscope_events,
)

REPLY = Reply(reasoning="Hmm.", text="Yes.")
TWO_CALLS = [
    ToolCall("add", pieces=['{"a"', ": 1}"], id="call_1"),
    ToolCall("now", pieces=["{", "}"], id="call_2"),
]
ROLE = {"role": "assistant"}


def test_an_event_has_the_recorded_bytes(dashscope: DashScopeClient) -> None:
    dashscope.studio.script(Reply(text="1"))
    response = dashscope.send(stream=True)
    request_id = response.headers["x-request-id"]
    details = '"prompt_tokens_details":{"cached_tokens":0}'
    assert response.headers["content-type"] == "text/event-stream;charset=UTF-8"
    assert response.text == (
        "id:1\nevent:result\n:HTTP_STATUS/200\n"
        'data:{"output":{"choices":[{"message":{"content":"1","role":"assistant"},'
        '"finish_reason":"null"}]},"usage":{"total_tokens":7,"output_tokens":1,'
        f'"input_tokens":6,{details}}},"request_id":"{request_id}"}}\n\n'
        "id:2\nevent:result\n:HTTP_STATUS/200\n"
        'data:{"output":{"choices":[{"message":{"content":"","role":"assistant"},'
        '"finish_reason":"stop"}]},"usage":{"total_tokens":7,"output_tokens":1,'
        f'"input_tokens":6,{details}}},"request_id":"{request_id}"}}\n\n'
    )


def test_an_incremental_stream_sends_new_content_only(
    dashscope: DashScopeClient,
) -> None:
    dashscope.studio.script(REPLY)
    assert dashscope.choices() == [
        {
            "message": {"content": "", "reasoning_content": "Hmm.", **ROLE},
            "finish_reason": "null",
        },
        {
            "message": {"content": "Yes.", "reasoning_content": "", **ROLE},
            "finish_reason": "null",
        },
        {
            "message": {"content": "", "reasoning_content": "", **ROLE},
            "finish_reason": "stop",
        },
    ]


def test_a_cumulative_stream_ends_with_the_last_piece(
    dashscope: DashScopeClient,
) -> None:
    dashscope.studio.script(Reply(reasoning="Hmm.", pieces=["1", ", ", "2"]))
    choices = dashscope.choices(incremental_output=False)
    contents = [(c["message"]["content"], c["finish_reason"]) for c in choices]
    assert contents == [("", "null"), ("1", "null"), ("1, ", "null"), ("1, 2", "stop")]
    assert {c["message"]["reasoning_content"] for c in choices} == {"Hmm."}


def test_the_multimodal_path_has_lists_of_parts(dashscope: DashScopeClient) -> None:
    options: dict[str, Any] = {"model": "qwen3.7-plus", "path": MULTIMODAL}
    dashscope.studio.script(REPLY, REPLY, Reply(text="Yes."))
    assert [m["content"] for m in dashscope.messages(**options)] == [
        [],
        [{"text": "Yes."}],
        [],
    ]
    cumulative = dashscope.messages(incremental_output=False, **options)
    assert [m["content"] for m in cumulative] == [[], [{"text": "Yes."}]]
    message = dashscope.output(**options)["choices"][0]["message"]
    assert message == {"content": [{"text": "Yes."}], "reasoning_content": "", **ROLE}


def test_a_complete_answer_has_the_recorded_shape(dashscope: DashScopeClient) -> None:
    dashscope.studio.script(REPLY)
    response = dashscope.send()
    body = response.json()
    message = {"content": "Yes.", "reasoning_content": "Hmm.", **ROLE}
    assert response.headers["content-type"] == "application/json"
    assert body == {
        "output": {"choices": [{"finish_reason": "stop", "message": message}]},
        "usage": {
            "total_tokens": 10,
            "output_tokens": 4,
            "input_tokens": 6,
            "output_tokens_details": {"reasoning_tokens": 2},
            "prompt_tokens_details": {"cached_tokens": 0},
        },
        "request_id": response.headers["x-request-id"],
    }


def test_the_text_format_has_no_message(dashscope: DashScopeClient) -> None:
    body = {"model": "qwen-plus", "input": {"prompt": "Hi"}}
    dashscope.studio.script(Reply(text="Hey."), Reply(pieces=["He", "y."]))
    assert dashscope.post(body).json()["output"] == {
        "finish_reason": "stop",
        "text": "Hey.",
    }
    response = dashscope.post(body, **{"X-DashScope-SSE": "enable"})
    outputs = [data["output"] for _, _, data in dashscope_events(response.text)]
    assert outputs == [
        {"finish_reason": "null", "text": "He"},
        {"finish_reason": "stop", "text": "Hey."},
    ]
    dashscope.studio.script(Reply(pieces=["He", "y."]))
    chunks = dashscope.chunks(result_format="text")
    assert [chunk["output"]["text"] for chunk in chunks] == ["He", "y.", ""]


@pytest.mark.parametrize(
    ("model", "path", "is_text"),
    [
        ("qwen-max", TEXT, True),
        ("deepseek-v4-pro", TEXT, False),
        ("qwen3-max", TEXT, False),
        ("qwen-vl-plus", MULTIMODAL, False),
    ],
)
def test_the_default_result_format(
    dashscope: DashScopeClient, model: str, path: str, is_text: bool
) -> None:
    """deepseek-v4-pro is recorded with choices, without a result_format."""
    output = dashscope.output(model=model, path=path, result_format=None)
    assert ("text" in output) is is_text


@pytest.mark.parametrize(
    ("model", "incremental"), [("qwen-plus", False), ("qwen3-max", True)]
)
def test_the_default_of_incremental_output(
    dashscope: DashScopeClient, model: str, incremental: bool
) -> None:
    messages = dashscope.messages(model=model, incremental_output=None)
    assert (messages[-1]["content"] == "") is incremental


def test_usage_grows_with_each_event(dashscope: DashScopeClient) -> None:
    chunks = dashscope.chunks("Why?", enable_thinking=True)
    usages = [chunk["usage"] for chunk in chunks]
    counts = [usage["output_tokens"] for usage in usages]
    reasoning = [usage["output_tokens_details"]["reasoning_tokens"] for usage in usages]
    assert counts[0] == reasoning[0] == 3
    assert counts == sorted(counts)
    assert reasoning == sorted(reasoning)
    assert len(set(counts)) == len(counts) - 1
    for usage in usages:
        total = usage["input_tokens"] + usage["output_tokens"]
        assert usage["total_tokens"] == total
    body = dashscope.send("Why?", enable_thinking=True).json()
    assert usages[-1] == body["usage"]


def test_the_choices_of_a_stream_alternate(dashscope: DashScopeClient) -> None:
    choices = dashscope.choices("Why?", n=2)
    assert [c["index"] for c in choices[:4]] == [0, 1, 0, 1]
    choices = dashscope.output("Why?", n=2)["choices"]
    assert [choice["index"] for choice in choices] == [0, 1]


def test_both_generations_are_the_same(
    dashscope: DashScopeClient, null_client: OpenAIClient
) -> None:
    for studio in (dashscope.studio, null_client.studio):
        studio.script(REPLY)
    null_dashscope = DashScopeClient(null_client.studio, null_client.http)
    assert null_dashscope.chunks() == dashscope.chunks()


# --- Tools ------------------------------------------------------------------------


def test_the_end_of_a_call_has_the_beginning_of_the_next(
    dashscope: DashScopeClient, weather_tool: dict[str, Any]
) -> None:
    dashscope.studio.script(Reply(tool_calls=TWO_CALLS))
    choices = dashscope.choices(tools=[weather_tool])
    assert [c["message"]["tool_calls"] for c in choices] == [
        [entry(0, "call_1", name="add", arguments="")],
        [entry(0, "", arguments='{"a"')],
        [
            entry(0, "", arguments=": 1}"),
            entry(1, "call_2", name="now", arguments=""),
        ],
        [entry(1, "", arguments="{")],
        [entry(1, "", arguments="}")],
    ]
    assert [c["finish_reason"] for c in choices] == ["null"] * 4 + ["tool_calls"]
    assert {c["index"] for c in choices} == {0}


def test_a_cumulative_stream_joins_the_entries_of_a_call(
    dashscope: DashScopeClient,
) -> None:
    dashscope.studio.script(Reply(text="Hm.", tool_calls=TWO_CALLS))
    messages = dashscope.messages(incremental_output=False)
    assert [len(m.get("tool_calls", ())) for m in messages] == [0, 1, 1, 2, 2, 2]
    assert messages[-1] == {
        "content": "Hm.",
        "tool_calls": [
            entry(0, "call_1", name="add", arguments='{"a": 1}'),
            entry(1, "call_2", name="now", arguments="{}"),
        ],
        **ROLE,
    }


def entry(index: int, call_id: str, **function: str) -> dict[str, Any]:
    return {"index": index, "id": call_id, "type": "function", "function": function}


def test_a_tool_call_and_its_result(
    dashscope: DashScopeClient, weather_tool: dict[str, Any]
) -> None:
    options: dict[str, Any] = {"model": "qwen3.7-plus", "path": MULTIMODAL}
    options |= {"tools": [weather_tool], "enable_thinking": False}
    question = [{"text": "How is the weather in Paris for 2 days?"}]
    prompt: list[Any] = [{"role": "user", "content": question}]
    (choice,) = dashscope.output(prompt, **options)["choices"]
    (call,) = choice["message"]["tool_calls"]
    assert (choice["finish_reason"], choice["index"]) == ("tool_calls", 0)
    assert choice["message"]["content"] == []
    assert call["function"]["arguments"] == '{"city": "Paris", "days": 2}'
    result = {
        "role": "tool",
        "content": [{"text": "Sunny"}],
        "tool_call_id": call["id"],
    }
    prompt += [choice["message"], result]
    (choice,) = dashscope.output(prompt, **options)["choices"]
    assert choice["message"]["content"] == [{"text": "The tool answered: Sunny"}]
