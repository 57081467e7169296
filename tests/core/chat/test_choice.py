"""The state of one choice of a response."""

import time
from typing import Any

import pytest

from modelstudio_core.chat.choice import Choice
from modelstudio_core.chat.events import (
    AudioDelta,
    ContentParts,
    Event,
    TextDelta,
    ToolCallDelta,
)


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


# The deltas of calls: index, id, name, and the number of the call that it belongs to.
_Deltas = list[tuple[int | None, str, str, int]]


@pytest.mark.parametrize(
    "deltas",
    [
        # Another id at the same index is another call, and its id says which one.
        [(0, "a", "f", 0), (0, "b", "g", 1), (0, "a", "f", 0), (0, "b", "", 1)],
        [(0, "a", "f", 0), (0, "b", "g", 1), (0, "", "", 1), (0, "a", "", 0)],
        # A known id at a new index is the call that has it, unless it has a name.
        [(0, "a", "f", 0), (1, "a", "", 0), (1, "", "", 0), (2, "a", "f", 1)],
        [(0, "a", "f", 0), (1, "b", "", 1), (2, "c", "g", 2)],
        # Without an index the id says which call it is, with a name or without.
        [(None, "a", "f", 0), (None, "b", "g", 1), (None, "a", "f", 0)],
        [(None, "a", "f", 0), (None, "b", "g", 1), (None, "a", "", 0)],
        # An id may come after the name.
        [(0, "", "f", 0), (0, "a", "", 0), (0, "b", "g", 1), (0, "a", "", 0)],
        # A name without an id begins a call at a new index, else continues it.
        [(0, "", "f", 0), (1, "", "g", 1), (1, "", "", 1), (0, "", "", 0)],
        [(7, "", "", 0), (9, "", "", 0), (9, "", "g", 0), (8, "", "h", 1)],
    ],
)
def test_the_call_that_a_delta_belongs_to(deltas: _Deltas) -> None:
    choice = Choice()
    events: list[ToolCallDelta] = []
    for index, call_id, name, _ in deltas:
        function = {"name": name, "arguments": "x"}
        call = {"index": index, "id": call_id, "function": function}
        events += choice.add_calls([call], 0)
    assert [event.index for event in events] == [number for *_, number in deltas]
    # The id and the name of a call are in one event of it only.
    ids: dict[int, str] = {}
    names: dict[int, str] = {}
    for event, (_, call_id, name, number) in zip(events, deltas, strict=True):
        assert event.id == (call_id or None if number not in ids else None)
        assert event.name == (name or None if number not in names else None)
        ids |= {number: call_id} if call_id else {}
        names |= {number: name} if name else {}


def test_the_arguments_of_a_cumulative_stream_are_what_is_new() -> None:
    received = (["{", "["], ['{"a"', "[1"], ['{"a": 1}', "[1]"])
    for cumulative in (True, False):
        choice = Choice()
        sent: list[list[str]] = []
        for texts in received:
            calls = [
                {"index": index, "function": {"name": "f", "arguments": text}}
                for index, text in enumerate(texts)
            ]
            deltas = choice.add_calls(calls, 0, cumulative=cumulative)
            sent.append([delta.arguments for delta in deltas])
        new = [["{", "["], ['"a"', "1"], [": 1}", "]"]]
        assert sent == (new if cumulative else [*received])


def test_the_parts_of_a_cumulative_stream_are_what_is_new() -> None:
    choice = Choice()
    received = (
        [{"text": "a"}],
        ["a", {"text": "b", "image": "u"}],
        [{"text": "ab"}, {"image": "u"}, {"text": "c", "video": "v"}],
    )
    events: list[Event] = []
    for parts in received:
        content = choice.remove_repetition({"content": parts})["content"]
        events += choice.add_parts(content, 0)
    assert events == [TextDelta("a"), TextDelta("b"), TextDelta("c")]
    assert choice.last_events(0, None) == [ContentParts({"image": "u", "video": "v"})]


def test_sound_that_is_cut_within_a_group_is_joined() -> None:
    choice = Choice()
    parts = [{"data": "QUJDRA"}, {"transcript": "Hi"}, {"data": "=="}]
    assert [choice.add_audio(part, 0) for part in parts] == [
        [AudioDelta("QUJD")],
        [TextDelta("Hi"), AudioDelta("", "Hi")],
        [],
    ]
    assert choice.last_events(0, None) == [AudioDelta("RA==")]


@pytest.mark.parametrize(
    ("audio", "event"),
    [
        ("AAAA", AudioDelta("AAAA")),
        ("https://a.b/c.wav", AudioDelta(fields={"url": "https://a.b/c.wav"})),
        ({"data": "AAAA", "id": "x"}, AudioDelta("AAAA", fields={"id": "x"})),
        ({"data": None, "url": "u", "id": None}, AudioDelta(fields={"url": "u"})),
        ({"data": "", "transcript": None, "id": ""}, None),
        ({}, None),
    ],
)
def test_sound_is_data_an_address_or_an_object(
    audio: object, event: AudioDelta | None
) -> None:
    assert Choice().add_audio(audio, 0) == ([event] if event else [])


@pytest.mark.parametrize("audio", [5, ["AAAA"], {"data": 5}, {"transcript": ["Hi"]}])
def test_sound_of_another_type_is_refused(audio: object) -> None:
    with pytest.raises(TypeError):
        Choice().add_audio(audio, 0)


@pytest.mark.parametrize(
    ("part", "parts"),
    [
        ({"image": "u"}, {"image": "u"}),
        ({"image": "u", "image_hw": [[1, 2]]}, {"image": "u", "image_hw": [[1, 2]]}),
        ({"text": "a", "image": "u"}, {"image": "u"}),
        ({"score": 0}, {"score": 0}),
        # The form of OpenAI: the value is under the name of the type, or alone.
        ({"type": "image_url", "image_url": {"url": "u"}}, {"image_url": {"url": "u"}}),
        ({"type": "image", "image_url": {"url": "u"}}, {"image": {"url": "u"}}),
        ({"type": "chart", "a": 1, "b": 2}, {"a": 1, "b": 2}),
        ({"type": "chart", "chart": 1, "b": 2}, {"chart": 1, "b": 2}),
        ({"type": "text", "text": "a", "x": 1}, {"x": 1}),
        ({"type": 5, "x": 1}, {"x": 1}),
        # Nothing is in it.
        ({"type": "image"}, {}),
        ({"type": "image", "image": None}, {}),
        ({"image": ""}, {}),
        ({"a": [], "b": {}}, {}),
        ({"text": "a"}, {}),
        ("a", {}),
        ("text", {}),
        ({}, {}),
    ],
)
def test_the_values_of_a_part_that_is_no_text(
    part: object, parts: dict[str, Any]
) -> None:
    choice = Choice()
    events = choice.add_parts([part, "."], 0)
    text = part if isinstance(part, str) else ""
    if isinstance(part, dict):
        text = part.get("text", "")  # pyright: ignore[reportUnknownMemberType]
    assert events == [TextDelta(f"{text}.")]
    assert choice.last_events(0, None) == ([ContentParts(parts)] if parts else [])


def test_sound_among_the_parts_is_sound() -> None:
    choice = Choice()
    parts = [{"audio": "AAAA"}, {"type": "audio", "data": {"transcript": "Hi"}}]
    assert choice.add_parts(parts, 1) == [
        AudioDelta("AAAA", choice=1),
        TextDelta("Hi", 1),
        AudioDelta("", "Hi", choice=1),
    ]
    assert choice.last_events(1, None) == []


def test_parts_of_one_kind_are_a_list_if_they_are_several() -> None:
    one, two = Choice(), Choice()
    one.add_parts([{"image": "a"}, {"image": "a"}], 0)
    two.add_parts([{"image": "a"}, {"image": "b"}, {"video": "c"}], 1)
    assert one.last_events(0, None) == [ContentParts({"image": "a"}, 0)]
    assert two.last_events(1, None) == [
        ContentParts({"image": ["a", "b"], "video": "c"}, 1)
    ]
