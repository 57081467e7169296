"""Requests for JSON objects and files, with retries."""

import math
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Final, cast

from modelstudio_core.errors import APIError, APITimeoutError
from modelstudio_core.transport.connection import (
    DEFAULT_MAX_DOWNLOAD_BYTES,
    Connection,
)
from modelstudio_core.transport.fairness import REQUEST, wait_for_turn
from modelstudio_core.transport.gate import Gate
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.responses import AsyncHttpResponse, HttpResponse
from modelstudio_core.transport.retries import aretry, retry
from modelstudio_core.transport.send import asend, send
from modelstudio_core.transport.threads import finish_in_thread
from modelstudio_core.wire.metadata import without_secrets
from modelstudio_core.wire.refusals import ErrorContext, is_refusal

__all__ = ["JsonAnswer", "adownload", "afetch", "download", "fetch"]

# An async write is done in a thread, which is too slow for each small chunk.
_WRITE_BYTES: Final = 2**20
_NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """A response whose body is a JSON object.

    Attributes:
        body: The object; empty for a response that may have no body: to a DELETE, or of
            another host.
        request_id: The id to give to the support of Alibaba Cloud, from the header.
        headers: The headers of the response. The names are in lower case.
        api_key: The key that the user's function returned for the request; None if no
            function was asked.
    """

    body: dict[str, Any]
    request_id: str | None
    headers: Mapping[str, str]
    api_key: str | None = field(default=None, repr=False)


def fetch(
    connection: Connection,
    request: HttpRequest,
    context: ErrorContext,
    gate: Gate | None = None,
) -> JsonAnswer:
    """Send a request and return its JSON object. A failed request is repeated.

    Args:
        connection: How to reach the service.
        request: What to send.
        context: The facts of the request that errors report.
        gate: The gate that each attempt passes; None for no limit.

    Raises:
        APIError: There was no response, or it is an error.
        InvalidResponseError: The body is not a JSON object.
        ConfigurationError: The request must not be sent, and was not.
    """
    request = request.started(connection.total_timeout)

    def once(attempt: int) -> JsonAnswer:
        with (
            _place(gate, request, context),
            send(connection, request, context, attempt) as response,
        ):
            return _parse_answer(request, response, response.read())

    return retry(once, connection.max_retries, request, gate)


async def afetch(
    connection: Connection,
    request: HttpRequest,
    context: ErrorContext,
    gate: Gate | None = None,
) -> JsonAnswer:
    """Async version of ``fetch``."""
    request = request.started(connection.total_timeout)

    async def once(attempt: int) -> JsonAnswer:
        async with (
            _aplace(gate, request, context),
            await asend(connection, request, context, attempt) as response,
        ):
            return _parse_answer(request, response, await response.read())

    await wait_for_turn(REQUEST)
    return await aretry(once, connection.max_retries, request, gate)


@contextmanager
def _place(
    gate: Gate | None, request: HttpRequest, context: ErrorContext
) -> Generator[None]:
    """Pass a gate, in the time of the request."""
    if gate is None:
        yield
        return
    try:
        gate.enter(request.deadline.at if request.deadline else math.inf)
    except TimeoutError:
        raise _no_place(request, context) from None
    try:
        yield
    finally:
        gate.leave()


@asynccontextmanager
async def _aplace(
    gate: Gate | None, request: HttpRequest, context: ErrorContext
) -> AsyncGenerator[None]:
    """Async version of ``_place``."""
    if gate is None:
        yield
        return
    try:
        await gate.aenter(request.deadline.at if request.deadline else math.inf)
    except TimeoutError:
        raise _no_place(request, context) from None
    try:
        yield
    finally:
        gate.leave()


def _no_place(request: HttpRequest, context: ErrorContext) -> APIError:
    """Return the error for a request that had to wait longer than its time."""
    reason = "It had to wait for other requests, and was not sent."
    error = context.error(APITimeoutError, reason, was_sent=False)
    return request.deadline.error(error, reason) if request.deadline else error


def download(
    connection: Connection,
    request: HttpRequest,
    to: Path,
    context: ErrorContext,
    *,
    max_bytes: int = DEFAULT_MAX_DOWNLOAD_BYTES,
) -> None:
    """Send a request and write the body of its response to a file.

    The file is complete as soon as it exists. An existing file is replaced.

    Args:
        connection: How to reach the service.
        request: What to send. With ``url`` it is sent to another host, without the key.
        to: The path of the file. Its folder must exist.
        context: The facts of the request that errors report.
        max_bytes: How large the file may be, decoded: 32 GiB by default.

    Raises:
        APIError: There was no response, it is an error, or it is not complete.
        InvalidResponseError: The file is too large. Nothing of it is kept.
        ConfigurationError: The request must not be sent, and was not.
        OSError: The file cannot be written.
    """
    request = request.started(connection.total_timeout)

    def once(attempt: int) -> None:
        with send(connection, request, context, attempt) as response:
            file = _open_part(to)
            try:
                for chunk in response.chunks(max_bytes=max_bytes):
                    file.write(chunk)
                _replace(file, to)
            except BaseException:
                _discard(file)
                raise

    retry(once, connection.max_retries, request)


async def adownload(
    connection: Connection,
    request: HttpRequest,
    to: Path,
    context: ErrorContext,
    *,
    max_bytes: int = DEFAULT_MAX_DOWNLOAD_BYTES,
) -> None:
    """Async version of ``download``."""
    request = request.started(connection.total_timeout)

    async def once(attempt: int) -> None:
        async with await asend(connection, request, context, attempt) as response:
            file = await finish_in_thread(partial(_open_part, to), _discard)
            try:
                await _write(response, file, max_bytes)
                await finish_in_thread(partial(_replace, file, to))
            except BaseException:
                _discard(file)
                raise

    await wait_for_turn(REQUEST)
    await aretry(once, connection.max_retries, request)


async def _write(response: AsyncHttpResponse, file: IO[bytes], max_bytes: int) -> None:
    pending = bytearray()
    async for chunk in response.chunks(max_bytes=max_bytes):
        pending += chunk
        if len(pending) >= _WRITE_BYTES:
            await finish_in_thread(partial(file.write, bytes(pending)))
            pending.clear()
    await finish_in_thread(partial(file.write, bytes(pending)))


def _open_part(path: Path) -> IO[bytes]:
    """Open a new file in the folder of ``path``, for one attempt to write it."""
    return NamedTemporaryFile(
        dir=path.parent, prefix=f"{path.name}.", suffix=".part", delete=False
    )


def _replace(file: IO[bytes], path: Path) -> None:
    file.close()
    Path(file.name).replace(path)


def _discard(file: IO[bytes]) -> None:
    """Remove a file. Of its errors there was one before, which the caller sees."""
    with suppress(OSError):
        # It writes what it could not write before.
        file.close()
    with suppress(OSError):
        Path(file.name).unlink(missing_ok=True)


def _parse_answer(
    request: HttpRequest, response: HttpResponse | AsyncHttpResponse, body: bytes
) -> JsonAnswer:
    if not body and (request.may_have_no_answer or response.status == _NO_CONTENT):
        return _answer({}, response)
    context, expected = response.context, "a JSON object"
    parsed = context.parse(body, response.request_id, expected)
    if not isinstance(parsed, dict):
        raise context.not_json(body, response.request_id, expected)
    # Reports, saved tasks and traces show it.
    answer = cast("dict[str, Any]", without_secrets(parsed, context.hide))
    response.report(answer.get("usage"), _text_of(answer.get("request_id")))
    if is_refusal(answer):
        raise context.from_payload(None, answer, request_id=response.request_id)
    return _answer(answer, response)


def _answer(
    body: dict[str, Any], response: HttpResponse | AsyncHttpResponse
) -> JsonAnswer:
    return JsonAnswer(body, response.request_id, response.headers, response.api_key)


def _text_of(value: object) -> str | None:
    return value if isinstance(value, str) else None
