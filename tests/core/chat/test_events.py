"""Events: what a parser returns, and what adapters and completions read."""

import copy
import pickle
from typing import Any, get_args

import pytest

from modelstudio_core.chat import events
from modelstudio_core.chat.events import (
    AudioDelta,
    Citation,
    Citations,
    ContentParts,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
    usage_of_text,
)

FINISH_FIELDS: dict[str, Any] = {
    "finish_reason": "stop",
    "raw_finish_reason": "stop",
    "usage": None,
    "request_id": "r-1",
    "response_id": None,
    "model": None,
    "created": None,
    "logprobs": None,
    "tool_info": None,
    "raw": {},
}
CITATION: Citation = {
    "index": 1,
    "title": "Ulm",
    "url": "https://example.com",
    "site_name": "Example",
    "icon": "",
}
EXAMPLES: list[Event] = [
    ReasoningDelta("a"),
    TextDelta("a"),
    ToolCallDelta(0, "call_1", "weather", "{}"),
    AudioDelta("QUJD", "a", {"id": "audio_1"}),
    ContentParts({"image": "https://example.com/a.png"}),
    Citations([CITATION]),
    Finish(**FINISH_FIELDS),
]


def test_the_union_has_every_event() -> None:
    assert set(get_args(Event)) == {type(event) for event in EXAMPLES}
    assert {cls.__name__ for cls in get_args(Event)} | {
        "Citation",
        "Event",
        "Problem",
        "Usage",
        "usage_of_text",
    } == set(events.__all__)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_events_belong_to_the_first_choice_by_default(event: Event) -> None:
    assert event.choice == 0


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: type(event).__name__)
def test_events_have_no_dict(event: Event) -> None:
    """A stream makes thousands of them."""
    assert not hasattr(event, "__dict__")


def test_events_are_equal_by_value_and_type() -> None:
    assert TextDelta("a") == TextDelta("a", 0)
    assert TextDelta("a") != TextDelta("a", 1)
    events: list[Event] = [TextDelta("a"), ReasoningDelta("a")]
    assert events[0] != events[1]
    assert Finish(**FINISH_FIELDS) == Finish(**FINISH_FIELDS)
    assert Finish(**FINISH_FIELDS) != Finish(**FINISH_FIELDS, choice=1)


def test_usage_is_immutable_and_hashable() -> None:
    usage = Usage(5, 7, 12, raw={"input_tokens": 5})
    assert usage == Usage(5, 7, 12, raw={"input_tokens": 5})
    assert usage != Usage(5, 7, 12)
    assert hash(usage) == hash(Usage(5, 7, 12))
    with pytest.raises(AttributeError):
        usage.input_tokens = 6  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] - what is tested


def test_the_usage_of_a_text_is_an_ordinary_one() -> None:
    raw = {"prompt_tokens": 5}
    usage = usage_of_text(5, 7, 12, 3, 2, raw=raw)
    assert usage == Usage(5, 7, 12, 3, 2, raw=raw)
    assert repr(usage) == repr(Usage(5, 7, 12, 3, 2, raw=raw))
    assert hash(usage) == hash(Usage(5, 7, 12, 3, 2))
    assert usage.raw is raw
    restored = pickle.loads(pickle.dumps(usage))  # noqa: S301 - made here
    assert restored == copy.deepcopy(usage) == usage
    other = usage_of_text(5, 7, 12, 3, 2, raw=raw)
    assert usage.tool_counts is not other.tool_counts
    with pytest.raises(AttributeError):
        usage.input_tokens = 6  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue] - what is tested


def test_details_of_usage_are_unknown_by_default() -> None:
    usage = Usage(5, 7, 12)
    details = (usage.reasoning_tokens, usage.cached_tokens, usage.cache_creation_tokens)
    assert details == (None, None, None)
    assert usage.raw == {}
