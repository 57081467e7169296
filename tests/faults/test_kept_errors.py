"""An error that is kept does not keep the response: of many calls each may have one."""

import gc
import json
import tracemalloc
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from modelstudio_core import errors
from tests.support.calls import CALL_STYLES, CallStyle, collect_text
from tests.support.models import PROTOCOLS, Protocol, model
from tests.support.raw_server import answering

SIZE: Final = 2_000_000
LARGE: Final = "x" * SIZE
# By what is wrong with them. What names an error is kept: that is ``error.body``.
BODIES: Final[dict[str, bytes]] = {
    "too large": json.dumps({"id": LARGE * 2}).encode(),
    "not JSON": LARGE.encode(),
    "not an object": json.dumps([LARGE]).encode(),
    "too deep": b'{"id":"' + LARGE.encode() + b'","a":' + b"[" * 3000,
}


def response(body: bytes) -> bytes:
    head = f"content-type: application/json\r\ncontent-length: {len(body)}"
    return f"HTTP/1.1 200 OK\r\n{head}\r\nconnection: close\r\n\r\n".encode() + body


@contextmanager
def counting_memory() -> Generator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_error_that_is_kept_keeps_no_body(
    protocol: Protocol, style: CallStyle
) -> None:
    limit: dict[str, Any] = {"max_response_bytes": SIZE + SIZE // 2, "max_retries": 0}
    for name, body in BODIES.items():
        with answering([response(body)]) as address:
            llm = model(style.framework, address, protocol, **limit)
            # What the first call loads.
            await collect_text(llm, style, "Hi")
            with counting_memory():
                result = await collect_text(llm, style, "Hi")
                gc.collect()
                kept, _ = tracemalloc.get_traced_memory()
        assert isinstance(result.error, errors.InvalidResponseError), name
        # aiohttp has up to half a megabyte that was not read.
        assert kept < SIZE // 2, name
