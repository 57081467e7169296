"""Any JSON in any place of an answer is an answer or an error of ours.

A proxy, a gateway or a service of tomorrow may send anything. What comes out of the
parsers has the types that it says it has, and both frameworks can take it.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk

from langchain_modelstudio._chat.answers import to_message
from langchain_modelstudio._chat.chunks import to_chunk
from llamaindex_modelstudio._chat.responses import to_delta_response, to_response
from modelstudio_core.catalog import resolve_deprecated
from modelstudio_core.chat import dashscope, openai
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import (
    Citations,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.plan import plan_chat
from modelstudio_core.errors import APIError
from modelstudio_core.wire.refusals import ErrorContext
from tests.fuzz.dialects import (
    answers,
    encode,
    native_chunks,
    openai_chunks,
    to_stream,
)
from tests.fuzz.strategies import wild_json

PARSERS: dict[str, Any] = {"openai": openai.Parser, "dashscope": dashscope.Parser}
CHUNKS: dict[str, Any] = {"openai": openai_chunks, "dashscope": native_chunks}
REQUEST = plan_chat(
    ChatOptions(), resolve_deprecated("qwen3.7-plus"), protocol="openai", stream=True
)
protocols = st.sampled_from(["openai", "dashscope"])


def outcome(protocol: str, body: bytes, *, whole: bool) -> list[Event]:
    """Return the events before an error of ours; any other error is raised."""
    context = ErrorContext(None, protocol, "127.0.0.1")
    parser = PARSERS[protocol](context, request_id=None)
    events: list[Event] = []
    try:
        events += parser.feed_whole(body) if whole else parser.feed(body)
        events += parser.close()
    except APIError as error:
        assert str(error)  # noqa: PT017 - that it can be shown is what is tested
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
            assert all(isinstance(it, str | None) for it in (event.id, event.name))
        case Citations():
            assert all(isinstance(it, dict) for it in event.results)
        case Finish():
            check_finish(event)


def check_finish(finish: Finish) -> None:
    words = (finish.finish_reason, finish.request_id, finish.response_id, finish.model)
    assert all(isinstance(it, str | None) for it in words)
    assert isinstance(finish.created, int | None)
    for told in (finish.logprobs, finish.tool_info):
        assert told is None or all(isinstance(it, dict) for it in told)
    if usage := finish.usage:
        counts = (usage.input_tokens, usage.output_tokens, usage.total_tokens)
        assert all(type(it) is int for it in counts)
        rest = (
            usage.reasoning_tokens,
            usage.cached_tokens,
            usage.cache_creation_tokens,
        )
        assert all(it is None or type(it) is int for it in rest)


def check(events: list[Event]) -> None:
    """See that both frameworks take the events, one by one and all of them."""
    completions: dict[int, Completion] = {}
    total: AIMessageChunk | None = None
    for event in events:
        check_types(event)
        completion = completions.setdefault(event.choice, Completion())
        completion.add(event)
        chunk = to_chunk(event, REQUEST).message
        assert isinstance(chunk, AIMessageChunk)
        if event.choice == 0:
            total = chunk if total is None else total + chunk
        assert chunk.content_blocks is not None
        to_delta_response(event, completion, REQUEST)
    assert total is None or total.content_blocks is not None
    for completion in completions.values():
        assert to_message(completion, REQUEST).content_blocks is not None
        to_response(completion, REQUEST)


# --- Anything at all --------------------------------------------------------------


def dumped(value: Any) -> bytes:
    return encode(json.dumps(value, ensure_ascii=False))


@given(protocols, wild_json, st.booleans())
def test_any_json_is_an_answer_or_an_error(
    protocol: str, value: Any, whole: bool
) -> None:
    body = dumped(value)
    check(outcome(protocol, body if whole else b"data:" + body + b"\n\n", whole=whole))


@pytest.mark.parametrize("depth", [150, 199, 400, 900, 100_000])
@pytest.mark.parametrize("name", ["choices", "output", "error", "message"])
@pytest.mark.parametrize("protocol", PARSERS)
def test_json_in_json_is_an_error_at_any_depth(
    protocol: str, name: str, depth: int
) -> None:
    body = b'{"code":"x","%s":%s1%s}' % (name.encode(), b"[" * depth, b"]" * depth)
    check(outcome(protocol, body, whole=True))
    check(outcome(protocol, b"data:" + body + b"\n\n", whole=False))


@given(protocols, st.binary(max_size=80), st.booleans())
def test_any_bytes_are_an_answer_or_an_error(
    protocol: str, body: bytes, whole: bool
) -> None:
    check(outcome(protocol, body, whole=whole))


# --- An answer with one thing wrong -----------------------------------------------


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
    if not at:
        return new
    copied = value.copy()
    copied[at[0]] = replaced(value[at[0]], at[1:], new)
    return copied


_small = answers().filter(
    lambda it: sum(map(len, it.text)) + sum(map(len, it.reasoning)) < 1000
)
# All that a parser reads, so that anything can stand in its place.
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
            {**it, "message": it["delta"]} for it in _FULL["openai"]["choices"]
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


def test_each_field_of_each_wrong_type_is_an_answer_or_an_error() -> None:
    for protocol, at in _PATHS:
        for wrong in _WRONG:
            chunk = replaced(_FULL[protocol], at, wrong)
            check(outcome(protocol, dumped(chunk), whole=True))


@given(st.sampled_from(_PATHS), wild_json, st.booleans())
def test_any_json_in_place_of_a_field_is_an_answer_or_an_error(
    place: tuple[str, tuple[Any, ...]], wrong: Any, whole: bool
) -> None:
    protocol, at = place
    chunk = replaced(_FULL[protocol], at, wrong)
    body = dumped(chunk) if whole else to_stream(protocol, [chunk])
    check(outcome(protocol, body, whole=whole))


@given(protocols, _small, wild_json, st.data())
def test_a_stream_with_anything_in_one_place_is_an_answer_or_an_error(
    protocol: str, answer: Any, wrong: Any, data: st.DataObject
) -> None:
    chunks = CHUNKS[protocol](data.draw, [answer])
    at = data.draw(st.sampled_from(list(places(chunks))))
    changed = replaced(chunks, at, wrong)
    check(outcome(protocol, to_stream(protocol, changed), whole=False))


@given(protocols, _small, st.data())
def test_a_stream_without_one_of_its_fields_is_an_answer_or_an_error(
    protocol: str, answer: Any, data: st.DataObject
) -> None:
    chunks = CHUNKS[protocol](data.draw, [answer])
    *path, name = data.draw(st.sampled_from(list(places(chunks))))
    holder: Any = chunks
    for step in path:
        holder = holder[step]
    del holder[name]
    check(outcome(protocol, to_stream(protocol, chunks), whole=False))
