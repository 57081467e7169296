"""The only I/O: four small functions a protocol, over the vendor's own SDK.

The SDK brings authentication, timeouts and its connection pool; its retries, its
redirects, its environment variables and its parsing are not used. It is imported by
the first call. Clients are shared by address, key and options; asynchronous ones
belong to one event loop and are closed with it.
"""

import asyncio
import os
import ssl
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, cast

from modelstudio_core._version import __version__
from modelstudio_core.endpoints import Endpoint, Protocol
from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    ErrorContext,
    IncompleteStreamError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import openai

__all__ = ["AsyncReply", "Connection", "Reply", "aopen", "asend", "open", "send"]

# A pool this large never makes a stream wait for another one.
_MAX_CONNECTIONS: Final = 1000
_KEPT_CONNECTIONS: Final = 100
# How many addresses and keys are kept warm at once.
_KEPT_CLIENTS: Final = 64
# After the answer is whole: how long to wait for the response's own end.
_DRAIN_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach the service. Equal connections share their clients.

    Attributes:
        endpoint: Where.
        protocol: ``"openai"`` or ``"dashscope"``.
        api_key: The key; it is shown nowhere.
        connect_timeout: Seconds to wait for a connection.
        read_timeout: Seconds of silence to bear.
        max_retries: How often a request is sent again, at most.
        default_headers: Headers of the user's own.
        http_client: The user's own ``httpx`` client, never closed here.
        http_async_client: The same for asynchronous calls.
    """

    endpoint: Endpoint
    protocol: Protocol
    api_key: str = field(repr=False)
    connect_timeout: float = 10.0
    read_timeout: float = 600.0
    max_retries: int = 2
    default_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    http_client: Any = field(default=None, repr=False)
    http_async_client: Any = field(default=None, repr=False)

    @property
    def base_url(self) -> str:
        """The full base URL of the protocol in use."""
        return self.endpoint.base_url(self.protocol)

    @property
    def context(self) -> ErrorContext:
        """What an error needs to know."""
        return ErrorContext(
            region=self.endpoint.region,
            protocol=self.protocol,
            host=self.endpoint.host,
            secrets=(self.api_key,),
        )


# --- Four functions ---------------------------------------------------------------


def send(connection: Connection, path: str, body: Mapping[str, Any]) -> "Reply":
    """Send a request and return its whole answer.

    Raises:
        APIError: There was no answer, or it was a refusal.
    """
    return _post(connection, path, body, stream=False)


def open(  # noqa: A001 - the house's word, read as clients.open
    connection: Connection, path: str, body: Mapping[str, Any]
) -> "Reply":
    """Send a request and return its answer as soon as its headers are there.

    Raises:
        APIError: There was no answer, or it was a refusal.
    """
    return _post(connection, path, body, stream=True)


async def asend(
    connection: Connection, path: str, body: Mapping[str, Any]
) -> "AsyncReply":
    """Do as ``send``."""
    return await _apost(connection, path, body, stream=False)


async def aopen(
    connection: Connection, path: str, body: Mapping[str, Any]
) -> "AsyncReply":
    """Do as ``open``."""
    return await _apost(connection, path, body, stream=True)


def _post(
    connection: Connection, path: str, body: Mapping[str, Any], *, stream: bool
) -> "Reply":
    client = _client(connection)
    try:
        response = client.post(
            path,
            cast_to=_sdk_http().Response,
            body=body,
            stream=stream,
            options={"follow_redirects": False},
        )
    except Exception as error:  # noqa: BLE001 - what is not the SDK's goes on as it is
        raise _translated(error, connection.context) from error.__cause__
    return Reply(client, response, connection.context)


async def _apost(
    connection: Connection, path: str, body: Mapping[str, Any], *, stream: bool
) -> "AsyncReply":
    client = _async_client(connection)
    try:
        response = await client.post(
            path,
            cast_to=_sdk_http().Response,
            body=body,
            stream=stream,
            options={"follow_redirects": False},
        )
    except Exception as error:  # noqa: BLE001 - what is not the SDK's goes on as it is
        raise _translated(error, connection.context) from error.__cause__
    return AsyncReply(client, response, connection.context)


# --- Answers ----------------------------------------------------------------------


class _BaseReply:
    """An answer's headers, and the client that must live as long as its body."""

    def __init__(self, client: object, response: Any, context: ErrorContext) -> None:
        self._client = client
        self._response = response
        self._context = context

    @property
    def request_id(self) -> str | None:
        """The id to quote to Alibaba Cloud's support."""
        return _header(self._response, "x-request-id")

    @property
    def is_json(self) -> bool:
        """Whether the body is one JSON object, not a stream."""
        return "json" in (_header(self._response, "content-type") or "")

    def _broken(self, error: Exception) -> APIError:
        if _is_timeout(error):
            return self._context.error(
                APITimeoutError,
                "The stream fell silent for longer than the timeout allows.",
                request_id=self.request_id,
            )
        return self._context.error(
            IncompleteStreamError,
            f"The connection broke before the answer was whole: {_words(error)}",
            request_id=self.request_id,
        )


class Reply(_BaseReply):
    """An answer over a synchronous client."""

    def read(self) -> bytes:
        """Return the whole body.

        Raises:
            APIError: The connection broke or fell silent.
        """
        try:
            return cast("bytes", self._response.read())
        except Exception as error:
            raise self._broken(error) from error

    def chunks(self) -> Iterator[bytes]:
        """Yield the body's bytes as they come.

        Raises:
            APIError: The connection broke or fell silent.
        """
        try:
            yield from self._response.iter_bytes()
        except Exception as error:
            raise self._broken(error) from error

    def drain(self, chunks: Iterator[bytes]) -> None:
        """Read to the end, so that the connection can be used again; not for long."""
        timer = threading.Timer(_DRAIN_SECONDS, _shut_down, [self._response])
        timer.daemon = True
        timer.start()
        with suppress(APIError):
            for _ in chunks:
                pass
        timer.cancel()

    def close(self) -> None:
        """Give the connection back, or end it if its body is not read to the end."""
        self._response.close()


class AsyncReply(_BaseReply):
    """An answer over an asynchronous client."""

    async def read(self) -> bytes:
        """Return the whole body.

        Raises:
            APIError: The connection broke or fell silent.
        """
        try:
            return cast("bytes", await self._response.aread())
        except Exception as error:
            raise self._broken(error) from error

    async def chunks(self) -> "AsyncGenerator[bytes]":
        """Yield the body's bytes as they come.

        Raises:
            APIError: The connection broke or fell silent.
        """
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except Exception as error:
            raise self._broken(error) from error

    async def drain(self, chunks: AsyncIterator[bytes]) -> None:
        """Read to the end, so that the connection can be used again; not for long."""
        with suppress(APIError, TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for _ in chunks:
                    pass

    async def aclose(self) -> None:
        """Give the connection back, or end it if its body is not read to the end."""
        await self._response.aclose()


def _shut_down(response: Any) -> None:
    """End a connection whose server does not, from another thread than its reader."""
    stream = response.extensions.get("network_stream")
    sock = stream.get_extra_info("socket") if stream is not None else None
    if sock is not None:
        with suppress(OSError):
            sock.shutdown(2)


# --- Errors of the libraries below ------------------------------------------------


def _translated(error: Exception, context: ErrorContext) -> Exception:
    """Return our error for one of the SDK's; what is neither stays as it is."""
    import openai  # noqa: PLC0415 - not before the first call

    match error:
        case openai.APIStatusError():
            response = error.response
            return context.from_payload(
                response.status_code,
                _body(response),
                request_id=_header(response, "x-request-id"),
                retry_after=_retry_after(response),
            )
        case openai.APITimeoutError():
            return context.error(
                APITimeoutError, f"{context.host} did not answer within the timeout."
            )
        case openai.APIConnectionError():
            cause = error.__cause__ or error
            return context.error(
                APIConnectionError,
                f"{context.host} could not be reached: {_words(cause)}",
            )
        case _:
            return error


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _is_timeout(error: BaseException) -> bool:
    loaded = [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]
    return isinstance(error, (TimeoutError, *(m.TimeoutException for m in loaded)))


def _header(response: Any, name: str) -> str | None:
    value = response.headers.get(name)
    return str(value) if value else None


def _body(response: Any) -> object:
    try:
        return response.json()
    except ValueError:
        return response.text


def _retry_after(response: Any) -> float | None:
    """Return the seconds that the service asks to wait for."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        with suppress(ValueError):
            seconds = float(_header(response, name) or "") / unit
            if seconds >= 0:
                return seconds
    return None


# --- Clients ----------------------------------------------------------------------


@cache
def _sdk_http() -> ModuleType:
    """Return the HTTP library under the SDK: httpx2 under openai 3, httpx under 2."""
    from openai import VERSION  # noqa: PLC0415 - not before the first call

    if int(VERSION.split(".")[0]) >= 3:  # noqa: PLR2004 - a version
        import httpx2  # noqa: PLC0415 - under openai 3 only

        return httpx2
    import httpx  # noqa: PLC0415 - under openai 2 only

    return httpx


@cache
def _ssl_context() -> ssl.SSLContext:
    """Make the context once: each one reads the whole certificate store."""
    return cast("ssl.SSLContext", _sdk_http().create_ssl_context())


def _no_cookies() -> CookieJar:
    """Return a jar that keeps nothing: a cookie would tie keys to one another."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


@cache
def _client_classes() -> "tuple[type[openai.OpenAI], type[openai.AsyncOpenAI]]":
    import openai  # noqa: PLC0415 - not before the first call

    agent = f"modelstudio-integrations/{__version__} openai/{openai.VERSION}"

    class _Headers:
        """Send our headers only: the SDK adds OPENAI_* variables to any host."""

        ours: Mapping[str, str] = {}

        @property
        def default_headers(self) -> dict[str, Any]:
            return {
                "Accept": "application/json, text/event-stream",
                "Content-Type": "application/json",
                "User-Agent": agent,
                **self.ours,
            }

    class Client(_Headers, openai.OpenAI):
        pass

    class AsyncClient(_Headers, openai.AsyncOpenAI):
        pass

    return Client, AsyncClient


def _pool_options(connection: Connection) -> dict[str, Any]:
    http = _sdk_http()
    return {
        "timeout": _timeout(connection),
        "limits": http.Limits(
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=_KEPT_CONNECTIONS,
        ),
        "verify": _ssl_context(),
        "follow_redirects": False,
        "cookies": _no_cookies(),
    }


def _timeout(connection: Connection) -> Any:
    return _sdk_http().Timeout(
        connection.read_timeout, connect=connection.connect_timeout
    )


def _sdk_options(connection: Connection) -> dict[str, Any]:
    return {
        "api_key": connection.api_key,
        "base_url": connection.base_url,
        "timeout": _timeout(connection),
        "max_retries": 0,
    }


def _own_headers(connection: Connection) -> dict[str, str]:
    return {**connection.endpoint.headers, **dict(connection.default_headers)}


class _Clients:
    """The clients that are kept warm, the longest unused given up first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Connection, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, connection: Connection, make: Any) -> Any:
        with self._lock:
            client = self._kept.get(connection)
            if client is None:
                client = self._kept[connection] = make(connection)
                if len(self._kept) > _KEPT_CLIENTS:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(connection)
            return client


_sync_clients = _Clients()
_loop_clients: dict[asyncio.AbstractEventLoop, _Clients] = {}
_loop_lock = threading.Lock()


def _forget_after_fork() -> None:
    """Leave the parent's connections to the parent."""
    global _sync_clients, _loop_lock
    _sync_clients, _loop_lock = _Clients(), threading.Lock()
    _loop_clients.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def _client(connection: Connection) -> "openai.OpenAI":
    return cast("openai.OpenAI", _sync_clients.get(connection, _make_client))


def _make_client(connection: Connection) -> "openai.OpenAI":
    pool = connection.http_client
    own = pool is None
    if own:
        pool = _sdk_http().Client(**_pool_options(connection))
    client = _client_classes()[0](http_client=pool, **_sdk_options(connection))
    cast("Any", client).ours = _own_headers(connection)
    if own:
        weakref.finalize(client, pool.close)
    return client


def _async_client(connection: Connection) -> "openai.AsyncOpenAI":
    loop = asyncio.get_running_loop()
    clients = _loop_clients.get(loop)
    if clients is None:
        with _loop_lock:
            for known in [known for known in _loop_clients if known.is_closed()]:
                del _loop_clients[known]
            clients = _loop_clients.setdefault(loop, _Clients())
    return cast("openai.AsyncOpenAI", clients.get(connection, _make_async_client))


def _make_async_client(connection: Connection) -> "openai.AsyncOpenAI":
    pool = connection.http_async_client
    own = pool is None
    if own:
        pool = _sdk_http().AsyncClient(**_pool_options(connection))
    client = _client_classes()[1](http_client=pool, **_sdk_options(connection))
    cast("Any", client).ours = _own_headers(connection)
    if own:
        _close_with_loop(client, pool)
    return client


def _close_with_loop(client: object, pool: Any) -> None:
    """Close a pool when its event loop ends, or when its client is given up.

    A loop closes its asynchronous generators before it closes itself, so a generator
    that waits forever is told in time.
    """
    loop = asyncio.get_running_loop()

    async def wait() -> "AsyncGenerator[None]":
        try:
            yield
        finally:
            _loop_clients.pop(loop, None)
            await pool.aclose()

    waiting = wait()
    # The first step is driven by hand: it registers the generator with the loop and
    # reaches its yield without ever suspending.
    with suppress(StopIteration):
        waiting.__anext__().send(None)

    def give_up() -> None:
        if loop.is_running():
            loop.call_soon_threadsafe(lambda: loop.create_task(waiting.aclose()))

    weakref.finalize(client, give_up)
