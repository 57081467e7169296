"""What goes wrong, and what a user gets to know of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from comparison.clients import Client
from comparison.scenario import STREAMS, Scenario
from comparison.verdict import Judge, Seen, Verdict, of_value, told, worst
from modelstudio_core.emulator import Fault, Reply

__all__ = ["FAULTS"]

_REPLY: Final = Reply(text="One two three.", pieces=["One ", "two ", "three."])
# More than any client asks.
_MANY: Final = 40
_NAMES: Final = {"stream": "streamed", "astream": "streamed, async"}


def _always(fault: Fault) -> Callable[[Client], Sequence[Fault]]:
    return lambda client: [fault] * _MANY  # noqa: ARG005 - a script


def _twice(item: Reply | Fault) -> Callable[[Client], Sequence[Reply | Fault]]:
    return lambda client: [item] * 2  # noqa: ARG005 - a script


def _is_no_accident(error: Mapping[str, Any]) -> bool:
    return error["type"] not in {
        "AttributeError",
        "IndexError",
        "KeyError",
        "TypeError",
    }


def _raises(also: Callable[[Mapping[str, Any]], bool] = _is_no_accident) -> Judge:
    """Judge that each mode raises, and something that says what it must."""

    def one(mode: str, outcome: Mapping[str, Any]) -> Verdict:
        error = outcome.get("error")
        if not error:
            text = outcome["value"]["text"]
            return Verdict(
                "lost", f"{_NAMES[mode]}: no exception, the text is {text!r}"
            )
        return Verdict("kept" if also(error) else "error", told(error))

    def judged(outcomes: Mapping[str, Any], seen: Seen) -> Verdict:
        del seen
        return worst(one(mode, outcome) for mode, outcome in outcomes.items())

    return of_value(judged)


def _is_filter(error: Mapping[str, Any]) -> bool:
    codes = {"data_inspection_failed", "DataInspectionFailed"}
    return any(code in (error.get("code"), *error["message"].split()) for code in codes)


# --- Refusals ---------------------------------------------------------------------


def _refused(status: int, *, retried: bool) -> Judge:
    """Judge that an exception says the status, and that no request is wasted."""

    def judged(outcomes: Mapping[str, Any], seen: Seen) -> Verdict:
        error, count = outcomes["whole"].get("error"), len(seen.requests)
        sent = f"{count} request{'' if count == 1 else 's'}"
        if not error:
            return Verdict("lost", f"no exception, an empty answer; {sent}")
        said = f"`{error['type']}`; {sent}"
        if error.get("status_code") != status:
            return Verdict("lost", f"{told(error)}, without a status; {sent}")
        most = 1 + seen.client.max_retries if retried else 1
        if retried and count == 1:
            return Verdict("lost", f"{said}: not tried again")
        if count > most:
            return Verdict("corrupted", f"{said}, where {most} would be the most")
        return Verdict("kept", said)

    return of_value(judged)


def _final(code: str) -> Judge:
    """Judge that what cannot succeed is not tried again, and that its code is told."""

    def judged(outcomes: Mapping[str, Any], seen: Seen) -> Verdict:
        error, count = outcomes["whole"].get("error"), len(seen.requests)
        sent = f"{count} request{'' if count == 1 else 's'}"
        if not error:
            return Verdict("lost", f"no exception, an empty answer; {sent}")
        if count > 1:
            return Verdict("corrupted", f"`{error['type']}`; {sent}")
        if error.get("code") != code and code not in error["message"]:
            return Verdict("lost", f"{told(error)}, without the code")
        return Verdict("kept", f"`{error['type']}`; {sent}")

    return of_value(judged)


def _recognised(outcomes: Mapping[str, Any], seen: Seen) -> Verdict:
    del seen
    error = outcomes["whole"].get("error")
    if not error:
        return Verdict("lost", "no exception, an empty answer")
    own = any("ContextOverflow" in kind for kind in error["kinds"])
    if own:
        return Verdict("kept", f"`{error['type']}`")
    return Verdict("lost", f"`{error['type']}`, as for any other HTTP 400")


def _refusal(
    title: str, kept: str, fault: Fault, judge: Judge, *, limit: float = 60.0
) -> Scenario:
    return Scenario(
        title=title,
        kept=kept,
        script=_always(fault),
        parameters={"modes": ["whole"]},
        judge=judge,
        limit=limit,
    )


_SOON: Final = {"retry-after-ms": "1"}
_OVERFLOW: Final = (
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be"
    " [1, 1000]"
)
_ONCE: Final = "An exception with the status as an attribute, after one request."
_AGAIN: Final = (
    "An exception with the status as an attribute, after more than one request and no"
    " more than the class's own `max_retries` says."
)

FAULTS: Final = (
    Scenario(
        title="an error inside an HTTP 200 stream",
        kept="An exception with the service's code, after the pieces that came.",
        script=_twice(Fault.in_stream(after=2, reply=_REPLY)),
        parameters={"modes": STREAMS},
        judge=_raises(_is_filter),
    ),
    Scenario(
        title="a stream that ends without an end",
        kept="An exception: an answer without a finish reason is not whole.",
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
        title="a connection that is cut within a stream",
        kept="An exception, after the pieces that came.",
        script=_twice(Fault.cut(after=2, within=True, reply=_REPLY)),
        parameters={"modes": STREAMS},
        judge=_raises(),
    ),
    _refusal(
        "HTTP 401",
        _ONCE,
        Fault(status=401, code="invalid_api_key", message="Incorrect API key."),
        _refused(401, retried=False),
    ),
    _refusal(
        "HTTP 404",
        _ONCE,
        Fault(status=404, code="model_not_found", message="No such model."),
        _refused(404, retried=False),
    ),
    _refusal(
        "HTTP 429, too many requests",
        _AGAIN,
        Fault(status=429, code="limit_requests", message="Too many.", headers=_SOON),
        _refused(429, retried=True),
        limit=240.0,
    ),
    _refusal(
        "HTTP 500",
        _AGAIN,
        Fault(status=500, message="Internal error.", headers=_SOON),
        _refused(500, retried=True),
        limit=240.0,
    ),
    _refusal(
        "an overdue account (`Arrearage`, 400)",
        "One request, and an exception that tells the service's code.",
        Fault(status=400, code="Arrearage", message="Access denied: overdue."),
        _final("Arrearage"),
    ),
    _refusal(
        "free quota used up (`AllocationQuota.FreeTierOnly`, 403)",
        "The same.",
        Fault(
            status=403,
            code="AllocationQuota.FreeTierOnly",
            message="The free tier of the model has been exhausted.",
        ),
        _final("AllocationQuota.FreeTierOnly"),
    ),
    _refusal(
        "free quota used up (`insufficient_quota`, 429)",
        "One request: nothing changes by asking again.",
        Fault(
            status=429,
            code="insufficient_quota",
            message="Free allocated quota exceeded.",
            headers=_SOON,
        ),
        _final("quota"),
        limit=240.0,
    ),
    _refusal(
        "a prompt that is too long",
        "An exception of its own kind: in LangChain the `ContextOverflowError` that"
        " its middleware waits for; LlamaIndex has none, there any such class counts.",
        Fault(status=400, code="invalid_parameter_error", message=_OVERFLOW),
        of_value(_recognised),
    ),
)
