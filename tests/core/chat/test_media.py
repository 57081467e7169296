"""Parts of messages with media."""

from pathlib import Path

import pytest

from modelstudio_core.chat.media import audio_part
from modelstudio_core.chat.messages import Address
from modelstudio_core.local_files import LocalFile

WAVE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA"


def local(name: str, mime_type: str | None = None) -> LocalFile:
    return LocalFile(Path(name), "audio", mime_type, is_explicit=True)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://example.com/a.mp3", "mp3"),
        ("https://example.com/a.wav?x=.mp3", "wav"),
        ("data:audio/mpeg;base64,AAAA", "mp3"),
        ("data:audio/x-wav;base64,AAAA", "wav"),
        ("data:audio/aac,AAAA", "aac"),
        (f"data:;base64,{WAVE}", "wav"),
        (local("a.mp3"), "mp3"),
        (local("a", "audio/mpeg"), "mp3"),
        (local("a.mp3", "audio/wav"), "wav"),
    ],
)
def test_the_format_of_audio_is_that_of_its_address(
    address: Address, name: str
) -> None:
    part = audio_part(address)
    assert part["input_audio"] == {"data": address, "format": name}


def test_a_type_and_a_name_precede_that_of_the_address() -> None:
    address = "data:audio/mpeg;base64,AAAA"
    part = audio_part(address, mime_type="audio/wav")
    assert part["input_audio"] == {"data": address, "format": "wav"}
    part = audio_part(address, {"x": 1}, mime_type="audio/wav", name="flac")
    assert part["input_audio"] == {"data": address, "format": "flac"}
    assert dict(part)["x"] == 1
