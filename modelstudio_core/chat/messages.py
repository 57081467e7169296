"""The messages of a prompt, in the form of the OpenAI chat API.

The adapters convert a framework's messages to these types; the requests of both
protocols are built from them. Sources: the official page "OpenAI compatible - Chat"
(September 2026) and the official DashScope API reference (spring 2026).
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict, cast

from modelstudio_core.catalog import ChatProfile
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.local_files import LocalFile
from modelstudio_core.redaction import without_surrogates
from modelstudio_core.wire.json_values import check_values

__all__ = [
    "Address",
    "AssistantMessage",
    "AudioPart",
    "FilePart",
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
    "are_plain",
    "arguments_text",
    "join_text",
    "json_instruction",
    "prepare_messages",
    "split_text",
    "to_json_value",
]


Address = str | LocalFile
"""A URL, or a file on this machine that is read before the request is sent."""


class _Url(TypedDict):
    url: Address
    detail: NotRequired[str]


class _Audio(TypedDict):
    data: Address
    format: NotRequired[str]


class _File(TypedDict):
    file_url: NotRequired[str]
    file_data: NotRequired[Address]
    filename: NotRequired[str]
    file_format: NotRequired[str]
    file_id: NotRequired[str]


class _Function(TypedDict):
    name: str
    arguments: str


class _CacheControl(TypedDict):
    type: Literal["ephemeral"]


class _MediaPart(TypedDict):
    """The keys beside the media of a part. A part may have others, which are sent."""

    fps: NotRequired[float]
    max_frames: NotRequired[int]
    min_pixels: NotRequired[int]
    max_pixels: NotRequired[int]
    total_pixels: NotRequired[int]
    enable_rotate: NotRequired[bool]
    cache_control: NotRequired[_CacheControl]


class TextPart(TypedDict):
    """Text; with ``cache_control`` it is the end of a cached prefix."""

    type: Literal["text"]
    text: Address
    cache_control: NotRequired[_CacheControl]


class ImagePart(_MediaPart):
    """An image, as a URL or a ``data:`` URL."""

    type: Literal["image_url"]
    image_url: _Url


class VideoPart(_MediaPart):
    """A video, as a URL or a ``data:`` URL."""

    type: Literal["video_url"]
    video_url: _Url


class FramesPart(_MediaPart):
    """A video, as the URLs of its frames."""

    type: Literal["video"]
    video: list[Address]


class AudioPart(_MediaPart):
    """Audio, as a URL or a ``data:`` URL, and its format."""

    type: Literal["input_audio"]
    input_audio: _Audio


class FilePart(_MediaPart):
    """A document, as a URL, a ``data:`` URL, or the id of an uploaded file."""

    type: Literal["file"]
    file: _File


Part = TextPart | ImagePart | VideoPart | FramesPart | AudioPart | FilePart


class ToolCall(TypedDict):
    """A tool call of the model; ``arguments`` is JSON text."""

    id: str
    type: Literal["function"]
    function: _Function


class SystemMessage(TypedDict):
    """Instructions for the model."""

    role: Literal["system"]
    content: str | list[Part]
    name: NotRequired[str]


class UserMessage(TypedDict):
    """A message of the user."""

    role: Literal["user"]
    content: str | list[Part]
    name: NotRequired[str]


class AssistantMessage(TypedDict):
    """An earlier answer of the model; with ``partial`` the model continues it."""

    role: Literal["assistant"]
    content: str | list[Part]
    name: NotRequired[str]
    reasoning_content: NotRequired[str]
    tool_calls: NotRequired[list[ToolCall]]
    partial: NotRequired[bool]


class ToolMessage(TypedDict):
    """The result of a tool call."""

    role: Literal["tool"]
    tool_call_id: str
    content: str | list[Part]
    name: NotRequired[str]


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage


def prepare_messages(
    messages: Sequence[Message], profile: ChatProfile, *, preserve_thinking: bool
) -> list[Message]:
    """Return the messages in a form that a model accepts.

    - Reasoning is sent with assistant messages that have tool calls, and with every
      assistant message if ``preserve_thinking`` is true. A model that requires it with
      tool calls, or with every message, gets an empty text if there is none.
    - The arguments of a tool call that are not a JSON object are wrapped in one.
    - Content of text parts alone is sent as one string: text models refuse a list.
    - A system message at the end is sent as a user message: the service requires that
      the last message is a user's or a tool's.

    Args:
        messages: The prompt. It is not changed.
        profile: The model that is used.
        preserve_thinking: Whether to send the reasoning of every assistant message.

    Returns:
        The messages to send.

    Raises:
        ConfigurationError: There are no messages, or JSON cannot represent a value.
    """
    if not messages:
        raise ConfigurationError("There are no messages to send: pass at least one.")
    prepared = [_prepare(message, profile, preserve_thinking) for message in messages]
    if prepared[-1]["role"] == "system":
        prepared[-1] = cast("Message", {**prepared[-1], "role": "user"})
    return cast("list[Message]", to_json_value(prepared))


def _prepare(
    message: Message, profile: ChatProfile, preserve_thinking: bool
) -> Message:
    prepared = cast("dict[str, Any]", dict(message))
    prepared["content"] = join_text(message["content"])
    if message["role"] == "assistant":
        calls = message.get("tool_calls")
        if calls:
            prepared["tool_calls"] = [_with_valid_arguments(call) for call in calls]
            if profile.wants_reasoning_on_tool_turns:
                prepared.setdefault("reasoning_content", "")
        else:
            prepared.pop("tool_calls", None)
            if profile.wants_reasoning_on_every_turn:
                prepared.setdefault("reasoning_content", "")
            elif not (preserve_thinking and message.get("reasoning_content")):
                prepared.pop("reasoning_content", None)
    return cast("Message", prepared)


def to_json_value(value: object, where: str = "A message") -> object:
    """Return a copy of a value that can be sent as JSON in UTF-8.

    Args:
        value: A string, number, bool, None, list, tuple or mapping of such values. Lone
            surrogates in a string are replaced. A local file stays until it is read.
        where: What contains the value, for the error.

    Raises:
        ConfigurationError: JSON cannot represent a value, such as bytes or NaN.
    """
    match value:
        case str():
            return value if value.isascii() else without_surrogates(value)
        case dict() | Mapping():
            items = cast("Mapping[object, object]", value).items()
            return {to_json_value(k, where): to_json_value(v, where) for k, v in items}
        case list() | tuple():
            parts = cast("Iterable[object]", value)
            return [to_json_value(part, where) for part in parts]
        case None | bool() | int() | LocalFile():
            return value
        case float() if math.isfinite(value):
            return value
        case _:
            raise ConfigurationError(
                f"{where} holds a {type(value).__name__}, which JSON cannot represent:"
                f" {value!r:.200}. Pass a string, a finite number, a list or a dict."
            )


def are_plain(messages: Sequence[Message]) -> bool:
    """Return whether all messages are text, without tool calls and results.

    Args:
        messages: The prompt.
    """
    for message in messages:
        if type(message["content"]) is not str or message["role"] == "tool":
            return False
        if "tool_calls" in message:
            return False
    return True


def join_text(content: str | list[Part]) -> str | list[Part]:
    r"""Join content of text parts alone; a part with a cache marker stays a part.

    Args:
        content: The content of a message.

    Example:
        >>> join_text([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])
        'a\nb'
    """
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for part in content:
        if part["type"] != "text" or "cache_control" in part:
            return content
        if not isinstance(part["text"], str):
            return content
        texts.append(part["text"])
    return "\n".join(texts)


def split_text(content: str | list[Part]) -> tuple[str, list[Part]]:
    """Return the text of a message's content, and its other parts.

    Args:
        content: The content of a message.

    Example:
        >>> split_text([{"type": "text", "text": "a"}])
        ('a', [])
    """
    if isinstance(content, str):
        return content, []
    texts: list[str] = []
    others: list[Part] = []
    for part in content:
        if part["type"] == "text" and isinstance(part["text"], str):
            texts.append(part["text"])
        else:
            others.append(part)
    return "\n".join(texts), others


def _with_valid_arguments(call: ToolCall) -> ToolCall:
    arguments = _valid_arguments(call["function"]["arguments"])
    function: _Function = {**call["function"], "arguments": arguments}
    return {**call, "function": function}


def _refuse_constant(constant: str) -> None:
    """Refuse NaN and Infinity, which Python's parser accepts."""
    raise ValueError(constant)


def arguments_text(name: str, arguments: object) -> str:
    """Return the arguments of a tool call as JSON text.

    Args:
        name: The name of the tool, for the error.
        arguments: The arguments as a framework keeps them, usually a dict.

    Raises:
        ConfigurationError: JSON cannot represent a value, such as a date.
    """
    try:
        return json.dumps(arguments, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"The arguments of a call of the tool {name!r} cannot be sent as JSON:"
            f" {error}."
        ) from None


def _valid_arguments(arguments: str) -> str:
    """Return the arguments of a tool call as the text of a JSON object.

    The service refuses anything else. Text that is not a JSON object is kept under the
    key ``invalid_arguments``.
    """
    if not arguments.strip():
        return "{}"
    try:
        check_values(arguments)
        parsed = json.loads(arguments, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, dict):
        return arguments
    return json.dumps({"invalid_arguments": arguments}, ensure_ascii=False)


def json_instruction(
    texts: Iterable[str], schema: Mapping[str, object] | None = None
) -> str | None:
    """Return the instruction that a prompt needs for ``json_object``.

    The service refuses a prompt without the word: "'messages' must contain the word
    'json' in some form" (official error-code page).

    Args:
        texts: The texts of the prompt's messages.
        schema: The JSON schema that the answer should match.

    Returns:
        A sentence, with the schema; None if the prompt contains the word already.

    Example:
        >>> json_instruction(["Name a city."])
        'Answer with a JSON object, and with nothing else.'
    """
    if any("json" in text.casefold() for text in texts):
        return None
    if schema is None:
        return "Answer with a JSON object, and with nothing else."
    schema_text = json.dumps(schema, ensure_ascii=False)
    return (
        "Answer with a JSON object that matches this JSON schema, and with nothing"
        f" else: {schema_text}"
    )
