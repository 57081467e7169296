"""Build the steps of refusals and faults."""

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from modelstudio_core.emulator.protocols.base import ErrorProtocol
from modelstudio_core.emulator.protocols.steps import (
    Cut,
    Head,
    Pause,
    Step,
    complete_response,
)
from modelstudio_core.emulator.rules.refusal import Refusal
from modelstudio_core.emulator.script import Fault
from modelstudio_core.emulator.studio import ResponseContext

__all__ = ["apply_fault", "build_refusal"]

_SERVER_ERROR: Final = 500
_BAD_REQUEST: Final = 400
# Codes of the OpenAI-compatible protocol → codes of the DashScope protocol.
_DASHSCOPE_CODES: Final[Mapping[str | None, str]] = {
    "access_denied": "AccessDenied",
    "data_inspection_failed": "DataInspectionFailed",
    "insufficient_quota": "Throttling.AllocationQuota",
    "internal_error": "InternalError",
    "invalid_api_key": "InvalidApiKey",
    "invalid_parameter_error": "InvalidParameter",
    "invalid_value": "InvalidParameter",
    "limit_burst_rate": "Throttling.BurstRate",
    "limit_requests": "Throttling.RateQuota",
    "model_not_found": "ModelNotFound",
}
# The beginning of a DashScope code → its HTTP status; others have 400.
_STATUSES: Final = {
    "AccessDenied": 403,
    "InternalError": 500,
    "InvalidApiKey": 401,
    "ModelNotFound": 404,
    "ModelServingError": 503,
    "RequestTimeOut": 500,
    "Throttling": 429,
}


def build_refusal(
    refusal: Refusal,
    protocol: ErrorProtocol,
    context: ResponseContext,
    *,
    stream: bool,
) -> list[Step]:
    """Build the response of a refused request.

    A model's refusal of a stream is an event of an HTTP 200 stream or has an HTTP
    status, as the protocol decides. The gateway's refusal has an HTTP status always.

    Args:
        refusal: The refusal.
        protocol: How it is written.
        context: The ids and the generation of the response.
        stream: Whether the request asks for a stream.
    """
    if stream and not refusal.gateway and protocol.refuses_in_stream(context):
        headers = {"content-type": protocol.stream_content_type}
        return [Head(200, headers), protocol.write_error_event(refusal, context, 1)]
    body = protocol.write_error(refusal, context)
    headers = {"content-type": protocol.content_type}
    return complete_response(refusal.status, headers, body)


def apply_fault(
    fault: Fault,
    steps: Sequence[Step],
    protocol: ErrorProtocol,
    context: ResponseContext,
) -> list[Step]:
    """Put a fault into a response.

    Args:
        fault: The fault.
        steps: The response without the fault; empty for the kind ``status``.
        protocol: How errors are written.
        context: The ids and the generation of the response.
    """
    match fault.kind:
        case "status":
            return _error_response(fault, protocol, context)
        case "stream":
            before, _ = _split(steps, fault.after)
            number = 1 + sum(isinstance(step, bytes) for step in before)
            return [*before, _error_in_body(fault, steps, protocol, context, number)]
        case "cut":
            before, after = _split(steps, fault.after)
            return [*before, *_half_event(after, within=fault.within), Cut()]
        case "silence":
            before, after = _split(steps, fault.after)
            return [*before, Pause(fault.seconds), *after]
        case "short":
            return _shorten(steps, fault.missing)
        case _:
            assert_never(fault.kind)


def _error_response(
    fault: Fault, protocol: ErrorProtocol, context: ResponseContext
) -> list[Step]:
    if fault.body is None:
        body = protocol.write_error(_refusal(fault), context)
        content_type = protocol.content_type
    else:
        body = fault.body.encode() if isinstance(fault.body, str) else fault.body
        content_type = fault.content_type
    headers = {"content-type": content_type, **fault.headers}
    return complete_response(fault.status, headers, body)


def _refusal(fault: Fault) -> Refusal:
    server = fault.status >= _SERVER_ERROR
    default_type = "internal_error" if server else "invalid_request_error"
    code = _DASHSCOPE_CODES.get(fault.code, fault.code) or "InternalError"
    return Refusal(
        fault.message,
        status=_status(code) if fault.kind == "stream" else fault.status,
        code=fault.code,
        type=fault.type or default_type,
        dashscope_code=code,
    )


def _status(dashscope_code: str) -> int:
    """Return the status that belongs to a code, which a stream has in a comment."""
    matches = (s for start, s in _STATUSES.items() if dashscope_code.startswith(start))
    return next(matches, _BAD_REQUEST)


def _error_in_body(
    fault: Fault,
    steps: Sequence[Step],
    protocol: ErrorProtocol,
    context: ResponseContext,
    number: int,
) -> bytes:
    """Write the error as an event of a stream, or as the body of another response."""
    stream = not any(
        isinstance(step, Head) and "content-length" in step.headers for step in steps
    )
    refusal = _refusal(fault)
    if stream:
        return protocol.write_error_event(refusal, context, number)
    return protocol.write_error(refusal, context)


def _split(steps: Sequence[Step], after: int | None) -> tuple[list[Step], list[Step]]:
    """Split a response after a number of events; None splits before its headers.

    Headers that are sent before a fault have no ``content-length``.
    """
    if after is None:
        return [], list(steps)
    position, count = 0, -1
    while position < len(steps) and count < after:
        count += isinstance(steps[position], bytes | Head)
        position += 1
    before = [_without_length(step) for step in steps[:position]]
    return before, list(steps[position:])


def _without_length(step: Step) -> Step:
    if not isinstance(step, Head):
        return step
    headers = {k: v for k, v in step.headers.items() if k != "content-length"}
    return Head(step.status, headers)


def _half_event(steps: Sequence[Step], *, within: bool) -> list[Step]:
    event = next((step for step in steps if isinstance(step, bytes)), b"")
    return [event[: len(event) // 2]] if within else []


def _shorten(steps: Sequence[Step], missing: int) -> list[Step]:
    head = next(step for step in steps if isinstance(step, Head))
    body = b"".join(step for step in steps if isinstance(step, bytes))
    complete_head, _ = complete_response(head.status, head.headers, body)
    return [complete_head, body[: len(body) - missing], Cut()]
