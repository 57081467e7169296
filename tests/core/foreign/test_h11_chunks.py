"""HTTP chunks that came together: the same bytes, ends and errors, in fewer pieces."""

from itertools import pairwise
from types import SimpleNamespace

import h11
import pytest

from modelstudio_core.foreign.h11_chunks import merge_buffered_chunks

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GOOD = b"5\r\nhello\r\n1\r\n,\r\n06\r\n world\r\nA\r\n0123\r\n5678\r\n0\r\n\r\n"
ODD = {
    "whole": GOOD,
    "an extension": b"1\r\na\r\n2;x=y\r\nbc\r\n1\r\nd\r\n0\r\n\r\n",
    "a space": b"1\r\na\r\n2 \r\nbc\r\n0\r\n\r\n",
    "trailers": b"1\r\na\r\n1\r\nb\r\n0\r\nA: b\r\nC: d\r\n\r\n",
    "what belongs to no answer": GOOD + b"HTTP/1.1 200 OK\r\n",
    "no end": b"1\r\na\r\n1\r\nb\r\n",
    "half a chunk": b"1\r\na\r\n9\r\nb",
    "half a footer": b"1\r\na\r\n1\r\nb\r",
    "a wrong footer": b"1\r\na\r\n1\r\nbXX1\r\nc\r\n0\r\n\r\n",
    "a length that is none": b"1\r\na\r\n-1\r\nb\r\n0\r\n\r\n",
    "a length as Python says it": b"1\r\na\r\n0x1\r\nb\r\n1_0\r\n",
    "no length": b"1\r\na\r\n\r\nb\r\n0\r\n\r\n",
    "a length without end": b"1\r\na\r\n" + b"0" * 30 + b"1\r\nb\r\n0\r\n\r\n",
    "bare newlines": b"1\na\n1\nb\n0\n\n",
}


def read(pieces: list[bytes], *, in_bursts: bool) -> tuple[bytes, str, int]:
    """Read an answer with h11: its body, how it ended, and in how many pieces."""
    connection = h11.Connection(our_role=h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(HEAD)
    assert isinstance(connection.next_event(), h11.Response)
    if in_bursts:
        inner = SimpleNamespace(_connection=SimpleNamespace(_h11_state=connection))
        outer = SimpleNamespace(_stream=SimpleNamespace(_httpcore_stream=inner))
        inner._stream = inner
        merge_buffered_chunks(SimpleNamespace(stream=outer))
    body: list[bytes] = []
    waiting = [*pieces, b""]
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(waiting.pop(0))
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            else:
                ended = f"{event!r} {connection.trailing_data!r}"
                break
    except h11.ProtocolError as error:
        ended = repr(error)
    return b"".join(body), ended, len(body)


@pytest.mark.parametrize("came", ODD.values(), ids=ODD)
def test_it_reads_as_h11_does_wherever_the_bytes_are_cut(came: bytes) -> None:
    places = range(1, len(came))
    cuts = [[], *([one] for one in places), list(places)]
    cuts += [[one, one + size] for one in places for size in (1, 2, 7)]
    for cut in cuts:
        pieces = [came[a:b] for a, b in pairwise([0, *cut, len(came)])]
        *ordinary, often = read(pieces, in_bursts=False)
        *fast, seldom = read(pieces, in_bursts=True)
        assert (fast, seldom <= often) == (ordinary, True), pieces


def test_what_came_together_is_one_piece() -> None:
    assert read([GOOD], in_bursts=False)[2] == 4
    assert read([GOOD], in_bursts=True) == (
        b"hello, world0123\r\n5678",
        *read([GOOD], in_bursts=False)[1:2],
        1,
    )


def test_half_a_chunk_is_not_waited_for() -> None:
    came = b"1\r\na\r\n1\r\nb\r\n5\r\ncd"
    assert read([came], in_bursts=True)[::2] == (b"abcd", 2)
