"""Every fast path is active on the installed versions, and does what it is for."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest

from langchain_modelstudio import ChatModelStudio
from modelstudio_core import errors
from modelstudio_core.emulator import Emulator
from modelstudio_core.foreign import aiohttp_buffers, h11_chunks, httpcore_reads
from modelstudio_core.foreign.fast_path import FastPath
from tests.support.fast_paths import NEEDS_FAST_PATHS
from tests.support.models import PROTOCOLS, Protocol, model
from tests.support.raw_server import answering

pytestmark = NEEDS_FAST_PATHS
BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", PROTOCOLS)
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize(
    "path",
    [
        aiohttp_buffers.BUFFERED,
        h11_chunks.MERGED_CHUNKS,
        httpcore_reads.LIMITED_READS,
    ],
    ids=lambda path: path.name,
)
def test_it_is_active(path: FastPath) -> None:
    assert path.active


@contextmanager
def recorded_reads(monkeypatch: pytest.MonkeyPatch) -> Generator[list[int]]:
    """Record how many HTTP chunks are merged at each read."""
    sizes: list[int] = []
    complete: Any = h11_chunks._complete_chunks

    def record(received: bytes, position: int) -> tuple[list[bytes], int]:
        pieces, end = complete(received, position)
        sizes.append(len(pieces))
        return pieces, end

    monkeypatch.setattr(h11_chunks, "_complete_chunks", record)
    yield sizes


def chunk(text: str, *, ends: bool = False) -> bytes:
    reason = b'"stop"' if ends else b"null"
    event = b'data: {"choices":[{"delta":{"content":"%s"},"finish_reason":%s}]}\n\n' % (
        text.encode(),
        reason,
    )
    return b"%x\r\n%s\r\n" % (len(event), event)


def test_chunks_that_arrived_together_are_merged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chunks = b"".join(chunk("a") for _ in range(50)) + chunk("b", ends=True)
    with recorded_reads(monkeypatch) as sizes, answering([HEAD + chunks]) as url:
        texts = [str(it.text) for it in model("LangChain", url).stream("Hi")]
    assert "".join(texts) == "a" * 50 + "b"
    assert max(sizes) > 10


@BOTH_PROTOCOLS
def test_streams_in_a_row_share_a_connection(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limited: list[bool] = []
    limit: Any = httpcore_reads.ReadLimit.set

    def record(reads: Any, seconds: float) -> bool:
        limited.append(limit(reads, seconds))
        return limited[-1]

    monkeypatch.setattr(httpcore_reads.ReadLimit, "set", record)
    llm = model("LangChain", modelstudio_emulator, protocol)
    for _ in range(3):
        assert list(llm.stream("Hi"))
    assert limited == [True, True, True]


async def test_the_last_bytes_of_a_broken_response_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[bytes] = []
    original = aiohttp_buffers.read_buffered

    def record(content: Any) -> bytes:
        read.append(original(content))
        return read[-1]

    from modelstudio_core.transport import aiohttp_transport

    monkeypatch.setattr(aiohttp_transport, "read_buffered", record)
    texts: list[str] = []

    async def collect(llm: ChatModelStudio) -> None:
        async for it in llm.astream("Hi"):
            texts.append(str(it.text))  # noqa: PERF401 - kept when the stream fails

    broken = b"".join(chunk(f"{number} ") for number in range(400)) + b"5\r\nda"
    broken_off = pytest.raises(errors.IncompleteStreamError)
    with answering([HEAD + broken]) as url, broken_off:
        await collect(model("LangChain", url))
    assert "".join(texts) == "".join(f"{number} " for number in range(400))
    assert len(read) == 1
