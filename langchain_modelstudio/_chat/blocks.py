"""LangChain's standard content blocks, made of our messages."""

from collections.abc import Iterable
from typing import Any, Final

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
)
from langchain_core.messages import content as blocks
from langchain_core.messages.block_translators import register_translator

from langchain_modelstudio._chat.messages import ELSEWHERE, reasoning_of

__all__ = ["PROVIDER"]

PROVIDER: Final = "modelstudio"

# LangChain merges streamed blocks by index without a look at their type, and a tool
# call's index is a number: a name of our own keeps reasoning and text apart from it.
_REASONING_INDEX: Final = "lc_rs_0"
_TEXT_INDEX: Final = "lc_txt_0"


def _blocks(message: AIMessage) -> list[blocks.ContentBlock]:
    """Translate a whole message: reasoning, text, tool calls."""
    found: list[Any] = []
    if reasoning := reasoning_of(message):
        found.append({"type": "reasoning", "reasoning": reasoning})
    found.extend(_content_blocks(message.content))
    if annotations := _annotations(message):
        texts = [block for block in found if block["type"] == "text"]
        if texts and "annotations" not in texts[-1]:
            texts[-1]["annotations"] = annotations
    found.extend(
        {"type": "tool_call", "name": it["name"], "args": it["args"], "id": it["id"]}
        for it in message.tool_calls
    )
    found.extend(
        {**it, "type": "invalid_tool_call"} for it in message.invalid_tool_calls
    )
    return found


def _annotations(message: AIMessage) -> list[dict[str, Any]]:
    """Return what the service's web search found, as LangChain's citations."""
    results: list[dict[str, Any]] = message.additional_kwargs.get("search_results", [])
    return [
        {
            "type": "citation",
            "url": result.get("url"),
            "title": result.get("title"),
            "extras": {k: v for k, v in result.items() if k not in {"url", "title"}},
        }
        for result in results
    ]


def _content_blocks(content: str | list[str | dict[Any, Any]]) -> Iterable[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [
        {"type": "text", "text": it} if isinstance(it, str) else {**it}
        for it in content
        if isinstance(it, str) or it.get("type") not in ELSEWHERE
    ]


def _chunk_blocks(chunk: AIMessageChunk) -> list[blocks.ContentBlock]:
    """Translate a chunk, or the sum of chunks that the last one makes whole."""
    if chunk.chunk_position == "last":
        return _blocks(chunk)
    found: list[Any] = []
    if reasoning := reasoning_of(chunk):
        found.append(
            {"type": "reasoning", "reasoning": reasoning, "index": _REASONING_INDEX}
        )
    found.extend(
        {"index": _TEXT_INDEX, **block} for block in _content_blocks(chunk.content)
    )
    if annotations := _annotations(chunk):
        text: dict[str, Any] = {"type": "text", "text": "", "index": _TEXT_INDEX}
        found.append({**text, "annotations": annotations})
    found.extend(
        {
            "type": "tool_call_chunk",
            "id": it.get("id"),
            "name": it.get("name"),
            "args": it.get("args"),
            "index": it.get("index"),
        }
        for it in chunk.tool_call_chunks
    )
    return found


register_translator(PROVIDER, _blocks, _chunk_blocks)
