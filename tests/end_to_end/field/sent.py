"""What a request of either protocol has, read in one way."""

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from llama_index.core.base.llms.types import ChatMessage

from modelstudio_core.emulator import Emulator
from tests.support.calls import CallStyle, call
from tests.support.models import Protocol, model

__all__ = ["bodies", "chat", "messages", "parameters", "prompt", "text_of"]


def bodies(emulator: Emulator) -> list[dict[str, Any]]:
    """Return the bodies of all requests."""
    return [request.body for request in emulator.requests]


def parameters(body: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a body."""
    found: dict[str, Any] = body.get("parameters", body)
    return found


def messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of a body."""
    found: list[dict[str, Any]] = body.get("input", body)["messages"]
    return found


def text_of(message: dict[str, Any]) -> str:
    """Return the text of a message's content, a string or a list of parts."""
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


async def chat(  # noqa: PLR0917 - in the order of a sentence
    emulator: Emulator,
    style: CallStyle,
    protocol: Protocol,
    name: str,
    question: Any = "Hi",
    arguments: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Call a model in one style; ``options`` are those of the call."""
    llm = model(
        style.framework, emulator, protocol, **{"model": name, **(arguments or {})}
    )
    return await call(llm, style, question, **options)


def prompt(style: CallStyle, *turns: tuple[Any, ...]) -> list[Any]:
    """Return messages of a framework, from ``(role, text, additional_kwargs)``."""
    return [_message(style, *turn) for turn in turns]


def _message(
    style: CallStyle, role: str, text: str, extra: dict[str, Any] | None = None
) -> Any:
    if style.framework == "LlamaIndex":
        return ChatMessage(role=role, content=text, additional_kwargs=extra or {})
    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return kinds[role](text, additional_kwargs=extra or {})
