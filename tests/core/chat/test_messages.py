"""What must be true of a history before it is sent."""

import copy
import json
from typing import Any, cast

import pytest

from modelstudio_core.catalog import known_models
from modelstudio_core.chat.messages import Message, prepare_messages
from modelstudio_core.errors import ConfigurationError
from tests.core.catalog.entries import chat_profile

V4 = "deepseek-v4-pro"
QWEN = "qwen3.7-plus"
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
VIDEO = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}
FRAMES = {"type": "video", "video": ["https://example.com/1.png"]}
AUDIO = {"type": "input_audio", "input_audio": {"data": "data:;base64,AA=="}}


def text(words: str, **more: Any) -> dict[str, Any]:
    """Return a part of text."""
    return {"type": "text", "text": words, **more}


def user(content: Any = "Hi") -> dict[str, Any]:
    """Return what a user says."""
    return {"role": "user", "content": content}


def call(arguments: str = "{}") -> dict[str, Any]:
    """Return a call of a tool."""
    function = {"name": "weather", "arguments": arguments}
    return {"id": "call_1", "type": "function", "function": function}


def assistant(content: Any = "", **more: Any) -> dict[str, Any]:
    """Return what a model said."""
    return {"role": "assistant", "content": content, **more}


def prepared(
    *messages: dict[str, Any], model: str = QWEN, preserve: bool = False
) -> list[Any]:
    """Prepare messages, and see that those that were given stay as they were."""
    before = copy.deepcopy(messages)
    profile = chat_profile(model)
    result = prepare_messages(
        cast("list[Message]", list(messages)), profile, preserve_thinking=preserve
    )
    assert messages == before
    return list(result)


def refusal(*messages: dict[str, Any], model: str = QWEN) -> str:
    """Return the words with which messages are refused."""
    with pytest.raises(ConfigurationError) as caught:
        prepared(*messages, model=model)
    return caught.value.message


# --- Reasoning ----------------------------------------------------------------------


@pytest.mark.parametrize("preserve", [False, True])
@pytest.mark.parametrize("model", [V4, QWEN, "a-model-of-tomorrow"])
def test_reasoning_goes_back_on_turns_with_tool_calls(
    model: str, preserve: bool
) -> None:
    turn = assistant(reasoning_content="Hm.", tool_calls=[call()])
    assert prepared(user(), turn, model=model, preserve=preserve) == [user(), turn]


@pytest.mark.parametrize("model", [V4, QWEN])
def test_reasoning_of_other_turns_goes_back_only_if_preserved(model: str) -> None:
    turn = assistant("Hello", reasoning_content="Hm.")
    assert prepared(turn, model=model) == [assistant("Hello")]
    assert prepared(turn, model=model, preserve=True) == [turn]


def test_empty_reasoning_of_other_turns_is_not_sent() -> None:
    turn = assistant("Hello", reasoning_content="")
    assert prepared(turn, preserve=True) == [assistant("Hello")]


@pytest.mark.parametrize("model", [m for m in known_models() if "deepseek-v4" in m])
def test_deepseek_v4_gets_empty_reasoning_on_tool_turns_from_elsewhere(
    model: str,
) -> None:
    turn = assistant(tool_calls=[call()])
    assert prepared(turn, model=model) == [{**turn, "reasoning_content": ""}]


@pytest.mark.parametrize("model", [QWEN, "deepseek-v3.2", "a-model-of-tomorrow"])
def test_other_models_get_no_reasoning_that_was_not_there(model: str) -> None:
    turn = assistant(tool_calls=[call()])
    assert prepared(turn, model=model) == [turn]


def test_deepseek_v4_gets_no_empty_reasoning_on_other_turns() -> None:
    assert prepared(assistant("Hello"), model=V4) == [assistant("Hello")]


def test_empty_list_of_calls_is_no_call() -> None:
    turn = assistant("Hello", tool_calls=[], reasoning_content="Hm.")
    assert prepared(turn, model=V4) == [assistant("Hello")]


# --- Arguments ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ("{}", "{}"),
        ('{"city": "Ulm"}', '{"city": "Ulm"}'),
        ('{ "a" : 1 }', '{ "a" : 1 }'),
        ('{"a":"Köln"}', '{"a":"Köln"}'),
        ("", "{}"),
        ("  \n", "{}"),
        ('{"city": "Ul', '{"invalid_arguments": "{\\"city\\": \\"Ul"}'),
        ("[1]", '{"invalid_arguments": "[1]"}'),
        ("null", '{"invalid_arguments": "null"}'),
        ('"text"', '{"invalid_arguments": "\\"text\\""}'),
        ("Köln", '{"invalid_arguments": "Köln"}'),
        ("{'a': 1}", '{"invalid_arguments": "{\'a\': 1}"}'),
    ],
)
def test_arguments_are_made_a_json_object(arguments: str, sent: str) -> None:
    [turn] = prepared(assistant(tool_calls=[call(arguments)]))
    assert turn["tool_calls"] == [call(sent)]
    assert isinstance(json.loads(sent), dict)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_not_sent(number: str) -> None:
    arguments = f'{{"x": {number}}}'
    [turn] = prepared(assistant(tool_calls=[call(arguments)]))
    sent = turn["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {"invalid_arguments": arguments}


def test_every_call_of_a_turn_is_made_legal() -> None:
    [turn] = prepared(assistant(tool_calls=[call(""), call('{"a":1}'), call("x")]))
    assert [c["function"]["arguments"] for c in turn["tool_calls"]] == [
        "{}",
        '{"a":1}',
        '{"invalid_arguments": "x"}',
    ]


# --- Content ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ("Hi", "Hi"),
        ("", ""),
        ([text("Hi")], "Hi"),
        ([text("One"), text("Two")], "One\nTwo"),
        ([], ""),
        ([text("a"), IMAGE], [text("a"), IMAGE]),
        ([IMAGE], [IMAGE]),
    ],
)
def test_content_of_nothing_but_text_is_one_string(content: Any, sent: Any) -> None:
    assert prepared(user(content)) == [user(sent)]


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
def test_content_is_joined_in_every_role(role: str) -> None:
    message = {"role": role, "content": [text("One"), text("Two")]}
    if role == "tool":
        message["tool_call_id"] = "call_1"
    assert prepared(message, user())[0] == {**message, "content": "One\nTwo"}


def test_a_system_message_at_the_end_is_sent_as_the_users() -> None:
    late = {"role": "system", "content": "Answer now."}
    assert prepared(user(), late) == [user(), {**late, "role": "user"}]
    assert prepared(late, user()) == [late, user()]


def test_cache_marker_keeps_its_parts() -> None:
    marked = [text("Long", cache_control={"type": "ephemeral"}), text("Short")]
    assert prepared(user(marked), model=V4) == [user(marked)]


def test_partial_and_names_are_sent_as_they_are() -> None:
    turn = assistant("Once upon", partial=True, name="bard")
    assert prepared(user(), turn) == [user(), turn]


@pytest.mark.parametrize(
    "model", [*(m for m in known_models() if m.startswith("deepseek")), "qwen3.7-max"]
)
def test_image_for_a_text_model_is_refused(model: str) -> None:
    message = refusal(user([text("What is it?"), IMAGE]), model=model)
    assert model in message
    assert "image input" in message
    assert "Qwen-VL" in message
    assert "qwen3-vl-plus" in message


@pytest.mark.parametrize("part", [VIDEO, FRAMES])
def test_video_for_a_text_model_is_refused(part: dict[str, Any]) -> None:
    message = refusal(user([part]), model=V4)
    assert "video input" in message
    assert "Qwen-VL" in message


def test_sound_for_a_model_that_does_not_hear_is_refused() -> None:
    message = refusal(user([AUDIO]), model="qwen3-vl-plus")
    assert "audio input" in message
    assert "qwen3-omni-flash" in message


def test_image_in_a_later_message_is_refused_too() -> None:
    answer = {"role": "tool", "tool_call_id": "call_1", "content": [IMAGE]}
    assert V4 in refusal(user(), assistant(tool_calls=[call()]), answer, model=V4)


@pytest.mark.parametrize(
    ("model", "part"),
    [
        ("qwen3-vl-plus", IMAGE),
        ("qwen3.7-plus", IMAGE),
        ("qwen3.7-plus", VIDEO),
        ("qwen3-vl-plus", FRAMES),
        ("qwen3-omni-flash", AUDIO),
        ("a-model-of-tomorrow", IMAGE),
        ("a-model-of-tomorrow", AUDIO),
    ],
)
def test_what_a_model_takes_is_sent(model: str, part: dict[str, Any]) -> None:
    assert prepared(user([part]), model=model) == [user([part])]


def test_no_messages_are_refused() -> None:
    assert "no messages" in refusal()
