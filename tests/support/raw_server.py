"""A server that answers with given bytes, for answers that no other server can send."""

import re
import socket
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress

__all__ = ["answering"]


@contextmanager
def answering(
    pieces: Sequence[bytes], *, pause: float = 0.0, reads: bool = True
) -> Generator[str]:
    """Answer one request per connection with the same bytes, then close it.

    Args:
        pieces: The bytes, each piece in a segment of its own.
        pause: Seconds after each piece.
        reads: Whether the server reads the request; if not, it does not answer either.

    Yields:
        The base URL.
    """
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            with suppress(OSError), listener.accept()[0] as connection:
                connection.settimeout(5)
                if reads:
                    answer(connection)
                else:
                    stopping.wait()

    def answer(connection: socket.socket) -> None:
        head, _, rest = connection.recv(65536).partition(b"\r\n\r\n")
        size = int(re.findall(rb"(?i)content-length: (\d+)", head)[0]) - len(rest)
        while size > 0:
            size -= len(connection.recv(2**20))
        for piece in pieces:
            connection.sendall(piece)
            stopping.wait(pause)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stopping.set()
            thread.join()
