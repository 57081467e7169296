"""The files that tasks make: small images, videos, transcripts and vectors."""

import hashlib
import re
import struct
import zlib
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, dump
from modelstudio_core.emulator.model.vectors import dense_vector, words_of

__all__ = ["SUFFIXES", "build_file"]

# What a model makes → the suffix of its files.
SUFFIXES: Final = {
    "image": ".png",
    "video": ".mp4",
    "text": ".json",
    "embedding": ".jsonl",
}
_LONGEST_SIDE: Final = 64
_DEFAULT_SIZE: Final = (1024, 1024)
_SIZE: Final = re.compile(r"(\d{1,5})\*(\d{1,5})")
_DIMENSION: Final = 1536
_STRIPES: Final = 8


def build_file(kind: str, seed: str, parameters: JsonObject, source: str) -> bytes:
    """Return a file. The same arguments give the same file.

    Args:
        kind: What it is: a key of ``SUFFIXES``.
        seed: A text that decides its content, such as the prompt.
        parameters: The parameters of the request.
        source: The file of the request that it is made of.
    """
    match kind:
        case "image":
            return _build_png(seed, *_size_of(parameters))
        case "video":
            return _build_video(seed)
        case "text":
            return dump(_build_transcript(source)).encode()
        case _:
            return f"{dump(_build_line(source))}\n".encode()


def _size_of(parameters: JsonObject) -> tuple[int, int]:
    """Return the size of an image, made small, with the requested proportions."""
    match = _SIZE.fullmatch(str(parameters.get("size", "")))
    width, height = (int(match[1]), int(match[2])) if match else _DEFAULT_SIZE
    scale = _LONGEST_SIDE / max(width, height, 1)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _build_png(seed: str, width: int, height: int) -> bytes:
    """Return an image of stripes; another seed gives other colors."""
    digest = hashlib.sha256(seed.encode()).digest()
    rows = bytearray()
    for row in range(height):
        start = 3 * (row * _STRIPES // height)
        # Each row begins with the number of its filter: none.
        rows += b"\0" + digest[start : start + 3] * width
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*chunk) for chunk in chunks)


def _png_chunk(name: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + check


def _build_video(seed: str) -> bytes:
    """Return a stand-in for a video: the container of one, without frames."""
    brands = b"isom" + struct.pack(">I", 512) + b"isomiso2mp41"
    text = f"A stand-in for a film: {hashlib.sha256(seed.encode()).hexdigest()}"
    boxes = ((b"ftyp", brands), (b"free", text.encode()), (b"mdat", b""))
    return b"".join(struct.pack(">I", 8 + len(d)) + name + d for name, d in boxes)


def _build_transcript(source: str) -> JsonObject:
    name = source.partition("?")[0].rpartition("/")[2]
    text = f"This is the recording {name}."
    sentence = {"begin_time": 0, "end_time": 2000, "sentence_id": 1, "text": text}
    return {
        "file_url": source,
        "properties": {
            "audio_format": "pcm_s16le",
            "channels": [0],
            "original_sampling_rate": 16000,
            "original_duration_in_milliseconds": 2000,
        },
        "transcripts": [
            {
                "channel_id": 0,
                "content_duration_in_milliseconds": 2000,
                "text": text,
                "sentences": [sentence],
            }
        ],
    }


def _build_line(source: str) -> JsonObject:
    """Return the line for the one text of a stand-in for the file."""
    return {"text_index": 0, "embedding": dense_vector(words_of(source), _DIMENSION)}
