"""Tool calls: streamed in all recorded forms, invalid, forced and absent."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from comparison.clients import Client
from comparison.scenario import CALLS, STREAMS, Scenario
from comparison.scenarios.expected import (
    KEPT,
    compare_answer,
    compare_blocks,
    streamed_reply,
)
from comparison.verdict import (
    Judge,
    Observation,
    Verdict,
    format_error,
    format_value,
    judge_each_mode,
    judge_error,
    judge_value,
)
from modelstudio_core.emulator import Reply, ToolCall

__all__ = ["TOOLS"]

_INVALID_JSON: Final = '{"city": "Os'
_OSLO: Final = ("call_a", "weather", {"city": "Oslo"})
_LIMA: Final = ("call_b", "weather", {"city": "Lima"})
_TWO: Final = (_OSLO, _LIMA)
_SPACES: Final = ("call_a", "note", {"text": " hello  world again "})
_BOTH_TOOLS: Final = ["weather", "note"]


def _entry(
    index: int, arguments: str, call_id: str = "", name: str | None = None
) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"index": index, "id": call_id, "type": "function", "function": function}


def _delta(*entries: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": list(entries)}


def _all_blocks(client: Client) -> Sequence[Reply]:
    """Return reasoning, text and two calls, whose later deltas have ``id: ""``."""
    del client
    calls = [ToolCall(name, args, id=call_id) for call_id, name, args in _TWO]
    return [Reply(reasoning="Two.", text="Looking.", tool_calls=calls)] * 2


_BLOCKS: Final = (
    ("reasoning", "Two."),
    ("text", "Looking."),
    ("tool_call", *_OSLO),
    ("tool_call", *_LIMA),
)


def _in_one_delta(client: Client) -> Sequence[Reply]:
    deltas = [
        _delta(_entry(0, "", "call_a", "weather"), _entry(1, "", "call_b", "weather")),
        _delta(_entry(0, '{"city": "Oslo"}'), _entry(1, '{"city": "Lima"}')),
    ]
    return [streamed_reply(client, deltas, tools=True)] * 2


def _interleaved(client: Client) -> Sequence[Reply]:
    deltas = [
        _delta(_entry(0, "", "call_a", "weather")),
        _delta(_entry(1, "", "call_b", "weather")),
        _delta(_entry(0, '{"city": ')),
        _delta(_entry(1, '{"city": "Lima"}')),
        _delta(_entry(0, '"Oslo"}')),
    ]
    return [streamed_reply(client, deltas, tools=True)] * 2


def _with_spaces(client: Client) -> Sequence[Reply]:
    del client
    pieces = ['{"text": ', '" hello ', " world", ' again "', "}"]
    return [Reply(tool_calls=[ToolCall("note", id="call_a", pieces=pieces)])] * 2


def _with_repetition(client: Client) -> Sequence[Reply]:
    del client
    pieces = ['{"text": "ha', " ha", " ha", '"}']
    return [Reply(tool_calls=[ToolCall("note", id="call_a", pieces=pieces)])] * 2


def _invalid_call(client: Client) -> Sequence[Reply]:
    del client
    return [Reply(tool_calls=[ToolCall("weather", _INVALID_JSON, id="call_a")])]


def _judge_history(_: object, observation: Observation) -> Verdict:
    """Judge whether the second request has the tool call."""
    messages = observation.bodies[-1]["messages"]
    calls = [call for message in messages for call in message.get("tool_calls") or ()]
    if [call["id"] for call in calls] != ["call_a"]:
        return Verdict("lost", "the second request does not have the call")
    return KEPT


def _judge_no_tools(observation: Observation) -> Verdict:
    error = observation.outcome.get("error")
    if error and not observation.requests:
        return judge_error(error)
    names = ("tools", "tool_choice", "parallel_tool_calls")
    sent = {k: v for body in observation.bodies for k, v in body.items() if k in names}
    if sent:
        return Verdict("corrupted", f"it sends {format_value(sent)}")
    judge = judge_each_mode(lambda answer: compare_answer(answer, text="Hello."))
    return judge(observation)


def _judge_forced(value: Mapping[str, Any], observation: Observation) -> Verdict:
    """Judge whether the response has the forced call."""
    body = observation.bodies[-1] if observation.requests else {}
    choice = f"sends {format_value(body.get('tool_choice'))}" if body else "no request"
    if error := value["call"].get("error"):
        return Verdict("error", f"{choice}: {format_error(error)}")
    if [call["name"] for call in value["call"]["value"]["calls"]] == ["note"]:
        off = body.get("enable_thinking") is False
        return Verdict("kept", "thinking is off for this request" if off else "")
    return Verdict("lost", f"{choice}, and there is no call")


def _has_calls(*calls: tuple[str, str, Mapping[str, Any]]) -> Judge:
    """Return a judge of whether each mode has these tool calls."""
    return judge_each_mode(lambda answer: compare_answer(answer, calls=calls))


# LlamaIndex keeps one call by default.
_PARALLEL: Final = {"bind": {"allow_parallel_tool_calls": True}}


def _parallel(client: Client) -> Mapping[str, Any]:
    return {} if client.framework == "langchain" else _PARALLEL


_FORCED: Final = {"prompt": "Who are you?", "modes": ["call"], "tools": ["note"]}


def _force(client: Client) -> Mapping[str, Any]:
    if client.framework == "langchain":
        return {"bind": {"tool_choice": "any"}}
    return {"bind": {"tool_required": True}}


TOOLS: Final = (
    Scenario(
        title="content blocks of a stream",
        expected="The blocks are reasoning, text and two calls, in that order"
        ' (LangChain: `output_version="v1"`).',
        script=_all_blocks,
        parameters={"modes": STREAMS, "tools": ["weather"]},
        by_client=lambda client: (
            {"arguments": {"output_version": "v1"}}
            if client.framework == "langchain"
            else _PARALLEL
        ),
        judge=judge_each_mode(lambda answer: compare_blocks(answer, *_BLOCKS)),
    ),
    Scenario(
        title='content blocks of `stream_events(version="v3")`',
        expected='The same blocks, although later deltas of a call have `id: ""`.',
        script=_all_blocks,
        parameters={"modes": ["v3"], "tools": ["weather"]},
        judge=judge_each_mode(lambda answer: compare_blocks(answer, *_BLOCKS)),
        frameworks=("langchain",),
    ),
    Scenario(
        title="two tool calls",
        expected="Both are received with id, name and arguments.",
        script=_all_blocks,
        parameters={"modes": CALLS, "tools": ["weather"]},
        by_client=_parallel,
        judge=_has_calls(*_TWO),
    ),
    Scenario(
        title="two tool calls in one delta",
        expected="Both are received with id, name and arguments.",
        script=_in_one_delta,
        parameters={"modes": STREAMS, "tools": ["weather"]},
        by_client=_parallel,
        judge=_has_calls(*_TWO),
    ),
    Scenario(
        title="two interleaved tool calls",
        expected="Each delta is added to the tool call of its index.",
        script=_interleaved,
        parameters={"modes": STREAMS, "tools": ["weather"]},
        by_client=_parallel,
        judge=_has_calls(*_TWO),
    ),
    Scenario(
        title="streamed arguments with spaces",
        expected="No space at the edge of a delta is lost. In LlamaIndex"
        " `get_tool_calls_from_response` works on each response, as in agents.",
        script=_with_spaces,
        parameters={"modes": STREAMS, "tools": _BOTH_TOOLS},
        judge=_has_calls(_SPACES),
    ),
    Scenario(
        title="streamed arguments with repetition",
        expected='`"ha ha ha"`, sent in three deltas, is received as such.',
        script=_with_repetition,
        parameters={"modes": STREAMS, "tools": _BOTH_TOOLS},
        judge=_has_calls(("call_a", "note", {"text": "ha ha ha"})),
    ),
    Scenario(
        title="invalid arguments in the history",
        expected="A tool call whose arguments are not JSON can be sent back with a"
        " result: the service accepts only JSON there.",
        action="tool_turn",
        script=_invalid_call,
        parameters={"modes": ["call"], "tools": ["weather"]},
        judge=judge_value(_judge_history),
    ),
    Scenario(
        title="empty list of tools",
        expected="No argument about tools is sent.",
        script=lambda client: [Reply(text="Hello.")] * 2,  # noqa: ARG005 - a script
        parameters={"modes": CALLS, "tools": []},
        judge=_judge_no_tools,
    ),
    Scenario(
        title="forced tool while the model thinks",
        expected='The response has the tool call (LangChain: `tool_choice="any"`,'
        " LlamaIndex: `tool_required=True`). The service refuses a forced tool in"
        " thinking mode.",
        parameters=_FORCED,
        by_client=_force,
        judge=judge_value(_judge_forced),
    ),
)
