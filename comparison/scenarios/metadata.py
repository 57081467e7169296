"""Token counts and request ids."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from comparison.clients import Client
from comparison.scenario import STREAMS, WHOLE, Scenario
from comparison.scenarios.expected import compare
from comparison.verdict import Seen, Verdict, each, of_value, worst
from modelstudio_core.emulator import Fault, Reply

__all__ = ["METADATA"]

_COUNTS: Final = {"input": 12, "output": 30, "reasoning": 20, "cached": 4}
_CACHED: Final = {"cached_tokens": _COUNTS["cached"]}
_THOUGHT: Final = {"reasoning_tokens": _COUNTS["reasoning"]}
_USAGE: Final[Mapping[str, Mapping[str, Any]]] = {
    "openai": {
        "prompt_tokens": 12,
        "completion_tokens": 30,
        "total_tokens": 42,
        "prompt_tokens_details": _CACHED,
        "completion_tokens_details": _THOUGHT,
    },
    "dashscope": {
        "input_tokens": 12,
        "output_tokens": 30,
        "total_tokens": 42,
        "prompt_tokens_details": _CACHED,
        "output_tokens_details": _THOUGHT,
    },
}
_LOGPROB: Final = -0.015625
# The emulator's ids are UUIDs of version 5; those of the frameworks are of others.
_ID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
)


def _counted(client: Client) -> Sequence[Reply]:
    usage = _USAGE[client.protocol]
    return [Reply(reasoning="Hm.", text="Hello.", usage=usage)] * 2


def _short(client: Client) -> Sequence[Reply]:
    del client
    return [Reply(text="Hel", finish_reason="length")] * 4


def _probable(client: Client) -> Sequence[Reply]:
    del client
    entry: dict[str, Any] = {
        "token": "Hi",
        "logprob": _LOGPROB,
        "bytes": None,
        "top_logprobs": [],
    }
    return [Reply(text="Hi", logprobs=[entry])] * 2


def _counts_kept(answer: Mapping[str, Any]) -> Verdict:
    got = answer["usage"]
    if not got:
        elsewhere = '"output_tokens": 30' in answer["all"]
        where = "only in `response_metadata`" if elsewhere else "no token counts"
        return Verdict("lost", where)
    return worst(compare(f"{it} tokens", _COUNTS[it], got[it]) for it in _COUNTS)


def _finish_kept(answer: Mapping[str, Any]) -> Verdict:
    told = '"finish_reason": "length"' in answer["all"]
    return Verdict("kept") if told else Verdict("lost", "nowhere in the answer")


def _logprobs_kept(answer: Mapping[str, Any]) -> Verdict:
    told = f'"logprob": {_LOGPROB}' in answer["all"]
    return Verdict("kept") if told else Verdict("lost", "nowhere in the answer")


def _id_kept(answer: Mapping[str, Any]) -> Verdict:
    if _ID.fullmatch(answer["request_id"] or ""):
        return Verdict("kept")
    if _ID.search(answer["all"]):
        return Verdict("kept", "as a part of the answer's `id`")
    return Verdict("lost", "nowhere in the answer")


def _refused(client: Client) -> Sequence[Fault]:
    del client
    return [Fault(status=400, code="invalid_parameter_error", message="No.")] * 2


def _error_id_kept(outcomes: Mapping[str, Any], seen: Seen) -> Verdict:
    del seen
    return worst(_error_id(outcome) for outcome in outcomes.values())


def _error_id(outcome: Mapping[str, Any]) -> Verdict:
    if "error" not in outcome:
        return Verdict("lost", "no exception: the answer is empty")
    error = outcome["error"]
    if _ID.fullmatch(error.get("request_id", "")):
        return Verdict("kept")
    if _ID.search(error["message"]):
        return Verdict("kept", f"in the text of a `{error['type']}`")
    return Verdict("lost", f"nowhere in the `{error['type']}`")


METADATA: Final = (
    Scenario(
        title="usage of a whole answer",
        kept="Tokens of input, output, reasoning and cache arrive, in LangChain in"
        ' `usage_metadata`, in LlamaIndex in `raw["usage"]`.',
        script=_counted,
        parameters={"modes": WHOLE},
        judge=each(_counts_kept),
    ),
    Scenario(
        title="usage of a stream",
        kept="The same, once a stream is put together.",
        script=_counted,
        parameters={"modes": STREAMS},
        judge=each(_counts_kept),
        option="usage",
    ),
    Scenario(
        title="a finish reason of `length`",
        kept="An answer that was cut at its limit says so, whole and streamed.",
        script=_short,
        parameters={"modes": (*WHOLE, *STREAMS)},
        judge=each(_finish_kept),
    ),
    Scenario(
        title="log probabilities",
        kept="They can be found in the whole answer.",
        script=_probable,
        parameters={"modes": WHOLE},
        judge=each(_logprobs_kept),
    ),
    Scenario(
        title="request id of a whole answer",
        kept="The id that support asks for is part of the answer.",
        script=_counted,
        parameters={"modes": WHOLE},
        judge=each(_id_kept),
    ),
    Scenario(
        title="request id of a stream",
        kept="The same, once a stream is put together.",
        script=_counted,
        parameters={"modes": STREAMS},
        judge=each(_id_kept),
    ),
    Scenario(
        title="request id of an error",
        kept="The same, for the exception that an HTTP 400 becomes.",
        script=_refused,
        parameters={"modes": WHOLE},
        judge=of_value(_error_id_kept),
    ),
)
