"""Recorded exchanges with the real service, published by others and kept elsewhere.

The environment variable ``MODELSTUDIO_RECORDINGS`` names their folder. What must come
out of an exchange is computed here by the simplest possible code.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

__all__ = [
    "VARIABLE",
    "Exchange",
    "Expected",
    "ExpectedCall",
    "batch_exchanges",
    "chat_exchanges",
    "creation_exchanges",
    "embedding_exchanges",
    "expected_answer",
    "expected_native_answer",
    "native_exchanges",
    "query_exchanges",
    "rerank_exchanges",
]

VARIABLE = "MODELSTUDIO_RECORDINGS"


@dataclass(frozen=True)
class Exchange:
    """A recorded request and its response."""

    name: str
    url: str
    request: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: str

    @property
    def streamed(self) -> bool:
        """Whether the response is a stream."""
        return bool(self.request.get("stream")) or self.body.startswith("id:")


@dataclass
class ExpectedCall:
    """A tool call; its arguments are the JSON text as it was received."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass
class Expected:
    """What must come out of an exchange: an answer, or an error."""

    text: str = ""
    reasoning: str = ""
    calls: list[ExpectedCall] = field(default_factory=list[ExpectedCall])
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    sources: list[Any] = field(default_factory=list[Any])
    tool_info: Any = None
    request_id: str | None = None


# --- The OpenAI-compatible protocol ---------------------------------------------------


def chat_exchanges() -> list[Any]:
    """Return the OpenAI-compatible chats as parameters, or one skipped parameter."""
    return _exchanges(
        "openai", lambda exchange: exchange.url.endswith("/chat/completions")
    )


def batch_exchanges() -> list[Any]:
    """Return the exchanges about batches, or one skipped parameter."""
    return _exchanges("openai", lambda exchange: "/batches" in exchange.url)


def expected_answer(exchange: Exchange) -> Expected:
    """Return what must come out of an OpenAI-compatible chat."""
    answer = Expected()
    calls: dict[int, ExpectedCall] = {}
    for chunk in _chunks(exchange.body):
        answer.error = chunk.get("error") or answer.error
        answer.usage = chunk.get("usage") or answer.usage
        for choice in chunk.get("choices", []):
            answer.finish_reason = choice.get("finish_reason") or answer.finish_reason
            delta = choice.get("delta") or choice.get("message") or {}
            answer.text += delta.get("content") or ""
            answer.reasoning += delta.get("reasoning_content") or ""
            for piece in delta.get("tool_calls") or []:
                call = calls.setdefault(piece["index"], ExpectedCall())
                call.id = call.id or piece.get("id") or ""
                call.name = call.name or piece["function"].get("name") or ""
                call.arguments += piece["function"].get("arguments") or ""
    answer.calls = [call for _, call in sorted(calls.items())]
    return answer


# --- The native protocol --------------------------------------------------------------


def native_exchanges(*, cumulative: bool = False) -> list[Any]:
    """Return the native chats as parameters, or one skipped parameter.

    Args:
        cumulative: Whether to return the streams whose every event repeats all text so
            far, and nothing else. The package asks for such streams only if the user
            does: otherwise they are left out.
    """
    return _exchanges("dashscope", _is_cumulative if cumulative else _is_native_chat)


def _is_cumulative(exchange: Exchange) -> bool:
    name = exchange.name
    return "generation-call-streaming-" in name and "incremental" not in name


def _is_native_chat(exchange: Exchange) -> bool:
    path = re.search(r"/(text|multimodal)-generation/generation$", exchange.url)
    # Image generation is not chat; the others are cumulative streams.
    others = ("multimodal-generation-image", "generation-call-streaming-")
    left_out = any(word in exchange.name for word in others)
    return path is not None and not (left_out and "incremental" not in exchange.name)


def expected_native_answer(exchange: Exchange) -> Expected:
    """Return what must come out of a native chat."""
    answer = Expected()
    for chunk in _chunks(exchange.body):
        output = chunk.get("output") or {}
        answer.usage = chunk.get("usage") or answer.usage
        results = (output.get("search_info") or {}).get("search_results")
        answer.sources = answer.sources or results or []
        choices: list[Any] = output.get("choices") or [
            {"message": {"content": output.get("text")}, **output}
        ]
        message = choices[0].get("message") or {}
        content = message.get("content") or ""
        if isinstance(content, list):
            content = "".join(part.get("text", "") for part in content)
        answer.text += content
        answer.reasoning += message.get("reasoning_content") or ""
        answer.calls += [
            ExpectedCall(
                call["id"], call["function"]["name"], call["function"]["arguments"]
            )
            for call in message.get("tool_calls") or []
        ]
        reason = choices[0].get("finish_reason")
        answer.finish_reason = None if reason == "null" else reason
        answer.request_id = chunk["request_id"]
        answer.tool_info = output.get("tool_info") or answer.tool_info
    return answer


# --- Embeddings and reranking ---------------------------------------------------------


def embedding_exchanges() -> list[Any]:
    """Return the embeddings of both protocols, or one skipped parameter."""
    return _exchanges(None, lambda e: "/embeddings/" in f"{e.url}/")


def rerank_exchanges() -> list[Any]:
    """Return the rerank exchanges, or one skipped parameter."""
    return _exchanges("dashscope", lambda e: "/rerank/" in e.url)


# --- Tasks ----------------------------------------------------------------------------


def creation_exchanges() -> list[Any]:
    """Return the requests that created a task, or that were answered with images."""
    return _exchanges("dashscope", _is_creation)


def _is_creation(exchange: Exchange) -> bool:
    is_image = "multimodal-generation-image" in exchange.name
    return is_image or ('"task_id"' in exchange.body and "/services/" in exchange.url)


def query_exchanges() -> list[Any]:
    """Return the queries, the list and the cancellation, or one skipped parameter."""
    return _exchanges("dashscope", lambda e: "/api/v1/tasks" in e.url)


# --- Files ----------------------------------------------------------------------------


def _exchanges(protocol: str | None, selects: Callable[[Exchange], bool]) -> list[Any]:
    folder = os.environ.get(VARIABLE)
    if not folder:
        skip = pytest.mark.skip(reason=f"{VARIABLE} does not name the recordings")
        return [pytest.param(None, marks=skip, id="no-recordings")]
    exchanges = [_load(path, protocol) for path in sorted(Path(folder).glob("*.json"))]
    chats = [exchange for exchange in exchanges if exchange and selects(exchange)]
    assert chats, f"{VARIABLE} names a folder without recorded chats"
    return [pytest.param(exchange, id=exchange.name) for exchange in chats]


def _load(path: Path, wanted: str | None) -> Exchange | None:
    data = json.loads(path.read_text(encoding="utf-8"))
    protocol = data["protocol"]
    if wanted not in (None, protocol):
        return None
    request = data["request"] if isinstance(data["request"], dict) else {}
    exchange = Exchange(
        name=path.stem.removeprefix(f"{protocol}-"),
        url=data["url"],
        request=request,
        status=data["status"],
        headers=data["headers"],
        body=data["body"],
    )
    body = exchange.body
    # Four recordings lost the blank lines between their events.
    if protocol == "dashscope" and exchange.streamed and "\n\nid:" not in body:
        body = body.replace("\nid:", "\n\nid:").rstrip("\n") + "\n\n"
    return replace(exchange, body=body)


def _chunks(body: str) -> list[dict[str, Any]]:
    if body.lstrip().startswith("{"):
        return [json.loads(body)]
    lines = [line[5:].strip() for line in body.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]
