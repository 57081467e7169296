"""Reads all HTTP chunks that are in the buffer in one step.

The service sends each event as an HTTP chunk. If the buffer contains many, httpx reads
them one by one, and the work of h11 for each chunk takes more than half of the CPU time
of a stream. This module depends on how h11 0.14 to 0.16 store the state of a chunked
body. Any other response is read by h11 itself.
"""

# Private attributes are what this module is for.
# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false

import re
import sys
from collections.abc import Callable
from typing import Any, Final, Protocol

from modelstudio_core.foreign.fast_path import FastPath

__all__ = ["MERGED_CHUNKS", "merge_buffered_chunks"]

MERGED_CHUNKS: Final = FastPath("HTTP chunks that arrived together")
# The attributes from a response of httpx to the connection of httpcore below it.
_PATH_TO_CONNECTION: Final = (
    "stream",
    "_stream",
    "_httpcore_stream",
    "_stream",
    "_connection",
)
# The state of h11's reader of a chunked body before the first chunk.
_INITIAL_STATE: Final = {
    "_bytes_in_chunk": 0,
    "_bytes_to_discard": b"",
    "_reading_trailer": False,
}
_CHUNK_HEAD: Final = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")


class _Reader(Protocol):
    """h11's reader of a chunked body."""

    _bytes_in_chunk: int
    _bytes_to_discard: bytes
    _reading_trailer: bool

    def __call__(self, buffer: "_Buffer") -> object: ...
    def read_eof(self) -> object: ...


class _Buffer(Protocol):
    """h11's buffer of received bytes."""

    def __bytes__(self) -> bytes: ...
    def maybe_extract_at_most(self, count: int) -> object: ...


def merge_buffered_chunks(response: object) -> None:
    """Make a response return all buffered HTTP chunks as one piece.

    Args:
        response: A response of httpx whose body has not been read. One that is not
            chunked HTTP/1.1 over httpcore is not changed.
    """
    if not MERGED_CHUNKS.active:
        return
    try:
        _replace_reader(response)
    except Exception as error:  # noqa: BLE001 - another version may raise anything
        MERGED_CHUNKS.switch_off(error)


def _replace_reader(response: object) -> None:
    h11: Any = sys.modules.get("h11")
    connection = response
    for name in _PATH_TO_CONNECTION:
        connection = getattr(connection, name, None)
    state: Any = getattr(connection, "_h11_state", None)
    reader = getattr(state, "_reader", None)
    buffer = getattr(state, "_receive_buffer", None)
    has_methods = hasattr(buffer, "maybe_extract_at_most") and hasattr(
        buffer, "__bytes__"
    )
    is_initial = getattr(reader, "__dict__", None) == _INITIAL_STATE
    if h11 and reader and has_methods and is_initial:
        state._reader = _MergingReader(reader, h11.Data)


class _MergingReader:
    """Replaces h11's reader of a chunked body; reads all complete chunks at once."""

    def __init__(self, reader: _Reader, data: Callable[..., object]) -> None:
        self._reader = reader
        self._data = data
        self.read_eof = reader.read_eof

    def __call__(self, buffer: _Buffer) -> object:
        try:
            merged = self._read_complete(buffer)
        except Exception as error:  # noqa: BLE001 - another version may raise anything
            MERGED_CHUNKS.switch_off(error)
            merged = None
        return self._reader(buffer) if merged is None else merged

    def _read_complete(self, buffer: _Buffer) -> object:
        """Return the data of all complete chunks; None if h11 must read instead."""
        reader = self._reader
        # Inside a chunk, and after the last one, h11 reads.
        if reader._bytes_in_chunk or reader._reading_trailer:
            return None
        received, line_end = bytes(buffer), reader._bytes_to_discard
        if not received.startswith(line_end):
            return None
        pieces, position = _complete_chunks(received, len(line_end))
        if not pieces:
            return None
        data = self._data(data=b"".join(pieces))
        buffer.maybe_extract_at_most(position)
        reader._bytes_to_discard = b""
        return data


def _complete_chunks(received: bytes, position: int) -> tuple[list[bytes], int]:
    """Return the complete chunks and the position after them.

    h11 reads the last chunk, which is empty, and anything malformed.
    """
    pieces: list[bytes] = []
    while head := _CHUNK_HEAD.match(received, position):
        begin = head.end()
        end = begin + int(head[1], 16)
        if end == begin or received[end : end + 2] != b"\r\n":
            break
        pieces.append(received[begin:end])
        position = end + 2
    return pieces, position
