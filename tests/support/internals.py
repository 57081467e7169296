"""Every private part of the core that the end-to-end and fault tests read or replace.

The tests call these helpers, so that a change inside the core changes this file alone.
Helpers that replace something take pytest's ``monkeypatch``, which restores it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Final

import pytest
from tenacity import RetryCallState

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core import secrets
from modelstudio_core.chat import arguments, calls
from modelstudio_core.chat.events import Event
from modelstudio_core.chat.parser import ChatParser
from modelstudio_core.local_files import open_file
from modelstudio_core.transport import (
    clients,
    failures,
    fairness,
    forms,
    pools,
    responses,
    retries,
    sdks,
    send,
)
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.requests import has_much_text

__all__ = [
    "MOST_EVENTS_PER_TURN",
    "async_transport_of",
    "clear_ssl_context",
    "count_parser_reads",
    "fail_to_forget",
    "forget_clients",
    "http_library",
    "is_large",
    "keep_clients",
    "log_filter_passes",
    "loops_with_clients",
    "no_backoff",
    "open_async_http_client",
    "record_async_clients",
    "record_clients",
    "record_opened_files",
    "record_waits",
    "retry_after",
    "timeout_of",
    "use_http_client_factory",
    "use_retry_after",
    "use_wait",
    "without_aiohttp",
    "without_dashscope",
]

Model = ChatModelStudio | ModelStudio

# --- Retries --------------------------------------------------------------------------


def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry at once where the service does not ask for a wait."""
    monkeypatch.setattr(retries, "_back_off", lambda _state: 0.0)


def use_wait(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Wait for a fixed time before each retry, whatever the service asks for."""
    monkeypatch.setattr(retries, "_wait", lambda _state: seconds)


def record_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list that collects the waits between retries, without waiting.

    tenacity asks for a wait once more after the last attempt and then does not wait:
    the list has one entry per attempt.
    """
    waits: list[float] = []
    original = retries._wait

    def record(state: RetryCallState) -> float:
        waits.append(original(state))
        return 0.0

    monkeypatch.setattr(retries, "_wait", record)
    return waits


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that response headers ask for."""
    return failures.retry_after(headers)


def use_retry_after(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Read ``seconds`` from every response as the wait that the service asks for."""
    monkeypatch.setattr(failures, "retry_after", lambda _headers: seconds)


# --- HTTP clients ---------------------------------------------------------------------


def http_library() -> ModuleType:
    """Return the HTTP library of the installed openai SDK: httpx2 or httpx."""
    return pools.http_library()


def use_http_client_factory(
    monkeypatch: pytest.MonkeyPatch, factory: Callable[[str], Any]
) -> None:
    """Make new HTTP clients with a factory, and start without cached clients.

    Args:
        monkeypatch: Restores the original factory and the cached clients.
        factory: Takes ``"Client"`` or ``"AsyncClient"`` and returns such a client.
    """

    def make_async_pool(_connection: Connection, *, large: bool = False) -> Any:
        del large
        return factory("AsyncClient")

    monkeypatch.setattr(clients, "make_sync_pool", lambda _: factory("Client"))
    monkeypatch.setattr(clients, "make_async_pool", make_async_pool)
    monkeypatch.setattr(clients, "_sync_clients", clients._Clients())


def record_clients(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """Return a list that collects the connections of new clients; none are cached."""
    connections: list[Connection] = []
    original = clients._make_handle

    def record(connection: Connection) -> clients.ClientHandle:
        connections.append(connection)
        return original(connection)

    monkeypatch.setattr(clients, "_make_handle", record)
    monkeypatch.setattr(clients, "_sync_clients", clients._Clients())
    return connections


def record_async_clients(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """Return a list that collects the connections of new asynchronous clients."""
    connections: list[Connection] = []
    original = clients._make_async_handle

    def record(connection: Connection, large: bool) -> clients.ClientHandle:
        connections.append(connection)
        return original(connection, large)

    monkeypatch.setattr(clients, "_make_async_handle", record)
    return connections


def keep_clients(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let the client cache hold at most ``count`` clients."""
    monkeypatch.setattr(clients, "MAX_CACHED", count)


async def open_async_http_client(model: Model) -> Any:
    """Return the HTTP client that a model uses on the running event loop."""
    _, client = await clients.async_client(model.resolved.connection, None)
    return client


def forget_clients() -> None:
    """Drop the cached sync clients, which keep the proxies of their first use."""
    clients._sync_clients = clients._Clients()


def loops_with_clients() -> list[Any]:
    """Return the event loops that the client cache holds."""
    return list(clients._loop_clients)


def without_aiohttp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Act as if aiohttp were not installed."""
    monkeypatch.setattr(pools, "_aiohttp_transport", lambda _connection: None)


def async_transport_of(model: Model) -> Any:
    """Return the transport of a new asynchronous HTTP client for a model."""
    return pools.make_async_pool(model.resolved.connection)._transport


def timeout_of(model: Model) -> Any:
    """Return the HTTP library's timeout object for a model."""
    return pools.timeout_for(model.resolved.connection, http_library())


def clear_ssl_context() -> None:
    """Forget the TLS context, so that the next client reads ``SSL_CERT_FILE``."""
    pools.ssl_context.cache_clear()


# --- Requests and responses -----------------------------------------------------------

# The most events that one iteration of the event loop hands out: the room of a turn and
# the batches before and after it.
MOST_EVENTS_PER_TURN: Final = fairness._TURN_BUDGET + 2 * calls._EVENTS_PER_TURN


def is_large(body: Mapping[str, Any]) -> bool:
    """Return whether a request body is large enough to be sent over httpx."""
    return has_much_text(body, send._LARGE)


def record_opened_files(monkeypatch: pytest.MonkeyPatch) -> list[BinaryIO]:
    """Return a list that collects the files that are opened to be sent in forms."""
    opened: list[BinaryIO] = []

    def record(path: Path, *, follow: bool) -> BinaryIO:
        file = open_file(path, follow=follow)
        opened.append(file)
        return file

    monkeypatch.setattr(forms, "open_file", record)
    return opened


def fail_to_forget(monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    """Raise ``failure`` where an error of a response forgets the body."""

    def fail(_error: BaseException) -> None:
        raise failure

    monkeypatch.setattr(responses, "forget_bodies", fail)


def count_parser_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that collects the size of each block of bytes that is parsed."""
    sizes: list[int] = []
    original = ChatParser.feed

    def record(self: ChatParser, chunk: bytes) -> list[Event]:
        sizes.append(len(chunk))
        return original(self, chunk)

    monkeypatch.setattr(ChatParser, "feed", record)
    return sizes


# --- Everything else ------------------------------------------------------------------


def without_dashscope(monkeypatch: pytest.MonkeyPatch) -> None:
    """Act as if the dashscope SDK were not installed."""
    monkeypatch.setattr(sdks, "find_spec", lambda _name: None)
    for module in (arguments, send):
        monkeypatch.setattr(module, "HAS_DASHSCOPE", sdks._has_dashscope())


def log_filter_passes(record: Any) -> bool:
    """Return whether the filter that hides secrets in logs lets a record pass."""
    return bool(secrets._filter.filter(record))
