"""What an answer should have been, beside what it is."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from comparison.clients import Client
from comparison.verdict import Verdict, show, worst
from modelstudio_core.emulator import Reply

__all__ = ["answer_is", "blocks_are", "compare", "streamed"]

KEPT = Verdict("kept")


def compare(what: str, want: object, got: object) -> Verdict:
    """Return whether a thing is there, missing, or another one.

    Args:
        what: What it is called.
        want: What was sent.
        got: What arrived; a part of ``want`` counts as lost, all else as corrupted.
    """
    if got == want:
        return KEPT
    if not got:
        return Verdict("lost", f"no {what}")
    if _is_part(want, got):
        return Verdict("lost", f"{what}: {show(got)} of {show(want)}")
    return Verdict("corrupted", f"{what}: {show(got)} in place of {show(want)}")


def _is_part(want: object, got: object) -> bool:
    if isinstance(want, str) and isinstance(got, str):
        return got in want
    if not isinstance(want, list) or not isinstance(got, list):
        return False
    wanted, found = cast("list[object]", want), cast("list[object]", got)
    return len(found) < len(wanted) and all(it in wanted for it in found)


def answer_is(
    answer: Mapping[str, Any],
    *,
    text: str | None = None,
    reasoning: str | None = None,
    calls: Sequence[tuple[str, str, Mapping[str, Any]]] | None = None,
) -> Verdict:
    """Compare an answer, and in LlamaIndex its pieces, with what was sent."""
    verdicts = [KEPT]
    if reasoning is not None:
        verdicts.append(compare("reasoning", reasoning, answer["reasoning"]))
        if verdicts[-1] == KEPT and "thinking_deltas" in answer:
            found = compare("`thinking_delta`s", reasoning, answer["thinking_deltas"])
            verdicts.append(found)
    if text is not None:
        verdicts.append(compare("text", text, answer["text"]))
        if "deltas" in answer:
            verdicts.append(compare("`delta`s", text, answer["deltas"]))
    if calls is not None:
        want = [[call_id, name, dict(args)] for call_id, name, args in calls]
        got = [[it["id"], it["name"], it["args"]] for it in answer["calls"]]
        verdicts.append(compare("tool calls", want, got))
    return worst(verdicts)


def blocks_are(answer: Mapping[str, Any], *want: Sequence[Any]) -> Verdict:
    """Compare the blocks of an answer with what was sent, kind by kind."""
    blocks = [list(it) for it in answer["blocks"]]
    wanted = [list(it) for it in want]
    if blocks == wanted:
        return KEPT
    kinds = dict.fromkeys(it[0] for it in (*wanted, *blocks))
    verdicts = [_kind_is(kind, wanted, blocks) for kind in kinds]
    found = worst(verdicts)
    lines = [it.evidence for it in verdicts if it.evidence]
    return Verdict(found.word, ", ".join(lines) or "another order")


def _kind_is(kind: str, want: list[list[Any]], got: list[list[Any]]) -> Verdict:
    """Compare the blocks of one kind."""
    wanted = [it[1:] for it in want if it[0] == kind]
    blocks = [it[1:] for it in got if it[0] == kind]
    if blocks == wanted:
        return KEPT
    if len(blocks) > len(wanted):
        counts = f"{len(blocks)} `{kind}` blocks in place of {len(wanted)}"
        return Verdict("corrupted", counts)
    if len(blocks) < len(wanted) and all(it in wanted for it in blocks):
        counts = f"{len(blocks)} of {len(wanted)} `{kind}` blocks"
        return Verdict("lost", counts if blocks else f"no `{kind}` block")
    return compare(f"`{kind}`", wanted, blocks)


def streamed(
    client: Client, deltas: Sequence[Mapping[str, Any]], *, tools: bool = False
) -> Reply:
    """Return a stream of these deltas, in the form that the client asks for."""
    if client.protocol == "openai":
        return Reply(deltas=deltas)
    # Recorded: on the native protocol each message has its role, and no null.
    empty = {"role": "assistant", "content": ""}
    said = [
        {**empty, **delta, "content": delta.get("content") or ""} for delta in deltas
    ]
    if tools and client.cumulative:
        total: dict[str, Any] = empty
        said = [total := _added(total, delta) for delta in said]
    return Reply(deltas=said)


def _added(total: Mapping[str, Any], delta: Mapping[str, Any]) -> dict[str, Any]:
    added = {**total}
    for name in ("content", "reasoning_content"):
        if name in delta:
            added[name] = added.get(name, "") + delta[name]
    calls = {it["index"]: it for it in total.get("tool_calls", ())}
    for entry in delta.get("tool_calls", ()):
        before = calls.get(entry["index"])
        calls[entry["index"]] = _call_added(before, entry) if before else entry
    return {**added, "tool_calls": list(calls.values())} if calls else added


def _call_added(before: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    function = before["function"]
    arguments = function["arguments"] + entry["function"]["arguments"]
    return {**before, "function": {**function, "arguments": arguments}}
