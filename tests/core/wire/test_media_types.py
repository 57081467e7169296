"""The types of media: of their names, their first bytes and their base64 text."""

import base64
from typing import Any

import pytest

from modelstudio_core.wire.media_types import (
    audio_format,
    bare_base64_type,
    base64_problem,
    base64_start,
    is_cut_base64,
    kind_of,
    mime_type_of_base64,
    mime_type_of_bytes,
    mime_type_of_format,
    mime_type_of_name,
    normalize_mime_type,
    split_url,
)

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40)
PNG_TEXT = base64.b64encode(PNG).decode()
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82"


@pytest.mark.parametrize(
    ("mime_type", "kind"),
    [
        ("image/png", "image"),
        ("IMAGE/JPEG; charset=binary", "image"),
        ("video/mp4", "video"),
        ("audio/wav", "audio"),
        ("application/pdf", "pdf"),
        ("text/plain", None),
        ("application/octet-stream", None),
        ("", None),
    ],
)
def test_the_kind_of_a_mime_type(mime_type: str, kind: str | None) -> None:
    assert kind_of(mime_type) == kind


@pytest.mark.parametrize(
    ("text", "mime_type"),
    [
        ("iVBORw0KGgo=", "image/png"),
        ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ" * 100, "image/png"),
        # What is cut off in the middle of four characters.
        ("iVBORw0KGgoAA", "image/png"),
        ("JVBERi0xLjcK", "application/pdf"),
        ("SGVsbG8=", None),
        ("no base64: ä", None),
        ("", None),
    ],
)
def test_the_mime_type_of_base64_text(text: str, mime_type: str | None) -> None:
    assert mime_type_of_base64(text) == mime_type


@pytest.mark.parametrize("length", range(150, 350))
def test_base64_text_in_lines_is_complete(length: int) -> None:
    """The lines of an e-mail have 76 characters."""
    data = b"\x89PNG\r\n\x1a\n" + b"a" * length
    text = base64.encodebytes(data).decode().strip()
    assert "\n" in text
    assert base64_problem(text) is None
    assert not is_cut_base64(text)
    assert bare_base64_type(text, "image") == "image/png"
    assert is_cut_base64(base64.b64encode(data).decode()[:-1])


# --- Names --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mime_type", "name"),
    [
        ("image/png", "image/png"),
        (" IMAGE/JPG ; q=1; a=b", "image/jpeg"),
        ("image/x-ms-bmp", "image/bmp"),
        ("application/x-pdf", "application/pdf"),
        ("", ""),
    ],
)
def test_a_mime_type_has_one_name(mime_type: str, name: str) -> None:
    assert normalize_mime_type(mime_type) == name


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("a.png", "image/png"),
        ("/data/a.b.JPG", "image/jpeg"),
        ("https://example.com/a.mp3?x=.wav#.pdf", "audio/mpeg"),
        ("https://example.com", None),
        ("https://[bad/a.png", "image/png"),
        ("https://example.com/a.oga", "audio/ogg"),
        ("a.mpga", "audio/mpeg"),
        ("a.m4b", "audio/mp4"),
        ("png", None),
        (".png", "image/png"),
        ("a.", None),
        ("a.docx", None),
        ("", None),
    ],
)
def test_the_suffix_of_a_name_shows_a_type(name: str, mime_type: str | None) -> None:
    assert mime_type_of_name(name) == mime_type


def test_a_url_without_a_valid_host_has_no_parts() -> None:
    assert split_url("https://[bad/a.png").path == ""
    assert split_url("https://example.com/a.png").path == "/a.png"


@pytest.mark.parametrize(
    ("name", "kind", "mime_type"),
    [
        ("PNG", "image", "image/png"),
        ("jpg", "image", "image/jpeg"),
        ("mp4", "video", "video/mp4"),
        ("mp4", "audio", "audio/mp4"),
        ("png", "pdf", "image/png"),
        ("txt", "pdf", "text/plain"),
        ("docx", "pdf", "application/docx"),
        ("midi", "audio", "audio/midi"),
        ("png", "video", "video/png"),
        ("pdf", "video", "video/pdf"),
        ("x", "video", "video/x"),
    ],
)
def test_a_format_that_a_block_names_is_a_type_of_its_kind(
    name: str, kind: Any, mime_type: str
) -> None:
    assert mime_type_of_format(name, kind) == mime_type


@pytest.mark.parametrize(
    ("mime_type", "name"),
    [
        ("audio/mpeg", "mp3"),
        ("audio/x-mpeg3", "mp3"),
        ("audio/x-mpeg-3", "mp3"),
        ("audio/mpga", "mp3"),
        ("audio/aacp", "aac"),
        ("audio/x-pn-wav", "wav"),
        ("audio/mp3; codecs=x", "mp3"),
        ("audio/vnd.wave", "wav"),
        ("AUDIO/X-WAV", "wav"),
        ("audio/mp4", "m4a"),
        ("audio/3gpp", "3gp"),
        ("audio/aac", "aac"),
        ("wav", "wav"),
    ],
)
def test_a_request_names_the_format_of_audio(mime_type: str, name: str) -> None:
    assert audio_format(mime_type) == name


# --- First bytes --------------------------------------------------------------------

HEADS: dict[str, list[bytes]] = {
    "image/png": [PNG],
    "image/jpeg": [b"\xff\xd8\xff\xe0\0\x10JFIF"],
    "image/gif": [b"GIF89a", b"GIF87a"],
    "image/bmp": [b"BM\x46\n\0\0\0\0\0\0"],
    "image/tiff": [b"II*\0\x08", b"MM\0*\0"],
    "image/x-icon": [b"\0\0\x01\0\x01"],
    "image/webp": [b"RIFF\n\0\0\0WEBPVP8 "],
    "image/heic": [b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypmif1"],
    "image/svg+xml": [b"<svg>", b'\n <?xml version="1.0"?>\n<svg>'],
    "audio/wav": [b"RIFF\n\0\0\0WAVEfmt "],
    "audio/mp4": [b"\0\0\0\x18ftypM4A "],
    "audio/amr": [b"#!AMR\n"],
    "audio/ogg": [b"OggS\0\x02"],
    "audio/flac": [b"fLaC\0"],
    "audio/aac": [b"\xff\xf1\x50", b"\xff\xf9\x50"],
    "audio/mpeg": [b"ID3\x04\0", b"\xff\xfb\x90", b"\xff\xf3\x90"],
    "audio/3gpp": [b"\0\0\0\x18ftyp3gp5"],
    "video/mp4": [b"\0\0\0\x20ftypisom", b"\0\0\0\x20ftypmp42"],
    "video/quicktime": [b"\0\0\0\x14ftypqt  "],
    "video/x-msvideo": [b"RIFF\n\0\0\0AVI LIST"],
    "video/webm": [WEBM + b"\x84webm"],
    "video/x-matroska": [WEBM + b"\x88matroska"],
    "video/x-flv": [b"FLV\x01\x05"],
    "video/x-ms-wmv": [b"\x30\x26\xb2\x75\x8e\x66"],
    "video/mpeg": [b"\0\0\x01\xba", b"\0\0\x01\xb3"],
    "application/pdf": [b"%PDF-1.7\n"],
}


@pytest.mark.parametrize("mime_type", HEADS)
def test_the_first_bytes_show_the_type(mime_type: str) -> None:
    for head in HEADS[mime_type]:
        assert mime_type_of_bytes(head) == mime_type
        for data in (head + bytes(2), head + bytes(1000)):
            assert mime_type_of_bytes(data) == mime_type
            assert mime_type_of_base64(base64.b64encode(data).decode()) == mime_type
        assert mime_type_of_bytes(b"?" + head) != mime_type


def test_the_type_is_shown_by_the_very_first_bytes_alone() -> None:
    """Of a long file, those behind the head of a container are something else."""
    data = WEBM + b"\x88matroska" + bytes(20) + b"webm"
    assert mime_type_of_bytes(data) == "video/x-matroska"
    assert mime_type_of_base64(base64.b64encode(data).decode()) == "video/x-matroska"
    assert mime_type_of_bytes(b"hello world") is None
    assert mime_type_of_bytes(b"") is None


@pytest.mark.parametrize(
    ("head", "kind", "mime_type"),
    [
        (HEADS["video/mp4"][0], "audio", "audio/mp4"),
        (HEADS["video/mp4"][0], "video", "video/mp4"),
        (HEADS["video/mp4"][0], "image", "video/mp4"),
        (HEADS["video/webm"][0], "audio", "audio/webm"),
        (HEADS["audio/3gpp"][0], "video", "video/3gpp"),
        (HEADS["audio/ogg"][0], "video", "video/ogg"),
        # They hold one kind alone.
        (HEADS["video/quicktime"][0], "audio", "video/quicktime"),
        (HEADS["audio/wav"][0], "video", "audio/wav"),
        (PNG, "video", "image/png"),
    ],
)
def test_some_containers_hold_video_or_audio(
    head: bytes, kind: Any, mime_type: str
) -> None:
    assert mime_type_of_bytes(head, kind) == mime_type
    text = base64.b64encode(head + bytes(2)).decode()
    assert mime_type_of_base64(text, kind) == mime_type


# --- Base64 text --------------------------------------------------------------------


@pytest.mark.parametrize("head", ["", "data:image/png;base64,"])
@pytest.mark.parametrize("length", [1, 4, 76, 80, 81, 100, 159, 160, 161, 240, 1000])
def test_a_character_at_an_end_that_base64_does_not_have(
    length: int, head: str
) -> None:
    """At least a line of an e-mail, which has 76 characters, is looked at."""
    text = "A" * length
    assert base64_problem(head + text, len(head)) is None
    for position in {*range(min(length, 76)), *range(max(0, length - 76), length)}:
        broken = f"{head}{text[:position]}!{text[position + 1 :]}"
        problem = base64_problem(broken, len(head))
        assert problem == "has characters that base64 does not have"


def test_megabytes_of_base64_text_are_not_searched() -> None:
    """What is wrong with them is for the service to say."""
    text = f"{'A' * 500}!\n{'A' * 502}"
    assert base64_problem(text) is None
    assert is_cut_base64(text + "A")
    assert bare_base64_type(f"{PNG_TEXT[:60]}{text}", "image") == "image/png"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("QQ==", None),
        ("QUI=\n", None),
        ("QUJD\r\nQQ==", None),
        ("+/+/", None),
        ("QQ===", "has characters"),
        ("QQ==QQ==", "has characters"),
        ("=", "has characters"),
        ("-_-_", "has characters"),
        ("!AAA", "has characters"),
        ("", "is empty"),
        (" \n", "is empty"),
        ("b'QQ=='", "begins with b'"),
        ('b"QQ=="', "begins with b'"),
        ("bQ==", None),
    ],
)
def test_what_a_text_that_is_no_base64_looks_like(
    text: str, problem: str | None
) -> None:
    for found in (base64_problem(text), base64_problem(f"=====!{text}", 6)):
        assert found is None if problem is None else str(found).startswith(problem)


@pytest.mark.parametrize("start", [0, 1, 22])
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 157, 158, 159, 160, 161, 1000, 1001])
def test_base64_text_without_lines_is_complete_in_groups_of_four(
    length: int, start: int
) -> None:
    head, text = " " * start, "A" * length
    assert is_cut_base64(head + text, start) is (length % 4 != 0)
    for end in ("\n", " "):
        assert not is_cut_base64(f"{head}{text[1:]}{end}", start)
    assert is_cut_base64(text) is (length % 4 != 0)


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("data:image/png;base64,QQ==", 22),
        ("DATA:image/png;BASE64,QQ==", 22),
        ("data:;base64,", 13),
        (f"data:{'x' * 150};base64,QQ==", 163),
        ("data:;base64,QQ==,QQ==", 13),
        ("data:image/png,QQ==", None),
        ("data:image/png;base64;x,QQ==", None),
        ("data:image/png;base64", None),
        ("data:,text;base64,", None),
        ("", None),
        # Where the head ends is not searched in megabytes.
        (f"data:{'x' * 1000};base64,QQ==", None),
    ],
)
def test_where_the_base64_text_of_a_data_url_begins(
    url: str, start: int | None
) -> None:
    assert base64_start(url) == start


@pytest.mark.parametrize(
    ("text", "kind", "mime_type"),
    [
        (PNG_TEXT, "image", "image/png"),
        (PNG_TEXT[:32], "image", "image/png"),
        (PNG_TEXT, "audio", None),
        (PNG_TEXT, "video", None),
        # They may be paths.
        (PNG_TEXT[:28], "image", None),
        (PNG_TEXT[:-1], "image", None),
        (f"{PNG_TEXT[:-4]}.png", "image", None),
        ("/9j/" + "A" * 28, "image", "image/jpeg"),
        ("/9j/" + "A" * 24 + ".jpg", "image", None),
        ("photos/2026/holiday/beach/morning", "image", None),
        (
            base64.b64encode(HEADS["video/mp4"][0] + bytes(12)).decode(),
            "audio",
            "audio/mp4",
        ),
        ("A" * 32, "image", None),
        ("", "image", None),
    ],
)
def test_base64_text_without_a_prefix_is_no_path(
    text: str, kind: Any, mime_type: str | None
) -> None:
    assert bare_base64_type(text, kind) == mime_type
