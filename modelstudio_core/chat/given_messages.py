"""Messages that a user gives as they are, in the form of the OpenAI chat API."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from modelstudio_core.chat.messages import Message
from modelstudio_core.errors import ConfigurationError

__all__ = ["read_messages"]


def read_messages(given: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Return messages if each has the form of one.

    An answer with tool calls alone has None as its content there, or none at all: its
    content becomes an empty text.

    Args:
        given: The messages. They are not changed.

    Raises:
        ConfigurationError: One of them lacks a field, or has one of another type.

    Example:
        >>> read_messages([{"role": "assistant", "content": None}])
        [{'role': 'assistant', 'content': ''}]
    """
    return [_read(message, number) for number, message in enumerate(given)]


def _read(given: Mapping[str, Any], number: int) -> Message:
    message = dict(given)
    if message.get("role") == "assistant" and message.get("content") is None:
        message["content"] = ""
    if message.get("tool_calls", ()) is None:
        del message["tool_calls"]
    checks = [
        ("role", _is_text, "a string"),
        ("content", _is_content, "a string or a list of parts"),
    ]
    if message.get("role") == "tool":
        checks.append(("tool_call_id", _is_text, "a string"))
    if "tool_calls" in message:
        checks.append(("tool_calls", _are_calls, "a list of tool calls"))
    for name, is_valid, expected in checks:
        if not is_valid(message.get(name)):
            raise ConfigurationError(
                f"{name} of message {number} must be {expected}, as in the OpenAI chat"
                " API."
            )
    return cast("Message", message)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object, is_item: Callable[[object], bool]) -> bool:
    if not isinstance(value, list | tuple):
        return False
    return all(map(is_item, cast("Sequence[object]", value)))


def _is_content(value: object) -> bool:
    return _is_text(value) or _is_list(value, _is_part)


def _is_part(value: object) -> bool:
    part = _fields(value)
    kind = part.get("type")
    if not isinstance(kind, str):
        return False
    content = part.get(kind)
    match kind:
        case "text":
            return _is_text(content)
        case "image_url" | "video_url" | "input_audio":
            name = "data" if kind == "input_audio" else "url"
            return _is_text(_fields(content).get(name))
        case "video":
            return _is_list(content, _is_text)
        case "file":
            return isinstance(content, Mapping)
        case _:
            # A type that is not known here is sent as it is.
            return True


def _are_calls(value: object) -> bool:
    return _is_list(value, _is_call)


def _is_call(value: object) -> bool:
    call = _fields(value)
    function = _fields(call.get("function"))
    texts = (call.get("id"), function.get("name"), function.get("arguments"))
    return all(map(_is_text, texts))


def _fields(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
