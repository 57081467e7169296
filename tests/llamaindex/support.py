"""Helpers of the LlamaIndex tests: models, services, recorded events."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.memory import ChatMemoryBuffer
from llama_index_instrumentation import get_dispatcher
from pydantic import Field

from llamaindex_modelstudio import ModelStudio
from modelstudio_core.emulator import Emulator, Fault, Reply
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.protocols.base import ChatProtocol
from modelstudio_core.emulator.protocols.dashscope import DashScopeProtocol
from modelstudio_core.emulator.protocols.openai import OpenAIProtocol
from modelstudio_core.emulator.rules.chat import check_chat
from tests.support.answers import JSON, RESPONSE
from tests.support.replay import Replay, replaying

KEY = "sk-0123456789abcdef"
HI = [ChatMessage(role=MessageRole.USER, content="Hi")]

SYNC_AND_ASYNC = pytest.mark.parametrize(
    "is_async", [False, True], ids=["sync", "async"]
)
THINKING_MODELS = pytest.mark.parametrize("model", ["deepseek-v4-pro", "qwen3.7-plus"])

# LlamaIndex reads all attributes of its agents, the deprecated ones of pydantic too.
IGNORE_AGENT_WARNINGS = pytest.mark.filterwarnings(
    "ignore::pydantic.warnings.PydanticDeprecatedSince20",
    "ignore::pydantic.warnings.PydanticDeprecatedSince211",
    "ignore:is_running called from within a step:DeprecationWarning",
)


def replay_llm(replay: Replay | None = None, **arguments: Any) -> ModelStudio:
    """Return a model that gets the answers of a replay."""
    defaults: dict[str, Any] = {
        "model": "qwen3.7-plus",
        "api_key": KEY,
        "max_retries": 0,
    }
    if replay is not None:
        defaults["base_url"] = replay.base_url
    return ModelStudio(**defaults | arguments)


def sent_body(
    messages: Sequence[ChatMessage] = HI,
    call: dict[str, Any] | None = None,
    **arguments: Any,
) -> Any:
    """Return the body of a chat request with these arguments."""
    with replaying(200, JSON, RESPONSE) as replay:
        replay_llm(replay, **arguments).chat(messages, **call or {})
        (body,) = replay.requests
    return body


@dataclass(frozen=True)
class EmulatedService:
    """An emulator, one protocol, and the requests that arrived."""

    emulator: Emulator
    protocol: str

    def llm(self, model: str = "deepseek-v4-pro", **arguments: Any) -> ModelStudio:
        """Return a model that uses this service."""
        defaults: dict[str, Any] = {
            "model": model,
            "protocol": self.protocol,
            "base_url": self.emulator.base_url,
            "api_key": self.emulator.api_key,
            "max_retries": 0,
        }
        return ModelStudio(**defaults | arguments)

    def script(self, *items: Reply | Fault) -> None:
        """Set the next answers."""
        self.emulator.script(*items)

    @property
    def requests(self) -> list[ChatQuery]:
        """The requests, parsed from their bytes into one form for both protocols."""
        return [ask for _, ask in self._parsed()]

    @property
    def messages(self) -> list[list[dict[str, Any]]]:
        """The messages of each request; content that is one text is a string."""
        return [
            [_with_plain_text(message) for message in request.messages]
            for request in self.requests
        ]

    def values(self, read: Callable[[ChatQuery], Any]) -> list[Any]:
        """Return one value of each request."""
        return [read(request) for request in self.requests]

    def check(self) -> None:
        """Check each request by the service's rules, which scripted answers skip."""
        for wire, request in self._parsed():
            wire.check(request)
            check_chat(request)

    def _parsed(self) -> list[tuple[ChatProtocol, ChatQuery]]:
        parsed: list[tuple[ChatProtocol, ChatQuery]] = []
        for request in self.emulator.requests:
            wire = _wire(request.path)
            parsed.append((wire, wire.parse(request.body, request.headers)))
        return parsed


def _with_plain_text(message: Mapping[str, Any]) -> dict[str, Any]:
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


class EventRecorder(BaseEventHandler):
    """An event handler that keeps every event."""

    events: list[BaseEvent] = Field(default_factory=list[BaseEvent])

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:  # noqa: ARG002 - LlamaIndex's signature
        self.events.append(event)


@contextmanager
def recorded_events() -> Generator[list[BaseEvent]]:
    """Record LlamaIndex's events inside the block."""
    recorder, dispatcher = EventRecorder(), get_dispatcher()
    dispatcher.add_event_handler(recorder)
    try:
        yield recorder.events
    finally:
        dispatcher.event_handlers.remove(recorder)


def chat_memory() -> ChatMemoryBuffer:
    """Return an empty memory that needs no tokenizer."""
    return ChatMemoryBuffer.from_defaults(tokenizer_fn=str.split, token_limit=9999)
