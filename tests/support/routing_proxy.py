"""A proxy that answers for every host itself: HTTPS requests never leave this machine.

It accepts CONNECT, speaks TLS with a certificate for the hosts of the service, and
answers each request with what a function returns.
"""

import re
import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import trustme

__all__ = ["HOSTS", "RoutedRequest", "RoutingProxy", "routing_proxy"]

HOSTS = (
    "*.aliyuncs.com",
    "*.dashscope.aliyuncs.com",
    "*.eu-central-1.maas.aliyuncs.com",
)


@dataclass(frozen=True)
class RoutedRequest:
    """A request that the proxy received for a host."""

    host: str
    path: str
    key: str


END = b"\r\n\r\n"
Answer = Callable[[RoutedRequest], tuple[int, bytes]]


@dataclass
class RoutingProxy:
    """The address of the proxy, the authority of its certificate, what it received."""

    url: str
    authority: Path
    received: list[RoutedRequest] = field(default_factory=list[RoutedRequest])


@contextmanager
def routing_proxy(answer: Answer, folder: Path) -> Generator[RoutingProxy]:
    """Run a proxy.

    Args:
        answer: Returns the status and the JSON body for a request.
        folder: Where the certificate of the authority is written.
    """
    issuer = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(*HOSTS).configure_cert(context)
    issuer.cert_pem.write_to_path(str(folder / "authority.pem"))
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                threading.Thread(target=handle, args=[connection], daemon=True).start()

    def handle(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(5)
            line = connection.recv(65536).decode().partition("\r\n")[0]
            if not line:  # only a look at whether the port is open
                return
            host = line.split()[1].partition(":")[0]
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with context.wrap_socket(connection, server_side=True) as encrypted:
                reply(encrypted, host)

    def reply(connection: socket.socket, host: str) -> None:
        head = read_request(connection)
        found = re.search(r"(?i)authorization: Bearer (\S+)", head)
        request = RoutedRequest(host, head.split()[1], found[1] if found else "")
        proxy.received.append(request)
        status, body = answer(request)
        connection.sendall(
            b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
            b"x-request-id: r-1\r\nconnection: close\r\n\r\n%b"
            % (status, len(body), body)
        )

    def read_request(connection: socket.socket) -> str:
        """Read the body too: what is not read would reset the connection."""
        head, end, body = b"", b"", b""
        while not end:
            head, end, body = (head + body + connection.recv(65536)).partition(END)
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while len(body) < int(length[1] if length else 0):
            body += connection.recv(65536)
        return head.decode()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        proxy = RoutingProxy(url, folder / "authority.pem")
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield proxy
        finally:
            stopping.set()
            thread.join()
