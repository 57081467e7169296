"""HTTP chunks that have come together are handed on together.

A service writes one event at a time, and each is an HTTP chunk of its own. Where many
have come before they are read, httpx takes them out of its buffer one by one, with all
of h11's bookkeeping for each: that is more than half of what a stream costs. This takes
all that are whole at once. It leans on how h11 keeps its state; where that has become
another, the response is read as it is.
"""

# ruff: noqa: SLF001 - what it leans on

import re
import sys
from typing import Any, Final

__all__ = ["merge_buffered_chunks"]

# From a response of httpx to h11's connection below it.
_WAY: Final = ("stream", "_stream", "_httpcore_stream", "_stream", "_connection")
# What h11's reader of chunks holds before the first.
_NOT_BEGUN: Final = {
    "_bytes_in_chunk": 0,
    "_bytes_to_discard": b"",
    "_reading_trailer": False,
}
_CHUNK_HEAD: Final = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")


def merge_buffered_chunks(response: Any) -> None:
    """Make a response hand on together what has come together.

    Args:
        response: One of httpx, whose body is not begun. One over anything but HTTP/1.1,
            or without chunks, is left as it is.
    """
    h11: Any = sys.modules.get("h11")
    found = response
    for name in _WAY:
        found = getattr(found, name, None)
    state: Any = getattr(found, "_h11_state", None)
    reader = getattr(state, "_reader", None)
    buffer = getattr(state, "_receive_buffer", None)
    is_known = hasattr(buffer, "maybe_extract_at_most") and hasattr(buffer, "__bytes__")
    if h11 and is_known and getattr(reader, "__dict__", None) == _NOT_BEGUN:
        state._reader = _Bursts(reader, h11.Data)


class _Bursts:
    """Reads as h11's own reader does, but all whole chunks at once."""

    def __init__(self, reader: Any, data: Any) -> None:
        self._reader = reader
        self._data = data
        self.read_eof = reader.read_eof

    def __call__(self, buffer: Any) -> Any:
        reader = self._reader
        # In the midst of a chunk, and after the last one, it is h11's turn.
        if reader._bytes_in_chunk or reader._reading_trailer:
            return reader(buffer)
        came, ended = bytes(buffer), reader._bytes_to_discard
        if not came.startswith(ended):
            return reader(buffer)
        pieces, position = _whole_chunks(came, len(ended))
        if not pieces:
            return reader(buffer)
        buffer.maybe_extract_at_most(position)
        reader._bytes_to_discard = b""
        return self._data(data=b"".join(pieces))


def _whole_chunks(came: bytes, position: int) -> tuple[list[bytes], int]:
    """Return the chunks that are whole, and where what follows them begins.

    The last one, which is empty, is left, as is whatever is not right.
    """
    pieces: list[bytes] = []
    while head := _CHUNK_HEAD.match(came, position):
        begin = head.end()
        end = begin + int(head[1], 16)
        if end == begin or came[end : end + 2] != b"\r\n":
            break
        pieces.append(came[begin:end])
        position = end + 2
    return pieces, position
