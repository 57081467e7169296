"""The tables of embedding, rerank and media models: one entry a family.

Nothing here is code. Each entry names the sources of its facts: pages of the Model
Studio documentation by title, docs.qwencloud.com, the vendor's own command
(modelstudioai/cli) and its SDK (dashscope 2.0.2) by file; "recorded" is an exchange
with the service itself. Where two sources disagree, a comment says so. A column that is
left out is not known.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from modelstudio_core.catalog.profiles import (
    EmbeddingProfile,
    MediaInput,
    MediaProfile,
    RerankProfile,
)

_BEIJING = ("cn-beijing",)
_BEIJING_SINGAPORE = ("cn-beijing", "ap-southeast-1")
_CHECKED = date(2026, 11, 27)

# --- Text embeddings ----------------------------------------------------------------

# The API page states the limit of tokens for each row, the guide for each request.
_TEXT_EMBEDDING = EmbeddingProfile(
    protocols=("openai", "dashscope"),
    default_dimension=1024,
    text_type=True,
    regions=_BEIJING_SINGAPORE,
    source="Text embedding synchronous API; Embedding guide",
    checked=_CHECKED,
)
_QWEN37_EMBEDDING = replace(
    _TEXT_EMBEDDING,
    max_rows=20,
    max_row_tokens=128_000,
    max_request_tokens=128_000,
    sparse=True,
    instruct=True,
)
# `dimension` is ignored, not refused (recorded). v1's vectors have a length of 68 to
# 107, v2's of 1 (recorded).
_OLD_EMBEDDING = replace(
    _TEXT_EMBEDDING,
    max_rows=25,
    max_row_tokens=2_048,
    max_request_tokens=2_048,
    dimensions=(1536,),
    default_dimension=1536,
    sparse=False,
    instruct=False,
    regions=_BEIJING,
    source="Text embedding synchronous API; Embedding guide; recorded",
)

_TEXT_EMBEDDINGS = (
    replace(
        _QWEN37_EMBEDDING,
        ids=("qwen3.7-text-embedding",),
        prefix="qwen3.7-text-embedding",
        dimensions=(2560, 2048, 1536, 1024, 768, 512, 256),
    ),
    replace(
        _QWEN37_EMBEDDING,
        ids=("qwen3.7-text-embedding-flash",),
        prefix="qwen3.7-text-embedding-flash",
        dimensions=(1024, 768, 512, 256),
        regions=_BEIJING,
        source="Qwen3.7-Text-Embedding-Flash; Embedding guide",
    ),
    replace(
        _TEXT_EMBEDDING,
        ids=("text-embedding-v4",),
        max_rows=10,
        max_row_tokens=8_192,
        max_request_tokens=8_192,
        max_request_tokens_by_region={"cn-beijing": 33_000},
        dimensions=(2048, 1536, 1024, 768, 512, 256, 128, 64),
        sparse=True,
        instruct=True,
    ),
    # An older page of Singapore stops at 512 dimensions.
    replace(
        _TEXT_EMBEDDING,
        ids=("text-embedding-v3",),
        max_rows=10,
        max_row_tokens=8_192,
        max_request_tokens=8_192,
        dimensions=(1024, 768, 512, 256, 128, 64),
        normalized=True,
        sparse=True,
        instruct=False,
        source="Text embedding synchronous API; Embedding guide; recorded",
    ),
    replace(_OLD_EMBEDDING, ids=("text-embedding-v2",), normalized=True),
    replace(_OLD_EMBEDDING, ids=("text-embedding-v1",), normalized=False),
    # A version that is not known yet: only that it embeds text.
    EmbeddingProfile(
        prefix="text-embedding-v",
        source="Embedding guide",
        checked=_CHECKED,
    ),
)

# --- Multimodal embeddings ----------------------------------------------------------

MULTIMODAL_EMBEDDING_PATH: Final = (
    "embeddings/multimodal-embedding/multimodal-embedding"
)
_MULTIMODAL_EMBEDDING = EmbeddingProfile(
    multimodal=True,
    inputs=frozenset({"text", "image", "video"}),
    protocols=("dashscope",),
    native_path=MULTIMODAL_EMBEDDING_PATH,
    sparse=False,
    regions=_BEIJING,
    source="Multimodal embedding API reference; Embedding guide",
    checked=_CHECKED,
)
_VISION_2026 = replace(
    _MULTIMODAL_EMBEDDING,
    max_row_tokens=1_024,
    fusion="one-content",
    max_contents=20,
    max_images=64,
    max_videos=8,
    max_image_megabytes=10,
    max_video_megabytes=50,
)
# The API reference says that the length is fixed, other pages list several lengths.
_VISION = replace(
    _MULTIMODAL_EMBEDDING,
    max_row_tokens=1_024,
    fusion="never",
    max_image_list=8,
    max_image_megabytes=3,
    max_video_megabytes=10,
    regions=_BEIJING_SINGAPORE,
)

_MULTIMODAL_EMBEDDINGS = (
    # Another page says 5 MB an image.
    replace(
        _MULTIMODAL_EMBEDDING,
        ids=("qwen3-vl-embedding",),
        prefix="qwen3-vl-embedding",
        max_row_tokens=32_000,
        dimensions=(2560, 2048, 1536, 1024, 768, 512, 256),
        default_dimension=2560,
        instruct=True,
        fusion="parameter",
        max_contents=20,
        max_images=10,
        max_videos=1,
        max_image_megabytes=10,
        max_video_megabytes=50,
    ),
    # Each type of content at most once.
    replace(
        _MULTIMODAL_EMBEDDING,
        ids=("qwen2.5-vl-embedding",),
        prefix="qwen2.5-vl-embedding",
        max_row_tokens=32_000,
        dimensions=(2048, 1024, 768, 512),
        default_dimension=1024,
        fusion="always",
        max_contents=3,
        max_images=1,
        max_videos=1,
        max_image_list=0,
        max_image_megabytes=5,
        max_video_megabytes=50,
    ),
    replace(
        _VISION_2026,
        ids=("tongyi-embedding-vision-plus-2026-03-06",),
        dimensions=(1152, 1024, 512, 256, 128, 64),
        default_dimension=1152,
    ),
    replace(
        _VISION_2026,
        ids=("tongyi-embedding-vision-flash-2026-03-06",),
        dimensions=(768, 512, 256, 128, 64),
        default_dimension=768,
    ),
    replace(_VISION, ids=("tongyi-embedding-vision-plus",), default_dimension=1152),
    replace(_VISION, ids=("tongyi-embedding-vision-flash",), default_dimension=768),
    # A snapshot that is not known yet: only what all of them share.
    replace(_MULTIMODAL_EMBEDDING, prefix="tongyi-embedding-vision", regions=None),
    replace(
        _MULTIMODAL_EMBEDDING,
        ids=("multimodal-embedding-v1",),
        prefix="multimodal-embedding-v",
        max_row_tokens=512,
        dimensions=(1024,),
        default_dimension=1024,
        fusion="never",
        max_contents=20,
        max_images=1,
        max_videos=1,
        max_image_megabytes=3,
        max_video_megabytes=10,
    ),
)

EMBEDDING_MODELS: Final = (*_TEXT_EMBEDDINGS, *_MULTIMODAL_EMBEDDINGS)

# --- Rerank -------------------------------------------------------------------------

_RERANK = RerankProfile(
    protocols=("dashscope",),
    max_documents=500,
    source="Text rerank API; Rerank guide",
    checked=_CHECKED,
)

RERANK_MODELS: Final = (
    replace(
        _RERANK,
        ids=("qwen3.7-text-rerank",),
        prefix="qwen3.7-text-rerank",
        max_item_tokens=30_000,
        max_request_tokens=120_000,
        instruct=True,
        regions=_BEIJING,
        source="Qwen3.7-Text-Rerank; Rerank guide",
    ),
    # It answers on the native path too, where pages and samples disagree on the shape.
    # An older page says 30,000 tokens a request.
    replace(
        _RERANK,
        ids=("qwen3-rerank",),
        prefix="qwen3-rerank",
        shape="flat",
        flat_path="reranks",
        max_item_tokens=4_000,
        max_request_tokens=120_000,
        instruct=True,
        regions=_BEIJING_SINGAPORE,
        source="Qwen3-Rerank; Text rerank API; Rerank guide",
    ),
    # An older page says 800,000 tokens a request.
    replace(
        _RERANK,
        ids=("qwen3-vl-rerank",),
        prefix="qwen3-vl-rerank",
        inputs=frozenset({"text", "image", "video"}),
        max_documents=100,
        max_images=40,
        max_videos=4,
        max_item_tokens=8_000,
        max_request_tokens=120_000,
        instruct=True,
        return_documents=True,
        regions=_BEIJING,
    ),
    replace(
        _RERANK,
        ids=("gte-rerank-v2",),
        max_item_tokens=4_000,
        max_request_tokens=30_000,
        instruct=False,
        return_documents=True,
        regions=_BEIJING,
    ),
    RerankProfile(
        ids=("gte-rerank",),
        protocols=("dashscope",),
        return_documents=True,
        delisted=date(2026, 5, 30),
        replacement="qwen3-rerank",
        source="Rerank guide; recorded",
        checked=_CHECKED,
    ),
)

# --- Paths of media -----------------------------------------------------------------

_MULTIMODAL = "aigc/multimodal-generation/generation"
_IMAGE_GENERATION = "aigc/image-generation/generation"
_TEXT_TO_IMAGE = "aigc/text2image/image-synthesis"
_IMAGE_TO_IMAGE = "aigc/image2image/image-synthesis"
_VIDEO = "aigc/video-generation/video-synthesis"
_BACKGROUND_GENERATION = "aigc/background-generation/generation/"
_FRAMES = "aigc/image2video/video-synthesis"
_TRANSCRIPTION = "audio/asr/transcription"
_FILE_EMBEDDING_PATH = "embeddings/text-embedding/text-embedding"

# The path of calls that are answered at once; every other one creates a task.
SYNC_MEDIA_PATH: Final = _MULTIMODAL
# What the paths read, for models that are not known.
MEDIA_FORMS: Final[Mapping[str, MediaInput]] = {
    _MULTIMODAL: "messages",
    _IMAGE_GENERATION: "messages",
    _TEXT_TO_IMAGE: "prompt",
    _IMAGE_TO_IMAGE: "prompt+images",
    _VIDEO: "media",
    _FRAMES: "frames",
    _TRANSCRIPTION: "file_urls",
    _FILE_EMBEDDING_PATH: "url",
}
# The paths of which ``n`` images are requested.
IMAGE_PATHS: Final = frozenset(
    {_IMAGE_GENERATION, _TEXT_TO_IMAGE, _IMAGE_TO_IMAGE, _BACKGROUND_GENERATION}
)

# The sources of most media entries.
_IMAGE_ROUTES = "modelstudioai/cli (image-routes.ts); docs.qwencloud.com"
_SPEECH_ROUTES = "modelstudioai/cli (asr-routes.ts); docs.qwencloud.com"
_VIDEO_ROUTES = "dashscope 2.0.2 (videos.py); docs.qwencloud.com"
_WEBSOCKET = "dashscope 2.0.2 (/api-ws/v1/realtime); recorded (list of models)"

# The pages advise to query every 10 s for images, and name 1 to 2 minutes for an image
# and 1 to 10 for a video (docs.qwencloud.com). A first query comes earlier, for models
# that are fast; the pace then slows down.
_VIDEO_POLLS = (10.0, 30.0)
_FILE_POLLS = (3.0, 30.0)

# --- Images -------------------------------------------------------------------------

_IMAGE = MediaProfile(
    outputs=frozenset({"image"}),
    protocols=("dashscope",),
    checked=_CHECKED,
)
_IMAGE_FROM_BOTH = frozenset({"text", "image"})
# Both calls: a synchronous one, and a task on another path.
_IMAGE_BOTH = replace(
    _IMAGE,
    calls="both",
    native_path=_IMAGE_GENERATION,
    sync_path=_MULTIMODAL,
    input_form="messages",
    result_form="choices",
)
_IMAGE_SYNC = replace(
    _IMAGE,
    calls="sync",
    native_path=_MULTIMODAL,
    sync_path=_MULTIMODAL,
    input_form="messages",
    result_form="choices",
)
_IMAGE_TASK = replace(
    _IMAGE,
    calls="async",
    native_path=_TEXT_TO_IMAGE,
    input_form="prompt",
    result_form="results",
    source=_IMAGE_ROUTES,
)
# Tasks with results in `choices`, against the page, which says `results`: tried by
# third parties on 2026-09-23 and 2026-09-26.
_QWEN_IMAGE_3 = replace(
    _IMAGE_BOTH,
    protocols=("openai", "dashscope"),
    inputs=_IMAGE_FROM_BOTH,
    default_n=1,
    n_range=(1, 6),
    input_images=(0, 3),
    regions=_BEIJING_SINGAPORE,
    source="Qwen-Image generation and editing API reference",
)
_QWEN_IMAGE_2 = replace(
    _IMAGE_SYNC,
    inputs=_IMAGE_FROM_BOTH,
    default_n=1,
    n_range=(1, 6),
    regions=_BEIJING_SINGAPORE,
    source="Qwen-Image generation and editing API reference",
)
# One page says tasks only, another client sends synchronous calls, and one of them was
# recorded with 200.
_QWEN_IMAGE = replace(
    _IMAGE_BOTH,
    native_path=_TEXT_TO_IMAGE,
    input_form="prompt",
    result_form="results",
    default_n=1,
    n_range=(1, 1),
    regions=_BEIJING_SINGAPORE,
    source="Qwen-Image API; recorded",
)
_QWEN_IMAGE_EDIT = replace(
    _IMAGE_SYNC,
    inputs=_IMAGE_FROM_BOTH,
    default_n=1,
    n_range=(1, 6),
    input_images=(1, 3),
    regions=_BEIJING_SINGAPORE,
    source=_IMAGE_ROUTES,
)
# n defaults to 4, and to 12 for a sequence, which may have up to 12 images.
_WAN27_IMAGE = replace(
    _IMAGE_BOTH,
    inputs=_IMAGE_FROM_BOTH,
    default_n=4,
    n_range=(1, 4),
    input_images=(0, 9),
    max_prompt_characters=5_000,
    source="Wan image generation and editing API reference",
)

_IMAGES = (
    replace(
        _IMAGE_BOTH,
        ids=("wan2.6-t2i",),
        prefix="wan2.6-t2i",
        default_n=4,
        max_prompt_characters=2_100,
        # The first page's example of a task is for Virginia and Frankfurt.
        regions=("cn-beijing", "ap-southeast-1", "us-east-1", "eu-central-1"),
        source=f"Regions and deployment modes; {_IMAGE_ROUTES}",
    ),
    # A text alone needs a task; 0 or 1 image beside it where interleaved answers are
    # asked for, which need a task or a stream.
    replace(
        _IMAGE_BOTH,
        ids=("wan2.6-image",),
        prefix="wan2.6-image",
        inputs=_IMAGE_FROM_BOTH,
        outputs=frozenset({"text", "image"}),
        default_n=4,
        input_images=(0, 4),
        max_prompt_characters=2_000,
        source="Wan image generation and editing API reference",
    ),
    replace(_WAN27_IMAGE, ids=("wan2.7-image",), prefix="wan2.7-image"),
    replace(_WAN27_IMAGE, ids=("wan2.7-image-pro",), prefix="wan2.7-image-pro"),
    replace(
        _QWEN_IMAGE_3,
        ids=("qwen-image-3.0", "qwen-image-3.0-pro"),
        prefix="qwen-image-3.0",
    ),
    replace(
        _QWEN_IMAGE_2,
        ids=(
            "qwen-image-2.0",
            "qwen-image-2.0-2026-03-03",
            "qwen-image-2.0-pro",
            "qwen-image-2.0-pro-2026-03-03",
            "qwen-image-2.0-pro-2026-04-22",
            "qwen-image-2.0-pro-2026-06-22",
        ),
        prefix="qwen-image-2.0",
    ),
    replace(_QWEN_IMAGE, ids=("qwen-image",)),
    replace(
        _QWEN_IMAGE,
        ids=("qwen-image-plus", "qwen-image-plus-2026-01-09"),
        prefix="qwen-image-plus",
    ),
    replace(
        _QWEN_IMAGE,
        ids=("qwen-image-max", "qwen-image-max-2025-12-30"),
        prefix="qwen-image-max",
    ),
    # A version that is not known yet: only that it makes images.
    replace(_IMAGE, prefix="qwen-image", source="Qwen-Image API"),
    replace(
        _QWEN_IMAGE_EDIT,
        ids=("qwen-image-edit",),
        prefix="qwen-image-edit",
        n_range=(1, 1),
    ),
    replace(
        _QWEN_IMAGE_EDIT,
        ids=(
            "qwen-image-edit-plus",
            "qwen-image-edit-plus-2025-10-30",
            "qwen-image-edit-plus-2025-12-15",
        ),
        prefix="qwen-image-edit-plus",
    ),
    replace(
        _QWEN_IMAGE_EDIT,
        ids=("qwen-image-edit-max", "qwen-image-edit-max-2026-01-16"),
        prefix="qwen-image-edit-max",
    ),
    replace(
        _IMAGE_SYNC,
        ids=("z-image-turbo",),
        prefix="z-image",
        default_n=1,
        n_range=(1, 1),
        source=_IMAGE_ROUTES,
    ),
    replace(_IMAGE_TASK, ids=("wan2.5-t2i-preview",), prefix="wan2.5-t2i"),
    replace(_IMAGE_TASK, prefix="wan2.2-t2i"),
    replace(_IMAGE_TASK, prefix="wan2.1-t2i"),
    replace(_IMAGE_TASK, prefix="wanx2.1-t2i"),
    replace(_IMAGE_TASK, prefix="wanx2.0-t2i"),
    replace(
        _IMAGE_TASK,
        ids=("wanx-v1",),
        source=f"{_IMAGE_ROUTES}; recorded",
    ),
    # The international pages list it for Singapore alone.
    replace(
        _IMAGE_TASK,
        ids=("wan2.5-i2i-preview",),
        prefix="wan2.5-i2i",
        native_path=_IMAGE_TO_IMAGE,
        inputs=_IMAGE_FROM_BOTH,
        input_form="prompt+images",
        source=_IMAGE_ROUTES,
    ),
    replace(
        _IMAGE_TASK,
        ids=("qwen-mt-image",),
        prefix="qwen-mt-image",
        native_path=_IMAGE_TO_IMAGE,
        inputs=_IMAGE_FROM_BOTH,
        input_form="image_url",
        result_form="image_url",
        source=_IMAGE_ROUTES,
    ),
    # At once by default; a task on request is one client's word.
    replace(
        _IMAGE,
        ids=("qwen-mt-image-2.0",),
        prefix="qwen-mt-image-2",
        inputs=_IMAGE_FROM_BOTH,
        source=_IMAGE_ROUTES,
    ),
    replace(
        _IMAGE_TASK,
        ids=("wanx2.1-imageedit",),
        prefix="wanx2.1-imageedit",
        native_path=_IMAGE_TO_IMAGE,
        inputs=_IMAGE_FROM_BOTH,
        input_form="base_image_url",
        source=_IMAGE_ROUTES,
    ),
    replace(
        _IMAGE_TASK,
        ids=("wanx-style-repaint-v1",),
        prefix="wanx-style-repaint",
        native_path=_IMAGE_GENERATION,
        inputs=frozenset({"image"}),
        input_form="image_url",
        source="recorded",
    ),
    replace(
        _IMAGE_TASK,
        ids=("wanx-background-generation-v2",),
        prefix="wanx-background-generation",
        native_path=_BACKGROUND_GENERATION,
        inputs=_IMAGE_FROM_BOTH,
        input_form=None,
        source="recorded",
    ),
)

# --- Video --------------------------------------------------------------------------

_VIDEO_TASK = MediaProfile(
    outputs=frozenset({"video"}),
    protocols=("dashscope",),
    calls="async",
    native_path=_VIDEO,
    input_form="prompt",
    result_form="video_url",
    poll_seconds=_VIDEO_POLLS,
    source=_VIDEO_ROUTES,
    checked=_CHECKED,
)
_TEXT_TO_VIDEO = replace(
    _VIDEO_TASK, inputs=frozenset({"text", "audio"}), size_parameter="size"
)
_MEDIA_TO_VIDEO = replace(
    _VIDEO_TASK,
    inputs=frozenset({"text", "image", "video", "audio"}),
    input_form="media",
    source=_VIDEO_ROUTES,
)
# One first frame. `wan2.7-i2v` and later have media instead.
_IMAGE_TO_VIDEO = replace(
    _VIDEO_TASK,
    inputs=frozenset({"text", "image"}),
    input_form="img_url",
    size_parameter="resolution",
    source=f"Wan image-to-video API reference; {_VIDEO_ROUTES}",
)
_SPOKEN_IMAGE_TO_VIDEO = replace(
    _IMAGE_TO_VIDEO, inputs=frozenset({"text", "image", "audio"})
)
_FRAMES_TO_VIDEO = replace(
    _VIDEO_TASK,
    native_path=_FRAMES,
    inputs=frozenset({"text", "image"}),
    input_form="frames",
    source=_VIDEO_ROUTES,
)

_VIDEOS = (
    replace(_TEXT_TO_VIDEO, ids=("wan2.6-t2v",), prefix="wan2.6-t2v"),
    replace(_TEXT_TO_VIDEO, ids=("wan2.5-t2v-preview",), prefix="wan2.5-t2v"),
    replace(_TEXT_TO_VIDEO, prefix="wan2.2-t2v", inputs=frozenset({"text"})),
    replace(_TEXT_TO_VIDEO, prefix="wan2.1-t2v", inputs=frozenset({"text"})),
    replace(
        _TEXT_TO_VIDEO,
        ids=("wanx2.1-t2v-turbo",),
        prefix="wanx2.1-t2v",
        inputs=frozenset({"text"}),
        source=f"{_VIDEO_ROUTES}; recorded",
    ),
    # `duration` is a whole number of seconds, 2 to 15.
    replace(
        _TEXT_TO_VIDEO,
        ids=("wan2.7-t2v", "wan2.7-t2v-2026-04-25", "wan2.7-t2v-2026-06-12"),
        prefix="wan2.7-t2v",
        size_parameter="resolution",
        max_prompt_characters=5_000,
    ),
    replace(_MEDIA_TO_VIDEO, ids=("wan2.7-i2v",), prefix="wan2.7-i2v"),
    replace(_MEDIA_TO_VIDEO, ids=("wan2.7-r2v",), prefix="wan2.7-r2v"),
    replace(_MEDIA_TO_VIDEO, ids=("wan2.7-videoedit",), prefix="wan2.7-videoedit"),
    replace(_MEDIA_TO_VIDEO, ids=("wan3.0-video",), prefix="wan3.0"),
    replace(
        _MEDIA_TO_VIDEO,
        prefix="happyhorse-",
        # Frankfurt and Hong Kong since 2026-06.
        regions=(
            "cn-beijing",
            "ap-southeast-1",
            "us-east-1",
            "eu-central-1",
            "cn-hongkong",
        ),
        source=f"alibabacloud.com/help (2026-06); {_VIDEO_ROUTES}",
    ),
    replace(_SPOKEN_IMAGE_TO_VIDEO, ids=("wan2.6-i2v",), prefix="wan2.6-i2v"),
    replace(_SPOKEN_IMAGE_TO_VIDEO, ids=("wan2.5-i2v-preview",), prefix="wan2.5-i2v"),
    replace(_IMAGE_TO_VIDEO, ids=("wan2.2-i2v-plus",), prefix="wan2.2-i2v"),
    replace(_IMAGE_TO_VIDEO, prefix="wan2.1-i2v"),
    replace(
        _IMAGE_TO_VIDEO,
        ids=("wanx2.1-i2v-plus", "wanx2.1-i2v-turbo"),
        prefix="wanx2.1-i2v",
    ),
    replace(_FRAMES_TO_VIDEO, prefix="wan2.2-kf2v"),
    replace(_FRAMES_TO_VIDEO, prefix="wan2.1-kf2v"),
    replace(_FRAMES_TO_VIDEO, prefix="wanx2.1-kf2v"),
    # Other Wan models: images or video, and no more is known.
    MediaProfile(
        prefix="wan2.",
        protocols=("dashscope",),
        source=_VIDEO_ROUTES,
        checked=_CHECKED,
    ),
    MediaProfile(
        prefix="wanx",
        protocols=("dashscope",),
        source=_IMAGE_ROUTES,
        checked=_CHECKED,
    ),
    # Third parties' models, images and video, that must be activated first.
    MediaProfile(prefix="vidu/", calls="async", source=_IMAGE_ROUTES, checked=_CHECKED),
    MediaProfile(
        prefix="kling/", calls="async", source=_IMAGE_ROUTES, checked=_CHECKED
    ),
)

# --- Speech recognition -------------------------------------------------------------

_SPEECH_RECOGNITION = MediaProfile(
    inputs=frozenset({"audio"}),
    outputs=frozenset({"text"}),
    protocols=("dashscope",),
    source="Speech Recognition",
    checked=_CHECKED,
)
_FILE_RECOGNITION = replace(
    _SPEECH_RECOGNITION,
    calls="async",
    native_path=_TRANSCRIPTION,
    input_form="file_urls",
    result_form="transcription",
    poll_seconds=_FILE_POLLS,
    source=_SPEECH_ROUTES,
)
_FLASH_RECOGNITION = replace(
    _SPEECH_RECOGNITION,
    calls="sync",
    native_path=_MULTIMODAL,
    sync_path=_MULTIMODAL,
    input_form="messages",
    source="Qwen-Audio-3.x-ASR-Flash/Fun-ASR-Flash",
)
_WEBSOCKET_RECOGNITION = replace(_SPEECH_RECOGNITION, calls="websocket")

_RECOGNITION = (
    replace(_FILE_RECOGNITION, ids=("fun-asr", "fun-asr-mtl"), prefix="fun-asr"),
    replace(
        _FILE_RECOGNITION,
        ids=("paraformer-v2", "paraformer-8k-v2"),
        prefix="paraformer",
    ),
    replace(_FILE_RECOGNITION, prefix="sensevoice"),
    # The only model with a single `file_url`.
    replace(
        _FILE_RECOGNITION,
        ids=("qwen3-asr-flash-filetrans", "qwen3-asr-flash-filetrans-2025-11-17"),
        prefix="qwen3-asr-flash-filetrans",
        input_form="file_url",
        source="Audio file recognition (Qwen-ASR) API reference",
    ),
    replace(
        _FILE_RECOGNITION,
        ids=("qwen-audio-3.0-asr-flash-filetrans",),
        prefix="qwen-audio-3.0-asr-flash-filetrans",
        source="Qwen-Audio-3.x-ASR-Flash-Filetrans/Fun-ASR",
    ),
    replace(
        _FILE_RECOGNITION,
        ids=("qwen-audio-3.1-asr-flash-filetrans",),
        prefix="qwen-audio-3.1-asr-flash-filetrans",
        source="Qwen-Audio-3.x-ASR-Flash-Filetrans/Fun-ASR",
    ),
    replace(
        _FLASH_RECOGNITION, ids=("fun-asr-flash-2026-06-15",), prefix="fun-asr-flash"
    ),
    replace(
        _FLASH_RECOGNITION,
        ids=("qwen-audio-3.0-asr-flash",),
        prefix="qwen-audio-3.0-asr-flash",
    ),
    replace(
        _FLASH_RECOGNITION,
        ids=("qwen-audio-3.1-asr-flash",),
        prefix="qwen-audio-3.1-asr-flash",
    ),
    replace(
        _SPEECH_RECOGNITION,
        ids=("qwen-audio-3.0-asr-flash-streaming",),
        prefix="qwen-audio-3.0-asr-flash-streaming",
    ),
    replace(
        _SPEECH_RECOGNITION,
        ids=("qwen-audio-3.1-asr-flash-streaming",),
        prefix="qwen-audio-3.1-asr-flash-streaming",
    ),
    replace(
        _WEBSOCKET_RECOGNITION,
        ids=("qwen-audio-3.1-asr-flash-message",),
        prefix="qwen-audio-3.1-asr-flash-message",
        source="Qwen-Audio-ASR-Message: model connection options",
    ),
    replace(
        _WEBSOCKET_RECOGNITION,
        ids=(
            "qwen3-asr-flash-realtime",
            "qwen3-asr-flash-realtime-2025-10-27",
            "qwen3-asr-flash-realtime-2026-02-10",
        ),
        prefix="qwen3-asr-flash-realtime",
    ),
    replace(
        _WEBSOCKET_RECOGNITION, ids=("fun-asr-realtime",), prefix="fun-asr-realtime"
    ),
    replace(
        _WEBSOCKET_RECOGNITION,
        ids=("fun-asr-flash-8k-realtime",),
        prefix="fun-asr-flash-8k-realtime",
    ),
    replace(
        _WEBSOCKET_RECOGNITION,
        ids=("paraformer-realtime-v2", "paraformer-realtime-8k-v2"),
        prefix="paraformer-realtime",
    ),
    replace(_WEBSOCKET_RECOGNITION, ids=("gummy-realtime-v1",), prefix="gummy-"),
)

# --- Speech synthesis, and conversations over WebSocket -----------------------------

_SPEECH_SYNTHESIS = MediaProfile(
    outputs=frozenset({"audio"}), source="recorded (list of models)", checked=_CHECKED
)
_WEBSOCKET_SYNTHESIS = replace(
    _SPEECH_SYNTHESIS,
    calls="websocket",
    source=_WEBSOCKET,
)
_WEBSOCKET_OMNI = MediaProfile(
    inputs=frozenset({"text", "image", "audio", "video"}),
    outputs=frozenset({"text", "audio"}),
    calls="websocket",
    source=_WEBSOCKET,
    checked=_CHECKED,
)
_WEBSOCKET_SPEECH = replace(_WEBSOCKET_OMNI, inputs=frozenset({"audio"}))

_SPEECH = (
    replace(
        _SPEECH_SYNTHESIS,
        ids=(
            "qwen3-tts-flash",
            "qwen3-tts-flash-2025-09-18",
            "qwen3-tts-flash-2025-11-27",
            "qwen3-tts-instruct-flash",
            "qwen3-tts-instruct-flash-2026-01-26",
            "qwen3-tts-vc-2026-01-22",
            "qwen3-tts-vd-2026-01-26",
        ),
        prefix="qwen3-tts",
    ),
    replace(
        _SPEECH_SYNTHESIS,
        ids=("qwen-tts", "qwen-tts-latest", "qwen-tts-2025-05-22"),
        prefix="qwen-tts",
    ),
    replace(
        _WEBSOCKET_SYNTHESIS,
        ids=("cosyvoice-v3-plus", "cosyvoice-v3-flash", "cosyvoice-v2", "cosyvoice-v1"),
        prefix="cosyvoice-",
    ),
    replace(_WEBSOCKET_SYNTHESIS, prefix="sambert-"),
    replace(
        _WEBSOCKET_OMNI,
        ids=("qwen3.8-omni-flash-realtime",),
        prefix="qwen3.8-omni-flash-realtime",
        source="Function calling",
    ),
    replace(
        _WEBSOCKET_SPEECH,
        ids=(
            "qwen-audio-3.1-realtime-plus",
            "qwen-audio-3.0-realtime-plus",
            "qwen-audio-3.0-realtime-flash",
        ),
        prefix="qwen-audio-3.",
        source="Function calling",
    ),
    replace(
        _SPEECH_SYNTHESIS,
        ids=(
            "MiniMax/speech-02-hd",
            "MiniMax/speech-02-turbo",
            "MiniMax/speech-2.8-hd",
            "MiniMax/speech-2.8-turbo",
        ),
        prefix="MiniMax/speech-",
        regions=_BEIJING,
    ),
    replace(
        _WEBSOCKET_SYNTHESIS,
        ids=(
            "qwen3-tts-flash-realtime",
            "qwen3-tts-flash-realtime-2025-09-18",
            "qwen3-tts-flash-realtime-2025-11-27",
        ),
        prefix="qwen3-tts-flash-realtime",
    ),
    replace(
        _WEBSOCKET_SYNTHESIS,
        ids=(
            "qwen3-tts-instruct-flash-realtime",
            "qwen3-tts-instruct-flash-realtime-2026-01-22",
        ),
        prefix="qwen3-tts-instruct-flash-realtime",
    ),
    replace(
        _WEBSOCKET_SYNTHESIS,
        ids=("qwen3-tts-vc-realtime-2025-11-27", "qwen3-tts-vc-realtime-2026-01-15"),
        prefix="qwen3-tts-vc-realtime",
    ),
    replace(
        _WEBSOCKET_SYNTHESIS,
        ids=("qwen3-tts-vd-realtime-2025-12-16", "qwen3-tts-vd-realtime-2026-01-15"),
        prefix="qwen3-tts-vd-realtime",
    ),
    replace(
        _WEBSOCKET_OMNI,
        ids=(
            "qwen3-omni-flash-realtime",
            "qwen3-omni-flash-realtime-2025-09-15",
            "qwen3-omni-flash-realtime-2025-12-01",
        ),
        prefix="qwen3-omni-flash-realtime",
    ),
    replace(
        _WEBSOCKET_OMNI,
        ids=("qwen3.5-omni-plus-realtime", "qwen3.5-omni-plus-realtime-2026-03-15"),
        prefix="qwen3.5-omni-plus-realtime",
    ),
    replace(
        _WEBSOCKET_OMNI,
        ids=("qwen3.5-omni-flash-realtime", "qwen3.5-omni-flash-realtime-2026-03-15"),
        prefix="qwen3.5-omni-flash-realtime",
    ),
    replace(
        _WEBSOCKET_OMNI,
        ids=("qwen-omni-turbo-realtime", "qwen-omni-turbo-realtime-latest"),
        prefix="qwen-omni-turbo-realtime",
    ),
    replace(
        _WEBSOCKET_SPEECH,
        ids=(
            "qwen3-livetranslate-flash-realtime",
            "qwen3-livetranslate-flash-realtime-2025-09-22",
        ),
        prefix="qwen3-livetranslate-flash-realtime",
    ),
    replace(
        _WEBSOCKET_SPEECH,
        ids=(
            "qwen3.5-livetranslate-flash-realtime",
            "qwen3.5-livetranslate-flash-realtime-2026-05-19",
        ),
        prefix="qwen3.5-livetranslate",
    ),
    replace(
        _WEBSOCKET_SPEECH,
        ids=("qwen3-s2s-flash-realtime", "qwen3-s2s-flash-realtime-2025-09-22"),
        prefix="qwen3-s2s-flash-realtime",
    ),
)

# --- Embeddings of files ------------------------------------------------------------

# The file: UTF-8, one text a line, at most 100,000 lines and 200 MB.
_FILE_EMBEDDING = MediaProfile(
    outputs=frozenset({"embedding"}),
    protocols=("dashscope",),
    calls="async",
    native_path=_FILE_EMBEDDING_PATH,
    input_form="url",
    result_form="url",
    poll_seconds=_FILE_POLLS,
    regions=_BEIJING,
    source="Text embedding batch API; recorded",
    checked=_CHECKED,
)

_FILE_EMBEDDINGS = (
    replace(
        _FILE_EMBEDDING,
        ids=("text-embedding-async-v2", "text-embedding-async-v1"),
        prefix="text-embedding-async",
    ),
)

MEDIA_MODELS: Final = (
    *_IMAGES,
    *_VIDEOS,
    *_RECOGNITION,
    *_SPEECH,
    *_FILE_EMBEDDINGS,
)
