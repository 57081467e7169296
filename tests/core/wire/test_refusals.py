"""Error responses: which exception each one is, and what it shows."""

import json
import time
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextOverflowError,
    InternalServerError,
    InvalidResponseError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
)
from modelstudio_core.redaction import Redactor
from modelstudio_core.wire.refusals import (
    ErrorContext,
    is_refusal,
    too_large_refusal,
)
from tests.core.support import CONTEXT, KEY, STARS


# --- Every row of the official error table ----------------------------------------
class Fault(NamedTuple):
    """An error as it is delivered, and what it is."""

    status: int
    code: str | None
    message: str
    cls: type[APIError]
    retry: bool = False
    kind: str | None = None


FREE = "Free allocated quota exceeded."
# fmt: off
NATIVE = (
    Fault(400, "InvalidParameter", "Bad.", BadRequestError),
    Fault(400, "InvalidParameter.NotSupportEnableThinking", "No.", BadRequestError),
    Fault(400, "BadRequest.EmptyInput", "Empty.", BadRequestError),
    Fault(400, "BadRequest.EmptyParameters", "Empty.", BadRequestError),
    Fault(400, "BadRequest.EmptyModel", "Empty.", BadRequestError),
    Fault(400, "BadRequest.IllegalInput", "Illegal.", BadRequestError),
    Fault(400, "BadRequest.TooLarge", "Large.", BadRequestError),
    Fault(400, "BadRequest.InputDownloadFailed", "No.", BadRequestError),
    Fault(400, "DataInspectionFailed", "Inappropriate.", ContentFilterError),
    Fault(400, "InvalidParameter.DataInspection", "Media.", ContentFilterError),
    Fault(400, "CustomRoleBlocked", "Blocked.", ContentFilterError),
    Fault(400, "FaqRuleBlocked", "Blocked.", ContentFilterError),
    Fault(400, "IPInfringementSuspect", "Suspect.", ContentFilterError),
    Fault(400, "Arrearage", "Overdue.", QuotaExceededError),
    Fault(400, "InvalidURL", "No.", BadRequestError),
    Fault(400, "InvalidURL.Timeout", "No.", BadRequestError),
    Fault(400, "InvalidURL.ConnectionRefused", "No.", BadRequestError),
    Fault(400, "InvalidFile.Format", "No.", BadRequestError),
    Fault(400, "InvalidImage.Size", "No.", BadRequestError),
    Fault(400, "UnsupportedOperation", "Not pending.", BadRequestError),
    Fault(401, "InvalidApiKey", "Invalid.", AuthenticationError),
    Fault(401, "NOT AUTHORIZED", "Workspace.", AuthenticationError),
    Fault(403, "AccessDenied", "Denied.", PermissionDeniedError),
    Fault(403, "AccessDenied.Unpurchased", "Denied.", PermissionDeniedError),
    Fault(403, "Model.AccessDenied", "Denied.", PermissionDeniedError),
    Fault(403, "App.AccessDenied", "Denied.", PermissionDeniedError),
    Fault(403, "Workspace.AccessDenied", "Denied.", PermissionDeniedError),
    Fault(403, "AllocationQuota.FreeTierOnly", "Used up.", QuotaExceededError),
    Fault(404, "ModelNotFound", "No.", NotFoundError),
    Fault(404, "WorkSpaceNotFound", "No.", NotFoundError),
    Fault(404, "NotFound", "No.", NotFoundError),
    Fault(409, "Conflict", "Conflict.", APIStatusError, retry=True),
    Fault(429, "Throttling", "Slow down.", RateLimitError, retry=True),
    Fault(429, "Throttling.RateQuota", "Slow down.", RateLimitError, retry=True),
    Fault(429, "LimitRequests", "Slow down.", RateLimitError, retry=True),
    Fault(429, "Throttling.BurstRate", "Slow down.", RateLimitError, retry=True),
    Fault(429, "Throttling.AllocationQuota", "Tokens.", RateLimitError, retry=True),
    Fault(429, "Throttling.AllocationQuota", FREE, QuotaExceededError),
    Fault(429, "CommodityNotPurchased", "Pay.", QuotaExceededError),
    Fault(429, "PrepaidBillOverdue", "Pay.", QuotaExceededError),
    Fault(429, "PostpaidBillOverdue", "Pay.", QuotaExceededError),
    Fault(500, "InternalError", "Oops.", InternalServerError, retry=True),
    Fault(500, "InternalError.Algo", "Oops.", InternalServerError, retry=True),
    Fault(500, "InternalError.Timeout", "Oops.", InternalServerError, retry=True),
    Fault(500, "SystemError", "Oops.", InternalServerError, retry=True),
    Fault(500, "ModelServiceFailed", "Oops.", InternalServerError, retry=True),
    Fault(500, "RequestTimeOut", "Oops.", InternalServerError, retry=True),
    Fault(500, "ResponseTimeout", "Oops.", InternalServerError, retry=True),
    Fault(500, "InternalError.Algo", "list index out of range", InternalServerError),
    Fault(500, "InternalError.Algo", "Role must be in [user, assistant]",
          InternalServerError),
    Fault(500, "InternalError.Algo", "Expecting ',' delimiter: line 1",
          InternalServerError),
    Fault(503, "ModelServingError", "Too many requests.", InternalServerError,
          retry=True),
    Fault(503, "ModelUnavailable", "Gone.", InternalServerError, retry=True),
)
COMPATIBLE = (
    Fault(400, "invalid_parameter_error", "Bad.", BadRequestError,
          kind="invalid_request_error"),
    Fault(400, None, "you must provide a model parameter.", BadRequestError,
          kind="invalid_request_error"),
    Fault(400, "invalid_value", "-1 is lesser than the minimum of 0 - 'seed'",
          BadRequestError, kind="invalid_request_error"),
    Fault(400, "data_inspection_failed", "<400> InternalError.Algo."
          "DataInspectionFailed: Input text data may contain inappropriate content.",
          ContentFilterError, kind="data_inspection_failed"),
    Fault(400, "Arrearage", "Overdue.", QuotaExceededError, kind="Arrearage"),
    Fault(400, "invalid_parameter_error", "<400> InternalError.Algo.InvalidParameter:"
          " Range of input length should be [1, 983616]", ContextOverflowError,
          kind="invalid_request_error"),
    Fault(401, "invalid_api_key", "Incorrect.", AuthenticationError,
          kind="invalid_request_error"),
    Fault(403, "access_denied", "Denied.", PermissionDeniedError,
          kind="access_denied"),
    Fault(403, "AllocationQuota.FreeTierOnly", "Used up.", QuotaExceededError,
          kind="AllocationQuota.FreeTierOnly"),
    Fault(404, "model_not_found", "The model `x` does not exist.", NotFoundError,
          kind="invalid_request_error"),
    Fault(404, "model_not_supported", "Use native.", NotFoundError,
          kind="invalid_request_error"),
    Fault(429, "limit_requests", "Slow down.", RateLimitError, retry=True,
          kind="limit_requests"),
    Fault(429, "limit_burst_rate", "Slow down.", RateLimitError, retry=True,
          kind="limit_burst_rate"),
    Fault(429, "insufficient_quota", "Tokens a minute.", RateLimitError, retry=True,
          kind="insufficient_quota"),
    Fault(429, "insufficient_quota", FREE, QuotaExceededError,
          kind="insufficient_quota"),
    Fault(500, "internal_error", "Oops.", InternalServerError, retry=True,
          kind="internal_error"),
)
# fmt: on
# Only with its own status: the same code is a 429 for tokens.
RESOURCES = Fault(400, "Throttling.AllocationQuota", "Voices.", BadRequestError)
# Inside a stream, this could not be recognized as a 401: it has no code.
KEY_MISSING = Fault(
    401, None, "You didn't provide an API key.", AuthenticationError, kind=None
)


def native(fault: Fault) -> dict[str, Any]:
    """Return a fault's body on the native protocol."""
    return {"code": fault.code, "message": fault.message, "request_id": "r-1"}


def compatible(fault: Fault) -> dict[str, Any]:
    """Return a fault's body on the OpenAI-compatible protocol."""
    error = {
        "message": fault.message,
        "type": fault.kind,
        "param": None,
        "code": fault.code,
    }
    return {"error": error, "request_id": "r-1"}


CASES = [
    *(pytest.param(f, native(f), id=f"native {f.code}: {f.message}") for f in NATIVE),
    *(
        pytest.param(f, compatible(f), id=f"compatible {f.code}: {f.message}")
        for f in COMPATIBLE
    ),
]


@pytest.mark.parametrize(
    ("fault", "body"),
    [
        *CASES,
        pytest.param(RESOURCES, native(RESOURCES), id="resources"),
        pytest.param(KEY_MISSING, compatible(KEY_MISSING), id="no key"),
    ],
)
def test_error_response(fault: Fault, body: dict[str, Any]) -> None:
    error = CONTEXT.from_payload(fault.status, body)
    assert type(error) is fault.cls
    assert error.status_code == fault.status
    assert error.code == fault.code
    assert error.message.startswith(fault.message)
    assert error.request_id == "r-1"
    assert error.region == "us-east-1"
    assert error.protocol == "openai"
    assert error.is_retryable is fault.retry
    assert error.body == body


@pytest.mark.parametrize(("fault", "body"), CASES)
def test_an_error_inside_a_stream_has_the_class_of_its_own_status(
    fault: Fault, body: dict[str, Any]
) -> None:
    error = CONTEXT.from_payload(None, body)
    assert type(error) is fault.cls
    assert error.status_code == fault.status
    assert error.is_retryable is fault.retry


@pytest.mark.parametrize(
    ("body", "status", "cls"),
    [
        ({"error": {"message": "<503> Busy."}}, 503, InternalServerError),
        ({"error": {"message": "<429> Slow.", "code": "x"}}, 429, RateLimitError),
        ({"error": {"message": "x", "code": 429}}, 429, RateLimitError),
        ({"error": {"message": "x", "code": "401"}}, 401, AuthenticationError),
        (
            {"error": {"message": "x", "type": "invalid_request_error"}},
            400,
            BadRequestError,
        ),
        ({"error": {"message": "x", "type": "server_error"}}, 500, InternalServerError),
        ({"error": {"message": "x", "type": "Server_Error"}}, 500, InternalServerError),
        ({"code": "InvalidImage.Size", "message": "x"}, 400, BadRequestError),
        ({"code": "x", "message": "in arrears"}, 400, QuotaExceededError),
        ({"code": "x", "message": "Overdue payment."}, 400, QuotaExceededError),
        (
            {"code": "x", "message": "It may contain inappropriate content."},
            400,
            ContentFilterError,
        ),
        ({"error": {"message": "x", "code": "099"}}, None, APIError),
        ({"error": {"message": "x", "code": "600"}}, None, APIError),
        ({"error": {"message": "x", "code": "4000"}}, None, APIError),
        ({"error": {"message": "<399> x"}}, None, APIError),
        ({"error": {"message": "<600> x"}}, None, APIError),
        ({"error": {"message": " <599> x"}}, 599, InternalServerError),
        ({"error": {"message": "x", "type": "other"}}, None, APIError),
        ({"error": {"message": "x"}}, None, APIError),
        ({"error": "x"}, None, APIError),
        ("x", None, APIError),
        (
            {
                "error": {
                    "message": "Unknown tag <123> in the template.",
                    "code": "invalid_parameter_error",
                }
            },
            400,
            BadRequestError,
        ),
    ],
)
def test_status_that_follows_from_the_body(
    body: object, status: int | None, cls: type[APIError]
) -> None:
    error = CONTEXT.from_payload(None, body)
    assert type(error) is cls
    assert error.status_code == status


@pytest.mark.parametrize(
    ("status", "cls", "retry"),
    [
        (400, BadRequestError, False),
        (401, AuthenticationError, False),
        (403, PermissionDeniedError, False),
        (404, NotFoundError, False),
        (408, APIStatusError, True),
        (413, APIStatusError, False),
        (418, APIStatusError, False),
        (422, BadRequestError, False),
        (429, RateLimitError, True),
        (500, InternalServerError, True),
        (502, InternalServerError, True),
        (503, InternalServerError, True),
        (504, InternalServerError, True),
        (599, InternalServerError, True),
    ],
)
@pytest.mark.parametrize("body", ["<html>Oops</html>", {}, [], None, "", {"error": {}}])
def test_the_status_decides_if_the_body_has_no_code(
    status: int, cls: type[APIError], retry: bool, body: object
) -> None:
    error = CONTEXT.from_payload(status, body)
    assert type(error) is cls
    assert error.status_code == status
    assert error.code is None
    assert error.is_retryable is retry


def test_the_status_of_the_response_precedes_that_of_the_body() -> None:
    body = {"error": {"message": "<400> x", "code": "invalid_api_key"}}
    assert CONTEXT.from_payload(500, body).status_code == 500


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"error": {"message": "Inner."}}, "Inner."),
        ({"error": "Just text."}, "Just text."),
        ({"message": "Outer."}, "Outer."),
        ({"error": {}, "message": "Outer."}, "Outer."),
        ({"error": {"message": "Inner."}, "message": "Outer."}, "Inner."),
        ({"error": {"message": "", "detail": "Detail."}}, "Detail."),
        ({"error": {"detail": "Detail."}, "message": "Outer."}, "Outer."),
        ({"detail": "Not Found"}, "Not Found"),
        ({"message": 5}, "5"),
        ({"message": 0}, "HTTP status 502"),
        ("  <html>502</html>\n", "<html>502</html>"),
        ("x" * 600, "x" * 500),
        ("", "HTTP status 502"),
        ({}, "HTTP status 502"),
    ],
)
def test_the_message_is_that_of_the_service(payload: object, message: str) -> None:
    assert CONTEXT.from_payload(502, payload).message == message


def test_a_redirect_is_an_error() -> None:
    error = CONTEXT.from_payload(302, "")
    assert type(error) is APIStatusError
    assert "redirect" in error.message
    assert "base_url" in error.message
    assert not error.is_retryable


@pytest.mark.parametrize(
    "message",
    [
        "Range of input length should be [1, 983616]",
        "<400> InternalError.Algo: Range of input length should be [1, 30720]",
        "This model's maximum context length is 131072 tokens.",
    ],
)
def test_a_prompt_that_is_too_long(message: str) -> None:
    body = {"code": "InvalidParameter", "message": message}
    assert type(CONTEXT.from_payload(400, body)) is ContextOverflowError


# --- Request id and wait ----------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "header", "expected"),
    [
        ({"request_id": "r-body", "message": "x"}, "r-head", "r-body"),
        ({"error": {"message": "x"}, "request_id": "r-body"}, None, "r-body"),
        ({"error": {"message": "x", "request_id": "r-in"}}, None, "r-in"),
        ({"error": {"message": "x", "id": "r-in"}}, None, "r-in"),
        ({"error": {"message": "x"}}, "r-head", "r-head"),
        ({"error": {"message": "x"}}, None, None),
        ("text", "r-head", "r-head"),
        ({"error": {"message": "x"}, "id": "r-own"}, None, "r-own"),
        ({"error": {"message": "x"}, "id": "chatcmpl-r-own"}, None, "r-own"),
        ({"error": {"message": "x", "id": "r-in"}, "id": "r-own"}, None, "r-own"),
        ({"error": {"message": "x", "id": "r-in"}}, "r-head", "r-head"),
        ({"error": {"message": "x", "request_id": "r-in"}}, "r-head", "r-in"),
        (
            {"error": {"message": "x", "request_id": "r-in"}, "request_id": "r-body"},
            None,
            "r-body",
        ),
        ({"message": "x", "request_id": 7}, None, "7"),
        ({"message": "x", "request_id": "", "id": ""}, None, None),
    ],
)
def test_request_id(payload: object, header: str | None, expected: str | None) -> None:
    assert CONTEXT.from_payload(400, payload, request_id=header).request_id == expected


@pytest.mark.parametrize("seconds", [None, 0.0, 7.5])
def test_retry_after_is_kept(seconds: float | None) -> None:
    assert CONTEXT.from_payload(429, {}, retry_after=seconds).retry_after == seconds


# --- Missing addresses ------------------------------------------------------------

HOST = "https://example.com/v1"


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("/chat/completions", f"The address {HOST}/chat/completions does not exist"),
        ("/files", f"The address {HOST}/files does not exist"),
        ("/files/a/b/c", f"The address {HOST}/files/a/b/c does not exist"),
        ("/files/file-1", f"There is no file file-1 at {HOST}: it was deleted"),
        ("/files/file-1/content", f"There is no file file-1 at {HOST}: it was deleted"),
        ("/files/a%20b", f"There is no file a b at {HOST}: it was deleted"),
        ("/batches/b-1", f"There is no batch b-1 at {HOST}: it was deleted"),
        ("/batches/b-1/cancel", f"There is no batch b-1 at {HOST}: it was deleted"),
        ("/batches", "Either the file of the batch does not exist"),
    ],
)
def test_an_error_for_a_missing_address_names_what_is_missing(
    path: str, advice: str
) -> None:
    def message_of(
        status: int, code: str, url: str | None, context: ErrorContext = CONTEXT
    ) -> str:
        body = {"code": code, "message": "No."}
        return context.from_payload(status, body, url=url).message

    url = f"{HOST}{path}"
    assert message_of(404, "x", url).startswith(f"No. {advice}")
    assert message_of(404, "NotFound", url).startswith(f"No. {advice}")
    for nothing_added in (
        message_of(404, "x", None),
        message_of(400, "x", url),
        message_of(404, "WorkspaceNotFound", url),
        message_of(404, "ModelNotFound", url),
        message_of(404, "x", url, CONTEXT.for_other_host("example.org")),
    ):
        assert nothing_added == "No."


@pytest.mark.parametrize("status", [299, 300, 302, 399, 400])
def test_a_redirect_of_the_service_is_explained(status: int) -> None:
    is_redirect = status in {300, 302, 399}
    assert ("redirect" in CONTEXT.from_payload(status, "").message) is is_redirect
    other = CONTEXT.for_other_host("example.org")
    assert other.host == "example.org"
    assert "redirect" not in other.from_payload(status, "").message


@pytest.mark.parametrize(
    ("message", "is_explained"),
    [
        ("Tool names are not allowed to be [search]", True),
        ("Tool name is not allowed", True),
        ("Tools are not allowed", False),
    ],
)
def test_an_error_about_the_name_of_a_tool_says_what_to_do(
    message: str, is_explained: bool
) -> None:
    error = CONTEXT.from_payload(400, {"code": "x", "message": message})
    assert error.message.endswith("rename the tool.") is is_explained


# --- What is not JSON -------------------------------------------------------------


def test_a_body_that_is_not_json_is_shown_in_part() -> None:
    data = b"x" * 70 + KEY.encode() + b"y" * 9000
    with pytest.raises(InvalidResponseError) as caught:
        CONTEXT.parse(data, "r-1", "an event")
    error = caught.value
    assert error.message == (
        f"The response is not an event. It begins with '{'x' * 70}{STARS}'."
    )
    assert error.body == f"{'x' * 70}{STARS}{'y' * 420}"
    assert error.request_id == "r-1"
    assert error.is_retryable


def test_a_body_that_no_answer_of_the_service_has_is_not_asked_for_again() -> None:
    with pytest.raises(InvalidResponseError, match="is nested too deeply") as caught:
        CONTEXT.parse(b"[" * 1000 + b"]" * 1000, "r-1")
    assert "Check base_url" in caught.value.message
    assert not caught.value.is_retryable
    assert caught.value.request_id == "r-1"
    assert CONTEXT.parse(b'{"a": 1}', None) == {"a": 1}


# --- Refused keys -----------------------------------------------------------------


def test_the_error_for_a_refused_key_says_what_to_do() -> None:
    context = replace(CONTEXT, key_hint=lambda: "Use another key.")
    message = context.from_payload(401, native(NATIVE[20])).message
    assert message == "Invalid. Use another key."
    other_host = context.for_other_host("example.com")
    assert other_host.from_payload(401, native(NATIVE[20])).message == "Invalid."


# --- Secrets ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        {"error": {"message": f"Incorrect API key provided: {KEY}."}, KEY: [KEY]},
        {"message": f"{KEY}{KEY}", "code": "x", "detail": {"deep": [{"k": f"x{KEY}"}]}},
        f"<html>{KEY}</html>",
        [KEY],
    ],
)
@pytest.mark.parametrize("status", [None, 400, 401, 500])
def test_a_key_that_the_service_repeats_is_hidden(
    status: int | None, payload: object
) -> None:
    error = CONTEXT.from_payload(status, payload)
    for shown in (str(error), repr(error), repr(error.fields()), repr(error.args)):
        assert KEY not in shown
    assert STARS in repr(error.body)


def test_a_key_is_hidden_in_other_errors() -> None:
    assert KEY not in repr(CONTEXT)
    error = CONTEXT.error(APIConnectionError, f"Header {KEY}", body=KEY)
    assert KEY not in str(error)
    assert error.body == STARS


def test_a_short_key_is_not_hidden() -> None:
    context = ErrorContext(None, "openai", "127.0.0.1", secrets=("test", ""))
    assert context.from_payload(400, "a test failed").message == "a test failed"


def test_redacting_does_not_change_the_payload() -> None:
    payload = {"message": KEY, "number": 1, "none": None}
    error = CONTEXT.from_payload(400, payload)
    assert payload == {"message": KEY, "number": 1, "none": None}
    assert error.body == {"message": STARS, "number": 1, "none": None}


# --- Errors that can be retried -----------------------------------------------------


@pytest.mark.parametrize(
    ("status", "is_retryable"),
    [(500, True), (501, False), (503, True), (505, False), (408, True), (409, True)],
)
def test_statuses_that_can_be_retried(status: int, is_retryable: bool) -> None:
    assert CONTEXT.from_payload(status, {}).is_retryable is is_retryable


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InternalError.Algo", "list index out of range"),
        ("InternalError.Algo.InvalidParameter", "Bad."),
        ("internal_error", "<400> InternalError: bad"),
        ("InternalError.Algo", "Role must be in [user, assistant]"),
    ],
)
def test_an_internal_error_about_the_request_is_not_retried(
    code: str, message: str
) -> None:
    error = CONTEXT.from_payload(500, {"code": code, "message": message})
    assert type(error) is InternalServerError
    assert not error.is_retryable


@pytest.mark.parametrize("prefix", ["", "<500> InternalError.Algo: "])
def test_an_error_about_a_prompt_that_asks_nothing_says_what_to_do(prefix: str) -> None:
    """The service's message names only its own internal error."""
    message = f"{prefix}list index out of range"
    error = CONTEXT.from_payload(
        500, {"code": "InternalError.Algo", "message": message}
    )
    assert error.message.startswith(f"{message}. The service fails so if the last")
    assert "partial=True" in error.message


def test_a_filtered_answer_is_not_retried_even_as_a_conflict() -> None:
    error = CONTEXT.from_payload(409, {"code": "DataInspectionFailed", "message": "x"})
    assert type(error) is ContentFilterError
    assert not error.is_retryable


# --- Suggestions of a model ---------------------------------------------------------

SUGGESTING = replace(CONTEXT, suggest_model=lambda: "Use another model.")


@pytest.mark.parametrize(
    ("status", "body", "is_suggested"),
    [
        (404, {"code": "ModelNotFound", "message": "No."}, True),
        (404, {"error": {"code": "model_not_found", "message": "No."}}, True),
        (404, {"error": {"code": "model_not_supported", "message": "No."}}, True),
        (400, {"code": "x", "message": "Model qwen-plus9 does not exist."}, True),
        (400, {"code": "x", "message": "The model `m` was not found"}, True),
        (404, {}, False),
        (404, "<html>Not found</html>", False),
        (404, {"detail": "Not Found"}, False),
        (404, {"message": "No route for /v1/model/chat: not found"}, False),
        (404, {"code": "WorkSpaceNotFound", "message": "No workspace."}, False),
        (400, {"code": "InvalidParameter", "message": "Bad."}, False),
        (403, {"code": "Model.AccessDenied", "message": "Denied."}, False),
        (500, {"code": "ModelNotFound", "message": "model not found"}, False),
    ],
)
def test_a_model_is_suggested_where_another_one_helps(
    status: int, body: object, is_suggested: bool
) -> None:
    message = SUGGESTING.from_payload(status, body).message
    assert message.endswith("Use another model.") is is_suggested
    assert not CONTEXT.from_payload(status, body).message.endswith("another model.")


# --- Refusals in successful responses -----------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"message": "x"}}, True),
        ({"error": {}}, True),
        ({"error": {"message": "x"}, "choices": [{}]}, True),
        ({"code": "x", "message": "y"}, True),
        ({"code": "x", "message": "y", "output": {}}, True),
        ({"code": "x", "message": "y", "choices": None}, True),
        *(
            ({"code": "x", "message": "y", name: [{}]}, False)
            for name in ("output", "data", "results", "choices")
        ),
        ({"error": None, "choices": [{}]}, False),
        ({"error": "x"}, False),
        ({"code": "", "message": "", "output": {}}, False),
        ({"code": "x"}, False),
        ({"message": "y"}, False),
        ({}, False),
    ],
)
def test_is_refusal(body: dict[str, Any], expected: bool) -> None:
    assert is_refusal(body) is expected


# --- The context --------------------------------------------------------------------


def test_an_error_without_a_response_has_the_fields_of_the_context() -> None:
    error = CONTEXT.error(APIConnectionError, f"x {KEY}", request_id="r-1")
    assert (error.region, error.protocol) == ("us-east-1", "openai")
    assert (error.message, error.request_id) == (f"x {STARS}", "r-1")


LATER_KEY = "later-9876543210zyxwvu"
LATER = replace(CONTEXT, later_secrets=Redactor([LATER_KEY]))


@pytest.mark.parametrize("context", [CONTEXT, LATER], ids=["key", "later key"])
def test_redact(context: ErrorContext) -> None:
    assert context.redact({"a": [KEY]}) == {"a": [STARS]}
    assert context.redact(f"a {KEY}") == context.hide(f"a {KEY}") == f"a {STARS}"
    assert context.redact("a") == context.hide("a") == "a"


def test_a_key_that_becomes_known_later_is_hidden_too() -> None:
    text = f"{KEY} {LATER_KEY}"
    assert LATER.redact([text]) == [f"{STARS} {STARS}"]
    assert LATER.redact(text) == LATER.hide(text) == f"{STARS} {STARS}"
    assert CONTEXT.hide(text) == f"{STARS} {LATER_KEY}"
    assert LATER_KEY not in repr(LATER)
    error = LATER.from_payload(400, {"message": text})
    assert error.message == f"{STARS} {STARS}"


def test_contexts_that_differ_in_the_suggestion_are_equal() -> None:
    assert CONTEXT == SUGGESTING


# --- Bodies of any size ---------------------------------------------------------------

MEBIBYTE = 2**20


def repeat(text: str) -> str:
    return (text * (MEBIBYTE // len(text) + 1))[:MEBIBYTE]


@pytest.mark.parametrize(
    "payload",
    [
        "<html" + repeat("<title"),
        "<html>" + repeat("<title> "),
        "<html>" + repeat("<h1>a"),
        repeat("data: {\n\n"),
        repeat("data: a\n"),
        {"error": {"message": repeat("model ")}},
        {"error": {"message": repeat("model not ")}},
        {"error": {"message": repeat("role must be i")}},
        {"error": {"message": repeat(" ")}},
        {"error": {"message": "x", "code": repeat("a.")}, "id": repeat("y")},
    ],
    ids=lambda payload: repr(payload)[:50],
)
def test_a_large_body_is_read_quickly_and_shown_in_part(payload: object) -> None:
    begin = time.process_time()
    error = CONTEXT.from_payload(400, payload, url="https://example.com/a")
    assert time.process_time() - begin < 5.0
    assert type(error) is BadRequestError
    assert len(str(error)) < 5000
    assert error.body == payload


def test_a_code_or_an_id_of_any_length_is_cut() -> None:
    body = {"error": {"message": "x", "code": "c" * 1000}, "request_id": "r" * 1000}
    error = CONTEXT.from_payload(400, body)
    assert (error.code, error.request_id) == ("c" * 256, "r" * 256)


def test_an_error_is_found_in_the_first_events() -> None:
    event = 'data: {"code": "InvalidParameter", "message": "Bad."}\n\n'
    other = "data: {}\n\n"
    assert CONTEXT.from_payload(400, other * 7 + event).message == "Bad."
    assert CONTEXT.from_payload(400, other * 8 + event).message != "Bad."


def test_advice_stays_where_the_message_is_long() -> None:
    context = replace(CONTEXT, key_hint=lambda: "Check the key.")
    error = context.from_payload(401, {"message": "x" * MEBIBYTE})
    assert error.message.endswith("Check the key.")


@pytest.mark.parametrize(
    ("head", "code", "request_id"),
    [
        ('{"code": "InvalidParameter", "message": "xxx', "InvalidParameter", "header"),
        ('{"request_id": "r-1", "code": "Throttling", "me', "Throttling", "r-1"),
        (
            '{"error": {"code": "invalid_value", "message": "x',
            "invalid_value",
            "header",
        ),
        ('{"error": {"message": "xxxxxxxxxx', None, "header"),
        ("xxxxxxxxxx", None, "header"),
        ("", None, "header"),
    ],
)
def test_of_an_error_that_is_too_large_what_was_read_is_kept(
    head: str, code: str | None, request_id: str
) -> None:
    error = too_large_refusal(
        CONTEXT, head.encode(), 99, status=429, request_id="header", retry_after=2.0
    )
    assert type(error) is InvalidResponseError
    assert (error.status_code, error.code) == (429, code)
    assert (error.request_id, error.retry_after) == (request_id, 2.0)
    assert not error.is_retryable
    assert "max_error_bytes=99" in error.message
    if head.startswith("{"):
        assert isinstance(error.body, dict)
    else:
        assert error.body == head


def test_a_key_in_an_error_that_is_too_large_is_hidden() -> None:
    head = json.dumps({"code": "Bad", "message": f"Not {KEY}"})[:-4]
    error = too_large_refusal(
        CONTEXT, head.encode(), 99, status=400, request_id=None, retry_after=None
    )
    assert KEY[:12] not in repr(error.body)
    assert STARS in repr(error.body)
