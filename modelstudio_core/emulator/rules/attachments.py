"""Rules for the number, the size and the format of images, video, audio and PDFs.

The limits are those of the catalog. One that is known of a model's family only is not
enforced: the service may accept more.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from modelstudio_core.catalog import MediaLimits
from modelstudio_core.emulator.json_values import JsonObject, is_array, objects
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.rules.parts import INPUT_OF_PART_TYPE, urls_of
from modelstudio_core.emulator.rules.refusal import Refusal, invalid_parameter
from modelstudio_core.emulator.rules.sources import sourced

__all__ = ["check_attachments"]

_MEGABYTE: Final = 2**20
_NOUN: Final[Mapping[str, str]] = {"image": "image", "audio": "audio"}
# The beginning of "%PDF-" in base64.
_PDF_DATA: Final = "JVBERi"
# Names of formats that MIME types have too, and the names that the catalog has.
_FORMAT_OF_NAME: Final[Mapping[str, str]] = {
    "3gp": "3gpp",
    "jpg": "jpeg",
    "mp3": "mpeg",
    "mpeg3": "mpeg",
    "ms-bmp": "bmp",
    "pjpeg": "jpeg",
    "vnd.wave": "wav",
    "wave": "wav",
}


def check_attachments(message: JsonObject, query: ChatQuery) -> None:
    """Refuse images, video, audio and PDFs that are over a limit of the model.

    Args:
        message: One message, whose parts the model reads.
        query: The request.

    Raises:
        Refusal: With the service's status, code and message.
    """
    content = message.get("content")
    if not is_array(content) or not query.profile.exact:
        return
    counts: Counter[tuple[str, bool]] = Counter()
    for part in objects(content):
        kind = INPUT_OF_PART_TYPE[str(part.get("type"))]
        limits = query.profile.media.get(kind)
        if limits is None:
            continue
        urls = [str(url) for url in urls_of(part)]
        if is_array(part.get("video")):
            _check_frames(len(urls), limits)
            limits = query.profile.media.get("image", limits)
            kind_of_data = "image"
        else:
            kind_of_data = kind
        inline = [url for url in urls if url[:5].lower() == "data:"]
        for url in inline:
            _check_size(url, kind_of_data, limits)
            _check_format(url, kind_of_data, limits)
        counts[kind, bool(inline)] += 1
    for (kind, is_inline), count in counts.items():
        _check_count(kind, count, query.profile.media[kind], is_inline=is_inline)


@sourced("Vision guide; Omni-modal (Qwen-Omni)", "2026-11-27")
def _check_count(
    kind: str, count: int, limits: MediaLimits, *, is_inline: bool
) -> None:
    most = limits.max_inline_count if is_inline else limits.max_count
    if most is not None and count > most:
        form = "base64" if is_inline else "URL"
        raise invalid_parameter(
            f"A message may have at most {most} {kind} inputs by {form}, got {count}"
            " (emulator)."
        )


@sourced("Error codes", "2026-11-27")
def _check_frames(count: int, limits: MediaLimits) -> None:
    if limits.frames is None:
        return
    fewest, most = limits.frames
    if not fewest <= count <= most:
        raise invalid_parameter(
            "The video modality input does not meet the requirements because: the range"
            f" of sequence images shoule be ({fewest}, {most})."
        )


@sourced("Error codes; Vision guide; Kimi (Moonshot AI)", "2026-11-27")
def _check_size(url: str, kind: str, limits: MediaLimits) -> None:
    if limits.inline is False:
        raise invalid_parameter(f"{kind} input must be a public URL (emulator).")
    encoded = len(url) - url.find(",") - 1
    decoded = encoded // 4 * 3 - url[-2:].count("=")
    for size, megabytes in (
        (decoded, limits.max_inline_megabytes),
        (encoded, limits.max_encoded_megabytes),
    ):
        if megabytes is not None and size > megabytes * _MEGABYTE:
            raise Refusal(
                "Exceeded limit on max bytes per data-uri item :"
                f" {megabytes * _MEGABYTE}",
                dashscope_code="BadRequest.TooLarge",
            )


@sourced("Error codes", "2026-11-27")
def _check_format(url: str, kind: str, limits: MediaLimits) -> None:
    head, _, data = url.partition(",")
    mime_type = head[5:].partition(";")[0].strip().lower()
    if not limits.formats or not mime_type:
        return
    name = mime_type.rpartition("/")[2].removeprefix("x-")
    is_listed = _FORMAT_OF_NAME.get(name, name) in limits.formats
    if not is_listed or (kind != "pdf" and data.startswith(_PDF_DATA)):
        raise invalid_parameter(
            f"The {_NOUN.get(kind, 'file')} format is illegal and cannot be opened"
        )
