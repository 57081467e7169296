"""Responses, whose body is read as it comes."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import suppress
from typing import Any, Final, cast

from modelstudio_core.errors import APIError, APITimeoutError, IncompleteStreamError
from modelstudio_core.foreign.h11_chunks import merge_buffered_chunks
from modelstudio_core.transport.clients import ClientHandle
from modelstudio_core.transport.failures import because, header, is_timeout, words
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["AsyncHttpResponse", "HttpResponse"]

# After the answer is whole: how long to wait for the response's own end.
_DRAIN_SECONDS: Final = 0.1


class _BaseResponse:
    """An answer's headers, and the lease that must last as long as its body."""

    def __init__(
        self, lease: ClientHandle, response: Any, context: ErrorContext
    ) -> None:
        self._lease = lease
        self._response = response
        self._context = context

    @property
    def request_id(self) -> str | None:
        """The id to quote to Alibaba Cloud's support."""
        return self._context.redact(header(self._response, "x-request-id"))

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
        return (header(self._response, "content-type") or "").casefold()

    def _pieces(self, decoded: str) -> Any:
        """Return the body's pieces; as they are where nothing is to be decoded."""
        # A hook of the user's own client may have read the body: then httpx has it.
        is_read = getattr(self._response, "is_stream_consumed", False)
        if is_read or "content-encoding" in self._response.headers:
            return getattr(self._response, decoded)()
        merge_buffered_chunks(self._response)
        return self._response.stream

    def _broken(self, error: Exception) -> APIError:
        cls: type[APIError] = IncompleteStreamError
        said = f"The connection broke before the answer was whole: {words(error)}"
        if is_timeout(error):
            cls = APITimeoutError
            said = "The answer fell silent for longer than the timeout allows."
        broken = self._context.error(cls, said, request_id=self.request_id)
        return because(broken, error, self._context)


class HttpResponse(_BaseResponse):
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


class AsyncHttpResponse(_BaseResponse):
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
