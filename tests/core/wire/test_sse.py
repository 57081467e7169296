"""Server-sent events are split from bytes that may be cut anywhere."""

from itertools import combinations, product

import pytest

from modelstudio_core.wire.sse import EventSplitter, field_of


def split(*chunks: bytes) -> tuple[list[bytes], bytes]:
    """Feed chunks and return the events and the rest."""
    splitter = EventSplitter()
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    return events, splitter.close()


@pytest.mark.parametrize(
    ("stream", "events", "rest"),
    [
        (b"", [], b""),
        (b"data: a\n\n", [b"data: a"], b""),
        (b"data: a\n\ndata: b\n\n", [b"data: a", b"data: b"], b""),
        (b"data: a\n\ndata: b", [b"data: a"], b"data: b"),
        (b"data: a\n\ndata: b\n", [b"data: a"], b"data: b"),
        (b"id:1\nevent:result\ndata:a\n\n", [b"id:1\nevent:result\ndata:a"], b""),
        (b"\n\n\n\ndata: a\n\n\n\n\ndata: b\n\n\n", [b"data: a", b"data: b"], b""),
        (b": keep-alive\n\ndata: a\n\n", [b": keep-alive", b"data: a"], b""),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"data: a", b"data: b"], b""),
        (b"data: a\r\rdata: b\r\rx", [b"data: a", b"data: b"], b"x"),
        (b"data: a\n\r\ndata: b\r\n\n", [b"data: a", b"data: b"], b""),
        (b"\xef\xbb\xbfdata: a\n\n", [b"data: a"], b""),
        (b"\xef\xbb\xbf\r\n\r\ndata: a\r\n\r\n", [b"data: a"], b""),
        (b"data: \xef\xbb\xbf\n\n", [b"data: \xef\xbb\xbf"], b""),
        ("data: Grüße 你好 🙂\n\n".encode(), ["data: Grüße 你好 🙂".encode()], b""),
    ],
)
def test_events_of_bytes_that_are_cut_anywhere(
    stream: bytes, events: list[bytes], rest: bytes
) -> None:
    expected = (events, rest)
    assert split(stream) == expected
    assert split(*(stream[i : i + 1] for i in range(len(stream)))) == expected
    for cut in range(len(stream) + 1):
        assert split(stream[:cut], stream[cut:]) == expected
        assert split(stream[:cut], b"", stream[cut:]) == expected
    for first, second in combinations(range(len(stream) + 1), 2):
        assert split(stream[:first], stream[first:second], stream[second:]) == expected


def test_events_come_as_soon_as_they_are_complete() -> None:
    splitter = EventSplitter()
    assert splitter.feed(b"data: a") == []
    assert splitter.feed(b"b\n") == []
    assert splitter.feed(b"\n") == [b"data: ab"]
    assert splitter.feed(b"data: c\r\n\r") == []
    assert splitter.feed(b"\n") == [b"data: c"]


@pytest.mark.parametrize(
    "begin", [b"data: a\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbfdata: a\n\n", b"\n\n"]
)
def test_only_the_first_byte_order_mark_is_none_of_the_text(begin: bytes) -> None:
    event = b"\xef\xbb\xbfdata: b"
    events, rest = split(begin, event + b"\n\n")
    assert (events[-1], rest) == (event, b"")


def test_the_bytes_of_an_incomplete_event_are_counted() -> None:
    """An event without an end must not fill the memory."""
    splitter = EventSplitter()
    counts: list[int] = []
    for chunk in (b"\xef", b"\xbb\xbfdata", b": a", b"\n\nb", b"\r", b"\n\nc\n\n"):
        splitter.feed(chunk)
        counts.append(splitter.pending_bytes)
    # A byte order mark is no part of an event, nor yet a carriage return at the end.
    assert counts == [1, 4, 7, 1, 1, 0]


def test_closing_returns_the_rest_once() -> None:
    splitter = EventSplitter()
    splitter.feed(b"data: a")
    assert splitter.close() == b"data: a"
    assert splitter.close() == b""


def test_a_long_event_in_small_pieces() -> None:
    body = b"x" * 10_000
    stream = b"data: " + body + b"\n\n"
    chunks = [stream[i : i + 7] for i in range(0, len(stream), 7)]
    assert split(*chunks) == ([b"data: " + body], b"")


PIECES = (b"data: a", b"data:b", b"data: ", b"id:1", b": c", b"\n", b"\n", b"\r", b"")


@pytest.mark.parametrize("count", range(1, 5))
def test_data_lines_returns_what_feed_and_field_of_return(count: int) -> None:
    fast = 0
    for pieces in product(PIECES, repeat=count):
        chunk = b"".join(pieces) + b"\n\n"
        splitter = EventSplitter()
        splitter.feed(b": begun\n\n")
        data = splitter.data_lines(chunk)
        if data is not None:
            fast += 1
            expected = [field_of(e, b"data") for e in splitter.feed(chunk)]
            assert data == expected, chunk
            assert splitter.close() == b"", chunk
    assert fast


def test_data_lines_can_start_a_stream() -> None:
    splitter = EventSplitter()
    assert splitter.data_lines(b"data: a\n\n") == [b"a"]
    assert splitter.feed(b"\xef\xbb\xbfdata: b\n\n") == [b"\xef\xbb\xbfdata: b"]


@pytest.mark.parametrize(
    "before", [b"\xef", b"data: x", b"data: x\n\ndata: ", b"a\n\n\r"]
)
def test_data_lines_returns_none_within_an_event(before: bytes) -> None:
    splitter = EventSplitter()
    splitter.feed(before)
    assert splitter.data_lines(b"data: a\n\n") is None


@pytest.mark.parametrize(
    ("event", "name", "value"),
    [
        (b"data: a", b"data", b"a"),
        (b"data:a", b"data", b"a"),
        (b"data:  a", b"data", b" a"),
        (b"data:", b"data", b""),
        (b"data: a\ndata: b", b"data", b"a\nb"),
        (b"id:1\nevent:error\n:HTTP_STATUS/400\ndata:{}", b"data", b"{}"),
        (b"id:1\nevent:error\n:HTTP_STATUS/400\ndata:{}", b"event", b"error"),
        (b"id:1\nevent:error\n:HTTP_STATUS/400\ndata:{}", b"", b"HTTP_STATUS/400"),
        (b"datax: a", b"data", b""),
        (b": data: a", b"data", b""),
        (b"event: result", b"data", b""),
        (b'data: {"a":"data: b"}', b"data", b'{"a":"data: b"}'),
    ],
)
def test_field_of_an_event(event: bytes, name: bytes, value: bytes) -> None:
    assert field_of(event, name) == value


@pytest.mark.parametrize("end", [b"\t", b"\0", b" ", b":", b"d", b"data: b", b"\n"])
def test_data_lines_returns_none_if_the_last_event_is_not_complete(end: bytes) -> None:
    splitter = EventSplitter()
    chunk = b"data: a\n\n" + end
    assert splitter.data_lines(chunk) is None
    assert splitter.feed(chunk) == [b"data: a"]
    assert splitter.close() == end.strip(b"\n")
