"""LlamaIndex's messages to the neutral prompt."""

# LlamaIndex's responses hold plain dicts.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import base64
from collections.abc import Mapping, Sequence
from io import IOBase
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

from llamaindex_modelstudio._chat.history import pair_calls
from modelstudio_core.chat import messages as core
from modelstudio_core.errors import ConfigurationError

__all__ = ["from_messages", "reasoning_of"]

_ROLES: Final[dict[MessageRole, str]] = {
    MessageRole.SYSTEM: "system",
    # The service documents no developer role.
    MessageRole.DEVELOPER: "system",
    MessageRole.USER: "user",
    MessageRole.ASSISTANT: "assistant",
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
    MessageRole.TOOL: "tool",
    MessageRole.FUNCTION: "tool",
}


def from_messages(messages: Sequence[ChatMessage]) -> list[core.Message]:
    """Convert a prompt; the messages themselves are not touched.

    Of ``additional_kwargs`` only what the service knows is read: memories and agents
    leave notes of their own there.

    Raises:
        ConfigurationError: A block has no counterpart.
    """
    return pair_calls([_from_message(message) for message in messages])


def _from_message(message: ChatMessage) -> core.Message:
    role = _ROLES[message.role]
    extra = message.additional_kwargs
    converted: dict[str, Any] = {"role": role, "content": _content(message.blocks)}
    if isinstance(extra.get("name"), str):
        converted["name"] = extra["name"]
    if role == "tool":
        converted["tool_call_id"] = str(extra.get("tool_call_id") or "")
    if role == "assistant":
        if reasoning := reasoning_of(message):
            converted["reasoning_content"] = reasoning
        if calls := _calls(message):
            converted["tool_calls"] = calls
        if extra.get("partial"):
            converted["partial"] = True
    return cast("core.Message", converted)


def reasoning_of(message: ChatMessage) -> str:
    """Find the reasoning of a message: kept by us, or in its blocks."""
    kept = message.additional_kwargs.get("reasoning_content")
    if isinstance(kept, str) and kept:
        return kept
    found = [b.content or "" for b in message.blocks if isinstance(b, ThinkingBlock)]
    return "".join(found)


def _calls(message: ChatMessage) -> list[core.ToolCall]:
    """Read the tool calls: dicts, objects of any SDK, or blocks."""
    kept = message.additional_kwargs.get("tool_calls")
    listed = cast("Sequence[Any]", kept) if isinstance(kept, list | tuple) else ()
    plain = [_plain(call) for call in listed]
    if plain and all("function" in call for call in plain):
        return [_call(call.get("id"), **_named(call["function"])) for call in plain]
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if blocks:
        return [_call(b.tool_call_id, b.tool_name, b.tool_kwargs) for b in blocks]
    return [_call(call.get("id"), **_named(call)) for call in plain if call.get("name")]


def _plain(call: Any) -> Mapping[str, Any]:
    plain = call.model_dump() if isinstance(call, BaseModel) else call
    return cast("Mapping[str, Any]", plain) if isinstance(plain, Mapping) else {}


def _named(function: object) -> dict[str, Any]:
    """Return the name and the arguments, which other services call their input."""
    known = _plain(function)
    arguments = known.get("arguments") or known.get("input")
    return {"name": known.get("name"), "arguments": arguments}


def _call(call_id: object, name: object, arguments: object) -> core.ToolCall:
    known = str(name or "")
    text = arguments
    if not isinstance(text, str):
        text = core.arguments_text(known, arguments or {})
    function: Any = {"name": known, "arguments": text}
    return {"id": str(call_id or ""), "type": "function", "function": function}


def _content(blocks: Sequence[ContentBlock]) -> str | list[core.Part]:
    parts: list[core.Part] = []
    for block in blocks:
        match block:
            case ThinkingBlock() | ToolCallBlock():
                pass
            case CachePoint():
                _mark_cached(parts)
            case CitableBlock():
                parts.extend(_text_parts(block.content))
            case CitationBlock():
                parts.extend(_text_parts([block.cited_content]))
            case _:
                parts.append(_part(block))
    return parts or ""


def _text_parts(blocks: Sequence[Any]) -> list[core.Part]:
    return [_part(block) for block in blocks]


def _mark_cached(parts: list[core.Part]) -> None:
    """Mark what stands before a cache point as the end of a cached prefix."""
    if parts and parts[-1]["type"] == "text":
        parts[-1] = {**parts[-1], "cache_control": {"type": "ephemeral"}}


def _part(
    block: TextBlock | ImageBlock | AudioBlock | VideoBlock | DocumentBlock,
) -> core.Part:
    match block:
        case TextBlock():
            return {"type": "text", "text": block.text}
        case ImageBlock():
            url = _url(
                block.url, block.image_mimetype, "image/png", block.resolve_image
            )
            image: Any = {"url": url}
            if block.detail:
                image["detail"] = block.detail
            return {"type": "image_url", "image_url": image}
        case VideoBlock():
            url = _url(
                block.url, block.video_mimetype, "video/mp4", block.resolve_video
            )
            return {"type": "video_url", "video_url": {"url": url}}
        case AudioBlock():
            data = _url(block.url, "", "", block.resolve_audio)
            return {
                "type": "input_audio",
                "input_audio": {"data": data, "format": block.format or "wav"},
            }
        case DocumentBlock():
            raise ConfigurationError(
                "A DocumentBlock cannot be sent: Model Studio's chat models take text,"
                " image, video and audio blocks. Pass the document's text instead."
            )
        case _:
            assert_never(block)


class _Resolve(Protocol):
    def __call__(self) -> IOBase: ...  # LlamaIndex's own


def _url(url: object, mime: str | None, default: str, resolve: _Resolve) -> str:
    """Return a medium's own address, else its bytes as a ``data:`` URL."""
    if url:
        return str(url)
    try:
        encoded = base64.b64encode(cast("bytes", resolve().read())).decode()
    except (OSError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"The bytes of a media block cannot be read: {error}"
        ) from None
    return f"data:{default if mime is None else mime};base64,{encoded}"
