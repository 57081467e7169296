"""Whatever dialect an answer is written in, the same answer comes out of it."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstudio_core.chat import dashscope, openai
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import (
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.chat.messages import ToolCall
from modelstudio_core.wire.refusals import ErrorContext
from tests.fuzz.dialects import (
    Answer,
    answers,
    encode,
    joined,
    native_chunks,
    openai_chunks,
    to_stream,
)

PARSERS: dict[str, Any] = {"openai": openai.Parser, "dashscope": dashscope.Parser}
CHUNKS: dict[str, Any] = {"openai": openai_chunks, "dashscope": native_chunks}
protocols = st.sampled_from(["openai", "dashscope"])


def parser_of(protocol: str) -> Any:
    return PARSERS[protocol](ErrorContext(None, protocol, "127.0.0.1"))


def parse(protocol: str, body: bytes) -> list[Event]:
    parser = parser_of(protocol)
    return [*parser.feed(body), *parser.close()]


def completed(events: Iterable[Event]) -> dict[int, Completion]:
    choices: dict[int, Completion] = {}
    for event in events:
        choices.setdefault(event.choice, Completion()).add(event)
    return choices


def _told(call: ToolCall) -> tuple[str, str, str]:
    function = call["function"]
    return joined(call["id"]), joined(function["name"]), joined(function["arguments"])


def check(found: Completion, wanted: Answer) -> None:
    assert joined(found.reasoning) == joined(*wanted.reasoning)
    assert joined(found.text) == joined(*wanted.text)
    assert [_told(call) for call in found.tool_calls] == [
        (joined(call.id), joined(call.name), joined(*call.pieces))
        for call in wanted.calls
    ]
    finish = found.finish
    assert finish is not None
    assert finish.finish_reason == wanted.finish_reason


@given(protocols, st.lists(answers(), min_size=1, max_size=3), st.data())
def test_a_stream_in_any_dialect_is_the_answer(
    protocol: str, choices: list[Answer], data: st.DataObject
) -> None:
    draw = data.draw
    if protocol == "dashscope":
        # Nothing but its finish reason ends it, so it has one: more are refused.
        choices = choices[:1]
    chunks = CHUNKS[protocol](draw, choices)
    body = to_stream(protocol, chunks, ascii_only=draw(st.booleans()))
    found = completed(parse(protocol, body))
    assert sorted(found) == list(range(len(choices)))
    for index, wanted in enumerate(choices):
        check(found[index], wanted)
    finish = found[0].finish
    assert finish is not None
    usage = choices[0].usage
    if usage:
        assert finish.usage is not None
        assert finish.usage.input_tokens == usage["input"]
        assert finish.usage.output_tokens == usage["output"]
        assert finish.usage.total_tokens == usage["input"] + usage["output"]
    else:
        assert finish.usage is None


@pytest.mark.parametrize("protocol", PARSERS)
def test_a_huge_piece_is_one_piece(protocol: str) -> None:
    text = "🦊" * 200_000
    message = {"content": text, "reasoning_content": text}
    choices = [{"message": message, "finish_reason": "stop"}]
    chunk = (
        {"choices": choices}
        if protocol == "openai"
        else {"output": {"choices": choices}}
    )
    body = to_stream(protocol, [chunk])
    parser = parser_of(protocol)
    events = [
        it
        for at in range(0, len(body), 4096)
        for it in parser.feed(body[at : at + 4096])
    ]
    assert events == [ReasoningDelta(text), TextDelta(text)]


@given(protocols, answers(), st.data())
def test_pieces_come_once_and_in_their_order(
    protocol: str, answer: Answer, data: st.DataObject
) -> None:
    chunks = CHUNKS[protocol](data.draw, [answer])
    parser = parser_of(protocol)
    events: list[Event] = []
    for chunk in chunks:
        line = to_stream(protocol, [chunk]).removesuffix(b"data: [DONE]\n\n")
        events += parser.feed(line)
    events += parser.close()
    pieces = [it for it in events if isinstance(it, ToolCallDelta)]
    ids = [it.id for it in pieces if it.id is not None]
    named = [it.name for it in pieces if it.name is not None]
    assert sorted(map(joined, named)) == sorted(
        joined(call.name) for call in answer.calls if call.name
    )
    assert list(map(joined, ids)) == [joined(call.id) for call in answer.calls]
    assert [isinstance(it, Finish) for it in events].index(True) == len(events) - 1
    check(completed(events)[0], answer)


@given(answers(), st.booleans())
def test_a_whole_body_is_the_same_answer(answer: Answer, native: bool) -> None:
    message: dict[str, Any] = {
        "content": "".join(answer.text),
        "reasoning_content": "".join(answer.reasoning),
        "tool_calls": [
            {
                "id": it.id,
                "index": at,
                "function": {"name": it.name, "arguments": "".join(it.pieces)},
            }
            for at, it in enumerate(answer.calls)
        ],
    }
    choices = [{"message": message, "finish_reason": answer.finish_reason}]
    body: Any = {"output": {"choices": choices}} if native else {"choices": choices}
    parser = parser_of("dashscope" if native else "openai")
    events = parser.feed_whole(encode(json.dumps(body)))
    check(completed([*events, *parser.close()])[0], answer)
