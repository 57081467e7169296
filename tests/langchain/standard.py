"""Configurations of LangChain's standard suite, and its cassettes.

The unit tests need no service. The integration tests play cassettes, which
``make record`` records from the service or from the emulator.
"""

import io
import struct
import wave
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Final
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from langchain_core.language_models import BaseChatModel

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator
from tests.support.cassettes import (
    FOLDER,
    KEY,
    SINGAPORE,
    Live,
    over_httpx,
    player,
    recorder,
    rerouted_to,
    source_now,
)

__all__ = [
    "CONFIGURATIONS",
    "Configuration",
    "DeepSeek",
    "NativeDeepSeek",
    "NativeQwen",
    "Qwen",
    "QwenThinking",
    "get_asset",
    "play",
    "record",
    "suite_path",
    "without_skips",
]

# --- Configurations ---------------------------------------------------------------


Overrides = Mapping[str, Mapping[str, Any]]


class Configuration:
    """The model of a run of the suite, and other models of its protocol.

    Attributes:
        api_key: The key.
        folder: Where its cassettes are.
        arguments: The constructor's arguments.
        other_model: A model to name per call.
        overrides: Arguments of tests whose input the configuration's own model does not
            support.
    """

    api_key: ClassVar[str] = KEY
    folder: ClassVar[str]
    arguments: ClassVar[Mapping[str, Any]]
    other_model: ClassVar[str]
    overrides: ClassVar[Overrides]

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        """The tested class."""
        return ChatModelStudio

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"api_key": self.api_key, **SINGAPORE.arguments, **self.arguments}

    @property
    def model_override_value(self) -> str | None:
        """The model to name per call."""
        return self.other_model


# Neither model supports audio, PDF files or a forced choice among several tools. Models
# with audio only stream.
_FILES_AND_TOOL_CHOICE: Final[Overrides] = {
    "test_pdf_inputs": {"model": "qwen3.8-max"},
    "test_pdf_tool_message": {"model": "qwen3.8-max"},
    "test_audio_inputs": {"model": "qwen3-omni-flash", "streaming": True},
    "test_tool_choice": {"model": "qwen-plus"},
}
# DeepSeek supports neither images nor JSON mode.
_IMAGES_AND_JSON: Final[Overrides] = {
    "test_image_inputs": {"model": "qwen3-vl-plus"},
    "test_image_tool_message": {"model": "qwen3-vl-plus"},
    "test_anthropic_inputs": {"model": "qwen3-vl-plus"},
    "test_json_mode": {"model": "qwen3.7-plus"},
}


class Qwen(Configuration):
    """A hybrid Qwen model without thinking."""

    folder = "qwen"
    arguments: ClassVar[Mapping[str, Any]] = {
        "model": "qwen3.7-plus",
        "enable_thinking": False,
    }
    # Text only: on the native protocol it has another path.
    other_model = "qwen3.7-max"
    overrides = _FILES_AND_TOOL_CHOICE


class QwenThinking(Qwen):
    """The same model with thinking."""

    folder = "qwen_thinking"
    arguments: ClassVar[Mapping[str, Any]] = {
        "model": "qwen3.7-plus",
        "enable_thinking": True,
    }


class DeepSeek(Configuration):
    """DeepSeek, which thinks by default."""

    folder = "deepseek"
    arguments: ClassVar[Mapping[str, Any]] = {"model": "deepseek-v4-pro"}
    other_model = "deepseek-v4-flash"
    overrides: ClassVar[Overrides] = {**_FILES_AND_TOOL_CHOICE, **_IMAGES_AND_JSON}


class NativeQwen(Qwen):
    """A hybrid Qwen model without thinking, over the native protocol."""

    folder = "native_qwen"
    arguments: ClassVar[Mapping[str, Any]] = {
        **Qwen.arguments,
        "protocol": "dashscope",
    }


class NativeDeepSeek(DeepSeek):
    """DeepSeek with its default thinking, over the native protocol."""

    folder = "native_deepseek"
    arguments: ClassVar[Mapping[str, Any]] = {
        **DeepSeek.arguments,
        "protocol": "dashscope",
    }


CONFIGURATIONS: Final[list[type[Configuration]]] = [
    Qwen,
    QwenThinking,
    DeepSeek,
    NativeQwen,
    NativeDeepSeek,
]

# --- No skips, no network ---------------------------------------------------------


@pytest.fixture
def without_skips(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Make a skipped test fail, and shorten the benchmarks."""

    def refuse(reason: str = "", **_: Any) -> None:
        pytest.fail(f"The suite skips this test: {reason}")

    monkeypatch.setattr(pytest, "skip", refuse)
    # The default is a second per benchmark.
    request.node.add_marker(pytest.mark.benchmark(max_time=0.05), append=False)


def get_asset(url: str, **_: Any) -> httpx.Response:
    """Return a file that the suite downloads."""
    return httpx.Response(200, content=_ASSETS[Path(urlsplit(url).path).suffix]())


def _png(side: int = 32) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        sum_ = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + sum_

    grey = b"".join(bytes([0, *range(0, 8 * side, 8)]) for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(grey))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def _wav(seconds: float = 0.5, rate: int = 4000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 1, rate, 0, "NONE", "not compressed"))
        sound.writeframes(bytes([64, 192] * int(seconds * rate / 2)))
    return file.getvalue()


def _pdf() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )


_ASSETS: Final[Mapping[str, Callable[[], bytes]]] = {
    ".png": _png,
    ".wav": _wav,
    ".pdf": _pdf,
}

# --- Cassettes --------------------------------------------------------------------


def suite_path(configuration: type[Configuration], name: str) -> Path:
    """Return the cassette of a test, by its name with its parameters."""
    file = name.removeprefix("test_").replace("[", "-").rstrip("]")
    return FOLDER / "langchain_standard" / configuration.folder / f"{file}.yaml"


def play(path: Path, *, repeats: bool) -> Iterator[Any]:
    """Play a cassette, and check that every request was sent."""
    with player(path, repeats=repeats) as cassette:
        yield cassette
    assert cassette.all_played


def record(path: Path, live: Live | None) -> Iterator[Any]:
    """Record a cassette, from the emulator if there is no service."""
    with ExitStack() as stack:
        stack.enter_context(over_httpx())
        hidden = live.hidden if live else {}
        if live is None:
            studio = stack.enter_context(Emulator(api_key=KEY))
            stack.enter_context(rerouted_to(studio.base_url))
            stack.enter_context(_numbered_ids())
        else:
            stack.enter_context(patch.object(Configuration, "api_key", live.key))
        recording = recorder(source_now(live), SINGAPORE, hidden)
        cassette = stack.enter_context(recording.use_cassette(str(path)))
        yield cassette
        if "batch" in path.stem:
            # Concurrent requests are recorded in any order.
            cassette.data.sort(key=lambda exchange: exchange[0].body)


def _numbered_ids() -> Any:
    """Number the suite's random ids, so that a recording can be repeated."""
    numbers = count(1)
    return patch("uuid.uuid4", lambda: UUID(int=next(numbers)))
