"""Texts, images and video of a call: what is sent, and in how many requests."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.embeddings.contents import (
    Content,
    check_contents,
    plan_contents,
    to_image_url,
)
from modelstudio_core.embeddings.inputs import Batch
from modelstudio_core.embeddings.options import ResolvedEmbeddings
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from tests.core.embeddings.support import resolve

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels of a red fox"
DATA = base64.b64encode(PNG).decode()
URI = f"data:image/png;base64,{DATA}"
FOX = "https://x.example/fox.png"
VIDEO = "oss://bucket/fox.mp4"
MEGABYTE = 2**20
VL = resolve("qwen3-vl-embedding")
VISION = resolve("tongyi-embedding-vision-plus")
VISION_2026 = resolve("tongyi-embedding-vision-plus-2026-03-06")
ALWAYS = resolve("qwen2.5-vl-embedding")


def with_facts(**facts: Any) -> ResolvedEmbeddings:
    """Return a model of which these facts are known."""
    model = replace(VL.model, profile=replace(VL.profile, **facts))
    return replace(VL, model=model)


# --- Items --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resolved", "item", "content"),
    [
        (VL, "a", Content([{"text": "a"}], False, 0, 0)),
        (VL, {"image": FOX}, Content([{"image": FOX}], False, 1, 0)),
        (VL, {"video": VIDEO}, Content([{"video": VIDEO}], False, 0, 1)),
        (
            VL,
            {"text": "a", "image": FOX, "video": VIDEO},
            Content([{"text": "a"}, {"image": FOX}, {"video": VIDEO}], True, 1, 1),
        ),
        (
            VISION_2026,
            {"text": "a", "image": FOX, "video": VIDEO},
            Content([{"text": "a", "image": FOX, "video": VIDEO}], False, 1, 1),
        ),
        (ALWAYS, "a", Content([{"text": "a"}], True, 0, 0)),
        (
            ALWAYS,
            {"image": FOX, "text": "a"},
            Content([{"image": FOX}, {"text": "a"}], True, 1, 0),
        ),
        (
            VISION,
            {"multi_images": (FOX, PNG)},
            Content([{"multi_images": [FOX, URI]}], False, 2, 0),
        ),
        (
            VISION_2026,
            {"text": "a", "image": [FOX] * 3},
            Content([{"text": "a", "multi_images": [FOX] * 3}], False, 3, 0),
        ),
        # A list of one image is an image.
        (ALWAYS, {"image": [FOX]}, Content([{"image": FOX}], True, 1, 0)),
        (VISION, {"image": (FOX,)}, Content([{"image": FOX}], False, 1, 0)),
    ],
)
def test_an_item_as_it_is_sent(
    resolved: ResolvedEmbeddings, item: Any, content: Content
) -> None:
    assert check_contents([item], resolved) == [content]


@pytest.mark.parametrize(
    ("resolved", "item", "problem"),
    [
        (VISION, {"text": "a", "image": FOX}, "has 2 parts"),
        (VISION, {"text": "a", "image": FOX, "video": VIDEO}, "has 3 parts"),
        (VISION, {"image": [FOX] * 9}, "has 9 images, .* accepts 8 in one item"),
        (VISION, {"image": []}, "has 0 images, .* accepts 8 in one item"),
        (ALWAYS, {"image": [FOX] * 2}, "has 2 images, .* accepts 1 in one item"),
        (VISION_2026, {"image": []}, "has 0 images, .* accepts 1 in one item"),
        (VL, {"text": "a" * 192_001}, r"\['text'\] is too long"),
        (VL, {"image": [FOX, ""]}, r"\['image'\] must be the URL"),
        (VL, {"video": b"x"}, r"\['video'\] must be the http, https or oss URL"),
        (VL, {"video": "data:video/mp4;base64,AAAA"}, r"\['video'\] must be the http"),
        (
            VL,
            {"text": "a", "sound": "b"},
            "a mapping with text, image, video or several",
        ),
        (VL, {}, "a mapping with text, image, video or several"),
        (VL, ["a"], "a mapping with text, image, video or several"),
    ],
)
def test_an_item_that_a_model_does_not_accept(
    resolved: ResolvedEmbeddings, item: Any, problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        check_contents(["a", item], resolved)
    assert caught.value.message.startswith("contents[1]")


@pytest.mark.parametrize(
    ("resolved", "count"), [(VISION, 2), (VISION, 8), (VISION_2026, 64)]
)
def test_an_item_has_as_many_images_as_the_model_accepts(
    resolved: ResolvedEmbeddings, count: int
) -> None:
    (content,) = check_contents([{"image": [FOX] * count}], resolved)
    assert content == Content([{"multi_images": [FOX] * count}], False, count, 0)


def test_what_is_known_of_a_family_alone_is_a_warning() -> None:
    family = resolve("multimodal-embedding-v9")
    with pytest.warns(ModelStudioWarning, match="has 2 parts"):
        (content,) = check_contents([{"text": "a", "image": FOX}], family)
    assert content == Content([{"text": "a", "image": FOX}], False, 1, 0)


# --- Requests -----------------------------------------------------------------------


def sizes(resolved: ResolvedEmbeddings, *contents: Content) -> list[int]:
    """Return how many items each request has, which must be all of them in order."""
    batches = plan_contents(contents, resolved)
    starts = [sum(len(b.rows) for b in batches[:i]) for i in range(len(batches))]
    assert batches == [
        Batch(start, contents[start : start + len(batch.rows)])
        for start, batch in zip(starts, batches, strict=True)
    ]
    assert sum(len(batch.rows) for batch in batches) == len(contents)
    return [len(batch.rows) for batch in batches]


TEXT = Content([{"text": "a"}], False, 0, 0)
IMAGE = Content([{"image": FOX}], False, 1, 0)
IMAGES = Content([{"multi_images": [FOX] * 2}], False, 2, 0)
FILM = Content([{"video": VIDEO}], False, 0, 1)
FUSED = Content([{"text": "a"}, {"image": FOX}], True, 1, 0)


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ([], []),
        ([TEXT], [1]),
        ([TEXT] * 4, [4]),
        ([TEXT] * 5, [4, 1]),
        ([TEXT] * 9, [4, 4, 1]),
        # Two images, and one video
        ([IMAGE] * 2, [2]),
        ([IMAGE] * 3, [2, 1]),
        ([IMAGES, IMAGES], [1, 1]),
        ([IMAGES, TEXT, IMAGE], [2, 1]),
        ([FILM], [1]),
        ([FILM, IMAGE, IMAGE, TEXT], [4]),
        ([FILM, FILM, TEXT], [1, 2]),
        ([FUSED], [1]),
        ([TEXT, FUSED, TEXT, TEXT], [1, 1, 2]),
        ([FUSED, FUSED], [1, 1]),
    ],
)
def test_a_request_has_as_many_items_images_and_videos_as_the_model_accepts(
    contents: list[Content], expected: list[int]
) -> None:
    resolved = replace(with_facts(max_images=2, max_videos=1), batch_size=4)
    assert sizes(resolved, *contents) == expected


def test_images_and_videos_of_which_no_limit_is_known_count_as_items() -> None:
    resolved = replace(with_facts(max_images=None, max_videos=None), batch_size=4)
    assert sizes(resolved, *[IMAGE] * 5) == [4, 1]
    assert sizes(resolved, *[FILM] * 5) == [4, 1]


# --- Images -------------------------------------------------------------------------


class Opened:
    """An open file that cannot be rewound."""

    def read(self, size: int = -1, /) -> bytes:
        del size
        return PNG


def read_before(data: bytes) -> BytesIO:
    file = BytesIO(data)
    file.read()
    return file


@pytest.mark.parametrize(
    "image",
    [
        FOX,
        "HTTPS://x.example/a",
        "http://x.example/a",
        "oss://bucket/a",
        URI,
        f"DATA:image/png;base64,{DATA}",
    ],
)
def test_the_url_of_an_image_is_sent_as_it_is(image: str) -> None:
    assert to_image_url(image, VL, "image") == image


@pytest.mark.parametrize(
    "image",
    [
        DATA,
        PNG,
        bytearray(PNG),
        memoryview(PNG),
        BytesIO(PNG),
        read_before(PNG),
        Opened(),
    ],
)
def test_the_bytes_of_an_image_are_sent_in_a_url(image: Any) -> None:
    assert to_image_url(image, VL, "image") == URI


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


AS_IMAGE: Mapping[str, Callable[[bytes, Path], Any]] = {
    "bytes": lambda data, _: data,
    "file": lambda data, _: BytesIO(data),
    "path": lambda data, folder: written(folder / "a.png", data),
    "name": lambda data, folder: str(written(folder / "a.png", data)),
}


@pytest.mark.parametrize("kind", AS_IMAGE)
@pytest.mark.parametrize("more", [0, 1])
def test_an_image_has_at_most_as_many_megabytes_as_the_model_accepts(
    kind: str, more: int, tmp_path: Path
) -> None:
    resolved = with_facts(max_image_megabytes=1)
    data = PNG + b"x" * (MEGABYTE - len(PNG) + more)
    image = AS_IMAGE[kind](data, tmp_path)
    if not more:
        assert to_image_url(image, resolved, "image").startswith(URI[:40])
        assert to_image_url(PNG, resolved, "image") == URI
        return
    problem = r"^an image is an image of 1\.0 MB, and qwen3-vl-embedding accepts 1 MB"
    with pytest.raises(ConfigurationError, match=problem):
        to_image_url(image, resolved, "an image")


def test_the_size_of_an_image_is_named_in_megabytes() -> None:
    resolved = with_facts(max_image_megabytes=2)
    data = PNG + b"x" * (5 * MEGABYTE // 2)
    with pytest.raises(ConfigurationError, match=r"of 2\.5 MB, .* accepts 2 MB\."):
        to_image_url(data, resolved, "image")
    assert to_image_url(data, with_facts(max_image_megabytes=None), "image")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"hello", "^it is not an image of a format that is known"),
        (b"", "^it is not an image of a format that is known"),
        (b"%PDF-1.7\n", "^it is not an image of a format that is known"),
        (b"ID3\x04", "^it is not an image of a format that is known"),
    ],
)
def test_bytes_that_are_no_image_are_refused(data: bytes, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        to_image_url(data, VL, "it")


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("a.bin", b"hello", "^it is not an image of a format that is known"),
        ("a.mp3", b"ID3\x04", r"^it: .*a\.mp3' is not an image file"),
        ("a.png", b"", r"^it: .*a\.png' is empty"),
    ],
)
def test_files_that_are_no_image_are_refused(
    name: str, data: bytes, problem: str, tmp_path: Path
) -> None:
    path = written(tmp_path / name, data)
    for image in (path, str(path)):
        with pytest.raises(ConfigurationError, match=problem):
            to_image_url(image, VL, "it")


@pytest.mark.parametrize("value", [None, 7, "", ["a"], object()])
def test_what_is_no_image_is_refused(value: object) -> None:
    problem = f"^it must be the URL, .* got a {type(value).__name__}"
    with pytest.raises(ConfigurationError, match=problem):
        to_image_url(value, VL, "it")
