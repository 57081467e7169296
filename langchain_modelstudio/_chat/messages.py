"""LangChain's messages to the core's messages."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_modelstudio._chat.parts import to_parts
from langchain_modelstudio._chat.provider_blocks import Block, is_cache_point, unwrap
from modelstudio_core.chat import messages as core
from modelstudio_core.chat.media import mark_last
from modelstudio_core.errors import ConfigurationError

__all__ = ["SEPARATE_BLOCK_TYPES", "from_messages", "reasoning_of"]

# LangChain's and OpenAI's block type, then that of Anthropic, Gemini and Mistral, then
# that of Bedrock.
_REASONING_TYPES: Final = ("reasoning", "thinking", "reasoning_content")
# A reasoning block's text is under its type, under "summary" (OpenAI), or in a list of
# parts under "text".
_REASONING_KEYS: Final = (*_REASONING_TYPES, "summary", "text")
_CALL_TYPES: Final = ("tool_call", "invalid_tool_call", "tool_use", "function_call")
# Content blocks of an assistant message that are sent in other fields than "content".
SEPARATE_BLOCK_TYPES: Final = (
    *_REASONING_TYPES,
    "redacted_thinking",
    *_CALL_TYPES,
    "tool_call_chunk",
)


# The blocks of a tool's result in a user's message, and the keys of their content.
_RESULT_TYPES: Final = {"tool_result": "content", "function_call_output": "output"}
# LangGraph's id for the removal of all messages before it.
_REMOVE_ALL: Final = "__remove_all__"


def from_messages(messages: Sequence[BaseMessage]) -> list[core.Message]:
    """Convert a prompt, without changing its messages.

    Raises:
        ConfigurationError: A message or a content block is not supported.
    """
    if any(isinstance(message, RemoveMessage) for message in messages):
        messages = _without_removed(messages)
    converted: list[core.Message] = []
    for message in messages:
        if isinstance(message, HumanMessage) and not isinstance(message.content, str):
            converted += _from_human_blocks(message)
        else:
            converted.append(_from_message(message))
    return converted


def _without_removed(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Return the messages without those that another message removes."""
    kept: list[BaseMessage] = []
    for message in messages:
        if not isinstance(message, RemoveMessage):
            kept.append(message)
        elif message.id == _REMOVE_ALL:
            kept.clear()
        else:
            kept = [other for other in kept if other.id != message.id]
    return kept


def _from_human_blocks(message: HumanMessage) -> Iterable[core.Message]:
    """Convert a user's message; Anthropic's has the results of tools as blocks."""
    results: list[core.Message] = []
    others: list[str | dict[str, object]] = []
    for item in message.content:
        block = item if isinstance(item, str) else unwrap(item)
        kind = "" if isinstance(block, str) else str(block.get("type"))
        if isinstance(block, str) or kind not in _RESULT_TYPES:
            others.append(cast("str | dict[str, object]", item))
            continue
        content = block.get(_RESULT_TYPES[kind]) or ""
        call_id = str(block.get("tool_use_id") or block.get("call_id") or "")
        result = ToolMessage(cast("str", content), tool_call_id=call_id)
        results.append(_from_message(result))
    if others or not results:
        rest = message.model_copy(update={"content": others}) if results else message
        results.append(_from_message(rest))
    return results


def _from_message(message: BaseMessage) -> core.Message:
    converted = _without_name(message)
    if message.name:
        converted["name"] = message.name
    return converted


def _without_name(message: BaseMessage) -> core.Message:
    match message:
        case SystemMessage() | ChatMessage(role="system" | "developer"):
            return {"role": "system", "content": _content(message)}
        case HumanMessage() | ChatMessage(role="user" | "human"):
            return {"role": "user", "content": _content(message)}
        case AIMessage():
            return _from_ai_message(message)
        case ChatMessage(
            role="assistant" | "ai" | "model", content=content, additional_kwargs=extra
        ):
            # AIMessage parses the tool calls in additional_kwargs.
            return _from_ai_message(AIMessage(content, additional_kwargs=extra))
        case ToolMessage():
            return _tool_message(message, message.tool_call_id)
        case FunctionMessage() | ChatMessage(role="tool" | "function"):
            call_id = message.additional_kwargs.get("tool_call_id")
            return _tool_message(message, str(call_id or ""))
        case _:
            role = message.role if isinstance(message, ChatMessage) else message.type
            raise ConfigurationError(
                f"{type(message).__name__} with role {role!r} is not supported. Use"
                " SystemMessage, HumanMessage, AIMessage or ToolMessage."
            )


def _tool_message(message: BaseMessage, call_id: str) -> core.ToolMessage:
    return {"role": "tool", "tool_call_id": call_id, "content": _content(message)}


def _from_ai_message(message: AIMessage) -> core.AssistantMessage:
    converted: core.AssistantMessage = {
        "role": "assistant",
        "content": _content(message),
    }
    if reasoning := reasoning_of(message):
        converted["reasoning_content"] = reasoning
    if tool_calls := _tool_calls(message):
        converted["tool_calls"] = tool_calls
    # AIMessage keeps fields that it does not know, as in AIMessage("…", partial=True).
    extra = message.model_extra or {}
    if message.additional_kwargs.get("partial") or extra.get("partial"):
        converted["partial"] = True
    return converted


# --- Tool calls and reasoning -----------------------------------------------------


def _tool_calls(message: AIMessage) -> list[core.ToolCall]:
    """Return a message's calls, and those that are in its content only."""
    calls: list[Block] = [*message.tool_calls, *message.invalid_tool_calls]
    function_call = message.additional_kwargs.get("function_call")
    if not calls and isinstance(function_call, Mapping):
        # The form of OpenAI before tools, which has no id.
        calls.append(cast("Block", function_call))
    ids = [None, "", *(call.get("id") for call in calls)]
    blocks = [
        block
        for block in _blocks(message)
        if block.get("type") in _CALL_TYPES
        and (not calls or _call_id(block) not in ids)
    ]
    return [_tool_call(call) for call in (*calls, *blocks)]


def _tool_call(call: Block) -> core.ToolCall:
    """Convert a call in the form of LangChain, Anthropic or OpenAI."""
    name = str(call.get("name") or "")
    values = (call[key] for key in ("args", "input", "arguments") if call.get(key))
    empty: object = dict[str, object]() if call.get("type") == "tool_call" else ""
    arguments = next(values, empty)
    if not isinstance(arguments, str):
        arguments = core.arguments_text(name, arguments)
    return {
        "id": str(_call_id(call) or ""),
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def _call_id(call: Block) -> object:
    return call.get("call_id") or call.get("id")


def reasoning_of(message: AIMessage) -> str:
    """Return a message's reasoning, whichever provider or output version stored it."""
    reasoning = message.additional_kwargs.get("reasoning_content")
    if isinstance(reasoning, str) and reasoning:
        return reasoning
    texts = [
        _reasoning_text(block)
        for block in _blocks(message)
        if block.get("type") in _REASONING_TYPES
    ]
    return "".join(texts) or _reasoning_text(message.additional_kwargs)


def _reasoning_text(value: object) -> str:
    match value:
        case str():
            return value
        case list():
            return "\n\n".join(map(_reasoning_text, cast("list[object]", value)))
        case Mapping():
            block = cast("Block", value)
            values = (block[key] for key in _REASONING_KEYS if block.get(key))
            return _reasoning_text(next(values, ""))
        case _:
            return ""


def _blocks(message: AIMessage) -> list[Block]:
    if isinstance(message.content, str):
        return []
    return [unwrap(block) for block in message.content if isinstance(block, dict)]


# --- Content ----------------------------------------------------------------------


def _content(message: BaseMessage) -> str | list[core.Part]:
    content = message.content
    is_answer = isinstance(message, AIMessage)
    if isinstance(content, str):
        if content or not is_answer:
            return content
        return _transcript(message.additional_kwargs.get("audio"))
    is_from_user = not isinstance(message, AIMessage | ToolMessage | FunctionMessage)
    parts: list[core.Part] = []
    for item in content:
        block = item if isinstance(item, str) else unwrap(item)
        if isinstance(block, str):
            parts.append({"type": "text", "text": block})
        elif is_cache_point(block):
            mark_last(parts)
        elif is_answer and (spoken := _spoken(block)):
            if spoken not in parts:
                parts.append(spoken)
        elif not (is_answer and block.get("type") in SEPARATE_BLOCK_TYPES):
            parts.extend(to_parts(block, is_from_user=is_from_user))
    return parts or ""


def _spoken(block: Block) -> core.Part | None:
    """Return the transcript of an audio block, which is sent instead of the sound."""
    if block.get("type") != "audio":
        return None
    text = _transcript(block) or _transcript(block.get("extras"))
    return {"type": "text", "text": text} if text else None


def _transcript(value: object) -> str:
    if not isinstance(value, Mapping):
        return ""
    text = cast("Block", value).get("transcript")
    return text if isinstance(text, str) else ""
