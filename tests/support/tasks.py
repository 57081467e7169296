"""Tasks in both call styles, and a service whose hosts are all one emulator."""

import types
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import httpx2
import pytest
from typing_extensions import override

from modelstudio_core import tasks
from modelstudio_core.emulator import Emulator
from modelstudio_core.tasks import Task, TaskResult

__all__ = [
    "IMAGE",
    "STYLES",
    "Hosts",
    "Style",
    "Tasks",
    "creations",
    "hosts",
    "stop_clock",
]

Style = Literal["sync", "async"]
STYLES: Final[tuple[Style, ...]] = get_args(Style)
# The model of the task in "Regions and deployment modes".
IMAGE: Final = "wan2.6-t2i"


@dataclass(frozen=True)
class Tasks:
    """The functions for tasks in one call style, at one service."""

    style: Style
    connection: dict[str, Any]

    @classmethod
    def at(cls, style: Style, studio: Emulator, **arguments: Any) -> "Tasks":
        """Return the functions at an emulator, without retries."""
        connection = {
            "base_url": studio.base_url,
            "api_key": studio.api_key,
            "max_retries": 0,
        }
        return cls(style, connection | arguments)

    async def submit(self, **arguments: Any) -> Task:
        """Create a task; of an image where nothing else is given."""
        if not arguments.keys() & {"model", "input", "urls", "media", "images"}:
            arguments = {"prompt": "A flower shop", **arguments}
        values: dict[str, Any] = {"model": IMAGE, **self.connection, **arguments}
        if self.style == "sync":
            return tasks.submit(**values)
        return await tasks.asubmit(**values)

    async def refresh(self, task: Task) -> None:
        """Query a task once."""
        if self.style == "sync":
            task.refresh()
        else:
            await task.arefresh()

    async def cancel(self, task: Task) -> None:
        """Cancel a task."""
        if self.style == "sync":
            task.cancel()
        else:
            await task.acancel()

    async def result(self, task: Task, **arguments: Any) -> TaskResult:
        """Wait for a task, with queries without a pause."""
        values: dict[str, Any] = {"poll_interval": 0.0, **arguments}
        if self.style == "sync":
            return task.result(**values)
        return await task.aresult(**values)

    async def download(self, result: TaskResult, directory: Any) -> list[Any]:
        """Fetch the files of a result."""
        if self.style == "sync":
            return [*result.download(directory)]
        return [*await result.adownload(directory)]

    async def list(self, **arguments: Any) -> list[tasks.TaskSummary]:
        """List tasks."""
        values = self.connection | arguments
        if self.style == "sync":
            return tasks.list_tasks(**values)
        return await tasks.alist_tasks(**values)


def creations(studio: Emulator) -> int:
    """Return how many requests that are paid for an emulator received."""
    return sum("/services/" in request.path for request in studio.requests)


def stop_clock(monkeypatch: pytest.MonkeyPatch, module: str) -> Callable[[float], None]:
    """Stop the clock of a module of the tasks. The result lets seconds pass."""
    now = 10.0

    def advance(seconds: float) -> None:
        nonlocal now
        now += seconds

    clock = types.SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(f"modelstudio_core.tasks.{module}.time", clock)
    return advance


# --- Documented hosts -------------------------------------------------------------


class _Forward(httpx2.HTTPTransport):
    """Sends each request to an emulator, with the host that it is meant for."""

    def __init__(self, studio: Emulator, seen: list[str]) -> None:
        super().__init__()
        self._target = httpx2.URL(studio.base_url)
        self._seen = seen

    @override
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._seen.append(f"{request.url.scheme}://{request.headers['host']}")
        request.url = _redirected(request.url, self._target)
        return super().handle_request(request)


class _AsyncForward(httpx2.AsyncHTTPTransport):
    """Async version of ``_Forward``."""

    def __init__(self, studio: Emulator, seen: list[str]) -> None:
        super().__init__()
        self._target = httpx2.URL(studio.base_url)
        self._seen = seen

    @override
    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._seen.append(f"{request.url.scheme}://{request.headers['host']}")
        request.url = _redirected(request.url, self._target)
        return await super().handle_async_request(request)


def _redirected(url: httpx2.URL, target: httpx2.URL) -> httpx2.URL:
    return url.copy_with(scheme="http", host=target.host, port=target.port)


@dataclass(frozen=True)
class Hosts:
    """The documented hosts, all of which are one emulator.

    Attributes:
        connection: Connection arguments without a region.
        seen: The origin of each request, as it was meant.
    """

    connection: dict[str, Any]
    seen: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def hosts(studio: Emulator) -> AsyncGenerator[Hosts]:
    """Send requests for any host to an emulator, with custom HTTP clients."""
    seen: list[str] = []
    forward = _AsyncForward(studio, seen)
    async with httpx2.AsyncClient(transport=forward) as async_client:
        with httpx2.Client(transport=_Forward(studio, seen)) as client:
            connection = {
                "api_key": studio.api_key,
                "max_retries": 0,
                "http_client": client,
                "http_async_client": async_client,
            }
            yield Hosts(connection, seen)
