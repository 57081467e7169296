"""Models on an emulator, and what it was asked over either protocol."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from blockbuster import blockbuster_ctx

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator, RecordedRequest
from modelstudio_core.emulator.protocols.chat_query import parse_flat_body
from modelstudio_core.emulator.rules.chat import check_chat

PROTOCOLS = ("openai", "dashscope")


def model(studio: Emulator, **arguments: Any) -> ChatModelStudio:
    """Return a model whose requests are not tried again."""
    given: dict[str, Any] = {
        "model": "qwen3.7-plus",
        "base_url": studio.base_url,
        "api_key": studio.api_key,
        "max_retries": 0,
    }
    return ChatModelStudio(**given | arguments)


def parameters(request: RecordedRequest) -> dict[str, Any]:
    """Return what was asked for besides the messages, without what each request has."""
    body: dict[str, Any] = request.body
    common = {"model", "messages", "stream", "stream_options"}
    common |= {"result_format", "incremental_output"}
    return {k: v for k, v in body.get("parameters", body).items() if k not in common}


def messages(request: RecordedRequest) -> list[dict[str, Any]]:
    """Return the messages, the multimodal path's text in the shape of the others."""
    body: dict[str, Any] = request.body
    sent: list[dict[str, Any]] = body.get("input", body)["messages"]
    return [{**message, "content": _plain(message["content"])} for message in sent]


def _plain(content: Any) -> Any:
    if isinstance(content, list) and all(set(part) == {"text"} for part in content):
        return "\n".join(part["text"] for part in content)
    return content


def state(llm: ChatModelStudio) -> tuple[Any, ...]:
    """Return all that a model object knows, to compare it later."""
    return (
        llm.asdict(),
        {name: getattr(llm, name) for name in type(llm).model_fields},
        set(llm.model_fields_set),
        llm.resolved,
    )


@contextmanager
def never_blocking() -> Generator[None]:
    """Raise at whatever blocks the event loop."""
    with blockbuster_ctx():
        yield


def check_legal(studio: Emulator) -> None:
    """See that the emulator's rules hold for what was answered by a script too."""
    for request in studio.requests:
        flat = {
            **parameters(request),
            "model": request.body["model"],
            "messages": messages(request),
        }
        check_chat(parse_flat_body(flat))
