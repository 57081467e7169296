"""Models for a test server, and what the server received over either protocol."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import pytest
from blockbuster import blockbuster_ctx
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator, RecordedRequest
from modelstudio_core.emulator.protocols.chat_query import parse_flat_body
from modelstudio_core.emulator.rules.chat import check_chat
from tests.support.replay import Replay

__all__ = [
    "KEY",
    "add",
    "both_protocols",
    "check_rules",
    "messages",
    "model",
    "never_blocking",
    "parameters",
    "state",
    "v3_is_beta",
    "without_index",
]

KEY = "sk-0123456789abcdef"

both_protocols = pytest.mark.parametrize("protocol", ["openai", "dashscope"])
v3_is_beta = pytest.mark.filterwarnings(
    "ignore:.*is in beta", "ignore:The v3 streaming protocol"
)


def model(server: Emulator | Replay | None = None, **arguments: Any) -> ChatModelStudio:
    """Return a model that calls a test server and does not retry."""
    defaults: dict[str, Any] = {
        "model": "qwen3.7-plus",
        "api_key": server.api_key if isinstance(server, Emulator) else KEY,
        "max_retries": 0,
    }
    if server is not None:
        defaults["base_url"] = server.base_url
    return ChatModelStudio(**defaults | arguments)


def add(chunks: Iterable[AIMessageChunk]) -> AIMessageChunk:
    """Add up the chunks of a stream."""
    first, *rest = chunks
    return add_ai_message_chunks(first, *rest)


def without_index(blocks: Iterable[Any]) -> list[dict[str, Any]]:
    """Return content blocks without the index that chunks have."""
    return [{k: v for k, v in block.items() if k != "index"} for block in blocks]


def parameters(request: RecordedRequest) -> dict[str, Any]:
    """Return a request's parameters without those that every request has."""
    body: dict[str, Any] = request.body
    common = {"model", "messages", "stream", "stream_options"}
    common |= {"result_format", "incremental_output"}
    return {k: v for k, v in body.get("parameters", body).items() if k not in common}


def messages(request: RecordedRequest) -> list[dict[str, Any]]:
    """Return a request's messages, with the multimodal path's text as a string."""
    body: dict[str, Any] = request.body
    sent: list[dict[str, Any]] = body.get("input", body)["messages"]
    return [{**message, "content": _plain(message["content"])} for message in sent]


def _plain(content: Any) -> Any:
    if isinstance(content, list) and all(set(part) == {"text"} for part in content):
        return "\n".join(part["text"] for part in content)
    return content


def state(llm: ChatModelStudio) -> tuple[Any, ...]:
    """Return everything that a model object holds, for a comparison."""
    fields = {name: getattr(llm, name) for name in type(llm).model_fields}
    return llm.asdict(), fields, set(llm.model_fields_set), llm.resolved


@contextmanager
def never_blocking() -> Generator[None]:
    """Raise if anything blocks the event loop."""
    with blockbuster_ctx():
        yield


def check_rules(studio: Emulator) -> None:
    """Check the requests with scripted answers by the emulator's rules too."""
    for request in studio.requests:
        flat = {
            **parameters(request),
            "model": request.body["model"],
            "messages": messages(request),
        }
        check_chat(parse_flat_body(flat))
