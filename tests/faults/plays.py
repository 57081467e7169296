"""What the server does for each fault: bytes, pauses and ends of a connection."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tests.faults.wire import (
    REQUEST_ID,
    Ask,
    dump,
    error_body,
    error_event,
    event,
    events,
    whole,
)

__all__ = ["LONG", "PLAYS", "End", "Step", "play"]

# Longer than any timeout of a test.
LONG: Final = 30.0
End = Literal["close", "reset"]
Step = bytes | float | End
JSON: Final = "application/json"
STREAM: Final = "text/event-stream;charset=UTF-8"
# How much of an answer comes before what happens in its midst.
BEFORE: Final = 2


@dataclass(frozen=True)
class Refusal:
    """A refusal with an HTTP status, in the words of both protocols.

    Attributes:
        status: The HTTP status.
        code: The code of the OpenAI-compatible protocol.
        native: The code of the native protocol.
        message: The words.
        headers: More headers.
        page: What is sent in place of JSON.
        inside: Whether it comes inside an HTTP 200.
    """

    status: int
    code: str | None = None
    native: str | None = None
    message: str = "No."
    headers: tuple[tuple[str, str], ...] = ()
    page: bytes | None = None
    inside: bool = False


SOON: Final = (("retry-after-ms", "1"),)
PAGE: Final = b"<html><body>Bad gateway</body></html>"
UNFIT: Final = "Output data may contain inappropriate content."
_FILTERED: Final = ("data_inspection_failed", "DataInspectionFailed")
REFUSALS: Final = {
    "bad parameter": Refusal(400, "invalid_parameter_error", "InvalidParameter"),
    "overflow": Refusal(
        400,
        "invalid_parameter_error",
        "InvalidParameter",
        "Range of input length should be [1, 983616]",
    ),
    "moderation": Refusal(400, *_FILTERED, UNFIT),
    "overdue": Refusal(400, "Arrearage", "Arrearage"),
    "wrong key": Refusal(401, "invalid_api_key", "InvalidApiKey"),
    "denied": Refusal(403, "access_denied", "AccessDenied"),
    "free tier": Refusal(
        403, "AllocationQuota.FreeTierOnly", "AllocationQuota.FreeTierOnly"
    ),
    "no such model": Refusal(404, "model_not_found", "ModelNotFound"),
    "request timeout": Refusal(408, headers=SOON),
    "conflict": Refusal(409, "Conflict", "Conflict", headers=SOON),
    "rate": Refusal(429, "limit_requests", "Throttling.RateQuota", headers=SOON),
    "burst": Refusal(429, "limit_burst_rate", "Throttling.BurstRate", headers=SOON),
    "tokens a minute": Refusal(
        429,
        "insufficient_quota",
        "Throttling.AllocationQuota",
        "Allocated quota exceeded.",
        headers=SOON,
    ),
    "free quota": Refusal(
        429,
        "insufficient_quota",
        "Throttling.AllocationQuota",
        "Free allocated quota exceeded.",
    ),
    "bill": Refusal(429, "PrepaidBillOverdue", "PrepaidBillOverdue"),
    "an hour": Refusal(
        429,
        "limit_requests",
        "Throttling.RateQuota",
        headers=(("Retry-After", "3600"),),
    ),
    "internal": Refusal(500, "internal_error", "InternalError", headers=SOON),
    "server timeout": Refusal(500, "RequestTimeOut", "RequestTimeOut", headers=SOON),
    "caller fault": Refusal(
        500, "internal_error", "InternalError.Algo", "list index out of range"
    ),
    "not implemented": Refusal(501),
    "bad gateway": Refusal(502, page=PAGE, headers=SOON),
    "busy": Refusal(503, "ModelServingError", "ModelServingError", headers=SOON),
    "gateway timeout": Refusal(504, page=b"", headers=SOON),
    "moderation inside 200": Refusal(400, *_FILTERED, UNFIT, inside=True),
    "busy inside 200": Refusal(
        503, "ModelServingError", "ModelServingError", inside=True
    ),
}


def play(ask: Ask, attempt: int) -> Sequence[Step]:
    """Return what is done for an attempt of a request."""
    name = ask.plays[min(attempt, len(ask.plays) - 1)]
    if name in REFUSALS:
        return _refuse(REFUSALS[name], ask)
    return PLAYS[name](ask)


# --- Heads --------------------------------------------------------------------------


def head(status: int, headers: Mapping[str, str], reason: str = "OK") -> bytes:
    """Return the head of a response."""
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def sized(
    status: int,
    body: bytes,
    kind: str = JSON,
    *,
    missing: int = 0,
    more: Mapping[str, str] | None = None,
) -> bytes:
    """Return a response with a length, of which the last bytes may be missing."""
    headers = {
        "content-type": kind,
        "content-length": str(len(body)),
        "x-request-id": REQUEST_ID,
        **(more or {}),
    }
    return head(status, headers) + body[: len(body) - missing]


def chunk(data: bytes) -> bytes:
    """Return a piece of a body that has no length."""
    return b"%x\r\n%s\r\n" % (len(data), data)


_END: Final = chunk(b"")
_STREAM_HEAD: Final = head(
    200,
    {
        "content-type": STREAM,
        "transfer-encoding": "chunked",
        "x-request-id": REQUEST_ID,
    },
)


# --- Plays --------------------------------------------------------------------------


def _refuse(refusal: Refusal, ask: Ask) -> list[Step]:
    words = error_body(ask.protocol, refusal.code, refusal.native, refusal.message)
    if refusal.inside:
        if ask.stream:
            said = error_event(ask.protocol, refusal.status, words)
            return [_STREAM_HEAD, chunk(said), _END]
        return [sized(200, dump(words))]
    kind, body = JSON, dump(words)
    if refusal.page is not None:
        kind, body = "text/html", refusal.page
    return [sized(refusal.status, body, kind, more=dict(refusal.headers))]


def _ok(ask: Ask) -> list[Step]:
    if not ask.stream:
        return [ask.pause * ask.pieces, sized(200, whole(ask))]
    return [_STREAM_HEAD, *_paced(ask, events(ask)), _END]


def _paced(ask: Ask, said: Sequence[bytes]) -> list[Step]:
    steps: list[Step] = []
    for one in said:
        if ask.pause:
            steps.append(ask.pause)
        steps.append(chunk(one))
    return steps


def _broken(*rest: Step) -> Callable[[Ask], list[Step]]:
    """Begin an answer, then go on with something else; a body has no length."""

    def begin(ask: Ask) -> list[Step]:
        if ask.stream:
            return [_STREAM_HEAD, *_paced(ask, events(ask)[:BEFORE]), *rest]
        body = whole(ask)
        kind = {"content-type": JSON, "transfer-encoding": "chunked"}
        first = head(200, {**kind, "x-request-id": REQUEST_ID})
        return [first, chunk(body[: len(body) // 2]), *rest]

    return begin


def _within(ask: Ask) -> list[Step]:
    """Send half of an event, then end the response as if it were whole."""
    half = events(ask)[BEFORE]
    return [*_broken()(ask), chunk(half[: len(half) // 2]), _END]


def _short(ask: Ask) -> list[Step]:
    if not ask.stream:
        return [sized(200, whole(ask), missing=3), "close"]
    said = b"".join(events(ask))
    return [sized(200, said, STREAM, missing=len(said) // 2), "close"]


def _misshapen(ask: Ask) -> list[Step]:
    """Send an event that has no place in an answer."""
    wrong = {"choices": [{"delta": "x"}], "output": {"choices": ["x"]}}
    if not ask.stream:
        return [sized(200, dump({"choices": [3], "output": {"choices": [3]}}))]
    steps = _broken()(ask)
    return [*steps, chunk(event(wrong)), *_paced(ask, events(ask)[BEFORE:]), _END]


def _moderated(ask: Ask) -> list[Step]:
    refusal = REFUSALS["moderation inside 200"]
    if not ask.stream:
        return _refuse(refusal, ask)
    words = error_body(ask.protocol, refusal.code, refusal.native, refusal.message)
    said = error_event(ask.protocol, refusal.status, words)
    return [*_broken()(ask), chunk(said), _END]


def _left_open(ask: Ask) -> list[Step]:
    """Send the whole answer, and never end the response."""
    if not ask.stream:
        return _ok(ask)
    return [*_ok(ask)[:-1], LONG]


def _elsewhere(ask: Ask) -> list[Step]:
    to = ask.headers.get("x-elsewhere", "http://127.0.0.1:9/elsewhere")
    return [sized(307, b"", more={"location": to})]


def _echo(ask: Ask) -> list[Step]:
    """Repeat the request's key wherever a response has room for it."""
    key = ask.headers.get("authorization", "").removeprefix("Bearer ")
    own = ask.headers.get("x-gateway-pass", "")
    words = f"{'x' * 480} {key} {own}"
    body = dump(error_body(ask.protocol, f"bad-{key}", f"bad-{key}", words))
    headers = {
        "content-type": JSON,
        "content-length": str(len(body)),
        "x-request-id": f"r-{key}",
        "x-echo": f"{key} {own}",
        "location": f"/{key}",
    }
    return [head(400, headers, f"Bad {key} {own}") + body]


def _echo_page(ask: Ask) -> list[Step]:
    """Repeat the key in what is no answer at all."""
    key = ask.headers.get("authorization", "").removeprefix("Bearer ")
    return [sized(200, f"{'x' * 70}{key}".encode(), "text/html", more={"x-echo": key})]


def _echo_garbage(ask: Ask) -> list[Step]:
    """Repeat the key in place of a status line."""
    return [ask.headers.get("authorization", "").encode() + b"\r\n\r\n", "close"]


PLAYS: Final[dict[str, Callable[[Ask], list[Step]]]] = {
    "ok": _ok,
    "closed": lambda _: ["close"],
    "reset": lambda _: ["reset"],
    "silence": lambda _: [LONG],
    "half a head": lambda _: [b"HTTP/1.1 200 OK\r\ncontent-ty", "close"],
    "redirect": _elsewhere,
    "page": lambda _: [sized(200, PAGE, "text/html")],
    "empty": lambda ask: [sized(200, b"", STREAM if ask.stream else JSON)],
    "cut": _broken("close"),
    "cut by reset": _broken("reset"),
    "silence in the midst": _broken(LONG),
    "no finish": _broken(_END),
    "half a frame": _within,
    "short body": _short,
    "misshapen event": _misshapen,
    "moderation in the midst": _moderated,
    "left open": _left_open,
    "echo": _echo,
    "echo in a page": _echo_page,
    "echo in garbage": _echo_garbage,
}
