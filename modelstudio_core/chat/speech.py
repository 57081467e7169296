"""Speech in answers: joining its base64 parts, and wrapping it to a sound file.

The service sends PCM, 16 bit, mono, 24 kHz, without a header, whatever ``format`` of
``audio`` says. Source: the official page "Qwen-Omni" (2026-09).
"""

import io
import wave
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

__all__ = ["PCM_MIME_TYPE", "Base64Joiner", "SoundFile", "Speech"]

PCM_MIME_TYPE: Final = "audio/pcm"

_SAMPLE_RATE: Final = 24_000
_SAMPLE_BYTES: Final = 2
_RIFF_HEAD: Final = 12
# How files begin that are no PCM, with their MIME type and their usual suffix.
_SIGNATURES: Final = (
    (b"ID3", "audio/mpeg", "mp3"),
    (b"OggS", "audio/ogg", "ogg"),
    (b"fLaC", "audio/flac", "flac"),
)


class Base64Joiner:
    """Makes base64 parts that can be joined as text.

    A part from the service may be padded on its own, or may end within a group of four
    characters. The parts that are returned do neither, but for the last one.

    Example:
        >>> joiner = Base64Joiner()
        >>> joiner.add("QQ=="), joiner.add("QkM="), joiner.close()
        ('', 'QUJD', '')
    """

    __slots__ = ("_bytes", "_text")

    def __init__(self) -> None:
        """Create the joiner of one sound."""
        self._text = ""
        self._bytes = b""

    def add(self, part: str) -> str:
        """Add the next part and return what can be passed on.

        Args:
            part: Base64 text.

        Raises:
            ValueError: The text is not base64.
        """
        *padded, rest = (self._text + part).replace("=", "= ").split(" ")
        data = b"".join(_decode(group.rstrip("=")) for group in padded)
        cut = len(rest) - len(rest) % 4
        self._text = rest[cut:]
        data = self._bytes + data + _decode(rest[:cut])
        cut = len(data) - len(data) % 3
        self._bytes = data[cut:]
        return b64encode(data[:cut]).decode()

    def close(self) -> str:
        """Return the last part.

        Raises:
            ValueError: The text is not base64.
        """
        rest = self._bytes + _decode(self._text)
        self._text, self._bytes = "", b""
        return b64encode(rest).decode()


def _decode(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except Base64Error as error:
        raise ValueError(str(error)) from None


class SoundFile(NamedTuple):
    """A sound as the content of a file.

    Attributes:
        content: The bytes of the file.
        mime_type: Its MIME type.
        format: Its usual suffix.
    """

    content: bytes
    mime_type: str
    format: str


@dataclass(slots=True)
class Speech:
    """The sound of an answer.

    Attributes:
        data: The sound as the service sent it, in base64; empty if it sent a URL.
        transcript: The words; empty if the service sent them as text.
        fields: What else the service sent: ``id``, ``expires_at``, ``url``.
    """

    data: str = ""
    transcript: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def url(self) -> str | None:
        """Where the service keeps the sound; None if it sent no URL."""
        return self.fields.get("url")

    def as_sent(self) -> dict[str, Any]:
        """Return the object of the OpenAI-compatible protocol."""
        values = {"data": self.data, "transcript": self.transcript}
        return {**self.fields, **{name: text for name, text in values.items() if text}}

    def to_file(self) -> SoundFile:
        """Return a sound file: PCM is wrapped to WAV, and any other form is kept.

        Example:
            >>> Speech(data="AAAA").to_file().content[:4]
            b'RIFF'
        """
        content = b64decode(self.data)
        if content[:4] == b"RIFF":
            return SoundFile(_with_sizes(content), "audio/wav", "wav")
        for signature, mime_type, suffix in _SIGNATURES:
            if content.startswith(signature):
                return SoundFile(content, mime_type, suffix)
        return SoundFile(_to_wave(content), "audio/wav", "wav")


def _to_wave(pcm: bytes) -> bytes:
    """Wrap PCM to a WAV file; half a sample at the end is left out."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(_SAMPLE_RATE)
        file.writeframes(pcm[: len(pcm) - len(pcm) % _SAMPLE_BYTES])
    return buffer.getvalue()


def _with_sizes(content: bytes) -> bytes:
    """Return a WAV file with its real sizes: the header of a stream has none."""
    start = content.find(b"data", _RIFF_HEAD) + 4
    size = len(content) - start - 4
    declared = int.from_bytes(content[start : start + 4], "little")
    if start < _RIFF_HEAD or size < 0 or 0 < declared <= size:
        return content
    fixed = bytearray(content)
    fixed[4:8] = (len(content) - 8).to_bytes(4, "little")
    fixed[start : start + 4] = size.to_bytes(4, "little")
    return bytes(fixed)
