"""Messages that a user gives in the form of the OpenAI chat API."""

from typing import Any

import pytest

from modelstudio_core.chat.given_messages import read_messages
from modelstudio_core.errors import ConfigurationError

CALL: dict[str, Any] = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": "{}"},
}


def user(content: object) -> dict[str, Any]:
    return {"role": "user", "content": content}


def answer(**fields: object) -> dict[str, Any]:
    return {"role": "assistant", "content": "", **fields}


VALID: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    user("Hi"),
    user([]),
    user([{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]),
    user(({"type": "text", "text": "Hi"},)),
    user([{"type": "image_url", "image_url": {"url": "https://a.example/a.png"}}]),
    user([{"type": "video_url", "video_url": {"url": "https://a.example/a.mp4"}}]),
    user([{"type": "video", "video": ["https://a.example/1.png"]}]),
    user([{"type": "input_audio", "input_audio": {"data": "data:;base64,AAAA"}}]),
    user([{"type": "file", "file": {"file_id": "file-1"}}]),
    user([{"type": "hologram", "hologram": 3}]),
    answer(tool_calls=[CALL]),
    answer(tool_calls=[CALL | {"id": ""}], partial=True),
    {"role": "tool", "tool_call_id": "call_1", "content": "Sun."},
]


def test_valid_messages_stay_as_they_are() -> None:
    assert read_messages(VALID) == VALID


@pytest.mark.parametrize("given", [{}, {"content": None}])
def test_an_answer_with_tool_calls_alone_needs_no_content(
    given: dict[str, Any],
) -> None:
    message = {"role": "assistant", **given, "tool_calls": [CALL]}
    before = dict(message)
    assert read_messages([message]) == [answer(tool_calls=[CALL])]
    assert message == before


def test_an_answer_may_have_none_as_its_tool_calls() -> None:
    assert read_messages([answer(tool_calls=None)]) == [answer()]


def part(**fields: object) -> dict[str, Any]:
    return user([{"type": "text", "text": "a"}, fields])


CONTENT = "content of message 1 must be a string or a list of parts"
CALLS = "tool_calls of message 1 must be a list of tool calls"
INVALID: list[tuple[object, str]] = [
    ({}, "role of message 1 must be a string"),
    ({"content": "Hi"}, "role of message 1"),
    ({"role": 3, "content": "Hi"}, "role of message 1"),
    ({"role": "user"}, CONTENT),
    (user(None), CONTENT),
    (user(3), CONTENT),
    (user({}), CONTENT),
    (user(["Hi"]), CONTENT),
    (part(text="Hi"), CONTENT),
    (part(type=["text"]), CONTENT),
    (part(type="text"), CONTENT),
    (part(type="text", text=3), CONTENT),
    (part(type="image_url"), CONTENT),
    (part(type="image_url", image_url="https://a.example/a.png"), CONTENT),
    (part(type="image_url", image_url={"url": 3}), CONTENT),
    (part(type="video_url", video_url={}), CONTENT),
    (part(type="video", video="https://a.example/1.png"), CONTENT),
    (part(type="video", video=[3]), CONTENT),
    (part(type="input_audio", input_audio={"format": "wav"}), CONTENT),
    (part(type="file", file="file-1"), CONTENT),
    (answer(tool_calls=3), CALLS),
    (answer(tool_calls=[3]), CALLS),
    (answer(tool_calls=[{**CALL, "id": None}]), CALLS),
    (answer(tool_calls=[{**CALL, "function": "weather"}]), CALLS),
    (answer(tool_calls=[{**CALL, "function": {"name": "weather"}}]), CALLS),
    (answer(tool_calls=[{**CALL, "function": {"arguments": "{}"}}]), CALLS),
    ({"role": "tool", "content": "Sun."}, "tool_call_id of message 1"),
    (
        {"role": "tool", "content": "Sun.", "tool_call_id": 1},
        "tool_call_id of message 1",
    ),
]


@pytest.mark.parametrize(("message", "text"), INVALID)
def test_a_malformed_message_is_named(message: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{text}.*OpenAI chat API"):
        read_messages([user("Hi"), message])
