"""Waiting for a rate limit before a request is sent."""

from typing import Final

from modelstudio_core.errors import APITimeoutError
from modelstudio_core.transport.charges import Charge, RequestLimiter
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.wire.refusals import ErrorContext

# What no model answers: the storage of files, batches, and the end of a task.
_WITHOUT_MODEL: Final = ("/files", "/batches", "/tasks/")

__all__ = ["acharge_request", "charge_request"]


def charge_request(
    limiter: RequestLimiter, request: HttpRequest, context: ErrorContext
) -> Charge | None:
    """Wait until a request may be sent, and count it.

    Args:
        limiter: The limit.
        request: The request that is about to be sent.
        context: The facts of the request that errors report.

    Returns:
        What was counted; None for a request that is not counted.

    Raises:
        APITimeoutError: The deadline of the request ends before.
        APIConnectionError: The store of the limit cannot be used.
    """
    if not _is_counted(request):
        return None
    try:
        return limiter.acquire(request.path, request.json, _seconds(request))
    except TimeoutError as error:
        if isinstance(error, APITimeoutError):
            raise
    raise _timeout_error(limiter, request, context)


async def acharge_request(
    limiter: RequestLimiter, request: HttpRequest, context: ErrorContext
) -> Charge | None:
    """Async version of ``charge_request``."""
    if not _is_counted(request):
        return None
    try:
        return await limiter.aacquire(request.path, request.json, _seconds(request))
    except TimeoutError as error:
        if isinstance(error, APITimeoutError):
            raise
    raise _timeout_error(limiter, request, context)


def _is_counted(request: HttpRequest) -> bool:
    """Return whether the service's limits are for such a request.

    They are for requests to a model, the creation of a task included: not for polls,
    lists and cancellations, and not for the storage of files and batches, whose lines
    have limits of their own.
    """
    return (
        request.method == "POST"
        and request.url is None
        and not request.path.startswith(_WITHOUT_MODEL)
    )


def _seconds(request: HttpRequest) -> float | None:
    return None if request.deadline is None else request.deadline.remaining


def _timeout_error(
    limiter: RequestLimiter, request: HttpRequest, context: ErrorContext
) -> APITimeoutError:
    reason = (
        f"The rate limit {limiter.name!r} allows the request later, and it was not"
        " sent."
    )
    error = context.error(APITimeoutError, reason)
    if request.deadline is not None:
        error = request.deadline.error(error, reason)
    error.was_sent = False
    return error
