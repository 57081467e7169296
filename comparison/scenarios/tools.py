"""Tool calls: streamed in every way that was recorded, broken, forced and absent."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from comparison.clients import Client
from comparison.scenario import STREAMS, WHOLE, Scenario
from comparison.scenarios.expected import answer_is, blocks_are, streamed
from comparison.verdict import (
    Seen,
    Verdict,
    each,
    failed,
    of_value,
    show,
    told,
)
from modelstudio_core.emulator import Reply, ToolCall

__all__ = ["TOOLS"]

_BROKEN: Final = '{"city": "Os'
_OSLO: Final = ("call_a", "weather", {"city": "Oslo"})
_LIMA: Final = ("call_b", "weather", {"city": "Lima"})
_TWO: Final = (_OSLO, _LIMA)
_WORDS: Final = ("call_a", "note", {"text": " hello  world again "})
_BOTH_TOOLS: Final = ["weather", "note"]


def _entry(
    index: int, arguments: str, call_id: str = "", name: str | None = None
) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"index": index, "id": call_id, "type": "function", "function": function}


def _delta(*entries: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": list(entries)}


def _full(client: Client) -> Sequence[Reply]:
    """Return reasoning, text and two calls; later pieces of a call have ``id: ""``."""
    del client
    calls = [ToolCall(name, args, id=call_id) for call_id, name, args in _TWO]
    return [Reply(reasoning="Two.", text="Looking.", tool_calls=calls)] * 2


_BLOCKS: Final = (
    ("reasoning", "Two."),
    ("text", "Looking."),
    ("tool_call", *_OSLO),
    ("tool_call", *_LIMA),
)


def _together(client: Client) -> Sequence[Reply]:
    deltas = [
        _delta(_entry(0, "", "call_a", "weather"), _entry(1, "", "call_b", "weather")),
        _delta(_entry(0, '{"city": "Oslo"}'), _entry(1, '{"city": "Lima"}')),
    ]
    return [streamed(client, deltas, tools=True)] * 2


def _interleaved(client: Client) -> Sequence[Reply]:
    deltas = [
        _delta(_entry(0, "", "call_a", "weather")),
        _delta(_entry(1, "", "call_b", "weather")),
        _delta(_entry(0, '{"city": ')),
        _delta(_entry(1, '{"city": "Lima"}')),
        _delta(_entry(0, '"Oslo"}')),
    ]
    return [streamed(client, deltas, tools=True)] * 2


def _blanks(client: Client) -> Sequence[Reply]:
    del client
    pieces = ['{"text": ', '" hello ', " world", ' again "', "}"]
    return [Reply(tool_calls=[ToolCall("note", id="call_a", pieces=pieces)])] * 2


def _repeated(client: Client) -> Sequence[Reply]:
    del client
    pieces = ['{"text": "ha', " ha", " ha", '"}']
    return [Reply(tool_calls=[ToolCall("note", id="call_a", pieces=pieces)])] * 2


def _broken(client: Client) -> Sequence[Reply]:
    del client
    return [Reply(tool_calls=[ToolCall("weather", _BROKEN, id="call_a")])]


def _goes_on(value: Mapping[str, Any], seen: Seen) -> Verdict:
    """Look whether the second request still tells of the call."""
    del value
    messages = seen.bodies[-1]["messages"]
    calls = [call for it in messages for call in it.get("tool_calls") or ()]
    if [it["id"] for it in calls] != ["call_a"]:
        return Verdict("lost", "the second request does not tell of the call")
    return Verdict("kept")


def _says_nothing(seen: Seen) -> Verdict:
    error = seen.outcome.get("error")
    if error and not seen.requests:
        return failed(error)
    names = ("tools", "tool_choice", "parallel_tool_calls")
    said = {k: v for body in seen.bodies for k, v in body.items() if k in names}
    if said:
        return Verdict("corrupted", f"sent although there are no tools: {show(said)}")
    return each(lambda answer: answer_is(answer, text="Hello."))(seen)


def _forced(value: Mapping[str, Any], seen: Seen) -> Verdict:
    """Look whether the call came that was forced."""
    if error := value["whole"].get("error"):
        sent = show(seen.bodies[-1].get("tool_choice")) if seen.requests else "nothing"
        return Verdict("error", f"sends {sent}: {told(error)}")
    body, answer = seen.bodies[-1], value["whole"]["value"]
    if [it["name"] for it in answer["calls"]] == ["note"]:
        off = body.get("enable_thinking") is False
        return Verdict("kept", "thinking is off for this request" if off else "")
    choice = body.get("tool_choice")
    return Verdict("lost", f"sends {show(choice)}, and no call comes")


# LlamaIndex keeps one call unless it is told otherwise.
_PARALLEL: Final = {"bind": {"allow_parallel_tool_calls": True}}


def _parallel(client: Client) -> Mapping[str, Any]:
    return {} if client.framework == "langchain" else _PARALLEL


_CHOSEN: Final = {"prompt": "Who are you?", "modes": ["whole"], "tools": ["note"]}


def _force(client: Client) -> Mapping[str, Any]:
    if client.framework == "langchain":
        return {"bind": {"tool_choice": "any"}}
    return {"bind": {"tool_required": True}}


TOOLS: Final = (
    Scenario(
        title="blocks: reasoning, text and two calls, streamed",
        kept="The blocks are reasoning, text and two calls, in that order"
        ' (LangChain: `output_version="v1"`).',
        script=_full,
        parameters={"modes": STREAMS, "tools": ["weather"]},
        by_client=lambda client: (
            {"arguments": {"output_version": "v1"}}
            if client.framework == "langchain"
            else _PARALLEL
        ),
        judge=each(lambda answer: blocks_are(answer, *_BLOCKS)),
    ),
    Scenario(
        title='blocks by `stream_events(version="v3")`',
        kept='The same blocks; later pieces of a call carry `id: ""`.',
        script=_full,
        parameters={"modes": ["v3"], "tools": ["weather"]},
        judge=each(lambda answer: blocks_are(answer, *_BLOCKS)),
        frameworks=("langchain",),
    ),
    Scenario(
        title="two calls, whole",
        kept="Both calls arrive with id, name and arguments.",
        script=_full,
        parameters={"modes": WHOLE, "tools": ["weather"]},
        by_client=_parallel,
        judge=each(lambda answer: answer_is(answer, calls=_TWO)),
    ),
    Scenario(
        title="two calls in one delta",
        kept="Both calls arrive with id, name and arguments.",
        script=_together,
        parameters={"modes": STREAMS, "tools": ["weather"]},
        by_client=_parallel,
        judge=each(lambda answer: answer_is(answer, calls=_TWO)),
    ),
    Scenario(
        title="two calls whose pieces interleave",
        kept="Each piece goes to the call of its index.",
        script=_interleaved,
        parameters={"modes": STREAMS, "tools": ["weather"]},
        by_client=_parallel,
        judge=each(lambda answer: answer_is(answer, calls=_TWO)),
    ),
    Scenario(
        title="arguments in pieces, with blanks at their edges",
        kept="The arguments arrive to the last blank, and in LlamaIndex each response"
        " on the way can be asked for its calls, as an agent does.",
        script=_blanks,
        parameters={"modes": STREAMS, "tools": _BOTH_TOOLS},
        judge=each(lambda answer: answer_is(answer, calls=[_WORDS])),
    ),
    Scenario(
        title="arguments in pieces that repeat",
        kept='`"ha ha ha"`, sent in three pieces, arrives as such.',
        script=_repeated,
        parameters={"modes": STREAMS, "tools": _BOTH_TOOLS},
        judge=each(
            lambda it: answer_is(it, calls=[("call_a", "note", {"text": "ha ha ha"})])
        ),
    ),
    Scenario(
        title="a history with broken arguments",
        kept="A call whose arguments are not JSON can be answered and sent back: the"
        " service takes nothing but JSON there.",
        action="tool_turn",
        script=_broken,
        parameters={"modes": ["whole"], "tools": ["weather"]},
        judge=of_value(_goes_on),
    ),
    Scenario(
        title="an empty list of tools",
        kept="Nothing about tools is sent.",
        script=lambda client: [Reply(text="Hello.")] * 2,  # noqa: ARG005 - a script
        parameters={"modes": WHOLE, "tools": []},
        judge=_says_nothing,
    ),
    Scenario(
        title="a forced tool while the model thinks",
        kept='The call comes (LangChain: `tool_choice="any"`, LlamaIndex:'
        " `tool_required=True`). The service refuses a forced tool in thinking mode.",
        parameters=_CHOSEN,
        by_client=_force,
        judge=of_value(_forced),
    ),
)
