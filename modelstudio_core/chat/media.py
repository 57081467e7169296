"""Images, video, audio and files in messages: how they are written.

Sources: the official pages "Image and video understanding", "Omni-modal (Qwen-Omni)",
"PDF understanding" and "Long context (Qwen-Long)" (2026).
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

from modelstudio_core.chat.messages import (
    Address,
    AudioPart,
    FilePart,
    FramesPart,
    ImagePart,
    Message,
    Part,
    TextPart,
    VideoPart,
)
from modelstudio_core.local_files import TEMPORARY, LocalFile
from modelstudio_core.wire.media_types import (
    MediaKind,
    audio_format,
    mime_type_of_base64,
    mime_type_of_name,
    normalize_mime_type,
)

__all__ = [
    "FILE_ID",
    "addresses_of",
    "audio_part",
    "data_url",
    "file_id_part",
    "file_part",
    "frames_part",
    "has_media",
    "image_part",
    "is_text",
    "map_addresses",
    "mark_last",
    "source_part",
    "video_part",
]

_logger: Final = logging.getLogger("modelstudio")
_Settings = Mapping[str, object]

# How the address of a file that was uploaded to the service begins.
FILE_ID: Final = "fileid://"
_ADDRESSES: Final = ("http://", "https://", "data:", "file:", TEMPORARY)
_DEFAULT_TYPE: Final[Mapping[str, str]] = {
    "image": "image/png",
    "video": "video/mp4",
    "audio": "audio/wav",
    "pdf": "application/pdf",
}


# --- Parts ------------------------------------------------------------------------


def data_url(data: str, mime_type: str | None, kind: MediaKind) -> str:
    """Return base64 text as a ``data:`` URL; an address is returned as it is.

    LangChain puts the address of OpenAI's audio and file blocks where base64 text is
    expected.

    Args:
        data: The base64 text, or an address.
        mime_type: The MIME type; None to read it from the data.
        kind: What it is.
    """
    if data[:8].lower().startswith(_ADDRESSES):
        return data
    name = mime_type or mime_type_of_base64(data, kind) or _DEFAULT_TYPE[kind]
    return f"data:{normalize_mime_type(name)};base64,{data}"


def image_part(
    address: Address, settings: _Settings | None = None, *, detail: str | None = None
) -> ImagePart:
    """Return an image part.

    Args:
        address: The image.
        settings: Keys beside the image.
        detail: The level of detail.
    """
    part: ImagePart = {"type": "image_url", "image_url": {"url": address}}
    if detail:
        part["image_url"]["detail"] = detail
    return cast("ImagePart", {**part, **(settings or {})})


def video_part(
    address: Address, settings: _Settings | None = None, *, detail: str | None = None
) -> VideoPart:
    """Return a video part.

    Args:
        address: The video.
        settings: Keys beside the video.
        detail: The level of detail.
    """
    part: VideoPart = {"type": "video_url", "video_url": {"url": address}}
    if detail:
        part["video_url"]["detail"] = detail
    return cast("VideoPart", {**part, **(settings or {})})


def frames_part(
    frames: Iterable[Address], settings: _Settings | None = None
) -> FramesPart:
    """Return a video part from frames.

    Args:
        frames: The images of the video in their order.
        settings: Keys beside the video.
    """
    part: FramesPart = {"type": "video", "video": list(frames)}
    return cast("FramesPart", {**part, **(settings or {})})


def audio_part(
    address: Address,
    settings: _Settings | None = None,
    *,
    mime_type: str | None = None,
    name: str | None = None,
) -> AudioPart:
    """Return an audio part.

    Args:
        address: The audio.
        settings: Keys beside the audio.
        mime_type: The MIME type, if it is known.
        name: The name of the format, if it is known.
    """
    if not name:
        found = mime_type or _audio_type(address) or _DEFAULT_TYPE["audio"]
        name = audio_format(found)
    part: AudioPart = {
        "type": "input_audio",
        "input_audio": {"data": address, "format": name},
    }
    return cast("AudioPart", {**part, **(settings or {})})


def _audio_type(address: Address) -> str | None:
    if isinstance(address, LocalFile):
        return address.mime_type or mime_type_of_name(address.path.name)
    if not address.startswith("data:"):
        return mime_type_of_name(address)
    head, _, data = address.partition(",")
    mime_type = head.removeprefix("data:").partition(";")[0]
    return mime_type or mime_type_of_base64(data, "audio")


def file_part(
    address: Address, settings: _Settings | None = None, *, filename: str | None = None
) -> FilePart:
    """Return a part with a PDF file.

    Args:
        address: The file.
        settings: Keys beside the file.
        filename: Its name, which the service requires with a ``data:`` URL.
    """
    part: FilePart
    if isinstance(address, str) and not address.startswith("data:"):
        part = {"type": "file", "file": {"file_url": address}}
    else:
        name = address.path.name if isinstance(address, LocalFile) else "file.pdf"
        part = {
            "type": "file",
            "file": {
                "file_data": address,
                "filename": filename or name,
                "file_format": "pdf",
            },
        }
    return cast("FilePart", {**part, **(settings or {})})


def file_id_part(file_id: str) -> FilePart:
    """Return a part with the id of a file that was uploaded to the service.

    Args:
        file_id: The id, with or without ``fileid://``.
    """
    name = file_id.removeprefix(FILE_ID)
    return {"type": "file", "file": {"file_id": name}}


def source_part(*names: str | None) -> list[TextPart]:
    """Return the text before a document that says where its text is from.

    The service has neither titles nor citations of documents: the model reads them.

    Args:
        names: The title, the source; None or an empty text for what is not known.

    Returns:
        One part, none where no name is known.
    """
    given = dict.fromkeys(name for name in names if name)
    text = f"Source: {', '.join(given)}"
    return [{"type": "text", "text": text}] if given else []


def mark_last(parts: list[Part]) -> None:
    """Mark the last part of a message as the end of a cached prefix.

    Args:
        parts: The parts before the mark. If there are none, nothing is marked.
    """
    if parts:
        marked = {**parts[-1], "cache_control": {"type": "ephemeral"}}
        parts[-1] = cast("Part", marked)
    else:
        _logger.warning("A cache point with no content before it was not sent.")


def has_media(message: Message) -> bool:
    """Return whether a message contains parts other than text."""
    content = message["content"]
    return not isinstance(content, str) and any(
        part["type"] != "text" for part in content
    )


def is_text(message: Message) -> bool:
    """Return whether a message contains text alone, and none that is in a file."""
    content = message["content"]
    return isinstance(content, str) or all(
        part["type"] == "text" and isinstance(part["text"], str) for part in content
    )


def map_addresses(part: Part, function: Callable[[Address], Address]) -> Part:
    """Return a part with each of its addresses replaced.

    Args:
        part: The part.
        function: Returns the new address for an old one.
    """
    changed: Any
    match part["type"]:
        case "image_url" | "video_url":
            media = cast("dict[str, Any]", part)[part["type"]]
            changed = {part["type"]: {**media, "url": function(media["url"])}}
        case "video":
            changed = {"video": [function(frame) for frame in part["video"]]}
        case "input_audio":
            audio = part["input_audio"]
            changed = {"input_audio": {**audio, "data": function(audio["data"])}}
        case "file":
            file = part["file"]
            changed = {"file": dict(file)}
            if "file_url" in file:
                changed["file"]["file_url"] = function(file["file_url"])
            if "file_data" in file:
                changed["file"]["file_data"] = function(file["file_data"])
        case "text":
            return part
    return cast("Part", {**part, **changed})


def addresses_of(part: Part) -> list[Address]:
    """Return the addresses in a part.

    Args:
        part: The part.
    """
    found: list[Address] = []

    def keep(address: Address) -> Address:
        found.append(address)
        return address

    map_addresses(part, keep)
    return found
