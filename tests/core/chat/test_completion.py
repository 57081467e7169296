"""Events in, one whole answer out."""

from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import (
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)


def finish(reason: str | None = "stop") -> Finish:
    """Return an end."""
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


def completion(*events: Event) -> Completion:
    """Put events together."""
    whole = Completion()
    for event in events:
        whole.add(event)
    return whole


def test_nothing_is_an_empty_answer() -> None:
    whole = Completion()
    assert whole.reasoning == ""
    assert whole.text == ""
    assert whole.tool_calls == []
    assert whole.finish is None


def test_pieces_are_joined_in_their_order() -> None:
    end = finish()
    whole = completion(
        ReasoningDelta("Hm"),
        ReasoningDelta(", so"),
        TextDelta("Hel"),
        TextDelta("lo"),
        end,
    )
    assert whole.reasoning == "Hm, so"
    assert whole.text == "Hello"
    assert whole.finish is end


def test_looking_in_between_changes_nothing() -> None:
    whole = completion(TextDelta("a"), TextDelta("b"), ReasoningDelta("x"))
    assert (whole.text, whole.reasoning) == ("ab", "x")
    whole.add(TextDelta("c"))
    whole.add(ReasoningDelta("y"))
    assert (whole.text, whole.reasoning) == ("abc", "xy")
    assert (whole.text, whole.reasoning) == ("abc", "xy")


def test_tool_calls_are_put_together_by_index() -> None:
    whole = completion(
        ToolCallDelta(1, "call_b", "news", '{"a'),
        ToolCallDelta(0, "call_a", "weather", ""),
        ToolCallDelta(1, None, None, '":1}'),
        ToolCallDelta(0, None, None, '{"city":"Ulm"}'),
    )
    assert whole.tool_calls == [
        {
            "id": "call_a",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city":"Ulm"}'},
        },
        {
            "id": "call_b",
            "type": "function",
            "function": {"name": "news", "arguments": '{"a":1}'},
        },
    ]


def test_first_id_and_name_win() -> None:
    whole = completion(
        ToolCallDelta(0, None, None, "{"),
        ToolCallDelta(0, "call_1", "weather", ""),
        ToolCallDelta(0, "call_2", "other", "}"),
    )
    assert whole.tool_calls == [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": "{}"},
        }
    ]


def test_tool_calls_are_fresh_each_time() -> None:
    whole = completion(ToolCallDelta(0, "call_1", "weather", "{"))
    first = whole.tool_calls
    first[0]["function"]["arguments"] = "changed"
    first.clear()
    whole.add(ToolCallDelta(0, None, None, "}"))
    assert [call["function"]["arguments"] for call in whole.tool_calls] == ["{}"]
