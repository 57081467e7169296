"""What every conversion to the neutral prompt must come to, in both frameworks."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from modelstudio_core.catalog import resolve_deprecated
from modelstudio_core.chat import dashscope, openai
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.plan import ChatPlan, plan_chat
from modelstudio_core.errors import ConfigurationError

__all__ = ["calls_of", "reasoning_of", "sent", "sent_bodies", "texts_of"]

# One that sees, one that wants its reasoning back, one that preserves all of it, and
# one that is not known.
MODELS = ("qwen3.7-plus", "deepseek-v4-pro", "qwen3.8-max", "a-model-of-tomorrow")


def _request(model: str) -> ChatPlan:
    return plan_chat(ChatOptions(), resolve_deprecated(model), protocol="openai")


REQUESTS = tuple(_request(model) for model in MODELS)


def sent_bodies(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Build every body of a prompt, and see that each can be sent.

    A model that does not take a part refuses it, with an error of ours.
    """
    bodies: list[dict[str, Any]] = []
    for request in REQUESTS:
        for wire in (openai, dashscope):
            try:
                body = dict(wire.build_request(request, messages).json or {})
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


def sent(
    convert: Callable[[Any], list[Message]], messages: Sequence[Any]
) -> list[Message] | None:
    """Convert a prompt, or return None where it is refused with an error of ours."""
    try:
        neutral = convert(messages)
        sent_bodies(neutral)
    except ConfigurationError as error:
        assert str(error)  # noqa: PT017 - that it can be shown is what is tested
        return None
    return neutral


def texts_of(message: Any) -> str:
    """Return all text of a neutral message."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def reasoning_of(message: Any) -> str:
    return str(message.get("reasoning_content", ""))


def calls_of(message: Any) -> list[tuple[str, str, Any]]:
    """Return the calls of a neutral message, with their arguments as JSON."""
    return [
        (it["id"], it["function"]["name"], _parsed(it["function"]["arguments"]))
        for it in message.get("tool_calls", ())
    ]


def _parsed(text: str) -> Any:
    try:
        parsed = json.loads(text.strip() or "{}")
    except ValueError:
        return text
    return json.dumps(parsed, sort_keys=True) if isinstance(parsed, dict) else text
