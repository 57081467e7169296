"""The state of one choice of a response."""

import time
from typing import Any

import pytest

from modelstudio_core.chat.choice import Choice
from modelstudio_core.chat.events import AudioDelta, ContentParts


@pytest.mark.parametrize("name", ["content", "reasoning_content", "reasoning"])
def test_what_repeats_nothing_is_all_new(name: str) -> None:
    """A cumulative stream whose service begins to send increments."""
    choice = Choice()
    received = ["Hel", "Hello", "Hello", " you", "Hello you!"]
    new = [choice.remove_repetition({name: text})[name] for text in received]
    assert new == ["Hel", "lo", "", " you", "!"]


@pytest.mark.parametrize("index", [False, True], ids=["no index", "index"])
def test_a_stream_of_very_many_calls_takes_no_longer_for_each(index: bool) -> None:
    """40,000 calls without an index once took 35 seconds."""
    choice = Choice()
    begin = time.process_time()
    for number in range(40_000):
        function = {"name": "f", "arguments": "{}"}
        call: dict[str, Any] = {"id": f"c{number}", "function": function}
        if index:
            call["index"] = number
        (delta,) = choice.add_calls([call], 0)
        assert delta.index == number
    assert time.process_time() - begin < 10


def test_very_many_parts_of_one_kind_take_no_longer_for_each() -> None:
    """60,000 parts once took 80 seconds."""
    choice = Choice()
    parts = [{"image": f"u{number}"} for number in range(60_000)]
    begin = time.process_time()
    choice.add_parts([*parts, *parts], 0)
    (event,) = choice.last_events(0, None)
    assert time.process_time() - begin < 10
    assert isinstance(event, ContentParts)
    assert event.parts == {"image": [part["image"] for part in parts]}


def test_equal_parts_are_one_whatever_the_order_of_their_fields() -> None:
    choice = Choice()
    choice.add_parts([{"x": {"a": 1, "b": 2}}, {"x": {"b": 2, "a": 1}}], 0)
    choice.add_parts([{"x": {"a": 1, "b": 3}}], 0)
    (event,) = choice.last_events(0, None)
    assert event == ContentParts({"x": [{"a": 1, "b": 2}, {"a": 1, "b": 3}]}, 0)


def test_sound_with_very_many_fields_takes_no_longer_for_each() -> None:
    """30,000 fields in two chunks once took 60 seconds."""
    choice = Choice()
    fields = {f"f{number}": number for number in range(30_000)}
    begin = time.process_time()
    events = [choice.add_audio(fields | {"data": "AAAA"}, 0) for _ in range(3)]
    assert time.process_time() - begin < 10
    others = [event.fields for event, *_ in events if isinstance(event, AudioDelta)]
    assert others == [fields, {}, {}]


def test_a_cumulative_stream_that_repeats_nothing_takes_linear_time() -> None:
    """A long text, and very many short ones after it."""
    choice = Choice()
    begin = time.process_time()
    first = choice.remove_repetition({"content": "a" * 20_000_000})
    rest = [choice.remove_repetition({"content": "b"}) for _ in range(20_000)]
    assert time.process_time() - begin < 10
    assert first["content"] == "a" * 20_000_000
    assert {message["content"] for message in rest} == {"b"}


@pytest.mark.parametrize("count", range(1, 6))
def test_a_delta_that_names_no_call_continues_the_last_one(count: int) -> None:
    choice = Choice()
    for number in range(count):
        function = {"name": "f", "arguments": "{"}
        choice.add_calls(
            [{"index": number, "id": f"c{number}", "function": function}], 0
        )
    (delta,) = choice.add_calls([{"index": 9, "function": {"arguments": "}"}}], 0)
    assert (delta.index, delta.id, delta.name) == (count - 1, None, None)


def test_parts_of_one_kind_are_a_list_if_they_are_several() -> None:
    one, two = Choice(), Choice()
    one.add_parts([{"image": "a"}, {"image": "a"}], 0)
    two.add_parts([{"image": "a"}, {"image": "b"}, {"video": "c"}], 1)
    assert one.last_events(0, None) == [ContentParts({"image": "a"}, 0)]
    assert two.last_events(1, None) == [
        ContentParts({"image": ["a", "b"], "video": "c"}, 1)
    ]
