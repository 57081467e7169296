"""LangChain's messages to the neutral prompt."""

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

__all__ = ["ELSEWHERE", "from_messages", "reasoning_of"]


def from_messages(messages: Sequence[BaseMessage]) -> list[core.Message]:
    """Convert a prompt; the messages themselves are not touched.

    Raises:
        ConfigurationError: A message or a block has no counterpart.
    """
    return [_from_message(message) for message in messages]


def _from_message(message: BaseMessage) -> core.Message:
    converted: Any
    match message:
        case SystemMessage():
            converted = {"role": "system", "content": _content(message)}
        case HumanMessage():
            converted = {"role": "user", "content": _content(message)}
        case AIMessage():
            converted = _from_ai_message(message)
        case ToolMessage():
            converted = {
                "role": "tool",
                "tool_call_id": message.tool_call_id,
                "content": _content(message),
            }
        case ChatMessage(role="assistant", content=content, additional_kwargs=extra):
            # What stands beside its text is read as LangChain reads it.
            converted = _from_ai_message(AIMessage(content, additional_kwargs=extra))
        case ChatMessage(role="system" | "user" as role):
            converted = {"role": role, "content": _content(message)}
        case _:
            raise ConfigurationError(
                f"A {type(message).__name__} of role {_role(message)!r} cannot be"
                " sent: use SystemMessage, HumanMessage, AIMessage or ToolMessage."
            )
    if message.name:
        converted["name"] = message.name
    return cast("core.Message", converted)


def _role(message: BaseMessage) -> str:
    return message.role if isinstance(message, ChatMessage) else message.type


def _from_ai_message(message: AIMessage) -> core.AssistantMessage:
    converted: core.AssistantMessage = {
        "role": "assistant",
        "content": _content(message),
    }
    if reasoning := reasoning_of(message):
        converted["reasoning_content"] = reasoning
    if calls := _calls(message):
        converted["tool_calls"] = calls
    if message.additional_kwargs.get("partial"):
        converted["partial"] = True
    return converted


def _calls(message: AIMessage) -> list[core.ToolCall]:
    """Read the calls, and those that stand in the content alone."""
    fields = [*message.tool_calls, *message.invalid_tool_calls]
    known = {call["id"] for call in fields}
    content = [] if isinstance(message.content, str) else message.content
    blocks = [
        block
        for block in map(_bare, (it for it in content if isinstance(it, dict)))
        if block.get("type") in _CALLS
        and (not fields or _call_id(block) not in {None, "", *known})
    ]
    return [_call(call) for call in (*fields, *blocks)]


def _call(call: Mapping[str, Any]) -> core.ToolCall:
    """Convert a call: LangChain's, Anthropic's or OpenAI's."""
    name = str(call.get("name") or "")
    said = (call[key] for key in ("args", "input", "arguments") if call.get(key))
    nothing: Any = {} if call.get("type") == "tool_call" else ""
    arguments: Any = next(said, nothing)
    text = arguments if isinstance(arguments, str) else None
    return {
        "id": str(_call_id(call) or ""),
        "type": "function",
        "function": {
            "name": name,
            "arguments": core.arguments_text(name, arguments) if text is None else text,
        },
    }


def _call_id(call: Mapping[str, Any]) -> object:
    return call.get("call_id") or call.get("id")


def reasoning_of(message: AIMessage) -> str:
    """Find the reasoning where any provider or output version leaves it."""
    kept = message.additional_kwargs.get("reasoning_content")
    if isinstance(kept, str) and kept:
        return kept
    content = [] if isinstance(message.content, str) else message.content
    thought = (_bare(block) for block in content if isinstance(block, dict))
    found = [_reasoning_of(it) for it in thought if it.get("type") in _THOUGHT]
    return "".join(found) or _reasoning_of(message.additional_kwargs)


def _reasoning_of(said: Any) -> str:
    """Return the text of a reasoning block, whichever provider made it."""
    match said:
        case str():
            return said
        case list():
            return "\n\n".join(map(_reasoning_of, cast("Sequence[Any]", said)))
        case dict():
            block = cast("dict[str, Any]", said)
            named = (block[name] for name in _REASONING_KEYS if block.get(name))
            return _reasoning_of(next(named, ""))
        case _:
            return ""


def _bare(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what LangChain keeps of another provider's block as that block."""
    value = block.get("value")
    if block.get("type") == "non_standard" and isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)
    return block


# What LangChain and OpenAI call it, then Anthropic, Gemini and Mistral, then Bedrock;
# and where OpenAI's summary and the parts of a list have their text.
_THOUGHT: Final = ("reasoning", "thinking", "reasoning_content")
_REASONING_KEYS: Final = (*_THOUGHT, "summary", "text")
_CALLS: Final = ("tool_call", "invalid_tool_call", "tool_use", "function_call")
# Blocks of an assistant's turn that are sent elsewhere than in its content.
ELSEWHERE: Final = (*_THOUGHT, "redacted_thinking", *_CALLS, "tool_call_chunk")


def _content(message: BaseMessage) -> str | list[core.Part]:
    content = message.content
    if isinstance(content, str):
        return content
    elsewhere = ELSEWHERE if isinstance(message, AIMessage) else ()
    parts = [
        _known_part(block)
        for block in content
        if isinstance(block, str) or _bare(block).get("type") not in elsewhere
    ]
    return parts or ""


def _known_part(block: str | Mapping[str, Any]) -> core.Part:
    try:
        return _part(block)
    except (KeyError, TypeError) as error:
        raise ConfigurationError(
            f"A content block lacks a part of its shape ({error}): {block!r:.200}"
        ) from None


def _part(block: str | Mapping[str, Any]) -> core.Part:  # noqa: C901, PLR0911 - a table of cases
    if isinstance(block, str):
        return {"type": "text", "text": block}
    kind = block.get("type")
    match kind:
        case "text" | "text-plain" | "refusal":
            return _text_part(block)
        case "image_url":
            return {"type": "image_url", "image_url": _address(block["image_url"])}
        case "image":
            return {"type": "image_url", "image_url": {"url": _url(block, "image/png")}}
        case "video_url":
            return {"type": "video_url", "video_url": _address(block["video_url"])}
        case "video" if isinstance(block.get("video"), list):
            return {"type": "video", "video": list(map(_string, block["video"]))}
        case "video":
            return {"type": "video_url", "video_url": {"url": _url(block, "video/mp4")}}
        case "input_audio":
            return _audio_part(block["input_audio"])
        case "audio":
            mime = str(block.get("mime_type") or "audio/wav")
            sound = {"data": _url(block, mime), "format": mime.rpartition("/")[2]}
            return _audio_part(sound)
        case "non_standard":
            return _part(_object(block["value"]))
        case _:
            raise ConfigurationError(
                f"A content block of type {kind!r} cannot be sent: Model Studio takes"
                " text, image, video and audio blocks."
            )


def _text_part(block: Mapping[str, Any]) -> core.TextPart:
    text = block["refusal" if block["type"] == "refusal" else "text"]
    part: core.TextPart = {"type": "text", "text": _string(text)}
    extras = _object(block.get("extras") or {})
    if marker := block.get("cache_control") or extras.get("cache_control"):
        part["cache_control"] = marker
    return part


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"no text: {value!r:.80}")
    return value


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"no dict: {value!r:.80}")
    return cast("Mapping[str, Any]", value)


def _address(value: object) -> Any:
    """Return an address as an object, with what stands beside it."""
    known = {"url": value} if isinstance(value, str) else _object(value)
    return {**known, "url": _string(known["url"])}


def _audio_part(sound: object) -> core.AudioPart:
    """Make a sound part; the service takes base64 only inside a ``data:`` URL."""
    known = _object(sound)
    data = _string(known["data"])
    if not data.startswith(("data:", "http://", "https://", "oss://")):
        data = f"data:;base64,{data}"
    return {"type": "input_audio", "input_audio": cast("Any", {**known, "data": data})}


def _url(block: Mapping[str, Any], default_mime: str) -> str:
    """Return the address of a media block of LangChain v1, v0 or Anthropic."""
    source = block.get("source")
    if isinstance(source, Mapping):
        block = cast("Mapping[str, Any]", source)
    if url := block.get("url"):
        return _string(url)
    mime = block.get("mime_type") or block.get("media_type") or default_mime
    if data := block.get("base64") or block.get("data"):
        return f"data:{mime};base64,{_string(data)}"
    raise ConfigurationError(
        f"A block of type {block.get('type')!r} has neither url nor base64, and Model"
        " Studio has no file ids."
    )
