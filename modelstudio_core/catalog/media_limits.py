"""The limits of images, video, audio and PDFs in chat, by family of models.

Sources: "Image and video understanding" (October 2026), "Omni-modal (Qwen-Omni)"
(September 2026), "PDF understanding" (October 2026), "Kimi" and "Kimi (Moonshot AI)"
(July 2026), "Stepfun" (October 2026). Where two pages differ, the larger limit is kept:
the service itself refuses what is too large.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from modelstudio_core.catalog.profiles import MediaLimits

__all__ = [
    "AUDIO",
    "KIMI",
    "MOONSHOT",
    "OLD_VISION",
    "OMNI_3",
    "OMNI_35",
    "OMNI_38",
    "OMNI_TURBO",
    "QVQ",
    "QWEN3_VL",
    "QWEN3_VL_SMALL",
    "QWEN_PLUS_VISION",
    "QWEN_VISION",
    "QWEN_VISION_PDF",
    "QWEN_VL_MAX",
    "QWEN_VL_OCR",
    "QWEN_VL_PLUS",
    "STEPFUN",
]

_IMAGE_FORMATS: Final = frozenset({"bmp", "jpeg", "png", "tiff", "webp", "heic"})
_AUDIO_FORMATS: Final = frozenset({"amr", "wav", "3gpp", "aac", "mpeg"})
_HOUR: Final = 3600
_MINUTE: Final = 60

# --- Images -------------------------------------------------------------------------

# 20 MB by URL and before encoding: Qwen3.5 to 3.8 and Qwen3-VL; others 10 MB.
_IMAGE: Final = MediaLimits(
    max_count=256,
    max_inline_count=250,
    max_megabytes=20,
    max_inline_megabytes=20,
    inline=True,
    formats=_IMAGE_FORMATS,
)
_MANY_IMAGES: Final = replace(_IMAGE, max_count=2048)
_SMALL_IMAGE: Final = replace(_IMAGE, max_megabytes=10, max_inline_megabytes=10)

# --- Video --------------------------------------------------------------------------

_VIDEO: Final = MediaLimits(
    max_count=64,
    max_megabytes=2048,
    max_encoded_megabytes=10,
    seconds=(2, 2 * _HOUR),
    frames=(4, 8000),
    inline=True,
)
_VIDEO_1H: Final = replace(_VIDEO, seconds=(2, _HOUR), frames=(4, 2000))
_VIDEO_20MIN: Final = replace(_VIDEO, seconds=(2, 20 * _MINUTE), frames=(4, 512))
_VIDEO_10MIN: Final = replace(
    _VIDEO_20MIN, max_megabytes=1024, seconds=(2, 10 * _MINUTE)
)
_VIDEO_40S: Final = replace(_VIDEO, max_megabytes=150, seconds=(2, 40), frames=(4, 80))

# --- PDF ----------------------------------------------------------------------------

_PDF: Final = MediaLimits(
    max_megabytes=150, max_pages=256, inline=True, formats=frozenset({"pdf"})
)

# --- Audio --------------------------------------------------------------------------

_AUDIO: Final = MediaLimits(
    max_count=2048,
    max_inline_count=250,
    max_megabytes=2048,
    max_encoded_megabytes=10,
    seconds=(0, 3 * _HOUR),
    inline=True,
    formats=_AUDIO_FORMATS,
)
_ONE_AUDIO: Final = replace(
    _AUDIO,
    max_count=1,
    max_inline_count=1,
    max_megabytes=100,
    seconds=(0, 20 * _MINUTE),
)
_SHORT_AUDIO: Final = replace(_ONE_AUDIO, max_megabytes=10, seconds=(0, 3 * _MINUTE))

# --- By family ----------------------------------------------------------------------

_Limits = Mapping[str, MediaLimits]

QWEN_VISION: Final[_Limits] = {"image": _IMAGE, "video": _VIDEO}
QWEN_PLUS_VISION: Final[_Limits] = {"image": _MANY_IMAGES, "video": _VIDEO}
QWEN_VISION_PDF: Final[_Limits] = {**QWEN_PLUS_VISION, "pdf": _PDF}
QWEN3_VL: Final[_Limits] = {"image": _IMAGE, "video": _VIDEO_1H}
QWEN3_VL_SMALL: Final[_Limits] = {"image": _IMAGE, "video": _VIDEO_20MIN}
QWEN_VL_MAX: Final[_Limits] = {"image": _SMALL_IMAGE, "video": _VIDEO_20MIN}
QWEN_VL_PLUS: Final[_Limits] = {"image": _SMALL_IMAGE, "video": _VIDEO_10MIN}
QVQ: Final[_Limits] = QWEN_VL_PLUS
OLD_VISION: Final[_Limits] = {"image": _SMALL_IMAGE, "video": _VIDEO_40S}
QWEN_VL_OCR: Final[_Limits] = {"image": _SMALL_IMAGE}

OMNI_38: Final[_Limits] = {
    "image": _MANY_IMAGES,
    "video": replace(_VIDEO, frames=(2, 2048)),
    "audio": _AUDIO,
}
OMNI_35: Final[_Limits] = {
    "image": _MANY_IMAGES,
    "video": replace(
        _VIDEO,
        max_count=512,
        max_inline_count=250,
        seconds=(2, _HOUR),
        frames=(2, 2048),
    ),
    "audio": _AUDIO,
}
OMNI_3: Final[_Limits] = {
    "image": _SMALL_IMAGE,
    "video": replace(
        _VIDEO,
        max_count=1,
        max_inline_count=1,
        max_megabytes=256,
        seconds=(2, 150),
        frames=(2, 128),
    ),
    "audio": _ONE_AUDIO,
}
OMNI_TURBO: Final[_Limits] = {
    "image": _SMALL_IMAGE,
    "video": replace(_VIDEO_40S, max_count=1, max_inline_count=1),
    "audio": _SHORT_AUDIO,
}
AUDIO: Final[_Limits] = {"audio": MediaLimits(max_count=1)}

KIMI: Final[_Limits] = {
    "image": replace(
        _SMALL_IMAGE,
        max_count=None,
        max_inline_count=None,
        max_inline_megabytes=None,
        max_encoded_megabytes=10,
    ),
    "video": replace(_VIDEO_1H, max_count=None),
}
# Media by public URL only; a request of 100 MB with them.
MOONSHOT: Final[_Limits] = {
    "image": MediaLimits(
        inline=False, formats=frozenset({"png", "jpeg", "webp", "gif"})
    ),
    "video": MediaLimits(inline=False),
}
STEPFUN: Final[_Limits] = {
    "image": MediaLimits(
        max_count=50,
        max_megabytes=10,
        inline=True,
        formats=frozenset({"jpeg", "png", "webp", "gif"}),
    ),
    "video": MediaLimits(max_megabytes=128, inline=False),
}
