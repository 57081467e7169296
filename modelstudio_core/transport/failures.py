"""Errors of the libraries below, turned into ours."""

import math
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import Any

from modelstudio_core.errors import APIConnectionError, APIError, APITimeoutError
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["because", "from_status", "header", "is_timeout", "translated", "words"]


def translated(error: Exception, context: ErrorContext) -> Exception:
    """Return our error for one of an SDK or of its HTTP library.

    The libraries are looked up, not imported: what is not loaded did not raise.
    """
    openai: Any = sys.modules.get("openai")
    dashscope: Any = sys.modules.get("dashscope.v2.errors")
    refused: Any = error
    if openai and isinstance(error, openai.APIStatusError):
        return from_status(refused.response, _body(refused.response), context)
    if dashscope and isinstance(error, dashscope.APIStatusError):
        return from_status(refused, refused.body or refused.message, context)
    if (response := _refused(error)) is not None:
        return from_status(response, "", context)
    known = [sdk.APIConnectionError for sdk in (openai, dashscope) if sdk]
    if is_timeout(error) or _is_transport(error) or isinstance(error, tuple(known)):
        return _unreached(error, context)
    return error


def _refused(error: Exception) -> Any:
    """Return the response of a refusal whose body broke off, where it can be found."""
    answers = (getattr(it, "response", None) for it in _chain(error))
    return next((it for it in answers if getattr(it, "status_code", 0) >= 400), None)  # noqa: PLR2004 - a status


def _unreached(error: Exception, context: ErrorContext) -> APIError:
    """Make the error of a request that was not answered."""
    cause = error.__cause__ or error
    if is_timeout(error) or is_timeout(cause):
        failure: APIError = context.error(
            APITimeoutError, f"{context.host} did not answer within the timeout."
        )
    elif untrusted := _untrusted(cause):
        failure = context.error(
            APIConnectionError,
            f"The certificate of {context.host} is not trusted: {words(untrusted)}."
            " For an authority of your own set SSL_CERT_FILE, or pass an http_client.",
            is_retryable=False,
        )
    else:
        failure = context.error(
            APIConnectionError, f"{context.host} could not be reached: {words(cause)}"
        )
    return because(failure, cause, context)


def _untrusted(error: BaseException) -> BaseException | None:
    """Return the refusal of a certificate, where it is at the bottom of an error."""
    return next(
        (it for it in _chain(error) if isinstance(it, ssl.SSLCertVerificationError)),
        None,
    )


def because(failure: APIError, cause: BaseException, context: ErrorContext) -> APIError:
    """Give an error its cause, unless that repeats a key."""
    told = "".join(str(it) for it in _chain(cause))
    failure.__cause__ = cause if context.redact(told) == told else None
    return failure


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def from_status(refused: Any, body: object, context: ErrorContext) -> APIError:
    """Make the error of a refusal: a response, or an SDK's error with its headers."""
    return context.from_payload(
        refused.status_code,
        body,
        request_id=refused.headers.get("x-request-id") or None,
        retry_after=_retry_after(refused.headers),
    )


def words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _http_libraries() -> list[ModuleType]:
    return [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]


def is_timeout(error: BaseException) -> bool:
    aiohttp: Any = sys.modules.get("aiohttp")
    if aiohttp and isinstance(error.__cause__, aiohttp.ClientError):
        # Its adapter for httpx calls every broken connection a timeout.
        return isinstance(error.__cause__, TimeoutError)
    kinds = [library.TimeoutException for library in _http_libraries()]
    return isinstance(error, (TimeoutError, *kinds))


def _is_transport(error: BaseException) -> bool:
    kinds = [library.RequestError for library in _http_libraries()]
    if aiohttp := sys.modules.get("aiohttp"):
        # Its adapter for httpx lets some of its errors through.
        kinds.append(aiohttp.ClientError)
    return isinstance(error, (OSError, *kinds))


def header(response: Any, name: str) -> str | None:
    value = response.headers.get(name)
    return str(value) if value else None


def _body(response: Any) -> object:
    try:
        return response.json()
    except (ValueError, TypeError, RecursionError):
        return response.content.decode(errors="replace")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the service asks to wait for."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        with suppress(ValueError):
            seconds = float(headers.get(name) or "") / unit
            if 0 <= seconds < math.inf:
                return seconds
    until, now = _date(headers.get("retry-after")), _date(headers.get("date"))
    if until is None:
        return None
    # By the service's own clock, where it tells the time.
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError):
        return None
    return date.replace(tzinfo=date.tzinfo or UTC)
