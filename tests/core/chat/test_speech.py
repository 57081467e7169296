"""Speech: base64 in any parts, and sound files with their real sizes."""

import base64
import io
import wave

import pytest

from modelstudio_core.chat.speech import Base64Joiner, Speech

SOUND = bytes(range(256)) * 3


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def joined(parts: list[str]) -> list[str]:
    """Return what a joiner makes of parts, with its last part."""
    joiner = Base64Joiner()
    return [*map(joiner.add, parts), joiner.close()]


# --- Parts --------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("length", [0, 1, 2, 3, 100, 101, 102])
def test_a_text_that_is_cut_anywhere_is_joined(size: int, length: int) -> None:
    text = encode(SOUND[:length])
    parts = joined([text[i : i + size] for i in range(0, len(text), size)])
    assert "".join(parts) == text
    for part in parts[:-1]:
        assert len(part) % 4 == 0
        assert "=" not in part


@pytest.mark.parametrize("size", range(1, 12))
def test_parts_that_are_padded_on_their_own_are_joined(size: int) -> None:
    pieces = [encode(SOUND[i : i + size]) for i in range(0, len(SOUND), size)]
    assert "".join(joined(pieces)) == encode(SOUND)


def test_padded_and_cut_parts_are_joined() -> None:
    first, second = encode(SOUND[:100]), encode(SOUND[100:])
    text = first + second
    assert "".join(joined([text[:33], text[33:140], text[140:]])) == encode(SOUND)


def test_complete_groups_are_passed_on_at_once() -> None:
    joiner = Base64Joiner()
    assert joiner.add("QUJDRA") == "QUJD"
    assert joiner.add("==") == ""
    assert joiner.close() == "RA=="
    assert joiner.close() == ""


@pytest.mark.parametrize("part", ["Q", "QUJDR", "!!!!", "QUJ\u00e9"])
def test_what_is_no_base64_is_refused(part: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text is that of the library
        joined([part])


# --- Files --------------------------------------------------------------------------


def wave_file(pcm: bytes) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(pcm)
    return buffer.getvalue()


def with_size(content: bytes, size: int) -> bytes:
    """Return a WAV file whose header has another size of its data."""
    start = content.index(b"data") + 4
    return content[:start] + size.to_bytes(4, "little") + content[start + 4 :]


WAVE = wave_file(SOUND)


@pytest.mark.parametrize("size", [0, len(SOUND) + 1, 2**24 + 4, 2**31, 2**32 - 1])
def test_the_header_of_a_stream_gets_the_real_sizes(size: int) -> None:
    broken = with_size(WAVE, size)
    broken = broken[:4] + b"\xff\xff\xff\xff" + broken[8:]
    file = Speech(data=encode(broken)).to_file()
    assert file == (WAVE, "audio/wav", "wav")


@pytest.mark.parametrize(
    "content",
    [
        WAVE,
        WAVE + b"LIST\x04\x00\x00\x00INFO",
        wave_file(b"\xff" * 8) + b"LIST\x04\x00\x00\x00INFO",
        with_size(WAVE, 1),
    ],
)
def test_right_sizes_stay(content: bytes) -> None:
    file = Speech(data=encode(content)).to_file()
    assert file.content == content


def test_a_file_without_data_is_kept() -> None:
    content = WAVE[: WAVE.index(b"data")]
    assert Speech(data=encode(content)).to_file().content == content


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_a_file_that_ends_within_its_sizes_is_kept(size: int) -> None:
    end = WAVE.index(b"data") + 4 + size
    content = WAVE[:end]
    assert Speech(data=encode(content)).to_file().content == content


def test_a_stream_without_sound_is_an_empty_file() -> None:
    empty = wave_file(b"")
    content = with_size(empty, 2**32 - 1)
    assert Speech(data=encode(content)).to_file().content == empty


def test_the_data_of_a_file_are_those_behind_its_head() -> None:
    """The four letters may be part of a size, too."""
    content = with_size(WAVE, 0)
    content = content[:4] + b"data" + content[8:]
    assert Speech(data=encode(content)).to_file().content == WAVE


@pytest.mark.parametrize("odd", [b"", b"\x01"])
def test_pcm_becomes_a_file_of_complete_samples(odd: bytes) -> None:
    file = Speech(data=encode(SOUND + odd)).to_file()
    assert file == (WAVE, "audio/wav", "wav")


@pytest.mark.parametrize(
    ("begin", "mime_type", "suffix"),
    [
        (b"ID3", "audio/mpeg", "mp3"),
        (b"OggS", "audio/ogg", "ogg"),
        (b"fLaC", "audio/flac", "flac"),
    ],
)
def test_other_files_are_kept(begin: bytes, mime_type: str, suffix: str) -> None:
    content = begin + SOUND
    assert Speech(data=encode(content)).to_file() == (content, mime_type, suffix)


# --- What the service sent ----------------------------------------------------------


@pytest.mark.parametrize(
    ("speech", "url", "sent"),
    [
        (Speech(), None, {}),
        (Speech(data="AAAA"), None, {"data": "AAAA"}),
        (
            Speech(data="AAAA", transcript="Hi", fields={"id": "a"}),
            None,
            {"id": "a", "data": "AAAA", "transcript": "Hi"},
        ),
        (
            Speech(fields={"url": "https://example.com/a.wav", "expires_at": 1}),
            "https://example.com/a.wav",
            {"url": "https://example.com/a.wav", "expires_at": 1},
        ),
    ],
)
def test_speech_has_the_fields_that_the_service_sent(
    speech: Speech, url: str | None, sent: dict[str, object]
) -> None:
    assert speech.url == url
    assert speech.as_sent() == sent
