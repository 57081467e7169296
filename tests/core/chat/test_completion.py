"""The completion of one choice, joined from its events."""

from typing import Any

import pytest

from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import (
    Citations,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from tests.core.support import join, tool_call


def make_finish(reason: str | None = "stop") -> Finish:
    """Return a ``Finish`` with nothing but its reason."""
    return Finish(
        finish_reason=reason,
        raw_finish_reason=reason,
        usage=None,
        request_id=None,
        response_id=None,
        model=None,
        created=None,
        logprobs=None,
        tool_info=None,
        raw={},
    )


def test_without_events_everything_is_empty() -> None:
    completion = Completion()
    assert completion.reasoning == ""
    assert completion.text == ""
    assert completion.tool_calls == []
    assert completion.finish is None


def test_deltas_are_joined_in_order() -> None:
    end = make_finish()
    completion = join(
        [
            ReasoningDelta("Hm"),
            ReasoningDelta(", so"),
            TextDelta("Hel"),
            TextDelta("lo"),
            end,
        ]
    )
    assert completion.reasoning == "Hm, so"
    assert completion.text == "Hello"
    assert completion.finish is end


def test_reading_between_events_changes_nothing() -> None:
    completion = join([TextDelta("a"), TextDelta("b"), ReasoningDelta("x")])
    assert (completion.text, completion.reasoning) == ("ab", "x")
    completion.add(TextDelta("c"))
    completion.add(ReasoningDelta("y"))
    assert (completion.text, completion.reasoning) == ("abc", "xy")
    assert (completion.text, completion.reasoning) == ("abc", "xy")


def test_tool_calls_are_joined_by_index() -> None:
    completion = join(
        [
            ToolCallDelta(1, "call_b", "news", '{"a'),
            ToolCallDelta(0, "call_a", "weather", ""),
            ToolCallDelta(1, None, None, '":1}'),
            ToolCallDelta(0, None, None, '{"city":"Ulm"}'),
        ]
    )
    assert completion.tool_calls == [
        tool_call('{"city":"Ulm"}', call_id="call_a", name="weather"),
        tool_call('{"a":1}', call_id="call_b", name="news"),
    ]


def test_the_first_id_and_name_are_kept() -> None:
    completion = join(
        [
            ToolCallDelta(0, None, None, "{"),
            ToolCallDelta(0, "call_1", "weather", ""),
            ToolCallDelta(0, "call_2", "other", "}"),
        ]
    )
    assert completion.tool_calls == [tool_call("{}", call_id="call_1", name="weather")]


def test_tool_calls_are_new_dicts_each_time() -> None:
    completion = join([ToolCallDelta(0, "call_1", "weather", "{")])
    first = completion.tool_calls
    first[0]["function"]["arguments"] = "changed"
    first.clear()
    completion.add(ToolCallDelta(0, None, None, "}"))
    assert [call["function"]["arguments"] for call in completion.tool_calls] == ["{}"]


def test_citations_are_kept() -> None:
    results: list[Any] = [{"index": 1, "title": "Ulm"}]
    completion = join([TextDelta("a"), Citations(results)])
    assert completion.citations == results
    assert Completion().citations == []


@pytest.mark.parametrize(
    ("event", "is_plain"),
    [
        (ReasoningDelta("a"), True),
        (TextDelta("a"), True),
        (make_finish(), True),
        (ToolCallDelta(0, "call_1", "weather", ""), False),
        (Citations([{}]), False),  # type: ignore[typeddict-item]  # pyright: ignore[reportArgumentType] - any result
        (Citations([]), True),
    ],
)
def test_a_completion_without_calls_and_citations_is_plain(
    event: Event, is_plain: bool
) -> None:
    assert join([event]).is_plain is is_plain


def test_a_long_stream_is_joined_once() -> None:
    completion = join([TextDelta("a")] * 1000 + [ReasoningDelta("b")] * 1000)
    assert completion.text == "a" * 1000
    assert completion.text is completion.text
    assert completion.reasoning is completion.reasoning
