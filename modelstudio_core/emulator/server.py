"""The server: uvicorn in its own thread, with its own event loop."""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import uvicorn

from modelstudio_core.emulator.app import build_app
from modelstudio_core.emulator.script import BatchScript, Fault, Reply, TaskOutcome
from modelstudio_core.emulator.stored_batches import StoredBatch
from modelstudio_core.emulator.studio import (
    DEFAULT_MAX_BODY_BYTES,
    Generation,
    RecordedRequest,
    Studio,
)

__all__ = ["Emulator"]

_KEY: Final = "sk-emulator-0123456789abcdef"
_START_TIMEOUT: Final = 10.0  # seconds
# How long the tasks of aborted requests may take to end.
_STOP_TIMEOUT: Final = 0.3  # seconds
_LOOPBACK_OF_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


# What each method accepts.
_SCRIPTED: Final[dict[str, tuple[type, ...]]] = {
    "script": (Reply, Fault),
    "script_tasks": (TaskOutcome,),
    "script_batches": (BatchScript,),
}


def _check_kinds(method: str, items: Sequence[object]) -> None:
    """Refuse an item of another kind, which would answer a later request wrongly."""
    kinds = _SCRIPTED[method]
    for item in items:
        if isinstance(item, kinds):
            continue
        other = [name for name, own in _SCRIPTED.items() if isinstance(item, own)]
        names = " or ".join(kind.__name__ for kind in kinds)
        hint = f" {other[0]}() is for those." if other else " Pass each as an argument."
        raise TypeError(
            f"{method}() accepts {names} objects, got a {type(item).__name__}.{hint}"
        )


class Emulator:
    """A local Model Studio that listens on a port while its ``with`` block runs.

    It serves synchronous and asynchronous code alike, and can be entered again.

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
        max_requests: int = 10_000,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        task_seconds: float = 0.0,
    ) -> None:
        """Configure the emulator; entering it starts the server.

        Args:
            port: The port; 0 is a free one.
            host: The address to listen on.
            api_key: The key to accept; None is a fixed one.
            generation: Which recorded shapes it sends. ``"empty"`` (2026-05 to
                2026-08): ``""`` for a key of a delta without content, and a refused
                stream has an HTTP status. ``"null"`` (2026-02): null, missing keys,
                and a model's refusal of a stream is an event of an HTTP 200 stream.
                The DashScope protocol is the same in both.
            chunk_delay: Seconds between two events of a stream.
            max_requests: How many of the received requests ``requests`` keeps, the
                last ones, while their bodies have at most 64 MiB together. A request
                takes about 3 kB, and its parsed body some two times its size.
            max_body_bytes: The largest body that it reads; a larger one is refused.
            task_seconds: How long a task is pending and running, by the emulator's
                time, which ``advance`` sets forward. 0: its first query finds it done.

        Raises:
            ValueError: ``generation`` is unknown or a limit is negative.
        """
        if generation not in {"empty", "null"}:
            raise ValueError(
                f"generation must be 'empty' or 'null', got {generation!r}"
            )
        if max_requests < 0:
            raise ValueError(f"max_requests must be 0 or more, got {max_requests}")
        if max_body_bytes < 0:
            raise ValueError(f"max_body_bytes must be 0 or more, got {max_body_bytes}")
        if task_seconds < 0:
            raise ValueError(f"task_seconds must be 0 or more, got {task_seconds}")
        self.api_key = api_key or _KEY
        self._host, self._port = host, port
        self._studio = Studio(
            api_key=self.api_key,
            generation=generation,
            chunk_delay=chunk_delay,
            max_requests=max_requests,
            max_body_bytes=max_body_bytes,
            task_seconds=task_seconds,
        )
        self._running: _RunningServer | None = None

    @property
    def base_url(self) -> str:
        """The origin that it listens on, such as ``http://127.0.0.1:8000``.

        Raises:
            RuntimeError: The emulator is not running.
        """
        if self._running is None:
            raise RuntimeError(
                "The emulator is not running. Use it in a with statement."
            )
        host = _LOOPBACK_OF_ANY.get(self._host, self._host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self._running.port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The last ``max_requests`` requests that it received, oldest first."""
        return self._studio.requests

    def script(self, *items: Reply | Fault) -> None:
        """Script the answers to the next chat requests, one item for each.

        Args:
            items: Replies and faults; they are added after those that are left.

        Raises:
            TypeError: An item is neither.

        Example:
            >>> from modelstudio_core.emulator import Fault, Reply
            >>> with Emulator() as studio:
            ...     studio.script(Fault(status=503), Reply(text="Hello."))
            ...     len(studio.scripted)
            2
        """
        _check_kinds("script", items)
        self._studio.script.extend(items)

    def script_tasks(self, *outcomes: TaskOutcome) -> None:
        """Script what becomes of the next created tasks, one outcome for each.

        Args:
            outcomes: They are added after those that are left.

        Raises:
            TypeError: An item is no outcome of a task.
        """
        _check_kinds("script_tasks", outcomes)
        self._studio.outcomes.extend(outcomes)

    @property
    def scripted(self) -> list[Reply | Fault | TaskOutcome | BatchScript]:
        """What was scripted for chat, tasks and batches and no request has used yet."""
        studio = self._studio
        return [*studio.script, *studio.outcomes, *studio.batch_script]

    def clear_script(self) -> None:
        """Remove what was scripted and no request has used yet."""
        self._studio.script.clear()
        self._studio.outcomes.clear()
        self._studio.batch_script.clear()

    def script_batches(self, *items: BatchScript) -> None:
        """Script how the next batches go on, one item for each.

        Args:
            items: The scripts; they are added after those that are left.

        Raises:
            TypeError: An item is no script of a batch.
        """
        _check_kinds("script_batches", items)
        self._studio.batch_script.extend(items)

    @property
    def batches(self) -> list[StoredBatch]:
        """All batches, oldest first, as of the last request about each."""
        return list(self._studio.batches.values())

    def advance(self, seconds: float) -> None:
        """Advance its time, by which tasks end, and files and cached prompts expire.

        Batches go on by it.

        Args:
            seconds: How much later it is.

        Raises:
            ValueError: The number is negative.
        """
        if seconds < 0:
            raise ValueError(f"seconds must be 0 or more, got {seconds}")
        self._studio.advanced += seconds

    def __enter__(self) -> Self:
        """Start the server and wait until it answers.

        Raises:
            OSError: The port is in use.
            RuntimeError: The emulator is already running, or did not start.
        """
        if self._running is not None:
            raise RuntimeError("The emulator is already running.")
        self._running = _RunningServer(self._studio, self._host, self._port)
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


class _RunningServer:
    """The socket and the thread of a running server."""

    def __init__(self, studio: Studio, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        # asyncio sets TCP_NODELAY only for sockets with an explicit protocol, which
        # this one has not. Without it each stream waits 40 ms for a delayed ACK.
        # Accepted connections inherit the option.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port: int = self._socket.getsockname()[1]
        self._server = _Server(studio)
        self._thread = threading.Thread(
            target=self._serve, name="modelstudio-emulator", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(_START_TIMEOUT) or not self._server.started:
            self.stop()
            raise RuntimeError("The emulator did not start.")

    def stop(self) -> None:
        """Stop the server and wait for its thread."""
        self._server.stop()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        logger, log_filter = logging.getLogger("uvicorn.error"), _ErrorsOnly()
        logger.addFilter(log_filter)
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        finally:
            logger.removeFilter(log_filter)
            self._server.ready.set()


class _ErrorsOnly(logging.Filter):
    """Drops uvicorn's records below ERROR that come from the current thread."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread or record.levelno >= logging.ERROR


class _Server(uvicorn.Server):
    """uvicorn that starts and stops without delay: its own loop polls every 0.1 s."""

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
        """Request a stop, from another thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and set ``ready``."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        """Wait until a stop is requested."""
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
            await asyncio.wait(tasks, timeout=_STOP_TIMEOUT)

    def _abort(self, client: tuple[str, int]) -> None:
        """Cut the connection of a client."""
        for connection in list(self.server_state.connections):
            peer = connection.transport.get_extra_info("peername")
            if tuple(peer[:2]) == client:
                connection.transport.abort()
