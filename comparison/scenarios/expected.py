"""Comparisons of a response with what was sent, and the replies of streams."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from comparison.clients import Client
from comparison.verdict import Verdict, format_value, worst
from modelstudio_core.emulator import Reply

__all__ = ["KEPT", "compare", "compare_answer", "compare_blocks", "streamed_reply"]

KEPT = Verdict("kept")


def compare(name: str, sent: object, received: object) -> Verdict:
    """Compare one value with what was sent.

    Args:
        name: What the evidence calls it.
        sent: The value that was sent.
        received: The value of the client. A part of ``sent`` is lost; anything else
            is corrupted.
    """
    if received == sent:
        return KEPT
    if not received:
        return Verdict("lost", f"no {name}")
    text = f"{name}: {format_value(received)}"
    if _is_part(sent, received):
        return Verdict("lost", f"{text} of {format_value(sent)}")
    return Verdict("corrupted", f"{text} instead of {format_value(sent)}")


def _is_part(sent: object, received: object) -> bool:
    if isinstance(sent, str) and isinstance(received, str):
        return received in sent
    if not isinstance(sent, list) or not isinstance(received, list):
        return False
    all_items, items = cast("list[object]", sent), cast("list[object]", received)
    return len(items) < len(all_items) and all(item in all_items for item in items)


def compare_answer(
    answer: Mapping[str, Any],
    *,
    text: str | None = None,
    reasoning: str | None = None,
    calls: Sequence[tuple[str, str, Mapping[str, Any]]] | None = None,
) -> Verdict:
    """Compare a response, and in LlamaIndex its deltas, with what was sent."""
    verdicts = [KEPT]
    if reasoning is not None:
        verdicts.append(compare("reasoning", reasoning, answer["reasoning"]))
        if verdicts[-1] == KEPT and "thinking_deltas" in answer:
            deltas = answer["thinking_deltas"]
            verdicts.append(compare("`thinking_delta`s", reasoning, deltas))
    if text is not None:
        verdicts.append(compare("text", text, answer["text"]))
        if "deltas" in answer:
            verdicts.append(compare("`delta`s", text, answer["deltas"]))
    if calls is not None:
        sent = [[call_id, name, dict(args)] for call_id, name, args in calls]
        received = [
            [call["id"], call["name"], call["args"]] for call in answer["calls"]
        ]
        verdicts.append(compare("tool calls", sent, received))
    return worst(verdicts)


def compare_blocks(answer: Mapping[str, Any], *blocks: Sequence[Any]) -> Verdict:
    """Compare the content blocks of a response with what was sent, type by type."""
    received = [list(block) for block in answer["blocks"]]
    sent = [list(block) for block in blocks]
    if received == sent:
        return KEPT
    types = dict.fromkeys(block[0] for block in (*sent, *received))
    verdicts = [_compare_type(name, sent, received) for name in types]
    lines = [verdict.evidence for verdict in verdicts if verdict.evidence]
    return Verdict(worst(verdicts).word, ", ".join(lines) or "another order")


def _compare_type(
    name: str, all_sent: list[list[Any]], all_received: list[list[Any]]
) -> Verdict:
    sent = [block[1:] for block in all_sent if block[0] == name]
    received = [block[1:] for block in all_received if block[0] == name]
    if received == sent:
        return KEPT
    if len(received) > len(sent):
        counts = f"{len(received)} `{name}` blocks instead of {len(sent)}"
        return Verdict("corrupted", counts)
    if len(received) < len(sent) and all(block in sent for block in received):
        counts = f"{len(received)} of {len(sent)} `{name}` blocks"
        return Verdict("lost", counts if received else f"no `{name}` block")
    return compare(f"`{name}`", sent, received)


def streamed_reply(
    client: Client, deltas: Sequence[Mapping[str, Any]], *, tools: bool = False
) -> Reply:
    """Return a stream of deltas, in the form that the client asks for."""
    if client.protocol == "openai":
        return Reply(deltas=deltas)
    # In recordings of the DashScope protocol each message has its role, and no null.
    empty = {"role": "assistant", "content": ""}
    messages = [
        {**empty, **delta, "content": delta.get("content") or ""} for delta in deltas
    ]
    if tools and client.cumulative:
        total: dict[str, Any] = empty
        messages = [total := _add(total, message) for message in messages]
    return Reply(deltas=messages)


def _add(total: Mapping[str, Any], delta: Mapping[str, Any]) -> dict[str, Any]:
    result = {**total}
    for name in ("content", "reasoning_content"):
        if name in delta:
            result[name] = result.get(name, "") + delta[name]
    calls = {call["index"]: call for call in total.get("tool_calls", ())}
    for entry in delta.get("tool_calls", ()):
        before = calls.get(entry["index"])
        calls[entry["index"]] = _add_arguments(before, entry) if before else entry
    return {**result, "tool_calls": list(calls.values())} if calls else result


def _add_arguments(
    before: Mapping[str, Any], entry: Mapping[str, Any]
) -> dict[str, Any]:
    function = before["function"]
    arguments = function["arguments"] + entry["function"]["arguments"]
    return {**before, "function": {**function, "arguments": arguments}}
