"""The kinds of media types."""

import pytest

from modelstudio_core.wire.media_types import kind_of


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
