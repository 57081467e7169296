"""A loopback HTTP server for the transport: every method, scripted responses."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from tests.support.loopback import QuietHandler, listening

__all__ = ["HttpServer", "Received", "Scripted", "serve_http"]


@dataclass(frozen=True)
class Received:
    """A request as the server received it.

    ``target`` is the path and query as they were sent; header names are in lower case.
    """

    method: str
    target: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    header_names: tuple[str, ...]
    body: bytes


@dataclass(frozen=True)
class Scripted:
    """A response, or the end of the connection in place of one.

    Attributes:
        status: The HTTP status.
        body: The body.
        headers: Headers besides ``content-length``.
        missing_bytes: How many bytes of ``content-length`` are not sent.
        hang_up: Whether the connection is closed without a response.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict[str, str])
    missing_bytes: int = 0
    hang_up: bool = False


@dataclass
class HttpServer:
    """Where the server listens, what it received, and over which connections."""

    base_url: str = ""
    responses: list[Scripted] = field(default_factory=list[Scripted])
    received: list[Received] = field(default_factory=list[Received])
    peers: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    @property
    def only(self) -> Received:
        """The one request that was received."""
        (request,) = self.received
        return request


@contextmanager
def serve_http(*responses: Scripted) -> Generator[HttpServer]:
    """Answer requests with responses in their order; the last one is repeated."""
    server = HttpServer(responses=list(responses or [Scripted()]))

    class Handler(QuietHandler):
        def answer(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("content-length") or 0)
            server.received.append(
                Received(
                    method=self.command,
                    target=self.path,
                    path=parts.path,
                    query=dict(parse_qsl(parts.query)),
                    headers={k.lower(): v for k, v in self.headers.items()},
                    header_names=tuple(self.headers.keys()),
                    body=self.rfile.read(size),
                )
            )
            server.peers.append(self.client_address)
            remaining = server.responses
            response = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            if response.hang_up:
                self.close_connection = True
                return
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            length = len(response.body) + response.missing_bytes
            self.send_header("content-length", str(length))
            self.end_headers()
            self.wfile.write(response.body)
            self.close_connection = bool(response.missing_bytes)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - their names

    with listening(Handler) as server.base_url:
        yield server
