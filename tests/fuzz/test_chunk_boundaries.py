"""However the bytes of a stream are cut, the same events come out of it.

The streams are the recorded ones, pushed straight into the parsers. Every single cut
is tried on the splitter of events, which is all that sees where a chunk ends and keeps
nothing beyond a blank line: two events around the cut are enough for it. On short
streams every cut goes through the whole parser too.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstudio_core.chat import dashscope, openai
from modelstudio_core.chat.events import Event, TextDelta
from modelstudio_core.errors import APIError
from modelstudio_core.wire.refusals import ErrorContext
from modelstudio_core.wire.sse import EventSplitter
from tests.end_to_end.test_recordings_native import body_of
from tests.support.recordings import chat_exchanges, native_exchanges

PARSERS: dict[str, Any] = {"openai": openai.Parser, "dashscope": dashscope.Parser}
# Bytes up to which every single cut goes through the whole parser.
SHORT = 1000
STRIDE = 499
# Bytes of two events up to which every cut is tried on the splitter.
LONG_EVENTS = 1500
BOM = b"\xef\xbb\xbf"


def _streams() -> list[Any]:
    found: list[Any] = []
    for protocol, exchanges in (
        ("openai", chat_exchanges()),
        ("dashscope", native_exchanges()),
    ):
        for exchange in exchanges:
            recorded = exchange.values[0]
            if recorded is None:
                return [pytest.param("", b"", marks=exchange.marks, id=exchange.id)]
            if recorded.streamed and "data:" in recorded.body:
                body = body_of(recorded) if protocol == "dashscope" else recorded.body
                found.append(pytest.param(protocol, body.encode(), id=recorded.name))
    return found


streams = pytest.mark.parametrize(("protocol", "body"), _streams())


@cache
def bodies() -> list[tuple[str, bytes]]:
    found = [(it.values[0], it.values[1]) for it in _streams() if it.values[0]]
    if not found:
        pytest.skip("there are no recordings")
    return found


def outcome(protocol: str, pieces: Iterable[bytes]) -> tuple[list[Event], str]:
    """Return the events of a stream, and the error that ends it."""
    context = ErrorContext(None, protocol, "127.0.0.1")
    parser = PARSERS[protocol](context, request_id="r-1")
    events: list[Event] = []
    try:
        for piece in pieces:
            events += parser.feed(piece)
        events += parser.close()
    except APIError as error:
        return events, f"{type(error).__name__} {error} {error.body}"
    return events, ""


@cache
def whole(protocol: str, body: bytes) -> tuple[list[Event], str]:
    """Return what a stream in one piece comes to: at least an event or an error."""
    found = outcome(protocol, [body])
    assert any(found)
    return found


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
    """Return the events two by two."""
    events = [event + b"\n\n" for event in body.split(b"\n\n")]
    events[-1] = events[-1].removesuffix(b"\n\n")
    return (b"".join(events[at : at + 2]) for at in range(0, len(events), 2))


def _places(text: bytes) -> Iterable[int]:
    """Return every place; in a long line those near its ends, and some between."""
    if len(text) <= LONG_EVENTS:
        return range(len(text))
    ends = (it.start() + off for it in re.finditer(rb"[\r\n]", text) for off in (0, 1))
    return sorted({*range(0, len(text), 13), *ends, *_odd_characters(text)})


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
@streams
def test_every_single_cut_gives_the_same_chunks(
    protocol: str, body: bytes, line_end: bytes
) -> None:
    assert protocol
    # Many are alike but for their letters, which the splitter does not look at.
    shapes = {re.sub(rb"[ -~]", b"x", window): window for window in _windows(body)}
    for window in shapes.values():
        text = window.replace(b"\n", line_end)
        wanted = split([text])
        for place in _places(text):
            assert split([text[:place], text[place:]]) == wanted, place


@streams
def test_every_cut_gives_the_same_events(protocol: str, body: bytes) -> None:
    for place in range(0, len(body), 1 if len(body) <= SHORT else STRIDE):
        found = outcome(protocol, [body[:place], body[place:]])
        assert found == whole(protocol, body), place


def _odd_characters(body: bytes) -> list[int]:
    """Return the places inside the characters of more than one byte."""
    return [place for place, byte in enumerate(body) if 0x80 <= byte < 0xC0]


@streams
def test_cuts_in_every_character_give_the_same_events(
    protocol: str, body: bytes
) -> None:
    places = _odd_characters(body)
    assert outcome(protocol, cut(body, places)) == whole(protocol, body)


LINE_ENDS = (b"\n", b"\r\n", b"\r")


@pytest.mark.parametrize("line_end", LINE_ENDS, ids=["lf", "crlf", "cr"])
@streams
def test_byte_by_byte_gives_the_same_events(
    protocol: str, body: bytes, line_end: bytes
) -> None:
    changed = body.replace(b"\n", line_end)
    bytewise = (changed[at : at + 1] for at in range(len(changed)))
    assert outcome(protocol, bytewise) == whole(protocol, body)


@streams
def test_a_byte_order_mark_changes_nothing(protocol: str, body: bytes) -> None:
    marked = BOM + body
    for places in ((), (1,), (2,), (3,), (1, 2), (1, 2, 3, 4)):
        assert outcome(protocol, cut(marked, places)) == whole(protocol, body)


COMMENTS = [b": a comment", b":", b": data: {}", b":event:error", b"retry: 10", b"x"]


@pytest.mark.parametrize(
    "raw",
    [
        b'data:{"output":{"text":"event:error\\n:HTTP_STATUS/400"}}\nid:1\n\n',
        b'data:{"output":{"text":"event:error\\n:HTTP_STATUS/400"}}\n: end\n\n',
    ],
)
def test_a_text_about_an_error_is_not_one(raw: bytes) -> None:
    events, error = outcome("dashscope", [raw])
    assert events == [TextDelta("event:error\n:HTTP_STATUS/400")]
    assert "without a finish reason" in error


def test_an_error_event_with_blanks_after_its_colons_is_one() -> None:
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
        text = re.sub(rb"(?m)^data:.*$", lambda it: it[0] + b"\n" + comment, text)
    text = text.replace(b"\n", data.draw(st.sampled_from(LINE_ENDS)))
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=40)))
    assert outcome(protocol, cut(text, places)) == whole(protocol, body)
