"""The neutral prompt: the OpenAI chat shape, and what must be true of a history.

Both frameworks convert to these types, and both protocols are built from them.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict, cast

from modelstudio_core.catalog import ChatProfile
from modelstudio_core.errors import ConfigurationError

__all__ = [
    "AssistantMessage",
    "AudioPart",
    "FramesPart",
    "ImagePart",
    "Message",
    "Part",
    "SystemMessage",
    "TextPart",
    "ToolCall",
    "ToolMessage",
    "UserMessage",
    "VideoPart",
    "encodable",
    "json_instruction",
    "prepare_messages",
]


class _Url(TypedDict):
    url: str
    detail: NotRequired[str]


class _Sound(TypedDict):
    data: str
    format: NotRequired[str]


class _Function(TypedDict):
    name: str
    arguments: str


class _CacheControl(TypedDict):
    type: Literal["ephemeral"]


class TextPart(TypedDict):
    """Text; with ``cache_control`` the end of a cached prefix."""

    type: Literal["text"]
    text: str
    cache_control: NotRequired[_CacheControl]


class ImagePart(TypedDict):
    """An image, by its address or as a ``data:`` URL."""

    type: Literal["image_url"]
    image_url: _Url


class VideoPart(TypedDict):
    """A video, by its address or as a ``data:`` URL."""

    type: Literal["video_url"]
    video_url: _Url


class FramesPart(TypedDict):
    """A video as the addresses of its frames."""

    type: Literal["video"]
    video: list[str]


class AudioPart(TypedDict):
    """Sound: an address or a ``data:`` URL, and its format."""

    type: Literal["input_audio"]
    input_audio: _Sound


Part = TextPart | ImagePart | VideoPart | FramesPart | AudioPart


class ToolCall(TypedDict):
    """A call that the model made; ``arguments`` is JSON text."""

    id: str
    type: Literal["function"]
    function: _Function


class SystemMessage(TypedDict):
    """What the model is told before the conversation."""

    role: Literal["system"]
    content: str | list[Part]
    name: NotRequired[str]


class UserMessage(TypedDict):
    """What the user says."""

    role: Literal["user"]
    content: str | list[Part]
    name: NotRequired[str]


class AssistantMessage(TypedDict):
    """What the model said before; ``partial`` asks it to go on from there."""

    role: Literal["assistant"]
    content: str | list[Part]
    name: NotRequired[str]
    reasoning_content: NotRequired[str]
    tool_calls: NotRequired[list[ToolCall]]
    partial: NotRequired[bool]


class ToolMessage(TypedDict):
    """What a tool answered."""

    role: Literal["tool"]
    tool_call_id: str
    content: str | list[Part]
    name: NotRequired[str]


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage

_INPUT_OF_PART = {
    "image_url": "image",
    "video_url": "video",
    "video": "video",
    "input_audio": "audio",
}
# What to use instead, by what the model does not take.
_MODEL_FOR_INPUT = {
    "image": "a Qwen-VL model such as 'qwen3-vl-plus', or 'qwen3.7-plus'",
    "video": "a Qwen-VL model such as 'qwen3-vl-plus', or 'qwen3.7-plus'",
    "audio": "a Qwen-Omni model such as 'qwen3-omni-flash'",
}


def prepare_messages(
    messages: Sequence[Message], profile: ChatProfile, *, preserve_thinking: bool
) -> list[Message]:
    """Make a history legal for a model, without touching what was given.

    Reasoning is sent back on assistant turns that carry tool calls, and on every one if
    it is to be preserved; a model that refuses such a turn without it gets an empty
    one. Tool arguments are made valid JSON. Content of nothing but text is one string,
    because text-only models refuse a list. A system message at the end is sent as the
    user's, because the last word must be the user's or a tool's.

    Args:
        messages: The prompt in the neutral shape.
        profile: The model that is used.
        preserve_thinking: Whether reasoning is sent back on every assistant turn.

    Returns:
        The messages to send.

    Raises:
        ConfigurationError: There are no messages, or they hold what the model does not
            take.
    """
    if not messages:
        raise ConfigurationError("There are no messages to send: pass at least one.")
    _check_inputs(messages, profile)
    prepared = [_prepare(message, profile, preserve_thinking) for message in messages]
    if prepared[-1]["role"] == "system":
        prepared[-1] = cast("Message", {**prepared[-1], "role": "user"})
    return cast("list[Message]", encodable(prepared))


def _prepare(message: Message, profile: ChatProfile, preserve: bool) -> Message:
    prepared = cast("dict[str, Any]", dict(message))
    prepared["content"] = _plain(message["content"])
    if message["role"] == "assistant":
        calls = message.get("tool_calls")
        if calls:
            prepared["tool_calls"] = [_legal_call(call) for call in calls]
            if profile.wants_reasoning_on_tool_turns:
                prepared.setdefault("reasoning_content", "")
        else:
            prepared.pop("tool_calls", None)
            if not (preserve and message.get("reasoning_content")):
                prepared.pop("reasoning_content", None)
    return cast("Message", prepared)


def encodable(value: Any, where: str = "A message") -> Any:
    """Return a value as JSON in UTF-8 can carry it.

    Args:
        value: Text, numbers, lists and dicts; half a surrogate pair is one no more.
        where: What holds it, for the error.

    Raises:
        ConfigurationError: It holds what JSON does not have, such as bytes or NaN.
    """
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                halves = value.encode("utf-16", "surrogatepass")
                return halves.decode("utf-16", "replace")
            return value
        case Mapping():
            items: Any = cast("Any", value).items()
            return {encodable(k, where): encodable(v, where) for k, v in items}
        case list() | tuple():
            parts = cast("Iterable[Any]", value)
            return [encodable(part, where) for part in parts]
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case _:
            raise ConfigurationError(
                f"{where} holds a {type(value).__name__}, which JSON does not have:"
                f" {value!r:.200}"
            )


def _plain(content: str | list[Part]) -> str | list[Part]:
    """Join parts that are nothing but text; a cache marker keeps its part."""
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for part in content:
        if part["type"] != "text" or "cache_control" in part:
            return content
        texts.append(part["text"])
    return "\n".join(texts)


def _legal_call(call: ToolCall) -> ToolCall:
    arguments = legal_arguments(call["function"]["arguments"])
    function: _Function = {**call["function"], "arguments": arguments}
    return {**call, "function": function}


def _no_json(constant: str) -> None:
    raise ValueError(constant)


def arguments_text(name: str, arguments: object) -> str:
    """Return the arguments of a call, which a framework keeps as a dict, as JSON text.

    Raises:
        ConfigurationError: They hold what JSON does not have, such as a date.
    """
    try:
        return json.dumps(arguments, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"The arguments of a call of the tool {name!r} are not JSON: {error}."
        ) from None


def legal_arguments(arguments: str) -> str:
    """Return arguments that the service takes: it refuses what is not a JSON object.

    Text that is not one is kept, under the key ``invalid_arguments``.
    """
    if not arguments.strip():
        return "{}"
    try:
        parsed = json.loads(arguments, parse_constant=_no_json)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, dict):
        return arguments
    return json.dumps({"invalid_arguments": arguments}, ensure_ascii=False)


def json_instruction(
    texts: Iterable[str], schema: Mapping[str, Any] | None = None
) -> str | None:
    """Return what a prompt must still say to get a ``json_object``.

    The service refuses a prompt that does not hold the word: "'messages' must contain
    the word 'json' in some form" (error list of the documentation).

    Args:
        texts: The texts of the prompt's messages.
        schema: A JSON schema that the answer should have.

    Returns:
        A sentence, with the schema; None where the prompt has the word already.
    """
    if any("json" in text.casefold() for text in texts):
        return None
    if schema is None:
        return "Answer with a JSON object, and with nothing else."
    wanted = json.dumps(schema, ensure_ascii=False)
    return (
        "Answer with a JSON object that matches this JSON schema, and with nothing"
        f" else: {wanted}"
    )


def _check_inputs(messages: Iterable[Message], profile: ChatProfile) -> None:
    if not profile.known:
        return
    for message in messages:
        content = message["content"]
        if isinstance(content, str):
            continue
        for part in content:
            kind = _INPUT_OF_PART.get(part["type"])
            if kind and kind not in profile.inputs:
                takes = ", ".join(sorted(profile.inputs))
                raise ConfigurationError(
                    f"{profile.id} takes {takes} only, and a message holds"
                    f" {'an' if kind[0] in 'aeiou' else 'a'} {kind}: use"
                    f" {_MODEL_FOR_INPUT[kind]}."
                )
