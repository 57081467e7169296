"""A prompt is made valid for a model before it is sent."""

import copy
import json
import math
from typing import Any, cast

import pytest

from modelstudio_core.catalog import model_ids
from modelstudio_core.chat.messages import (
    Message,
    arguments_text,
    json_instruction,
    prepare_messages,
    to_json_value,
)
from tests.core.catalog.entries import chat_profile
from tests.core.support import (
    IMAGE,
    UNKNOWN_MODEL,
    assistant,
    error_message,
    text_part,
    tool_call,
    user,
)

V4 = "deepseek-v4-pro"
QWEN = "qwen3.7-plus"


def prepared(
    *messages: dict[str, Any], model: str = QWEN, preserve: bool = False
) -> list[Any]:
    """Prepare messages; the originals must not change."""
    before = copy.deepcopy(messages)
    profile = chat_profile(model)
    result = prepare_messages(
        cast("list[Message]", list(messages)), profile, preserve_thinking=preserve
    )
    assert messages == before
    return list(result)


def prepare_error(*messages: dict[str, Any], model: str = QWEN) -> str:
    """Return the message of the error that preparing messages raises."""
    return error_message(prepared, *messages, model=model)


# --- Reasoning ----------------------------------------------------------------------


@pytest.mark.parametrize("preserve", [False, True])
@pytest.mark.parametrize("model", [V4, QWEN, UNKNOWN_MODEL])
def test_reasoning_is_sent_back_on_turns_with_tool_calls(
    model: str, preserve: bool
) -> None:
    turn = assistant(reasoning_content="Hm.", tool_calls=[tool_call()])
    assert prepared(user(), turn, model=model, preserve=preserve) == [user(), turn]


@pytest.mark.parametrize("model", [V4, QWEN])
def test_reasoning_of_other_turns_is_sent_back_only_if_preserved(model: str) -> None:
    turn = assistant("Hello", reasoning_content="Hm.")
    assert prepared(turn, model=model) == [assistant("Hello")]
    assert prepared(turn, model=model, preserve=True) == [turn]


def test_empty_reasoning_of_other_turns_is_not_sent() -> None:
    turn = assistant("Hello", reasoning_content="")
    assert prepared(turn, preserve=True) == [assistant("Hello")]


@pytest.mark.parametrize("model", [m for m in model_ids() if "deepseek-v4" in m])
def test_deepseek_v4_gets_empty_reasoning_on_tool_turns_without_any(
    model: str,
) -> None:
    turn = assistant(tool_calls=[tool_call()])
    assert prepared(turn, model=model) == [{**turn, "reasoning_content": ""}]


@pytest.mark.parametrize("model", [QWEN, "deepseek-v3.2", UNKNOWN_MODEL])
def test_other_models_get_no_empty_reasoning(model: str) -> None:
    turn = assistant(tool_calls=[tool_call()])
    assert prepared(turn, model=model) == [turn]


def test_deepseek_v4_gets_no_empty_reasoning_on_other_turns() -> None:
    assert prepared(assistant("Hello"), model=V4) == [assistant("Hello")]


def test_an_empty_list_of_calls_is_not_sent() -> None:
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
def test_arguments_become_a_json_object(arguments: str, sent: str) -> None:
    [turn] = prepared(assistant(tool_calls=[tool_call(arguments)]))
    assert turn["tool_calls"] == [tool_call(sent)]
    assert isinstance(json.loads(sent), dict)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_kept_as_text(number: str) -> None:
    arguments = f'{{"x": {number}}}'
    [turn] = prepared(assistant(tool_calls=[tool_call(arguments)]))
    sent = turn["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {"invalid_arguments": arguments}


def test_the_arguments_of_every_call_become_a_json_object() -> None:
    [turn] = prepared(
        assistant(tool_calls=[tool_call(""), tool_call('{"a":1}'), tool_call("x")])
    )
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
        ([text_part("Hi")], "Hi"),
        ([text_part("One"), text_part("Two")], "One\nTwo"),
        ([], ""),
        ([text_part("a"), IMAGE], [text_part("a"), IMAGE]),
        ([IMAGE], [IMAGE]),
    ],
)
def test_content_with_text_only_becomes_a_string(content: Any, sent: Any) -> None:
    assert prepared(user(content)) == [user(sent)]


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
def test_text_parts_are_joined_in_every_role(role: str) -> None:
    message = {"role": role, "content": [text_part("One"), text_part("Two")]}
    if role == "tool":
        message["tool_call_id"] = "call_1"
    assert prepared(message, user())[0] == {**message, "content": "One\nTwo"}


def test_a_system_message_at_the_end_becomes_a_user_message() -> None:
    late = {"role": "system", "content": "Answer now."}
    assert prepared(user(), late) == [user(), {**late, "role": "user"}]
    assert prepared(late, user()) == [late, user()]
    assert prepared(late) == [{**late, "role": "user"}]
    assert prepared(late, late) == [late, {**late, "role": "user"}]
    result = {"role": "tool", "tool_call_id": "call_1", "content": "Rain"}
    for last in (result, assistant("Once", partial=True), user("So?")):
        assert prepared(late, user(), last) == [late, user(), last]


def test_parts_with_a_cache_marker_are_kept() -> None:
    marked = [
        text_part("Long", cache_control={"type": "ephemeral"}),
        text_part("Short"),
    ]
    assert prepared(user(marked), model=V4) == [user(marked)]


def test_partial_and_name_are_sent_unchanged() -> None:
    turn = assistant("Once upon", partial=True, name="bard")
    assert prepared(user(), turn) == [user(), turn]


def test_an_empty_prompt_is_refused() -> None:
    assert "no messages" in prepare_error()


# --- Values that JSON does not have -------------------------------------------------


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a", "a"),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\ud83d", "a\ufffd"),
        (("a", 1), ["a", 1]),
        ({"a": (None, True, 1.5)}, {"a": [None, True, 1.5]}),
        ({"\ud83d": "\ud83d"}, {"\ufffd": "\ufffd"}),
    ],
)
def test_encodable(value: object, sent: object) -> None:
    assert to_json_value(value) == sent
    json.dumps(sent, ensure_ascii=False).encode()


@pytest.mark.parametrize("value", [b"x", {1}, object(), math.nan, math.inf, 1j])
def test_encodable_refuses_a_value_that_json_does_not_have(value: object) -> None:
    message = error_message(to_json_value, {"a": [value]}, "tools")
    name = type(value).__name__
    assert message.startswith(f"tools holds a {name}, which JSON cannot represent: ")


def test_a_message_with_a_value_that_json_does_not_have_is_refused() -> None:
    part = {"type": "image_url", "image_url": {"url": b"x"}}
    assert prepare_error(user([part])) == (
        "A message holds a bytes, which JSON cannot represent: b'x'. Pass a string,"
        " a finite number, a list or a dict."
    )


def test_arguments_that_a_framework_keeps_as_a_dict() -> None:
    assert arguments_text("weather", {"city": "Köln"}) == '{"city": "Köln"}'
    message = error_message(arguments_text, "weather", {"day": {1}})
    assert message.startswith(
        "The arguments of a call of the tool 'weather' cannot be sent as"
    )


# --- The instruction to answer in JSON ----------------------------------------------


@pytest.mark.parametrize("texts", [["Answer in JSON."], ["Hi", "as Json please"]])
def test_a_prompt_that_mentions_json_needs_no_instruction(texts: list[str]) -> None:
    assert json_instruction(texts) is None
    assert json_instruction(texts, {"type": "object"}) is None


def test_the_instruction_mentions_json_and_has_the_schema() -> None:
    instruction = json_instruction(["Hi"])
    assert instruction is not None
    assert "JSON object" in instruction
    with_schema = json_instruction([], {"title": "Größe"})
    assert with_schema is not None
    assert with_schema.endswith('{"title": "Größe"}')
