"""The fault server: asyncio and nothing else, so that it costs next to nothing.

Run as a command it serves until its standard input ends, and prints its port first.
"""

import asyncio
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from typing_extensions import override

from tests.faults.plays import Step, play, sized
from tests.faults.wire import Ask, dump, read_ask

__all__ = ["FaultServer"]


@dataclass
class Seen:
    """What a server has seen.

    Attributes:
        asks: The requests, in their order.
        attempts: How often each id was asked for.
        connections: How many connections there were.
        open: How many there are.
        left: The ids whose answer the client did not wait for.
        playing: How many answers are under way.
    """

    asks: list[Ask] = field(default_factory=list[Ask])
    attempts: Counter[str] = field(default_factory=Counter[str])
    connections: int = 0
    open: int = 0
    left: list[str] = field(default_factory=list[str])
    playing: int = 0


class _Connection(asyncio.Protocol):
    """One connection: requests are read one after another, and played."""

    def __init__(
        self, seen: Seen, transports: set[asyncio.Transport], *, keep: bool
    ) -> None:
        self._seen, self._open, self._keep = seen, transports, keep
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._playing = ""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open.add(transport)
        self._seen.connections += 1
        self._seen.open += 1

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._seen.open -= 1
        if self._transport:
            self._open.discard(self._transport)
        if self._playing:
            self._seen.left.append(self._playing)
            self._play("")
        if self._task:
            self._task.cancel()

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
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
        if first.split()[1] == "/seen":
            self._tell()
            return
        ask = read_ask(first.split()[1], headers, rest[:length])
        attempt = self._seen.attempts[ask.id]
        self._seen.attempts[ask.id] += 1
        if self._keep:
            self._seen.asks.append(ask)
        steps = play(ask, attempt)
        self._play(ask.id)
        self._task = asyncio.get_running_loop().create_task(self._perform(steps))

    def _play(self, of: str) -> None:
        """Note what is played now, if anything is."""
        self._seen.playing += bool(of) - bool(self._playing)
        self._playing = of

    def _tell(self) -> None:
        """Tell another process what has been seen."""
        assert self._transport
        seen = {"open": self._seen.open, "playing": self._seen.playing}
        self._transport.write(sized(200, dump(seen)))

    async def _perform(self, steps: Sequence[Step]) -> None:
        transport = self._transport
        assert transport is not None
        for step in steps:
            match step:
                case bytes():
                    transport.write(step)
                case "close":
                    self._play("")
                    transport.close()
                    return
                case "reset":
                    self._play("")
                    transport.abort()
                    return
                case _:
                    await asyncio.sleep(step)
        self._play("")


class FaultServer:
    """A fault server in a thread, for as long as the ``with`` lasts."""

    def __init__(self, tls: ssl.SSLContext | None = None, *, keep: bool = True) -> None:
        self.seen = Seen()
        self.port = 0
        self._tls, self._keep = tls, keep
        self._open: set[asyncio.Transport] = set()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        """Start, and wait until it listens."""
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cut what is open, and wait for the thread."""
        assert self._loop is not None
        assert self._stopping is not None
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self.serve())

    async def serve(self) -> None:
        """Serve until it is told to stop."""
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(
            lambda: _Connection(self.seen, self._open, keep=self._keep),
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


def _command() -> None:
    with FaultServer(keep=False) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _command()
