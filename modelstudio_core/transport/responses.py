"""HTTP responses whose headers are received and whose body is read as it comes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Final, Protocol, Self, cast

from modelstudio_core.errors import APIError
from modelstudio_core.foreign.h11_chunks import merge_buffered_chunks
from modelstudio_core.foreign.httpcore_reads import limited_reads
from modelstudio_core.transport.audit import AuditRecord, tokens_of
from modelstudio_core.transport.clients import ClientHandle
from modelstudio_core.transport.failures import broken_body_error
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["AsyncHttpResponse", "HttpResponse"]

# How long to wait for the end of a response after a complete answer.
_DRAIN_SECONDS: Final = 0.1


class _Body(Protocol):
    """The body of a response of the HTTP library, without decoding."""

    def __iter__(self) -> Iterator[bytes]: ...
    def __aiter__(self) -> AsyncIterator[bytes]: ...


class LibraryResponse(Protocol):
    """A response of the HTTP library: the methods that are used here."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by their names in any case."""
        ...

    @property
    def stream(self) -> _Body:
        """The body without decoding."""
        ...

    @property
    def extensions(self) -> Mapping[str, object]:
        """Optional values, such as the network stream."""
        ...

    @property
    def http_version(self) -> str:
        """The version, such as ``"HTTP/1.1"``."""
        ...

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the body, decoded."""
        ...

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """Async version of ``iter_bytes``."""
        ...

    def close(self) -> None:
        """Close the response."""
        ...

    async def aclose(self) -> None:
        """Async version of ``close``."""
        ...


class _BaseResponse:
    """The headers of a response, and a reference that keeps its client open."""

    def __init__(
        self,
        handle: ClientHandle,
        response: LibraryResponse,
        context: ErrorContext,
        record: AuditRecord | None = None,
    ) -> None:
        self._handle = handle
        self._response = response
        self._record = record
        self.context = context

    def report(self, usage: object, request_id: str | None = None) -> None:
        """Add facts of the body to the audit record.

        Args:
            usage: The ``usage`` object of the body.
            request_id: The id in the body.
        """
        if self._record is not None:
            if isinstance(usage, Mapping):
                self._record.tokens = tokens_of(cast("Mapping[str, object]", usage))
            self._record.request_id = self._record.request_id or request_id

    def _write_record(self, error: BaseException | None) -> None:
        if (record := self._record) is not None:
            self._record = None
            record.status = self.status
            record.request_id = self.request_id or record.request_id
            record.write(error)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers. The names are in lower case."""
        return dict(self._response.headers.items())

    @property
    def request_id(self) -> str | None:
        """The id to give to the support of Alibaba Cloud."""
        return self.context.redact(self._response.headers.get("x-request-id")) or None

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

    def _raw_chunks(self) -> _Body | None:
        """Return the body without httpx's decoding; None if it must be decoded."""
        # An event hook of the user's client may have read the body already.
        is_read = getattr(self._response, "is_stream_consumed", False)
        if is_read or "content-encoding" in self._response.headers:
            return None
        merge_buffered_chunks(self._response)
        return self._response.stream

    def _error(self, error: Exception) -> APIError:
        return broken_body_error(error, self.context, self.request_id)


class HttpResponse(_BaseResponse):
    """A response of a sync client. As a context manager it is closed at the end."""

    def __enter__(self) -> Self:
        """Return the response."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the response and write its audit record."""
        try:
            self.close()
        finally:
            self._write_record(error)

    def read(self) -> bytes:
        """Return the complete body.

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
        """Try for 0.1 s to read to the end, so that the connection can be reused.

        Args:
            chunks: The iterator that ``chunks`` returned.
        """
        with limited_reads(self._response, _DRAIN_SECONDS) as is_limited:
            if is_limited:
                with suppress(APIError):
                    for _ in chunks:
                        pass

    def close(self) -> None:
        """Return the connection to its pool; close it if the body was not read."""
        self._response.close()


class AsyncHttpResponse(_BaseResponse):
    """Async version of ``HttpResponse``."""

    async def __aenter__(self) -> Self:
        """Return the response."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the response and write its audit record."""
        try:
            await self.aclose()
        finally:
            self._write_record(error)

    async def read(self) -> bytes:
        """Return the complete body.

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
        """Try for 0.1 s to read to the end, so that the connection can be reused.

        Args:
            chunks: The iterator that ``chunks`` returned.
        """
        with suppress(APIError, TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                async for _ in chunks:
                    pass

    async def aclose(self) -> None:
        """Return the connection to its pool; close it if the body was not read."""
        await self._response.aclose()
