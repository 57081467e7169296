"""The only I/O: two small functions for both protocols, over the vendors' own SDKs.

The SDKs bring authentication, identification and timeouts; their retries, redirects,
environment variables and parsing are not used. ``_pools.py`` makes and keeps them.
"""

import asyncio
import math
import ssl
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import Any, Final, NamedTuple, cast

from modelstudio_core._bursts import read_in_bursts
from modelstudio_core._pools import (
    Lease,
    async_client,
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
# A request of more characters goes over httpx: aiohttp has no time limit for sending.
_LARGE: Final = 2**18


class Message(NamedTuple):
    """A request as it is sent: below the base URL, and besides the key."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


# --- Two functions ----------------------------------------------------------------

# What fails is raised after its ``except``, not within: else the error of the library
# below, which may repeat a key, would be its context. And it is popped from a list: a
# frame that holds the error that holds the frame would stay until it is collected.


def open(  # noqa: A001 - clients.open
    connection: Connection, message: Message, context: ErrorContext
) -> "Reply":
    """Send a request and return its answer as soon as its headers are there.

    Args:
        connection: Where to.
        message: What.
        context: What errors need to know of it.

    Raises:
        APIError: There was no answer, or it was a refusal.
    """
    lease = sync_client(connection)
    try:
        if connection.protocol == "openai":
            response = lease.client.post(**_openai_call(connection, message))
        else:
            call = _dashscope_call(connection, message)
            response = lease.client.transport.open_stream(**call)
    except Exception as error:  # noqa: BLE001 - what is not the SDK's goes on as it is
        failed = [_translated(error, context)]
    else:
        if response.is_success:
            return Reply(lease, response, context)
        response.close()
        failed = [_from_status(response, "", context)]
    raise failed.pop()


async def aopen(
    connection: Connection, message: Message, context: ErrorContext
) -> "AsyncReply":
    """Do as ``open``."""
    lease = await async_client(connection, large=_is_large(message.body))
    try:
        if connection.protocol == "openai":
            response = await lease.client.post(**_openai_call(connection, message))
        else:
            call = _dashscope_call(connection, message)
            response = await lease.client.transport.open_stream(**call)
    except Exception as error:  # noqa: BLE001 - what is not the SDK's goes on as it is
        failed = [_translated(error, context)]
    else:
        if response.is_success:
            return AsyncReply(lease, response, context)
        await response.aclose()
        failed = [_from_status(response, "", context)]
    raise failed.pop()


def _is_large(value: Any, room: int = _LARGE) -> bool:
    """Tell whether a body has more text than ``_LARGE``, without writing it."""
    return _left(value, room) < 0


def _left(value: Any, room: int) -> int:
    if isinstance(value, str):
        return room - len(value)
    parts = cast("Any", value).values() if isinstance(value, Mapping) else value
    if isinstance(parts, int | float | None):
        return room
    for part in parts:
        room = _left(part, room)
        if room < 0:
            break
    return room


def _openai_call(connection: Connection, message: Message) -> dict[str, Any]:
    """Ask for the response unread: a whole body is read like a stream, by us.

    A whole address costs the SDK less than one that it must put together.
    """
    return {
        "path": connection.base_url + message.path,
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
    """An answer's headers, and the lease that must last as long as its body."""

    def __init__(self, lease: Lease, response: Any, context: ErrorContext) -> None:
        self._lease = lease
        self._response = response
        self._context = context

    @property
    def request_id(self) -> str | None:
        """The id to quote to Alibaba Cloud's support."""
        return self._context.redact(_header(self._response, "x-request-id"))

    @property
    def is_json(self) -> bool:
        """Whether the body is one JSON object, not a stream."""
        return "json" in self._media_type

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream of events."""
        return "event-stream" in self._media_type

    @property
    def _media_type(self) -> str:
        return (_header(self._response, "content-type") or "").casefold()

    def _pieces(self, decoded: str) -> Any:
        """Return the body's pieces; as they are where nothing is to be decoded."""
        # A hook of the user's own client may have read the body: then httpx has it.
        is_read = getattr(self._response, "is_stream_consumed", False)
        if is_read or "content-encoding" in self._response.headers:
            return getattr(self._response, decoded)()
        read_in_bursts(self._response)
        return self._response.stream

    def _broken(self, error: Exception) -> APIError:
        cls: type[APIError] = IncompleteStreamError
        said = f"The connection broke before the answer was whole: {_words(error)}"
        if _is_timeout(error):
            cls = APITimeoutError
            said = "The answer fell silent for longer than the timeout allows."
        broken = self._context.error(cls, said, request_id=self.request_id)
        return _because(broken, error, self._context)


class Reply(_BaseReply):
    """An answer over a synchronous client."""

    def read(self) -> bytes:
        """Return the whole body.

        Raises:
            APIError: The connection broke or fell silent.
        """
        try:
            return b"".join(self._pieces("iter_bytes"))
        except Exception as error:  # noqa: BLE001 - any means that the answer is cut
            failed = [self._broken(error)]
        raise failed.pop()

    def chunks(self) -> Iterator[bytes]:
        """Yield the body's bytes as they come.

        Raises:
            APIError: The connection broke or fell silent.
        """
        try:
            yield from self._pieces("iter_bytes")
        except Exception as error:  # noqa: BLE001 - any means that the answer is cut
            failed = [self._broken(error)]
        else:
            return
        raise failed.pop()

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
            return b"".join([it async for it in self._pieces("aiter_bytes")])
        except Exception as error:  # noqa: BLE001 - any means that the answer is cut
            failed = [self._broken(error)]
        raise failed.pop()

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the body's bytes as they come.

        Raises:
            APIError: The connection broke or fell silent.
        """
        try:
            async for chunk in self._pieces("aiter_bytes"):
                yield chunk
        except Exception as error:  # noqa: BLE001 - any means that the answer is cut
            failed = [self._broken(error)]
        else:
            return
        if came := self._held_back():
            yield came
        raise failed.pop()

    def _held_back(self) -> bytes:
        """Return what came before the end: aiohttp tells of an error first."""
        if "content-encoding" in self._response.headers:
            return b""
        stream = getattr(self._response.stream, "_stream", self._response.stream)
        answer = getattr(stream, "_aiohttp_response", None)
        read = getattr(getattr(answer, "content", None), "_read_nowait", None)
        return cast("bytes", read(-1)) if read else b""

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
    if (response := _refused(error)) is not None:
        return _from_status(response, "", context)
    known = [sdk.APIConnectionError for sdk in (openai, dashscope) if sdk]
    if _is_timeout(error) or _is_transport(error) or isinstance(error, tuple(known)):
        return _unreached(error, context)
    return error


def _refused(error: Exception) -> Any:
    """Return the response of a refusal whose body broke off, where it can be found."""
    answers = (getattr(it, "response", None) for it in _chain(error))
    return next((it for it in answers if getattr(it, "status_code", 0) >= 400), None)  # noqa: PLR2004 - a status


def _unreached(error: Exception, context: ErrorContext) -> APIError:
    """Make the error of a request that was not answered."""
    cause = error.__cause__ or error
    if _is_timeout(error) or _is_timeout(cause):
        failure: APIError = context.error(
            APITimeoutError, f"{context.host} did not answer within the timeout."
        )
    elif untrusted := _untrusted(cause):
        failure = context.error(
            APIConnectionError,
            f"The certificate of {context.host} is not trusted: {_words(untrusted)}."
            " For an authority of your own set SSL_CERT_FILE, or pass an http_client.",
            is_retryable=False,
        )
    else:
        failure = context.error(
            APIConnectionError, f"{context.host} could not be reached: {_words(cause)}"
        )
    return _because(failure, cause, context)


def _untrusted(error: BaseException) -> BaseException | None:
    """Return the refusal of a certificate, where it is at the bottom of an error."""
    return next(
        (it for it in _chain(error) if isinstance(it, ssl.SSLCertVerificationError)),
        None,
    )


def _because(
    failure: APIError, cause: BaseException, context: ErrorContext
) -> APIError:
    """Give an error its cause, unless that repeats a key."""
    told = "".join(str(it) for it in _chain(cause))
    failure.__cause__ = cause if context.redact(told) == told else None
    return failure


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _from_status(refused: Any, body: object, context: ErrorContext) -> APIError:
    """Make the error of a refusal: a response, or an SDK's error with its headers."""
    return context.from_payload(
        refused.status_code,
        body,
        request_id=refused.headers.get("x-request-id") or None,
        retry_after=_retry_after(refused.headers),
    )


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _http_libraries() -> list[ModuleType]:
    return [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]


def _is_timeout(error: BaseException) -> bool:
    aiohttp: Any = sys.modules.get("aiohttp")
    if aiohttp and isinstance(error.__cause__, aiohttp.ClientError):
        # Its adapter for httpx calls every broken connection a timeout.
        return isinstance(error.__cause__, TimeoutError)
    kinds = [library.TimeoutException for library in _http_libraries()]
    return isinstance(error, (TimeoutError, *kinds))


def _is_transport(error: BaseException) -> bool:
    kinds = [library.RequestError for library in _http_libraries()]
    if aiohttp := sys.modules.get("aiohttp"):
        # Its adapter for httpx lets some of its errors through.
        kinds.append(aiohttp.ClientError)
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
    until, now = _date(headers.get("retry-after")), _date(headers.get("date"))
    if until is None:
        return None
    # By the service's own clock, where it tells the time.
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError):
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)
