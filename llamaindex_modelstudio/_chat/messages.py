"""Conversion of LlamaIndex messages to the core's messages."""

# LlamaIndex does not type the dicts in its messages.
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

from llamaindex_modelstudio._chat.history import pair_tool_calls
from modelstudio_core.chat import messages as core
from modelstudio_core.errors import ConfigurationError

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


def from_messages(messages: Sequence[ChatMessage]) -> list[core.Message]:
    """Convert a prompt, without changing the messages.

    Memories and agents keep data of their own in ``additional_kwargs``: only the keys
    that the service has are read.

    Raises:
        ConfigurationError: A block cannot be sent.
    """
    return pair_tool_calls([_from_message(message) for message in messages])


def _from_message(message: ChatMessage) -> core.Message:
    role = _ROLES[message.role]
    extra = message.additional_kwargs
    blocks = message.blocks
    if role == "assistant" and message.content:
        # The words of a spoken answer stand for its sound, which cannot be sent back.
        blocks = [block for block in blocks if not isinstance(block, AudioBlock)]
    converted: dict[str, Any] = {"role": role, "content": _content(blocks)}
    if isinstance(extra.get("name"), str):
        converted["name"] = extra["name"]
    if role == "tool":
        converted["tool_call_id"] = str(extra.get("tool_call_id") or "")
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


def _content(blocks: Sequence[ContentBlock]) -> str | list[core.Part]:
    parts: list[core.Part] = []
    for block in blocks:
        match block:
            case ThinkingBlock() | ToolCallBlock():
                pass
            case CachePoint():
                _set_cache_control(parts)
            case CitableBlock():
                parts.extend(_part(cited) for cited in block.content)
            case CitationBlock():
                parts.append(_part(block.cited_content))
            case _:
                parts.append(_part(block))
    return parts or ""


def _set_cache_control(parts: list[core.Part]) -> None:
    """Mark the part before a cache point as the end of a cached prefix."""
    if parts and parts[-1]["type"] == "text":
        parts[-1] = {**parts[-1], "cache_control": {"type": "ephemeral"}}


def _part(block: _MediaBlock) -> core.Part:
    match block:
        case TextBlock():
            return {"type": "text", "text": block.text}
        case ImageBlock():
            url = _url(
                block.url, block.image_mimetype, "image/png", block.resolve_image
            )
            image: core.ImagePart = {"type": "image_url", "image_url": {"url": url}}
            if block.detail:
                image["image_url"]["detail"] = block.detail
            return image
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
                "DocumentBlock is not supported: Model Studio's chat models accept"
                " text, image, video and audio blocks. Pass the text of the document"
                " in a TextBlock instead."
            )
        case _:
            assert_never(block)


class _Resolve(Protocol):
    """``resolve_image`` and the like: LlamaIndex returns a buffer."""

    def __call__(self) -> IOBase: ...


def _url(url: object, mimetype: str | None, default: str, resolve: _Resolve) -> str:
    """Return the URL of a media block, or its bytes as a ``data:`` URL."""
    if url:
        return str(url)
    try:
        encoded = base64.b64encode(cast("bytes", resolve().read())).decode()
    except (OSError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"Cannot read the bytes of a media block: {error}"
        ) from None
    return f"data:{default if mimetype is None else mimetype};base64,{encoded}"
