"""An error that is kept does not keep the response: of many calls each may have one."""

import gc
import json
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from inspect import isawaitable
from typing import Any, Final

import pytest

from modelstudio_core import errors
from tests.support.calls import CALL_STYLES, CallStyle, collect_text
from tests.support.fault_server.wire import text_event
from tests.support.models import PROTOCOLS, Protocol, model
from tests.support.raw_server import answering
from tests.support.retrieval import (
    STYLES,
    Style,
    embed,
    embedder,
    rerank,
    reranker,
    sparse,
)

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


# --- What is parsed after the response is closed --------------------------------------

ROW: Final = {"index": 0, "embedding": "A", "relevance_score": "A"}
# Answers that are JSON objects, and not what was asked for.
ANSWERS: Final[dict[str, bytes]] = {
    "no rows": json.dumps({"id": LARGE}).encode(),
    "a malformed row": json.dumps(
        {"id": LARGE, "data": [ROW], "results": [ROW]}
    ).encode(),
}


async def kept_after(call: Callable[[], Any]) -> int:
    """Return how much memory an error takes that an answer is refused with."""

    async def error_of() -> BaseException:
        try:
            result = call()
            if isawaitable(result):
                await result
        except errors.InvalidResponseError as error:
            return error
        raise AssertionError("there was no error")

    # What the first call loads.
    await error_of()
    with counting_memory():
        kept_error = await error_of()
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    del kept_error
    return kept


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("service", ["embeddings", "sparse embeddings", "rerank"])
@pytest.mark.parametrize("name", ANSWERS)
async def test_an_error_that_is_kept_keeps_no_refused_answer(
    name: str, service: str, style: Style
) -> None:
    with answering([response(ANSWERS[name])]) as address:
        if service == "embeddings":
            embeddings = embedder(style.framework, address)
            kept = await kept_after(lambda: embed(embeddings, style, ["a"]))
        elif service == "sparse embeddings":
            embeddings = embedder(style.framework, address)
            kept = await kept_after(lambda: sparse(embeddings, style, ["a"]))
        else:
            ranker = reranker(style.framework, address)
            kept = await kept_after(lambda: rerank(ranker, style, ["a"], "q"))
    # aiohttp has up to half a megabyte that was not read.
    assert kept < SIZE // 2


# --- Streams ------------------------------------------------------------------------

# Streams that fail, by how.
STREAMS: Final[dict[str, list[bytes]]] = {
    "an event too large": [b'data: {"id":"', LARGE.encode() * 2],
    "cut off in an event": [b'data: {"id":"', LARGE.encode()],
    "not JSON in the end": [b"data: {" + LARGE.encode() + b"\n\n"],
}


async def kept_of_stream(
    pieces: list[bytes], protocol: Protocol, style: CallStyle
) -> int:
    """Return how much memory an error takes that a stream ends with."""
    limit: dict[str, Any] = {"max_event_bytes": SIZE + SIZE // 2, "max_retries": 0}
    head = b"content-type: text/event-stream\r\ncontent-length: 99999999\r\n\r\n"
    with answering([b"HTTP/1.1 200 OK\r\n" + head, *pieces]) as address:
        llm = model(style.framework, address, protocol, **limit)
        # What the first call loads.
        await collect_text(llm, style, "Hi")
        with counting_memory():
            result = await collect_text(llm, style, "Hi")
            gc.collect()
            kept, _ = tracemalloc.get_traced_memory()
    assert isinstance(result.error, errors.APIError)
    return kept


@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", STREAMS)
async def test_an_error_that_is_kept_keeps_no_event_that_was_not_complete(
    name: str, protocol: Protocol, style: CallStyle
) -> None:
    pieces = [text_event(protocol, "Hi"), *STREAMS[name]]
    # aiohttp has up to half a megabyte that was not read.
    assert await kept_of_stream(pieces, protocol, style) < SIZE // 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "style", [style for style in CALL_STYLES if not style.stream], ids=str
)
async def test_an_error_that_is_kept_keeps_no_text_that_nobody_was_given(
    protocol: Protocol, style: CallStyle
) -> None:
    """Of a call without streaming, for whose answer a stream came."""
    pieces = [text_event(protocol, LARGE), b"data: {"]
    assert await kept_of_stream(pieces, protocol, style) < SIZE // 2
