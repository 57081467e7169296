"""One shape for the responses of both frameworks, so that tests can compare them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatResponse,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

__all__ = ["Summary", "summarize", "without_index"]


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a response says, whichever framework and protocol it came from.

    Attributes:
        text: The text.
        reasoning: The reasoning before the text.
        calls: The id, the name and the arguments of each tool call.
        blocks: The types of the content blocks: reasoning, text, image,
            audio, tool_call or invalid_tool_call.
        finish_reason: Why the answer ended.
        input_tokens: The tokens of the prompt.
        output_tokens: The tokens of the answer, with its reasoning.
        total_tokens: Both together.
        reasoning_tokens: The tokens of the reasoning.
        cached_tokens: The tokens of the prompt that came from a cache.
        sources: The results of a web search.
        request_id: The request id; equal summaries may differ in it.
        requested_model: The model that was asked for, if another one answered.
    """

    text: str
    reasoning: str
    calls: Sequence[tuple[str | None, str, Any]]
    blocks: Sequence[str]
    finish_reason: str | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    reasoning_tokens: int | None
    cached_tokens: int | None
    sources: Sequence[Mapping[str, Any]]
    request_id: str = field(compare=False)
    requested_model: str | None


def summarize(response: AIMessage | ChatResponse) -> Summary:
    """Return the summary of a LangChain message or a LlamaIndex chat response."""
    if isinstance(response, AIMessage):
        return _summarize_langchain(response)
    return _summarize_llamaindex(response)


def _summarize_langchain(message: AIMessage) -> Summary:
    usage: Any = message.usage_metadata or {}
    extra, metadata = message.additional_kwargs, message.response_metadata
    return Summary(
        text=message.text,
        reasoning=extra.get("reasoning_content", ""),
        calls=[(call["id"], call["name"], call["args"]) for call in message.tool_calls],
        blocks=[block["type"] for block in message.content_blocks],
        finish_reason=metadata["finish_reason"],
        input_tokens=usage.get("input_tokens"),
        output_tokens=usage.get("output_tokens"),
        total_tokens=usage.get("total_tokens"),
        reasoning_tokens=usage.get("output_token_details", {}).get("reasoning"),
        cached_tokens=usage.get("input_token_details", {}).get("cache_read"),
        sources=extra.get("search_results", []),
        request_id=metadata["request_id"],
        requested_model=metadata.get("requested_model"),
    )


_BLOCK_TYPES: Mapping[type, str] = {
    ThinkingBlock: "reasoning",
    TextBlock: "text",
    ImageBlock: "image",
    AudioBlock: "audio",
    ToolCallBlock: "tool_call",
}


def _summarize_llamaindex(response: ChatResponse) -> Summary:
    message, metadata = response.message, response.additional_kwargs
    extra: Any = message.additional_kwargs
    calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    return Summary(
        text=message.content or "",
        reasoning=extra.get("reasoning_content", ""),
        calls=[
            (call.tool_call_id, call.tool_name, call.tool_kwargs)
            for call in calls
            if isinstance(call.tool_kwargs, dict)
        ],
        blocks=[_type_of(block) for block in message.blocks],
        finish_reason=metadata.get("finish_reason"),
        input_tokens=metadata.get("prompt_tokens"),
        output_tokens=metadata.get("completion_tokens"),
        total_tokens=metadata.get("total_tokens"),
        reasoning_tokens=metadata.get("reasoning_tokens"),
        cached_tokens=metadata.get("cached_tokens"),
        sources=extra.get("search_results", []),
        request_id=metadata["request_id"],
        requested_model=metadata.get("requested_model"),
    )


def _type_of(block: object) -> str:
    invalid = isinstance(block, ToolCallBlock) and isinstance(block.tool_kwargs, str)
    return "invalid_tool_call" if invalid else _BLOCK_TYPES[type(block)]


def without_index(blocks: Iterable[Any]) -> list[dict[str, Any]]:
    """Return content blocks without ``index``, which only streams have."""
    return [{k: v for k, v in block.items() if k != "index"} for block in blocks]
