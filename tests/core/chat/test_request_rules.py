"""Rules for the messages of one request."""

import logging
from pathlib import Path
from typing import Any, Final

import pytest

from modelstudio_core.chat.request_rules import apply_rules
from modelstudio_core.chat.tools import log_once
from modelstudio_core.local_files import LocalFile
from tests.core.support import (
    AUDIO,
    FRAMES,
    IMAGE,
    VIDEO,
    assistant,
    make_plan,
    text_part,
    user,
)

MARKER: Final = {"type": "ephemeral"}
SYSTEM: Final[Any] = {"role": "system", "content": "Rules"}
RESULT: Final[Any] = {"role": "tool", "tool_call_id": "call_1", "content": "18 degrees"}


# --- The explicit cache -------------------------------------------------------------


def marked(*messages: Any) -> list[int]:
    """Return the places of the messages that have a marker."""
    plan = make_plan("qwen3.7-plus", context_cache="auto")
    contents = [message["content"] for message in apply_rules(messages, plan)]
    return [
        place
        for place, content in enumerate(contents)
        if isinstance(content, list)
        and any(part.get("cache_control") == MARKER for part in content)
    ]


def with_markers(number: int) -> Any:
    """Return a user message whose parts have so many markers."""
    return user([text_part(f"{i}", cache_control=MARKER) for i in range(number)])


@pytest.mark.parametrize(
    ("messages", "places"),
    [
        ([user()], [0]),
        ([SYSTEM, user()], [0, 1]),
        ([SYSTEM, user("One"), SYSTEM, user("Two")], [2, 3]),
        # The end of the turn before is kept, too, not the turns before that.
        ([user("1"), assistant("A"), user("2"), assistant("B"), user("3")], [3, 4]),
        ([assistant("A"), user("2")], [0, 1]),
        ([user("1"), assistant("A"), RESULT], [1, 2]),
        # A message without text cannot have a marker: the one before it has it.
        ([user("1"), user("2"), assistant(""), RESULT], [1, 3]),
        ([user("1"), assistant(""), RESULT], [0, 2]),
        ([SYSTEM, assistant(""), RESULT], [0, 2]),
        ([user("1"), assistant("A"), user("")], [1]),
        ([user("1"), assistant("A"), user([])], [1]),
        ([{**SYSTEM, "content": ""}, user()], [1]),
        # The beginning of the answer is not kept.
        ([user("1"), assistant("A"), user("2"), assistant("B", partial=True)], [1]),
        ([SYSTEM, user("1"), assistant("B", partial=True)], [0]),
    ],
)
def test_the_ends_that_context_cache_marks(
    messages: list[Any], places: list[int]
) -> None:
    assert marked(*messages) == places


@pytest.mark.parametrize(("given", "places"), [(2, [0, 1, 2]), (3, [0, 1]), (4, [1])])
def test_a_request_has_at_most_four_markers(given: int, places: list[int]) -> None:
    assert marked(SYSTEM, with_markers(given), user("Two")) == places


# --- System messages ----------------------------------------------------------------

MORE: Final[Any] = {"role": "system", "content": "More"}


@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        ([SYSTEM, user("A")], [SYSTEM, user("A")]),
        ([user("A"), SYSTEM], [SYSTEM, user("A")]),
        ([user("A"), SYSTEM, user("B")], [SYSTEM, user("A"), user("B")]),
        (
            [SYSTEM, user("A"), MORE],
            [{"role": "system", "content": "Rules\n\nMore"}, user("A")],
        ),
        (
            [user("A"), SYSTEM, MORE],
            [{"role": "system", "content": "Rules\n\nMore"}, user("A")],
        ),
        ([user("A")], [user("A")]),
        ([SYSTEM], [SYSTEM]),
        ([SYSTEM, MORE], [SYSTEM, MORE]),
    ],
)
def test_the_system_messages_of_a_strict_model_are_one_at_the_start(
    messages: list[Any], sent: list[Any]
) -> None:
    assert apply_rules(messages, make_plan("qwen3.5-35b-a3b")) == sent


# --- JSON ---------------------------------------------------------------------------

SENTENCE: Final = "Answer with a JSON object, and with nothing else."
MEDIA: Final = [IMAGE, VIDEO, FRAMES, AUDIO, {"type": "file", "file": {"file_id": "f"}}]


@pytest.mark.parametrize(
    ("messages", "is_added"),
    [
        ([user("Name a city.")], True),
        ([user("Name a city in JSON.")], False),
        ([SYSTEM, user("Name a city as a Json.")], False),
        ([SYSTEM, user("Name a city.")], True),
        ([{**SYSTEM, "content": "Write json."}, user()], False),
        ([user([*MEDIA, text_part("Describe them.")])], True),
        ([user([*MEDIA, text_part("Describe them."), text_part("In JSON.")])], False),
        ([user(MEDIA)], True),
        # The service looks for the word in what a system or a user says.
        ([user(), assistant("JSON?"), user("Yes.")], True),
        ([user(), assistant("How?"), user("In JSON.")], False),
        ([user(), assistant(), {**RESULT, "content": "JSON"}], True),
    ],
)
def test_a_prompt_without_the_word_gets_a_sentence_that_asks_for_json(
    messages: list[Any], is_added: bool, caplog: pytest.LogCaptureFixture
) -> None:
    log_once.cache_clear()
    caplog.set_level(logging.INFO, logger="modelstudio")
    added = [{"role": "system", "content": SENTENCE}] if is_added else []
    if is_added and messages[0] is SYSTEM:
        added = [{"role": "system", "content": f"Rules\n\n{SENTENCE}"}]
    plan = make_plan("qwen-plus", response_format={"type": "json_object"})
    begin = 1 if added and messages[0] is SYSTEM else 0
    assert apply_rules(messages, plan) == [*added, *messages[begin:]]
    assert ("a sentence was added" in caplog.text) is is_added


@pytest.mark.parametrize("kind", ["text", "json_schema"])
def test_other_response_formats_get_no_sentence(kind: str) -> None:
    response_format = {"type": kind, "json_schema": {"name": "x", "schema": {}}}
    for model in ("qwen3.7-plus", "qwen3.8-max"):
        plan = make_plan(model, response_format=response_format, enable_thinking=False)
        assert apply_rules([user()], plan) == [user()]


def test_the_word_in_a_text_of_a_local_file_is_not_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "json.txt"
    path.write_text("JSON")
    part = {"type": "text", "text": LocalFile(path, "text")}
    plan = make_plan("qwen-plus", response_format={"type": "json_object"})
    assert apply_rules([user([part])], plan)[0]["content"] == SENTENCE
