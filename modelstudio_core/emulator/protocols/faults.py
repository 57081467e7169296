"""Refusals and faults as the steps of a response."""

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from modelstudio_core.emulator.model.query import Refusal
from modelstudio_core.emulator.protocols.base import Stamp, Wire
from modelstudio_core.emulator.protocols.steps import Cut, Head, Pause, Step
from modelstudio_core.emulator.script import Fault

__all__ = ["break_response", "refuse_response"]

_SERVER_ERROR: Final = 500
_BAD_REQUEST: Final = 400
# What the native protocol calls the codes of the other one.
_NATIVE_CODES: Final[Mapping[str | None, str]] = {
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
# By the beginning of the native code; the others are 400.
_STATUSES: Final = {
    "AccessDenied": 403,
    "InternalError": 500,
    "InvalidApiKey": 401,
    "ModelNotFound": 404,
    "ModelServingError": 503,
    "RequestTimeOut": 500,
    "Throttling": 429,
}


def refuse_response(
    refusal: Refusal, wire: Wire, stamp: Stamp, *, stream: bool
) -> list[Step]:
    """Refuse a request, in the delivery of the generation.

    A model's refusal of a stream is an event of an HTTP 200 stream, or has an HTTP
    status: the protocol knows. The gateway's always has.
    """
    if stream and not refusal.gateway and wire.refuses_inside(stamp):
        headers = {"content-type": wire.stream_type}
        return [Head(200, headers), wire.error_event(refusal, stamp, 1)]
    body = wire.refused(refusal, stamp)
    return _whole(refusal.status, {"content-type": wire.whole_type}, body)


def break_response(
    fault: Fault, steps: Sequence[Step], wire: Wire, stamp: Stamp
) -> list[Step]:
    """Put a fault into a response.

    Args:
        fault: What goes wrong.
        steps: The response without it; empty for a refusal.
        wire: The protocol that it is written in.
        stamp: What it carries.
    """
    match fault.kind:
        case "status":
            return _refuse(fault, wire, stamp)
        case "stream":
            before, _ = _split(steps, fault.after)
            number = 1 + sum(isinstance(step, bytes) for step in before)
            return [*before, _error_in_body(fault, steps, wire, stamp, number)]
        case "cut":
            before, after = _split(steps, fault.after)
            return [*before, *_half(after, within=fault.within), Cut()]
        case "silence":
            before, after = _split(steps, fault.after)
            return [*before, Pause(fault.seconds), *after]
        case "short":
            return _shorten(steps, fault.missing)
        case _:
            assert_never(fault.kind)


def _refuse(fault: Fault, wire: Wire, stamp: Stamp) -> list[Step]:
    if fault.body is None:
        body = wire.refused(_refusal_of(fault), stamp)
        headers = {"content-type": wire.whole_type}
    else:
        body = fault.body.encode() if isinstance(fault.body, str) else fault.body
        headers = {"content-type": fault.content_type}
    return _whole(fault.status, {**headers, **fault.headers}, body)


def _refusal_of(fault: Fault) -> Refusal:
    server = fault.status >= _SERVER_ERROR
    kind = "internal_error" if server else "invalid_request_error"
    native_code = _NATIVE_CODES.get(fault.code, fault.code) or "InternalError"
    return Refusal(
        fault.message,
        status=_status_of(native_code) if fault.kind == "stream" else fault.status,
        code=fault.code,
        type=fault.type or kind,
        native_code=native_code,
    )


def _status_of(native_code: str) -> int:
    """Return the status that belongs to a code, which a stream says in a comment."""
    found = (s for start, s in _STATUSES.items() if native_code.startswith(start))
    return next(found, _BAD_REQUEST)


def _error_in_body(
    fault: Fault, steps: Sequence[Step], wire: Wire, stamp: Stamp, number: int
) -> bytes:
    """Write the error as the response's own kind of body: an event, or all of it."""
    streams = not any(
        isinstance(step, Head) and "content-length" in step.headers for step in steps
    )
    refusal = _refusal_of(fault)
    if streams:
        return wire.error_event(refusal, stamp, number)
    return wire.refused(refusal, stamp)


def _split(steps: Sequence[Step], after: int | None) -> tuple[list[Step], list[Step]]:
    """Split a response after so many events; None is before its headers.

    Headers that come before a fault do not say how long the body is.
    """
    if after is None:
        return [], list(steps)
    position, seen = 0, -1
    while position < len(steps) and seen < after:
        seen += isinstance(steps[position], bytes | Head)
        position += 1
    return [_open_ended(step) for step in steps[:position]], list(steps[position:])


def _open_ended(step: Step) -> Step:
    if not isinstance(step, Head):
        return step
    headers = {k: v for k, v in step.headers.items() if k != "content-length"}
    return Head(step.status, headers)


def _half(steps: Sequence[Step], *, within: bool) -> list[Step]:
    event = next((step for step in steps if isinstance(step, bytes)), b"")
    return [event[: len(event) // 2]] if within else []


def _shorten(steps: Sequence[Step], missing: int) -> list[Step]:
    head = next(step for step in steps if isinstance(step, Head))
    body = b"".join(step for step in steps if isinstance(step, bytes))
    headers = {**head.headers, "content-length": str(len(body))}
    return [Head(head.status, headers), body[: len(body) - missing], Cut()]


def _whole(status: int, headers: dict[str, str], body: bytes) -> list[Step]:
    return [Head(status, {**headers, "content-length": str(len(body))}), body]
