"""HTTP responses whose headers are there, and whose body is read as it comes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from modelstudio_core.errors import APIError
from modelstudio_core.foreign.h11_chunks import merge_buffered_chunks
from modelstudio_core.foreign.httpcore_reads import limited_reads
from modelstudio_core.transport.clients import ClientHandle
from modelstudio_core.transport.failures import broken_body_error
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["AsyncHttpResponse", "HttpResponse"]

# How long to wait, after a whole answer, for the end of its response.
_DRAIN_SECONDS: Final = 0.1


class _BaseResponse:
    """The headers of a response, and the client that must live as long as its body."""

    def __init__(
        self, handle: ClientHandle, response: Any, context: ErrorContext
    ) -> None:
        self._handle = handle
        self._response = response
        self._context = context

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, their names in lower case."""
        return dict(self._response.headers.items())

    @property
    def request_id(self) -> str | None:
        """The id to quote to Alibaba Cloud's support."""
        return self._context.redact(self._response.headers.get("x-request-id")) or None

    @property
    def is_json(self) -> bool:
        """Whether the body is one JSON value."""
        return "json" in self._media_type

    @property
    def is_stream(self) -> bool:
        """Whether the body is a stream of server-sent events."""
        return "event-stream" in self._media_type

    @property
    def _media_type(self) -> str:
        return str(self._response.headers.get("content-type") or "").casefold()

    def _raw_chunks(self) -> Any:
        """Return the body without httpx's decoding, None where it must be decoded."""
        # A hook of the user's own client may have read the body already.
        is_read = getattr(self._response, "is_stream_consumed", False)
        if is_read or "content-encoding" in self._response.headers:
            return None
        merge_buffered_chunks(self._response)
        return self._response.stream

    def _error(self, error: Exception) -> APIError:
        return broken_body_error(error, self._context, self.request_id)


class HttpResponse(_BaseResponse):
    """A response over a synchronous client."""

    def read(self) -> bytes:
        """Return the whole body.

        Raises:
            APIError: The connection broke, or no data was received for too long.
        """
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the body as they come.

        Raises:
            APIError: The connection broke, or no data was received for too long.
        """
        try:
            yield from self._raw_chunks() or self._response.iter_bytes()
        except Exception as error:  # noqa: BLE001 - whatever it is, the body is cut off
            failure = [self._error(error)]
        else:
            return
        raise failure.pop()

    def drain(self, chunks: Iterator[bytes]) -> None:
        """Read to the end for a moment, so that the connection can be used again.

        Args:
            chunks: What ``chunks`` returned.
        """
        with limited_reads(self._response, _DRAIN_SECONDS) as is_limited:
            if is_limited:
                with suppress(APIError):
                    for _ in chunks:
                        pass

    def close(self) -> None:
        """Give the connection back, or close it if the body is not read to the end."""
        self._response.close()


class AsyncHttpResponse(_BaseResponse):
    """A response over an asynchronous client."""

    async def read(self) -> bytes:
        """Return the whole body.

        Raises:
            APIError: The connection broke, or no data was received for too long.
        """
        return b"".join([chunk async for chunk in self.chunks()])

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the bytes of the body as they come.

        Raises:
            APIError: The connection broke, or no data was received for too long.
        """
        try:
            async for chunk in self._raw_chunks() or self._response.aiter_bytes():
                yield chunk
        except Exception as error:  # noqa: BLE001 - whatever it is, the body is cut off
            failure = [self._error(error)]
        else:
            return
        raise failure.pop()

    async def drain(self, chunks: AsyncIterator[bytes]) -> None:
        """Read to the end for a moment, so that the connection can be used again.

        Args:
            chunks: What ``chunks`` returned.
        """
        with suppress(APIError, TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for _ in chunks:
                    pass

    async def aclose(self) -> None:
        """Give the connection back, or close it if the body is not read to the end."""
        await self._response.aclose()
