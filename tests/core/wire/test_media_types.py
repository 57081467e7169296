"""The kinds of media types."""

import base64

import pytest

from modelstudio_core.wire.media_types import (
    bare_base64_type,
    base64_problem,
    is_cut_base64,
    kind_of,
    mime_type_of_base64,
)


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
