"""LangChain's standard content blocks of this provider's messages."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages import content as standard
from langchain_core.messages.block_translators import register_translator

from langchain_modelstudio._chat.messages import SEPARATE_BLOCK_TYPES, reasoning_of
from langchain_modelstudio._provider import PROVIDER
from modelstudio_core.chat.completion import image_urls
from modelstudio_core.chat.speech import PCM_MIME_TYPE, Speech

__all__ = ["register_blocks"]

# LangChain merges streamed blocks with the same index, whatever their types are. The
# index of a tool call is a number, so the others have names.
_REASONING_INDEX: Final = "lc_rs_0"
_TEXT_INDEX: Final = "lc_txt_0"
_AUDIO_INDEX: Final = "lc_aud_0"


def _message_blocks(message: AIMessage) -> list[standard.ContentBlock]:
    """Translate a complete message: reasoning, text, media, tool calls."""
    blocks: list[dict[str, object]] = []
    if reasoning := reasoning_of(message):
        blocks.append({"type": "reasoning", "reasoning": reasoning})
    blocks.extend(_content_blocks(message.content))
    if annotations := _annotations(message):
        texts = [block for block in blocks if block["type"] == "text"]
        if texts and "annotations" not in texts[-1]:
            texts[-1]["annotations"] = annotations
    blocks.extend(_media_blocks(message))
    blocks.extend(
        {
            "type": "tool_call",
            "name": call["name"],
            "args": call["args"],
            "id": call["id"],
        }
        for call in message.tool_calls
    )
    blocks.extend(
        {**call, "type": "invalid_tool_call"} for call in message.invalid_tool_calls
    )
    return cast("list[standard.ContentBlock]", blocks)


def _media_blocks(message: AIMessage) -> list[dict[str, object]]:
    """Return the sound and the images of a complete message."""
    blocks: list[dict[str, object]] = []
    if audio := message.additional_kwargs.get("audio"):
        blocks.append(_sound_block(audio))
    blocks.extend(_image_blocks(message))
    return blocks


def _sound_block(audio: dict[str, Any]) -> dict[str, object]:
    """Return the block of the complete sound, as a sound file."""
    fields = {k: v for k, v in audio.items() if k not in {"data", "transcript"}}
    speech = Speech(audio.get("data", ""), audio.get("transcript", ""), fields)
    extras = {k: v for k, v in audio.items() if k in {"transcript", "expires_at"}}
    block: dict[str, object] = {"type": "audio"}
    if audio.get("id"):
        block["id"] = audio["id"]
    if speech.data:
        file = speech.to_file()
        block["base64"] = b64encode(file.content).decode()
        block["mime_type"] = file.mime_type
    elif speech.url:
        block["url"] = speech.url
    return {**block, "extras": extras} if extras else block


def _pcm_block(audio: dict[str, Any]) -> list[dict[str, object]]:
    """Return the block of a part of the sound.

    LangChain joins the strings of such blocks, so the type is in the first one only:
    that with the id.
    """
    block: dict[str, object] = {}
    if audio.get("data"):
        block["base64"] = audio["data"]
    if audio.get("url"):
        block["url"] = audio["url"]
    if audio.get("id"):
        block |= {"id": audio["id"], "mime_type": PCM_MIME_TYPE}
    return [{"type": "audio", "index": _AUDIO_INDEX, **block}] if block else []


def _image_blocks(message: AIMessage) -> list[dict[str, object]]:
    return [_image_block(url) for url in image_urls(message.additional_kwargs)]


def _image_block(url: str) -> dict[str, object]:
    head, separator, data = url.partition(";base64,")
    if separator and head.startswith("data:"):
        mime_type = head.removeprefix("data:") or "image/png"
        return {"type": "image", "base64": data, "mime_type": mime_type}
    return {"type": "image", "url": url}


def _annotations(message: AIMessage) -> list[dict[str, object]]:
    """Return the results of the service's web search as LangChain's citations."""
    results = cast(
        "list[Mapping[str, object]]",
        message.additional_kwargs.get("search_results", []),
    )
    return [
        {
            "type": "citation",
            "url": result.get("url"),
            "title": result.get("title"),
            "extras": {k: v for k, v in result.items() if k not in {"url", "title"}},
        }
        for result in results
    ]


def _content_blocks(
    content: str | list[str | dict[str, object]],
) -> list[dict[str, object]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [
        {"type": "text", "text": block} if isinstance(block, str) else {**block}
        for block in content
        if isinstance(block, str) or block.get("type") not in SEPARATE_BLOCK_TYPES
    ]


def _chunk_blocks(chunk: AIMessageChunk) -> list[standard.ContentBlock]:
    """Translate a chunk, or a sum of chunks; with the last chunk it is complete."""
    if chunk.chunk_position == "last":
        return _message_blocks(chunk)
    blocks: list[dict[str, object]] = []
    if reasoning := reasoning_of(chunk):
        blocks.append(
            {"type": "reasoning", "reasoning": reasoning, "index": _REASONING_INDEX}
        )
    blocks.extend(
        {"index": _TEXT_INDEX, **block} for block in _content_blocks(chunk.content)
    )
    if annotations := _annotations(chunk):
        text: dict[str, object] = {"type": "text", "text": "", "index": _TEXT_INDEX}
        blocks.append({**text, "annotations": annotations})
    if audio := chunk.additional_kwargs.get("audio"):
        blocks.extend(_pcm_block(audio))
    blocks.extend(_image_blocks(chunk))
    blocks.extend(
        {
            "type": "tool_call_chunk",
            "id": call.get("id"),
            "name": call.get("name"),
            "args": call.get("args"),
            "index": call.get("index"),
        }
        for call in chunk.tool_call_chunks
    )
    return cast("list[standard.ContentBlock]", blocks)


def register_blocks() -> None:
    """Register the translator behind ``message.content_blocks``."""
    register_translator(PROVIDER, _message_blocks, _chunk_blocks)
