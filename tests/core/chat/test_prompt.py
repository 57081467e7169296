"""The messages of a prompt as one model accepts them."""

from typing import Any

import pytest

from modelstudio_core.chat.history import NO_RESULT
from modelstudio_core.chat.prompt import prepare_prompt
from tests.core.support import (
    IMAGE,
    assistant,
    error_message,
    make_plan,
    text_part,
    tool_call,
    user,
)

CALL = assistant(tool_calls=[tool_call()])


def result(content: Any = "Rain") -> Any:
    return {"role": "tool", "tool_call_id": "call_1", "content": content}


@pytest.mark.parametrize("make", [str, lambda text: [text_part(text)]])
def test_a_history_of_text_is_repaired(make: Any) -> None:
    """Whether its texts are strings or parts."""
    plan = make_plan("qwen-plus")
    hi, so = user(make("Hi")), user(make("So?"))
    answer = result(make("Rain"))
    assert prepare_prompt([hi, CALL, answer, so], plan) == [
        user("Hi"),
        CALL,
        result("Rain"),
        user("So?"),
    ]
    assert prepare_prompt([hi, CALL, so], plan) == [
        user("Hi"),
        CALL,
        result(NO_RESULT),
        user("So?"),
    ]
    for messages in ([answer], [hi, answer]):
        *_, orphan = prepare_prompt(messages, plan)
        assert orphan["role"] == "user"
        assert "whose call is not part of this conversation" in str(orphan["content"])


def test_a_call_alone_gets_an_id() -> None:
    call = assistant(tool_calls=[tool_call(call_id="")])
    (sent,) = prepare_prompt([call], make_plan("qwen-plus"))
    assert sent["role"] == "assistant"
    assert all(call["id"] for call in sent.get("tool_calls", []))


@pytest.mark.parametrize(
    "messages",
    [
        [user([IMAGE])],
        [user("Hi"), user([text_part("Look"), IMAGE])],
        [user("Hi"), CALL, result("Rain"), user([IMAGE])],
    ],
)
def test_an_image_after_text_is_checked(messages: list[Any]) -> None:
    assert "Qwen-VL" in error_message(prepare_prompt, messages, make_plan("qwen-max"))
