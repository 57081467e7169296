"""Bodies of responses: what their pieces cost."""

import tracemalloc
from collections.abc import AsyncGenerator, Generator
from types import SimpleNamespace
from typing import Any

from modelstudio_core.transport.responses import AsyncHttpResponse, HttpResponse

PIECES = 200_000


def pieces() -> Generator[bytes]:
    """Yield pieces of two bytes, each an object of its own."""
    for number in range(PIECES):
        yield bytes((number % 256, 1))


async def apieces() -> AsyncGenerator[bytes]:
    for piece in pieces():
        yield piece


async def test_a_body_of_tiny_pieces_takes_little_more_memory_than_its_bytes() -> None:
    """``max_response_bytes`` bounds the memory of a body in any pieces."""
    sync: Any = SimpleNamespace(chunks=pieces)
    asynchronous: Any = SimpleNamespace(chunks=apieces)
    tracemalloc.start()
    try:
        body = HttpResponse.read(sync)
        same = await AsyncHttpResponse.read(asynchronous)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert body == same == b"".join(pieces())
    assert peak < 4 * len(body)
