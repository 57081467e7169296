"""The sound of a spoken answer: a tone for each piece of its text.

It is real sound, PCM with 16 bits, one channel and 24,000 samples a second, and the
same text always sounds the same.
"""

import hashlib
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from modelstudio_core.emulator.json_values import is_array
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.model.tokens import count_tokens

__all__ = ["SAMPLE_RATE", "Speech", "build_speech", "is_spoken"]

SAMPLE_RATE: Final = 24_000
_SECONDS_PER_TOKEN: Final = 0.04
# No more of a long piece is spoken.
_MAX_SECONDS: Final = 2.0
_AMPLITUDE: Final = 8_000
_LOWEST_PITCH: Final = 220  # hertz
_PITCHES: Final = 12
_TOKENS_PER_SECOND: Final = 12.5


@dataclass(frozen=True, slots=True)
class Speech:
    """The sound of an answer.

    Attributes:
        id: The sound's id.
        pieces: The text in pieces, each with its sound.
    """

    id: str
    pieces: Sequence[tuple[str, bytes]]

    @property
    def tokens(self) -> int:
        """How many tokens the sound counts."""
        samples = sum(len(sound) // 2 for _, sound in self.pieces)
        return math.ceil(samples / SAMPLE_RATE * _TOKENS_PER_SECOND)


def is_spoken(query: ChatQuery) -> bool:
    """Return whether a request asks for sound."""
    modalities = query.body.get("modalities")
    return is_array(modalities) and "audio" in modalities


def build_speech(pieces: Sequence[str], speech_id: str) -> Speech:
    """Build the sound of a text that is given in pieces.

    Example:
        >>> speech = build_speech(["Hello."], "audio_1")
        >>> len(speech.pieces[0][1]) / 2 / SAMPLE_RATE
        0.08
    """
    return Speech(speech_id, [(piece, _tone(piece)) for piece in pieces])


def _tone(text: str) -> bytes:
    seconds = min(count_tokens(text) * _SECONDS_PER_TOKEN, _MAX_SECONDS)
    step = hashlib.sha256(text.encode()).digest()[0] % _PITCHES
    turn = 2 * math.pi * _LOWEST_PITCH * 2 ** (step / _PITCHES) / SAMPLE_RATE
    count = round(seconds * SAMPLE_RATE)
    samples = [round(_AMPLITUDE * math.sin(turn * i)) for i in range(count)]
    return struct.pack(f"<{count}h", *samples)
