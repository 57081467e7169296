"""A part of Qdrant's HTTP interface, over its own local mode.

It has what the stores of both frameworks request. No Qdrant server is needed, and none
is replaced: what this shows is that the examples reach a server by its URL, with a key.
"""

# The client has no type stubs.
# pyright: reportMissingImports=false

import json
import re
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter
from qdrant_client import QdrantClient, models

from tests.support.loopback import QuietHandler, listening

__all__ = ["QdrantServer", "serve_qdrant"]

_INSERT: Final = TypeAdapter[Any](models.PointInsertOperations)
_SELECT: Final = TypeAdapter[Any](models.PointsSelector)
_Call = Callable[[QdrantClient, str, Any], object]


@dataclass
class QdrantServer:
    """Where the server listens, and what it received."""

    url: str = ""
    paths: list[str] = field(default_factory=list[str])
    keys: set[str | None] = field(default_factory=set[str | None])
    client: QdrantClient = field(default_factory=lambda: QdrantClient(":memory:"))


def _create(client: QdrantClient, name: str, body: Any) -> object:
    request = models.CreateCollection(**body)
    return client.create_collection(
        name,
        vectors_config=request.vectors,
        sparse_vectors_config=request.sparse_vectors,
    )


def _scroll(client: QdrantClient, name: str, body: Any) -> object:
    request = models.ScrollRequest(**body)
    points, after = client.scroll(
        name,
        limit=request.limit or 10,
        offset=request.offset,
        with_payload=request.with_payload or False,
        with_vectors=request.with_vector or False,
    )
    return {"points": points, "next_page_offset": after}


def _query(client: QdrantClient, name: str, body: Any) -> object:
    request = models.QueryRequest(**body)
    return client.query_batch_points(name, [request])[0]


def _query_batch(client: QdrantClient, name: str, body: Any) -> object:
    return client.query_batch_points(name, models.QueryRequestBatch(**body).searches)


def _upsert(client: QdrantClient, name: str, body: Any) -> object:
    points = _INSERT.validate_python(body)
    return client.upsert(name, getattr(points, "points", None) or points.batch)


def _delete(client: QdrantClient, name: str, body: Any) -> object:
    return client.delete(name, _SELECT.validate_python(body))


_CALLS: Final[dict[tuple[str, str], _Call]] = {
    ("GET", "/exists"): lambda c, name, _: {"exists": c.collection_exists(name)},
    ("GET", ""): lambda c, name, _: c.get_collection(name),
    ("PUT", ""): _create,
    ("PUT", "/index"): lambda *_: {"operation_id": 1, "status": "completed"},
    ("PUT", "/points"): _upsert,
    ("POST", "/points/delete"): _delete,
    ("POST", "/points/scroll"): _scroll,
    ("POST", "/points/query"): _query,
    ("POST", "/points/query/batch"): _query_batch,
}


def _as_json(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    raise TypeError(value)


@contextmanager
def serve_qdrant() -> Generator[QdrantServer]:
    """Serve an empty Qdrant on loopback."""
    server, lock = QdrantServer(), threading.Lock()

    class Handler(QuietHandler):
        def answer(self) -> None:
            path = self.path.partition("?")[0]
            size = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(size) or "{}")
            found = re.fullmatch(r"/collections/([^/]+)(.*)", path)
            with lock:
                server.paths.append(f"{self.command} {found[2] if found else path}")
                server.keys.add(self.headers.get("api-key"))
                answer: object = {
                    "title": "qdrant",
                    "version": version("qdrant-client"),
                }
                if found:
                    call = _CALLS[self.command, found[2]]
                    result = call(server.client, found[1], body)
                    answer = {"result": result, "status": "ok", "time": 0.0}
            data = json.dumps(answer, default=_as_json).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - their names

    with closing(server.client), listening(Handler) as server.url:
        yield server
