"""Failures, and what a user learns of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from comparison.clients import Client
from comparison.scenario import STREAMS, Scenario
from comparison.verdict import (
    Judge,
    Observation,
    Verdict,
    format_count,
    format_error,
    judge_value,
    worst,
)
from modelstudio_core.emulator import Fault, Reply

__all__ = ["FAULTS"]

_REPLY: Final = Reply(text="One two three.", pieces=["One ", "two ", "three."])
# More than any client sends.
_MANY: Final = 40
_NAMES: Final = {"stream": "stream", "astream": "async stream"}
_NO_ERROR: Final = "no exception, an empty response"


# --- Broken streams ---------------------------------------------------------------


def _twice(item: Reply | Fault) -> Callable[[Client], Sequence[Reply | Fault]]:
    return lambda client: [item] * 2  # noqa: ARG005 - a script


def _is_deliberate(error: Mapping[str, Any]) -> bool:
    return error["type"] not in {
        "AttributeError",
        "IndexError",
        "KeyError",
        "TypeError",
    }


def _is_content_filter(error: Mapping[str, Any]) -> bool:
    codes = {"data_inspection_failed", "DataInspectionFailed"}
    return any(code in (error.get("code"), *error["message"].split()) for code in codes)


def _raises(matches: Callable[[Mapping[str, Any]], bool] = _is_deliberate) -> Judge:
    """Return a judge of whether each mode raises an error that matches."""

    def judge_mode(mode: str, outcome: Mapping[str, Any]) -> Verdict:
        error = outcome.get("error")
        if not error:
            text = outcome["value"]["text"]
            return Verdict("lost", f"{_NAMES[mode]}: no exception, the text {text!r}")
        return Verdict("kept" if matches(error) else "error", format_error(error))

    def judge(outcomes: Mapping[str, Any], _: Observation) -> Verdict:
        return worst(judge_mode(mode, outcome) for mode, outcome in outcomes.items())

    return judge_value(judge)


# --- HTTP errors ------------------------------------------------------------------


def _has_status(status: int, *, retried: bool) -> Judge:
    """Return a judge of an error's status and of the number of requests."""

    def judge(outcomes: Mapping[str, Any], observation: Observation) -> Verdict:
        error, count = outcomes["call"].get("error"), len(observation.requests)
        requests = format_count(observation)
        if not error:
            return Verdict("lost", f"{_NO_ERROR}; {requests}")
        evidence = f"`{error['type']}`; {requests}"
        if error.get("status_code") != status:
            return Verdict("lost", f"{format_error(error)}, no status; {requests}")
        limit = 1 + observation.client.max_retries if retried else 1
        if retried and count == 1:
            return Verdict("lost", f"{evidence}, not retried")
        if count > limit:
            return Verdict("corrupted", f"{evidence} instead of at most {limit}")
        return Verdict("kept", evidence)

    return judge_value(judge)


def _has_code(code: str) -> Judge:
    """Return a judge of whether an error has the code, and is not retried."""

    def judge(outcomes: Mapping[str, Any], observation: Observation) -> Verdict:
        error = outcomes["call"].get("error")
        requests = format_count(observation)
        if not error:
            return Verdict("lost", f"{_NO_ERROR}; {requests}")
        if len(observation.requests) > 1:
            return Verdict("corrupted", f"`{error['type']}`; {requests}")
        if error.get("code") != code and code not in error["message"]:
            return Verdict("lost", f"{format_error(error)}, no code")
        return Verdict("kept", f"`{error['type']}`; {requests}")

    return judge_value(judge)


def _is_context_overflow(outcomes: Mapping[str, Any], _: Observation) -> Verdict:
    error = outcomes["call"].get("error")
    if not error:
        return Verdict("lost", _NO_ERROR)
    if any("ContextOverflow" in kind for kind in error["kinds"]):
        return Verdict("kept", f"`{error['type']}`")
    return Verdict("lost", f"`{error['type']}`, as for any HTTP 400")


def _http_error(
    title: str, expected: str, fault: Fault, judge: Judge, *, limit: float = 60.0
) -> Scenario:
    return Scenario(
        title=title,
        expected=expected,
        script=lambda client: [fault] * _MANY,  # noqa: ARG005 - a script
        parameters={"modes": ["call"]},
        judge=judge,
        limit=limit,
    )


_RETRY_SOON: Final = {"retry-after-ms": "1"}
_OVERFLOW: Final = (
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be"
    " [1, 1000]"
)
_NOT_RETRIED: Final = "An exception with the status as an attribute, after one request."
_RETRIED: Final = (
    "An exception with the status as an attribute, after more than one request, and no"
    " more than the `max_retries` of the class allows."
)

FAULTS: Final = (
    Scenario(
        title="error event in an HTTP 200 stream",
        expected="After the chunks that were received, an exception with the service's"
        " code.",
        script=_twice(Fault.in_stream(after=2, reply=_REPLY)),
        parameters={"modes": STREAMS},
        judge=_raises(_is_content_filter),
    ),
    Scenario(
        title="stream without a finish reason",
        expected="An exception: without a finish reason the response is incomplete.",
        script=_twice(
            Reply(
                text=_REPLY.text,
                pieces=_REPLY.pieces,
                omit={"finish_reason", "usage", "done"},
            )
        ),
        parameters={"modes": STREAMS},
        judge=_raises(),
    ),
    Scenario(
        title="connection lost during a stream",
        expected="After the chunks that were received, an exception.",
        script=_twice(Fault.cut(after=2, within=True, reply=_REPLY)),
        parameters={"modes": STREAMS},
        judge=_raises(),
    ),
    _http_error(
        "HTTP 401",
        _NOT_RETRIED,
        Fault(status=401, code="invalid_api_key", message="Incorrect API key."),
        _has_status(401, retried=False),
    ),
    _http_error(
        "HTTP 404",
        _NOT_RETRIED,
        Fault(status=404, code="model_not_found", message="No such model."),
        _has_status(404, retried=False),
    ),
    _http_error(
        "HTTP 429, too many requests",
        _RETRIED,
        Fault(
            status=429, code="limit_requests", message="Too many.", headers=_RETRY_SOON
        ),
        _has_status(429, retried=True),
        limit=240.0,
    ),
    _http_error(
        "HTTP 500",
        _RETRIED,
        Fault(status=500, message="Internal error.", headers=_RETRY_SOON),
        _has_status(500, retried=True),
        limit=240.0,
    ),
    _http_error(
        "overdue account (`Arrearage`, 400)",
        "An exception with the service's code, after one request.",
        Fault(status=400, code="Arrearage", message="Access denied: overdue."),
        _has_code("Arrearage"),
    ),
    _http_error(
        "free quota used up (`AllocationQuota.FreeTierOnly`, 403)",
        "The same.",
        Fault(
            status=403,
            code="AllocationQuota.FreeTierOnly",
            message="The free tier of the model has been exhausted.",
        ),
        _has_code("AllocationQuota.FreeTierOnly"),
    ),
    _http_error(
        "free quota used up (`insufficient_quota`, 429)",
        "The same: a retry does not help.",
        Fault(
            status=429,
            code="insufficient_quota",
            message="Free allocated quota exceeded.",
            headers=_RETRY_SOON,
        ),
        _has_code("quota"),
        limit=240.0,
    ),
    _http_error(
        "prompt too long",
        "A specific exception: in LangChain the `ContextOverflowError` that its"
        " middleware handles; in LlamaIndex, which has none, any class of that name.",
        Fault(status=400, code="invalid_parameter_error", message=_OVERFLOW),
        judge_value(_is_context_overflow),
    ),
)
