"""Any JSON in any place of a response gives an answer or an ``APIError``.

A proxy, a gateway or a future version of the service may send anything. The events have
the types that they declare, and both frameworks can convert them.
"""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from langchain_modelstudio._chat.answers import to_message
from langchain_modelstudio._chat.chunks import ChunkBuilder
from llamaindex_modelstudio._chat.responses import to_delta_response, to_response
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import (
    AudioDelta,
    Citations,
    ContentParts,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from tests.fuzz.dialects import CHUNKS, answers, encode, to_stream
from tests.fuzz.parsing import PARSERS, PLAN, parse, protocols
from tests.fuzz.strategies import wild_json


def events_of(protocol: str, body: bytes, *, complete_body: bool) -> list[Event]:
    """Return the events before an ``APIError``; any other error is raised."""
    events, error = parse(protocol, [body], complete_body=complete_body)
    assert error is None or str(error)
    return events


def check_types(event: Event) -> None:
    assert isinstance(event.choice, int)
    match event:
        case TextDelta() | ReasoningDelta():
            assert isinstance(event.text, str)
            assert event.text
        case ToolCallDelta():
            assert isinstance(event.index, int)
            assert isinstance(event.arguments, str)
            assert all(
                isinstance(value, str | None) for value in (event.id, event.name)
            )
        case AudioDelta():
            assert isinstance(event.data, str)
            assert isinstance(event.transcript, str)
            base64.b64decode(event.data, validate=True)
        case ContentParts():
            assert all(isinstance(name, str) for name in event.parts)
        case Citations():
            assert all(isinstance(result, dict) for result in event.results)
        case Finish():
            check_finish(event)


def check_finish(finish: Finish) -> None:
    texts = (finish.finish_reason, finish.request_id, finish.response_id, finish.model)
    assert all(isinstance(text, str | None) for text in texts)
    assert isinstance(finish.created, int | None)
    for entries in (finish.logprobs, finish.tool_info):
        assert entries is None or all(isinstance(entry, dict) for entry in entries)
    if usage := finish.usage:
        counts = (usage.input_tokens, usage.output_tokens, usage.total_tokens)
        assert all(type(count) is int for count in counts)
        rest = (
            usage.reasoning_tokens,
            usage.cached_tokens,
            usage.cache_creation_tokens,
        )
        assert all(count is None or type(count) is int for count in rest)


def check(events: list[Event]) -> None:
    """Check that both frameworks can convert each event, and all of them together."""
    completions: dict[int, Completion] = {}
    builders: dict[int, ChunkBuilder] = {}
    total: AIMessageChunk | None = None
    for event in events:
        check_types(event)
        completion = completions.setdefault(event.choice, Completion())
        completion.add(event)
        builders.setdefault(event.choice, ChunkBuilder(PLAN))
        chunk = builders[event.choice].build(event).message
        assert isinstance(chunk, AIMessageChunk)
        if event.choice == 0:
            total = chunk if total is None else total + chunk
        assert chunk.content_blocks is not None
        to_delta_response(event, completion, PLAN)
    assert total is None or total.content_blocks is not None
    for completion in completions.values():
        assert to_message(completion, PLAN).content_blocks is not None
        to_response(completion, PLAN)


# --- Anything at all --------------------------------------------------------------


def dumped(value: Any) -> bytes:
    return encode(json.dumps(value, ensure_ascii=False))


@given(protocols, wild_json, st.booleans())
def test_any_json_is_an_answer_or_an_api_error(
    protocol: str, value: Any, complete_body: bool
) -> None:
    body = dumped(value)
    check(
        events_of(
            protocol,
            body if complete_body else b"data:" + body + b"\n\n",
            complete_body=complete_body,
        )
    )


@pytest.mark.parametrize("depth", [150, 199, 400, 900, 100_000])
@pytest.mark.parametrize("name", ["choices", "output", "error", "message"])
@pytest.mark.parametrize("protocol", PARSERS)
def test_deeply_nested_json_is_an_answer_or_an_api_error(
    protocol: str, name: str, depth: int
) -> None:
    body = b'{"code":"x","%s":%s1%s}' % (name.encode(), b"[" * depth, b"]" * depth)
    check(events_of(protocol, body, complete_body=True))
    check(events_of(protocol, b"data:" + body + b"\n\n", complete_body=False))


@given(protocols, st.binary(max_size=80), st.booleans())
def test_any_bytes_are_an_answer_or_an_api_error(
    protocol: str, body: bytes, complete_body: bool
) -> None:
    check(events_of(protocol, body, complete_body=complete_body))


# --- A response with one wrong value -----------------------------------------------


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value inside JSON."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for name, item in items:
        yield (*at, name)
        yield from places(item, (*at, name))


def replaced(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """Return JSON with another value at a path."""
    if not at:
        return new
    copied = value.copy()
    copied[at[0]] = replaced(value[at[0]], at[1:], new)
    return copied


_small = answers().filter(
    lambda answer: sum(map(len, answer.text)) + sum(map(len, answer.reasoning)) < 1000
)
# A chunk with every field that the parsers read.
_FULL: dict[str, Any] = {
    "openai": {
        "id": "chatcmpl-1",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "delta": {
                    "content": [{"text": "a"}],
                    "reasoning_content": "b",
                    "tool_calls": [
                        {
                            "index": 0,
                            "id": "c",
                            "function": {"name": "f", "arguments": "{}"},
                        }
                    ],
                },
                "logprobs": {"content": [{"token": "a", "logprob": -0.1}]},
            }
        ],
        "usage": {
            "prompt_tokens": 1,
            "completion_tokens": 2,
            "total_tokens": 3,
            "cache_creation_input_tokens": 0,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
    },
}
_FULL["dashscope"] = {
    "request_id": "r-1",
    "output": {
        "choices": [
            {**choice, "message": choice["delta"]}
            for choice in _FULL["openai"]["choices"]
        ],
        "search_info": {"search_results": [{"index": 1, "url": "u", "title": "t"}]},
        "tool_info": [{"type": "code_interpreter"}],
    },
    "usage": {
        "input_tokens": 1,
        "output_tokens": 2,
        "total_tokens": 3,
        "cached_tokens": 0,
        "prompt_tokens_details": {"cache_creation_input_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 1},
    },
}
_WRONG: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    float("nan"),
    "",
    "12",
    [],
    [None],
    [1],
    {},
    {"a": 1},
)
_PATHS = [(protocol, at) for protocol in PARSERS for at in places(_FULL[protocol])]


def test_each_field_may_have_any_wrong_type() -> None:
    for protocol, at in _PATHS:
        for wrong in _WRONG:
            chunk = replaced(_FULL[protocol], at, wrong)
            check(events_of(protocol, dumped(chunk), complete_body=True))


@given(st.sampled_from(_PATHS), wild_json, st.booleans())
def test_each_field_may_be_any_json(
    place: tuple[str, tuple[Any, ...]], wrong: Any, complete_body: bool
) -> None:
    protocol, at = place
    chunk = replaced(_FULL[protocol], at, wrong)
    body = dumped(chunk) if complete_body else to_stream(protocol, [chunk])
    check(events_of(protocol, body, complete_body=complete_body))


@given(protocols, _small, wild_json, st.data())
def test_any_value_in_a_stream_may_be_any_json(
    protocol: str, answer: Any, wrong: Any, data: st.DataObject
) -> None:
    chunks = CHUNKS[protocol](data.draw, [answer])
    at = data.draw(st.sampled_from(list(places(chunks))))
    changed = replaced(chunks, at, wrong)
    check(events_of(protocol, to_stream(protocol, changed), complete_body=False))


@given(protocols, _small, st.data())
def test_any_field_in_a_stream_may_be_missing(
    protocol: str, answer: Any, data: st.DataObject
) -> None:
    chunks = CHUNKS[protocol](data.draw, [answer])
    *path, name = data.draw(st.sampled_from(list(places(chunks))))
    holder: Any = chunks
    for step in path:
        holder = holder[step]
    del holder[name]
    check(events_of(protocol, to_stream(protocol, chunks), complete_body=False))
