"""The only I/O: two small functions for both protocols, over the vendors' own SDKs.

The SDKs bring authentication, identification and timeouts; their retries, redirects,
environment variables and parsing are not used. ``_pools.py`` makes and keeps them.
"""

import asyncio
import math
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import suppress
from types import ModuleType
from typing import Any, Final, NamedTuple, cast

from modelstudio_core._pools import (
    async_client,
    get_ready,
    is_ready,
    own_headers,
    response_class,
    sync_client,
)
from modelstudio_core.connection import Connection
from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    ErrorContext,
    IncompleteStreamError,
)

__all__ = ["AsyncReply", "Message", "Reply", "aopen", "open"]

# After the answer is whole: how long to wait for the response's own end.
_DRAIN_SECONDS: Final = 0.1


class Message(NamedTuple):
    """A request as it is sent: below the base URL, and besides the key."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


# --- Two functions ----------------------------------------------------------------


def open(connection: Connection, message: Message) -> "Reply":  # noqa: A001 - clients.open
    """Send a request and return its answer as soon as its headers are there.

    Raises:
        APIError: There was no answer, or it was a refusal.
    """
    client = sync_client(connection)
    context = connection.context
    try:
        if connection.protocol == "openai":
            response = client.post(**_openai_call(message))
        else:
            call = _dashscope_call(connection, message)
            response = client.transport.open_stream(**call)
    except Exception as error:  # noqa: BLE001 - what is not the SDK's goes on as it is
        raise _translated(error, context) from _shown(error.__cause__, context)
    _refuse_redirect(response, context)
    return Reply(client, response, context)


async def aopen(connection: Connection, message: Message) -> "AsyncReply":
    """Do as ``open``."""
    if not is_ready(connection):
        await asyncio.to_thread(get_ready, connection)
    client = async_client(connection)
    context = connection.context
    try:
        if connection.protocol == "openai":
            response = await client.post(**_openai_call(message))
        else:
            call = _dashscope_call(connection, message)
            response = await client.transport.open_stream(**call)
    except Exception as error:  # noqa: BLE001 - what is not the SDK's goes on as it is
        raise _translated(error, context) from _shown(error.__cause__, context)
    _refuse_redirect(response, context)
    return AsyncReply(client, response, context)


def _openai_call(message: Message) -> dict[str, Any]:
    """Ask for the response unread: a whole body is read like a stream, by us."""
    return {
        "path": message.path,
        "cast_to": response_class(),
        "body": message.body,
        "stream": True,
        "options": {"headers": message.headers, "follow_redirects": False},
    }


def _dashscope_call(connection: Connection, message: Message) -> dict[str, Any]:
    """Say everything with each request: an injected pool knows no base URL."""
    return {
        "method": "POST",
        "path": message.path,
        "json": message.body,
        "headers": {**own_headers(connection), **message.headers},
        "base_url": connection.base_url,
    }


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

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream of events."""
        return "event-stream" in (_header(self._response, "content-type") or "")

    def _broken(self, error: Exception) -> APIError:
        if _is_timeout(error):
            return self._context.error(
                APITimeoutError,
                "The answer fell silent for longer than the timeout allows.",
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
        except Exception as error:  # noqa: BLE001 - any means that the answer is cut
            raise self._broken(error) from _shown(error, self._context)

    def chunks(self) -> Iterator[bytes]:
        """Yield the body's bytes as they come.

        Raises:
            APIError: The connection broke or fell silent.
        """
        try:
            yield from self._response.iter_bytes()
        except Exception as error:  # noqa: BLE001 - any means that the answer is cut
            raise self._broken(error) from _shown(error, self._context)

    def drain(self, chunks: Iterator[bytes]) -> None:
        """Read to the end, so that the connection can be used again; not for long."""
        sock = _socket(self._response)
        if sock is None or self._response.http_version.startswith("HTTP/2"):
            return
        timer = threading.Timer(_DRAIN_SECONDS, _shut_down, [sock])
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:
            # No thread is to be had, as while the interpreter ends.
            return
        try:
            with suppress(APIError):
                for _ in chunks:
                    pass
        finally:
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
        except Exception as error:  # noqa: BLE001 - any means that the answer is cut
            raise self._broken(error) from _shown(error, self._context)

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the body's bytes as they come.

        Raises:
            APIError: The connection broke or fell silent.
        """
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except Exception as error:  # noqa: BLE001 - any means that the answer is cut
            raise self._broken(error) from _shown(error, self._context)

    async def drain(self, chunks: AsyncIterator[bytes]) -> None:
        """Read to the end, so that the connection can be used again; not for long."""
        with suppress(APIError, TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for _ in chunks:
                    pass

    async def aclose(self) -> None:
        """Give the connection back, or end it if its body is not read to the end."""
        await self._response.aclose()


def _socket(response: Any) -> Any:
    stream = response.extensions.get("network_stream")
    return stream.get_extra_info("socket") if stream is not None else None


def _shut_down(sock: Any) -> None:
    """End a connection whose server does not, from another thread than its reader."""
    with suppress(OSError):
        sock.shutdown(2)


# --- Errors of the libraries below ------------------------------------------------


def _translated(error: Exception, context: ErrorContext) -> Exception:
    """Return our error for one of an SDK or of its HTTP library.

    The libraries are looked up, not imported: what is not loaded did not raise.
    """
    openai: Any = sys.modules.get("openai")
    dashscope: Any = sys.modules.get("dashscope.v2.errors")
    refused: Any = error
    if openai and isinstance(error, openai.APIStatusError):
        return _from_status(refused.response, _body(refused.response), context)
    if dashscope and isinstance(error, dashscope.APIStatusError):
        return _from_status(refused, refused.body or refused.message, context)
    known = [sdk.APIConnectionError for sdk in (openai, dashscope) if sdk]
    cause = error.__cause__ or error
    if _is_timeout(error) or _is_timeout(cause):
        return context.error(
            APITimeoutError, f"{context.host} did not answer within the timeout."
        )
    if _is_transport(error) or isinstance(error, tuple(known)):
        return context.error(
            APIConnectionError,
            f"{context.host} could not be reached: {_words(cause)}",
        )
    return error


def _from_status(refused: Any, body: object, context: ErrorContext) -> APIError:
    """Make the error of a refusal: a response, or an SDK's error with its headers."""
    return context.from_payload(
        refused.status_code,
        body,
        request_id=refused.headers.get("x-request-id") or None,
        retry_after=_retry_after(refused.headers),
    )


def _refuse_redirect(response: Any, context: ErrorContext) -> None:
    """Raise for what an SDK takes for an answer: only the 2xx are."""
    if not response.is_success:
        raise _from_status(response, "", context)


def _shown(cause: BaseException | None, context: ErrorContext) -> BaseException | None:
    """Return a cause that may be shown: not one that repeats a key."""
    told = str(cause)
    return cause if context.redact(told) == told else None


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _http_libraries() -> list[ModuleType]:
    return [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]


def _is_timeout(error: BaseException) -> bool:
    kinds = [library.TimeoutException for library in _http_libraries()]
    return isinstance(error, (TimeoutError, *kinds))


def _is_transport(error: BaseException) -> bool:
    kinds = [library.RequestError for library in _http_libraries()]
    return isinstance(error, (OSError, *kinds))


def _header(response: Any, name: str) -> str | None:
    value = response.headers.get(name)
    return str(value) if value else None


def _body(response: Any) -> object:
    try:
        return response.json()
    except (ValueError, TypeError, RecursionError):
        return response.content.decode(errors="replace")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the service asks to wait for."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        with suppress(ValueError):
            seconds = float(headers.get(name) or "") / unit
            if 0 <= seconds < math.inf:
                return seconds
    return None
