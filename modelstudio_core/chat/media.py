"""Images, video, audio and files in messages: how they are written.

Sources: the official pages "Image and video understanding", "Omni-modal (Qwen-Omni)",
"PDF understanding" and "Long context (Qwen-Long)" (2026).
"""

import base64
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final, cast
from urllib.parse import unquote

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
from modelstudio_core.inline_data import check_base64
from modelstudio_core.local_files import TEMPORARY, LocalFile, is_local
from modelstudio_core.wire.media_types import (
    ANY_BYTES,
    USUAL_TYPE,
    MediaKind,
    audio_format,
    bare_base64_type,
    kind_of,
    mime_type_of_base64,
    mime_type_of_bytes,
    mime_type_of_format,
    mime_type_of_name,
    normalize_mime_type,
)

__all__ = [
    "FILE_ID",
    "addresses_of",
    "audio_part",
    "data_type",
    "data_url",
    "file_id_part",
    "file_part",
    "frames_part",
    "has_media",
    "image_part",
    "is_address",
    "is_data_url",
    "is_text",
    "map_addresses",
    "mark_last",
    "source_part",
    "text_of_data",
    "unsupported_file",
    "video_part",
]

_logger: Final = logging.getLogger("modelstudio")
_Settings = Mapping[str, object]

# How the address of a file that was uploaded to the service begins.
FILE_ID: Final = "fileid://"
_DATA: Final = "data:"
_ADDRESSES: Final = ("http://", "https://", "file:", TEMPORARY)


# --- Data -------------------------------------------------------------------------


def is_address(data: str | bytes) -> bool:
    """Return whether data are an address, and not base64 text or a ``data:`` URL.

    LangChain puts the address of OpenAI's audio and file blocks where base64 text is
    expected.

    Args:
        data: An address, a ``data:`` URL, base64 text or bytes.
    """
    return isinstance(data, str) and data[:8].lower().startswith(_ADDRESSES)


def is_data_url(data: str) -> bool:
    """Return whether a text is a ``data:`` URL."""
    return data[: len(_DATA)].lower() == _DATA


def data_url(
    data: str | bytes, mime_type: str | None, kind: MediaKind, name: str | None = None
) -> str:
    """Return bytes or base64 text as a ``data:`` URL; an address is returned as it is.

    Args:
        data: The bytes, the base64 text, a ``data:`` URL or an address.
        mime_type: The MIME type; None to read it from the data. If they do not show
            it, the URL has none, which is decided later.
        kind: What it is.
        name: The name of the format, for data that do not show it.

    Raises:
        ConfigurationError: The text is no base64.
    """
    if isinstance(data, str) and (is_data_url(data) or is_address(data)):
        return data
    found = data_type(data, mime_type, kind)
    if not found and name:
        found = mime_type_of_format(name, kind)
    if isinstance(data, str):
        check_base64(data, "the PDF" if kind == "pdf" else f"the {kind}")
        text = data
    else:
        text = base64.b64encode(data).decode()
    return f"data:{found or ''};base64,{text}"


def data_type(
    data: str | bytes, mime_type: str | None = None, kind: MediaKind | None = None
) -> str | None:
    """Return the MIME type of data: the given one, or what they show; else None.

    Args:
        data: The bytes, the base64 text or a ``data:`` URL.
        mime_type: The MIME type, if it is given.
        kind: What they must show; None for anything.
    """
    text = data
    given = normalize_mime_type(mime_type or "")
    if not given and isinstance(data, str) and is_data_url(data):
        head, _, text = data.partition(",")
        given = normalize_mime_type(head[len(_DATA) :])
    if given and given != ANY_BYTES:
        return given
    if isinstance(text, str):
        found = mime_type_of_base64(text, kind)
    else:
        found = mime_type_of_bytes(text, kind)
    return found if found and kind in {None, kind_of(found)} else None


def text_of_data(data: str | bytes) -> str:
    """Return the text of a text file.

    Args:
        data: The bytes, the base64 text or a ``data:`` URL.

    Raises:
        ValueError: It is not text in UTF-8.
    """
    if isinstance(data, str):
        text = data.partition(",")[2] if is_data_url(data) else data
        try:
            data = base64.b64decode(text, validate=True)
        except ValueError:
            raise ValueError("the base64 of a text is not valid") from None
    try:
        return data.decode("utf-8-sig")
    except ValueError:
        raise ValueError("the base64 of a text is not valid UTF-8") from None


def unsupported_file(noun: str, mime_type: str | None, id_form: str) -> str:
    """Return what is wrong with a file that is neither PDF nor text, and what to do.

    Args:
        noun: What the file is called.
        mime_type: Its MIME type, None if it is not known.
        id_form: How the id of a file is passed.
    """
    return (
        f"{noun} of type {mime_type or 'unknown'} is not supported: Model Studio"
        " accepts PDF and text. Upload the file to the service and pass its id"
        f" ({id_form}) to 'qwen-long', or pass the text of the document."
    )


# --- Parts ------------------------------------------------------------------------


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
    part: AudioPart = {"type": "input_audio", "input_audio": {"data": address}}
    mime_type = mime_type or _audio_type(address)
    if name or mime_type:
        part["input_audio"]["format"] = name or audio_format(mime_type or "")
    return cast("AudioPart", {**part, **(settings or {})})


def _audio_type(address: Address) -> str | None:
    """Return the MIME type of audio; None for data that do not show it."""
    if isinstance(address, str) and is_data_url(address):
        return data_type(address, kind="audio")
    if isinstance(address, str):
        return mime_type_of_name(address) or USUAL_TYPE["audio"]
    found = address.mime_type or mime_type_of_name(address.path.name)
    return found or USUAL_TYPE["audio"]


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
    if isinstance(address, str) and not (is_data_url(address) or is_local(address)):
        part = {"type": "file", "file": {"file_url": address}}
    else:
        part = {
            "type": "file",
            "file": {
                "file_data": address,
                "filename": filename or _file_name(address) or "file.pdf",
                "file_format": "pdf",
            },
        }
    return cast("FilePart", {**part, **(settings or {})})


def _file_name(address: Address) -> str | None:
    """Return the name of a file that is read from the disk."""
    if isinstance(address, LocalFile):
        return address.path.name
    if is_data_url(address) or bare_base64_type(address, "pdf"):
        return None
    return unquote(PurePath(address).name)


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
