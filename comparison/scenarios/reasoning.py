"""What a model thinks: whole, streamed, and sent back."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from comparison.clients import Client
from comparison.scenario import STREAMS, WHOLE, Scenario
from comparison.scenarios.expected import answer_is, compare, streamed
from comparison.verdict import Seen, Verdict, each, failed, told
from modelstudio_core.emulator import Reply, ToolCall

__all__ = ["REASONING"]

_THOUGHT: Final = "The user greets. 思考 I greet back."
_TEXT: Final = "Hello, wörld."
_CALL: Final = ToolCall("weather", {"city": "Oslo"}, id="call_a")


def _reply(client: Client) -> Sequence[Reply]:
    del client
    return [Reply(reasoning=_THOUGHT, text=_TEXT)] * 2


def _both_kept(answer: Mapping[str, Any]) -> Verdict:
    return answer_is(answer, reasoning=_THOUGHT, text=_TEXT)


def _early(client: Client) -> Sequence[Reply]:
    first = {"role": "assistant", "content": None, "reasoning_content": "First, "}
    second = {"content": None, "reasoning_content": "then."}
    return [streamed(client, [first, second, {"content": "Done."}])] * 2


def _mixed(client: Client) -> Sequence[Reply]:
    first = {"role": "assistant", "content": "", "reasoning_content": "Thinking"}
    both = {"content": "Hel", "reasoning_content": " ends."}
    last = {"content": "lo.", "reasoning_content": ""}
    return [streamed(client, [first, both, last])] * 2


def _tool_turn(client: Client) -> Sequence[Reply]:
    del client
    return [Reply(reasoning=_THOUGHT, tool_calls=[_CALL])]


def _sent_back(seen: Seen) -> Verdict:
    """Look for the reasoning in the second request's assistant message."""
    error = seen.outcome.get("error")
    if len(seen.requests) < 2:  # noqa: PLR2004 - there was no second request
        return failed(error) if error else Verdict("lost", "no second request")
    messages = seen.bodies[1]["messages"]
    said = [it for it in messages if it["role"] == "assistant"]
    found = compare("reasoning", _THOUGHT, said[0].get("reasoning_content"))
    if found.word == "kept" or not error:
        return found
    evidence = f"{found.evidence} in the second request, which is refused:"
    return Verdict(found.word, f"{evidence} {told(error)}")


REASONING: Final = (
    Scenario(
        title="reasoning of a whole answer",
        kept="Reasoning and text arrive as they were sent, each in its place.",
        script=_reply,
        parameters={"modes": WHOLE},
        judge=each(_both_kept),
    ),
    Scenario(
        title="reasoning of a stream",
        kept="The same, put together from a stream's pieces.",
        script=_reply,
        parameters={"modes": STREAMS},
        judge=each(_both_kept),
    ),
    Scenario(
        title="reasoning in the very first delta",
        kept="A stream whose first delta says something already, beside"
        " `content: null`, loses none of it.",
        script=_early,
        parameters={"modes": STREAMS},
        judge=each(lambda it: answer_is(it, reasoning="First, then.", text="Done.")),
    ),
    Scenario(
        title="reasoning and text in one delta",
        kept="A delta with the end of one and the start of the other loses neither.",
        script=_mixed,
        parameters={"modes": STREAMS},
        judge=each(lambda it: answer_is(it, reasoning="Thinking ends.", text="Hello.")),
    ),
    Scenario(
        title="reasoning sent back on a tool turn",
        kept="The message that the client made itself, sent back with the tool's"
        " result, brings `reasoning_content` with it. The verdict is on what is sent;"
        " that the emulator refuses a DeepSeek v4 turn without it follows users'"
        " reports, not the documentation.",
        action="tool_turn",
        script=_tool_turn,
        parameters={"modes": ["whole"], "tools": ["weather"]},
        judge=_sent_back,
    ),
    Scenario(
        title="reasoning sent back after a stream",
        kept="The same, for a message put together from a stream.",
        action="tool_turn",
        script=_tool_turn,
        parameters={"modes": ["astream"], "tools": ["weather"]},
        judge=_sent_back,
    ),
    Scenario(
        title="reasoning sent back after storage as JSON",
        kept="The same, for a message that was dumped to JSON and read again.",
        action="tool_turn",
        script=_tool_turn,
        parameters={"modes": ["whole"], "tools": ["weather"], "stored": True},
        judge=_sent_back,
    ),
)
