"""Where each model of the catalog goes, and what its input looks like there."""

from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.catalog import (
    MediaProfile,
    model_ids,
    resolve_model,
    resolve_model_as,
)
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError, ModelStudioWarning
from modelstudio_core.tasks.routes import Route, resolve_route
from tests.end_to_end.field.media_support import MP4_BYTES, PNG_BYTES
from tests.support.tasks import STYLES, Style, Tasks

URL = "https://a.com/b"
MESSAGES = {"messages": [{"role": "user", "content": [{"text": "A"}]}]}
EDIT = {"messages": [{"role": "user", "content": [{"image": URL}, {"text": "A"}]}]}
GENERATION = "aigc/image-generation/generation"
MULTIMODAL = "aigc/multimodal-generation/generation"
TEXT_TO_IMAGE = "aigc/text2image/image-synthesis"
IMAGE_TO_IMAGE = "aigc/image2image/image-synthesis"
VIDEO = "aigc/video-generation/video-synthesis"
FRAMES = "aigc/image2video/video-synthesis"
ASR = "audio/asr/transcription"
TEXT: dict[str, Any] = {"prompt": "A"}
TEXT_AND_IMAGE: dict[str, Any] = {"prompt": "A", "images": [URL]}
FRAME = {"type": "first_frame", "url": URL}

# Model, arguments → path, input, whether n is sent.
ROUTES: list[tuple[str, dict[str, Any], str, dict[str, Any], bool]] = [
    ("wan2.6-t2i", TEXT, GENERATION, MESSAGES, True),
    ("wan2.6-image", TEXT_AND_IMAGE, GENERATION, EDIT, True),
    ("wan2.7-image", TEXT, GENERATION, MESSAGES, True),
    ("wan2.7-image-pro", TEXT_AND_IMAGE, GENERATION, EDIT, True),
    ("qwen-image-3.0", TEXT, GENERATION, MESSAGES, True),
    ("qwen-image-3.0-pro", TEXT_AND_IMAGE, GENERATION, EDIT, True),
    ("qwen-image-2.0", TEXT, MULTIMODAL, MESSAGES, True),
    ("qwen-image-2.0-pro", TEXT_AND_IMAGE, MULTIMODAL, EDIT, True),
    ("qwen-image", TEXT, TEXT_TO_IMAGE, TEXT, True),
    ("qwen-image-plus", TEXT, TEXT_TO_IMAGE, TEXT, True),
    ("qwen-image-max", TEXT, TEXT_TO_IMAGE, TEXT, True),
    ("qwen-image-edit", TEXT_AND_IMAGE, MULTIMODAL, EDIT, True),
    ("qwen-image-edit-plus", TEXT_AND_IMAGE, MULTIMODAL, EDIT, True),
    ("qwen-image-edit-max", TEXT_AND_IMAGE, MULTIMODAL, EDIT, True),
    ("z-image-turbo", TEXT, MULTIMODAL, MESSAGES, True),
    ("wan2.5-t2i-preview", TEXT, TEXT_TO_IMAGE, TEXT, True),
    ("wan2.2-t2i-flash", TEXT, TEXT_TO_IMAGE, TEXT, True),
    ("wan2.1-t2i-turbo", TEXT, TEXT_TO_IMAGE, TEXT, True),
    ("wanx2.1-t2i-plus", TEXT, TEXT_TO_IMAGE, TEXT, True),
    ("wanx2.0-t2i-turbo", TEXT, TEXT_TO_IMAGE, TEXT, True),
    ("wanx-v1", TEXT, TEXT_TO_IMAGE, TEXT, True),
    ("wan2.5-i2i-preview", TEXT_AND_IMAGE, IMAGE_TO_IMAGE, TEXT_AND_IMAGE, True),
    ("qwen-mt-image", {"images": [URL]}, IMAGE_TO_IMAGE, {"image_url": URL}, False),
    (
        "wanx2.1-imageedit",
        {"input": {"function": "f", "base_image_url": URL, "prompt": "A"}},
        IMAGE_TO_IMAGE,
        {"function": "f", "base_image_url": URL, "prompt": "A"},
        True,
    ),
    (
        "wanx-style-repaint-v1",
        {"input": {"image_url": URL, "style_index": 3}},
        GENERATION,
        {"image_url": URL, "style_index": 3},
        False,
    ),
    (
        "wanx-background-generation-v2",
        {"input": {"base_image_url": URL}},
        "aigc/background-generation/generation/",
        {"base_image_url": URL},
        True,
    ),
    ("wan2.6-t2v", TEXT, VIDEO, TEXT, False),
    ("wan2.6-t2v", {**TEXT, "urls": [URL]}, VIDEO, {**TEXT, "audio_url": URL}, False),
    ("wan2.5-t2v-preview", TEXT, VIDEO, TEXT, False),
    ("wan2.2-t2v-plus", TEXT, VIDEO, TEXT, False),
    ("wanx2.1-t2v-turbo", TEXT, VIDEO, TEXT, False),
    ("wan2.7-t2v", TEXT, VIDEO, TEXT, False),
    ("wan2.7-t2v-2026-06-12", TEXT, VIDEO, TEXT, False),
    ("wan2.6-i2v", TEXT_AND_IMAGE, VIDEO, {**TEXT, "img_url": URL}, False),
    (
        "wan2.5-i2v-preview",
        {"images": [URL], "urls": [f"{URL}2"]},
        VIDEO,
        {"img_url": URL, "audio_url": f"{URL}2"},
        False,
    ),
    ("wan2.2-i2v-plus", TEXT_AND_IMAGE, VIDEO, {**TEXT, "img_url": URL}, False),
    ("wan2.1-i2v-turbo", TEXT_AND_IMAGE, VIDEO, {**TEXT, "img_url": URL}, False),
    ("wanx2.1-i2v-plus", TEXT_AND_IMAGE, VIDEO, {**TEXT, "img_url": URL}, False),
    ("wan2.7-i2v", TEXT_AND_IMAGE, VIDEO, {**TEXT, "media": [FRAME]}, False),
    (
        "wan2.7-r2v",
        {**TEXT, "media": [{"type": "reference_video", "url": URL, "id": 1}]},
        VIDEO,
        {**TEXT, "media": [{"type": "reference_video", "id": 1, "url": URL}]},
        False,
    ),
    (
        "wan2.7-videoedit",
        {**TEXT, "media": [{"type": "video", "url": URL}]},
        VIDEO,
        {**TEXT, "media": [{"type": "video", "url": URL}]},
        False,
    ),
    ("wan3.0-video", TEXT, VIDEO, TEXT, False),
    ("happyhorse-1.1-t2v", TEXT, VIDEO, TEXT, False),
    (
        "wan2.2-kf2v-flash",
        {**TEXT, "images": [URL, f"{URL}2"]},
        FRAMES,
        {**TEXT, "first_frame_url": URL, "last_frame_url": f"{URL}2"},
        False,
    ),
    ("fun-asr", {"urls": [URL, URL]}, ASR, {"file_urls": [URL, URL]}, False),
    ("paraformer-v2", {"urls": [URL]}, ASR, {"file_urls": [URL]}, False),
    ("sensevoice-v1", {"urls": [URL]}, ASR, {"file_urls": [URL]}, False),
    ("qwen3-asr-flash-filetrans", {"urls": [URL]}, ASR, {"file_url": URL}, False),
    (
        "qwen-audio-3.0-asr-flash-filetrans",
        {"urls": [URL]},
        ASR,
        {"file_urls": [URL]},
        False,
    ),
    (
        "fun-asr-flash-2026-06-15",
        {"urls": [URL]},
        MULTIMODAL,
        {"messages": [{"role": "user", "content": [{"audio": URL}]}]},
        False,
    ),
    (
        "text-embedding-async-v2",
        {"urls": [URL]},
        "embeddings/text-embedding/text-embedding",
        {"url": URL},
        False,
    ),
]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("model", "arguments", "path", "content", "has_number"),
    ROUTES,
    ids=[f"{row[0]}-{number}" for number, row in enumerate(ROUTES)],
)
@pytest.mark.filterwarnings("ignore:The result of task")
async def test_each_model_has_its_path_and_form(
    *,
    style: Style,
    model: str,
    arguments: dict[str, Any],
    path: str,
    content: dict[str, Any],
    has_number: bool,
    modelstudio_emulator: Emulator,
) -> None:
    """The emulator accepts each of them, and makes a file."""
    at = Tasks.at(style, modelstudio_emulator)
    task = await at.submit(model=model, **arguments)
    (request,) = modelstudio_emulator.requests
    assert request.path == f"/api/v1/services/{path}"
    assert request.headers.get("x-dashscope-async") == (
        None if path == MULTIMODAL else "enable"
    )
    expected: dict[str, Any] = {"model": model, "input": content}
    assert request.body == expected | ({"parameters": {"n": 1}} if has_number else {})
    result = await at.result(task)
    assert [file.error for file in result.files] == [None] * len(result.files)
    assert result.files or path == MULTIMODAL


def test_every_known_model_has_a_route_or_says_why_not() -> None:
    for model in model_ids("media"):
        profile = resolve_model(model)
        assert isinstance(profile, MediaProfile)
        if profile.calls in {None, "websocket"}:
            with pytest.raises(ConfigurationError):
                resolve_route(profile, None)
        else:
            assert resolve_route(profile, None).path


def route_of(model: str, path: Any = None) -> Route:
    return resolve_route(resolve_model_as(MediaProfile, model), path)


@pytest.mark.parametrize(
    "path",
    [
        TEXT_TO_IMAGE,
        f"/{TEXT_TO_IMAGE}",
        f"services/{TEXT_TO_IMAGE}",
        f"/services/{TEXT_TO_IMAGE}",
        f"api/v1/services/{TEXT_TO_IMAGE}",
        f"/api/v1/services/{TEXT_TO_IMAGE}",
        f"/api/v1/{TEXT_TO_IMAGE}",
    ],
)
def test_a_path_may_have_any_beginning_that_is_in_the_documentation(path: str) -> None:
    route = route_of("of-tomorrow", path)
    assert (route.path, route.form, route.is_task) == (TEXT_TO_IMAGE, "prompt", True)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "//", "a//b", "../a", "a/..", "a?b", "a#b", "a b", "a\n", "a%2Fb"),
        *("https://a.com/b", "/api/v1/services/", 5, b"a", ["a"]),
    ],
    ids=str,
)
def test_a_path_that_is_none_is_refused(path: object) -> None:
    with pytest.raises(ConfigurationError, match="path must be the path of a service"):
        route_of("of-tomorrow", path)


# Model, path → form, whether it is a task, whether n is sent.
GIVEN: list[tuple[str, str, str | None, bool, bool]] = [
    # A model that is not known has what the path reads.
    ("of-tomorrow", GENERATION, "messages", True, True),
    ("of-tomorrow", TEXT_TO_IMAGE, "prompt", True, True),
    ("of-tomorrow", IMAGE_TO_IMAGE, "prompt+images", True, True),
    ("of-tomorrow", "aigc/background-generation/generation/", None, True, True),
    ("of-tomorrow", "aigc/background-generation/generation", None, True, True),
    ("of-tomorrow", f"{TEXT_TO_IMAGE}/", "prompt", True, True),
    ("of-tomorrow", VIDEO, "media", True, False),
    ("of-tomorrow", f"{VIDEO}/", "media", True, False),
    ("of-tomorrow", FRAMES, "frames", True, False),
    ("of-tomorrow", ASR, "file_urls", True, False),
    ("of-tomorrow", "aigc/of/tomorrow", None, True, False),
    # One path alone is answered at once.
    ("of-tomorrow", MULTIMODAL, "messages", False, False),
    ("of-tomorrow", f"{MULTIMODAL}/", "messages", False, False),
    ("wan2.6-t2i", MULTIMODAL, "messages", False, True),
    # At its own path a model has its own form, at another one that of the path.
    ("wan2.6-t2v", VIDEO, "prompt", True, False),
    ("wan2.6-t2v", f"{VIDEO}/", "prompt", True, False),
    ("wan2.6-i2v", VIDEO, "img_url", True, False),
    ("wanx-style-repaint-v1", GENERATION, "image_url", True, False),
    ("qwen-mt-image", IMAGE_TO_IMAGE, "image_url", True, False),
    ("qwen-mt-image", GENERATION, "messages", True, True),
    ("qwen-image", TEXT_TO_IMAGE, "prompt", True, True),
    ("qwen-image", GENERATION, "messages", True, True),
    ("wan2.5-t2i-preview", GENERATION, "messages", True, True),
    ("wan2.6-t2v", GENERATION, "messages", True, False),
    ("fun-asr", GENERATION, "messages", True, False),
]


@pytest.mark.parametrize(
    ("model", "path", "form", "is_task", "has_number"), GIVEN, ids=str
)
def test_a_path_that_is_given_decides_the_form(
    model: str, path: str, form: str | None, *, is_task: bool, has_number: bool
) -> None:
    route = route_of(model, path)
    assert (route.path, route.form, route.is_task) == (path, form, is_task)
    assert route.has_number == has_number


@pytest.mark.parametrize(
    "model", ["of-tomorrow", "vidu/x", "kling/x", "wan2.9-x", "qwen-mt-image-2.0"]
)
def test_a_model_whose_path_is_not_known_needs_it(model: str) -> None:
    with pytest.raises(ConfigurationError, match="is not known: pass path="):
        route_of(model)


def test_a_family_that_may_have_tasks_is_called_at_the_path_that_is_given() -> None:
    model = "fun-asr-realtime-2027-01-01"
    assert resolve_model_as(MediaProfile, model).calls == "websocket"
    with pytest.warns(ModelStudioWarning, match="served over WebSocket only"):
        assert route_of(model, ASR).form == "file_urls"


@pytest.mark.parametrize("style", STYLES)
async def test_files_of_this_machine_are_inlined_or_uploaded(
    style: Style, modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    at = Tasks.at(style, modelstudio_emulator)
    image, film = tmp_path / "a.png", tmp_path / "a.mp4"
    image.write_bytes(PNG_BYTES)
    film.write_bytes(MP4_BYTES)
    media: list[dict[str, Any]] = [
        {"type": "reference_image", "url": image},
        {"type": "reference_video", "url": str(film)},
    ]
    with pytest.raises(ConfigurationError, match="upload_media=True"):
        await at.submit(model="wan2.7-r2v", prompt="A", media=media)
    assert modelstudio_emulator.requests == []
    task = await at.submit(
        model="wan2.7-r2v", prompt="A", media=media, upload_media=True
    )
    policy, upload, create = modelstudio_emulator.requests
    assert (policy.path, upload.path) == ("/api/v1/uploads", "/temporary-storage")
    assert "authorization" not in upload.headers
    assert create.headers["x-dashscope-ossresourceresolve"] == "enable"
    first, second = create.body["input"]["media"]
    assert first["url"].startswith("data:image/png;base64,")
    assert second["url"].startswith("oss://")
    assert (await at.result(task)).files
    bare = first["url"].partition(",")[2]
    await at.submit(model="wan2.2-i2v-plus", prompt="A", images=[bare])
    create = modelstudio_emulator.requests[-1]
    assert create.body["input"]["img_url"] == first["url"]
    with pytest.raises(ConfigurationError, match="not known"):
        await at.submit(
            model="wan2.7-r2v", prompt="A", media=[{"type": "link", "url": "a.txt"}]
        )
