"""The emulator behind a delay, as a service whose answers need some time."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import uvicorn

from modelstudio_core.emulator.app import build_app
from modelstudio_core.emulator.studio import Studio

__all__ = ["KEY", "SlowEmulator", "serving"]

KEY: Final = "sk-emulator-0123456789abcdef"


class SlowEmulator:
    """An emulator whose answers need some time.

    Attributes:
        delay: Seconds before each answer.
        base_url: Its address.
        in_flight: How many requests it is answering.
        peak: The most requests that it was answering at once.
        times: When requests arrived.
    """

    def __init__(self) -> None:
        """Create the emulator; it does not listen yet."""
        self.delay = 0.0
        self.base_url = ""
        self.in_flight = self.peak = 0
        self.times: list[float] = []
        self._studio = Studio(
            api_key=KEY,
            generation="empty",
            chunk_delay=0.0,
            max_requests=100_000,
        )
        self._app: Any = build_app(self._studio, lambda _client: None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request after the delay."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self.times.append(time.monotonic())
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.delay)
            await self._app(scope, receive, send)
        finally:
            self.in_flight -= 1

    @property
    def paid(self) -> Counter[str]:
        """How often each prompt was answered, since the last ``reset``."""
        return Counter(
            str(request.body["messages"][-1]["content"])
            for request in self._studio.requests
        )

    def reset(self, delay: float) -> None:
        """Forget the requests so far.

        Args:
            delay: Seconds before each answer from now on.
        """
        self._studio.requests.clear()
        self.times.clear()
        self.peak = 0
        self.delay = delay


@contextmanager
def serving() -> Generator[SlowEmulator]:
    """Serve a slow emulator in a thread, on a free port of loopback."""
    emulator = SlowEmulator()
    server = uvicorn.Server(
        uvicorn.Config(emulator, host="127.0.0.1", port=0, log_level="error")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    emulator.base_url = f"http://127.0.0.1:{port}"
    try:
        yield emulator
    finally:
        server.should_exit = True
        thread.join(10)
