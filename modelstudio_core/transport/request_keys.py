"""The key of a request where a function of the user returns it."""

import asyncio
from dataclasses import replace

from modelstudio_core.api_keys import ApiKeyFunction
from modelstudio_core.errors import APITimeoutError
from modelstudio_core.transport.clients import authorization_of
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["awith_key", "with_key"]


def with_key(
    connection: Connection, request: HttpRequest, context: ErrorContext
) -> HttpRequest:
    """Return a request with the key that the user's function returns, if there is one.

    Args:
        connection: How to reach the service.
        request: The request that is about to be sent.
        context: The facts of the request that errors report.

    Raises:
        ConfigurationError: The function failed, or returned no key.
        APITimeoutError: The deadline of the request passed before the function
            returned.
    """
    function = _function_of(connection, request)
    if function is None:
        return request
    key = function.ask()
    if request.deadline is not None and request.deadline.has_passed:
        raise _timeout_error(request, context)
    headers = {**request.headers, **authorization_of(key)}
    return replace(request, headers=headers, api_key=key)


async def awith_key(
    connection: Connection, request: HttpRequest, context: ErrorContext
) -> HttpRequest:
    """Async version of ``with_key``: the function is called in a thread."""
    if _function_of(connection, request) is None:
        return request
    deadline = request.deadline
    try:
        async with asyncio.timeout(None if deadline is None else deadline.remaining):
            return await asyncio.to_thread(with_key, connection, request, context)
    except TimeoutError as error:
        if isinstance(error, APITimeoutError):
            raise
    raise _timeout_error(request, context)


def _function_of(connection: Connection, request: HttpRequest) -> ApiKeyFunction | None:
    """Return the function to ask for the key of a request; None if there is none.

    The key is only sent to the service, and not if a header of the user replaces it.
    """
    key = connection.api_key
    if isinstance(key, str) or request.url is not None:
        return None
    names = {name.casefold() for name, _ in connection.default_headers}
    return None if "authorization" in names else key


def _timeout_error(request: HttpRequest, context: ErrorContext) -> APITimeoutError:
    reason = (
        "The function that was passed as api_key did not return before, so nothing was"
        " sent."
    )
    error = context.error(APITimeoutError, reason)
    if request.deadline is not None:
        error = request.deadline.error(error, reason)
    error.was_sent = False
    return error
