"""Answers, and the variants in which the service writes them as chunks.

An ``Answer`` is what the service means. ``openai_chunks`` and ``native_chunks`` write
it in the variants that were recorded: a field without a value is null, empty or
missing, and the later parts of a tool call repeat the id or leave it out.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.strategies import json_values, names, pieces, shuffled, texts

__all__ = [
    "CHUNKS",
    "Answer",
    "Call",
    "answers",
    "encode",
    "joined",
    "native_chunks",
    "openai_chunks",
    "to_stream",
]

Draw = Callable[..., Any]
ABSENT: Any = object()


@dataclass
class Call:
    """A tool call and the pieces of its arguments, of which there is at least one."""

    id: str
    name: str
    pieces: list[str]


@dataclass
class Answer:
    """One choice: pieces of reasoning and of text, and tool calls."""

    reasoning: list[str]
    text: list[str]
    calls: list[Call]
    finish_reason: str
    usage: dict[str, Any] | None = field(default_factory=dict[str, Any])


_tokens = st.integers(0, 10**9)
_texts = pieces(texts)


def answers(arguments: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Answer]:
    """Return answers whose tool calls have different ids."""
    calls = st.lists(st.builds(Call, st.just(""), names, pieces(arguments)), max_size=3)
    ids = st.lists(texts.filter(bool), min_size=3, max_size=3, unique=True)
    return st.builds(
        _with_ids,
        st.builds(
            Answer,
            _texts | st.just([]),
            _texts | st.just([]),
            calls,
            st.sampled_from(["stop", "length", "tool_calls", "content_filter"]),
            st.none() | st.fixed_dictionaries({"input": _tokens, "output": _tokens}),
        ),
        ids,
    )


def _with_ids(answer: Answer, ids: list[str]) -> Answer:
    for call, call_id in zip(answer.calls, ids, strict=False):
        call.id = call_id
    return answer


# --- Deltas, which both protocols share -----------------------------------------------


def _put(target: dict[str, Any], **fields: Any) -> dict[str, Any]:
    target.update({k: v for k, v in fields.items() if v is not ABSENT})
    return target


def _no_value(draw: Draw) -> Any:
    return draw(st.sampled_from([None, "", ABSENT]))


def _deltas(draw: Draw, answer: Answer) -> Iterator[dict[str, Any]]:
    """Yield the deltas of an answer in order."""
    field_name = draw(st.sampled_from(["reasoning_content", "reasoning"]))
    role = draw(st.sampled_from([ABSENT, None, "assistant"]))
    if draw(st.booleans()):
        yield _put({field_name: ""}, role=role, content=_no_value(draw))
    for text in answer.reasoning:
        yield _put({field_name: text}, content=_no_value(draw))
    for text in answer.text:
        yield _put({"content": text}, role=role, **{field_name: _no_value(draw)})
    for calls in _call_deltas(draw, answer.calls):
        yield _put({"tool_calls": calls}, content=_no_value(draw), role=role)


def _call_deltas(draw: Draw, calls: list[Call]) -> Iterator[list[dict[str, Any]]]:
    indexed = draw(st.sampled_from(["each", "reused", "none"]))
    entries = [list(_entries(draw, call, indexed, at)) for at, call in enumerate(calls)]
    if indexed == "each" and draw(st.booleans()):
        yield from _interleaved(draw, entries)
        return
    for pieces_of_call in entries:
        yield from ([entry] for entry in pieces_of_call)


def _interleaved(
    draw: Draw, entries: list[list[dict[str, Any]]]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the pieces of several calls alternately, some of them in one delta.

    The calls begin in order, because a call is identified by its index.
    """
    waiting = [list(queue) for queue in entries]
    if draw(st.booleans()):
        yield [queue.pop(0) for queue in waiting]
    else:
        yield from ([queue.pop(0)] for queue in waiting)
    while any(waiting):
        ready = [queue for queue in waiting if queue]
        chosen = draw(
            st.lists(st.sampled_from(range(len(ready))), min_size=1, max_size=3)
        )
        yield [ready[at].pop(0) for at in dict.fromkeys(chosen)]


def _entries(draw: Draw, call: Call, indexed: str, at: int) -> Iterator[dict[str, Any]]:
    """Yield the pieces of one call."""
    index = {"each": at, "reused": 0, "none": ABSENT}[indexed]
    later_id = draw(st.sampled_from([ABSENT, None, "", call.id]))
    later_name = draw(st.sampled_from([ABSENT, None, "", call.name]))
    for position, text in enumerate(call.pieces):
        first = position == 0
        piece = text or draw(st.sampled_from(["", None, ABSENT]))
        function = _put({}, name=call.name if first else later_name, arguments=piece)
        yield _put(
            {"type": "function", "function": function},
            id=call.id if first else later_id,
            index=index,
        )


# --- The OpenAI-compatible protocol -----------------------------------------------


def openai_chunks(draw: Draw, choices: list[Answer]) -> list[dict[str, Any]]:
    """Write answers as the chunks of one stream, their choices alternating."""
    common: dict[str, Any] = {"id": "chatcmpl-1", "created": 1, "model": "m"}
    queues = [
        list(_openai_choices(draw, at, choice)) for at, choice in enumerate(choices)
    ]
    chunks: list[dict[str, Any]] = []
    while any(queues):
        ready = [queue for queue in queues if queue]
        queue = draw(st.sampled_from(ready))
        together = len(ready) > 1 and draw(st.booleans())
        now = [queue.pop(0) for queue in ready] if together else [queue.pop(0)]
        chunks.append({**common, "choices": now, "usage": None})
    usage = choices[0].usage
    if usage is not None:
        wire = {"prompt_tokens": usage["input"], "completion_tokens": usage["output"]}
        if draw(st.booleans()):
            chunks.append({**common, "choices": [], "usage": wire})
        else:
            chunks[-1]["usage"] = wire
    return _with_extra_fields(draw, chunks)


def _openai_choices(draw: Draw, index: int, answer: Answer) -> Iterator[dict[str, Any]]:
    deltas = list(_deltas(draw, answer))
    missing = draw(st.sampled_from([None, ABSENT]))
    if not deltas or draw(st.booleans()):
        deltas.append(draw(st.sampled_from([{}, {"content": ""}, None])))
    for at, delta in enumerate(deltas):
        last = at == len(deltas) - 1
        reason = answer.finish_reason if last else missing
        choice = _put({"delta": delta}, finish_reason=reason)
        yield (
            choice if index == 0 and draw(st.booleans()) else {**choice, "index": index}
        )


def _with_extra_fields(
    draw: Draw, chunks: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Add unknown fields and shuffle the keys."""
    extra = {"x-" + name: value for name, value in draw(_extra).items()}
    seed = draw(st.integers(0, 99))
    return [shuffled({**chunk, **extra}, seed) for chunk in chunks]


_extra = st.dictionaries(names, json_values, max_size=2)


# --- The native protocol ----------------------------------------------------------


def native_chunks(draw: Draw, choices: list[Answer]) -> list[dict[str, Any]]:
    """Write answers as the events of one stream, their choices alternating."""
    parts = draw(st.booleans())
    queues = [
        list(_native_choices(draw, at, choice, parts=parts))
        for at, choice in enumerate(choices)
    ]
    usage = choices[0].usage
    chunks: list[dict[str, Any]] = []
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        chunk: dict[str, Any] = {"output": {"choices": [queue.pop(0)]}}
        chunk["request_id"] = "r-1"
        if usage is not None:
            # Usage is cumulative: only the last event has the final numbers.
            extra = 1 if any(queues) else 0
            chunk["usage"] = {
                "input_tokens": usage["input"] + extra,
                "output_tokens": usage["output"] + extra,
            }
        chunks.append(chunk)
    return _with_extra_fields(draw, chunks)


def _native_choices(
    draw: Draw, index: int, answer: Answer, *, parts: bool
) -> Iterator[dict[str, Any]]:
    deltas = list(_deltas(draw, answer))
    missing = draw(st.sampled_from(["null", None, ABSENT]))
    # The last event may carry a piece as well.
    if not deltas or draw(st.booleans()):
        deltas.append({"role": "assistant", "content": ""})
    for at, delta in enumerate(deltas):
        if parts and "content" in delta:
            text = delta["content"]
            delta["content"] = [{"text": text}] if text else []
        last = at == len(deltas) - 1
        reason = answer.finish_reason if last else missing
        choice = _put({"message": delta}, finish_reason=reason)
        yield (
            choice if index == 0 and draw(st.booleans()) else {**choice, "index": index}
        )


CHUNKS: dict[str, Any] = {"openai": openai_chunks, "dashscope": native_chunks}

# --- Bytes ------------------------------------------------------------------------


def to_stream(
    protocol: str, chunks: list[Mapping[str, Any]], *, ascii_only: bool = True
) -> bytes:
    """Return the bytes of a stream of chunks."""
    lines = [json.dumps(item, ensure_ascii=ascii_only) for item in chunks]
    if protocol == "openai":
        return encode("".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]))
    return encode(
        "".join(
            f"id:{at}\nevent:result\n:HTTP_STATUS/200\ndata:{line}\n\n"
            for at, line in enumerate(lines, 1)
        )
    )


def encode(text: str) -> bytes:
    """Return UTF-8; half a surrogate pair is encoded as the service sends it."""
    return text.encode(errors="surrogatepass")


def joined(*texts: str) -> str:
    """Join texts, and two halves of a surrogate pair that meet in the middle."""
    halves = "".join(texts).encode("utf-16", "surrogatepass")
    return halves.decode("utf-16", "surrogatepass")
