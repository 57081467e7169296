"""Requests for JSON objects and files, with retries."""

import asyncio
import os
from collections.abc import Generator, Mapping
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from modelstudio_core.errors import InvalidResponseError
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fairness import REQUEST, wait_for_turn
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.responses import AsyncHttpResponse, HttpResponse
from modelstudio_core.transport.retries import aretry, retry
from modelstudio_core.transport.send import asend, send
from modelstudio_core.wire.json_values import load
from modelstudio_core.wire.refusals import ErrorContext, is_refusal

__all__ = ["JsonAnswer", "adownload", "afetch", "download", "fetch"]

# An async write is done in a thread, which is too slow for each small chunk.
_WRITE_BYTES: Final = 2**20
_MAX_BODY_TEXT: Final = 500


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """A response whose body is a JSON object.

    Attributes:
        body: The object.
        request_id: The id to give to the support of Alibaba Cloud, from the header.
        headers: The headers of the response. The names are in lower case.
    """

    body: dict[str, Any]
    request_id: str | None
    headers: Mapping[str, str]


def fetch(
    connection: Connection, request: HttpRequest, context: ErrorContext
) -> JsonAnswer:
    """Send a request and return its JSON object. A failed request is repeated.

    Args:
        connection: How to reach the service.
        request: What to send.
        context: The facts of the request that errors report.

    Raises:
        APIError: There was no response, or it is an error.
        InvalidResponseError: The body is not a JSON object.
        ConfigurationError: The request must not be sent, and was not.
    """

    def once() -> JsonAnswer:
        with closing(send(connection, request, context)) as response:
            return _parse_answer(response, response.read(), context)

    return retry(once, connection.max_retries, request)


async def afetch(
    connection: Connection, request: HttpRequest, context: ErrorContext
) -> JsonAnswer:
    """Async version of ``fetch``."""

    async def once() -> JsonAnswer:
        response = await asend(connection, request, context)
        async with aclosing(response):
            return _parse_answer(response, await response.read(), context)

    await wait_for_turn(REQUEST)
    return await aretry(once, connection.max_retries, request)


def download(
    connection: Connection, request: HttpRequest, to: Path, context: ErrorContext
) -> None:
    """Send a request and write the body of its response to a file.

    The file is created, or replaced, when the body is complete. A failed request is
    repeated.

    Args:
        connection: How to reach the service.
        request: What to send. One with ``url`` is sent without the key.
        to: The path of the file. Its folder must exist.
        context: The facts of the request that errors report.

    Raises:
        APIError: There was no response, it is an error, or it is not complete.
        ConfigurationError: The request must not be sent, and was not.
        OSError: The file cannot be written.
    """

    def once() -> None:
        with (
            closing(send(connection, request, context)) as response,
            _replacing(to) as file,
        ):
            for chunk in response.chunks():
                file.write(chunk)

    retry(once, connection.max_retries, request)


async def adownload(
    connection: Connection, request: HttpRequest, to: Path, context: ErrorContext
) -> None:
    """Async version of ``download``."""

    async def once() -> None:
        response = await asend(connection, request, context)
        async with aclosing(response):
            with _replacing(to) as file:
                await _write(response, file)

    await wait_for_turn(REQUEST)
    await aretry(once, connection.max_retries, request)


async def _write(response: AsyncHttpResponse, file: IO[bytes]) -> None:
    pending = bytearray()
    async for chunk in response.chunks():
        pending += chunk
        if len(pending) >= _WRITE_BYTES:
            await asyncio.to_thread(file.write, bytes(pending))
            pending.clear()
    await asyncio.to_thread(file.write, bytes(pending))


@contextmanager
def _replacing(path: Path) -> Generator[IO[bytes]]:
    """Open a temporary file that replaces ``path`` if no exception is raised."""
    partial_path = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial_path.open("wb") as file:
            yield file
        partial_path.replace(path)
    finally:
        partial_path.unlink(missing_ok=True)


def _parse_answer(
    response: HttpResponse | AsyncHttpResponse, body: bytes, context: ErrorContext
) -> JsonAnswer:
    try:
        parsed = load(body)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        # Before the text is cut: the cut could be inside a key.
        text = context.redact(body.decode(errors="replace"))
        raise context.error(
            InvalidResponseError,
            f"The response is not a JSON object. It begins with {text[:80]!r}.",
            body=text[:_MAX_BODY_TEXT],
            request_id=response.request_id,
        )
    answer = cast("dict[str, Any]", parsed)
    if is_refusal(answer):
        raise context.from_payload(None, answer, request_id=response.request_id)
    return JsonAnswer(answer, response.request_id, response.headers)
