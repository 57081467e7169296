"""A server of embeddings and rankings whose answers are made in advance."""

import asyncio
import base64
import json
import random
import sys
from array import array
from typing import Final

from benchmarks.retrieval_clients import DOCUMENTS, ROWS

__all__: list[str] = []

_HEAD: Final = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "


def _answers() -> dict[str, bytes]:
    """Return the answers by what their path or their body holds."""
    numbers = random.Random(7)  # noqa: S311 - not a secret
    vectors = [[numbers.uniform(-0.1, 0.1) for _ in range(1024)] for _ in range(ROWS)]
    native = [{"text_index": i, "embedding": v} for i, v in enumerate(vectors)]
    floats = [{"index": i, "embedding": v} for i, v in enumerate(vectors)]
    encoded = [
        {"index": i, "embedding": base64.b64encode(array("f", v).tobytes()).decode()}
        for i, v in enumerate(vectors)
    ]
    results = [
        {"index": i, "relevance_score": numbers.random()} for i in range(DOCUMENTS)
    ]
    usage = {"prompt_tokens": 50, "total_tokens": 50}
    bodies = {
        "/text-embedding/": {"output": {"embeddings": native}, "usage": usage},
        "/base64/": {"object": "list", "data": encoded, "model": "m", "usage": usage},
        "/embeddings": {"object": "list", "data": floats, "model": "m", "usage": usage},
        "/reranks": {"object": "list", "results": results, "usage": usage},
    }
    return {key: json.dumps(body).encode() for key, body in bodies.items()}


class _Server(asyncio.Protocol):
    """Answers each request after a delay, on a connection that stays open."""

    def __init__(self, answers: dict[str, bytes], delay: float) -> None:
        self._answers = answers
        self._delay = delay
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a TCP server
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        fields = head.lower().split(b"content-length:")
        if len(body) < int(fields[1].split(b"\r\n")[0]):
            return
        self._received = b""
        wants_base64 = b'"base64"' in body
        path = head.split(b" ", 2)[1].decode() + ("/base64/" if wants_base64 else "")
        answer = next(a for key, a in self._answers.items() if key in path)
        raw = f"{_HEAD}{len(answer)}\r\n\r\n".encode() + answer
        asyncio.get_running_loop().call_later(self._delay, self._send, raw)

    def _send(self, raw: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(raw)


async def _main(delay: float) -> None:
    answers = _answers()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Server(answers, delay), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - for the client
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(float(sys.argv[1])))
