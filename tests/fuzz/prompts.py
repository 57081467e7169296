"""Checks for the conversion of framework messages to the core's messages."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from modelstudio_core.catalog import resolve_deprecated
from modelstudio_core.chat import dashscope, openai
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.plan import ChatPlan, plan_chat
from modelstudio_core.errors import ConfigurationError

__all__ = ["build_bodies", "calls_of", "convert_or_refuse", "reasoning_of", "text_of"]

# A vision model, one that needs its reasoning back, one that keeps all of it, and an
# unknown one.
MODELS = ("qwen3.7-plus", "deepseek-v4-pro", "qwen3.8-max", "a-model-of-tomorrow")


def _plan(model: str) -> ChatPlan:
    return plan_chat(ChatOptions(), resolve_deprecated(model), protocol="openai")


PLANS = tuple(_plan(model) for model in MODELS)


def build_bodies(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Build the request bodies for every model and protocol, and check them.

    A ``ConfigurationError`` is accepted: not every model supports every content part.
    """
    bodies: list[dict[str, Any]] = []
    for plan in PLANS:
        for wire in (openai, dashscope):
            try:
                body = dict(wire.build_request(plan, messages).json or {})
            except ConfigurationError:
                continue
            encoded = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
            assert json.loads(encoded) == body
            bodies.append(body)
            _check_calls(body.get("messages") or body["input"]["messages"])
    return bodies


def _check_calls(messages: list[Any]) -> None:
    for message in messages:
        for call in message.get("tool_calls", ()):
            arguments = json.loads(call["function"]["arguments"])
            assert isinstance(arguments, dict)


def convert_or_refuse(
    convert: Callable[[Any], list[Message]], messages: Sequence[Any]
) -> list[Message] | None:
    """Convert messages and build their bodies; return None if they are refused."""
    try:
        converted = convert(messages)
        build_bodies(converted)
    except ConfigurationError as error:
        assert str(error)  # noqa: PT017 - printing it must work
        return None
    return converted


def text_of(message: Any) -> str:
    """Return the text of a message."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def reasoning_of(message: Any) -> str:
    return str(message.get("reasoning_content", ""))


def calls_of(message: Any) -> list[tuple[str, str, Any]]:
    """Return the id, the name and the arguments of each tool call of a message."""
    return [
        (call["id"], call["function"]["name"], _parsed(call["function"]["arguments"]))
        for call in message.get("tool_calls", ())
    ]


def _parsed(text: str) -> Any:
    try:
        parsed = json.loads(text.strip() or "{}")
    except ValueError:
        return text
    return json.dumps(parsed, sort_keys=True) if isinstance(parsed, dict) else text
