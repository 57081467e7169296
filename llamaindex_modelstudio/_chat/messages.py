"""Conversion of LlamaIndex messages to the core's messages."""

# LlamaIndex does not type the dicts in its messages.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import IOBase
from pathlib import Path
from typing import Any, Final, Protocol, assert_never, cast

from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from pydantic import BaseModel

from modelstudio_core.chat import media
from modelstudio_core.chat import messages as core
from modelstudio_core.chat.media_messages import not_shown
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.local_files import LocalFile
from modelstudio_core.user_warnings import warn_once
from modelstudio_core.wire.media_types import (
    MediaKind,
    audio_format,
    kind_of,
    mime_type_of_name,
)

__all__ = ["from_messages", "reasoning_of"]

_ROLES: Final[dict[MessageRole, str]] = {
    MessageRole.SYSTEM: "system",
    # The service does not document a developer role.
    MessageRole.DEVELOPER: "system",
    MessageRole.USER: "user",
    MessageRole.ASSISTANT: "assistant",
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
    MessageRole.TOOL: "tool",
    MessageRole.FUNCTION: "tool",
}


def from_messages(messages: Sequence[object]) -> list[core.Message]:
    """Convert a prompt, without changing the messages.

    Memories and agents keep data of their own in ``additional_kwargs``: only the keys
    that the service has are read.

    Raises:
        ConfigurationError: One is no ``ChatMessage``, or a block cannot be sent.
    """
    return [_from_message(message, i) for i, message in enumerate(messages)]


def _from_message(message: object, index: int) -> core.Message:
    if not isinstance(message, ChatMessage):
        raise ConfigurationError(
            f"messages[{index}] must be a ChatMessage, got a {type(message).__name__}."
        )
    role = _ROLES[message.role]
    extra = message.additional_kwargs
    blocks = message.blocks
    if role == "assistant" and message.content:
        # The words of a spoken answer stand for its sound, which cannot be sent back.
        blocks = [block for block in blocks if not isinstance(block, AudioBlock)]
    converted: dict[str, Any] = {"role": role, "content": _content(blocks, role)}
    if isinstance(extra.get("name"), str):
        converted["name"] = extra["name"]
    if role == "tool":
        converted["tool_call_id"] = _answered_call(message)
    if role == "assistant":
        if reasoning := reasoning_of(message):
            converted["reasoning_content"] = reasoning
        if calls := _tool_calls(message):
            converted["tool_calls"] = calls
        if extra.get("partial"):
            converted["partial"] = True
    return cast("core.Message", converted)


def reasoning_of(message: ChatMessage) -> str:
    """Return the reasoning in a message, from its keywords or its blocks."""
    reasoning = message.additional_kwargs.get("reasoning_content")
    if isinstance(reasoning, str) and reasoning:
        return reasoning
    thinking = [block for block in message.blocks if isinstance(block, ThinkingBlock)]
    return "".join(block.content or "" for block in thinking)


def _answered_call(message: ChatMessage) -> str:
    """Return the id of the call that a message answers, empty if there is none."""
    call_id = message.additional_kwargs.get("tool_call_id")
    if not call_id:
        blocks = (b for b in message.blocks if isinstance(b, ToolCallBlock))
        call_id = next((block.tool_call_id for block in blocks), None)
    return str(call_id or "")


# --- Tool calls -------------------------------------------------------------------


def _tool_calls(message: ChatMessage) -> list[core.ToolCall]:
    """Read the tool calls from dicts, from objects of an SDK, or from blocks."""
    value: object = message.additional_kwargs.get("tool_calls")
    listed = cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()
    calls = [_as_mapping(call) for call in listed]
    if calls and all("function" in call for call in calls):
        return [_tool_call(call.get("id"), call["function"]) for call in calls]
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if blocks:
        return [
            _tool_call(
                block.tool_call_id,
                {"name": block.tool_name, "arguments": block.tool_kwargs},
            )
            for block in blocks
        ]
    return [_tool_call(call.get("id"), call) for call in calls if call.get("name")]


def _as_mapping(value: object) -> Mapping[str, object]:
    if isinstance(value, BaseModel):
        return value.model_dump()
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def _tool_call(call_id: object, function: object) -> core.ToolCall:
    """Build a tool call; other services call the arguments ``input``."""
    fields = _as_mapping(function)
    name = str(fields.get("name") or "")
    arguments = fields.get("arguments") or fields.get("input")
    if not isinstance(arguments, str):
        arguments = core.arguments_text(name, arguments or {})
    return {
        "id": str(call_id or ""),
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


# --- Content ----------------------------------------------------------------------

_MediaBlock = TextBlock | ImageBlock | AudioBlock | VideoBlock | DocumentBlock
_CACHE_LIFETIME: Final = "5m"


def _content(blocks: Sequence[ContentBlock], role: str) -> str | list[core.Part]:
    if len(blocks) == 1 and isinstance(block := blocks[0], TextBlock):
        # Nearly every message: the core needs no look at its parts.
        return block.text
    parts: list[core.Part] = []
    for block in blocks:
        match block:
            case ThinkingBlock() | ToolCallBlock():
                _check_role(block, role)
            case CachePoint():
                _mark_last(parts, block)
            case CitableBlock():
                parts.extend(media.source_part(block.title, block.source))
                for cited in block.content:
                    parts.extend(_titled_part(cited, role))
            case CitationBlock():
                parts.extend(media.source_part(block.title, block.source))
                parts.extend(_titled_part(block.cited_content, role))
            case _:
                parts.extend(_titled_part(block, role))
    return parts or ""


def _check_role(block: ThinkingBlock | ToolCallBlock, role: str) -> None:
    """Refuse what only an assistant says; a tool's result may name its call."""
    is_named_call = role == "tool" and isinstance(block, ToolCallBlock)
    if role != "assistant" and not is_named_call:
        raise ConfigurationError(
            f"A {type(block).__name__} in a message of the role {role!r} is not"
            " supported: Model Studio accepts it in messages of the assistant only."
        )


def _mark_last(parts: list[core.Part], point: CachePoint) -> None:
    """Mark the part before a cache point as the end of a cached prefix."""
    if point.cache_control.ttl != _CACHE_LIFETIME:
        warn_once(
            f"A CachePoint has ttl={point.cache_control.ttl!r}: the context cache of"
            f" Model Studio keeps a prefix for {_CACHE_LIFETIME}.",
            set(),
        )
    media.mark_last(parts)


def _titled_part(block: _MediaBlock, role: str) -> list[core.Part]:
    """Return the part of a block, after the title of a text document."""
    try:
        part = _part(block)
    except ConfigurationError as error:
        if role not in {"tool", "assistant"}:
            raise
        # An error would end an agent, and each later turn of its conversation.
        return [not_shown(f"The {type(block).__name__}", error.message)]
    if isinstance(block, DocumentBlock) and part["type"] == "text":
        return [*media.source_part(_title_of(block)), part]
    return [part]


def _title_of(block: DocumentBlock) -> str | None:
    """Return the title that was given; LlamaIndex has one for those without."""
    return None if block.title == "input_document" else block.title


def _part(block: _MediaBlock) -> core.Part:
    match block:
        case TextBlock():
            return {"type": "text", "text": block.text}
        case ImageBlock():
            mime_type = block.image_mimetype
            address = _address(block, "image", mime_type, block.resolve_image)
            return media.image_part(address, detail=block.detail)
        case VideoBlock():
            mime_type = block.video_mimetype
            address = _address(block, "video", mime_type, block.resolve_video)
            settings = {} if block.fps is None else {"fps": block.fps}
            return media.video_part(address, settings, detail=block.detail)
        case AudioBlock():
            name = audio_format(block.format) if block.format else None
            address = _address(block, "audio", None, block.resolve_audio, name)
            return media.audio_part(address, name=name)
        case DocumentBlock():
            return _document_part(block)
        case _:
            assert_never(block)


def _document_part(block: DocumentBlock) -> core.Part:
    """Return the text of a text document, or a part with a PDF."""
    title = _title_of(block)
    mime_type = block.document_mimetype or mime_type_of_name(
        str(block.path or block.url or title or "")
    )
    if block.url:
        if block.url.startswith("fileid://"):
            return media.file_id_part(block.url)
        return media.file_part(block.url, filename=title)
    if mime_type is None and block.data is not None:
        found = media.data_type(_resolved(block.resolve_document))
        # Other first bytes may be those of a text.
        mime_type = found if found == "application/pdf" else None
    if mime_type == "application/pdf":
        address = _address(block, "pdf", mime_type, block.resolve_document)
        return media.file_part(address, filename=title)
    is_text = not mime_type or mime_type.startswith("text/")
    if is_text and block.path is not None:
        return {"type": "text", "text": LocalFile(Path(block.path), "text", None, True)}
    with suppress(ValueError):
        if is_text:
            text = media.text_of_data(_resolved(block.resolve_document))
            return {"type": "text", "text": text}
    raise ConfigurationError(
        media.unsupported_file("DocumentBlock", mime_type, "url='fileid://...'")
    )


class _Resolve(Protocol):
    """``resolve_image`` and the like: LlamaIndex returns a buffer."""

    def __call__(self) -> IOBase: ...


def _address(
    block: ImageBlock | VideoBlock | AudioBlock | DocumentBlock,
    kind: MediaKind,
    mime_type: str | None,
    resolve: _Resolve,
    name: str | None = None,
) -> core.Address:
    """Return the URL of a media block, its file, or its bytes as a ``data:`` URL.

    ``name`` is that of the format, for bytes that do not show it.
    """
    if block.url:
        return str(block.url)
    if block.path is not None and _data_of(block) is None:
        return LocalFile(Path(block.path), kind, mime_type, is_explicit=True)
    if mime_type and kind_of(mime_type) != kind:
        # LlamaIndex guesses a type that is none of the block's.
        mime_type = None
    return media.data_url(_resolved(resolve), mime_type, kind, name)


def _data_of(block: ImageBlock | VideoBlock | AudioBlock | DocumentBlock) -> object:
    match block:
        case ImageBlock():
            return block.image
        case VideoBlock():
            return block.video
        case AudioBlock():
            return block.audio
        case DocumentBlock():
            return block.data


def _resolved(resolve: _Resolve) -> bytes:
    try:
        return memoryview(resolve().read()).tobytes()
    except (OSError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"Cannot read the bytes of a media block: {error}"
        ) from None
