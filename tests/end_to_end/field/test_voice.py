"""A spoken answer, written to a sound file in both frameworks."""

import base64
import wave
from pathlib import Path
from typing import Any, cast

import pytest
from langchain_core.messages import AIMessage
from llama_index.core.base.llms.types import AudioBlock

from modelstudio_core.emulator import Emulator, Reply
from tests.end_to_end.field.sent import bodies, chat, parameters, prompt
from tests.langchain.support import both_protocols
from tests.support.calls import CALL_STYLES, CallStyle
from tests.support.models import Protocol

VOICE: dict[str, Any] = {
    "modalities": ["text", "audio"],
    "audio": {"voice": "Cherry", "format": "wav"},
}


def sound_of(answer: Any) -> bytes:
    """Return the sound file of an answer of either framework."""
    if isinstance(answer, AIMessage):
        blocks = cast("list[dict[str, Any]]", answer.content_blocks)
        [sound] = [block for block in blocks if block["type"] == "audio"]
        return base64.b64decode(sound["base64"])
    [audio] = [b for b in answer.message.blocks if isinstance(b, AudioBlock)]
    return cast("bytes", audio.resolve_audio().read())


@both_protocols
@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
async def test_a_spoken_answer_is_a_sound_file(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    style: CallStyle,
    tmp_path: Path,
) -> None:
    modelstudio_emulator.script(Reply(text="Hello there, and welcome."))
    answer = await chat(
        modelstudio_emulator,
        style,
        protocol,
        "qwen3.5-omni-plus",
        prompt(style, ("user", "Say hello.")),
        VOICE,
    )
    path = tmp_path / "answer.wav"
    path.write_bytes(sound_of(answer))
    with wave.open(str(path)) as file:
        assert file.getparams()[:3] == (1, 2, 24_000)
        assert file.getnframes() > 2400
        assert any(file.readframes(file.getnframes()))
    [sent] = bodies(modelstudio_emulator)
    assert parameters(sent)["modalities"] == ["text", "audio"]
