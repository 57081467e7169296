"""Exceptions of the SDKs and of the HTTP libraries become errors of the package."""

import ssl
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import ModuleType, SimpleNamespace
from typing import Any, Final

import dashscope.v2.errors
import httpx
import openai
import pytest

from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    ConfigurationError,
    IncompleteStreamError,
)
from modelstudio_core.transport.failures import (
    broken_body_error,
    status_error,
    translate_error,
)
from modelstudio_core.transport.pools import http_library
from modelstudio_core.transport.relays import ErrorStatusError, refused_response
from tests.core.support import CONTEXT, KEY, STARS, make_connection

# The library of the openai SDK: its exceptions have the same names as those of httpx.
sdk_http: Any = http_library()
URL: Final = "http://127.0.0.1:9"
REQUEST: Final = httpx.Request("POST", URL)
EACH_LIBRARY: Final = pytest.mark.parametrize(
    "http", dict.fromkeys((httpx, sdk_http)), ids=lambda http: http.__name__
)


def translate(error: Exception, pool: object = None, **arguments: Any) -> Any:
    """Translate an error that sending a request over a pool raised."""
    return translate_error(error, make_connection(**arguments), pool, CONTEXT)


def raised_from(error: Exception, cause: Exception) -> Exception:
    """Return an error with a cause."""
    error.__cause__ = cause
    return error


def openai_error(status: int, *, headers: Any = None, **body: Any) -> Exception:
    """Return the error that the openai SDK raises for a response."""
    request = sdk_http.Request("POST", f"{URL}?signature=1")
    response = sdk_http.Response(status, headers=headers, request=request, **body)
    return openai.APIStatusError("refused", response=response, body=None)


def test_a_library_that_another_thread_is_loading_is_not_looked_into(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("openai", "dashscope.v2.errors", "aiohttp", "httpx2"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    timeout = httpx.ReadTimeout("slow", request=REQUEST)
    assert isinstance(translate(timeout), APITimeoutError)
    assert isinstance(translate(ConnectionResetError()), APIConnectionError)
    broken = broken_body_error(EOFError(), CONTEXT, None)
    assert isinstance(broken, IncompleteStreamError)


# --- Refused requests ---------------------------------------------------------------


def test_the_response_of_a_refusal_is_found() -> None:
    response = httpx.Response(401)
    for error in (
        ErrorStatusError(response),
        raised_from(RuntimeError("x"), ErrorStatusError(response)),
        openai_error(401),
    ):
        found: Any = refused_response(error, URL)
        assert found.status_code == 401
    assert refused_response(ErrorStatusError(httpx.Response(307)), URL) is not None


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(401, request=httpx.Request("POST", "http://127.0.0.1:9/b")),
        httpx.Response(401),
        SimpleNamespace(status_code=401, url=URL),
        SimpleNamespace(status_code=401),
    ],
)
def test_the_response_of_another_request_is_no_refusal(response: Any) -> None:
    error = RuntimeError("x")
    error.response = response  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue] - as HTTP libraries do
    assert refused_response(error, URL) is None


def test_an_error_that_the_caller_handles_is_no_refusal() -> None:
    error = RuntimeError("x")
    error.__context__ = openai_error(429)
    assert refused_response(error, URL) is None


def test_a_response_with_a_success_status_is_no_refusal() -> None:
    error = httpx.ReadError("broken")
    error.response = httpx.Response(200)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue] - as the SDKs do
    assert refused_response(error, URL) is None
    assert refused_response(httpx.ReadError("broken"), URL) is None


# --- No response --------------------------------------------------------------------


@EACH_LIBRARY
@pytest.mark.parametrize(
    ("name", "cls", "was_sent"),
    [
        ("ConnectError", APIConnectionError, False),
        ("ReadError", APIConnectionError, True),
        ("WriteError", APIConnectionError, True),
        ("RemoteProtocolError", APIConnectionError, True),
        ("ProxyError", APIConnectionError, True),
        ("ConnectTimeout", APITimeoutError, False),
        ("PoolTimeout", APITimeoutError, False),
        ("ReadTimeout", APITimeoutError, True),
        ("WriteTimeout", APITimeoutError, True),
    ],
)
@pytest.mark.parametrize("is_wrapped", [False, True], ids=["bare", "in the SDK's"])
def test_errors_of_the_http_libraries(
    http: Any,
    name: str,
    cls: type[APIConnectionError],
    was_sent: bool,
    is_wrapped: bool,
) -> None:
    cause: Exception = getattr(http, name)("broken")
    error = cause
    if is_wrapped:
        request: Any = sdk_http.Request("POST", "http://127.0.0.1:9")
        error = raised_from(openai.APIConnectionError(request=request), cause)
    translated = translate(error)
    assert type(translated) is cls
    assert translated.was_sent is was_sent
    assert translated.is_retryable
    assert translated.__cause__ is cause
    if cls is APITimeoutError:
        assert translated.message == (
            "dashscope-us.aliyuncs.com did not answer within the timeout."
        )
    else:
        assert translated.message == (
            "dashscope-us.aliyuncs.com cannot be reached: broken"
        )


@pytest.mark.parametrize(
    ("error", "cls", "was_sent"),
    [
        (ConnectionRefusedError("broken"), APIConnectionError, False),
        (ConnectionResetError("broken"), APIConnectionError, True),
        (OSError("broken"), APIConnectionError, True),
        (TimeoutError("broken"), APITimeoutError, True),
    ],
)
def test_errors_of_the_operating_system(
    error: Exception, cls: type[APIConnectionError], was_sent: bool
) -> None:
    translated = translate(error)
    assert type(translated) is cls
    assert translated.was_sent is was_sent


def test_an_error_of_the_dashscope_sdk_without_a_response() -> None:
    error = dashscope.v2.errors.APIConnectionError("broken")
    assert type(translate(error)) is APIConnectionError
    timeout = raised_from(
        dashscope.v2.errors.APITimeoutError("x"), httpx.ReadTimeout("y")
    )
    assert type(translate(timeout)) is APITimeoutError


def test_an_error_without_a_text_has_its_class_as_text() -> None:
    error = translate(httpx.ReadError(""))
    assert error.message == "dashscope-us.aliyuncs.com cannot be reached: ReadError"


def test_an_untrusted_certificate_is_not_retryable() -> None:
    certificate = ssl.SSLCertVerificationError(1, "self-signed certificate")
    error = translate(raised_from(httpx.ConnectError("x"), certificate))
    assert type(error) is APIConnectionError
    assert not error.is_retryable
    assert "is not trusted" in error.message
    assert "self-signed certificate" in error.message
    assert "SSL_CERT_FILE" in error.message
    assert not error.was_sent


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_cause_that_shows_the_key_is_dropped(depth: int) -> None:
    cause: Exception = httpx.LocalProtocolError(f"Illegal header {KEY}")
    for _ in range(depth):
        cause = raised_from(httpx.ReadError("x"), cause)
    error = translate(cause)
    assert error.__cause__ is None
    assert KEY not in str(error)


# --- Other errors -------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), KeyError("x")])
def test_other_errors_are_returned_as_they_are(error: Exception) -> None:
    assert translate(error) is error


@pytest.mark.parametrize(
    "error", [RuntimeError("the client has been closed"), httpx.ReadError("x")]
)
def test_a_closed_client_is_a_configuration_error(error: Exception) -> None:
    client, other = httpx.Client(), httpx.Client()
    opened = translate(error, client, http_client=client)
    assert not isinstance(opened, ConfigurationError)
    client.close()
    closed = translate(error, client, http_client=client)
    assert type(closed) is ConfigurationError
    assert closed.message == (
        "http_client is closed: pass an open client, or remove http_client=."
    )
    # Another client was used, or the closed one is not the user's.
    assert type(translate(error, other, http_client=client)) is type(opened)
    assert type(translate(error, client)) is type(opened)
    other.close()


async def test_a_closed_async_client_is_a_configuration_error() -> None:
    client = httpx.AsyncClient()
    await client.aclose()
    error = RuntimeError("the client has been closed")
    closed = translate(error, client, http_async_client=client)
    assert type(closed) is ConfigurationError
    assert closed.message.startswith("http_async_client is closed")


def test_a_closed_client_that_is_not_the_users_is_no_configuration_error() -> None:
    error = RuntimeError("the client has been closed")
    pool = httpx.Client()
    pool.close()
    with httpx.Client() as client:
        assert translate(error, pool, http_client=client) is error


# --- Broken bodies ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "cls"),
    [
        (httpx.ReadTimeout("x"), APITimeoutError),
        (TimeoutError("x"), APITimeoutError),
        (httpx.ReadError("x"), IncompleteStreamError),
        (httpx.RemoteProtocolError("x"), IncompleteStreamError),
        (ValueError("x"), IncompleteStreamError),
    ],
)
def test_the_error_of_a_broken_body(error: Exception, cls: type[APIError]) -> None:
    broken = broken_body_error(error, CONTEXT, "r-1")
    assert type(broken) is cls
    assert broken.request_id == "r-1"
    assert broken.is_retryable
    assert broken.__cause__ is error


def test_the_error_of_a_broken_body_does_not_show_a_key() -> None:
    broken = broken_body_error(httpx.ReadError(f"x {KEY}"), CONTEXT, None)
    assert broken.__cause__ is None
    assert STARS in broken.message


# --- The wait that the service asks for ---------------------------------------------


A_YEAR: Final = 366 * 24 * 3600.0


def test_an_odd_date_beside_a_date_to_wait_for_is_not_used() -> None:
    odd = "Mon, 01 Jan 99999999999 00:00:00 GMT"
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=30))
    seconds = retry_after(retry_after=until, date=odd)
    assert seconds is not None
    assert 25 < seconds <= 31


def retry_after(**headers: str) -> float | None:
    """Return the wait that the headers of a response ask for."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    refused: Any = SimpleNamespace(status_code=429, headers=named)
    return status_error(refused, "", CONTEXT).retry_after


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after": "2.5"}, 2.5),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after_ms": "1500", "retry_after": "7"}, 1.5),
        ({"retry_after_ms": "x", "retry_after": "7"}, 7.0),
        ({"retry_after": ""}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-1"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "nan"}, None),
        # Too far away to be soon: a finite number, which can be slept and stored.
        ({"retry_after": "1e400"}, A_YEAR),
        ({"retry_after": "9" * 400}, A_YEAR),
        ({"retry_after_ms": "1e300"}, A_YEAR),
        ({"retry_after": "-1e400"}, None),
        ({"retry_after": "Mon, 01 Jan 9998 00:00:00 GMT"}, A_YEAR),
        # A date that cannot be read is no wish.
        ({"retry_after": "Mon, 01 Jan 99999999999 00:00:00 GMT"}, None),
        ({"retry_after": "Mon, 01 Jan 2026 00:00:00 +99999999999999"}, None),
        ({"retry_after": "Mon, 31 Dec 9999 23:59:59 -2359"}, None),
        ({"retry_after": "7", "date": "Mon, 01 Jan 99999999999 00:00:00"}, 7.0),
    ],
)
def test_a_wait_in_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(**headers) == seconds


def test_a_wait_until_a_date_is_measured_by_the_clock_of_the_service() -> None:
    date = datetime(2020, 1, 1, tzinfo=UTC)
    until = date + timedelta(seconds=30)
    assert (
        retry_after(retry_after=format_datetime(until), date=format_datetime(date))
        == 30
    )
    assert retry_after(retry_after=format_datetime(until)) == 0.0


@pytest.mark.parametrize(
    "write", [format_datetime, lambda date: format_datetime(date.replace(tzinfo=None))]
)
def test_a_wait_until_a_date(write: Callable[[datetime], str]) -> None:
    until = datetime.now(UTC) + timedelta(seconds=60)
    seconds = retry_after(retry_after=write(until))
    assert seconds is not None
    assert 0 < seconds <= 60


def test_an_empty_request_id_is_none() -> None:
    refused: Any = SimpleNamespace(status_code=429, headers={"x-request-id": ""})
    assert status_error(refused, "", CONTEXT).request_id is None
