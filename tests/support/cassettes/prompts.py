"""The prompt of a scenario as the messages of each framework."""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from llama_index.core.base.llms.types import (
    ChatMessage,
    ContentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from tests.support.cassettes.scenarios import Message

__all__ = ["to_langchain", "to_llamaindex"]


def to_langchain(messages: Sequence[Message]) -> list[BaseMessage]:
    """Return a prompt as LangChain messages."""
    return [_langchain_message(message) for message in messages]


def _langchain_message(message: Message) -> BaseMessage:
    match message["role"]:
        case "assistant":
            calls = [
                {"id": call["id"], "name": call["name"], "args": call["arguments"]}
                for call in message["calls"]
            ]
            reasoning = {"reasoning_content": message["reasoning"]}
            return AIMessage("", additional_kwargs=reasoning, tool_calls=calls)
        case "tool":
            return ToolMessage(message["content"], tool_call_id=message["id"])
        case _:
            return HumanMessage(message["content"])


def to_llamaindex(messages: Sequence[Message]) -> list[ChatMessage]:
    """Return a prompt as LlamaIndex messages."""
    return [_llamaindex_message(message) for message in messages]


def _llamaindex_message(message: Message) -> ChatMessage:
    blocks: list[ContentBlock] = []
    extra: dict[str, Any] = {}
    if message["role"] == "assistant":
        blocks.append(ThinkingBlock(content=message["reasoning"]))
        blocks.extend(
            ToolCallBlock(
                tool_call_id=call["id"],
                tool_name=call["name"],
                tool_kwargs=call["arguments"],
            )
            for call in message["calls"]
        )
    elif isinstance(message["content"], str):
        blocks.append(TextBlock(text=message["content"]))
    else:
        blocks.extend(_llamaindex_block(part) for part in message["content"])
    if message["role"] == "tool":
        extra["tool_call_id"] = message["id"]
    return ChatMessage(role=message["role"], blocks=blocks, additional_kwargs=extra)


def _llamaindex_block(part: Mapping[str, Any]) -> ContentBlock:
    if part["type"] == "text":
        return TextBlock(text=part["text"])
    return ImageBlock(url=part["image_url"]["url"])
