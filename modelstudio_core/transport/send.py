"""One attempt to send a request, synchronous and asynchronous."""

from collections.abc import Mapping
from typing import Any, Final, cast

from modelstudio_core.transport.clients import async_client, sync_client
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.failures import from_status, translated
from modelstudio_core.transport.pools import response_class
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.responses import AsyncHttpResponse, HttpResponse
from modelstudio_core.transport.sdks import request_headers
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["asend", "send"]

# A request of more characters goes over httpx: aiohttp has no time limit for sending.
_LARGE: Final = 2**18

# What fails is raised after its ``except``, not within: else the error of the library
# below, which may repeat a key, would be its context. And it is popped from a list: a
# frame that holds the error that holds the frame would stay until it is collected.


def send(
    connection: Connection, message: HttpRequest, context: ErrorContext
) -> "HttpResponse":
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
        failed = [translated(error, context)]
    else:
        if response.is_success:
            return HttpResponse(lease, response, context)
        response.close()
        failed = [from_status(response, "", context)]
    raise failed.pop()


async def asend(
    connection: Connection, message: HttpRequest, context: ErrorContext
) -> "AsyncHttpResponse":
    """Async version of ``send``."""
    lease = await async_client(connection, large=_is_large(message.body))
    try:
        if connection.protocol == "openai":
            response = await lease.client.post(**_openai_call(connection, message))
        else:
            call = _dashscope_call(connection, message)
            response = await lease.client.transport.open_stream(**call)
    except Exception as error:  # noqa: BLE001 - what is not the SDK's goes on as it is
        failed = [translated(error, context)]
    else:
        if response.is_success:
            return AsyncHttpResponse(lease, response, context)
        await response.aclose()
        failed = [from_status(response, "", context)]
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


def _openai_call(connection: Connection, message: HttpRequest) -> dict[str, Any]:
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


def _dashscope_call(connection: Connection, message: HttpRequest) -> dict[str, Any]:
    """Say everything with each request: an injected pool knows no base URL."""
    return {
        "method": "POST",
        "path": message.path,
        "json": message.body,
        "headers": {**request_headers(connection), **message.headers},
        "base_url": connection.base_url,
    }
