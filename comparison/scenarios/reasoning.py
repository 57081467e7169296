"""Reasoning: received from calls and streams, and sent back."""

from collections.abc import Sequence
from typing import Final

from comparison.clients import Client
from comparison.scenario import CALLS, STREAMS, Scenario
from comparison.scenarios.expected import compare, compare_answer, streamed_reply
from comparison.verdict import (
    Judge,
    Observation,
    Verdict,
    format_error,
    judge_each_mode,
    judge_error,
)
from modelstudio_core.emulator import Reply, ToolCall

__all__ = ["REASONING"]

_REASONING: Final = "The user greets. 思考 I greet back."
_TEXT: Final = "Hello, wörld."
_CALL: Final = ToolCall("weather", {"city": "Oslo"}, id="call_a")


def _reply(client: Client) -> Sequence[Reply]:
    del client
    return [Reply(reasoning=_REASONING, text=_TEXT)] * 2


def _has_both(reasoning: str, text: str) -> Judge:
    """Return a judge of whether each mode has this reasoning and this text."""
    return judge_each_mode(
        lambda answer: compare_answer(answer, reasoning=reasoning, text=text)
    )


def _in_first_delta(client: Client) -> Sequence[Reply]:
    first = {"role": "assistant", "content": None, "reasoning_content": "First, "}
    second = {"content": None, "reasoning_content": "then."}
    return [streamed_reply(client, [first, second, {"content": "Done."}])] * 2


def _in_one_delta(client: Client) -> Sequence[Reply]:
    first = {"role": "assistant", "content": "", "reasoning_content": "Thinking"}
    both = {"content": "Hel", "reasoning_content": " ends."}
    last = {"content": "lo.", "reasoning_content": ""}
    return [streamed_reply(client, [first, both, last])] * 2


def _tool_call(client: Client) -> Sequence[Reply]:
    del client
    return [Reply(reasoning=_REASONING, tool_calls=[_CALL])]


def _judge_sent_back(observation: Observation) -> Verdict:
    """Judge the reasoning in the assistant message of the second request."""
    error = observation.outcome.get("error")
    if len(observation.requests) < 2:  # noqa: PLR2004 - no second request
        return judge_error(error) if error else Verdict("lost", "no second request")
    messages = observation.bodies[1]["messages"]
    message = next(m for m in messages if m["role"] == "assistant")
    verdict = compare("reasoning", _REASONING, message.get("reasoning_content"))
    if verdict.word == "kept" or not error:
        return verdict
    evidence = f"{verdict.evidence} in the second request, which the server refuses:"
    return Verdict(verdict.word, f"{evidence} {format_error(error)}")


REASONING: Final = (
    Scenario(
        title="reasoning of a call",
        expected="Reasoning and text are received as sent, in separate places.",
        script=_reply,
        parameters={"modes": CALLS},
        judge=_has_both(_REASONING, _TEXT),
    ),
    Scenario(
        title="reasoning of a stream",
        expected="The same, after all chunks are joined.",
        script=_reply,
        parameters={"modes": STREAMS},
        judge=_has_both(_REASONING, _TEXT),
    ),
    Scenario(
        title="reasoning in the first delta",
        expected="The first delta is not lost, although it has `content: null`.",
        script=_in_first_delta,
        parameters={"modes": STREAMS},
        judge=_has_both("First, then.", "Done."),
    ),
    Scenario(
        title="reasoning and text in one delta",
        expected="A delta with the end of the reasoning and the start of the text loses"
        " neither.",
        script=_in_one_delta,
        parameters={"modes": STREAMS},
        judge=_has_both("Thinking ends.", "Hello."),
    ),
    Scenario(
        title="reasoning sent back with a tool result",
        expected="The client's own message, sent back with the tool's result, has"
        " `reasoning_content`. The verdict is on what is sent. That the emulator"
        " refuses a DeepSeek v4 tool result without it follows reports of users, not"
        " the documentation.",
        action="tool_turn",
        script=_tool_call,
        parameters={"modes": ["call"], "tools": ["weather"]},
        judge=_judge_sent_back,
    ),
    Scenario(
        title="reasoning sent back after a stream",
        expected="The same, for a message that was joined from chunks.",
        action="tool_turn",
        script=_tool_call,
        parameters={"modes": ["astream"], "tools": ["weather"]},
        judge=_judge_sent_back,
    ),
    Scenario(
        title="reasoning sent back after storage as JSON",
        expected="The same, for a message that was saved as JSON and loaded.",
        action="tool_turn",
        script=_tool_call,
        parameters={"modes": ["call"], "tools": ["weather"], "stored": True},
        judge=_judge_sent_back,
    ),
)
