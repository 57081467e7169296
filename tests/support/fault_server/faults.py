"""What the fault server sends for each fault: bytes, pauses, ends of the connection."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tests.support.fault_server.wire import (
    REQUEST_ID,
    FaultRequest,
    error_body,
    error_event,
    openai_event,
    response_body,
    stream_events,
    to_json,
)

__all__ = [
    "ERROR_RESPONSES",
    "FAULTS",
    "SSE_HEAD",
    "Step",
    "http_chunk",
    "response",
    "steps_of",
]

End = Literal["close", "reset"]
# Bytes to send, seconds to wait, or how to end the connection.
Step = bytes | float | End
JSON_TYPE: Final = "application/json"
SSE_TYPE: Final = "text/event-stream;charset=UTF-8"
# Longer than any timeout of a test.
FOREVER: Final = 30.0
# The pieces of an answer that are sent before a fault in the middle of it.
PIECES_BEFORE: Final = 2


@dataclass(frozen=True)
class ErrorResponse:
    """An error with an HTTP status, as both protocols write it.

    Attributes:
        status: The HTTP status.
        code: The error code of the OpenAI-compatible protocol.
        native_code: The error code of the native protocol.
        message: The error message.
        headers: More headers.
        html: A body to send in place of JSON.
        inside_200: Whether the error is sent inside a response with HTTP 200.
    """

    status: int
    code: str | None = None
    native_code: str | None = None
    message: str = "No."
    headers: tuple[tuple[str, str], ...] = ()
    html: bytes | None = None
    inside_200: bool = False


_RETRY_SOON: Final = (("retry-after-ms", "1"),)
_HTML: Final = b"<html><body>Bad gateway</body></html>"
_FILTERED: Final = (
    "data_inspection_failed",
    "DataInspectionFailed",
    "Output data may contain inappropriate content.",
)
ERROR_RESPONSES: Final = {
    "bad parameter": ErrorResponse(400, "invalid_parameter_error", "InvalidParameter"),
    "prompt too long": ErrorResponse(
        400,
        "invalid_parameter_error",
        "InvalidParameter",
        "Range of input length should be [1, 983616]",
    ),
    "moderation": ErrorResponse(400, *_FILTERED),
    "account overdue": ErrorResponse(400, "Arrearage", "Arrearage"),
    "wrong key": ErrorResponse(401, "invalid_api_key", "InvalidApiKey"),
    "permission denied": ErrorResponse(403, "access_denied", "AccessDenied"),
    "free tier only": ErrorResponse(
        403, "AllocationQuota.FreeTierOnly", "AllocationQuota.FreeTierOnly"
    ),
    "unknown model": ErrorResponse(404, "model_not_found", "ModelNotFound"),
    "request timeout": ErrorResponse(408, headers=_RETRY_SOON),
    "conflict": ErrorResponse(409, "Conflict", "Conflict", headers=_RETRY_SOON),
    "rate limit": ErrorResponse(
        429, "limit_requests", "Throttling.RateQuota", headers=_RETRY_SOON
    ),
    "burst rate limit": ErrorResponse(
        429, "limit_burst_rate", "Throttling.BurstRate", headers=_RETRY_SOON
    ),
    "token rate limit": ErrorResponse(
        429,
        "insufficient_quota",
        "Throttling.AllocationQuota",
        "Allocated quota exceeded.",
        headers=_RETRY_SOON,
    ),
    "free quota exhausted": ErrorResponse(
        429,
        "insufficient_quota",
        "Throttling.AllocationQuota",
        "Free allocated quota exceeded.",
    ),
    "bill overdue": ErrorResponse(429, "PrepaidBillOverdue", "PrepaidBillOverdue"),
    "retry after an hour": ErrorResponse(
        429,
        "limit_requests",
        "Throttling.RateQuota",
        headers=(("Retry-After", "3600"),),
    ),
    "internal error": ErrorResponse(
        500, "internal_error", "InternalError", headers=_RETRY_SOON
    ),
    "server timeout": ErrorResponse(
        500, "RequestTimeOut", "RequestTimeOut", headers=_RETRY_SOON
    ),
    "500 for a bad request": ErrorResponse(
        500, "internal_error", "InternalError.Algo", "list index out of range"
    ),
    "not implemented": ErrorResponse(501),
    "bad gateway": ErrorResponse(502, html=_HTML, headers=_RETRY_SOON),
    "busy": ErrorResponse(
        503, "ModelServingError", "ModelServingError", headers=_RETRY_SOON
    ),
    "gateway timeout": ErrorResponse(504, html=b"", headers=_RETRY_SOON),
    "moderation inside 200": ErrorResponse(400, *_FILTERED, inside_200=True),
    "busy inside 200": ErrorResponse(
        503, "ModelServingError", "ModelServingError", inside_200=True
    ),
}


def steps_of(request: FaultRequest, attempt: int) -> Sequence[Step]:
    """Return what the server does for an attempt of a request, the first being 0."""
    name = request.faults[min(attempt, len(request.faults) - 1)]
    if name in ERROR_RESPONSES:
        return _error(ERROR_RESPONSES[name], request)
    return FAULTS[name](request)


# --- HTTP -----------------------------------------------------------------------------


def _head(status: int, headers: Mapping[str, str], reason: str = "OK") -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def response(
    status: int,
    body: bytes,
    content_type: str = JSON_TYPE,
    *,
    missing: int = 0,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return a response with a ``content-length``.

    Args:
        status: The HTTP status.
        body: The body.
        content_type: The type of the body.
        missing: How many bytes at the end of the body are left out.
        headers: More headers.
    """
    all_headers = {
        "content-type": content_type,
        "content-length": str(len(body)),
        "x-request-id": REQUEST_ID,
        **(headers or {}),
    }
    return _head(status, all_headers) + body[: len(body) - missing]


def http_chunk(data: bytes) -> bytes:
    """Return a chunk of a body with ``transfer-encoding: chunked``."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def _chunked_head(content_type: str) -> bytes:
    headers = {
        "content-type": content_type,
        "transfer-encoding": "chunked",
        "x-request-id": REQUEST_ID,
    }
    return _head(200, headers)


_LAST_CHUNK: Final = http_chunk(b"")
SSE_HEAD: Final = _chunked_head(SSE_TYPE)

# --- Faults ---------------------------------------------------------------------------


def _error(error: ErrorResponse, request: FaultRequest) -> list[Step]:
    body = _error_body(error, request)
    if error.inside_200:
        if request.stream:
            event = error_event(request.protocol, error.status, body)
            return [SSE_HEAD, http_chunk(event), _LAST_CHUNK]
        return [response(200, to_json(body))]
    if error.html is not None:
        headers = dict(error.headers)
        return [response(error.status, error.html, "text/html", headers=headers)]
    return [response(error.status, to_json(body), headers=dict(error.headers))]


def _error_body(error: ErrorResponse, request: FaultRequest) -> dict[str, object]:
    return error_body(request.protocol, error.code, error.native_code, error.message)


def _ok(request: FaultRequest) -> list[Step]:
    if not request.stream:
        wait = request.pause * request.pieces
        return [wait, response(200, response_body(request))]
    return [SSE_HEAD, *_paced(request, stream_events(request)), _LAST_CHUNK]


def _paced(request: FaultRequest, events: Sequence[bytes]) -> list[Step]:
    steps: list[Step] = []
    for event in events:
        if request.pause:
            steps.append(request.pause)
        steps.append(http_chunk(event))
    return steps


def _begun_then(*rest: Step) -> Callable[[FaultRequest], list[Step]]:
    """Return a fault that sends the beginning of an answer and then other steps."""

    def begin(request: FaultRequest) -> list[Step]:
        if request.stream:
            beginning = stream_events(request)[:PIECES_BEFORE]
            return [SSE_HEAD, *_paced(request, beginning), *rest]
        body = response_body(request)
        half = http_chunk(body[: len(body) // 2])
        return [_chunked_head(JSON_TYPE), half, *rest]

    return begin


def _half_an_event(request: FaultRequest) -> list[Step]:
    """End the response properly in the middle of an event."""
    event = stream_events(request)[PIECES_BEFORE]
    half = http_chunk(event[: len(event) // 2])
    return [*_begun_then()(request), half, _LAST_CHUNK]


def _short_body(request: FaultRequest) -> list[Step]:
    if not request.stream:
        return [response(200, response_body(request), missing=3), "close"]
    body = b"".join(stream_events(request))
    return [response(200, body, SSE_TYPE, missing=len(body) // 2), "close"]


def _malformed_event(request: FaultRequest) -> list[Step]:
    """Send an event whose JSON has values of wrong types."""
    if not request.stream:
        wrong = {"choices": [3], "output": {"choices": [3]}}
        return [response(200, to_json(wrong))]
    event = openai_event({"choices": [{"delta": "x"}], "output": {"choices": ["x"]}})
    rest = _paced(request, stream_events(request)[PIECES_BEFORE:])
    return [*_begun_then()(request), http_chunk(event), *rest, _LAST_CHUNK]


def _moderation_mid_stream(request: FaultRequest) -> list[Step]:
    error = ERROR_RESPONSES["moderation inside 200"]
    if not request.stream:
        return _error(error, request)
    body = _error_body(error, request)
    event = error_event(request.protocol, error.status, body)
    return [*_begun_then()(request), http_chunk(event), _LAST_CHUNK]


def _never_ends(request: FaultRequest) -> list[Step]:
    """Send a complete stream and never end the response."""
    if not request.stream:
        return _ok(request)
    return [*_ok(request)[:-1], FOREVER]


def _redirect(request: FaultRequest) -> list[Step]:
    """Redirect to the address in the request's header ``x-redirect-to``."""
    to = request.headers.get("x-redirect-to", "http://127.0.0.1:9/elsewhere")
    return [response(307, b"", headers={"location": to})]


def _echo(request: FaultRequest) -> list[Step]:
    """Repeat the secrets of the request in every part of an error response."""
    key = _key(request)
    other = request.headers.get("x-gateway-pass", "")
    message = f"{'x' * 480} {key} {other}"
    body = to_json(error_body(request.protocol, f"bad-{key}", f"bad-{key}", message))
    headers = {
        "content-type": JSON_TYPE,
        "content-length": str(len(body)),
        "x-request-id": f"r-{key}",
        "x-echo": f"{key} {other}",
        "location": f"/{key}",
    }
    return [_head(400, headers, f"Bad {key} {other}") + body]


def _echo_html(request: FaultRequest) -> list[Step]:
    """Repeat the key in a page of HTML with HTTP 200."""
    key = _key(request)
    body = f"{'x' * 70}{key}".encode()
    return [response(200, body, "text/html", headers={"x-echo": key})]


def _echo_status_line(request: FaultRequest) -> list[Step]:
    """Repeat the key in place of the status line."""
    return [request.headers.get("authorization", "").encode() + b"\r\n\r\n", "close"]


def _key(request: FaultRequest) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


FAULTS: Final[dict[str, Callable[[FaultRequest], list[Step]]]] = {
    "ok": _ok,
    "closed": lambda _: ["close"],
    "reset": lambda _: ["reset"],
    "silent": lambda _: [FOREVER],
    "closed in headers": lambda _: [b"HTTP/1.1 200 OK\r\ncontent-ty", "close"],
    "redirect": _redirect,
    "html": lambda _: [response(200, _HTML, "text/html")],
    "empty": lambda request: [
        response(200, b"", SSE_TYPE if request.stream else JSON_TYPE)
    ],
    "closed midway": _begun_then("close"),
    "reset midway": _begun_then("reset"),
    "silent midway": _begun_then(FOREVER),
    "no finish reason": _begun_then(_LAST_CHUNK),
    "half an event": _half_an_event,
    "short body": _short_body,
    "malformed event": _malformed_event,
    "moderation midway": _moderation_mid_stream,
    "never ends": _never_ends,
    "echo": _echo,
    "echo in HTML": _echo_html,
    "echo in status line": _echo_status_line,
}
