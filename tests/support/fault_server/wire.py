"""Requests, responses and errors of both protocols, as the fault server uses them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelstudio_core.endpoints import Protocol

REQUEST_ID = "r-0123456789"


@dataclass(frozen=True)
class FaultRequest:
    """A request to the fault server: what its prompt asks for.

    Attributes:
        protocol: The protocol of the request.
        stream: Whether it asks for a stream.
        id: Part of every piece of the answer, so that no two answers are alike.
        faults: The names of faults, one per attempt; the last one repeats.
        pieces: How many pieces the answer has.
        pause: Seconds before each piece.
        headers: The headers of the request, in lower case.
    """

    protocol: Protocol
    stream: bool
    id: str = "a"
    faults: Sequence[str] = ("ok",)
    pieces: int = 6
    pause: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def text(self) -> str:
        """The text of the complete answer."""
        return "".join(self.texts)

    @property
    def texts(self) -> list[str]:
        """The text of each piece of the answer."""
        return [f"<{self.id}.{number}>" for number in range(self.pieces)]


def prompt(request_id: str, *faults: str, pieces: int = 6, pause: float = 0.0) -> str:
    """Return a prompt that asks the fault server for faults, one per attempt.

    Args:
        request_id: Identifies the request in the server's log and in its answer.
        faults: Names of faults; ``"ok"`` if there are none.
        pieces: How many pieces the answer has.
        pause: Seconds before each piece.
    """
    return json.dumps(
        {
            "id": request_id,
            "faults": faults or ("ok",),
            "pieces": pieces,
            "pause": pause,
        }
    )


def read_request(path: str, headers: Mapping[str, str], body: bytes) -> FaultRequest:
    """Return what a request asks for in its last message."""
    sent = json.loads(body)
    native = path.startswith("/api/")
    content = (sent["input"] if native else sent)["messages"][-1]["content"]
    text = content if isinstance(content, str) else content[0]["text"]
    return FaultRequest(
        protocol="dashscope" if native else "openai",
        stream="x-dashscope-sse" in headers if native else bool(sent.get("stream")),
        headers=headers,
        **json.loads(text),
    )


# --- Answers --------------------------------------------------------------------------


def response_body(request: FaultRequest) -> bytes:
    """Return the body of the complete answer to a request without streaming."""
    message = {"role": "assistant", "content": request.text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    if request.protocol == "dashscope":
        usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
        return to_json(
            {"output": {"choices": [choice]}, "usage": usage, "request_id": REQUEST_ID}
        )
    return to_json({**_OPENAI_IDS, "choices": [choice], "usage": _OPENAI_USAGE})


def stream_events(request: FaultRequest) -> list[bytes]:
    """Return the events of a streamed answer: its pieces first, then its end."""
    protocol, texts = request.protocol, request.texts
    events = [text_event(protocol, text, None, n) for n, text in enumerate(texts, 1)]
    events.append(text_event(protocol, "", "stop", len(texts) + 1))
    if protocol == "dashscope":
        return events
    usage = openai_event({**_OPENAI_IDS, "choices": [], "usage": _OPENAI_USAGE})
    return [*events, usage, b"data: [DONE]\n\n"]


_OPENAI_IDS = {"id": f"chatcmpl-{REQUEST_ID}"}
_OPENAI_USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def text_event(
    protocol: Protocol, text: str, finish_reason: str | None = None, number: int = 1
) -> bytes:
    """Return the event of a stream that carries a piece of text.

    Args:
        protocol: The protocol of the stream.
        text: The piece of text.
        finish_reason: Why the answer ends; None: it does not end here.
        number: The number of the event, which the native protocol sends.
    """
    if protocol == "openai":
        delta = {"content": text}
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return openai_event({**_OPENAI_IDS, "choices": [choice], "usage": None})
    message = {"role": "assistant", "content": text}
    choice = {"message": message, "finish_reason": finish_reason or "null"}
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    body = {"output": {"choices": [choice]}, "usage": usage, "request_id": REQUEST_ID}
    data = to_json(body)
    return b"id:%d\nevent:result\n:HTTP_STATUS/200\ndata:%s\n\n" % (number, data)


def openai_event(body: Mapping[str, Any]) -> bytes:
    """Return an event of the OpenAI-compatible protocol."""
    return b"data: %s\n\n" % to_json(body)


def to_json(body: Mapping[str, Any]) -> bytes:
    """Return JSON as the service writes it: without spaces, and not escaped."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


# --- Errors ---------------------------------------------------------------------------


def error_body(
    protocol: Protocol, code: str | None, native_code: str | None, message: str
) -> dict[str, Any]:
    """Return an error in the shape of its protocol."""
    if protocol == "dashscope":
        return {"code": native_code, "message": message, "request_id": REQUEST_ID}
    error = {"message": message, "type": code, "param": None, "code": code}
    return {"error": error, "request_id": REQUEST_ID}


def error_event(protocol: Protocol, status: int, body: Mapping[str, Any]) -> bytes:
    """Return an error as an event of an HTTP 200 stream."""
    if protocol == "openai":
        return openai_event(body)
    return b"id:9\nevent:error\n:HTTP_STATUS/%d\ndata:%s\n\n" % (status, to_json(body))
