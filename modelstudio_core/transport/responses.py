"""HTTP responses whose headers are received and whose body is read as it comes."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Iterator,
    Mapping,
)
from contextlib import suppress
from types import TracebackType
from typing import Final, NoReturn, Self, cast

from modelstudio_core.errors import APIError, InvalidResponseError
from modelstudio_core.foreign.h11_chunks import merge_buffered_chunks
from modelstudio_core.foreign.httpcore_reads import ReadLimit
from modelstudio_core.transport.audit import AuditRecord, tokens_of
from modelstudio_core.transport.charges import Charge
from modelstudio_core.transport.clients import ClientHandle
from modelstudio_core.transport.connection import ERROR_BODY_SECONDS, Connection
from modelstudio_core.transport.deadlines import Deadline
from modelstudio_core.transport.decoding import (
    ACCEPTED,
    BodyTooLargeError,
    Decode,
    UnknownEncodingError,
    decoder_for,
)
from modelstudio_core.transport.failures import broken_body_error, retry_after
from modelstudio_core.transport.fairness import cost_of, wait_for_turn
from modelstudio_core.transport.library_responses import (
    LibraryBody,
    LibraryResponse,
    read_headers,
)
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.timed_bodies import until
from modelstudio_core.transport.tracebacks import forget_bodies
from modelstudio_core.wire.refusals import (
    ErrorContext,
    too_large_error,
    too_large_refusal,
)

__all__ = ["AsyncHttpResponse", "HttpResponse"]

# A longer id is none: the headers of a response may have 100 KB.
_MAX_ID: Final = 256
_MAX_DIGITS: Final = 20
# How long to wait for the end of a response after a complete answer.
_DRAIN_SECONDS: Final = 0.1


class _BaseResponse:
    """The headers of a response, and a reference that keeps its client open.

    Attributes:
        context: The facts of the request that errors report.
        api_key: The key that the user's function returned for the request; None if no
            function was asked.
    """

    def __init__(
        self,
        handle: ClientHandle,
        response: LibraryResponse,
        context: ErrorContext,
        connection: Connection,
        request: HttpRequest,
        *,
        record: AuditRecord | None = None,
        charge: Charge | None = None,
    ) -> None:
        """Create a response.

        Args:
            handle: The client that received it.
            response: The response of the HTTP library.
            context: The facts of the request that errors report.
            connection: The limits of its size.
            request: What was sent, with its key and the deadline of the body.
            record: The audit record, written when the response is left; None for none.
            charge: What a rate limit counted for the request; None without a limit.
        """
        self._handle = handle
        self._response = response
        self._headers = read_headers(response)
        self._record = record
        self._charge = charge
        self._limits = connection
        # The argument that limits the size of the body, and its value.
        self._limit = ("max_response_bytes", connection.max_response_bytes)
        self._deadline = request.deadline
        self._reads = ReadLimit(response)
        self.api_key = request.api_key
        self.context = context

    def report(self, usage: object, request_id: str | None = None) -> None:
        """Add facts of the body to the audit record, and settle a rate limit.

        Args:
            usage: The ``usage`` object of the body.
            request_id: The id in the body.
        """
        record, charge = self._record, self._charge
        if record is None and charge is None:
            return
        tokens = None
        if isinstance(usage, Mapping):
            tokens = tokens_of(cast("Mapping[str, object]", usage))
        if record is not None:
            record.tokens = tokens or record.tokens
            record.request_id = record.request_id or request_id
        if charge is not None:
            charge.settle(tokens)

    def _write_record(self, error: BaseException | None) -> None:
        if self._handle.is_inherited:
            # The parent process writes it.
            return
        if self._charge is not None:
            self._charge.end(error)
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
        return self._headers.copy()

    @property
    def request_id(self) -> str | None:
        """The id to give to the support of Alibaba Cloud."""
        request_id = self._headers.get("x-request-id")
        return self.context.redact(request_id)[:_MAX_ID] if request_id else None

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
        return self._headers.get("content-type", "").casefold()

    @property
    def _is_read(self) -> bool:
        """Whether an event hook of the user's client has read the body already."""
        return bool(getattr(self._response, "is_stream_consumed", False))

    def _decoder(self, limit: int | None) -> Decode | None:
        """Return the decoder of the body; None if it has no content encoding."""
        encoding = self._headers.get("content-encoding")
        if encoding is None:
            merge_buffered_chunks(self._response)
            return None
        return decoder_for(encoding, limit)

    def _explain(self, error: BaseException | None) -> APIError | None:
        """Let an error forget the body. Return another one to raise in its place.

        That is the error for a response that the process has no memory for.

        Args:
            error: What was raised while the response was read and parsed.
        """
        if error is not None:
            forget_bodies(error)
        if not isinstance(error, MemoryError):
            return None
        limits = self._limits
        return self.context.error(
            InvalidResponseError,
            "The memory of this process does not suffice for the response. Lower"
            f" max_response_bytes={limits.max_response_bytes:,} and"
            f" max_event_bytes={limits.max_event_bytes:,}, so that such a response is"
            " refused before, or give the process more memory.",
            request_id=self.request_id,
            is_retryable=False,
        )

    def _error(self, error: Exception) -> APIError:
        """Return the error for an exception that was raised while the body was read."""
        request_id = self.request_id
        if isinstance(error, BodyTooLargeError):
            return too_large_error(self.context, *self._limit, request_id)
        if isinstance(error, UnknownEncodingError):
            return self.context.error(
                InvalidResponseError,
                "The response has a Content-Encoding that was not asked for:"
                f" {self._headers.get('content-encoding')!r}. Only {ACCEPTED}"
                " can be decoded.",
                request_id=request_id,
                is_retryable=False,
            )
        failure = broken_body_error(error, self.context, request_id)
        deadline = self._deadline
        if deadline is not None and deadline.has_passed:
            return deadline.error(failure)
        return failure

    def _set_limit(self, max_bytes: int | None) -> int:
        """Set the limit of the size of the body, and check the size in the header."""
        if max_bytes is None:
            return self._limits.max_response_bytes
        self._limit = ("max_bytes", max_bytes)
        size = self._headers.get("content-length", "")
        # A longer number cannot be converted quickly.
        if size.isdecimal() and (len(size) > _MAX_DIGITS or int(size) > max_bytes):
            raise BodyTooLargeError
        return max_bytes

    # --- The body of an error -----------------------------------------------------

    def _begin_error(self) -> Deadline:
        """Return how long the body of the error may be read, and limit each read."""
        total = self._deadline
        deadline = Deadline(
            total.limit(ERROR_BODY_SECONDS) if total else ERROR_BODY_SECONDS
        )
        timeout = self._response.request.extensions.get("timeout")
        if isinstance(timeout, dict):
            # httpcore reads it when it begins to read the body.
            limits = cast("dict[str, float | None]", timeout)
            limits["read"] = deadline.limit(limits.get("read"))
        return deadline

    def _check_error(self, body: bytearray) -> None:
        """Raise an error if the body of an error is too large."""
        limit = self._limits.max_error_bytes
        if len(body) > limit:
            raise too_large_refusal(
                self.context,
                bytes(body[:limit]),
                limit,
                status=self.status,
                request_id=self.request_id,
                retry_after=retry_after(self._headers),
            )


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
        failure = None
        try:
            try:
                failure = self._explain(error)
            finally:
                self.close()
        finally:
            self._write_record(failure or error)
        if failure is not None:
            _raise_alone(failure)

    def read(self) -> bytes:
        """Return the complete body.

        Raises:
            APIError: The connection broke, no data was received for too long, or the
                body is too large.
        """
        body = bytearray()
        try:
            for chunk in self.chunks():
                body += chunk
            return bytes(body)
        finally:
            # The traceback of an error keeps it.
            body.clear()

    def chunks(self, *, max_bytes: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of the body as they come, decoded.

        Args:
            max_bytes: How large the body may be; None for ``max_response_bytes``.

        Raises:
            APIError: The connection broke, no data was received for too long, or the
                body is too large.
        """
        deadline = self._deadline
        try:
            left = self._set_limit(max_bytes)
            if deadline is not None:
                self._reads.set(deadline.remaining)
            for chunk in self._pieces(left):
                left -= len(chunk)
                if left < 0:
                    raise BodyTooLargeError  # noqa: TRY301 - handled as others are
                if deadline is not None and deadline.has_passed:
                    raise TimeoutError  # noqa: TRY301 - handled as others are
                yield chunk
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the body is cut off
            failure = [self._error(error)]
        else:
            return
        raise failure.pop()

    def _pieces(self, limit: int) -> Iterator[bytes]:
        """Return the decoded pieces of the body, none of which is large."""
        if self._is_read:
            return self._response.iter_bytes()
        decode = self._decoder(limit)
        if decode is None:
            return iter(self._response.stream)
        return (piece for chunk in self._response.stream for piece in decode(chunk))

    def read_error(self) -> bytes:
        """Return the body of an error, or what was received of it in ten seconds.

        Raises:
            InvalidResponseError: The body is too large.
        """
        deadline = self._begin_error()
        self._reads.set(deadline.remaining)
        body = bytearray()
        # A connection that breaks does not hide the status.
        with suppress(Exception):
            for piece in self._pieces(self._limits.max_error_bytes):
                body += piece
                if len(body) > self._limits.max_error_bytes or deadline.has_passed:
                    break
        self._check_error(body)
        return bytes(body)

    def drain(self, chunks: Iterator[bytes]) -> None:
        """Try for 0.1 s to read to the end, so that the connection can be reused.

        Args:
            chunks: The iterator that ``chunks`` returned.
        """
        if self._reads.set(_DRAIN_SECONDS):
            with suppress(APIError):
                for _ in chunks:
                    pass

    def close(self) -> None:
        """Return the connection to its pool; close it if the body was not read."""
        if not self._handle.is_inherited:
            self._reads.remove()
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
        failure = None
        try:
            try:
                failure = self._explain(error)
            finally:
                await self.aclose()
        finally:
            self._write_record(failure or error)
        if failure is not None:
            _raise_alone(failure)

    async def read(self) -> bytes:
        """Return the complete body.

        Raises:
            APIError: The connection broke, no data was received for too long, or the
                body is too large.
        """
        body = bytearray()
        try:
            async for chunk in self.chunks():
                body += chunk
            return bytes(body)
        finally:
            # The traceback of an error keeps it.
            body.clear()

    async def chunks(self, *, max_bytes: int | None = None) -> AsyncGenerator[bytes]:
        """Yield the bytes of the body as they come, decoded.

        Args:
            max_bytes: How large the body may be; None for ``max_response_bytes``.

        Raises:
            APIError: The connection broke, no data was received for too long, or the
                body is too large.
        """
        deadline = self._deadline
        try:
            left = self._set_limit(max_bytes)
            pieces = self._pieces(left)
            if deadline is not None:
                pieces = until(deadline, pieces)
            async for chunk in pieces:
                left -= len(chunk)
                if left < 0:
                    raise BodyTooLargeError  # noqa: TRY301 - handled as others are
                if deadline is not None and deadline.has_passed:
                    raise TimeoutError  # noqa: TRY301 - handled as others are
                yield chunk
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the body is cut off
            failure = [self._error(error)]
        else:
            return
        raise failure.pop()

    def _pieces(self, limit: int) -> AsyncIterator[bytes]:
        if self._is_read:
            return self._response.aiter_bytes()
        decode = self._decoder(limit)
        if decode is None:
            return aiter(self._response.stream)
        return _decode(self._response.stream, decode)

    async def read_error(self) -> bytes:
        """Async version of ``HttpResponse.read_error``."""
        deadline = self._begin_error()
        body = bytearray()
        with suppress(Exception):
            async with asyncio.timeout(deadline.remaining):
                async for piece in self._pieces(self._limits.max_error_bytes):
                    body += piece
                    if len(body) > self._limits.max_error_bytes or deadline.has_passed:
                        break
        self._check_error(body)
        return bytes(body)

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
        if not self._handle.is_inherited:
            await self._response.aclose()


def _raise_alone(error: APIError) -> NoReturn:
    """Raise an error without its context, whose frames hold what was received."""
    try:
        raise error
    finally:
        error.__context__ = None


async def _decode(body: LibraryBody, decode: Decode) -> AsyncGenerator[bytes]:
    """Yield the decoded pieces of a body, in turn with the other streams."""
    async for chunk in body:
        for piece in decode(chunk):
            await wait_for_turn(cost_of(piece))
            yield piece
