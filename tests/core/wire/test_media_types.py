"""The kinds of media types."""

import pytest

from modelstudio_core.wire.media_types import kind_of, mime_type_of_base64


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
