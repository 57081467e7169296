"""LangChain's messages to the core's messages."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from modelstudio_core.chat import messages as core
from modelstudio_core.errors import ConfigurationError

__all__ = ["SEPARATE_BLOCK_TYPES", "from_messages", "reasoning_of"]

# A content block, or another of LangChain's untyped dicts.
_Block = Mapping[str, object]

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


def from_messages(messages: Sequence[BaseMessage]) -> list[core.Message]:
    """Convert a prompt, without changing its messages.

    Raises:
        ConfigurationError: A message or a content block is not supported.
    """
    return [_from_message(message) for message in messages]


def _from_message(message: BaseMessage) -> core.Message:
    converted = _without_name(message)
    if message.name:
        converted["name"] = message.name
    return converted


def _without_name(message: BaseMessage) -> core.Message:
    match message:
        case SystemMessage() | ChatMessage(role="system"):
            return {"role": "system", "content": _content(message)}
        case HumanMessage() | ChatMessage(role="user"):
            return {"role": "user", "content": _content(message)}
        case AIMessage():
            return _from_ai_message(message)
        case ChatMessage(role="assistant", content=content, additional_kwargs=extra):
            # AIMessage parses the tool calls in additional_kwargs.
            return _from_ai_message(AIMessage(content, additional_kwargs=extra))
        case ToolMessage():
            return {
                "role": "tool",
                "tool_call_id": message.tool_call_id,
                "content": _content(message),
            }
        case _:
            role = message.role if isinstance(message, ChatMessage) else message.type
            raise ConfigurationError(
                f"{type(message).__name__} with role {role!r} is not supported. Use"
                " SystemMessage, HumanMessage, AIMessage or ToolMessage."
            )


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
    calls: list[_Block] = [*message.tool_calls, *message.invalid_tool_calls]
    ids = [None, "", *(call["id"] for call in calls)]
    blocks = [
        block
        for block in _blocks(message)
        if block.get("type") in _CALL_TYPES
        and (not calls or _call_id(block) not in ids)
    ]
    return [_tool_call(call) for call in (*calls, *blocks)]


def _tool_call(call: _Block) -> core.ToolCall:
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


def _call_id(call: _Block) -> object:
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
            block = cast("_Block", value)
            values = (block[key] for key in _REASONING_KEYS if block.get(key))
            return _reasoning_text(next(values, ""))
        case _:
            return ""


def _blocks(message: AIMessage) -> list[_Block]:
    if isinstance(message.content, str):
        return []
    return [_unwrap(block) for block in message.content if isinstance(block, dict)]


def _unwrap(block: _Block) -> _Block:
    """Return another provider's block without LangChain's wrapper."""
    value = block.get("value")
    if block.get("type") == "non_standard" and isinstance(value, Mapping):
        return cast("_Block", value)
    return block


# --- Content ----------------------------------------------------------------------


def _content(message: BaseMessage) -> str | list[core.Part]:
    content = message.content
    if isinstance(content, str):
        return content
    separate: tuple[str, ...] = ()
    if isinstance(message, AIMessage):
        separate = SEPARATE_BLOCK_TYPES
        content = _words_for_sound(content)
    parts = [
        _checked_part(block)
        for block in content
        if isinstance(block, str) or _unwrap(block).get("type") not in separate
    ]
    return parts or ""


def _words_for_sound(
    content: list[str | dict[str, Any]],
) -> list[str | dict[str, Any]]:
    """Return the content of an answer without its sound, which cannot be sent back.

    The words of the sound are its text; if there is none, its transcript is.
    """
    others = [
        block
        for block in content
        if isinstance(block, str) or block.get("type") != "audio"
    ]
    if len(others) == len(content) or any(
        isinstance(block, str) or block.get("type") == "text" for block in others
    ):
        return others
    sounds = [block for block in content if isinstance(block, dict)]
    extras = [_mapping(block.get("extras") or {}) for block in sounds]
    words = "".join(str(extra.get("transcript") or "") for extra in extras)
    return [*others, words] if words else content


def _checked_part(block: str | _Block) -> core.Part:
    try:
        return _part(block)
    except KeyError as error:
        problem = f"missing key {error}"
    except TypeError as error:
        problem = str(error)
    raise ConfigurationError(f"Invalid content block ({problem}): {block!r:.200}")


def _part(block: str | _Block) -> core.Part:  # noqa: PLR0911 - a table of block types
    if isinstance(block, str):
        return {"type": "text", "text": block}
    kind = block.get("type")
    match kind:
        case "text" | "text-plain" | "refusal":
            return _text_part(block)
        case "image_url" | "video_url":
            url = _url_object(block[str(kind)])
            return cast("core.Part", {"type": kind, kind: url})
        case "image":
            return {"type": "image_url", "image_url": {"url": _url(block, "image/png")}}
        case "video" if isinstance(frames := block.get("video"), list):
            urls = [_string(frame) for frame in cast("list[object]", frames)]
            return {"type": "video", "video": urls}
        case "video":
            return {"type": "video_url", "video_url": {"url": _url(block, "video/mp4")}}
        case "input_audio":
            return _audio_part(_mapping(block["input_audio"]))
        case "audio":
            mime_type = str(block.get("mime_type") or "audio/wav")
            audio_format = mime_type.rpartition("/")[2]
            return _audio_part({"data": _url(block, mime_type), "format": audio_format})
        case "non_standard":
            return _part(_mapping(block["value"]))
        case _:
            raise ConfigurationError(
                f"Content blocks of type {kind!r} are not supported. Model Studio"
                " accepts text, image, video and audio blocks."
            )


def _text_part(block: _Block) -> core.TextPart:
    text = block["refusal" if block["type"] == "refusal" else "text"]
    part: dict[str, object] = {"type": "text", "text": _string(text)}
    extras = _mapping(block.get("extras") or {})
    if cache_control := block.get("cache_control") or extras.get("cache_control"):
        part["cache_control"] = cache_control
    return cast("core.TextPart", part)


def _url_object(value: object) -> _Block:
    """Return ``{"url": ...}`` for a URL, or for an object with more keys."""
    fields: _Block = {"url": value} if isinstance(value, str) else _mapping(value)
    return {**fields, "url": _string(fields["url"])}


def _audio_part(audio: _Block) -> core.AudioPart:
    """Return an audio part; the service accepts base64 only in a ``data:`` URL."""
    data = _string(audio["data"])
    if not data.startswith(("data:", "http://", "https://", "oss://")):
        data = f"data:;base64,{data}"
    part = {"type": "input_audio", "input_audio": {**audio, "data": data}}
    return cast("core.AudioPart", part)


def _url(block: _Block, default_mime_type: str) -> str:
    """Return the URL of a media block of LangChain v1, LangChain v0 or Anthropic."""
    source = block.get("source")
    if isinstance(source, Mapping):
        block = cast("_Block", source)
    if url := block.get("url"):
        return _string(url)
    mime_type = block.get("mime_type") or block.get("media_type") or default_mime_type
    if data := block.get("base64") or block.get("data"):
        return f"data:{mime_type};base64,{_string(data)}"
    raise ConfigurationError(
        f"Content block of type {block.get('type')!r} needs url or base64. Model Studio"
        " does not support file ids."
    )


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a string, got {value!r:.80}")
    return value


def _mapping(value: object) -> _Block:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a dict, got {value!r:.80}")
    return cast("_Block", value)
