"""Sends a request once, and returns the response when its headers are received.

A POST with a JSON body is sent by the SDK of its API. Any other request (other methods,
forms, other hosts, an API without an SDK) is sent by the HTTP client below the SDK.
"""

import asyncio
import logging
from contextlib import aclosing, closing
from dataclasses import replace
from functools import partial
from typing import Any, Final, cast

from modelstudio_core.errors import APIError, ConfigurationError, PolicyError
from modelstudio_core.policy import check_request, has_policy
from modelstudio_core.secrets import hide_in_error
from modelstudio_core.transport.audit import AuditRecord, begin_record
from modelstudio_core.transport.charges import Charge
from modelstudio_core.transport.clients import (
    async_client,
    sync_client,
)
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.failures import status_error, translate_error
from modelstudio_core.transport.library_requests import (
    aplain_body,
    dashscope_call,
    openai_call,
    plain_body,
    plain_options,
    plain_request,
)
from modelstudio_core.transport.limiting import acharge_request, charge_request
from modelstudio_core.transport.relays import is_success, refused_response
from modelstudio_core.transport.request_keys import awith_key, with_key
from modelstudio_core.transport.requests import (
    HttpRequest,
    check_other_host,
    has_much_text,
)
from modelstudio_core.transport.responses import AsyncHttpResponse, HttpResponse
from modelstudio_core.transport.sdks import HAS_DASHSCOPE, Sdk
from modelstudio_core.wire.json_values import MAX_ERROR_VALUES, check_values, load
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["asend", "send"]

# A request with more characters is sent over httpx: aiohttp has no timeout for sending,
# and copies a body in one step.
_LARGE: Final = 2**18
_logger: Final = logging.getLogger("modelstudio")

# An error is raised after the ``except`` block: inside it, the library's error, which
# may contain a key, would become its context. It is popped from a list, because a local
# variable would make a reference cycle of the error, its traceback and the frame.


def send(
    connection: Connection,
    request: HttpRequest,
    context: ErrorContext,
    attempt: int = 1,
) -> HttpResponse:
    """Send a request and return its response when the headers are received.

    Args:
        connection: How to reach the service.
        request: What to send.
        context: The facts of the request that errors report.
        attempt: The number of the attempt, for the audit record: 1 for the first one.

    Returns:
        The response: a context manager, which closes it and writes its audit record.

    Raises:
        APIError: There was no response, or it is an error.
        ConfigurationError: The request must not be sent, and was not.
    """
    sdk, context = _route(connection, request, context)
    charge = None
    if connection.limiter is not None:
        charge = charge_request(connection.limiter, request, context)
    try:
        request = with_key(connection, request, context)
    except BaseException:
        _give_back(charge)
        raise
    record = begin_record(connection, request, attempt)
    try:
        return _open(connection, request, context, sdk, record, charge=charge)
    except BaseException as error:
        _write_failure(record, error, charge)
        raise


def _write_failure(
    record: AuditRecord | None, error: BaseException, charge: Charge | None
) -> None:
    # A ConfigurationError means that there was no HTTP request.
    was_sent = not isinstance(error, ConfigurationError)
    if not was_sent:
        _give_back(charge)
    elif charge is not None:
        charge.end(error)
    # At last: a filter of the user's logging may raise an error.
    if record is not None and was_sent:
        record.write(error)


def _give_back(charge: Charge | None) -> None:
    if charge is not None:
        charge.give_back()


def _open(
    connection: Connection,
    request: HttpRequest,
    context: ErrorContext,
    sdk: Sdk | None,
    record: AuditRecord | None,
    *,
    charge: Charge | None,
) -> HttpResponse:
    handle, client = sync_client(connection, sdk)
    failures: list[Exception] = []
    try:
        match sdk:
            case "openai":
                call = openai_call(connection, request, handle, client)
                response = client.post(**call)
            case "dashscope":
                call = dashscope_call(connection, request, handle)
                response = client.open_stream(**call)
            case None:
                with plain_body(request) as sent:
                    plain = plain_request(connection, request, handle, sent)
                    response = client.send(plain, **plain_options(request))
    except Exception as error:  # noqa: BLE001 - an exception of no library is raised unchanged
        refused = refused_response(error, _address(connection, request))
        if refused is None:
            failure = translate_error(error, connection, handle.pool, context)
            failures.append(_in_time(failure, request))
            del failure
        response = cast("Any", refused)
    if failures:
        raise failures.pop()
    received = HttpResponse(
        handle,
        response,
        context,
        connection,
        request,
        record=record,
        charge=charge,
    )
    if is_success(response):
        return received
    with closing(received):
        body = _parse_error_body(received.read_error())
    context = _with_key_hint(context, connection, request)
    raise status_error(response, body, context, _address(connection, request))


async def asend(
    connection: Connection,
    request: HttpRequest,
    context: ErrorContext,
    attempt: int = 1,
) -> AsyncHttpResponse:
    """Async version of ``send``."""
    sdk, context = _route(connection, request, context)
    charge = None
    if connection.limiter is not None:
        charge = await acharge_request(connection.limiter, request, context)
    try:
        request = await awith_key(connection, request, context)
    except BaseException:
        _give_back(charge)
        raise
    record = begin_record(connection, request, attempt)
    try:
        return await _aopen(connection, request, context, sdk, record, charge=charge)
    except BaseException as error:
        _write_failure(record, error, charge)
        raise


async def _aopen(
    connection: Connection,
    request: HttpRequest,
    context: ErrorContext,
    sdk: Sdk | None,
    record: AuditRecord | None,
    *,
    charge: Charge | None,
) -> AsyncHttpResponse:
    over_httpx = _needs_httpx(request)
    handle, client = await async_client(connection, sdk, large=over_httpx)
    failures: list[Exception] = []
    try:
        async with asyncio.timeout(_header_seconds(connection, request, over_httpx)):
            match sdk:
                case "openai":
                    call = openai_call(connection, request, handle, client)
                    response = await client.post(**call)
                case "dashscope":
                    call = dashscope_call(connection, request, handle)
                    response = await client.open_stream(**call)
                case None:
                    async with aplain_body(request) as sent:
                        plain = plain_request(connection, request, handle, sent)
                        response = await client.send(plain, **plain_options(request))
    except Exception as error:  # noqa: BLE001 - an exception of no library is raised unchanged
        refused = refused_response(error, _address(connection, request))
        if refused is None:
            failure = translate_error(error, connection, handle.pool, context)
            failures.append(_in_time(failure, request))
            del failure
        response = cast("Any", refused)
    if failures:
        raise failures.pop()
    received = AsyncHttpResponse(
        handle,
        response,
        context,
        connection,
        request,
        record=record,
        charge=charge,
    )
    if is_success(response):
        return received
    async with aclosing(received):
        body = _parse_error_body(await received.read_error())
    context = _with_key_hint(context, connection, request)
    raise status_error(response, body, context, _address(connection, request))


def _with_key_hint(
    context: ErrorContext, connection: Connection, request: HttpRequest
) -> ErrorContext:
    """Let an error say what is wrong with the key of this very request."""
    if request.api_key is None:
        return context
    hint = partial(connection.explain_refused_key, request.api_key)
    return replace(context, key_hint=hint)


def _address(connection: Connection, request: HttpRequest) -> str:
    """Return the URL of a request without its query, which may be a signature."""
    return request.url_at(connection.endpoint).partition("?")[0]


def _in_time(error: Exception, request: HttpRequest) -> Exception:
    """Return an error, or that of the deadline if it has passed."""
    deadline = request.deadline
    if deadline is not None and deadline.has_passed and isinstance(error, APIError):
        return deadline.error(error)
    return error


def _header_seconds(
    connection: Connection, request: HttpRequest, over_httpx: bool
) -> float | None:
    """Return how long an async request may wait for headers; None for no limit.

    An informational response (1xx) would start the read timeout anew, without end. A
    large body may take any time to send.
    """
    read, connect = connection.read_timeout, connection.connect_timeout
    limit = None if read is None or connect is None else connect + 2 * read
    if over_httpx:
        limit = None
    return limit if request.deadline is None else request.deadline.limit(limit)


def _route(
    connection: Connection, request: HttpRequest, context: ErrorContext
) -> tuple[Sdk | None, ErrorContext]:
    """Check that a request may be sent, and decide which SDK sends it, None for none.

    Returns:
        The SDK, and the context of the host that the request is sent to.
    """
    endpoint = connection.endpoint
    if request.url is not None:
        is_upload = request.purpose == "upload"
        host = check_other_host(request.url, endpoint, upload=is_upload)
        context = context.for_other_host(host)
    if has_policy():
        _check_policy(connection, request)
    if _logger.isEnabledFor(logging.DEBUG):
        _logger.debug("%s %s", request.method, _address(connection, request))
    return _sdk_of(request), context


def _check_policy(connection: Connection, request: HttpRequest) -> None:
    try:
        check_request(
            connection.endpoint,
            request.url_at(connection.endpoint),
            request.model_ids,
            purpose=request.purpose,
            needs_model=request.needs_model,
        )
    except PolicyError as error:
        hide_in_error(error, connection.secrets)
        raise


def _needs_httpx(request: HttpRequest) -> bool:
    """Return whether an asynchronous request must not go over aiohttp.

    aiohttp cannot limit the time to send a body, and repeats methods that are
    idempotent by itself.
    """
    if request.method != "POST" or request.files:
        return True
    return has_much_text(request.json, _LARGE)


def _sdk_of(request: HttpRequest) -> Sdk | None:
    if not request.uses_sdk:
        return None
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


def _parse_error_body(raw: bytes) -> object:
    """Return the body of an error: parsed if it is JSON, else its text."""
    try:
        check_values(raw, MAX_ERROR_VALUES)
        return load(raw)
    except ValueError:
        return bytes(raw).decode(errors="replace")
