"""Calls in an ``except`` block, which handles an error of another request."""

import ssl
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from modelstudio_core import errors
from tests.support.calls import CALL_STYLES, CallStyle, call
from tests.support.models import PROTOCOLS, Protocol, model
from tests.support.raw_server import answering


class RequestsError(OSError):
    """Like the error of ``requests``, whose response has other attributes."""

    response = SimpleNamespace(
        status_code=503, headers={}, url="http://other.example/", raw=None
    )


def foreign_error(status: int) -> Exception:
    request = httpx.Request("POST", "https://other.example/")
    body = {"error": {"message": "of the other service", "code": "other"}}
    response = httpx.Response(status, json=body, request=request)
    return httpx.HTTPStatusError("x", request=request, response=response)


OUTER = {
    "a 404": foreign_error(404),
    "a 429": foreign_error(429),
    "an error of requests": RequestsError("503"),
    "a certificate": ssl.SSLCertVerificationError("of the other service"),
    "a timeout": httpx.ReadTimeout("of the other service"),
}


@pytest.mark.parametrize("outer", OUTER.values(), ids=OUTER)
@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_lost_connection_is_no_error_of_another_service(
    protocol: Protocol, style: CallStyle, outer: Exception
) -> None:
    with answering([]) as url:
        llm = model(style.framework, url, protocol, max_retries=0)
        try:
            raise outer  # noqa: TRY301 - a function would have handled it
        except Exception:  # noqa: BLE001 - it is handled while the model is called
            with pytest.raises(errors.APIConnectionError) as caught:
                await call(llm, style, "Hi")
    assert type(caught.value).__name__ == "APIConnectionError"
    assert "cannot be reached" in str(caught.value)
    assert "other service" not in str(caught.value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
async def test_an_error_of_a_hook_about_another_service_is_the_hooks(
    style: CallStyle, protocol: Protocol
) -> None:
    def ask_for_a_token(_: Any) -> None:
        raise foreign_error(401)

    async def ask_for_a_token_async(_: Any) -> None:
        raise foreign_error(401)

    hooks = {"request": [ask_for_a_token]}
    async_hooks = {"request": [ask_for_a_token_async]}
    with answering([]) as url, httpx.Client(event_hooks=hooks) as client:
        async with httpx.AsyncClient(event_hooks=async_hooks) as async_client:
            llm = model(
                style.framework,
                url,
                protocol,
                max_retries=0,
                http_client=client,
                http_async_client=async_client,
            )
            with pytest.raises(Exception, match="x") as caught:
                await call(llm, style, "Hi")
    assert not isinstance(caught.value, errors.AuthenticationError)
