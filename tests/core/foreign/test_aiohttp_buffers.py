"""The last bytes of a broken response of aiohttp."""

import asyncio
from unittest.mock import Mock

import pytest
from aiohttp import ClientPayloadError, StreamReader

from modelstudio_core.foreign.aiohttp_buffers import BUFFERED, read_buffered


async def broken(*pieces: bytes) -> StreamReader:
    """Return a reader that received bytes, and an error after them."""
    reader = StreamReader(Mock(), 2**16, loop=asyncio.get_running_loop())
    for piece in pieces:
        reader.feed_data(piece)
    reader.set_exception(ClientPayloadError("broken"))
    return reader


@pytest.mark.parametrize("pieces", [(), (b"a",), (b"data: a\n\n", b"data: b")])
async def test_all_bytes_are_returned_once(pieces: tuple[bytes, ...]) -> None:
    reader = await broken(*pieces)
    assert read_buffered(reader) == b"".join(pieces)
    assert read_buffered(reader) == b""
    assert BUFFERED.active
