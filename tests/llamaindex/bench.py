"""An emulator, models that speak to it, and what they asked of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llamaindex_modelstudio import ModelStudio
from modelstudio_core.emulator import Emulator, Fault, Reply
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.protocols.base import ChatProtocol
from modelstudio_core.emulator.protocols.dashscope import DashScopeProtocol
from modelstudio_core.emulator.protocols.openai import OpenAIProtocol
from modelstudio_core.emulator.rules.chat import check_chat


@dataclass(frozen=True)
class Bench:
    """One studio and one protocol."""

    studio: Emulator
    protocol: str

    def llm(self, model: str = "deepseek-v4-pro", **arguments: Any) -> ModelStudio:
        """Make a model that asks this studio."""
        at: dict[str, Any] = {
            "model": model,
            "protocol": self.protocol,
            "base_url": self.studio.base_url,
            "api_key": self.studio.api_key,
            "max_retries": 0,
        }
        return ModelStudio(**at | arguments)

    def script(self, *items: Reply | Fault) -> None:
        """Say what is answered next."""
        self.studio.script(*items)

    @property
    def asks(self) -> list[ChatQuery]:
        """What was asked, in one shape for both protocols: that of the bytes sent."""
        return [ask for _, ask in self._read()]

    @property
    def messages(self) -> list[list[dict[str, Any]]]:
        """The messages of each request; the native protocol lists a text as a part."""
        return [[_plain(message) for message in ask.messages] for ask in self.asks]

    def sent(self, read: Callable[[ChatQuery], Any]) -> list[Any]:
        """Return something of each request."""
        return [read(ask) for ask in self.asks]

    def check(self) -> None:
        """Hold each request against the service's rules: scripted replies skip them."""
        for wire, ask in self._read():
            wire.check(ask)
            check_chat(ask)

    def _read(self) -> list[tuple[ChatProtocol, ChatQuery]]:
        found: list[tuple[ChatProtocol, ChatQuery]] = []
        for request in self.studio.requests:
            wire = _wire(request.path)
            found.append((wire, wire.parse(request.body, request.headers)))
        return found


def _plain(message: Mapping[str, Any]) -> dict[str, Any]:
    match message.get("content"):
        case [{"type": "text", "text": str(text), **rest}] if not rest:
            return {**message, "content": text}
        case _:
            return dict(message)


def _wire(path: str) -> ChatProtocol:
    if path.startswith("/compatible-mode"):
        return OpenAIProtocol()
    return DashScopeProtocol(
        "multimodal-generation" if "multimodal" in path else "text-generation"
    )
