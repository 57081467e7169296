"""A loopback server for embeddings and reranking, with delays and scripted failures.

Each vector tells which text it belongs to: its first number is the text's length, and
its second one counts how often the text was sent. Rows are answered in reverse order.
"""

import base64
import json
import threading
import time
from array import array
from collections import Counter, deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.http_server import Scripted
from tests.support.loopback import QuietHandler, listening

__all__ = ["EmbeddingServer", "error", "serve_embeddings"]


@dataclass
class EmbeddingServer:
    """What the server received.

    Attributes:
        base_url: Where it listens.
        delay: Seconds before each answer.
        dimension: The length of its vectors.
        scripted: The responses of the next requests, before those of the rules.
        paths: The path of each request.
        bodies: The body of each request.
        sent: How often each text was embedded.
        most_at_once: How many requests there were at once at most.
        times: When each request came.
    """

    base_url: str = ""
    delay: float = 0.0
    dimension: int = 4
    base64: bool = False
    scripted: deque[Scripted | None] = field(default_factory=deque)
    paths: list[str] = field(default_factory=list[str])
    bodies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    sent: Counter[str] = field(default_factory=Counter[str])
    most_at_once: int = 0
    times: list[float] = field(default_factory=list[float])
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str, body: dict[str, Any]) -> Scripted:
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self.paths.append(path)
            self.bodies.append(body)
            self.times.append(time.monotonic())
            scripted = self.scripted.popleft() if self.scripted else None
        time.sleep(self.delay)
        try:
            return scripted or Scripted(
                body=json.dumps(self._body(path, body)).encode()
            )
        finally:
            with self._lock:
                self._at_once -= 1

    @property
    def rows(self) -> list[int]:
        """How many rows each request had."""
        return [len(_rows(body)) for body in self.bodies]

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """The parameters of each request of the native protocol."""
        return [body.get("parameters", {}) for body in self.bodies]

    def _body(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if "rerank" in path:
            return _ranked(path, body)
        rows = _rows(body)
        with self._lock:
            self.sent.update(str(row) for row in rows)
            vectors = [self._vector(str(row)) for row in rows]
        if path.endswith("/v1/embeddings"):
            data = [
                {"index": i, "embedding": _encode(v) if self.base64 else v}
                for i, v in enumerate(vectors)
            ]
            usage = {"prompt_tokens": len(rows), "total_tokens": len(rows)}
            return {"data": data[::-1], "usage": usage, "id": "r"}
        output = body.get("parameters", {}).get("output_type", "dense")
        found: list[dict[str, Any]] = []
        index = "index" if "multimodal" in path else "text_index"
        for i, vector in enumerate(vectors):
            row: dict[str, Any] = {index: i}
            if output != "sparse":
                row["embedding"] = vector
            if output != "dense":
                row["sparse_embedding"] = [
                    {"index": 9, "value": 0.5, "token": "x"},
                    {"index": 2, "value": vector[0], "token": "y"},
                ]
            found.append(row)
        usage = {"total_tokens": len(rows)}
        return {
            "output": {"embeddings": found[::-1]},
            "usage": usage,
            "request_id": "r",
        }

    def _vector(self, text: str) -> list[float]:
        numbers = [float(len(text)), float(self.sent[text])]
        return numbers + [0.5] * (self.dimension - len(numbers))


def _rows(body: dict[str, Any]) -> list[Any]:
    given = body.get("input", {})
    if isinstance(given, dict):
        given = given.get("texts") or given.get("contents") or given["documents"]
    return [*given]


def _encode(vector: list[float]) -> str:
    return base64.b64encode(array("f", vector).tobytes()).decode()


def _ranked(path: str, body: dict[str, Any]) -> dict[str, Any]:
    is_flat = path.endswith("/reranks")
    documents = body["documents"] if is_flat else body["input"]["documents"]
    parameters = body if is_flat else body["parameters"]
    results = [
        {"index": index, "relevance_score": 1 / (1 + len(str(document)))}
        for index, document in enumerate(documents)
    ]
    results.sort(key=lambda result: -result["relevance_score"])
    results = results[: parameters.get("top_n")]
    usage = {"total_tokens": len(documents)}
    if is_flat:
        return {"results": results, "usage": usage, "id": "r"}
    return {"output": {"results": results}, "usage": usage, "request_id": "r"}


def error(status: int, code: str, message: str = "No.", **headers: str) -> Scripted:
    """Return an error response of the native protocol."""
    body = {"code": code, "message": message, "request_id": "r-1"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Scripted(status=status, body=json.dumps(body).encode(), headers=named)


@contextmanager
def serve_embeddings(*scripted: Scripted | None) -> Generator[EmbeddingServer]:
    """Answer requests.

    Args:
        scripted: The first responses; None for an ordinary one.
    """
    server = EmbeddingServer(scripted=deque(scripted))

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 - the name that is called
            size = int(self.headers["content-length"])
            response = server.answer(self.path, json.loads(self.rfile.read(size)))
            if response.hang_up:
                self.close_connection = True
                return
            self.send_response(response.status)
            headers = {"content-type": "application/json", **response.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

    with listening(Handler) as server.base_url:
        yield server
