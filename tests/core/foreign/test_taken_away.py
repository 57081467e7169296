"""Each private part is taken away, and everything still works."""

import logging
import subprocess
import sys
from typing import Any, cast

import pytest
from pydantic import BaseModel

from langchain_modelstudio import ChatModelStudio
from modelstudio_core import errors
from modelstudio_core.emulator import Emulator, Reply
from modelstudio_core.foreign import (
    aiohttp_buffers,
    h11_chunks,
    httpcore_reads,
    pydantic_objects,
)
from modelstudio_core.foreign.fast_path import VARIABLE, FastPath
from tests.core.foreign.test_active import HEAD, chunk
from tests.support.models import PROTOCOLS, Protocol, model
from tests.support.raw_server import answering

BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", PROTOCOLS)
TEXT = "One two three four five six seven eight nine ten."


@pytest.fixture(autouse=True)
def _fresh_paths(  # pyright: ignore[reportUnusedFunction] - pytest calls it
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Give each test its own switches: one that goes off stays off."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(aiohttp_buffers, "BUFFERED", FastPath("buffers"))
    monkeypatch.setattr(h11_chunks, "MERGED_CHUNKS", FastPath("chunks"))
    monkeypatch.setattr(httpcore_reads, "LIMITED_READS", FastPath("reads"))
    caplog.set_level(logging.INFO, "modelstudio")


async def check_streams(studio: Emulator, protocol: Protocol) -> None:
    """Stream an answer both ways, twice each."""
    llm = model("LangChain", studio, protocol)
    for _ in range(2):
        studio.script(Reply(text=TEXT), Reply(text=TEXT))
        assert "".join(str(it.text) for it in llm.stream("Hi")) == TEXT
        assert "".join([str(it.text) async for it in llm.astream("Hi")]) == TEXT


@BOTH_PROTOCOLS
@pytest.mark.parametrize("name", sorted(set(h11_chunks._PATH_TO_CONNECTION)))
async def test_the_path_to_h11_is_another_one(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    path = [f"{n}_2" if n == name else n for n in h11_chunks._PATH_TO_CONNECTION]
    monkeypatch.setattr(h11_chunks, "_PATH_TO_CONNECTION", path)
    await check_streams(modelstudio_emulator, protocol)


@BOTH_PROTOCOLS
async def test_h11_keeps_another_state(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(h11_chunks, "_INITIAL_STATE", {"_another": 0})
    await check_streams(modelstudio_emulator, protocol)


@BOTH_PROTOCOLS
async def test_reading_h11s_state_raises(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(_response: Any) -> None:
        raise AttributeError("no _reader")

    monkeypatch.setattr(h11_chunks, "_replace_reader", fail)
    await check_streams(modelstudio_emulator, protocol)
    assert not h11_chunks.MERGED_CHUNKS.active
    assert [r.message for r in caplog.records if "chunks" in r.message] == [
        "The fast path for chunks is off: AttributeError: no _reader"
    ]


async def test_merging_raises_in_the_middle_of_a_stream(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_received: bytes, _position: int) -> Any:
        raise TypeError("another buffer")

    monkeypatch.setattr(h11_chunks, "_complete_chunks", fail)
    chunks = b"".join(chunk("a") for _ in range(50)) + chunk("b", ends=True)
    with answering([HEAD + chunks + b"0\r\n\r\n"]) as url:
        texts = [str(it.text) for it in model("LangChain", url).stream("Hi")]
    assert "".join(texts) == "a" * 50 + "b"
    assert not h11_chunks.MERGED_CHUNKS.active
    assert len([r for r in caplog.records if "is off" in r.message]) == 1


@BOTH_PROTOCOLS
async def test_a_network_stream_cannot_be_changed(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each stream then has a connection of its own."""
    monkeypatch.setattr(httpcore_reads.ReadLimit, "_replace", lambda _reads: None)
    await check_streams(modelstudio_emulator, protocol)


class _Fixed:
    """A network stream whose ``read`` cannot be replaced."""

    __slots__ = ()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        raise NotImplementedError


def test_a_fixed_network_stream_is_not_limited() -> None:
    """It is that of a user's own transport, and the path stays on for others."""

    class Response:
        extensions = {"network_stream": _Fixed()}  # noqa: RUF012 - a stand-in
        http_version = "HTTP/1.1"

    reads = httpcore_reads.ReadLimit(Response())
    assert not reads.set(0.1)
    reads.remove()
    assert httpcore_reads.LIMITED_READS.active


async def test_aiohttp_has_no_private_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the same; the bytes before it may be lost."""
    from modelstudio_core.transport import aiohttp_transport

    monkeypatch.setattr(
        aiohttp_transport,
        "read_buffered",
        lambda _content: aiohttp_buffers.read_buffered(cast("Any", object())),
    )

    async def collect(llm: ChatModelStudio) -> list[str]:
        return [str(it.text) async for it in llm.astream("Hi")]

    broken = b"".join(chunk("a") for _ in range(400)) + b"5\r\nda"
    broken_off = pytest.raises(errors.IncompleteStreamError)
    with answering([HEAD + broken]) as url, broken_off:
        await collect(model("LangChain", url))
    assert not aiohttp_buffers.BUFFERED.active


class _Plain(BaseModel):
    number: int = 0


def test_pydantic_stores_its_objects_in_another_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert pydantic_objects.construct(_Plain, {"number": 1}, {"number"}).number == 1
    monkeypatch.setattr(pydantic_objects, "_SLOTS", ("__dict__", "__no_such_slot__"))
    assert pydantic_objects._setters() == ()
    monkeypatch.setattr(pydantic_objects, "_set_slots", ())
    with pytest.raises(ValueError, match="unpack"):
        pydantic_objects.construct(_Plain, {"number": 1}, {"number"})


_IMPORTS = """
import pydantic, sys
{spoil}
import langchain_modelstudio, llamaindex_modelstudio
from langchain_modelstudio._foreign import fast_chunks, fast_messages
from llamaindex_modelstudio._foreign import UNVALIDATED_RESPONSES
assert not fast_chunks.active and not fast_messages.active
assert not UNVALIDATED_RESPONSES.active
from modelstudio_core.emulator import Emulator
with Emulator() as studio:
    given = dict(model="qwen-plus", base_url=studio.base_url, api_key=studio.api_key)
    chat = langchain_modelstudio.ChatModelStudio(**given)
    assert "".join(str(chunk.text) for chunk in chat.stream("Hi"))
    llm = llamaindex_modelstudio.ModelStudio(**given)
    assert list(llm.stream_complete("Hi"))[-1].text
"""


@pytest.mark.parametrize(
    "spoil",
    [
        "from modelstudio_core.foreign import pydantic_objects as p; p._set_slots = ()",
        "import os; os.environ['MODELSTUDIO_FAST_PATH'] = '0'",
    ],
)
def test_both_adapters_work_without_their_fast_paths(spoil: str) -> None:
    script = _IMPORTS.format(spoil=spoil)
    run = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "error::UserWarning", "-c", script],
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
