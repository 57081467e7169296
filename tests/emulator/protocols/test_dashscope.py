"""Native whole answers and streams: their exact shapes."""

from typing import Any

import pytest

from modelstudio_core.emulator import Reply, ToolCall
from tests.emulator.client import Client
from tests.emulator.native_client import MULTIMODAL, TEXT, Native, events

SAID = Reply(reasoning="Hmm.", text="Yes.")
TWO_CALLS = [
    ToolCall("add", pieces=['{"a"', ": 1}"], id="call_1"),
    ToolCall("now", pieces=["{", "}"], id="call_2"),
]
ROLE = {"role": "assistant"}


def test_an_event_has_the_recorded_bytes(native: Native) -> None:
    native.studio.script(Reply(text="1"))
    response = native.ask(stream=True)
    own = response.headers["x-request-id"]
    details = '"prompt_tokens_details":{"cached_tokens":0}'
    assert response.headers["content-type"] == "text/event-stream;charset=UTF-8"
    assert response.text == (
        "id:1\nevent:result\n:HTTP_STATUS/200\n"
        'data:{"output":{"choices":[{"message":{"content":"1","role":"assistant"},'
        '"finish_reason":"null"}]},"usage":{"total_tokens":7,"output_tokens":1,'
        f'"input_tokens":6,{details}}},"request_id":"{own}"}}\n\n'
        "id:2\nevent:result\n:HTTP_STATUS/200\n"
        'data:{"output":{"choices":[{"message":{"content":"","role":"assistant"},'
        '"finish_reason":"stop"}]},"usage":{"total_tokens":7,"output_tokens":1,'
        f'"input_tokens":6,{details}}},"request_id":"{own}"}}\n\n'
    )


def test_an_incremental_stream_says_what_is_new(native: Native) -> None:
    native.studio.script(SAID)
    assert native.choices() == [
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


def test_a_cumulative_stream_repeats_all_and_ends_with_the_last_piece(
    native: Native,
) -> None:
    native.studio.script(Reply(reasoning="Hmm.", pieces=["1", ", ", "2"]))
    choices = native.choices(incremental_output=False)
    said = [(c["message"]["content"], c["finish_reason"]) for c in choices]
    assert said == [("", "null"), ("1", "null"), ("1, ", "null"), ("1, 2", "stop")]
    assert {c["message"]["reasoning_content"] for c in choices} == {"Hmm."}


def test_the_multimodal_path_has_lists_of_parts(native: Native) -> None:
    asked: dict[str, Any] = {"model": "qwen3.7-plus", "path": MULTIMODAL}
    native.studio.script(SAID, SAID, Reply(text="Yes."))
    assert [m["content"] for m in native.messages(**asked)] == [
        [],
        [{"text": "Yes."}],
        [],
    ]
    cumulative = native.messages(incremental_output=False, **asked)
    assert [m["content"] for m in cumulative] == [[], [{"text": "Yes."}]]
    message = native.say(**asked)["choices"][0]["message"]
    assert message == {"content": [{"text": "Yes."}], "reasoning_content": "", **ROLE}


def test_a_whole_answer_has_the_recorded_shape(native: Native) -> None:
    native.studio.script(SAID)
    response = native.ask()
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


def test_a_text_has_no_message_around_it(native: Native) -> None:
    body = {"model": "qwen-plus", "input": {"prompt": "Hi"}}
    native.studio.script(Reply(text="Hey."), Reply(pieces=["He", "y."]))
    assert native.post(body).json()["output"] == {
        "finish_reason": "stop",
        "text": "Hey.",
    }
    response = native.post(body, **{"X-DashScope-SSE": "enable"})
    outputs = [data["output"] for _, _, data in events(response.text)]
    assert outputs == [
        {"finish_reason": "null", "text": "He"},
        {"finish_reason": "stop", "text": "Hey."},
    ]
    native.studio.script(Reply(pieces=["He", "y."]))
    bodies = native.bodies(result_format="text")
    assert [body["output"]["text"] for body in bodies] == ["He", "y.", ""]


@pytest.mark.parametrize(
    ("model", "path", "is_text"),
    [
        ("qwen-max", TEXT, True),
        ("deepseek-v4-pro", TEXT, False),
        ("qwen3-max", TEXT, False),
        ("qwen-vl-plus", MULTIMODAL, False),
    ],
)
def test_the_form_of_an_answer_has_a_default(
    native: Native, model: str, path: str, is_text: bool
) -> None:
    """deepseek-v4-pro is recorded with choices, without a result_format."""
    assert ("text" in native.say(model=model, path=path, result_format=None)) is is_text


@pytest.mark.parametrize(
    ("model", "incremental"), [("qwen-plus", False), ("qwen3-max", True)]
)
def test_streams_have_a_default_too(
    native: Native, model: str, incremental: bool
) -> None:
    messages = native.messages(model=model, incremental_output=None)
    assert (messages[-1]["content"] == "") is incremental


def test_usage_grows_with_every_event(native: Native) -> None:
    bodies = native.bodies("Why?", enable_thinking=True)
    usages = [body["usage"] for body in bodies]
    counts = [usage["output_tokens"] for usage in usages]
    thought = [usage["output_tokens_details"]["reasoning_tokens"] for usage in usages]
    assert counts[0] == thought[0] == 3
    assert counts == sorted(counts)
    assert thought == sorted(thought)
    assert len(set(counts)) == len(counts) - 1
    for usage in usages:
        total = usage["input_tokens"] + usage["output_tokens"]
        assert usage["total_tokens"] == total
    whole = native.ask("Why?", enable_thinking=True).json()
    assert usages[-1] == whole["usage"]


# --- Tools ------------------------------------------------------------------------


def test_calls_stream_with_two_in_one_piece_and_one_in_the_last(
    native: Native, weather: dict[str, Any]
) -> None:
    native.studio.script(Reply(tool_calls=TWO_CALLS))
    choices = native.choices(tools=[weather])
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


def test_calls_of_a_cumulative_stream_are_as_long_as_they_are(native: Native) -> None:
    native.studio.script(Reply(text="Hm.", tool_calls=TWO_CALLS))
    messages = native.messages(incremental_output=False)
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


def test_a_tool_is_called_and_its_result_is_told(
    native: Native, weather: dict[str, Any]
) -> None:
    asked: dict[str, Any] = {"model": "qwen3.7-plus", "path": MULTIMODAL}
    asked |= {"tools": [weather], "enable_thinking": False}
    question = [{"text": "How is the weather in Paris for 2 days?"}]
    prompt: list[Any] = [{"role": "user", "content": question}]
    (choice,) = native.say(prompt, **asked)["choices"]
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
    (choice,) = native.say(prompt, **asked)["choices"]
    assert choice["message"]["content"] == [{"text": "The tool answered: Sunny"}]


# --- The rest ---------------------------------------------------------------------


def test_parts_need_no_type(native: Native) -> None:
    asked: dict[str, Any] = {"model": "qwen3.7-plus", "path": MULTIMODAL}
    media = [{"image": "https://example.com/a.png"}, {"video": ["a.png", "b.png"]}]
    text = [{"text": "The dog is Rex. Which dog is it?"}]
    prompt = [{"role": "user", "content": [*media, *text]}]
    (choice,) = native.say(prompt, **asked)["choices"]
    assert choice["message"]["content"] == [{"text": "The dog is Rex."}]


def test_several_answers_take_turns(native: Native) -> None:
    choices = native.choices("Why?", n=2)
    assert [c["index"] for c in choices[:4]] == [0, 1, 0, 1]
    whole = native.say("Why?", n=2)["choices"]
    assert [choice["index"] for choice in whole] == [0, 1]


def test_token_ids_that_stop_are_no_texts(native: Native) -> None:
    said = native.say("It has 37 rooms. How many rooms?", stop=[[37]])
    assert said["choices"][0]["message"]["content"] == "It has 37 rooms."


def test_native_requests_are_recorded(native: Native) -> None:
    native.ask("Hi", model="qwen-plus", stream=True)
    (seen,) = native.studio.requests
    assert seen.path == "/api/v1/services/aigc/text-generation/generation"
    assert seen.headers["x-dashscope-sse"] == "enable"
    assert seen.body["input"] == {"messages": [{"role": "user", "content": "Hi"}]}


def test_both_generations_are_the_same(native: Native, older: Client) -> None:
    for studio in (native.studio, older.studio):
        studio.script(SAID)
    assert Native(older.studio, older.http).bodies() == native.bodies()


# --- Search -----------------------------------------------------------------------

SEARCH: dict[str, Any] = {
    "enable_search": True,
    "search_options": {"enable_source": True, "search_strategy": "max"},
}


def test_a_search_is_told_with_its_sources(native: Native) -> None:
    response = native.ask("Rust is a language. What is Rust?", **SEARCH)
    body = response.json()
    assert body["usage"]["plugins"] == {"search": {"count": 1, "strategy": "max"}}
    assert body["output"]["search_info"] == {
        "extra_tool_info": [],
        "search_results": [
            {
                "icon": "https://example.com/favicon.ico",
                "site_name": "Example News",
                "index": 1,
                "title": "What is Rust? - Example News",
                "url": "https://example.com/articles/1",
            },
            {
                "icon": "https://example.org/favicon.ico",
                "site_name": "Example Archive",
                "index": 2,
                "title": "What is Rust? - Example Archive",
                "url": "https://example.org/articles/2",
            },
        ],
    }


def test_a_stream_tells_its_sources_first_and_once(native: Native) -> None:
    found = {"index": 1, "title": "x", "url": "https://example.com/x"}
    native.studio.script(Reply(text="Yes.", search_results=[found]))
    first, *rest = native.bodies()
    first.pop("request_id")
    message = {"content": "", **ROLE}
    assert first == {
        "output": {
            "choices": [{"message": message, "finish_reason": "null"}],
            "search_info": {"search_results": [found]},
        },
        "usage": {},
    }
    nothing: dict[str, Any] = {"extra_tool_info": [], "search_results": []}
    assert [body["output"]["search_info"] for body in rest] == [nothing] * 2
    plugins = {"search": {"count": 1, "strategy": "turbo"}}
    assert [body["usage"]["plugins"] for body in rest] == [plugins] * 2


def test_sources_come_only_if_asked_for(native: Native) -> None:
    body = native.ask(enable_search=True).json()
    assert "search_info" not in body["output"]
    assert body["usage"]["plugins"] == {"search": {"count": 1, "strategy": "turbo"}}
    options = {"enable_source": True}
    assert "search_info" not in native.say(search_options=options)
    bodies = native.bodies(**SEARCH, result_format="text")
    assert [len(b["output"]["search_info"]["search_results"]) for b in bodies][:2] == [
        2,
        0,
    ]
