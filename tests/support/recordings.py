"""Exchanges with the real service, published by others and kept elsewhere.

The variable ``MODELSTUDIO_RECORDINGS`` names their folder; they are read in place.
What should come out of them is worked out here anew, by the plainest means.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "MODELSTUDIO_RECORDINGS"


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer."""

    name: str
    url: str
    request: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: str

    @property
    def streamed(self) -> bool:
        """Whether a stream was asked for."""
        return bool(self.request.get("stream")) or self.body.startswith("id:")


@dataclass
class Expected:
    """What must come out: an answer, or an error."""

    content: str = ""
    reasoning: str = ""
    calls: dict[int, dict[str, str]] = field(default_factory=dict[int, dict[str, str]])
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


def chat_exchanges() -> list[Any]:
    """Return every OpenAI-compatible chat as a parameter, or one skip with a reason."""
    return _exchanges("openai", lambda it: it.url.endswith("/chat/completions"))


def native_exchanges() -> list[Any]:
    """Return every native chat that is incremental or whole, or one skip."""
    return _exchanges("dashscope", _is_native_chat)


def _is_native_chat(exchange: Exchange) -> bool:
    path = re.search(r"/(text|multimodal)-generation/generation$", exchange.url)
    # Pictures are not chat, and these streams repeat all of their text each time.
    unlike = ("multimodal-generation-image", "generation-call-streaming-")
    cumulative = any(word in exchange.name for word in unlike)
    return path is not None and not (cumulative and "incremental" not in exchange.name)


def _exchanges(protocol: str, wanted: Callable[[Exchange], bool]) -> list[Any]:
    folder = os.environ.get(VARIABLE)
    if not folder:
        skip = pytest.mark.skip(reason=f"{VARIABLE} does not name the recordings")
        return [pytest.param(None, marks=skip, id="no-recordings")]
    found = [_load(path, protocol) for path in sorted(Path(folder).glob("*.json"))]
    chats = [it for it in found if it and wanted(it)]
    assert chats, f"{VARIABLE} names a folder without recorded chats"
    return [pytest.param(it, id=it.name) for it in chats]


def _load(path: Path, protocol: str) -> Exchange | None:
    data = json.loads(path.read_text(encoding="utf-8"))
    if data["protocol"] != protocol:
        return None
    request = data["request"] if isinstance(data["request"], dict) else {}
    return Exchange(
        name=path.stem.removeprefix(f"{protocol}-"),
        url=data["url"],
        request=request,
        status=data["status"],
        headers=data["headers"],
        body=data["body"],
    )


def expected(exchange: Exchange) -> Expected:
    """Read a recorded answer by the plainest means."""
    answer = Expected()
    for chunk in _chunks(exchange.body):
        if chunk.get("error"):
            answer.error = chunk["error"]
        answer.usage = chunk.get("usage") or answer.usage
        for choice in chunk.get("choices", []):
            answer.finish_reason = choice.get("finish_reason") or answer.finish_reason
            delta = choice.get("delta") or choice.get("message") or {}
            answer.content += delta.get("content") or ""
            answer.reasoning += delta.get("reasoning_content") or ""
            for call in delta.get("tool_calls") or []:
                known = answer.calls.setdefault(
                    call["index"], {"id": "", "name": "", "arguments": ""}
                )
                known["id"] = known["id"] or call.get("id") or ""
                known["name"] = known["name"] or call["function"].get("name") or ""
                known["arguments"] += call["function"].get("arguments") or ""
    return answer


def _chunks(body: str) -> list[dict[str, Any]]:
    if body.lstrip().startswith("{"):
        return [json.loads(body)]
    lines = [line[5:].strip() for line in body.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]
