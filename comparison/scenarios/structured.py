"""Agents and structured output, with a model that thinks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from comparison.clients import Client
from comparison.scenario import CALLS, Scenario
from comparison.scenarios.expected import KEPT, compare
from comparison.verdict import (
    Observation,
    Verdict,
    format_count,
    format_value,
    judge_each_mode,
    judge_value,
)
from modelstudio_core.emulator import Reply, ToolCall

__all__ = ["STRUCTURED"]

_PROMPT: Final = "The tower is 330 metres tall. How tall is the tower?"
# The emulator makes up values that fit the schema, so only the types are judged.
_TYPES: Final = {"name": "str", "metres": "int"}


def _tool_call(client: Client) -> Sequence[Reply]:
    del client
    pieces = ['{"ci', 'ty": ', '"Oslo"}']
    call = ToolCall("weather", id="call_a", pieces=pieces)
    return [Reply(reasoning="I need the weather.", tool_calls=[call])]


def _judge_agent(value: Mapping[str, Any], observation: Observation) -> Verdict:
    verdict = compare("tool results", ["Rain in Oslo."], value["results"])
    if verdict.word != "kept":
        requests = format_count(observation)
        return Verdict(verdict.word, f"{verdict.evidence}; {requests}")
    return compare("text", "The tool answered: Rain in Oslo.", value["text"])


def _judge_tower(value: Mapping[str, Any] | None) -> Verdict:
    if not value:
        return Verdict("lost", "no object")
    if {k: type(v).__name__ for k, v in value.items()} != _TYPES:
        return Verdict("corrupted", f"the object is {format_value(value)}")
    return KEPT


def _judge_agent_tower(observation: Observation) -> Verdict:
    judge = judge_value(lambda value, _: _judge_tower(value["structured"]))
    verdict = judge(observation)
    if verdict.word == "not tested":
        return verdict
    evidence = f"{verdict.evidence.rstrip('.')}; {format_count(observation)}"
    return Verdict(verdict.word, evidence.lstrip("; "))


def _judge_thinking(_: object, observation: Observation) -> Verdict:
    before, after = (body.get("enable_thinking") for body in observation.bodies)
    if before == after:
        return KEPT
    values = f"{format_value(before)} before and {format_value(after)} after"
    return Verdict("corrupted", f"`enable_thinking` is {values}")


STRUCTURED: Final = (
    Scenario(
        title="agent with a tool",
        expected="`create_agent` and `FunctionAgent` run the tool, send its result and"
        " return the answer. The server applies its rules to the second request, the"
        " reported one about reasoning included.",
        action="agent",
        script=_tool_call,
        parameters={"prompt": "Rain in Oslo?", "tools": ["weather"], "limit": 12},
        judge=judge_value(_judge_agent),
    ),
    Scenario(
        title="agent with a response format",
        expected="`create_agent(response_format=…)` and `FunctionAgent(output_cls=…)`"
        " return the object, in at most 12 steps. The model thinks by default.",
        action="agent",
        parameters={"prompt": _PROMPT, "structured": True, "limit": 12},
        judge=_judge_agent_tower,
    ),
    Scenario(
        title="agent with a response format, unrelated prompt",
        expected="The same, with a prompt for which the model would not call a tool.",
        action="agent",
        parameters={"prompt": "Who are you?", "structured": True, "limit": 12},
        judge=_judge_agent_tower,
    ),
    Scenario(
        title="structured output of a call",
        expected="`with_structured_output` and `structured_predict` return the object,"
        " with their default method. The model thinks by default.",
        action="structured",
        parameters={"prompt": _PROMPT, "modes": CALLS},
        judge=judge_each_mode(_judge_tower),
    ),
    Scenario(
        title="structured output of a stream",
        expected="The last object of the stream is complete.",
        action="structured",
        parameters={"prompt": _PROMPT, "modes": ["stream"]},
        judge=judge_each_mode(_judge_tower),
    ),
    Scenario(
        title="the model after `with_structured_output`",
        expected="The model itself still thinks as before.",
        action="unchanged",
        script=lambda client: [Reply(text="Hi.")] * 2,  # noqa: ARG005 - a script
        judge=judge_value(_judge_thinking),
        frameworks=("langchain",),
    ),
)
