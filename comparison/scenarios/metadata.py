"""Usage, finish reasons, log probabilities and request ids."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from comparison.clients import Client
from comparison.scenario import CALLS, STREAMS, Scenario
from comparison.scenarios.expected import KEPT, compare
from comparison.verdict import (
    Observation,
    Verdict,
    judge_each_mode,
    judge_value,
    worst,
)
from modelstudio_core.emulator import Fault, Reply

__all__ = ["METADATA"]

_COUNTS: Final = {"input": 12, "output": 30, "reasoning": 20, "cached": 4}
_CACHED: Final = {"cached_tokens": _COUNTS["cached"]}
_REASONING: Final = {"reasoning_tokens": _COUNTS["reasoning"]}
_USAGE: Final[Mapping[str, Mapping[str, Any]]] = {
    "openai": {
        "prompt_tokens": 12,
        "completion_tokens": 30,
        "total_tokens": 42,
        "prompt_tokens_details": _CACHED,
        "completion_tokens_details": _REASONING,
    },
    "dashscope": {
        "input_tokens": 12,
        "output_tokens": 30,
        "total_tokens": 42,
        "prompt_tokens_details": _CACHED,
        "output_tokens_details": _REASONING,
    },
}
_LOGPROB: Final = -0.015625
# The emulator's ids are UUIDs of version 5; those of the frameworks are not.
_ID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
)


def _reply_with_usage(client: Client) -> Sequence[Reply]:
    usage = _USAGE[client.protocol]
    return [Reply(reasoning="Hm.", text="Hello.", usage=usage)] * 2


def _truncated_reply(client: Client) -> Sequence[Reply]:
    del client
    return [Reply(text="Hel", finish_reason="length")] * 4


def _reply_with_logprobs(client: Client) -> Sequence[Reply]:
    del client
    entry: dict[str, Any] = {
        "token": "Hi",
        "logprob": _LOGPROB,
        "bytes": None,
        "top_logprobs": [],
    }
    return [Reply(text="Hi", logprobs=[entry])] * 2


def _judge_usage(answer: Mapping[str, Any]) -> Verdict:
    usage = answer["usage"]
    if not usage:
        in_metadata = '"output_tokens": 30' in answer["all"]
        where = "only in `response_metadata`" if in_metadata else "no token counts"
        return Verdict("lost", where)
    return worst(
        compare(f"{kind} tokens", _COUNTS[kind], usage[kind]) for kind in _COUNTS
    )


def _judge_finish_reason(answer: Mapping[str, Any]) -> Verdict:
    return _kept_if('"finish_reason": "length"' in answer["all"])


def _judge_logprobs(answer: Mapping[str, Any]) -> Verdict:
    return _kept_if(f'"logprob": {_LOGPROB}' in answer["all"])


def _kept_if(present: bool) -> Verdict:
    return KEPT if present else Verdict("lost", "not in the response")


def _judge_request_id(answer: Mapping[str, Any]) -> Verdict:
    if _ID.fullmatch(answer["request_id"] or ""):
        return KEPT
    if _ID.search(answer["all"]):
        return Verdict("kept", "as part of the response's `id`")
    return _kept_if(False)


def _bad_request(client: Client) -> Sequence[Fault]:
    del client
    return [Fault(status=400, code="invalid_parameter_error", message="No.")] * 2


def _judge_error_ids(outcomes: Mapping[str, Any], _: Observation) -> Verdict:
    return worst(_judge_error_id(outcome) for outcome in outcomes.values())


def _judge_error_id(outcome: Mapping[str, Any]) -> Verdict:
    if "error" not in outcome:
        return Verdict("lost", "no exception, an empty response")
    error = outcome["error"]
    if _ID.fullmatch(error.get("request_id", "")):
        return KEPT
    if _ID.search(error["message"]):
        return Verdict("kept", f"in the message of a `{error['type']}`")
    return Verdict("lost", f"not in the `{error['type']}`")


METADATA: Final = (
    Scenario(
        title="usage of a call",
        expected="Input, output, reasoning and cached tokens, in LangChain in"
        ' `usage_metadata`, in LlamaIndex in `raw["usage"]`.',
        script=_reply_with_usage,
        parameters={"modes": CALLS},
        judge=judge_each_mode(_judge_usage),
    ),
    Scenario(
        title="usage of a stream",
        expected="The same, after all chunks are joined.",
        script=_reply_with_usage,
        parameters={"modes": STREAMS},
        judge=judge_each_mode(_judge_usage),
        option="usage",
    ),
    Scenario(
        title="finish reason `length`",
        expected="A response that was cut at its limit says so.",
        script=_truncated_reply,
        parameters={"modes": (*CALLS, *STREAMS)},
        judge=judge_each_mode(_judge_finish_reason),
    ),
    Scenario(
        title="log probabilities",
        expected="They are in the response.",
        script=_reply_with_logprobs,
        parameters={"modes": CALLS},
        judge=judge_each_mode(_judge_logprobs),
    ),
    Scenario(
        title="request id of a call",
        expected="The id that the service's support needs is in the response.",
        script=_reply_with_usage,
        parameters={"modes": CALLS},
        judge=judge_each_mode(_judge_request_id),
    ),
    Scenario(
        title="request id of a stream",
        expected="The same, after all chunks are joined.",
        script=_reply_with_usage,
        parameters={"modes": STREAMS},
        judge=judge_each_mode(_judge_request_id),
    ),
    Scenario(
        title="request id of an error",
        expected="The same, in the exception for an HTTP 400.",
        script=_bad_request,
        parameters={"modes": CALLS},
        judge=judge_value(_judge_error_ids),
    ),
)
