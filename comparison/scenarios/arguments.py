"""Arguments, keys, images and cache keys."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from comparison.clients import OTHER_KEY, Client
from comparison.scenario import STREAMS, Scenario
from comparison.scenarios.expected import answer_is, compare
from comparison.verdict import (
    Judge,
    Seen,
    Verdict,
    each,
    failed,
    of_value,
    show,
    told,
    worst,
)
from modelstudio_core.emulator import Emulator, Reply

__all__ = ["ARGUMENTS"]

_KEY: Final = Emulator().api_key
_MODEL: Final = {"temperature": 0.9, "max_tokens": 100}
_CALL: Final = {"temperature": 0.3, "max_tokens": 7}
# One transparent pixel.
_IMAGE: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAA"
    "AABJRU5ErkJggg=="
)
_VISION: Final = "qwen3-vl-plus"
_OTHERS: Final = {
    "model": "qwen3.7-max",
    "base_url": "http://127.0.0.1:1/compatible-mode/v1",
}


def _hello(client: Client) -> Sequence[Reply]:
    del client
    return [Reply(text="Hello.")] * 4


def _sent(want: Mapping[str, Any]) -> Judge:
    def judged(outcomes: Mapping[str, Any], seen: Seen) -> Verdict:
        if error := outcomes["whole"].get("error"):
            return failed(error)
        body = seen.bodies[-1]
        # Two names of one limit.
        if body.get("max_tokens") is None and "max_completion_tokens" in body:
            body = {**body, "max_tokens": body["max_completion_tokens"]}
        return worst(_is_sent(k, v, body.get(k)) for k, v in want.items())

    return of_value(judged)


def _in_pieces(client: Client) -> Sequence[Reply]:
    del client
    pieces = ["One ", "two ", "three."]
    return [Reply(text="One two three.", pieces=pieces)] * 2


def _is_sent(name: str, want: object, got: object) -> Verdict:
    if got == want:
        return Verdict("kept")
    said = f"`{name}` is sent as {show(got)}" if got is not None else f"no `{name}`"
    return Verdict("lost", said)


def _thinks_not(value: Mapping[str, Any], seen: Seen) -> Verdict:
    found = _sent({"enable_thinking": False})(
        Seen(seen.client, {"value": value}, seen.requests)
    )
    if found.word == "kept" and "extra_body" in seen.client.thinking:
        return Verdict("kept", "through `extra_body`")
    return found


def _refused(seen: Seen) -> Verdict:
    outcome = seen.outcome.get("value", {}).get("whole", seen.outcome)
    if error := outcome.get("error"):
        when = "before anything is sent" if not seen.requests else "after a request"
        return Verdict("kept", f"{told(error)} ({when})")
    if any("temprature" in body for body in seen.bodies):
        return Verdict("lost", "it is sent to the service")
    return Verdict("lost", "nothing is said and nothing is sent")


def _hidden(texts: Mapping[str, str], seen: Seen) -> Verdict:
    del seen
    open_in = [f"`{name}`" for name, text in texts.items() if _KEY in text]
    if open_in:
        return Verdict("lost", f"the key can be read in {', '.join(open_in)}")
    return Verdict("kept")


def _no_other_key(seen: Seen) -> Verdict:
    """Look for the other vendor's key in what was sent."""
    if any(OTHER_KEY in str(it.headers.values()) for it in seen.requests):
        return Verdict("lost", "`OPENAI_API_KEY` is sent to the address that was given")
    error = seen.outcome.get("error")
    if error:
        return Verdict("kept", f"refused: `{error['type']}`")
    return Verdict("kept", "a request without a key")


def _pictured(seen: Seen) -> Verdict:
    messages = [it for body in seen.bodies for it in body["messages"]]
    parts = [
        part
        for it in messages
        if isinstance(it["content"], list)
        for part in it["content"]
        if _IMAGE in str(part)
    ]
    if any(_known(part) for part in parts):
        return Verdict("kept")
    if parts:
        names = show(sorted(parts[0]))
        return Verdict("corrupted", f"sent as a part with {names}: not the protocol's")
    outcome = seen.outcome.get("value", {}).get("whole", seen.outcome)
    if error := outcome.get("error"):
        return failed(error)
    return Verdict("lost", "the request has no image, and nothing is said")


def _known(part: Mapping[str, Any]) -> bool:
    """Tell whether a part has the form of one of the two protocols."""
    urls: Mapping[str, Any] = part.get("image_url") or {}
    return _IMAGE in str(part.get("image") or urls.get("url"))


def _apart(keys: Mapping[str, str], seen: Seen) -> Verdict:
    del seen
    same = [f"`{name}`" for name, key in keys.items() if name and key == keys[""]]
    if same:
        return Verdict("corrupted", f"the same key whatever {' and '.join(same)} is")
    untried = [f"`{name}`" for name in _OTHERS if name not in keys]
    return Verdict("kept", f"it has no {untried[0]}" if untried else "")


def _twice(texts: Sequence[str], seen: Seen) -> Verdict:
    del seen
    return compare("answers", ["Hello.", "Hello."], list(texts))


def _two(texts: Sequence[str], seen: Seen) -> Verdict:
    found = compare("answers", ["Hello.", "Hello."], list(texts))
    if found.word == "kept":
        return found
    return Verdict(
        "lost", f"one answer; `n` is sent as {show(seen.bodies[0].get('n'))}"
    )


def _live(answer: Mapping[str, Any]) -> Verdict:
    found = answer_is(answer, text="One two three.")
    if found.word != "kept":
        return found
    if answer["chunks"] < 3:  # noqa: PLR2004 - as many as were sent
        return Verdict("lost", "it arrives in one piece")
    return found


ARGUMENTS: Final = (
    Scenario(
        title="`stream` streams",
        kept="With the constructor's defaults, a stream arrives in pieces.",
        script=_in_pieces,
        parameters={"modes": STREAMS, "defaults": True},
        judge=each(_live),
        option="streaming",
    ),
    Scenario(
        title="one object in two event loops",
        kept="The same object answers in a second `asyncio.run`.",
        action="loops",
        script=_hello,
        judge=of_value(_twice),
    ),
    Scenario(
        title="two answers to one request",
        kept="`n=2` brings two answers, each with its text.",
        action="choices",
        script=_hello,
        judge=of_value(_two),
        frameworks=("langchain",),
    ),
    Scenario(
        title="arguments of the constructor",
        kept="`temperature` and `max_tokens` are sent.",
        script=_hello,
        parameters={"modes": ["whole"], "arguments": _MODEL},
        judge=_sent(_MODEL),
    ),
    Scenario(
        title="arguments of one call",
        kept="`temperature` and `max_tokens` of a call win over the constructor's.",
        script=_hello,
        parameters={"modes": ["whole"], "arguments": _MODEL, "call": _CALL},
        judge=_sent(_CALL),
    ),
    Scenario(
        title="thinking for one call",
        kept="Thinking can be switched off for a call, in the way that the class has.",
        script=_hello,
        parameters={"modes": ["whole"]},
        by_client=lambda client: {"call": dict(client.thinking)},
        judge=of_value(_thinks_not),
    ),
    Scenario(
        title="a misspelt argument of the constructor",
        kept="`temprature=0.1` is an error, at the latest with the first call.",
        script=_hello,
        parameters={"modes": ["whole"], "arguments": {"temprature": 0.1}},
        judge=_refused,
    ),
    Scenario(
        title="the key in `repr` and dumps",
        kept="The key cannot be read in `repr`, `str` and what the framework dumps.",
        action="secrets",
        judge=of_value(_hidden),
    ),
    Scenario(
        title="no key given, `OPENAI_API_KEY` set",
        kept="Another vendor's key is not sent to the address that was given. (For"
        " `ChatOpenAI` that is the documented variable.)",
        action="unkeyed",
        parameters={"without": ["api_key"], "other_key": OTHER_KEY},
        judge=_no_other_key,
    ),
    Scenario(
        title="an image",
        kept=f"The framework's own image block reaches the server (`{_VISION}`).",
        script=_hello,
        parameters={"modes": ["whole"], "image": _IMAGE, "model": _VISION},
        judge=_pictured,
    ),
    Scenario(
        title="cache keys",
        kept="Two models, and two addresses, do not share cached answers.",
        action="cache_keys",
        parameters={"others": _OTHERS},
        judge=of_value(_apart),
        frameworks=("langchain",),
    ),
)
