"""What a model takes as media, before anything is sent."""

import base64
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from modelstudio_core.catalog import ChatProfile, MediaLimits
from modelstudio_core.chat.media_checks import (
    check_parts,
    has_local_address,
    inline_limits,
    input_of,
    with_addresses,
)
from modelstudio_core.chat.messages import Part
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.local_files import LocalFile
from tests.core.catalog.entries import chat_profile
from tests.core.support import AUDIO, error_message, text_part

MEGABYTE = 2**20
URL = "https://example.com/a"
PNG = "data:image/png;base64,iVBORw0KGgo="


def limited(**media: MediaLimits) -> ChatProfile:
    """Return a model with these limits and no others."""
    inputs = frozenset({"text", *media})
    return replace(chat_profile("qwen3-vl-plus"), inputs=inputs, media=media)


def image(url: str = PNG) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def video(url: str = URL) -> dict[str, Any]:
    return {"type": "video_url", "video_url": {"url": url}}


def frames(*urls: str) -> dict[str, Any]:
    return {"type": "video", "video": list(urls)}


def sound(url: str) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": url}}


def refusal(profile: ChatProfile, *parts: dict[str, Any]) -> str | None:
    """Return why a message with these parts is refused; None where it is not."""
    try:
        check_parts(cast("list[Part]", list(parts)), profile)
    except ConfigurationError as error:
        return error.message
    return None


def test_every_input_of_a_model_known_by_its_family_is_checked() -> None:
    svg = {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PA=="}}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_parts(
            cast("list[Part]", [AUDIO, svg]), chat_profile("qwen3-vl-plus-2031-01-01")
        )
    noise, picture = (str(warning.message) for warning in caught)
    assert "does not support audio input" in noise
    assert "does not support image/svg+xml" in picture


# --- Sizes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        (MediaLimits(), None),
        (MediaLimits(inline=True, max_megabytes=5), None),
        (MediaLimits(inline=True, max_inline_megabytes=3), 3_145_728),
        (MediaLimits(max_inline_megabytes=3, max_encoded_megabytes=10), 3_145_728),
        # Four characters of base64 are three bytes.
        (MediaLimits(max_encoded_megabytes=10), 7_864_320),
        (MediaLimits(inline=False), 0),
        (MediaLimits(inline=False, max_inline_megabytes=3), 0),
    ],
)
def test_how_many_bytes_of_a_file_a_request_may_have(
    limits: MediaLimits, size: int | None
) -> None:
    expected = {} if size is None else {"image": size}
    other = MediaLimits(max_inline_megabytes=1)
    assert inline_limits(limited(image=limits)) == expected
    both = limited(image=limits, video=other)
    assert inline_limits(both) == {**expected, "video": MEGABYTE}


@pytest.mark.parametrize(
    ("size", "got"),
    [
        *((size, None) for size in range(MEGABYTE - 3, MEGABYTE + 1)),
        (MEGABYTE + 1, "1.0"),
        (MEGABYTE * 3 // 2, "1.5"),
    ],
)
def test_data_are_as_large_as_before_they_are_encoded(
    size: int, got: str | None
) -> None:
    url = f"data:image/png;base64,{base64.b64encode(bytes(size)).decode()}"
    profile = limited(image=MediaLimits(max_inline_megabytes=1))
    assert refusal(profile, image(url)) == (
        got and f"image input may have 1 MB as base64 for qwen3-vl-plus, got {got} MB."
    )


@pytest.mark.parametrize(
    ("length", "got"),
    [(MEGABYTE, None), (MEGABYTE + 1, "1.0"), (MEGABYTE * 3 // 2, "1.5")],
)
def test_the_length_of_base64_text_has_a_limit(length: int, got: str | None) -> None:
    url = f"data:image/png;base64,{'A' * length}"
    profile = limited(image=MediaLimits(max_encoded_megabytes=1))
    assert refusal(profile, image(url)) == (
        got
        and "The base64 text of image input may have 1 MB for qwen3-vl-plus, got"
        f" {got} MB."
    )


@pytest.mark.parametrize("scheme", ["data", "DATA"])
@pytest.mark.parametrize("limits", [MediaLimits(inline=False), MediaLimits()])
def test_data_are_refused_where_the_model_takes_public_urls_only(
    limits: MediaLimits, scheme: str
) -> None:
    profile = limited(image=limits)
    url = PNG.replace("data", scheme)
    assert refusal(profile, image(url)) == (
        "qwen3-vl-plus accepts image input as a public URL only."
        if limits.inline is False
        else None
    )
    assert refusal(profile, image(URL), image("oss://a/b.png")) is None


# --- Numbers ------------------------------------------------------------------------


def test_addresses_and_data_of_each_kind_are_counted_apart() -> None:
    profile = limited(
        image=MediaLimits(max_count=3, max_inline_count=2), video=MediaLimits()
    )
    most = [*[image(URL)] * 3, *[image()] * 2, *[video()] * 5]
    assert refusal(profile, *most) is None
    assert refusal(profile, *most, image(URL)) == (
        "A message may contain at most 3 image inputs as URLs, got 4."
    )
    for more in (PNG, PNG.replace("data", "DATA")):
        assert refusal(profile, *most, image(more)) == (
            "A message may contain at most 2 image inputs as base64, got 3."
        )


def test_the_frames_of_a_video_are_one_video() -> None:
    limits = MediaLimits(max_count=1, max_inline_count=1)
    profile = limited(video=limits)
    assert refusal(profile, frames(URL, URL), frames(URL, PNG)) is None
    assert "1 video inputs as URLs, got 2" in str(
        refusal(profile, frames(URL, URL), video())
    )
    assert "1 video inputs as base64, got 2" in str(
        refusal(profile, frames(URL, PNG), frames(PNG, URL))
    )


@pytest.mark.parametrize("count", range(1, 8))
def test_a_video_has_neither_too_few_nor_too_many_frames(count: int) -> None:
    part = frames(*[URL] * count)
    profile = limited(video=MediaLimits(frames=(3, 6)))
    problem = (
        f"A video for qwen3-vl-plus must have 3 to 6 frames, got {count}."
        if count in {1, 2, 7}
        else None
    )
    assert refusal(profile, part) == problem
    assert refusal(limited(video=MediaLimits()), part) is None


# --- Formats ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formats", "mime_type", "is_accepted"),
    [
        ({"png", "jpeg"}, "image/png", True),
        ({"png", "jpeg"}, "IMAGE/JPG; charset=binary", True),
        ({"bmp"}, "image/x-ms-bmp", True),
        ({"tiff"}, "image/x-tiff", True),
        ({"png", "jpeg"}, "image/gif", False),
        (set(), "image/gif", True),
        # The bytes are not of that kind, which is checked elsewhere.
        ({"png"}, "video/mp4", True),
    ],
)
def test_a_format_has_several_names(
    formats: set[str], mime_type: str, is_accepted: bool
) -> None:
    profile = limited(image=MediaLimits(formats=frozenset(formats)))
    problem = refusal(profile, image(f"data:{mime_type};base64,AAAA"))
    assert problem == (
        None
        if is_accepted
        else f"qwen3-vl-plus does not support {mime_type}. It supports jpeg, png."
    )


@pytest.mark.parametrize(
    ("name", "is_accepted"),
    [
        *((name, True) for name in ("mpeg", "mp3", "x-mp3", "wav", "x-wav")),
        *((name, True) for name in ("wave", "vnd.wave", "3gpp", "3gp", "aac")),
        *((name, False) for name in ("flac", "mp4", "x-m4a", "midi")),
    ],
)
def test_a_format_of_sound_has_several_names(name: str, is_accepted: bool) -> None:
    formats = frozenset({"mpeg", "wav", "3gpp", "aac"})
    profile = limited(audio=MediaLimits(formats=formats))
    problem = refusal(profile, sound(f"data:audio/{name};base64,AAAA"))
    assert (problem is None) is is_accepted


def test_every_frame_of_a_video_is_checked_as_an_image() -> None:
    svg = "data:image/svg+xml;base64,PA=="
    images = MediaLimits(formats=frozenset({"png"}), max_inline_megabytes=1)
    profile = limited(image=images, video=MediaLimits(max_encoded_megabytes=1))
    assert refusal(profile, frames(PNG, URL, PNG)) is None
    assert "does not support image/svg+xml" in str(
        refusal(profile, frames(PNG, URL, svg))
    )
    large = PNG.replace("iVBO", "iVBO" * (MEGABYTE * 5 // 16))
    assert refusal(profile, frames(large, URL)) is None
    assert "image input may have 1 MB" in str(
        refusal(profile, frames(URL, large.replace("iVBO", "iVBOiVBO")))
    )
    # What is known of videos alone.
    profile = limited(video=MediaLimits(max_encoded_megabytes=1))
    assert "The base64 text of video input" in str(refusal(profile, frames(large)))


# --- Addresses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (text_part("a.png"), None),
        (image(), "image"),
        (video(), "video"),
        (frames(URL), "video"),
        (sound(URL), "audio"),
        ({"type": "file", "file": {"file_url": URL}}, "pdf"),
        ({"type": "file", "file": {"file_data": "data:,"}}, "pdf"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "file_id"),
    ],
)
def test_the_kind_of_input_that_a_part_is(part: Any, kind: str | None) -> None:
    assert input_of(part) == kind


@pytest.mark.parametrize(
    ("part", "is_path"),
    [
        (text_part("a.png"), False),
        (image("a.png"), True),
        (image("file:///a.png"), True),
        (image(URL), False),
        (image(PNG), False),
        (image("iVBORw0KGgo" * 4), False),
        (sound("iVBORw0KGgo" * 4), True),
        (frames(URL, "a.png"), True),
        (frames(URL, PNG, "iVBORw0KGgo" * 4), False),
        (frames(), False),
        ({"type": "file", "file": {"file_data": "a.pdf"}}, True),
        ({"type": "file", "file": {"file_url": URL}}, False),
        ({"type": "file", "file": {"file_id": "a.pdf"}}, False),
        (
            {"type": "image_url", "image_url": {"url": LocalFile(Path("a"), "image")}},
            False,
        ),
    ],
)
def test_a_path_in_a_message_is_found(part: Any, is_path: bool) -> None:
    assert has_local_address(part) is is_path


@pytest.mark.parametrize("scheme", ["http", "HTTPS", "oss", "OSS"])
def test_an_address_of_the_internet_is_sent_as_it_is(scheme: str) -> None:
    part = cast("Part", image(f"{scheme}://example.com/a.png"))
    assert with_addresses(part, local_files=False) == part


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "The address of the image is empty."),
        ("ftp://example.com/a.png", "must be an http, https, data or oss URL, got 'ft"),
        ("https:/example.com/a.png", "must be an http, https, data or oss URL"),
        ("a.png", "'a.png' is a local file"),
        ("s" * 500, f"The address '{'s' * 200}' is a local file"),
        (f"ftp:{'s' * 500}", f"got 'ftp:{'s' * 196}'."),
    ],
)
def test_another_address_is_refused(address: str, problem: str) -> None:
    part = image(address)
    assert problem in error_message(with_addresses, part, local_files=False)


def test_data_without_a_type_get_that_of_their_bytes_or_the_usual_one() -> None:
    shown = cast("Part", image("data:;base64,iVBORw0KGgo="))
    assert with_addresses(shown, local_files=False) == shown
    unknown = cast("Part", image("data:;charset=x;base64,aGVsbG8="))
    with pytest.warns(match=re.escape("has no MIME type")):
        part = with_addresses(unknown, local_files=False)
    assert part == image("data:image/png;charset=x;base64,aGVsbG8=")
