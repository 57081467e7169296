"""A server that answers with given bytes, which it splits at unusual places."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from tests.support.loopback import QuietHandler, listening

# Primes, so that the pieces never match the lines, characters or events.
PIECE_SIZES = (1, 2, 3, 5, 7, 11, 13, 29, 61, 127, 251)


@dataclass
class Replay:
    """A running replay server and the requests that it has received.

    Attributes:
        base_url: The origin of the server.
        requests: The JSON bodies.
        headers: The headers, with lower-case names.
        paths: The paths.
        peers: The addresses of the clients' connections.
    """

    base_url: str
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    paths: list[str] = field(default_factory=list[str])
    peers: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])


@contextmanager
def replaying(
    status: int, headers: dict[str, str], body: bytes, *, times: int = 1
) -> Generator[Replay]:
    """Answer each request with the same response.

    Args:
        status: The HTTP status.
        headers: The headers of the response.
        body: The body of the response.
        times: How many requests may come; one more is a failure.

    Yields:
        The running server.
    """
    replay = Replay("")

    class Handler(QuietHandler):
        def do_POST(self) -> None:  # noqa: N802 - the name that is called
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
            for piece in split(body):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

    with listening(Handler) as replay.base_url:
        yield replay


def split(body: bytes) -> Iterator[bytes]:
    """Yield a body in pieces of unusual sizes."""
    position = 0
    for size in cycle(PIECE_SIZES):
        if position >= len(body):
            return
        yield body[position : position + size]
        position += size
