"""A loopback server that plays one recorded answer, cutting its bytes at odd places."""

import json
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any

# Primes: no multiple of a line, of a character or of an event.
CUTS = (1, 2, 3, 5, 7, 11, 13, 29, 61, 127, 251)


@dataclass
class Replay:
    """Where the answer is played, and what was asked for it."""

    base_url: str
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    paths: list[str] = field(default_factory=list[str])
    peers: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])


@contextmanager
def replaying(
    status: int, headers: dict[str, str], body: bytes, *, times: int = 1
) -> Generator[Replay]:
    """Answer each request with the same bytes; more than ``times`` is a failure."""
    replay = Replay("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
            """Be quiet."""

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            replay.requests.append(json.loads(self.rfile.read(length)))
            replay.headers.append({k.lower(): v for k, v in self.headers.items()})
            replay.paths.append(self.path)
            replay.peers.append(self.client_address)
            assert len(replay.requests) <= times, "more requests than expected"
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for piece in cut(body):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    replay.base_url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield replay
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def cut(body: bytes) -> Iterator[bytes]:
    """Yield a body in pieces of odd sizes."""
    position = 0
    for size in cycle(CUTS):
        if position >= len(body):
            return
        yield body[position : position + size]
        position += size
