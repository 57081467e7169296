"""Arguments, API keys and cache keys."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from comparison.clients import OTHER_KEY, Client
from comparison.scenario import STREAMS, Scenario
from comparison.scenarios.expected import KEPT, compare, compare_answer
from comparison.verdict import (
    Judge,
    Observation,
    Verdict,
    format_error,
    format_value,
    judge_each_mode,
    judge_error,
    judge_value,
    worst,
)
from modelstudio_core.emulator import Emulator, Reply

__all__ = ["ARGUMENTS"]

_KEY: Final = Emulator().api_key
_CONSTRUCTOR: Final = {"temperature": 0.9, "max_tokens": 100}
_CALL: Final = {"temperature": 0.3, "max_tokens": 7}
_OTHER_ARGUMENTS: Final = {
    "model": "qwen3.7-max",
    "base_url": "http://127.0.0.1:1/compatible-mode/v1",
}


def _hello(client: Client) -> Sequence[Reply]:
    del client
    return [Reply(text="Hello.")] * 4


def _three_pieces(client: Client) -> Sequence[Reply]:
    del client
    pieces = ["One ", "two ", "three."]
    return [Reply(text="One two three.", pieces=pieces)] * 2


# --- Arguments --------------------------------------------------------------------


def _is_sent(arguments: Mapping[str, Any]) -> Judge:
    """Return a judge of whether the last request has these arguments."""

    def judge(outcomes: Mapping[str, Any], observation: Observation) -> Verdict:
        if error := outcomes["call"].get("error"):
            return judge_error(error)
        body = observation.bodies[-1]
        # Two names for the same limit.
        if body.get("max_tokens") is None and "max_completion_tokens" in body:
            body = {**body, "max_tokens": body["max_completion_tokens"]}
        return worst(_compare_sent(k, v, body.get(k)) for k, v in arguments.items())

    return judge_value(judge)


def _compare_sent(name: str, expected: object, sent: object) -> Verdict:
    if sent == expected:
        return KEPT
    if sent is None:
        return Verdict("lost", f"no `{name}`")
    return Verdict("lost", f"`{name}` is sent as {format_value(sent)}")


def _judge_thinking(observation: Observation) -> Verdict:
    verdict = _is_sent({"enable_thinking": False})(observation)
    if verdict.word == "kept" and "extra_body" in observation.client.thinking:
        return Verdict("kept", "through `extra_body`")
    return verdict


def _judge_misspelled(observation: Observation) -> Verdict:
    outcome = observation.outcome.get("value", {}).get("call", observation.outcome)
    if error := outcome.get("error"):
        when = "after a request" if observation.requests else "before a request"
        return Verdict("kept", f"{format_error(error)} ({when})")
    if any("temprature" in body for body in observation.bodies):
        return Verdict("lost", "it is sent to the service")
    return Verdict("lost", "no error, and it is not sent")


def _judge_two_texts(texts: Sequence[str], observation: Observation) -> Verdict:
    verdict = compare("texts", ["Hello.", "Hello."], list(texts))
    if verdict.word == "kept":
        return verdict
    sent = format_value(observation.bodies[0].get("n"))
    return Verdict("lost", f"one response; `n` is sent as {sent}")


# --- Keys -------------------------------------------------------------------------


def _judge_secrets(texts: Mapping[str, str], _: Observation) -> Verdict:
    names = [f"`{name}`" for name, text in texts.items() if _KEY in text]
    if names:
        return Verdict("lost", f"the key is in {', '.join(names)}")
    return KEPT


def _judge_other_key(observation: Observation) -> Verdict:
    if any(
        OTHER_KEY in str(request.headers.values()) for request in observation.requests
    ):
        return Verdict("lost", "`OPENAI_API_KEY` is sent to the base URL")
    error = observation.outcome.get("error")
    if error:
        return Verdict("kept", f"refused with `{error['type']}`")
    return Verdict("kept", "a request without a key")


def _judge_cache_keys(keys: Mapping[str, str], _: Observation) -> Verdict:
    same = [f"`{name}`" for name, key in keys.items() if name and key == keys[""]]
    if same:
        return Verdict("corrupted", f"the key does not depend on {' and '.join(same)}")
    missing = [f"`{name}`" for name in _OTHER_ARGUMENTS if name not in keys]
    return Verdict("kept", f"it has no {missing[0]}" if missing else "")


# --- Streams -----------------------------------------------------------


def _judge_stream(answer: Mapping[str, Any]) -> Verdict:
    verdict = compare_answer(answer, text="One two three.")
    if verdict.word != "kept":
        return verdict
    if answer["chunks"] < 3:  # noqa: PLR2004 - as many as were sent
        return Verdict("lost", "everything is in one chunk")
    return KEPT


ARGUMENTS: Final = (
    Scenario(
        title="streaming with the default arguments",
        expected="With the constructor's defaults, a stream has several chunks.",
        script=_three_pieces,
        parameters={"modes": STREAMS, "defaults": True},
        judge=judge_each_mode(_judge_stream),
        option="streaming",
    ),
    Scenario(
        title="one object in two event loops",
        expected="The same object works in a second `asyncio.run`.",
        action="loops",
        script=_hello,
        judge=judge_value(
            lambda texts, _: compare("texts", ["Hello.", "Hello."], list(texts))
        ),
    ),
    Scenario(
        title="two responses to one request",
        expected="`n=2` returns two responses, each with its text.",
        action="choices",
        script=_hello,
        judge=judge_value(_judge_two_texts),
        frameworks=("langchain",),
    ),
    Scenario(
        title="constructor arguments",
        expected="`temperature` and `max_tokens` are sent.",
        script=_hello,
        parameters={"modes": ["call"], "arguments": _CONSTRUCTOR},
        judge=_is_sent(_CONSTRUCTOR),
    ),
    Scenario(
        title="call arguments",
        expected="`temperature` and `max_tokens` of a call override the constructor's.",
        script=_hello,
        parameters={"modes": ["call"], "arguments": _CONSTRUCTOR, "call": _CALL},
        judge=_is_sent(_CALL),
    ),
    Scenario(
        title="thinking switched off for one call",
        expected="A call can switch thinking off, with the arguments that the class"
        " documents.",
        script=_hello,
        parameters={"modes": ["call"]},
        by_client=lambda client: {"call": dict(client.thinking)},
        judge=_judge_thinking,
    ),
    Scenario(
        title="misspelled constructor argument",
        expected="`temprature=0.1` is an error, at the latest in the first call.",
        script=_hello,
        parameters={"modes": ["call"], "arguments": {"temprature": 0.1}},
        judge=_judge_misspelled,
    ),
    Scenario(
        title="API key in `repr` and dumps",
        expected="The key is not in `repr`, `str` and the framework's dumps.",
        action="secrets",
        judge=judge_value(_judge_secrets),
    ),
    Scenario(
        title="no API key, but `OPENAI_API_KEY`",
        expected="Another vendor's key is not sent to the base URL. (For `ChatOpenAI`"
        " this is the documented variable.)",
        action="without_key",
        parameters={"without": ["api_key"], "other_key": OTHER_KEY},
        judge=_judge_other_key,
    ),
    Scenario(
        title="cache keys",
        expected="Two models, or two base URLs, do not share cached responses.",
        action="cache_keys",
        parameters={"others": _OTHER_ARGUMENTS},
        judge=judge_value(_judge_cache_keys),
        frameworks=("langchain",),
    ),
)
