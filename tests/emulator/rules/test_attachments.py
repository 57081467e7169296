"""Rules for the number, the size and the format of images, video, audio and PDFs."""

from functools import partial
from typing import Any

import pytest

from modelstudio_core.emulator.protocols.chat_query import parse_flat_body
from modelstudio_core.emulator.rules.attachments import check_attachments
from modelstudio_core.emulator.rules.refusal import Refusal
from tests.emulator.helpers import MULTIMODAL, DashScopeClient, OpenAIClient

ALGO = "<400> InternalError.Algo.InvalidParameter: "
MEGABYTE = 2**20
URL = "https://x.example/a"
PNG = "data:image/png;base64,iVBORw0KGgo="
VISION, OMNI, MOONSHOT = "qwen3.8-max", "qwen3-omni-flash", "kimi/kimi-k2.5"


def image(url: str = URL) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def video(url: str = URL) -> dict[str, Any]:
    return {"type": "video_url", "video_url": {"url": url}}


def frames(count: int, url: str = URL) -> dict[str, Any]:
    return {"type": "video", "video": [url] * count}


def audio(url: str = URL) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": url, "format": "wav"}}


def pdf(mime_type: str) -> dict[str, Any]:
    data = f"data:{mime_type};base64,JVBERi0xLjc="
    return {"type": "file", "file": {"file_data": data, "filename": "a.pdf"}}


def refusal(parts: list[dict[str, Any]], model: str = VISION) -> Refusal | None:
    """Return the refusal of a message with these parts; None where it is accepted."""
    message = {"role": "user", "content": parts}
    query = parse_flat_body({"model": model, "messages": [message]})
    try:
        check_attachments(message, query)
    except Refusal as error:
        return error
    return None


def data(mime_type: str, size: int) -> str:
    return f"data:{mime_type};base64,{'A' * size}"


TOO_LARGE = "Exceeded limit on max bytes per data-uri item :"
FRAMES = (
    "The video modality input does not meet the requirements because: the range of"
    " sequence images shoule be"
)
ILLEGAL = "format is illegal and cannot be opened"
REFUSED: dict[str, tuple[str, list[dict[str, Any]], str]] = {
    "images in base64": (VISION, [image(PNG)] * 251, "at most 250 image inputs by bas"),
    "images by URL": (VISION, [image()] * 2049, "at most 2048 image inputs by URL"),
    "videos": (VISION, [video()] * 65, "at most 64 video inputs by URL, got 65"),
    "sounds": (OMNI, [audio(), audio()], "at most 1 audio inputs by URL, got 2"),
    "few frames": (VISION, [frames(3)], f"{FRAMES} (4, 8000)."),
    "many frames": ("qwen3-vl-plus", [frames(2001)], f"{FRAMES} (4, 2000)."),
    "an SVG": (
        VISION,
        [image("data:image/svg+xml;base64,PHN2Zz4=")],
        f"image {ILLEGAL}",
    ),
    "a GIF": (VISION, [image("data:image/gif;base64,R0lGODlh")], f"image {ILLEGAL}"),
    "a PDF as an image": (
        VISION,
        [image("data:application/pdf;base64,JVBERi0xLjc=")],
        f"image {ILLEGAL}",
    ),
    "a PDF with the type of an image": (
        VISION,
        [image("data:image/png;base64,JVBERi0xLjc=")],
        f"image {ILLEGAL}",
    ),
    "a MIDI": (OMNI, [audio("data:audio/midi;base64,TVRoZA==")], f"audio {ILLEGAL}"),
    "a DOCX": (VISION, [pdf("application/msword")], f"file {ILLEGAL}"),
    "base64 where URLs are required": (MOONSHOT, [image(PNG)], "must be a public URL"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_over_a_limit_of_the_catalog_is_refused(name: str) -> None:
    model, parts, words = REFUSED[name]
    error = refusal(parts, model)
    assert error is not None
    assert words in error.message
    assert error.status == 400


@pytest.mark.parametrize(
    ("model", "build", "mime_type", "encoded", "limit"),
    [
        (VISION, image, "image/png", 28 * MEGABYTE, 20 * MEGABYTE),
        (VISION, partial(frames, 4), "image/png", 28 * MEGABYTE, 20 * MEGABYTE),
        (VISION, video, "video/mp4", 10 * MEGABYTE + 4, 10 * MEGABYTE),
        (OMNI, audio, "audio/wav", 10 * MEGABYTE + 4, 10 * MEGABYTE),
    ],
)
def test_what_is_too_large_is_refused(
    model: str, build: Any, mime_type: str, encoded: int, limit: int
) -> None:
    error = refusal([build(data(mime_type, encoded))], model)
    assert error is not None
    assert error.message == f"{TOO_LARGE} {limit}"
    assert refusal([build(data(mime_type, 10 * MEGABYTE))], model) is None


def test_the_padding_of_base64_is_not_counted() -> None:
    """Of an image with exactly 10 MB, and of one with a byte more."""
    url = data("image/png", 13_981_014)
    assert refusal([image(f"{url}==")], OMNI) is None
    error = refusal([image(f"{url}A=")], OMNI)
    assert error is not None
    assert error.message == f"{TOO_LARGE} {10 * MEGABYTE}"


ACCEPTED: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "as many as allowed": (VISION, [*[image(PNG)] * 250, *[image()] * 2048]),
    "videos": (VISION, [video()] * 64),
    "frames": (VISION, [frames(4), frames(8000)]),
    "other names of formats": (
        VISION,
        [image(f"data:image/{name};base64,AAAA") for name in ("jpg", "x-png", "JPEG")],
    ),
    "sounds": (OMNI, [audio("data:audio/mp3;base64,AAAA")]),
    "a sound without a MIME type": (OMNI, [audio("data:;base64,AAAA")]),
    "a PDF": (VISION, [pdf("application/pdf")]),
    "text": (VISION, [{"type": "text", "text": "Hi"}]),
    "a snapshot of the family": (
        "qwen3.8-max-2030-01-01",
        [image("data:image/svg+xml;base64,PHN2Zz4="), frames(1)],
    ),
    "another kind of video": (OMNI, [audio("data:audio/x-wav;base64,UklGRg==")]),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_within_the_limits_is_accepted(name: str) -> None:
    model, parts = ACCEPTED[name]
    assert refusal(parts, model) is None


def test_a_refusal_is_sent_on_both_protocols(
    client: OpenAIClient, dashscope: DashScopeClient
) -> None:
    url = data("video/mp4", 10 * MEGABYTE + 4)
    prompt = [{"role": "user", "content": [video(url)]}]
    text = f"{TOO_LARGE} {10 * MEGABYTE}"
    assert client.error(prompt, model=VISION) == (400, text)
    native = [{"role": "user", "content": [{"video": url}]}]
    options: dict[str, Any] = {"model": VISION, "path": MULTIMODAL}
    assert dashscope.error(native, **options) == (400, "BadRequest.TooLarge", text)
    native = [{"role": "user", "content": [{"video": [URL] * 3}, {"text": "Hi"}]}]
    error = (400, "InvalidParameter", f"{ALGO}{FRAMES} (4, 8000).")
    assert dashscope.error(native, **options) == error
