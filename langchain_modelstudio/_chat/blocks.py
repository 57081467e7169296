"""LangChain's standard content blocks of this provider's messages."""

from collections.abc import Mapping
from typing import Final, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages import content as standard
from langchain_core.messages.block_translators import register_translator

from langchain_modelstudio._chat.messages import SEPARATE_BLOCK_TYPES, reasoning_of
from langchain_modelstudio._provider import PROVIDER

__all__ = ["register_blocks"]

# LangChain merges streamed blocks with the same index, whatever their types are. The
# index of a tool call is a number, so text and reasoning have names.
_REASONING_INDEX: Final = "lc_rs_0"
_TEXT_INDEX: Final = "lc_txt_0"


def _message_blocks(message: AIMessage) -> list[standard.ContentBlock]:
    """Translate a complete message: reasoning, text, tool calls."""
    blocks: list[dict[str, object]] = []
    if reasoning := reasoning_of(message):
        blocks.append({"type": "reasoning", "reasoning": reasoning})
    blocks.extend(_content_blocks(message.content))
    if annotations := _annotations(message):
        texts = [block for block in blocks if block["type"] == "text"]
        if texts and "annotations" not in texts[-1]:
            texts[-1]["annotations"] = annotations
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
