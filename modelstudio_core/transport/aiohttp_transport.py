"""An httpx transport over aiohttp: an async request needs half the CPU time.

It uses public interfaces only: ``AsyncBaseTransport`` of httpx and ``ClientSession`` of
aiohttp. httpx and httpx2 have the same interface.
"""

import ssl
from collections.abc import AsyncIterator, Generator, Mapping
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any, Final

import aiohttp
from yarl import URL

from modelstudio_core.foreign.aiohttp_buffers import read_buffered

__all__ = ["make_transport"]

# The limit of httpx; the default of aiohttp is 8 KB.
_MAX_HEADER_BYTES: Final = 100 * 1024
# The default of httpx.
_KEEPALIVE_SECONDS: Final = 5.0
_AUTO_HEADERS: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


def make_transport(
    http: ModuleType, ssl_context: ssl.SSLContext, max_connections: int
) -> object:
    """Create a transport for one async client.

    Args:
        http: ``httpx`` or ``httpx2``: the library of the client.
        ssl_context: The certificates to trust.
        max_connections: The maximum number of open connections.
    """
    return _transport_class(http)(ssl_context, max_connections)


@cache
def _stream_class(http: ModuleType) -> Any:
    """Return the class of response bodies for one HTTP library."""

    class ByteStream(http.AsyncByteStream):  # type: ignore[name-defined,misc]
        """The body of a response."""

        def __init__(self, response: aiohttp.ClientResponse, request: object) -> None:
            self._response = response
            self._request = request

        async def __aiter__(self) -> AsyncIterator[bytes]:
            content = self._response.content
            try:
                with _errors_of(http, self._request):
                    while chunk := await content.readany():
                        yield chunk
            except http.TransportError:
                # aiohttp raises the error before it returns the last bytes.
                if rest := read_buffered(content):
                    yield rest
                raise

        async def aclose(self) -> None:
            # A connection whose body is not read to the end is closed by aiohttp.
            self._response.release()
            await self._response.wait_for_close()

    return ByteStream


@cache
def _transport_class(http: ModuleType) -> Any:
    """Return the class of transports for one HTTP library."""
    byte_stream = _stream_class(http)

    class AiohttpTransport(http.AsyncBaseTransport):  # type: ignore[name-defined,misc]
        """Sends the requests of an httpx client over an aiohttp session."""

        def __init__(self, ssl_context: ssl.SSLContext, max_connections: int) -> None:
            self._ssl_context = ssl_context
            self._max_connections = max_connections
            self._session: aiohttp.ClientSession | None = None

        @property
        def session(self) -> aiohttp.ClientSession:
            """The session, created in the event loop of the first request."""
            if self._session is None:
                self._session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(
                        limit=self._max_connections,
                        keepalive_timeout=_KEEPALIVE_SECONDS,
                        ssl=self._ssl_context,
                    ),
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                    max_line_size=_MAX_HEADER_BYTES,
                    max_field_size=_MAX_HEADER_BYTES,
                    # httpx sets all headers of a request.
                    skip_auto_headers=_AUTO_HEADERS,
                )
            return self._session

        async def _request(self, request: Any) -> aiohttp.ClientResponse:
            limits: Mapping[str, float | None] = request.extensions.get("timeout", {})
            return await self.session.request(
                method=request.method,
                # As it is: another quoting may break a signature.
                url=URL(str(request.url), encoded=True),
                headers=[
                    (name.decode("ascii"), value.decode("latin-1"))
                    for name, value in request.headers.raw
                ],
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    sock_connect=limits.get("connect"),
                    sock_read=limits.get("read"),
                    connect=limits.get("pool"),
                ),
                server_hostname=request.extensions.get("sni_hostname"),
            )

        async def handle_async_request(self, request: Any) -> Any:
            with _errors_of(http, request):
                try:
                    response = await self._request(request)
                except aiohttp.ClientConnectionError as error:
                    if not _is_unwritten(error):
                        raise
                    response = await self._request(request)
            return http.Response(
                status_code=response.status,
                headers=response.raw_headers,
                stream=byte_stream(response, request),
                extensions={
                    "http_version": b"HTTP/1.1",
                    "reason_phrase": (response.reason or "").encode(),
                },
            )

        async def aclose(self) -> None:
            if self._session is not None:
                await self._session.close()

    return AiohttpTransport


def _is_unwritten(error: aiohttp.ClientConnectionError) -> bool:
    """Return whether a kept connection was closed before the request was written.

    httpx looks whether an idle connection is closed before it uses it; aiohttp writes.
    """
    return any(
        isinstance(candidate, aiohttp.ClientConnectionResetError)
        and "closing transport" in str(candidate)
        for candidate in (error, error.__cause__)
    )


@contextmanager
def _errors_of(http: ModuleType, request: object) -> Generator[None]:
    """Convert errors of aiohttp to those of the HTTP library."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise http.ConnectTimeout(str(error), request=request) from error
    except (aiohttp.ServerTimeoutError, TimeoutError) as error:
        raise http.ReadTimeout(str(error), request=request) from error
    except aiohttp.ClientConnectorError as error:
        raise http.ConnectError(str(error), request=request) from error
    except aiohttp.ClientError as error:
        raise http.ReadError(str(error), request=request) from error
