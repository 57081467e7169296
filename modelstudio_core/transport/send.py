"""One attempt: a request is sent, and its response returned once the headers came.

A JSON body goes through the SDK of its API, as their vendors intend; everything else
(other methods, forms, other hosts, an API without an SDK) goes over the same pool.
"""

import json
import logging
from contextlib import aclosing, closing, suppress
from typing import Any, Final

from modelstudio_core.transport.clients import ClientHandle, async_client, sync_client
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.failures import status_error, translate_error
from modelstudio_core.transport.pools import http_library, library_of, timeout_for
from modelstudio_core.transport.requests import (
    HttpRequest,
    check_other_host,
    has_much_text,
)
from modelstudio_core.transport.responses import AsyncHttpResponse, HttpResponse
from modelstudio_core.transport.sdks import HAS_DASHSCOPE, Sdk
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["asend", "send"]

# A request with more characters is sent over httpx: aiohttp cannot limit the time of
# sending, and copies a body in one step.
_LARGE: Final = 2**18
_logger: Final = logging.getLogger("modelstudio")

# An error is raised after its ``except`` and not within: else the library's error,
# which may repeat a key, would be its context. It is popped from a list because a frame
# that holds the error that holds the frame would live until it is collected.


def send(
    connection: Connection, request: HttpRequest, context: ErrorContext
) -> HttpResponse:
    """Send a request and return its response as soon as the headers are there.

    Args:
        connection: How to reach the service.
        request: What to send.
        context: What errors need to know of the request.

    Returns:
        The response, which must be closed.

    Raises:
        APIError: There was no response, or it was a refusal.
        ConfigurationError: The request may not be sent; nothing was.
    """
    sdk = _route(connection, request)
    handle, client = sync_client(connection, sdk)
    try:
        match sdk:
            case "openai":
                response = client.post(**_openai_call(connection, request))
            case "dashscope":
                call = _dashscope_call(connection, request, handle)
                response = client.transport.open_stream(**call)
            case None:
                plain = _plain_request(connection, request, handle)
                response = client.send(plain, **_PLAIN)
    except Exception as error:  # noqa: BLE001 - what is not a library's is raised as it is
        failure = [translate_error(error, connection, handle.pool, context)]
    else:
        if response.is_success:
            return HttpResponse(handle, response, context)
        with closing(response):
            body = b""
            with suppress(Exception):
                # The SDKs have read theirs, unless it is a redirect, which has none.
                body = response.read() if sdk is None else b""
        failure = [status_error(response, _refusal_body(body), context)]
    raise failure.pop()


async def asend(
    connection: Connection, request: HttpRequest, context: ErrorContext
) -> AsyncHttpResponse:
    """Async version of ``send``."""
    sdk = _route(connection, request)
    large = bool(request.files) or has_much_text(request.json, _LARGE)
    handle, client = await async_client(connection, sdk, large=large)
    try:
        match sdk:
            case "openai":
                response = await client.post(**_openai_call(connection, request))
            case "dashscope":
                call = _dashscope_call(connection, request, handle)
                response = await client.transport.open_stream(**call)
            case None:
                plain = _plain_request(connection, request, handle)
                response = await client.send(plain, **_PLAIN)
    except Exception as error:  # noqa: BLE001 - what is not a library's is raised as it is
        failure = [translate_error(error, connection, handle.pool, context)]
    else:
        if response.is_success:
            return AsyncHttpResponse(handle, response, context)
        async with aclosing(response):
            body = b""
            with suppress(Exception):
                body = await response.aread() if sdk is None else b""
        failure = [status_error(response, _refusal_body(body), context)]
    raise failure.pop()


def _route(connection: Connection, request: HttpRequest) -> Sdk | None:
    """Decide which SDK sends a request, None for none, and whether it may be sent."""
    if request.url is not None:
        check_other_host(request.url, connection.endpoint)
    if _logger.isEnabledFor(logging.DEBUG):
        # Without the query: that of a signed address is a secret.
        url = request.url or connection.endpoint.url(request.api) + request.path
        _logger.debug("%s %s", request.method, url.partition("?")[0])
    if request.url is not None or request.json is None or request.method != "POST":
        return None
    if request.query or request.files:
        return None
    match request.api:
        case "openai":
            return "openai"
        case "dashscope":
            return "dashscope" if HAS_DASHSCOPE else None
        case "rerank":
            return None


def _openai_call(connection: Connection, request: HttpRequest) -> dict[str, Any]:
    """Return the arguments of the openai SDK's ``post``.

    The response is asked for unread, and the address is absolute: the SDK needs more
    time to join one.
    """
    return {
        "path": connection.endpoint.url("openai") + request.path,
        "cast_to": http_library().Response,
        "body": request.json,
        "stream": True,
        "options": {"headers": request.headers, "follow_redirects": False},
    }


def _dashscope_call(
    connection: Connection, request: HttpRequest, handle: ClientHandle
) -> dict[str, Any]:
    """Return the arguments of the dashscope SDK's ``open_stream``.

    The SDK's own headers, base URL and time limits are not used over a pool that is
    passed in: each request has them.
    """
    return {
        "method": "POST",
        "path": request.path,
        "json": request.json,
        "headers": {**handle.headers, **request.headers},
        "base_url": connection.endpoint.url("dashscope"),
        "timeout": timeout_for(connection, library_of(handle.pool)),
    }


# Of the client's own, neither a sign-in nor redirects: both could send the key away.
_PLAIN: Final[dict[str, Any]] = {
    "stream": True,
    "auth": None,
    "follow_redirects": False,
}


def _plain_request(
    connection: Connection, request: HttpRequest, handle: ClientHandle
) -> object:
    """Return the HTTP library's request.

    It is not built by the client, which would add its own headers and cookies: to
    another host nothing of the user's may go.
    """
    http = library_of(handle.pool)
    if request.url is None:
        url = connection.endpoint.url(request.api) + request.path
        headers = {"Accept": "application/json", **handle.headers, **request.headers}
    else:
        url = request.url
        agent = handle.headers["User-Agent"]
        headers = {"Accept": "*/*", "User-Agent": agent, **request.headers}
    body: dict[str, Any] = {}
    if request.files:
        body["files"] = [
            (part.name, (part.filename, part.content, part.content_type))
            for part in request.files
        ]
    elif request.json is not None:
        headers.setdefault("Content-Type", "application/json")
        body["content"] = json.dumps(request.json, ensure_ascii=False).encode()
    return http.Request(
        request.method,
        url,
        params=request.query or None,
        headers=headers,
        extensions={"timeout": timeout_for(connection, http).as_dict()},
        **body,
    )


def _refusal_body(raw: bytes) -> object:
    """Return the body of a refusal: parsed if it is JSON, else its text."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode(errors="replace")
