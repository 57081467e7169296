"""Bodies of both protocols, and calls in every style that they answer."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from modelstudio_core.endpoints import Protocol
from tests.support.answers import JSON, STREAM
from tests.support.calls import CallStyle, call
from tests.support.models import model
from tests.support.replay import Replay, replaying

__all__ = ["REQUEST_ID", "TOOL", "Body", "answering", "ask", "body_of"]

REQUEST_ID: Final = "6094200a-5a35-9fce-8dbc-e088ba6a6a44"
TOOL: Final[dict[str, Any]] = {
    "type": "function",
    "function": {
        "name": "find",
        "description": "Find files.",
        "parameters": {
            "type": "object",
            "properties": {"pattern": {"type": "string"}},
        },
    },
}
Body = tuple[dict[str, str], bytes]


def body_of(
    protocol: Protocol,
    deltas: Sequence[Mapping[str, Any]],
    reason: str | None,
    *,
    stream: bool,
    usage: Mapping[str, Any] | None = None,
) -> Body:
    """Return the headers and the body of an answer.

    Args:
        protocol: The protocol.
        deltas: The messages of its chunks; one without streaming.
        reason: The finish reason; None for none.
        stream: Whether it is a stream.
        usage: The token counts.
    """
    events = [_chunk(protocol, delta, None, stream=stream) for delta in deltas]
    if not stream:
        events = [_chunk(protocol, deltas[0], reason, stream=False)]
    elif reason:
        events.append(_chunk(protocol, {"content": ""}, reason, stream=True))
    events[-1] |= {"usage": dict(usage)} if usage else {}
    if not stream:
        return JSON, json.dumps(events[0]).encode()
    if protocol == "openai":
        lines = [f"data: {json.dumps(event)}\n\n" for event in events]
        return STREAM, "".join([*lines, "data: [DONE]\n\n"]).encode()
    head = "id:1\nevent:result\n:HTTP_STATUS/200\ndata:"
    return STREAM, "".join(f"{head}{json.dumps(e)}\n\n" for e in events).encode()


def _chunk(
    protocol: Protocol, message: Mapping[str, Any], reason: str | None, *, stream: bool
) -> dict[str, Any]:
    if protocol == "openai":
        name = "delta" if stream else "message"
        choice = {"index": 0, name: dict(message), "finish_reason": reason}
        common = {"id": f"chatcmpl-{REQUEST_ID}", "created": 1780236078, "model": "m"}
        return {**common, "choices": [choice]}
    choice = {"message": dict(message), "finish_reason": reason or "null"}
    return {"output": {"choices": [choice]}, "request_id": REQUEST_ID}


@asynccontextmanager
async def answering(body: Body, *, times: int = 1) -> AsyncGenerator[Replay]:
    """Run a server that answers with a body."""
    headers, content = body
    with replaying(200, headers, content, times=times) as replay:
        yield replay


async def ask(
    replay: Replay, style: CallStyle, protocol: Protocol, **arguments: Any
) -> Any:
    """Call a model of the style's framework; return its complete response.

    Args:
        replay: The running server.
        style: How to call.
        protocol: The protocol.
        **arguments: ``tools`` of the call, and arguments of the constructor.
    """
    tools = arguments.pop("tools", None)
    llm = model(style.framework, replay.base_url, protocol, **arguments)
    messages: dict[str, Any] = {
        "LangChain": [("user", "Hi")],
        "LlamaIndex": [_user_message()],
    }
    options = {"tools": tools} if tools else {}
    return await call(llm, style, messages[style.framework], **options)


def _user_message() -> object:
    from llama_index.core.base.llms.types import ChatMessage

    return ChatMessage(role="user", content="Hi")
