"""The fault server: asyncio and nothing else, so that it costs nearly no CPU time."""

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from typing_extensions import override

from tests.support.fault_server.faults import Step, response, steps_of
from tests.support.fault_server.wire import FaultRequest, read_request, to_json

__all__ = ["FaultServer", "ServerLog"]


@dataclass
class ServerLog:
    """What a fault server has seen so far.

    Attributes:
        requests: The requests, in order.
        attempts: How often each request id was received.
        connections: How many connections were made.
        open: How many connections are open.
        abandoned: The ids of requests whose client left before the answer's end.
        responding: How many answers are being sent.
    """

    requests: list[FaultRequest] = field(default_factory=list[FaultRequest])
    attempts: Counter[str] = field(default_factory=Counter[str])
    connections: int = 0
    open: int = 0
    abandoned: list[str] = field(default_factory=list[str])
    responding: int = 0


class _Connection(asyncio.Protocol):
    """One connection: reads requests one after another and performs their faults."""

    def __init__(
        self, log: ServerLog, transports: set[asyncio.Transport], *, keep: bool
    ) -> None:
        self._log, self._open, self._keep = log, transports, keep
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._responding_to = ""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(transport)
        self._log.connections += 1
        self._log.open += 1

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._log.open -= 1
        if self._transport:
            self._open.discard(self._transport)
        if self._responding_to:
            self._log.abandoned.append(self._responding_to)
            self._respond_to("")
        if self._task:
            self._task.cancel()

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        path = first.split()[1]
        if path == "/log":
            self._send_log()
            return
        request = read_request(path, headers, rest[:length])
        attempt = self._log.attempts[request.id]
        self._log.attempts[request.id] += 1
        if self._keep:
            self._log.requests.append(request)
        steps = steps_of(request, attempt)
        self._respond_to(request.id)
        self._task = asyncio.get_running_loop().create_task(self._perform(steps))

    def _respond_to(self, request_id: str) -> None:
        """Note which request is being answered, if any."""
        self._log.responding += bool(request_id) - bool(self._responding_to)
        self._responding_to = request_id

    def _send_log(self) -> None:
        """Send the counters to another process."""
        assert self._transport
        counters = {"open": self._log.open, "responding": self._log.responding}
        self._transport.write(response(200, to_json(counters)))

    async def _perform(self, steps: Sequence[Step]) -> None:
        transport = self._transport
        assert transport is not None
        for step in steps:
            match step:
                case bytes():
                    transport.write(step)
                case "close":
                    self._respond_to("")
                    transport.close()
                    return
                case "reset":
                    self._respond_to("")
                    transport.abort()
                    return
                case _:
                    await asyncio.sleep(step)
        self._respond_to("")


class FaultServer:
    """A fault server in a thread, for the time of a ``with`` statement.

    Args:
        tls: Serves TLS with this context; None: plain HTTP.
        keep_requests: Whether ``log.requests`` collects the requests.
    """

    def __init__(
        self, tls: ssl.SSLContext | None = None, *, keep_requests: bool = True
    ) -> None:
        self.log = ServerLog()
        self.port = 0
        self._tls, self._keep = tls, keep_requests
        self._open: set[asyncio.Transport] = set()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def base_url(self) -> str:
        """The origin of the server."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Start the server and wait until it listens."""
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Abort the open connections and wait for the thread."""
        assert self._loop is not None
        assert self._stopping is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(
            lambda: _Connection(self.log, self._open, keep=self._keep),
            "127.0.0.1",
            0,
            ssl=self._tls,
            backlog=2048,
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for transport in tuple(self._open):
            transport.abort()
        await asyncio.sleep(0)
