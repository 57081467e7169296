"""A loopback service: chat on both protocols, upload policies, a file storage."""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from tests.support.answers import RESPONSE, stream_body
from tests.support.loopback import QuietHandler, listening

__all__ = ["FOLDER", "MediaServer", "Sent", "serve_media"]

FOLDER = "dashscope-instant/abc/2026-11-27"
_NATIVE = {
    "output": {
        "choices": [
            {
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": [{"text": "Hello"}]},
            }
        ]
    },
    "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
    "request_id": "r-1",
}


@dataclass(frozen=True)
class Sent:
    """A request as it arrived; header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        return cast("dict[str, Any]", json.loads(self.body))

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of a chat request on either protocol."""
        body = self.json
        return cast("list[dict[str, Any]]", body.get("input", body)["messages"])

    @property
    def form(self) -> list[tuple[str, bytes]]:
        """The fields of a multipart form, in their order."""
        head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
        parts = BytesParser().parsebytes(head + self.body).get_payload()
        fields: list[tuple[str, bytes]] = []
        for part in cast("list[Message]", parts):
            name = str(part.get_param("name", header="content-disposition"))
            fields.append((name, cast("bytes", part.get_payload(decode=True))))
        return fields


@dataclass
class MediaServer:
    """The running service.

    Attributes:
        base_url: Its origin.
        requests: All requests.
        policy: What differs from the usual upload policy.
        upload_status: The statuses of the uploads; the last one is repeated.
        upload_seconds: How long each upload takes.
    """

    base_url: str = ""
    requests: list[Sent] = field(default_factory=list[Sent])
    policy: dict[str, Any] = field(default_factory=dict[str, Any])
    upload_status: list[int] = field(default_factory=lambda: [200])
    upload_seconds: float = 0.0

    @property
    def chats(self) -> list[Sent]:
        """The chat requests."""
        return [request for request in self.requests if "messages" in str(request.body)]

    @property
    def chat(self) -> Sent:
        """The only chat request."""
        (request,) = self.chats
        return request

    @property
    def uploads(self) -> list[Sent]:
        """The requests to the file storage."""
        return [request for request in self.requests if request.path == "/oss"]

    @property
    def policies(self) -> list[Sent]:
        """The requests for upload policies."""
        return [r for r in self.requests if r.path == "/api/v1/uploads"]


@contextmanager
def serve_media() -> Generator[MediaServer]:
    """Run the service on a free port."""
    server = MediaServer()

    class Handler(QuietHandler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("content-length") or 0)
            request = Sent(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                {k.lower(): v for k, v in self.headers.items()},
                self.rfile.read(size),
            )
            server.requests.append(request)
            status, content_type, body = _respond(server, request)
            self.send_response(status)
            self.send_header("content-type", content_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815 - their names

    with listening(Handler) as server.base_url:
        yield server


def _respond(server: MediaServer, request: Sent) -> tuple[int, str, bytes]:
    if request.path == "/oss":
        time.sleep(server.upload_seconds)
        statuses = server.upload_status
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        return status, "application/xml", b""
    if request.path == "/api/v1/uploads":
        body = {"request_id": "r-2", "data": _policy(server)}
        return 200, "application/json", json.dumps(body).encode()
    if "x-dashscope-sse" in request.headers:
        data = json.dumps(_NATIVE)
        event = f"id:1\nevent:result\n:HTTP_STATUS/200\ndata:{data}\n\n"
        return 200, "text/event-stream", event.encode()
    if request.path.startswith("/api/v1"):
        return 200, "application/json", json.dumps(_NATIVE).encode()
    if request.json.get("stream"):
        return 200, "text/event-stream", stream_body([{"content": "Hello"}])
    return 200, "application/json", RESPONSE


def _policy(server: MediaServer) -> dict[str, Any]:
    return {
        "policy": "eyJleHBpcmF0aW9uIjo=",
        "signature": "Sm9tZS1zaWduYXR1cmU=",
        "upload_dir": FOLDER,
        "upload_host": f"{server.base_url}/oss",
        "expire_in_seconds": 300,
        "max_file_size_mb": 100,
        "capacity_limit_mb": 999999999,
        "oss_access_key_id": "LTAI-example",
        "x_oss_object_acl": "private",
        "x_oss_forbid_overwrite": "true",
        **server.policy,
    }
