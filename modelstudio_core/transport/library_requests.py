"""An HTTP request in the form of each library: both SDKs, and the HTTP client below."""

import json
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from modelstudio_core.transport.clients import ClientHandle, merge_headers
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.forms import MultipartForm
from modelstudio_core.transport.pools import http_library, library_of, timeout_for
from modelstudio_core.transport.requests import HttpRequest

__all__ = [
    "PlainBody",
    "aplain_body",
    "dashscope_call",
    "openai_call",
    "plain_body",
    "plain_options",
    "plain_request",
]


@dataclass(frozen=True, slots=True)
class PlainBody:
    """The body of a request.

    Attributes:
        content: The argument of the HTTP library.
        headers: The headers of the body.
    """

    content: Mapping[str, Any]
    headers: Mapping[str, str]


def openai_call(
    connection: Connection, request: HttpRequest, handle: ClientHandle, client: Any
) -> dict[str, Any]:
    """Return the arguments of the openai SDK's ``post``.

    The body of the response is not read. The URL is absolute because the SDK takes more
    time to join a relative one. openai 2 would send a header twice in two spellings.

    Args:
        connection: The endpoint and the timeouts.
        request: What to send.
        handle: The HTTP client below the SDK.
        client: The client of the SDK.
    """
    headers = dict(request.headers)
    if headers:
        headers = merge_headers(client.default_headers, headers)
    options: dict[str, Any] = {"headers": headers, "follow_redirects": False}
    if request.deadline is not None:
        library = library_of(handle.pool)
        options["timeout"] = timeout_for(connection, library, request.deadline)
    return {
        "path": request.url_at(connection.endpoint),
        "cast_to": http_library().Response,
        "body": request.json,
        "stream": True,
        "options": options,
    }


def dashscope_call(
    connection: Connection, request: HttpRequest, handle: ClientHandle
) -> dict[str, Any]:
    """Return the arguments of the dashscope SDK's ``open_stream``.

    The SDK does not apply its headers, base URL and timeouts to a custom HTTP client:
    they are passed with each request.

    Args:
        connection: The endpoint and the timeouts.
        request: What to send.
        handle: The HTTP client below the SDK, and its headers.
    """
    return {
        "method": "POST",
        "path": request.path,
        "json": request.json,
        "headers": merge_headers(handle.headers, request.headers),
        "base_url": connection.endpoint.url("dashscope"),
        "timeout": timeout_for(connection, library_of(handle.pool), request.deadline),
    }


@contextmanager
def plain_body(request: HttpRequest) -> Generator[PlainBody]:
    """Return the body of a request, whose files are closed at the end.

    An error and a response keep the request: of one that was not sent completely, a
    file would stay open for as long as they are kept.

    Args:
        request: What to send.
    """
    if not request.files:
        yield _json_body(request)
        return
    form = MultipartForm.build(request.files)
    with closing(form.chunks()) as chunks:
        yield PlainBody({"content": chunks}, form.headers)


@asynccontextmanager
async def aplain_body(request: HttpRequest) -> AsyncGenerator[PlainBody]:
    """Async version of ``plain_body``."""
    if not request.files:
        yield _json_body(request)
        return
    form = MultipartForm.build(request.files)
    async with aclosing(form.achunks()) as chunks:
        yield PlainBody({"content": chunks}, form.headers)


def plain_options(request: HttpRequest) -> dict[str, Any]:
    """Return the arguments of the HTTP client's ``send``.

    Args:
        request: What to send.
    """
    options: dict[str, Any] = {"stream": True, "follow_redirects": False}
    # The client's own authentication is for the service.
    return options if request.url is None else {**options, "auth": None}


def plain_request(
    connection: Connection,
    request: HttpRequest,
    handle: ClientHandle,
    body: PlainBody,
) -> object:
    """Return the HTTP library's request.

    Args:
        connection: The endpoint and the timeouts.
        request: What to send.
        handle: The client that sends it.
        body: The body.
    """
    timeout = timeout_for(connection, library_of(handle.pool), request.deadline)
    content, headers = {**body.content}, body.headers
    if request.url is not None:
        content["extensions"] = {"timeout": timeout.as_dict()}
        return _other_host_request(request, request.url, handle, headers, content)
    headers = {"Accept": "application/json", **headers}
    # The client builds it, as for the SDKs, and adds what a user's own client has.
    return handle.pool.build_request(
        request.method,
        request.url_at(connection.endpoint),
        params=request.query or None,
        headers=merge_headers(headers, handle.headers, request.headers),
        timeout=timeout,
        **content,
    )


def _other_host_request(
    request: HttpRequest,
    url: str,
    handle: ClientHandle,
    headers: Mapping[str, str],
    content: Mapping[str, Any],
) -> object:
    """Return a request to another host, which gets nothing of the user.

    The client does not build it: it would add what a user's own client has.
    """
    if request.query:
        # By hand: the HTTP libraries would replace the query of a signed URL.
        url += ("&" if "?" in url else "?") + urlencode(request.query)
    user_agent = handle.headers["User-Agent"]
    headers = {"Accept": "*/*", "User-Agent": user_agent, **headers}
    return library_of(handle.pool).Request(
        request.method,
        url,
        headers=merge_headers(headers, request.headers),
        **content,
    )


def _json_body(request: HttpRequest) -> PlainBody:
    if request.json is None:
        return PlainBody({}, {})
    text = json.dumps(request.json, ensure_ascii=False, allow_nan=False)
    return PlainBody({"content": text.encode()}, {"Content-Type": "application/json"})
