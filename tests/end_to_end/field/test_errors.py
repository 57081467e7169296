"""Errors as gateways and the service really send them, in every call style.

The texts are of the official page of error codes, of recordings, and of public reports
until November 2026; the bytes are made here.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from modelstudio_core import errors
from modelstudio_core.endpoints import Protocol, refused_key_hint
from tests.end_to_end.field.support import ask
from tests.support.answers import JSON, STREAM
from tests.support.calls import CALL_STYLES, CallStyle
from tests.support.models import FRAMEWORKS, KEY, PROTOCOLS, Framework, model
from tests.support.replay import replaying

EACH_PROTOCOL: Final = pytest.mark.parametrize("protocol", PROTOCOLS)
EACH_STYLE: Final = pytest.mark.parametrize("style", CALL_STYLES, ids=str)
HTML: Final = {"content-type": "text/html"}
PLAIN: Final = {"content-type": "text/plain"}


async def error_of(
    style: CallStyle,
    protocol: Protocol,
    status: int,
    headers: dict[str, str],
    body: str,
    **arguments: Any,
) -> errors.APIError:
    """Return the error of a call that is answered with a body."""
    with replaying(status, headers, body.encode()) as replay:
        with pytest.raises(errors.APIError) as caught:
            await ask(replay, style, protocol, **arguments)
        assert len(replay.requests) == 1
    return caught.value


# --- Bodies inside bodies -------------------------------------------------------------

MODERATED: Final[Mapping[Protocol, dict[str, Any]]] = {
    "openai": {
        "error": {
            "code": "data_inspection_failed",
            "message": "Output data may contain inappropriate content.",
            "type": "data_inspection_failed",
        },
        "request_id": "r-1",
    },
    "dashscope": {
        "code": "DataInspectionFailed",
        "message": "Output data may contain inappropriate content.",
        "request_id": "r-1",
    },
}


def as_event(protocol: Protocol, payload: object) -> str:
    text = json.dumps(payload)
    if protocol == "openai":
        return f"data: {text}\n\n"
    return f"id:1\nevent:error\n:HTTP_STATUS/400\ndata:{text}\n\n"


def in_message(text: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": text, **more}}


def nested_bodies(protocol: Protocol) -> dict[str, tuple[dict[str, str], str]]:
    """Return the same error in every frame that was reported."""
    payload = MODERATED[protocol]
    once = as_event(protocol, payload)
    twice = json.dumps(in_message(once, code=None, type="upstream_error"))
    return {
        "an event": (STREAM, once),
        "an event in plain text": (PLAIN, once),
        "an event with CRLF": (PLAIN, once.replace("\n", "\r\n")),
        "an event without a blank line": (STREAM, once.rstrip()),
        "an event in an event": (STREAM, as_event(protocol, in_message(once))),
        "an event in an object": (JSON, twice),
        "JSON in a message": (JSON, json.dumps(in_message(json.dumps(payload)))),
        "an object in an object": (JSON, json.dumps({"error": payload})),
        "a text": (PLAIN, json.dumps(payload)),
    }


@EACH_PROTOCOL
@EACH_STYLE
@pytest.mark.parametrize("frame", nested_bodies("openai"))
async def test_an_error_is_read_from_any_frame(
    style: CallStyle, protocol: Protocol, frame: str
) -> None:
    headers, body = nested_bodies(protocol)[frame]
    if frame == "an object in an object" and protocol == "dashscope":
        headers, body = JSON, json.dumps({"error": {"error": MODERATED[protocol]}})
    error = await error_of(style, protocol, 400, headers, body)
    assert isinstance(error, errors.ContentFilterError)
    assert error.status_code == 400
    assert error.code in {"data_inspection_failed", "DataInspectionFailed"}
    assert error.message == "Output data may contain inappropriate content."
    assert error.request_id == "r-1"


@EACH_PROTOCOL
async def test_an_endless_nesting_is_read_to_a_depth(protocol: Protocol) -> None:
    payload: object = MODERATED[protocol]
    for _ in range(9):
        payload = in_message(json.dumps(payload))
    style = CALL_STYLES[0]
    error = await error_of(style, protocol, 400, JSON, json.dumps(payload))
    assert isinstance(error, errors.BadRequestError)


@EACH_PROTOCOL
@EACH_STYLE
async def test_a_key_inside_a_nested_body_is_hidden(
    style: CallStyle, protocol: Protocol
) -> None:
    inner = json.dumps(in_message(f"Incorrect key {KEY}", code="invalid_api_key"))
    body = json.dumps(in_message(f"data: {inner}\n\n"))
    error = await error_of(style, protocol, 401, JSON, body)
    assert isinstance(error, errors.AuthenticationError)
    assert KEY not in f"{error} {error.body} {error!r}"


# --- Codes that a gateway drops -------------------------------------------------------

ARREARS: Final = (
    "Access denied, please make sure your account is in good standing. For details,"
    " see: https://www.alibabacloud.com/help/en/model-studio/error-code#overdue-payment"
)
INAPPROPRIATE: Final = "Output data may contain inappropriate content."
DROPPED: Final[Mapping[str, tuple[int, str, type[errors.APIError]]]] = {
    "arrears": (400, ARREARS, errors.QuotaExceededError),
    "arrears as 403": (403, ARREARS, errors.QuotaExceededError),
    "arrears as 500": (500, ARREARS, errors.QuotaExceededError),
    "code in the text": (400, "Arrearage: overdue.", errors.QuotaExceededError),
    "moderation": (
        400,
        "Input data may contain inappropriate content.",
        errors.ContentFilterError,
    ),
    "moderation as 500": (
        500,
        f"<400> InternalError.Algo.DataInspectionFailed: {INAPPROPRIATE}",
        errors.ContentFilterError,
    ),
    "no model": (400, "Model not exist.", errors.BadRequestError),
    "another": (400, "Bad standing of the moon.", errors.BadRequestError),
}


@EACH_PROTOCOL
@EACH_STYLE
@pytest.mark.parametrize("name", DROPPED)
async def test_an_error_without_its_code_is_known_by_its_text(
    style: CallStyle, protocol: Protocol, name: str
) -> None:
    status, text, kind = DROPPED[name]
    for body in (json.dumps(in_message(text)), json.dumps({"message": text}), text):
        headers = JSON if body.startswith("{") else PLAIN
        error = await error_of(style, protocol, status, headers, body)
        assert type(error).__name__ == kind.__name__
        assert not error.is_retryable
        assert text in error.message


# --- A wrong address ------------------------------------------------------------------

NGINX: Final = (
    "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center>"
    "<h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center></body></html>"
)
NOT_FOUND: Final[Mapping[str, tuple[dict[str, str], str]]] = {
    "FastAPI": (JSON, '{"detail": "Not Found"}'),
    "nginx": (HTML, NGINX),
    "nothing": (PLAIN, ""),
    "Go": (PLAIN, "404 page not found"),
    "Express": (HTML, "<!DOCTYPE html><html><body><pre>Cannot POST /x</pre></body>"),
    "Spring": (JSON, '{"status":404,"error":"Not Found","path":"/x"}'),
    "a code of the service": (JSON, '{"code":"NotFound","message":"No."}'),
}


@EACH_PROTOCOL
@EACH_STYLE
@pytest.mark.parametrize("name", NOT_FOUND)
async def test_a_404_of_a_gateway_says_the_address(
    style: CallStyle, protocol: Protocol, name: str
) -> None:
    headers, body = NOT_FOUND[name]
    path = {
        "openai": "/compatible-mode/v1/chat/completions",
        "dashscope": "/api/v1/services/aigc/text-generation/generation",
    }[protocol]
    error = await error_of(style, protocol, 404, headers, body)
    assert isinstance(error, errors.NotFoundError)
    assert f"{path} does not exist: its path may be wrong" in error.message
    assert "http://127.0.0.1:" in error.message
    assert "nearest" not in error.message
    assert "<html" not in error.message.casefold() or name == "Express"


MISSING_MODEL: Final = (
    (400, {"code": "InvalidParameter", "message": "Model not exist."}),
    (404, {"code": "ModelNotFound", "message": "Model can not be found."}),
    (404, in_message("The model `x` does not exist.", code="model_not_found")),
    (404, in_message("No.", code="model_not_supported")),
)


@EACH_PROTOCOL
@EACH_STYLE
@pytest.mark.parametrize(("status", "body"), MISSING_MODEL)
async def test_only_the_services_words_mean_a_missing_model(
    style: CallStyle, protocol: Protocol, status: int, body: dict[str, Any]
) -> None:
    error = await error_of(style, protocol, status, JSON, json.dumps(body))
    assert "nearest known model" in error.message
    assert "path may be wrong" not in error.message


# --- Refused keys ---------------------------------------------------------------------

REFUSED: Final = json.dumps(in_message("Incorrect API key.", code="invalid_api_key"))


@EACH_PROTOCOL
@EACH_STYLE
async def test_a_refused_key_of_a_plan_names_its_hosts(
    style: CallStyle, protocol: Protocol
) -> None:
    key = "sk-sp-0123456789abcdef"
    error = await error_of(style, protocol, 401, JSON, REFUSED, api_key=key)
    assert isinstance(error, errors.AuthenticationError)
    assert "Coding Plan or a Token Plan" in error.message
    assert "https://coding.dashscope.aliyuncs.com/v1" in error.message
    assert "https://token-plan.<region>.maas.aliyuncs.com" in error.message
    assert "API keys belong to one region" not in error.message
    assert key not in str(error)


FRONTS: Final = {
    "https://maas.qwencloudapi.com": "Qwen Cloud",
    "https://maas.qianwenaiapi.com/compatible-mode/v1": "Qianwen AI Platform",
    "https://ws-1.maas.qwencloudapi.com": "Qwen Cloud",
}


@EACH_PROTOCOL
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("base_url", FRONTS)
def test_another_front_of_the_service_is_known_by_its_name_alone(
    framework: Framework, protocol: Protocol, base_url: str
) -> None:
    llm = model(framework, base_url, protocol)
    endpoint = llm.resolved.connection.endpoint
    host = base_url.removeprefix("https://").partition("/")[0]
    path = {"openai": "/compatible-mode/v1", "dashscope": "/api/v1"}[protocol]
    assert llm.resolved.connection.base_url == f"https://{host}{path}"
    assert (endpoint.region, endpoint.mode) == (None, None)
    hint = refused_key_hint(endpoint, plan_key=False)
    assert FRONTS[base_url] in hint
