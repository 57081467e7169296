"""The server: uvicorn in a thread of its own, with an event loop of its own."""

import asyncio
import contextlib
import logging
import socket
import threading
from types import TracebackType
from typing import Final, Self

import uvicorn

from modelstudio_core.emulator.app import build_app
from modelstudio_core.emulator.protocols.base import Generation
from modelstudio_core.emulator.script import Fault, Reply
from modelstudio_core.emulator.studio import RecordedRequest, Studio

__all__ = ["Emulator"]

_KEY: Final = "sk-emulator-0123456789abcdef"
_LONGEST_START: Final = 10.0
# What aborted requests may take to notice it.
_LONGEST_END: Final = 0.3
_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


class Emulator:
    """A local Model Studio on a port of its own, for as long as the ``with`` lasts.

    It can be used from synchronous and asynchronous code alike, and entered again.

    Attributes:
        api_key: The key that it accepts.

    Example:
        >>> with Emulator() as studio:
        ...     studio.script(Reply(text="Hello."))
        ...     studio.base_url.startswith("http://127.0.0.1:")
        True
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        api_key: str | None = None,
        generation: Generation = "empty",
        chunk_delay: float = 0.0,
    ) -> None:
        """Decide what it is; it starts when it is entered.

        Args:
            port: The port; 0 takes a free one.
            host: The address to listen on.
            api_key: The key to accept; None makes one up, always the same.
            generation: Which recorded shapes it sends. ``"empty"`` (2026-05 to
                2026-08): ``""`` where a delta has nothing to say, and a refused stream
                has an HTTP status. ``"null"`` (2026-02): null, keys left out, and a
                model's refusal of a stream is an event of an HTTP 200 stream. The
                native protocol is the same in both.
            chunk_delay: Seconds between two events of a stream.

        Raises:
            ValueError: The generation is not one of the two.
        """
        if generation not in {"empty", "null"}:
            raise ValueError(
                f"generation must be 'empty' or 'null', not {generation!r}"
            )
        self.api_key = api_key or _KEY
        self._host, self._port = host, port
        self._studio = Studio(
            api_key=self.api_key, generation=generation, chunk_delay=chunk_delay
        )
        self._running: _Running | None = None

    @property
    def base_url(self) -> str:
        """The origin that it answers on.

        Raises:
            RuntimeError: It is not running.
        """
        if self._running is None:
            raise RuntimeError(
                "The emulator is not running: use it in a with statement."
            )
        host = _ANY_ADDRESS.get(self._host, self._host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self._running.port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """What it received, in its order."""
        return self._studio.requests

    def script(self, *items: Reply | Fault) -> None:
        """Say what the next chat requests are answered with, one item each.

        Args:
            items: Replies and faults; they are added to those that still wait.
        """
        self._studio.queue.extend(items)

    def __enter__(self) -> Self:
        """Start the server and wait until it answers.

        Raises:
            OSError: The port is taken.
            RuntimeError: It runs already, or did not start.
        """
        if self._running is not None:
            raise RuntimeError("The emulator is running already.")
        self._running = _Running(self._studio, self._host, self._port)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server and cut every connection that is still open."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()


class _Running:
    """A server that runs: its socket and its thread."""

    def __init__(self, studio: Studio, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        self.port: int = self._socket.getsockname()[1]
        self._server = _Server(studio)
        self._thread = threading.Thread(
            target=self._serve, name="modelstudio-emulator", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(_LONGEST_START) or not self._server.started:
            self.stop()
            raise RuntimeError("The emulator did not start.")

    def stop(self) -> None:
        """End the server and wait for its thread."""
        self._server.stop()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        log, quiet = logging.getLogger("uvicorn.error"), _Quiet()
        log.addFilter(quiet)
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        finally:
            log.removeFilter(quiet)
            self._server.ready.set()


class _Quiet(logging.Filter):
    """Drops what uvicorn has to say in this thread, errors excepted."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread or record.levelno >= logging.ERROR


class _Server(uvicorn.Server):
    """uvicorn, but started and stopped at once: its own loop looks every 0.1 s."""

    def __init__(self, studio: Studio) -> None:
        app = build_app(studio, self._abort)
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                date_header=False,
                server_header=False,
                proxy_headers=False,
            )
        )
        self.ready = threading.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Ask it to end, from another thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Wait until it is asked to end."""
        await self._stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening and cut every connection."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        if tasks := list(self.server_state.tasks):
            await asyncio.wait(tasks, timeout=_LONGEST_END)

    def _abort(self, client: tuple[str, int]) -> None:
        """Cut the connection of a client."""
        for connection in list(self.server_state.connections):
            peer = connection.transport.get_extra_info("peername")
            if tuple(peer[:2]) == client:
                connection.transport.abort()
