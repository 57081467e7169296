"""Agents, and answers in a given form, with a model that thinks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from comparison.clients import Client
from comparison.scenario import WHOLE, Scenario
from comparison.scenarios.expected import compare
from comparison.verdict import Seen, Verdict, each, of_value, show
from modelstudio_core.emulator import Reply, ToolCall

__all__ = ["STRUCTURED"]

_PROMPT: Final = "The tower is 330 metres tall. How tall is the tower?"
# The emulator fills in what fits the schema: the values are not the point.
_FORM: Final = {"name": "str", "metres": "int"}


def _call(client: Client) -> Sequence[Reply]:
    del client
    pieces = ['{"ci', 'ty": ', '"Oslo"}']
    call = ToolCall("weather", id="call_a", pieces=pieces)
    return [Reply(reasoning="I need the weather.", tool_calls=[call])]


def _went_on(value: Mapping[str, Any], seen: Seen) -> Verdict:
    found = compare("tool results", ["Rain in Oslo."], value["results"])
    if found.word != "kept":
        return Verdict(found.word, f"{found.evidence}; {_requests(seen)}")
    return compare("answer", "The tool answered: Rain in Oslo.", value["text"])


def _is_tower(value: Mapping[str, Any] | None) -> Verdict:
    if not value:
        return Verdict("lost", "no object")
    if {k: type(v).__name__ for k, v in value.items()} != _FORM:
        return Verdict("corrupted", f"the object is {show(value)}")
    return Verdict("kept")


def _has_tower(value: Mapping[str, Any], seen: Seen) -> Verdict:
    del seen
    return _is_tower(value["structured"])


def _requests(seen: Seen) -> str:
    count = len(seen.requests)
    return f"{count} request{'' if count == 1 else 's'}"


def _counted(seen: Seen) -> Verdict:
    found = of_value(_has_tower)(seen)
    if found.word == "not tried":
        return found
    said = found.evidence.rstrip(".")
    return Verdict(found.word, f"{said}; {_requests(seen)}".lstrip("; "))


def _same_thinking(value: object, seen: Seen) -> Verdict:
    del value
    before, after = (body.get("enable_thinking") for body in seen.bodies)
    if before == after:
        return Verdict("kept")
    evidence = f"`enable_thinking` was {show(before)} before and {show(after)} after"
    return Verdict("corrupted", evidence)


STRUCTURED: Final = (
    Scenario(
        title="an agent's tool loop",
        kept="`create_agent` and `FunctionAgent` call the tool, send its result and"
        " get the answer. The rules hold for the second request, the reported one"
        " about reasoning included.",
        action="agent",
        script=_call,
        parameters={"prompt": "Rain in Oslo?", "tools": ["weather"], "limit": 12},
        judge=of_value(_went_on),
    ),
    Scenario(
        title="an agent with a response format",
        kept="`create_agent(response_format=…)` and `FunctionAgent(output_cls=…)` end"
        " with the object, within 12 steps. The model thinks by default.",
        action="agent",
        parameters={"prompt": _PROMPT, "structured": True, "limit": 12},
        judge=_counted,
    ),
    Scenario(
        title="a response format, and a model that would rather talk",
        kept="The same, with a prompt that gives the model no reason of its own to"
        " call a tool.",
        action="agent",
        parameters={"prompt": "Who are you?", "structured": True, "limit": 12},
        judge=_counted,
    ),
    Scenario(
        title="structured output, whole",
        kept="`with_structured_output` and `structured_predict` return the object,"
        " by their default method. The model thinks by default.",
        action="structured",
        parameters={"prompt": _PROMPT, "modes": WHOLE},
        judge=each(_is_tower),
    ),
    Scenario(
        title="structured output, streamed",
        kept="The last object of the stream is the whole one.",
        action="structured",
        parameters={"prompt": _PROMPT, "modes": ["stream"]},
        judge=each(_is_tower),
    ),
    Scenario(
        title="the model after `with_structured_output`",
        kept="The model itself thinks as it did before.",
        action="unchanged",
        script=lambda client: [Reply(text="Hi.")] * 2,  # noqa: ARG005 - a script
        judge=of_value(_same_thinking),
        frameworks=("langchain",),
    ),
)
