"""LangChain's content blocks to the core's content parts.

Blocks of LangChain 1 and 0 are read, and those of OpenAI, Anthropic, Gemini, Bedrock
and DashScope, because histories contain them.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Final, cast

from langchain_modelstudio._chat.provider_blocks import Block, unwrap, with_type
from modelstudio_core.chat import media
from modelstudio_core.chat import messages as core
from modelstudio_core.chat.media_messages import not_shown
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.media_types import (
    MediaKind,
    kind_of,
    mime_type_of_format,
    mime_type_of_name,
)

__all__ = ["to_parts"]

_SETTINGS: Final = frozenset(
    {
        "fps",
        "max_frames",
        "min_pixels",
        "max_pixels",
        "total_pixels",
        "enable_rotate",
        "cache_control",
    }
)
# Keys that describe a block or contain its media. All others are sent beside the media.
_OF_BLOCK: Final = frozenset(
    {
        "annotations",
        "audio",
        "audio_url",
        "base64",
        "citations",
        "context",
        "data",
        "detail",
        "extras",
        "file",
        "file_data",
        "file_file_format",
        "file_format",
        "file_id",
        "file_uri",
        "file_url",
        "filename",
        "format",
        "id",
        "image",
        "image_url",
        "index",
        "input_audio",
        "media_type",
        "metadata",
        "mime_type",
        "name",
        "source",
        "source_type",
        "status",
        "text",
        "title",
        "transcript",
        "type",
        "url",
        "video",
        "video_url",
    }
)
# Keys of other providers whose values mean nothing to a model.
_OPAQUE: Final = ("encrypted", "signature", "id", "index", "type", "extras")
_MEDIA_OF_TYPE: Final[Mapping[str, MediaKind]] = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "image_generation_call": "image",
    "video": "video",
    "video_url": "video",
    "audio": "audio",
    "audio_url": "audio",
    "input_audio": "audio",
    "file": "pdf",
    "input_file": "pdf",
    "document": "pdf",
    "media": "pdf",
}
# Types whose media are in an object under the name of the type.
_BELOW_TYPE: Final = ("image_url", "video_url", "audio_url", "input_audio")
_DOCUMENT_TYPES: Final = ("text-plain", "file", "input_file", "document")
_TEXT_TYPES: Final = ("text", "text-plain", "input_text", "output_text", "refusal")


def to_parts(block: Block, *, is_from_user: bool) -> list[core.Part]:
    """Convert a content block: a text document has its title and context before it.

    Args:
        block: The block.
        is_from_user: Whether the user wrote it. A block of a tool or of another
            provider that has no counterpart is converted to text.

    Raises:
        ConfigurationError: The block is invalid or not supported.
    """
    block = with_type(unwrap(block))
    try:
        part = _part(block, is_from_user=is_from_user)
    except ConfigurationError as error:
        if is_from_user:
            raise
        # An error would end an agent, and each later turn of its conversation.
        return [not_shown("A content block", error.message)]
    if part["type"] != "text" or block.get("type") not in _DOCUMENT_TYPES:
        return [part]
    context = _text_of(block, "context")
    contexts: list[core.Part] = [{"type": "text", "text": context}] if context else []
    return [*media.source_part(_text_of(block, "title")), *contexts, part]


def _part(block: Block, *, is_from_user: bool) -> core.Part:
    try:
        part = _supported_part(block, is_from_user=is_from_user)
    except KeyError as error:
        problem = f"missing key {error}"
    except (TypeError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        problem = str(error)
    else:
        if part is not None:
            return part
        if not is_from_user:
            return {"type": "text", "text": _described(block)}
        raise ConfigurationError(
            f"Content blocks of type {block.get('type')!r} are not supported"
            f" ({_outline(block)}). Model Studio accepts text, image, video, audio and"
            " file blocks."
        )
    raise ConfigurationError(f"Invalid content block ({problem}; {_outline(block)}).")


def _outline(block: Block) -> str:
    """Return what an error shows of a block: its keys, and none of its values."""
    keys = ", ".join(repr(str(key)) for key in block)
    return f"its keys are {keys}" if keys else "it is empty"


def _supported_part(block: Block, *, is_from_user: bool) -> core.Part | None:
    """Return the part of a block, None if there is no counterpart."""
    kind = _string(block.get("type") or "")
    if kind in _TEXT_TYPES:
        return _text_part(kind, block)
    if kind == "search_result":
        return {"type": "text", "text": _described(block)}
    media_kind = _MEDIA_OF_TYPE.get(kind)
    if media_kind is None:
        return None
    return _media_part(kind, media_kind, block, _settings(block, is_from_user))


def _settings(block: Block, is_from_user: bool) -> dict[str, object]:
    """Return the keys that are sent beside the media of a block."""
    extras = _mapping(block.get("extras") or {})
    keys = {**block, **extras}
    return {
        name: value
        for name, value in keys.items()
        if value is not None
        and (name in _SETTINGS or (is_from_user and name not in _OF_BLOCK))
    }


# --- Text -------------------------------------------------------------------------


def _text_part(kind: str, block: Block) -> core.Part:
    if kind == "text-plain" and "text" not in block:
        return _plain_text_part(block)
    part: dict[str, object] = {
        "type": "text",
        "text": _string(block["refusal" if kind == "refusal" else "text"]),
    }
    extras = _mapping(block.get("extras") or {})
    if cache_control := block.get("cache_control") or extras.get("cache_control"):
        part["cache_control"] = cache_control
    return cast("core.TextPart", part)


def _plain_text_part(block: Block) -> core.Part:
    """Return the text of a document in base64, or the address of a text document."""
    if block.get("file_id"):
        return media.file_id_part(_string(block["file_id"]))
    if url := block.get("url"):
        return media.file_part(
            _string(url), filename=_text_of(block, "filename", "title")
        )
    return {"type": "text", "text": media.text_of_data(_data(block["base64"]))}


def _described(block: Block) -> str:
    """Return a block that has no counterpart as text, without its opaque keys."""
    kind = block.get("type") or "content"
    values = {k: v for k, v in block.items() if not k.startswith(_OPAQUE)}
    return f"[{kind}: {json.dumps(values, ensure_ascii=False, default=str)}]"


# --- Media ------------------------------------------------------------------------


def _media_part(
    kind: str, media_kind: MediaKind, block: Block, settings: Block
) -> core.Part:
    """Return the part of an image, video, audio or file block."""
    frames = block.get("video")
    if media_kind == "video" and isinstance(frames, list | tuple):
        addresses = [_frame(frame) for frame in cast("list[object]", frames)]
        return media.frames_part(addresses, settings)
    fields, more = _fields(kind, block)
    if "plain_text" in fields:
        return {"type": "text", "text": _string(fields["plain_text"])}
    if file_id := fields.get("file_id"):
        return media.file_id_part(_string(file_id))
    source, is_address = _source(kind, fields)
    mime_type = _text_of(fields, "mime_type", "media_type")
    if media_kind == "pdf":
        if not is_address:
            mime_type = _document_type(source, mime_type, fields)
            if mime_type.startswith("text/"):
                return {"type": "text", "text": media.text_of_data(source)}
        media_kind = kind_of(mime_type or "") or media_kind
    if not is_address:
        name = _text_of(fields, "format")
        source = media.data_url(source, mime_type, media_kind, name)
    return _PARTS[media_kind](cast("str", source), fields, {**settings, **more})


def _frame(frame: object) -> str:
    data = _data(frame)
    return data if isinstance(data, str) else media.data_url(data, None, "image")


def _source(kind: str, fields: Block) -> tuple[str | bytes, bool]:
    """Return the address or the data of a block's media, and whether it is the first.

    LangChain puts the address of OpenAI's audio and file blocks where base64 text is
    expected.
    """
    if url := fields.get("url"):
        source = _data(url)
        return source, isinstance(source, str) and not media.is_data_url(source)
    data = fields.get("base64") or fields.get("data") or fields.get("bytes")
    if not data:
        raise ConfigurationError(
            f"Content block of type {kind!r} needs url, base64 or file_id"
            f" ({_outline(fields)})."
        )
    source = _data(data)
    return source, media.is_address(source)


def _document_type(data: str | bytes, mime_type: str | None, fields: Block) -> str:
    """Return the MIME type of a file: of text, or of what models read.

    Raises:
        ConfigurationError: It is another one.
    """
    filename = _text_of(fields, "filename", "title") or ""
    if _is_assumed(mime_type, filename):
        mime_type = None
    found = media.data_type(data, mime_type)
    if not found and (name := _text_of(fields, "format")):
        found = mime_type_of_format(name, "pdf")
    found = found or mime_type_of_name(filename)
    if found and (found.startswith("text/") or kind_of(found)):
        return found
    id_form = "{'type': 'file', 'file_id': ...}"
    raise ConfigurationError(
        media.unsupported_file("A file", found or mime_type, id_form)
    )


def _is_assumed(mime_type: str | None, filename: str) -> bool:
    """Return whether a MIME type is not that of the file's name.

    LangChain gives the type of PDF to all files in the form of OpenAI.
    """
    suffix = PurePath(filename).suffix.lower()
    return mime_type == "application/pdf" and suffix not in {"", ".pdf"}


def _fields(kind: str, block: Block) -> tuple[dict[str, object], dict[str, object]]:
    """Return the fields that say where the media of a block are, and other inner ones.

    They are in the block itself (LangChain), in an object below its type (OpenAI), in
    ``source`` (Anthropic, Bedrock), or are the value of the key of its kind
    (DashScope).
    """
    fields = {name: value for name, value in block.items() if value is not None}
    more: dict[str, object] = {}
    key = "image_url" if kind == "input_image" else kind
    inner = block[key] if kind in _BELOW_TYPE else block.get(key)
    if isinstance(inner, Mapping):
        below = cast("Block", inner)
        if kind in _BELOW_TYPE:
            more = {k: value for k, value in below.items() if k not in _OF_BLOCK}
        fields |= below
    elif inner is not None:
        fields["url"] = inner
    if isinstance(source := fields.get("source"), Mapping):
        fields |= cast("Block", source)
    return _renamed(kind, fields), more


def _renamed(kind: str, fields: dict[str, object]) -> dict[str, object]:
    """Return fields under LangChain's names."""
    if fields.get("source_type") == "id" and "id" in fields:
        fields["file_id"] = fields["id"]
    if fields.get("source_type") == "text" or fields.get("type") == "text":
        fields["plain_text"] = fields.get("text") or fields.get("data")
    if kind == "document" and "text" in fields:
        fields["plain_text"] = fields["text"]
    if url := fields.get("file_url") or fields.get("file_uri"):
        fields["url"] = url
    if "file_data" in fields:
        fields["data"] = fields["file_data"]
    if kind == "image_generation_call":
        fields["data"] = fields.get("result")
    return fields


def _text_of(fields: Block, *names: str) -> str | None:
    """Return the first field that is a string, also of the block's extras."""
    extras = _mapping(fields.get("extras") or {})
    values = (fields.get(name) or extras.get(name) for name in names)
    return next((value for value in values if isinstance(value, str)), None)


def _image(address: str, fields: Block, settings: Block) -> core.Part:
    return media.image_part(address, settings, detail=_text_of(fields, "detail"))


def _video(address: str, fields: Block, settings: Block) -> core.Part:
    return media.video_part(address, settings, detail=_text_of(fields, "detail"))


def _audio(address: str, fields: Block, settings: Block) -> core.Part:
    mime_type, name = _text_of(fields, "mime_type"), _text_of(fields, "format")
    return media.audio_part(address, settings, mime_type=mime_type, name=name)


def _file(address: str, fields: Block, settings: Block) -> core.Part:
    filename = _text_of(fields, "filename", "title")
    return media.file_part(address, settings, filename=filename)


_PARTS: Final[Mapping[MediaKind, Callable[[str, Block, Block], core.Part]]] = {
    "image": _image,
    "video": _video,
    "audio": _audio,
    "pdf": _file,
}


# --- Values -----------------------------------------------------------------------


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a string, got {_a(value)}")
    return value


def _data(value: object) -> str | bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(cast("bytes", value))
    if not isinstance(value, str):
        raise TypeError(
            f"expected a string or bytes, got {_a(value)}: pass a URL, base64 text, or"
            " the bytes of the file"
        )
    return value


def _a(value: object) -> str:
    """Return what an error shows of a value: its type, because it may be a file."""
    return f"an object of type {type(value).__name__}"


def _mapping(value: object) -> Block:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a dict, got {_a(value)}")
    return cast("Block", value)
