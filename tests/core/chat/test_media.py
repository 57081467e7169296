"""Parts of messages with media."""

import base64
from pathlib import Path
from typing import Any, cast

import pytest

from modelstudio_core.chat.media import (
    addresses_of,
    audio_part,
    data_type,
    data_url,
    file_id_part,
    file_part,
    frames_part,
    has_media,
    image_part,
    is_address,
    is_data_url,
    is_text,
    map_addresses,
    mark_last,
    source_part,
    text_of_data,
    unsupported_file,
    video_part,
)
from modelstudio_core.chat.messages import Address, Message, Part
from modelstudio_core.local_files import LocalFile
from tests.core.support import error_message, text_part, user

WAVE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEA"


PNG_BYTES = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(30)
PNG = base64.b64encode(PNG_BYTES).decode()
URL = "https://example.com/a.png"


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


def test_the_format_of_data_that_show_none_is_not_sent() -> None:
    address = "data:;base64,aGVsbG8gd29ybGQ="
    assert audio_part(address)["input_audio"] == {"data": address}
    for unnamed in ("https://example.com/a", local("a")):
        assert audio_part(unnamed)["input_audio"].get("format") == "wav"


# --- Data ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (URL, True),
        ("HTTP://a", True),
        ("oss://a", True),
        ("file:a", True),
        ("FILE:///a", True),
        ("ftp://a", False),
        ("https:a", False),
        ("a.png", False),
        (f"data:;base64,{PNG}", False),
        (PNG, False),
        ("", False),
        (b"https://a", False),
    ],
)
def test_what_is_an_address_and_no_data(data: str | bytes, expected: bool) -> None:
    assert is_address(data) is expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [("data:,", True), ("DATA:image/png;base64,", True), ("dat:,", False), ("", False)],
)
def test_what_is_a_data_url(data: str, expected: bool) -> None:
    assert is_data_url(data) is expected


@pytest.mark.parametrize(
    ("data", "mime_type", "kind", "found"),
    [
        (PNG_BYTES, None, None, "image/png"),
        (PNG, None, "image", "image/png"),
        (PNG, "", "image", "image/png"),
        (f"data:;base64,{PNG}", None, "image", "image/png"),
        (f"data:application/octet-stream;base64,{PNG}", None, None, "image/png"),
        (PNG, "application/octet-stream", "image", "image/png"),
        # The given type is not doubted.
        (PNG, "IMAGE/JPG", "image", "image/jpeg"),
        (f"DATA:image/jpg;base64,{PNG}", None, "image", "image/jpeg"),
        (f"data:image/jpeg;base64,{PNG}", "image/webp", "image", "image/webp"),
        (PNG, "video/mp4", "image", "video/mp4"),
        (PNG, "application/json", "image", "application/json"),
        # They show another kind, or none.
        (PNG, None, "audio", None),
        (PNG_BYTES, None, "pdf", None),
        (b"hello world", None, "image", None),
        ("aGVsbG8gd29ybGQ=", None, None, None),
    ],
)
def test_the_type_of_data(
    data: str | bytes, mime_type: str | None, kind: Any, found: str | None
) -> None:
    assert data_type(data, mime_type, kind) == found


@pytest.mark.parametrize(
    ("data", "mime_type", "name", "url"),
    [
        (PNG_BYTES, None, None, f"data:image/png;base64,{PNG}"),
        (PNG, None, "jpg", f"data:image/png;base64,{PNG}"),
        (PNG, "image/webp", None, f"data:image/webp;base64,{PNG}"),
        (b"hello world", None, "jpg", "data:image/jpeg;base64,aGVsbG8gd29ybGQ="),
        (b"hello world", None, None, "data:;base64,aGVsbG8gd29ybGQ="),
        ("data:,x", "image/png", None, "data:,x"),
        (URL, "image/png", None, URL),
    ],
)
def test_data_become_a_url(
    data: str | bytes, mime_type: str | None, name: str | None, url: str
) -> None:
    assert data_url(data, mime_type, "image", name) == url


@pytest.mark.parametrize(
    ("kind", "noun"),
    [("image", "image"), ("video", "video"), ("audio", "audio"), ("pdf", "PDF")],
)
def test_a_text_that_is_no_base64_is_refused_by_its_kind(kind: Any, noun: str) -> None:
    message = error_message(data_url, "no base64!", None, kind)
    assert message.startswith(f"The base64 text of the {noun} has characters")


@pytest.mark.parametrize(
    "data",
    [
        "Grüße".encode(),
        "\ufeffGrüße".encode(),
        base64.b64encode("Grüße".encode()).decode(),
        f"data:text/plain;base64,{base64.b64encode('Grüße'.encode()).decode()}",
        f"DATA:;base64,{base64.b64encode('Grüße'.encode()).decode()}",
    ],
)
def test_the_text_of_a_text_file(data: str | bytes) -> None:
    assert text_of_data(data) == "Grüße"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff", "the base64 of a text is not valid UTF-8"),
        ("/w==", "the base64 of a text is not valid UTF-8"),
        ("QQ", "the base64 of a text is not valid"),
        # Its characters outside of base64 must not be left out.
        ("Q!Q==", "the base64 of a text is not valid"),
        ("data:;base64,Q!Q==", "the base64 of a text is not valid"),
        ("ä", "the base64 of a text is not valid"),
    ],
)
def test_a_text_file_that_is_none(data: str | bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        text_of_data(data)
    assert str(caught.value) == problem


def test_a_file_of_no_known_type_is_called_so() -> None:
    text = unsupported_file("A file", None, "file_id=...")
    assert text.startswith("A file of type unknown is not supported")
    assert "pass its id (file_id=...) to 'qwen-long'" in text
    assert "of type a/b is" in unsupported_file("A file", "a/b", "")


# --- Parts --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "name"), [(image_part, "image_url"), (video_part, "video_url")]
)
def test_a_part_has_its_detail_and_its_settings(build: Any, name: str) -> None:
    assert build(URL) == {"type": name, name: {"url": URL}}
    assert build(URL, {"fps": 2, "max_pixels": 9}, detail="high") == {
        "type": name,
        name: {"url": URL, "detail": "high"},
        "fps": 2,
        "max_pixels": 9,
    }
    frames = frames_part(iter([URL]), {"fps": 2})
    assert frames == {"type": "video", "video": [URL], "fps": 2}


@pytest.mark.parametrize(
    ("address", "filename", "file"),
    [
        ("https://example.com/a.pdf", "b.pdf", "file_url"),
        ("oss://a/b.pdf", None, "file_url"),
        ("data:application/pdf;base64,AA==", None, "file.pdf"),
        ("data:application/pdf;base64,AA==", "b.pdf", "b.pdf"),
        (f"JVBERi0{'A' * 29}", None, "file.pdf"),
        ("/data/a%20b.pdf", None, "a b.pdf"),
        ("file:///data/a%20b.pdf", None, "a b.pdf"),
        ("/data/a.pdf", "b.pdf", "b.pdf"),
        (local("data/a%20b.pdf"), None, "a%20b.pdf"),
    ],
)
def test_a_document_has_a_name_where_its_data_are_sent(
    address: Address, filename: str | None, file: str
) -> None:
    part = file_part(address, {"x": 1}, filename=filename)
    expected: dict[str, Any] = (
        {"file_url": address}
        if file == "file_url"
        else {"file_data": address, "filename": file, "file_format": "pdf"}
    )
    assert part == {"type": "file", "file": expected, "x": 1}


@pytest.mark.parametrize("file_id", ["file-1", "fileid://file-1"])
def test_the_id_of_a_file_has_no_scheme(file_id: str) -> None:
    assert file_id_part(file_id) == {"type": "file", "file": {"file_id": "file-1"}}


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ((), None),
        ((None, ""), None),
        (("A", None, "B"), "Source: A, B"),
        (("A", "A"), "Source: A"),
    ],
)
def test_a_document_names_its_source(
    names: tuple[str | None, ...], text: str | None
) -> None:
    assert source_part(*names) == ([] if text is None else [text_part(text)])


def test_the_last_part_is_marked(caplog: pytest.LogCaptureFixture) -> None:
    for before in ([], [text_part("a")], [text_part("a"), text_part("b")]):
        parts = cast("list[Part]", [*before, text_part("c")])
        mark_last(parts)
        cached = text_part("c", cache_control={"type": "ephemeral"})
        assert parts == [*before, cached]
    assert not caplog.records
    mark_last([])
    assert "A cache point with no content before it was not sent." in caplog.text


IN_FILE = text_part(cast("Any", local("a.txt")))


@pytest.mark.parametrize(
    ("content", "media", "text"),
    [
        ("Hi", False, True),
        ([text_part("a"), text_part("b")], False, True),
        ([text_part("a"), IN_FILE], False, False),
        ([text_part("a"), image_part(URL)], True, False),
        ([image_part(URL), text_part("a")], True, False),
        ([text_part("a"), video_part(URL)], True, False),
        ([audio_part(URL)], True, False),
        ([], False, True),
    ],
)
def test_what_a_message_contains(content: Any, media: bool, text: bool) -> None:
    message = cast("Message", user(content))
    assert has_media(message) is media
    assert is_text(message) is text


@pytest.mark.parametrize(
    ("part", "addresses", "changed"),
    [
        (text_part("a"), [], text_part("a")),
        (
            image_part("a", {"x": 1}, detail="low"),
            ["a"],
            image_part("a!", {"x": 1}, detail="low"),
        ),
        (video_part("a", {"x": 1}), ["a"], video_part("a!", {"x": 1})),
        (frames_part(["a", "b"]), ["a", "b"], frames_part(["a!", "b!"])),
        (
            audio_part("a", {"x": 1}, name="mp3"),
            ["a"],
            audio_part("a!", {"x": 1}, name="mp3"),
        ),
        (
            {"type": "file", "file": {"file_url": "a", "x": 1}, "y": 1},
            ["a"],
            {"type": "file", "file": {"file_url": "a!", "x": 1}, "y": 1},
        ),
        (
            {"type": "file", "file": {"file_data": "a", "filename": "b"}},
            ["a"],
            {"type": "file", "file": {"file_data": "a!", "filename": "b"}},
        ),
        (file_id_part("a"), [], file_id_part("a")),
    ],
)
def test_every_address_of_a_part_is_replaced(
    part: Any, addresses: list[str], changed: Any
) -> None:
    assert addresses_of(part) == addresses
    assert map_addresses(part, lambda address: f"{address}!") == changed
    assert addresses_of(part) == addresses
