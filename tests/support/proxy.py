"""A proxy that refuses every connection, and counts the hosts that it is asked for."""

import re
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

__all__ = ["refusing_proxy"]


@contextmanager
def refusing_proxy(*, status: bytes = b"502 Bad Gateway") -> Generator[list[str]]:
    """Run a proxy, and answer each CONNECT with an error.

    Args:
        status: The status of each answer.

    Yields:
        The address of the proxy, and then the host and port of each CONNECT.
    """
    stopping = threading.Event()
    seen: list[str] = []

    def serve() -> None:
        while not stopping.is_set():
            with suppress(OSError), listener.accept()[0] as connection:
                connection.settimeout(5)
                line = connection.recv(65536).partition(b"\r\n")[0]
                seen.extend(re.findall(r"CONNECT (\S+) ", line.decode()))
                connection.sendall(b"HTTP/1.1 %b\r\ncontent-length: 0\r\n\r\n" % status)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        seen.append(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield seen
        finally:
            stopping.set()
            thread.join()
