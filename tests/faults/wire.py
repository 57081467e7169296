"""Answers and errors of both protocols, as bytes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Protocol = Literal["openai", "dashscope"]
REQUEST_ID = "r-0123456789"


@dataclass(frozen=True)
class Ask:
    """What a request asks the server to play.

    Attributes:
        protocol: The protocol that it came over.
        stream: Whether it wants a stream.
        id: What the answer is made of, so that no other answer is the same.
        plays: The faults, one an attempt; the last one for all that follow.
        pieces: How many pieces the answer has.
        pause: Seconds before each piece.
        headers: The request's own headers, in lower case.
    """

    protocol: Protocol
    stream: bool
    id: str = "a"
    plays: Sequence[str] = ("ok",)
    pieces: int = 6
    pause: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(piece(self.id, number) for number in range(self.pieces))


def piece(of: str, number: int) -> str:
    """Return one piece of the answer that belongs to an id."""
    return f"<{of}.{number}>"


def prompt(of: str, *plays: str, pieces: int = 6, pause: float = 0.0) -> str:
    """Write the prompt that asks for plays, one an attempt."""
    asked = {"id": of, "plays": plays or ("ok",), "pieces": pieces, "pause": pause}
    return json.dumps(asked)


def read_ask(path: str, headers: Mapping[str, str], body: bytes) -> Ask:
    """Read what a request asks for: it stands in its prompt."""
    sent = json.loads(body)
    native = path.startswith("/api/")
    last = (sent["input"] if native else sent)["messages"][-1]["content"]
    said = json.loads(last if isinstance(last, str) else last[0]["text"])
    return Ask(
        protocol="dashscope" if native else "openai",
        stream="x-dashscope-sse" in headers if native else bool(sent.get("stream")),
        headers=headers,
        **said,
    )


# --- Answers ------------------------------------------------------------------------


def whole(ask: Ask) -> bytes:
    """Return the body of a whole answer."""
    message = {"role": "assistant", "content": ask.text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    if ask.protocol == "dashscope":
        usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
        return dump(
            {"output": {"choices": [choice]}, "usage": usage, "request_id": REQUEST_ID}
        )
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return dump({"id": f"chatcmpl-{REQUEST_ID}", "choices": [choice], "usage": usage})


def events(ask: Ask) -> list[bytes]:
    """Return the events of a streamed answer: its pieces first, then its end."""
    texts = [piece(ask.id, number) for number in range(ask.pieces)]
    if ask.protocol == "dashscope":
        last = len(texts)
        said = [_native(number + 1, text, "null") for number, text in enumerate(texts)]
        return [*said, _native(last + 1, "", "stop")]
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return [
        *(_compatible({"content": text}, None) for text in texts),
        _compatible({"content": ""}, "stop"),
        event({"id": f"chatcmpl-{REQUEST_ID}", "choices": [], "usage": usage}),
        b"data: [DONE]\n\n",
    ]


def _compatible(delta: dict[str, Any], reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return event({"id": f"chatcmpl-{REQUEST_ID}", "choices": [choice], "usage": None})


def _native(number: int, text: str, reason: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"message": message, "finish_reason": reason}
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    said = {"output": {"choices": [choice]}, "usage": usage, "request_id": REQUEST_ID}
    return b"id:%d\nevent:result\n:HTTP_STATUS/200\ndata:%s\n\n" % (number, dump(said))


def event(said: Mapping[str, Any]) -> bytes:
    """Return one event of the OpenAI-compatible protocol."""
    return b"data: %s\n\n" % dump(said)


def dump(said: Mapping[str, Any]) -> bytes:
    """Write JSON as the service does."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


# --- Errors -------------------------------------------------------------------------


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
        return event(body)
    return b"id:9\nevent:error\n:HTTP_STATUS/%d\ndata:%s\n\n" % (status, dump(body))
