"""Every variant in which the service writes an answer gives the same answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import (
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.chat.messages import ToolCall
from modelstudio_core.redaction import without_surrogates
from tests.fuzz.dialects import (
    CHUNKS,
    Answer,
    answers,
    encode,
    joined,
    to_stream,
)
from tests.fuzz.parsing import PARSERS, complete, new_parser, parse, protocols


def parts_of(call: ToolCall) -> tuple[str, str, str]:
    function = call["function"]
    return call["id"], function["name"], joined(function["arguments"])


def check(completion: Completion, expected: Answer) -> None:
    assert joined(completion.reasoning) == joined(*expected.reasoning)
    assert joined(completion.text) == joined(*expected.text)
    assert [parts_of(call) for call in completion.tool_calls] == [
        (
            without_surrogates(call.id),
            without_surrogates(call.name),
            joined(*call.pieces),
        )
        for call in expected.calls
    ]
    finish = completion.finish
    assert finish is not None
    assert finish.finish_reason == expected.finish_reason


@given(protocols, st.lists(answers(), min_size=1, max_size=3), st.data())
def test_every_variant_of_a_stream_is_read_completely(
    protocol: str, choices: list[Answer], data: st.DataObject
) -> None:
    draw = data.draw
    if protocol == "dashscope":
        # A native stream ends with its finish reason, so it has one choice.
        choices = choices[:1]
    chunks = CHUNKS[protocol](draw, choices)
    body = to_stream(protocol, chunks, ascii_only=draw(st.booleans()))
    events, error = parse(protocol, [body])
    assert error is None
    completions = complete(events)
    assert sorted(completions) == list(range(len(choices)))
    for index, expected in enumerate(choices):
        check(completions[index], expected)
    finish = completions[0].finish
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
def test_a_huge_piece_is_one_delta(protocol: str) -> None:
    text = "🦊" * 200_000
    message = {"content": text, "reasoning_content": text}
    choices = [{"message": message, "finish_reason": "stop"}]
    chunk = (
        {"choices": choices}
        if protocol == "openai"
        else {"output": {"choices": choices}}
    )
    body = to_stream(protocol, [chunk])
    parser = new_parser(protocol)
    events = [
        event
        for at in range(0, len(body), 4096)
        for event in parser.feed(body[at : at + 4096])
    ]
    assert events == [ReasoningDelta(text), TextDelta(text)]


@given(protocols, answers(), st.data())
def test_ids_and_names_come_once_and_in_order(
    protocol: str, answer: Answer, data: st.DataObject
) -> None:
    chunks = CHUNKS[protocol](data.draw, [answer])
    parser = new_parser(protocol)
    events: list[Event] = []
    for chunk in chunks:
        line = to_stream(protocol, [chunk]).removesuffix(b"data: [DONE]\n\n")
        events += parser.feed(line)
    events += parser.close()
    pieces = [event for event in events if isinstance(event, ToolCallDelta)]
    ids = [piece.id for piece in pieces if piece.id is not None]
    named = [piece.name for piece in pieces if piece.name is not None]
    assert sorted(named) == sorted(
        without_surrogates(call.name) for call in answer.calls if call.name
    )
    assert ids == [without_surrogates(call.id) for call in answer.calls]
    finishes = [isinstance(event, Finish) for event in events]
    assert finishes.index(True) == len(events) - 1
    check(complete(events)[0], answer)


@given(answers(), st.booleans())
def test_a_response_without_streaming_is_the_same_answer(
    answer: Answer, native: bool
) -> None:
    message: dict[str, Any] = {
        "content": "".join(answer.text),
        "reasoning_content": "".join(answer.reasoning),
        "tool_calls": [
            {
                "id": call.id,
                "index": at,
                "function": {"name": call.name, "arguments": "".join(call.pieces)},
            }
            for at, call in enumerate(answer.calls)
        ],
    }
    choices = [{"message": message, "finish_reason": answer.finish_reason}]
    body: Any = {"output": {"choices": choices}} if native else {"choices": choices}
    parser = new_parser("dashscope" if native else "openai")
    events = parser.feed_body(encode(json.dumps(body)))
    check(complete([*events, *parser.close()])[0], answer)
