"""Exceptions of the SDKs and of the HTTP libraries, converted to this package's.

The libraries are looked up in ``sys.modules`` and not imported: a library that is not
loaded, or that another thread is loading, cannot have raised an exception.
"""

import ssl
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

from modelstudio_core.causes import causes_of, shown_cause
from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    ConfigurationError,
    IncompleteStreamError,
)
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.pools import proxy_of
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["broken_body_error", "retry_after", "status_error", "translate_error"]

# A longer wait means never to try again: a finite number can be slept and stored.
_MAX_RETRY_AFTER: Final = 366 * 24 * 3600.0
_HTTP: Final = ("httpx", "httpx2")
_SDKS: Final = ("openai", "dashscope.v2.errors")


class _Refused(Protocol):
    """A response, or an SDK's error that has its status and headers."""

    status_code: int
    headers: Mapping[str, str]


def translate_error(
    error: Exception, connection: Connection, pool: object, context: ErrorContext
) -> Exception:
    """Convert an exception that was raised while a request was sent.

    Args:
        error: The exception.
        connection: The connection of the request.
        pool: The HTTP client that was used.
        context: The facts of the request that errors report.

    Returns:
        The error of this package; the exception itself if it is not of the SDKs or of
        an HTTP library.
    """
    if argument := _closed_client(connection, pool):
        return ConfigurationError(
            f"{argument} is closed: pass an open client, or remove {argument}=."
        )
    if _is_timeout(error) or _is_transport_error(error):
        proxy = _proxy_hint(connection, pool, context.host)
        return _unanswered_error(error, context, proxy)
    return error


def status_error(
    refused: _Refused, body: object, context: ErrorContext, url: str | None = None
) -> APIError:
    """Return the error for a response with an error status.

    Args:
        refused: The response.
        body: Its body: parsed if it is JSON, else its text.
        context: The facts of the request that errors report.
        url: The address of the request, without its query.
    """
    return context.from_payload(
        refused.status_code,
        body,
        url=url,
        request_id=refused.headers.get("x-request-id") or None,
        retry_after=retry_after(refused.headers),
    )


def broken_body_error(
    error: Exception, context: ErrorContext, request_id: str | None
) -> APIError:
    """Return the error for a response whose body was not received completely."""
    if _is_timeout(error):
        failure: APIError = context.error(
            APITimeoutError,
            "No data was received within the timeout, and the response is not"
            " complete. Raise timeout= for slow answers.",
            request_id=request_id,
        )
    else:
        failure = context.error(
            IncompleteStreamError,
            f"The connection broke before the response was complete: {_text(error)}",
            request_id=request_id,
        )
    return _with_cause(failure, error, context)


def _closed_client(connection: Connection, pool: object) -> str:
    """Return the argument that ``pool`` was passed as, if it is closed; else empty."""
    if getattr(pool, "is_closed", False):
        for argument in ("http_client", "http_async_client"):
            if getattr(connection, argument) is pool:
                return argument
    return ""


def _proxy_hint(connection: Connection, pool: object, host: str) -> str:
    """Return words that name the proxy of a request; empty if there is none.

    The proxies of a client that was passed in are not known.
    """
    if pool is connection.http_client or pool is connection.http_async_client:
        return ""
    proxy = proxy_of(connection, host)
    return f" through the proxy {proxy} of the environment" if proxy else ""


def _unanswered_error(error: Exception, context: ErrorContext, proxy: str) -> APIError:
    """Return the error for a request without a response.

    Args:
        error: The exception.
        context: The facts of the request that errors report.
        proxy: Words that name the proxy that was used; empty for none.
    """
    cause = error.__cause__ or error
    certificate = next(
        (e for e in causes_of(cause) if isinstance(e, ssl.SSLCertVerificationError)),
        None,
    )
    if _is_timeout(error) or _is_timeout(cause):
        failure: APIConnectionError = context.error(
            APITimeoutError,
            f"{context.host} did not answer within the timeout{proxy}.",
        )
    elif certificate:
        failure = context.error(
            APIConnectionError,
            f"The certificate of {context.host} is not trusted{proxy}:"
            f" {_text(certificate)}."
            " For a custom certificate authority, set SSL_CERT_FILE or pass an"
            " http_client.",
            is_retryable=False,
        )
    else:
        failure = context.error(
            APIConnectionError,
            f"{context.host} cannot be reached{proxy}: {_text(cause)}",
        )
    failure.was_sent = _was_sent(error)
    return _with_cause(failure, cause, context)


def _with_cause(
    failure: APIError, cause: BaseException, context: ErrorContext
) -> APIError:
    """Set the cause of an error, unless it shows a secret."""
    failure.__cause__ = shown_cause(cause, context.redact)
    return failure


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__


# --- Kinds of exceptions ----------------------------------------------------------


def _loaded(modules: Iterable[str], *names: str) -> tuple[type[BaseException], ...]:
    """Return the exceptions with these names of the modules that are loaded."""
    loaded = [sys.modules.get(module) for module in modules]
    found = [getattr(module, name, None) for module in loaded for name in names]
    return tuple(kind for kind in found if kind is not None)


def _is_aiohttp_error(error: BaseException | None, *names: str) -> bool:
    # A user's client may run on aiohttp.
    return isinstance(error, _loaded(["aiohttp"], *(names or ("ClientError",))))


def _is_timeout(error: BaseException) -> bool:
    # Adapters of aiohttp for httpx raise any broken connection as a timeout.
    if _is_aiohttp_error(error.__cause__):
        return isinstance(error.__cause__, TimeoutError)
    return isinstance(error, (TimeoutError, *_loaded(_HTTP, "TimeoutException")))


def _is_transport_error(error: BaseException) -> bool:
    kinds = (*_loaded(_HTTP, "RequestError"), *_loaded(_SDKS, "APIConnectionError"))
    return isinstance(error, (OSError, *kinds)) or _is_aiohttp_error(error)


def _was_sent(error: BaseException) -> bool:
    """Return whether the request of an error may have reached the service.

    The first error of an HTTP library in the chain of explicit causes decides. What
    was raised before it, as its context, may be of another attempt.
    """
    http_errors = _loaded(_HTTP, "RequestError")
    no_connection = _loaded(_HTTP, "ConnectError", "ConnectTimeout", "PoolTimeout")
    current: BaseException | None = error
    while current is not None:
        for candidate in (current.__cause__, current):
            if _is_aiohttp_error(candidate):
                return not _is_aiohttp_error(
                    candidate, "ClientConnectorError", "ConnectionTimeoutError"
                )
        if isinstance(current, http_errors):
            return not isinstance(current, no_connection)
        if isinstance(current, ConnectionRefusedError):
            return False
        current = current.__cause__ if current.__cause__ is not current else None
    return True


# --- Reading a response -----------------------------------------------------------


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the service asks to wait; None if it does not ask.

    A number or a date that is far away is at most a year; one that cannot be read is
    ignored.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name) or ""
        with suppress(ValueError):
            seconds = float(text) / unit
            # Not the word "inf", but a number that is too large for a float.
            if seconds >= 0 and any(map(str.isdigit, text)):
                return min(seconds, _MAX_RETRY_AFTER)
    until, now = _date(headers.get("retry-after")), _date(headers.get("date"))
    if until is None:
        return None
    # By the clock of the service, if the response has a date.
    seconds = (until - (now or datetime.now(UTC))).total_seconds()
    return min(max(0.0, seconds), _MAX_RETRY_AFTER)


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
        return date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
