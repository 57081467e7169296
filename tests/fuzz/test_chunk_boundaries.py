"""The bytes of a stream give the same events wherever they are cut.

The streams are recorded ones. Every single cut is tested on the event splitter alone,
with the two events around the cut: nothing else sees where a chunk ends, and it keeps
nothing beyond a blank line. In short streams every cut is tested on the parser too.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstudio_core.chat.events import Event, TextDelta
from modelstudio_core.wire.sse import EventSplitter
from tests.fuzz.parsing import parse
from tests.support.recordings import chat_exchanges, native_exchanges

# Streams up to this size are cut at every byte for the parser, others at every 499th.
SHORT = 1000
STRIDE = 499
# Pairs of events up to this size are cut at every byte for the splitter.
LONG_EVENTS = 1500
BOM = b"\xef\xbb\xbf"


def _streams() -> list[Any]:
    parameters: list[Any] = []
    for protocol, exchanges in (
        ("openai", chat_exchanges()),
        ("dashscope", native_exchanges()),
    ):
        for exchange in exchanges:
            recorded = exchange.values[0]
            if recorded is None:
                return [pytest.param("", b"", marks=exchange.marks, id=exchange.id)]
            if recorded.streamed and "data:" in recorded.body:
                body = recorded.body.encode()
                parameters.append(pytest.param(protocol, body, id=recorded.name))
    return parameters


streams = pytest.mark.parametrize(("protocol", "body"), _streams())


@cache
def bodies() -> list[tuple[str, bytes]]:
    streams = [
        (parameter.values[0], parameter.values[1])
        for parameter in _streams()
        if parameter.values[0]
    ]
    if not streams:
        pytest.skip("there are no recordings")
    return streams


def outcome(protocol: str, pieces: Iterable[bytes]) -> tuple[list[Event], str]:
    """Return the events of a stream, and the text of the error that ends it."""
    events, error = parse(protocol, pieces)
    return events, f"{type(error).__name__} {error} {error.body}" if error else ""


@cache
def uncut(protocol: str, body: bytes) -> tuple[list[Event], str]:
    """Return the outcome of a stream in one piece, which is not empty."""
    expected = outcome(protocol, [body])
    assert any(expected)
    return expected


def cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    return [
        body[start:end]
        for start, end in zip([0, *places], [*places, len(body)], strict=True)
    ]


def split(pieces: Iterable[bytes]) -> list[bytes]:
    splitter = EventSplitter()
    events = [event for piece in pieces for event in splitter.feed(piece)]
    return [*events, splitter.close()]


def _windows(body: bytes) -> Iterable[bytes]:
    """Return the events in pairs."""
    events = [event + b"\n\n" for event in body.split(b"\n\n")]
    events[-1] = events[-1].removesuffix(b"\n\n")
    return (b"".join(events[at : at + 2]) for at in range(0, len(events), 2))


def _places(text: bytes) -> Iterable[int]:
    """Return every place; in long events those near line ends, and every 13th."""
    if len(text) <= LONG_EVENTS:
        return range(len(text))
    ends = (
        match.start() + off for match in re.finditer(rb"[\r\n]", text) for off in (0, 1)
    )
    return sorted({*range(0, len(text), 13), *ends, *_inside_characters(text)})


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@streams
def test_a_cut_at_any_byte_gives_the_same_lines(
    protocol: str, body: bytes, line_end: bytes
) -> None:
    assert protocol
    # The splitter does not look at letters, so that many pairs are alike for it.
    shapes = {re.sub(rb"[ -~]", b"x", window): window for window in _windows(body)}
    for window in shapes.values():
        text = window.replace(b"\n", line_end)
        expected = split([text])
        for place in _places(text):
            assert split([text[:place], text[place:]]) == expected, place


@streams
def test_a_cut_at_any_byte_gives_the_same_events(protocol: str, body: bytes) -> None:
    for place in range(0, len(body), 1 if len(body) <= SHORT else STRIDE):
        cut_once = outcome(protocol, [body[:place], body[place:]])
        assert cut_once == uncut(protocol, body), place


def _inside_characters(body: bytes) -> list[int]:
    """Return the places inside multi-byte characters."""
    return [place for place, byte in enumerate(body) if 0x80 <= byte < 0xC0]


@streams
def test_cuts_in_every_character_give_the_same_events(
    protocol: str, body: bytes
) -> None:
    places = _inside_characters(body)
    assert outcome(protocol, cut(body, places)) == uncut(protocol, body)


LINE_ENDS = (b"\n", b"\r\n", b"\r")


@pytest.mark.parametrize("line_end", LINE_ENDS, ids=["lf", "crlf", "cr"])
@streams
def test_single_bytes_give_the_same_events(
    protocol: str, body: bytes, line_end: bytes
) -> None:
    changed = body.replace(b"\n", line_end)
    bytewise = (changed[at : at + 1] for at in range(len(changed)))
    assert outcome(protocol, bytewise) == uncut(protocol, body)


@streams
def test_a_byte_order_mark_changes_nothing(protocol: str, body: bytes) -> None:
    marked = BOM + body
    for places in ((), (1,), (2,), (3,), (1, 2), (1, 2, 3, 4)):
        assert outcome(protocol, cut(marked, places)) == uncut(protocol, body)


COMMENTS = [b": a comment", b":", b": data: {}", b":event:error", b"retry: 10", b"x"]


@pytest.mark.parametrize(
    "raw",
    [
        b'data:{"output":{"text":"event:error\\n:HTTP_STATUS/400"}}\nid:1\n\n',
        b'data:{"output":{"text":"event:error\\n:HTTP_STATUS/400"}}\n: end\n\n',
    ],
)
def test_a_text_that_quotes_an_error_event_is_text(raw: bytes) -> None:
    events, error = outcome("dashscope", [raw])
    assert events == [TextDelta("event:error\n:HTTP_STATUS/400")]
    assert "without a finish reason" in error


def test_an_error_event_may_have_spaces_after_its_colons() -> None:
    raw = b'event: error\n: HTTP_STATUS/429\ndata: {"code":"X","message":"m"}\n\n'
    _, error = outcome("dashscope", [raw])
    assert error.startswith("RateLimitError m (status 429")


@given(data=st.data())
def test_comments_blank_lines_and_cuts_change_nothing(data: st.DataObject) -> None:
    protocol, body = data.draw(st.sampled_from(bodies()))
    comment = data.draw(st.sampled_from(COMMENTS))
    blank = data.draw(st.integers(0, 3))
    text = re.sub(rb"\n\n+", b"\n\n" + b"\n" * blank + comment + b"\n\n", body)
    if data.draw(st.booleans()):
        text = re.sub(rb"(?m)^data:.*$", lambda match: match[0] + b"\n" + comment, text)
    text = text.replace(b"\n", data.draw(st.sampled_from(LINE_ENDS)))
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=40)))
    assert outcome(protocol, cut(text, places)) == uncut(protocol, body)
