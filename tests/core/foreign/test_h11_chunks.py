"""HTTP chunks that arrived together: same bytes, end and errors, in fewer pieces."""

from itertools import pairwise
from types import SimpleNamespace

import h11
import pytest

from modelstudio_core.foreign.h11_chunks import merge_buffered_chunks
from tests.support.fast_paths import NEEDS_FAST_PATHS

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GOOD = b"5\r\nhello\r\n1\r\n,\r\n06\r\n world\r\nA\r\n0123\r\n5678\r\n0\r\n\r\n"
BODIES = {
    "ordinary chunks": GOOD,
    "an extension": b"1\r\na\r\n2;x=y\r\nbc\r\n1\r\nd\r\n0\r\n\r\n",
    "a space": b"1\r\na\r\n2 \r\nbc\r\n0\r\n\r\n",
    "trailers": b"1\r\na\r\n1\r\nb\r\n0\r\nA: b\r\nC: d\r\n\r\n",
    "bytes after the response": GOOD + b"HTTP/1.1 200 OK\r\n",
    "no end": b"1\r\na\r\n1\r\nb\r\n",
    "half a chunk": b"1\r\na\r\n9\r\nb",
    "half a footer": b"1\r\na\r\n1\r\nb\r",
    "a wrong footer": b"1\r\na\r\n1\r\nbXX1\r\nc\r\n0\r\n\r\n",
    "a negative length": b"1\r\na\r\n-1\r\nb\r\n0\r\n\r\n",
    "lengths in the notation of Python": b"1\r\na\r\n0x1\r\nb\r\n1_0\r\n",
    "no length": b"1\r\na\r\n\r\nb\r\n0\r\n\r\n",
    "a very long length": b"1\r\na\r\n" + b"0" * 30 + b"1\r\nb\r\n0\r\n\r\n",
    "bare newlines": b"1\na\n1\nb\n0\n\n",
}


def read(pieces: list[bytes], *, merge: bool) -> tuple[bytes, str, int]:
    """Read a response with h11; return its body, its end and the number of pieces."""
    connection = h11.Connection(our_role=h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(HEAD)
    assert isinstance(connection.next_event(), h11.Response)
    if merge:
        inner = SimpleNamespace(_connection=SimpleNamespace(_h11_state=connection))
        outer = SimpleNamespace(_stream=SimpleNamespace(_httpcore_stream=inner))
        inner._stream = inner
        merge_buffered_chunks(SimpleNamespace(stream=outer))
    body: list[bytes] = []
    unread = [*pieces, b""]
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(unread.pop(0))
            elif isinstance(event, h11.Data):
                body.append(bytes(event.data))
            else:
                end = f"{event!r} {connection.trailing_data!r}"
                break
    except h11.ProtocolError as error:
        end = repr(error)
    return b"".join(body), end, len(body)


@pytest.mark.parametrize("data", BODIES.values(), ids=BODIES)
def test_merging_changes_only_the_number_of_pieces(data: bytes) -> None:
    places = range(1, len(data))
    cuts = [[], *([one] for one in places), list(places)]
    cuts += [[one, one + size] for one in places for size in (1, 2, 7)]
    for cut in cuts:
        pieces = [data[a:b] for a, b in pairwise([0, *cut, len(data)])]
        *ordinary, pieces_before = read(pieces, merge=False)
        *fast, pieces_after = read(pieces, merge=True)
        assert (fast, pieces_after <= pieces_before) == (ordinary, True), pieces


@NEEDS_FAST_PATHS
def test_chunks_that_arrived_together_are_one_piece() -> None:
    assert read([GOOD], merge=False)[2] == 4
    assert read([GOOD], merge=True) == (
        b"hello, world0123\r\n5678",
        *read([GOOD], merge=False)[1:2],
        1,
    )


@NEEDS_FAST_PATHS
def test_an_incomplete_chunk_is_not_waited_for() -> None:
    data = b"1\r\na\r\n1\r\nb\r\n5\r\ncd"
    assert read([data], merge=True)[::2] == (b"abcd", 2)
