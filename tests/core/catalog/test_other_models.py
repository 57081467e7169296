"""The facts about embedding, rerank and media models, as the pages state them."""

from datetime import date

import pytest

from modelstudio_core.catalog import (
    EmbeddingProfile,
    MediaProfile,
    RerankProfile,
    model_ids,
    resolve_model,
    resolve_model_as,
)
from modelstudio_core.catalog.other_models import MEDIA_MODELS
from tests.core.catalog.entries import name_entry


def embedding(model: str) -> EmbeddingProfile:
    """Return what the catalog knows of an embedding model."""
    return resolve_model_as(EmbeddingProfile, model)


def media(model: str) -> MediaProfile:
    """Return what the catalog knows of a media model."""
    return resolve_model_as(MediaProfile, model)


# --- Embeddings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "dimensions", "default", "rows", "row_tokens", "request_tokens"),
    [
        (
            "qwen3.7-text-embedding",
            (2560, 2048, 1536, 1024, 768, 512, 256),
            1024,
            20,
            128_000,
            128_000,
        ),
        (
            "qwen3.7-text-embedding-flash",
            (1024, 768, 512, 256),
            1024,
            20,
            128_000,
            128_000,
        ),
        (
            "text-embedding-v4",
            (2048, 1536, 1024, 768, 512, 256, 128, 64),
            1024,
            10,
            8_192,
            8_192,
        ),
        (
            "text-embedding-v3",
            (1024, 768, 512, 256, 128, 64),
            1024,
            10,
            8_192,
            8_192,
        ),
        ("text-embedding-v2", (1536,), 1536, 25, 2_048, 2_048),
        ("text-embedding-v1", (1536,), 1536, 25, 2_048, 2_048),
    ],
)
def test_the_limits_of_text_embeddings(
    *,
    model: str,
    dimensions: tuple[int, ...],
    default: int,
    rows: int,
    row_tokens: int,
    request_tokens: int,
) -> None:
    profile = embedding(model)
    assert not profile.multimodal
    assert profile.dimensions == dimensions
    assert profile.default_dimension == default
    assert profile.max_rows == rows
    assert profile.max_row_tokens == row_tokens
    assert profile.max_request_tokens == request_tokens
    assert profile.protocols == ("openai", "dashscope")
    assert profile.native_path == "embeddings/text-embedding/text-embedding"


def test_beijing_accepts_more_tokens_of_v4() -> None:
    by_region = embedding("text-embedding-v4").max_request_tokens_by_region
    assert dict(by_region) == {"cn-beijing": 33_000}


@pytest.mark.parametrize(
    ("model", "sparse", "instruct", "normalized"),
    [
        ("qwen3.7-text-embedding", True, True, None),
        ("qwen3.7-text-embedding-flash", True, True, None),
        ("text-embedding-v4", True, True, None),
        ("text-embedding-v3", True, False, True),
        ("text-embedding-v2", False, False, True),
        ("text-embedding-v1", False, False, False),
    ],
)
def test_the_options_of_text_embeddings(
    model: str, sparse: bool, instruct: bool, normalized: bool | None
) -> None:
    profile = embedding(model)
    assert profile.sparse is sparse
    assert profile.instruct is instruct
    assert profile.normalized is normalized
    assert profile.text_type is True


@pytest.mark.parametrize(
    ("model", "default", "tokens", "fusion", "contents", "images", "videos"),
    [
        ("qwen3-vl-embedding", 2560, 32_000, "parameter", 20, 10, 1),
        ("qwen2.5-vl-embedding", 1024, 32_000, "always", 3, 1, 1),
        (
            "tongyi-embedding-vision-plus-2026-03-06",
            1152,
            1_024,
            "one-content",
            20,
            64,
            8,
        ),
        (
            "tongyi-embedding-vision-flash-2026-03-06",
            768,
            1_024,
            "one-content",
            20,
            64,
            8,
        ),
        ("tongyi-embedding-vision-plus", 1152, 1_024, "never", None, None, None),
        ("tongyi-embedding-vision-flash", 768, 1_024, "never", None, None, None),
        ("multimodal-embedding-v1", 1024, 512, "never", 20, 1, 1),
    ],
)
def test_the_limits_of_multimodal_embeddings(
    *,
    model: str,
    default: int,
    tokens: int,
    fusion: str,
    contents: int | None,
    images: int | None,
    videos: int | None,
) -> None:
    profile = embedding(model)
    assert profile.multimodal
    assert profile.inputs == {"text", "image", "video"}
    assert profile.protocols == ("dashscope",)
    assert profile.default_dimension == default
    assert profile.max_row_tokens == tokens
    assert profile.fusion == fusion
    assert profile.max_contents == contents
    assert profile.max_images == images
    assert profile.max_videos == videos


@pytest.mark.parametrize("model", model_ids("embedding"))
def test_the_default_dimension_can_be_asked_for(model: str) -> None:
    profile = embedding(model)
    if profile.dimensions is not None:
        assert profile.default_dimension in profile.dimensions
        assert list(profile.dimensions) == sorted(profile.dimensions, reverse=True)


def test_a_version_that_is_not_known_has_no_limits() -> None:
    profile = embedding("text-embedding-v5")
    assert not profile.exact
    assert profile.max_rows is None
    assert profile.dimensions is None
    assert profile.native_path == "embeddings/text-embedding/text-embedding"


# --- Rerank -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "shape", "documents", "item_tokens", "request_tokens", "instruct"),
    [
        ("qwen3.7-text-rerank", "nested", 500, 30_000, 120_000, True),
        ("qwen3-rerank", "flat", 500, 4_000, 120_000, True),
        ("qwen3-vl-rerank", "nested", 100, 8_000, 120_000, True),
        ("gte-rerank-v2", "nested", 500, 4_000, 30_000, False),
    ],
)
def test_the_limits_of_rerank_models(
    *,
    model: str,
    shape: str,
    documents: int,
    item_tokens: int,
    request_tokens: int,
    instruct: bool,
) -> None:
    profile = resolve_model_as(RerankProfile, model)
    assert profile.shape == shape
    assert profile.flat_path == ("reranks" if shape == "flat" else None)
    assert profile.native_path == "rerank/text-rerank/text-rerank"
    assert profile.max_documents == documents
    assert profile.max_item_tokens == item_tokens
    assert profile.max_request_tokens == request_tokens
    assert profile.instruct is instruct


def test_gte_rerank_is_delisted() -> None:
    profile = resolve_model("gte-rerank")
    assert profile.delisted == date(2026, 5, 30)
    assert profile.replacement == "qwen3-rerank"
    others = [m for m in model_ids(None) if m not in model_ids()]
    assert [m for m in others if resolve_model(m).delisted] == ["gte-rerank"]


# --- Media --------------------------------------------------------------------------

IMAGES = "aigc/image-generation/generation"
MULTIMODAL = "aigc/multimodal-generation/generation"
TEXT_TO_IMAGE = "aigc/text2image/image-synthesis"
IMAGE_TO_IMAGE = "aigc/image2image/image-synthesis"
VIDEO = "aigc/video-generation/video-synthesis"
SPEECH = "audio/asr/transcription"


@pytest.mark.parametrize(
    ("model", "calls", "path", "sync_path", "input_form", "result_form"),
    [
        ("wan2.6-t2i", "both", IMAGES, MULTIMODAL, "messages", "choices"),
        ("wan2.6-image", "both", IMAGES, MULTIMODAL, "messages", "choices"),
        ("wan2.7-image-pro", "both", IMAGES, MULTIMODAL, "messages", "choices"),
        ("qwen-image-3.0-pro", "both", IMAGES, MULTIMODAL, "messages", "choices"),
        ("qwen-image-2.0", "sync", MULTIMODAL, MULTIMODAL, "messages", "choices"),
        ("qwen-image-max", "both", TEXT_TO_IMAGE, MULTIMODAL, "prompt", "results"),
        ("qwen-image-edit", "sync", MULTIMODAL, MULTIMODAL, "messages", "choices"),
        ("z-image-turbo", "sync", MULTIMODAL, MULTIMODAL, "messages", "choices"),
        ("wan2.5-t2i-preview", "async", TEXT_TO_IMAGE, None, "prompt", "results"),
        ("wan2.2-t2i-x", "async", TEXT_TO_IMAGE, None, "prompt", "results"),
        ("wanx-v1", "async", TEXT_TO_IMAGE, None, "prompt", "results"),
        (
            "wan2.5-i2i-preview",
            "async",
            IMAGE_TO_IMAGE,
            None,
            "prompt+images",
            "results",
        ),
        ("qwen-mt-image", "async", IMAGE_TO_IMAGE, None, "image_url", "image_url"),
        (
            "wanx2.1-imageedit",
            "async",
            IMAGE_TO_IMAGE,
            None,
            "base_image_url",
            "results",
        ),
        ("wanx-style-repaint-v1", "async", IMAGES, None, "image_url", "results"),
        ("wan2.6-t2v", "async", VIDEO, None, "prompt", "video_url"),
        ("wan2.7-t2v", "async", VIDEO, None, "prompt", "video_url"),
        ("wan2.7-i2v", "async", VIDEO, None, "media", "video_url"),
        ("wan2.6-i2v-flash", "async", VIDEO, None, "img_url", "video_url"),
        ("wan2.5-i2v-preview", "async", VIDEO, None, "img_url", "video_url"),
        ("wan2.2-i2v-plus", "async", VIDEO, None, "img_url", "video_url"),
        ("wan2.1-i2v-turbo", "async", VIDEO, None, "img_url", "video_url"),
        ("wanx2.1-i2v-plus", "async", VIDEO, None, "img_url", "video_url"),
        ("wan3.0-video", "async", VIDEO, None, "media", "video_url"),
        ("happyhorse-1.1-x", "async", VIDEO, None, "media", "video_url"),
        (
            "wan2.2-kf2v-x",
            "async",
            "aigc/image2video/video-synthesis",
            None,
            "frames",
            "video_url",
        ),
        ("fun-asr", "async", SPEECH, None, "file_urls", "transcription"),
        ("paraformer-v2", "async", SPEECH, None, "file_urls", "transcription"),
        (
            "qwen3-asr-flash-filetrans",
            "async",
            SPEECH,
            None,
            "file_url",
            "transcription",
        ),
        (
            "text-embedding-async-v2",
            "async",
            "embeddings/text-embedding/text-embedding",
            None,
            "url",
            "url",
        ),
    ],
)
def test_where_a_media_request_goes(
    *,
    model: str,
    calls: str,
    path: str,
    sync_path: str | None,
    input_form: str,
    result_form: str,
) -> None:
    profile = media(model)
    assert profile.calls == calls
    assert profile.native_path == path
    assert profile.sync_path == sync_path
    assert profile.input_form == input_form
    assert profile.result_form == result_form


@pytest.mark.parametrize("entry", MEDIA_MODELS, ids=name_entry)
def test_paths_and_calls_agree(entry: MediaProfile) -> None:
    assert (entry.sync_path is not None) == (entry.calls in {"sync", "both"})
    if entry.calls == "sync":
        assert entry.native_path == entry.sync_path
    if entry.calls == "websocket":
        assert entry.native_path is None


@pytest.mark.parametrize(
    ("model", "default", "allowed"),
    [
        ("wan2.6-t2i", 4, None),
        ("wan2.6-image", 4, None),
        ("wan2.7-image", 4, (1, 4)),
        ("qwen-image-3.0", 1, (1, 6)),
        ("qwen-image-2.0-pro", 1, (1, 6)),
        ("qwen-image", 1, (1, 1)),
        ("qwen-image-edit", 1, (1, 1)),
        ("qwen-image-edit-plus", 1, (1, 6)),
        ("z-image-turbo", 1, (1, 1)),
    ],
)
def test_how_many_images_are_made(
    model: str, default: int, allowed: tuple[int, int] | None
) -> None:
    profile = media(model)
    assert profile.default_n == default
    assert profile.n_range == allowed


def test_where_happyhorse_is_served() -> None:
    assert media("happyhorse-1.1-t2v").regions == (
        "cn-beijing",
        "ap-southeast-1",
        "us-east-1",
        "eu-central-1",
        "cn-hongkong",
    )


def test_which_parameter_sets_the_size_of_a_video() -> None:
    assert media("wan2.6-i2v").size_parameter == "resolution"
    assert media("wan2.6-t2v").size_parameter == "size"
    assert media("wan2.7-t2v").size_parameter == "resolution"
    assert media("wan2.7-i2v").size_parameter is None
