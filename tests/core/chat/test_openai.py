"""The OpenAI-compatible protocol: bodies that go out, bytes that come in."""

import json
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import pytest

from modelstudio_core.catalog import resolve_deprecated
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import (
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.openai import Parser, build_request, parse_usage
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.plan import plan_chat
from modelstudio_core.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ContentFilterError,
    IncompleteStreamError,
    InternalServerError,
    InvalidResponseError,
    NotFoundError,
    RateLimitError,
)
from modelstudio_core.wire.refusals import ErrorContext

# --- Requests -----------------------------------------------------------------------

HI: list[Message] = [{"role": "user", "content": "Hi"}]
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {"name": "weather", "parameters": {}},
}


def body(
    model: str,
    messages: Sequence[Message] = HI,
    /,
    *,
    stream: bool = False,
    include_usage: bool = True,
    **options: Any,
) -> dict[str, Any]:
    """Build the body of a request, and see that it is JSON."""
    request = plan_chat(
        ChatOptions(**options),
        resolve_deprecated(model),
        protocol="openai",
        stream=stream,
    )
    built = build_request(request, messages, include_usage=include_usage).json
    assert isinstance(built, dict)
    assert json.loads(json.dumps(built)) == built
    return built


def test_body_of_nothing_but_a_prompt() -> None:
    assert body("qwen3.7-plus") == {
        "model": "qwen3.7-plus",
        "messages": HI,
        "enable_thinking": True,
        "stream": False,
    }


def test_body_for_a_model_that_is_not_known() -> None:
    assert body("vendor/a-model-of-tomorrow") == {
        "model": "vendor/a-model-of-tomorrow",
        "messages": HI,
        "stream": False,
    }


def test_body_of_a_stream() -> None:
    assert body("deepseek-v4-pro", stream=True) == {
        "model": "deepseek-v4-pro",
        "messages": HI,
        "enable_thinking": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_body_of_a_stream_without_usage() -> None:
    assert body("qwen-max", stream=True, include_usage=False) == {
        "model": "qwen-max",
        "messages": HI,
        "stream": True,
    }


def test_body_with_everything_that_can_be_said() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}
    assert body(
        "qwen3.7-plus",
        temperature=0.5,
        top_p=0.9,
        top_k=20,
        max_tokens=100,
        max_completion_tokens=200,
        stop=("END", "STOP"),
        seed=7,
        n=1,
        presence_penalty=0,
        repetition_penalty=1.1,
        logprobs=False,
        top_logprobs=0,
        parallel_tool_calls=True,
        response_format=schema,
        enable_thinking=True,
        thinking_budget=512,
        preserve_thinking=True,
        enable_search=True,
        search_options={"forced_search": True},
        extra_body={"tool_stream": True},
        tools=[WEATHER],
        tool_choice="auto",
    ) == {
        "model": "qwen3.7-plus",
        "messages": HI,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 20,
        "max_tokens": 100,
        "max_completion_tokens": 200,
        "stop": ["END", "STOP"],
        "seed": 7,
        "n": 1,
        "presence_penalty": 0,
        "repetition_penalty": 1.1,
        "logprobs": False,
        "top_logprobs": 0,
        "parallel_tool_calls": True,
        "response_format": schema,
        "enable_thinking": True,
        "thinking_budget": 512,
        "preserve_thinking": True,
        "enable_search": True,
        "search_options": {"forced_search": True},
        "tool_stream": True,
        "tools": [WEATHER],
        "tool_choice": "auto",
        "stream": False,
    }


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ({"stop": "END"}, {"stop": "END"}),
        ({"stop": ["END"]}, {"stop": ["END"]}),
        ({"stop": []}, {}),
        ({"parallel_tool_calls": True}, {}),
        ({"forced_tool_choice": "auto"}, {}),
        ({"tools": []}, {}),
        ({"enable_thinking": False}, {"enable_thinking": False}),
        (
            {"tools": [WEATHER], "tool_choice": "any"},
            {
                "enable_thinking": False,
                "tools": [WEATHER],
                "tool_choice": {"type": "function", "function": {"name": "weather"}},
            },
        ),
        (
            {"tools": [WEATHER], "tool_choice": "any", "forced_tool_choice": "auto"},
            {"tools": [WEATHER], "tool_choice": "auto"},
        ),
    ],
)
def test_what_an_option_adds_to_the_body(
    options: dict[str, Any], more: dict[str, Any]
) -> None:
    assert body("qwen3.7-plus", **options) == body("qwen3.7-plus") | more


def test_body_names_the_model_that_is_used() -> None:
    assert body("deepseek-r1-0528") == body("qwen3.7-max")
    assert body("deepseek-v3.2") == body("qwen3.7-plus", enable_thinking=False)


def test_body_carries_the_effort_in_the_models_words() -> None:
    assert body("deepseek-v4-flash", reasoning_effort="xhigh") == {
        "model": "deepseek-v4-flash",
        "messages": HI,
        "reasoning_effort": "max",
        "enable_thinking": True,
        "stream": False,
    }


def test_body_of_a_model_that_thinks_only_in_streams() -> None:
    assert body("qwq-plus") == {
        "model": "qwq-plus",
        "messages": HI,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_messages_of_the_body_are_made_legal() -> None:
    call: Any = {
        "id": "c",
        "type": "function",
        "function": {"name": "weather", "arguments": ""},
    }
    turn: Message = {"role": "assistant", "content": "", "tool_calls": [call]}
    [sent] = body("deepseek-v4-pro", [turn])["messages"]
    assert sent["reasoning_content"] == ""
    assert sent["tool_calls"][0]["function"]["arguments"] == "{}"


def test_image_for_deepseek_is_refused_before_anything_is_sent() -> None:
    image: Message = {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": "data:image/png,"}}],
    }
    with pytest.raises(ConfigurationError, match="Qwen-VL"):
        body("deepseek-v4-pro", [image])


def test_bodies_do_not_share_what_the_user_gave() -> None:
    extra = {"tool_stream": True}
    built = body("qwen3.7-plus", extra_body=extra)
    built["other"] = 1
    assert extra == {"tool_stream": True}


# --- Answers ------------------------------------------------------------------------

CONTEXT = ErrorContext("us-east-1", "openai", "dashscope-us.aliyuncs.com")
COMMON: dict[str, Any] = {
    "id": "chatcmpl-u-1",
    "object": "chat.completion.chunk",
    "created": 1_770_000_000,
    "model": "qwen3.7-plus",
}
DONE = b"data: [DONE]\n\n"


def sse(*payloads: object) -> bytes:
    """Return payloads as the events of a stream."""
    return b"".join(
        b"data: " + json.dumps(p, ensure_ascii=False).encode() + b"\n\n"
        for p in payloads
    )


def chunk(
    delta: object, reason: str | None = None, *, index: int = 0, **more: Any
) -> dict[str, Any]:
    """Return a chunk with one choice."""
    choice = {"index": index, "delta": delta, "finish_reason": reason}
    return {**COMMON, "choices": [choice], "usage": None, **more}


def calls(*deltas: object) -> dict[str, Any]:
    """Return a chunk with pieces of tool calls."""
    return chunk({"tool_calls": list(deltas)})


def piece(
    index: int | None, call_id: str | None, name: str | None, arguments: object
) -> dict[str, Any]:
    """Return a piece of a tool call; what is None is not there at all."""
    function = {"arguments": arguments} | ({} if name is None else {"name": name})
    made: dict[str, Any] = {"type": "function", "function": function}
    if index is not None:
        made["index"] = index
    if call_id is not None:
        made["id"] = call_id
    return made


def fed(
    chunks: Iterable[bytes], *, request_id: str | None = None
) -> tuple[list[Event], APIError | None]:
    """Feed a stream as a caller does; return its events and the error at its end."""
    parser = Parser(CONTEXT, request_id=request_id)
    events: list[Event] = []
    try:
        for part in chunks:
            events += parser.feed(part)
            if parser.done:
                break
        events += parser.close()
    except APIError as error:
        return events, error
    return events, None


def streamed(*payloads: object) -> list[Event]:
    """Return the events of a stream that ends well."""
    events, error = fed([sse(*payloads) + DONE])
    assert error is None
    return events


def whole(payload: object, *, request_id: str | None = None) -> list[Event]:
    """Return the events of one whole body."""
    parser = Parser(CONTEXT, request_id=request_id)
    return [*parser.feed_body(json.dumps(payload).encode()), *parser.close()]


def put_together(events: Iterable[Event]) -> Completion:
    """Put the events of one choice together."""
    completion = Completion()
    for event in events:
        completion.add(event)
    return completion


def ended(events: Sequence[Event]) -> Finish:
    """Return the last event, which is the finish."""
    last = events[-1]
    assert isinstance(last, Finish)
    return last


NULLS = (
    chunk({"role": "assistant", "content": None, "reasoning_content": ""}),
    chunk({"content": None, "reasoning_content": "Hm"}),
    chunk({"content": None, "reasoning_content": "."}),
    chunk({"content": "Hel", "reasoning_content": None}),
    chunk({"content": "lo", "reasoning_content": None}),
    chunk({"content": "", "reasoning_content": None}, "stop"),
)
EMPTIES = (
    chunk({"role": "assistant", "content": "", "reasoning_content": ""}),
    chunk({"content": "", "reasoning_content": "Hm"}),
    chunk({"content": "", "reasoning_content": "."}),
    chunk({"content": "Hel", "reasoning_content": ""}),
    chunk({"content": "lo", "reasoning_content": ""}),
    chunk({"content": "", "reasoning_content": ""}, "stop"),
)
ABSENT = (
    {**COMMON, "choices": [{"delta": {"role": "assistant"}, "index": 0}]},
    {**COMMON, "choices": [{"index": 0, "delta": {"reasoning_content": "Hm"}}]},
    {**COMMON, "choices": [{"delta": {"reasoning_content": "."}}]},
    {**COMMON, "choices": [{"delta": {"content": "Hel"}}]},
    {**COMMON, "choices": [{"delta": {"content": "lo"}}]},
    {**COMMON, "choices": [{"delta": {}, "finish_reason": "stop"}]},
)
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


@pytest.mark.parametrize(
    "payloads", [NULLS, EMPTIES, ABSENT], ids=["null", "empty", "absent"]
)
def test_generations_of_the_api_tell_the_same(payloads: Sequence[object]) -> None:
    events = streamed(*payloads)
    assert events[:-1] == [
        ReasoningDelta("Hm"),
        ReasoningDelta("."),
        TextDelta("Hel"),
        TextDelta("lo"),
    ]
    assert ended(events).finish_reason == "stop"


def test_finish_holds_what_is_known_of_the_response() -> None:
    logprobs: list[dict[str, Any]] = [{"token": "a"}, {"token": "b"}, {"token": "c"}]
    first, second = chunk({"content": "ab"}), chunk({"content": "c"}, "length")
    first["choices"][0]["logprobs"] = {"content": logprobs[:2]}
    second["choices"][0]["logprobs"] = {"content": logprobs[2:]}
    usage = {**COMMON, "choices": [], "usage": USAGE}
    assert ended(streamed(first, second, usage)) == Finish(
        finish_reason="length",
        raw_finish_reason="length",
        usage=Usage(5, 7, 12, raw=USAGE),
        request_id="u-1",
        response_id="chatcmpl-u-1",
        model="qwen3.7-plus",
        created=1_770_000_000,
        logprobs=logprobs,
        tool_info=None,
        raw={
            **COMMON,
            "usage": USAGE,
            "choices": [{"index": 0, "finish_reason": "length"}],
        },
    )


@pytest.mark.parametrize(
    "last",
    [
        [{**COMMON, "choices": [], "usage": USAGE}],
        [{**COMMON, "choices": None, "usage": USAGE}],
        [{**COMMON, "usage": USAGE}],
        [{**COMMON, "choices": [], "usage": None}, {"usage": USAGE}],
    ],
)
def test_usage_comes_in_a_chunk_of_its_own(last: list[Any]) -> None:
    events = streamed(chunk({"content": "a"}), chunk({}, "stop"), *last)
    assert ended(events).usage == Usage(5, 7, 12, raw=USAGE)


def test_usage_on_every_chunk_is_the_last_one() -> None:
    early = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
    events = streamed(
        chunk({"content": "a"}, usage=early), chunk({}, "stop", usage=USAGE)
    )
    assert ended(events).usage == Usage(5, 7, 12, raw=USAGE)


def test_stream_without_usage() -> None:
    assert ended(streamed(chunk({"content": "a"}, "stop"))).usage is None


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7}, (5, 7, 12, None, None, None)),
        (
            {
                **USAGE,
                "prompt_tokens_details": {"cached_tokens": 3, "text_tokens": 5},
                "completion_tokens_details": {
                    "reasoning_tokens": 4,
                    "text_tokens": 7,
                },
            },
            (5, 7, 12, 4, 3, None),
        ),
        (
            {
                **USAGE,
                "prompt_tokens_details": {
                    "cached_tokens": 0,
                    "cache_creation_input_tokens": 2,
                    "cache_creation": {"ephemeral_5m_input_tokens": 2},
                },
            },
            (5, 7, 12, None, 0, 2),
        ),
        ({**USAGE, "cache_creation_input_tokens": 0}, (5, 7, 12, None, None, 0)),
        (
            {
                **USAGE,
                "prompt_tokens_details": None,
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
            (5, 7, 12, 0, None, None),
        ),
        ({**USAGE, "completion_tokens_details": {}}, (5, 7, 12, None, None, None)),
    ],
)
def test_usage(raw: dict[str, Any], usage: tuple[int | None, ...]) -> None:
    parsed = parse_usage(raw)
    assert (
        parsed.input_tokens,
        parsed.output_tokens,
        parsed.total_tokens,
        parsed.reasoning_tokens,
        parsed.cached_tokens,
        parsed.cache_creation_tokens,
    ) == usage
    assert parsed.raw == raw


@pytest.mark.parametrize(
    ("header", "first_id", "request_id"),
    [
        ("r-1", "chatcmpl-u-1", "r-1"),
        (None, "chatcmpl-u-1", "u-1"),
        (None, "chatcmpl-3bxGn_P2bqG9XCQY", "3bxGn_P2bqG9XCQY"),
        (None, "odd", "odd"),
        (None, None, None),
    ],
)
def test_request_id_of_an_answer(
    header: str | None, first_id: str | None, request_id: str | None
) -> None:
    payload = chunk({"content": "a"}, "stop", id=first_id)
    events, error = fed([sse(payload)], request_id=header)
    assert error is None
    finish = ended(events)
    assert finish.request_id == request_id
    assert finish.response_id == first_id


def test_content_as_a_list_of_parts_is_text() -> None:
    parts = [{"text": "Hel"}, {"type": "text", "text": "lo"}, {"image": "x"}]
    assert streamed(chunk({"content": parts}, "stop"))[0] == TextDelta("Hello")


def test_half_a_surrogate_pair_is_no_reason_to_fail() -> None:
    raw = b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n'
    events, error = fed([raw, DONE])
    assert error is None
    assert events[0] == TextDelta("\ud83d")


@pytest.mark.parametrize(
    "noise",
    [
        b": keep-alive\n\n",
        b"event: ping\n\n",
        b"data:\n\n",
        b"\n\n\n",
        b"id: 1\nretry: 10\n\n",
    ],
)
def test_noise_between_events_is_not_heard(noise: bytes) -> None:
    first, second = sse(chunk({"content": "a"})), sse(chunk({"content": "b"}, "stop"))
    events, error = fed([noise + first + noise + second + noise + DONE])
    assert error is None
    assert events[:-1] == [TextDelta("a"), TextDelta("b")]


def test_event_with_more_lines_than_data() -> None:
    payload = json.dumps(chunk({"content": "a"}, "stop")).encode()
    events, error = fed([b"id:1\nevent:result\n:HTTP_STATUS/200\ndata:" + payload])
    assert error is None
    assert events[0] == TextDelta("a")


# --- Tool calls ---------------------------------------------------------------------


def made(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    """Return a tool call as ``Completion`` gives it."""
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


ULM = made("call_a", "weather", '{"city":"Ulm"}')
BONN = made("call_b", "news", '{"city":"Bonn"}')


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        pytest.param(
            [
                [piece(0, "call_a", "weather", "")],
                [piece(0, "", None, '{"city"')],
                [piece(0, "", None, ':"Ulm"}')],
            ],
            [ULM],
            id="empty id later",
        ),
        pytest.param(
            [
                [piece(0, "call_a", "weather", '{"ci')],
                [piece(0, "call_a", "", 'ty":"Ulm"}')],
                [piece(0, "call_a", "", None)],
            ],
            [ULM],
            id="same id again, null at the end",
        ),
        pytest.param(
            [
                [piece(0, "call_a", "weather", None)],
                [piece(0, None, None, '{"city":"Ulm"}')],
                [{"index": 0, "function": None}],
                [{"index": 0}],
            ],
            [ULM],
            id="missing keys",
        ),
        pytest.param(
            [[piece(0, "call_a", "weather", {"city": "Ulm"})]],
            [made("call_a", "weather", '{"city": "Ulm"}')],
            id="arguments as an object",
        ),
        pytest.param(
            [
                [
                    piece(0, "call_a", "weather", '{"city":'),
                    piece(1, "call_b", "news", '{"city":'),
                ],
                [piece(0, "", None, '"Ulm"}'), piece(1, "", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="two in a delta",
        ),
        pytest.param(
            [
                [piece(0, "call_a", "weather", '{"city":')],
                [piece(1, "call_b", "news", '{"city":')],
                [piece(0, "", None, '"Ulm"}')],
                [piece(1, "", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="interleaved",
        ),
        pytest.param(
            [
                [piece(1, "call_a", "weather", '{"city":"Ulm"}')],
                [piece(3, "call_b", "news", '{"city":"Bonn"}')],
            ],
            [ULM, BONN],
            id="indices with holes",
        ),
        pytest.param(
            [
                [piece(0, "call_a", "weather", '{"city":')],
                [piece(0, "", None, '"Ulm"}')],
                [piece(0, "call_b", "news", '{"city":')],
                [piece(0, "", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="index used again with another id",
        ),
        pytest.param(
            [
                [piece(0, "call_a", "weather", '{"city":')],
                [piece(0, "call_b", "news", '{"city":')],
                [piece(0, "call_a", None, '"Ulm"}')],
                [piece(0, "call_b", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="one index, told apart by id",
        ),
        pytest.param(
            [
                [piece(None, "call_a", "weather", '{"city":')],
                [piece(None, "", None, '"Ulm"}')],
            ],
            [ULM],
            id="no index",
        ),
        pytest.param(
            [
                [
                    piece(None, "call_a", "weather", '{"city":'),
                    piece(None, "call_b", "news", '{"city":'),
                ],
                [piece(None, "", None, '"Ulm"}'), piece(None, "", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="no index, two in a delta",
        ),
        pytest.param(
            [
                [piece(None, "call_a", "weather", '{"city":')],
                [piece(None, "call_b", "news", '{"city":')],
                [piece(None, "call_a", None, '"Ulm"}')],
                [piece(None, "call_b", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="no index, told apart by id",
        ),
        pytest.param(
            [
                [piece(0, "", "weather", '{"city":')],
                [piece(0, "call_a", "", '"Ulm"}')],
            ],
            [ULM],
            id="id later",
        ),
    ],
)
def test_tool_calls_of_every_generation(
    deltas: list[list[Any]], expected: list[dict[str, Any]]
) -> None:
    events = streamed(*(calls(*delta) for delta in deltas), chunk({}, "tool_calls"))
    assert put_together(events).tool_calls == expected
    assert ended(events).finish_reason == "tool_calls"
    seen = [event for event in events if isinstance(event, ToolCallDelta)]
    assert sorted({event.index for event in seen}) == list(range(len(expected)))
    assert [e.id for e in seen if e.id is not None] == [c["id"] for c in expected]
    names = [e.name for e in seen if e.name is not None]
    assert names == [c["function"]["name"] for c in expected]


def test_tool_call_events_exactly() -> None:
    events = streamed(
        chunk({"content": "I will look."}),
        calls(piece(0, "call_a", "weather", "")),
        calls(piece(0, "", "", '{"city":"Ulm"}')),
        chunk({"tool_calls": [piece(0, "", None, None)]}, "tool_calls"),
    )
    assert events[:-1] == [
        TextDelta("I will look."),
        ToolCallDelta(0, "call_a", "weather", ""),
        ToolCallDelta(0, None, None, '{"city":"Ulm"}'),
        ToolCallDelta(0, None, None, ""),
    ]


def test_calls_without_an_id_get_one_each() -> None:
    events = streamed(
        calls(piece(0, None, "weather", "{}"), piece(1, "", "news", "{}")),
        chunk({}, "tool_calls"),
    )
    ids = [call["id"] for call in put_together(events).tool_calls]
    assert all(ids)
    assert len(set(ids)) == 2


def test_arguments_are_handed_on_verbatim() -> None:
    text = '{ "a":"\\u4f60 \\n" ,"b": 1.0}'
    events = streamed(
        calls(*[piece(0, "c", "f", "")]),
        *(calls(piece(0, "", None, letter)) for letter in text),
        chunk({}, "tool_calls"),
    )
    assert put_together(events).tool_calls[0]["function"]["arguments"] == text


# --- Bytes --------------------------------------------------------------------------

MIXED = (
    sse(
        chunk({"role": "assistant", "content": None, "reasoning_content": "Grübel 🤔"}),
        chunk({"content": "你好, Köln", "reasoning_content": None}),
        calls(piece(0, "call_a", "wetter", '{"ort":"Köln')),
        calls(piece(0, "", "", '"}')),
        chunk({}, "tool_calls"),
        {**COMMON, "choices": [], "usage": USAGE},
    )
    + DONE
)
SMALL = (
    b'data: {"choices":[{"delta":{"content":"\xc3\xbc"}}]}\n\n'
    b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
)


def test_mixed_stream() -> None:
    events, error = fed([MIXED])
    assert error is None
    assert events[:-1] == [
        ReasoningDelta("Grübel 🤔"),
        TextDelta("你好, Köln"),
        ToolCallDelta(0, "call_a", "wetter", '{"ort":"Köln'),
        ToolCallDelta(0, None, None, '"}'),
    ]
    assert ended(events).usage == Usage(5, 7, 12, raw=USAGE)


@pytest.mark.parametrize(
    "stream",
    [
        MIXED,
        MIXED.replace(b"\n", b"\r\n"),
        MIXED.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + MIXED,
        MIXED.replace(b"data: ", b"data:"),
    ],
    ids=["plain", "crlf", "cr", "bom", "no blank"],
)
def test_bytes_may_be_cut_anywhere(stream: bytes) -> None:
    expected = fed([MIXED])
    assert fed([stream]) == expected
    assert fed(stream[i : i + 1] for i in range(len(stream))) == expected
    for cut in range(len(stream) + 1):
        assert fed([stream[:cut], stream[cut:]]) == expected


@pytest.mark.parametrize("stream", [SMALL, SMALL.replace(b"\n", b"\r\n")])
def test_bytes_may_be_cut_twice(stream: bytes) -> None:
    expected = fed([SMALL])
    assert expected[0][0] == TextDelta("ü")
    for one, other in combinations(range(len(stream) + 1), 2):
        assert fed([stream[:one], stream[one:other], stream[other:]]) == expected


# --- How a stream ends --------------------------------------------------------------


def test_stream_that_breaks_off_is_never_a_short_answer() -> None:
    stream = sse(chunk({"content": "a"}), chunk({"content": "b"}), chunk({}, "stop"))
    expected, _ = fed([stream])
    # The last event is whole without its blank line.
    enough = len(stream) - len(b"\n\n")
    for cut in range(len(stream)):
        events, error = fed([stream[:cut]])
        if cut < enough:
            assert type(error) is IncompleteStreamError
            assert error.is_retryable
            assert events == expected[: len(events)]
            assert len(events) == stream[:cut].count(b"\n\n")
        else:
            assert error is None
            assert events == expected


def test_broken_stream_says_which_request_it_was() -> None:
    _, error = fed([sse(chunk({"content": "a"}))])
    assert type(error) is IncompleteStreamError
    assert error.request_id == "u-1"
    assert error.region == "us-east-1"
    assert error.protocol == "openai"


def test_empty_stream_is_broken() -> None:
    assert type(fed([])[1]) is IncompleteStreamError
    assert type(fed([b""])[1]) is IncompleteStreamError
    assert type(fed([b": keep-alive\n\n"])[1]) is IncompleteStreamError


def test_done_alone_is_an_end() -> None:
    events, error = fed([DONE])
    assert error is None
    assert len(events) == 1
    assert ended(events).finish_reason is None


def test_done_without_a_finish_reason_is_an_end() -> None:
    events = streamed(chunk({"content": "a"}))
    assert events[0] == TextDelta("a")
    assert ended(events).finish_reason is None


def test_done_without_its_blank_line_is_an_end() -> None:
    events, error = fed([sse(chunk({"content": "a"})), b"data: [DONE]"])
    assert error is None
    assert ended(events).finish_reason is None


def test_finish_without_done_is_an_end() -> None:
    events, error = fed([sse(chunk({"content": "a"}), chunk({}, "stop"))])
    assert error is None
    assert events[0] == TextDelta("a")
    assert ended(events).finish_reason == "stop"


def test_half_an_event_after_the_finish_is_let_go() -> None:
    events, error = fed([sse(chunk({"content": "a"}, "stop")), b'data: {"choi'])
    assert error is None
    assert ended(events).finish_reason == "stop"


def test_event_that_is_not_json_breaks_the_stream() -> None:
    events, error = fed([sse(chunk({"content": "a"})), b"data: {oops}\n\n", DONE])
    assert events == [TextDelta("a")]
    assert type(error) is InvalidResponseError
    assert "{oops}" in error.message
    assert error.body == "{oops}"


def test_done_and_finished_tell_where_the_stream_is() -> None:
    parser = Parser(CONTEXT)
    assert (parser.finished, parser.done) == (False, False)
    parser.feed(sse(chunk({"content": "a"})))
    assert (parser.finished, parser.done) == (False, False)
    parser.feed(sse(chunk({}, "stop")))
    assert (parser.finished, parser.done) == (True, False)
    parser.feed(DONE)
    assert (parser.finished, parser.done) == (True, True)


# --- Several answers ----------------------------------------------------------------


def test_answers_of_a_stream_are_interleaved() -> None:
    events = streamed(
        chunk({"content": "a"}, index=0),
        chunk({"content": "x"}, index=1),
        chunk({"content": "b"}, index=0),
        chunk({}, "stop", index=1),
        chunk({}, "length", index=0),
    )
    assert events[:-2] == [TextDelta("a", 0), TextDelta("x", 1), TextDelta("b", 0)]
    ends = [(e.choice, e.finish_reason) for e in events if isinstance(e, Finish)]
    assert ends == [(0, "length"), (1, "stop")]


def test_stream_is_whole_only_when_every_answer_is() -> None:
    events, error = fed(
        [sse(chunk({"content": "x"}, index=1), chunk({"content": "a"}, "stop"))]
    )
    assert events == [TextDelta("x", 1), TextDelta("a", 0)]
    assert type(error) is IncompleteStreamError


def test_several_answers_of_a_whole_body_in_any_order() -> None:
    payload = {
        **COMMON,
        "choices": [
            {"index": 1, "message": {"content": "B"}, "finish_reason": "length"},
            {
                "index": 0,
                "message": {"content": "A", "reasoning_content": "Hm"},
                "finish_reason": "stop",
            },
        ],
        "usage": USAGE,
    }
    events = whole(payload)
    assert events[:-2] == [TextDelta("B", 1), ReasoningDelta("Hm", 0), TextDelta("A")]
    ends = [(e.choice, e.finish_reason) for e in events if isinstance(e, Finish)]
    assert ends == [(0, "stop"), (1, "length")]
    assert {e.usage for e in events if isinstance(e, Finish)} == {
        Usage(5, 7, 12, raw=USAGE)
    }


# --- A whole body -------------------------------------------------------------------


def test_whole_body() -> None:
    message = {
        "role": "assistant",
        "content": "Hello",
        "reasoning_content": "Hm",
        "tool_calls": [piece(0, "call_a", "weather", '{"city":"Ulm"}')],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    payload = {**COMMON, "choices": [choice], "usage": USAGE}
    events = whole(payload, request_id="r-1")
    assert events == [
        ReasoningDelta("Hm"),
        TextDelta("Hello"),
        ToolCallDelta(0, "call_a", "weather", '{"city":"Ulm"}'),
        Finish(
            finish_reason="tool_calls",
            raw_finish_reason="tool_calls",
            usage=Usage(5, 7, 12, raw=USAGE),
            request_id="r-1",
            response_id="chatcmpl-u-1",
            model="qwen3.7-plus",
            created=1_770_000_000,
            logprobs=None,
            tool_info=None,
            raw=payload,
        ),
    ]


@pytest.mark.parametrize("reason", [{}, {"finish_reason": None}])
def test_whole_body_without_a_finish_reason_is_handed_on(
    reason: dict[str, Any],
) -> None:
    choice = {"message": {"content": "Hel"}, **reason}
    events = whole({"choices": [choice]})
    assert events[0] == TextDelta("Hel")
    assert ended(events).finish_reason is None


@pytest.mark.parametrize(
    "raw", [b"", b"<html>Bad gateway</html>", b'{"choices": [', b"\xff\xfe"]
)
def test_body_that_is_not_json(raw: bytes) -> None:
    parser = Parser(CONTEXT, request_id="r-1")
    with pytest.raises(APIError) as caught:
        parser.feed_body(raw)
    assert type(caught.value) is InvalidResponseError
    assert caught.value.request_id == "r-1"
    assert caught.value.body == raw.decode(errors="replace")


@pytest.mark.parametrize("payload", [{}, [], None, 5, "text", {"choices": []}])
def test_body_without_an_answer_is_an_error(payload: object) -> None:
    with pytest.raises(APIError):
        whole(payload)


# --- Errors inside a 200 ------------------------------------------------------------

MODERATED = {
    "error": {
        "code": "data_inspection_failed",
        "message": "<400> InternalError.Algo.DataInspectionFailed: Output data may"
        " contain inappropriate content.",
        "param": None,
        "type": "data_inspection_failed",
    },
    "id": "chatcmpl-u-1",
}
FAULTS: list[tuple[dict[str, Any], type[APIError], int]] = [
    (MODERATED, ContentFilterError, 400),
    (
        {
            "error": {
                "code": "invalid_parameter_error",
                "message": "<400> InternalError.Algo.InvalidParameter: Bad.",
                "param": None,
                "type": "invalid_request_error",
            },
            "id": "chatcmpl-u-1",
        },
        BadRequestError,
        400,
    ),
    (
        {"error": {"code": "limit_requests", "message": "Slow."}, "request_id": "u-1"},
        RateLimitError,
        429,
    ),
    (
        {"error": {"code": "model_not_found", "message": "No."}, "request_id": "u-1"},
        NotFoundError,
        404,
    ),
    (
        {"error": {"code": "internal_error", "message": "Oops.", "id": None}},
        InternalServerError,
        500,
    ),
    (
        {"code": "InvalidApiKey", "message": "Invalid.", "request_id": "u-1"},
        AuthenticationError,
        401,
    ),
    (
        {
            "code": "Throttling",
            "message": "Slow.",
            "request_id": "u-1",
            "choices": None,
        },
        RateLimitError,
        429,
    ),
]


@pytest.mark.parametrize(("payload", "cls", "status"), FAULTS)
def test_error_as_the_only_event_of_a_stream(
    payload: dict[str, Any], cls: type[APIError], status: int
) -> None:
    for stream in (sse(payload), sse(payload).rstrip(), sse(payload) + DONE):
        events, error = fed([stream])
        assert events == []
        assert isinstance(error, APIError)
        assert type(error) is cls
        assert error.status_code == status


@pytest.mark.parametrize(("payload", "cls", "status"), FAULTS)
def test_error_in_the_midst_of_a_stream_comes_after_what_came_before(
    payload: dict[str, Any], cls: type[APIError], status: int
) -> None:
    before = sse(chunk({"content": "a"}), chunk({"content": "b"}))
    for chunks in (
        [before, sse(payload)],
        [before + sse(payload)],
        [before + sse(payload), sse(chunk({"content": "never"}, "stop")), DONE],
        [before + sse(payload) + sse(chunk({"content": "never"}, "stop")) + DONE],
    ):
        events, error = fed(chunks)
        assert events == [TextDelta("a"), TextDelta("b")]
        assert isinstance(error, APIError)
        assert type(error) is cls
        assert error.status_code == status


def test_error_in_a_stream_wherever_the_bytes_are_cut() -> None:
    stream = sse(chunk({"content": "a"}), MODERATED)
    for cut in range(len(stream) + 1):
        events, error = fed([stream[:cut], stream[cut:]])
        assert events == [TextDelta("a")]
        assert type(error) is ContentFilterError
        assert error.code == "data_inspection_failed"


@pytest.mark.parametrize(
    ("header", "request_id"), [("r-head", "r-head"), (None, "u-1")]
)
def test_error_in_a_stream_has_the_request_id_that_its_finish_would_have(
    header: str | None, request_id: str
) -> None:
    finish = ended(fed([sse(chunk({"content": "a"}, "stop"))], request_id=header)[0])
    _, error = fed([sse(MODERATED)], request_id=header)
    assert error is not None
    assert error.request_id == finish.request_id == request_id
    assert error.region == "us-east-1"
    assert error.protocol == "openai"
    assert error.body == MODERATED


@pytest.mark.parametrize(("payload", "cls", "status"), FAULTS)
def test_error_as_a_whole_body(
    payload: dict[str, Any], cls: type[APIError], status: int
) -> None:
    with pytest.raises(APIError) as caught:
        whole(payload)
    assert type(caught.value) is cls
    assert caught.value.status_code == status


def test_empty_error_is_no_error() -> None:
    events = streamed(chunk({"content": "a"}, "stop", error=None))
    assert events[0] == TextDelta("a")


def test_a_piece_after_the_finish_is_out_of_order() -> None:
    parser = Parser(CONTEXT)
    whole = sse(chunk({"content": "One"}), chunk({"content": ""}, "stop"))
    assert parser.feed(whole) == [TextDelta("One")]
    assert parser.feed(sse(chunk({"content": ""}, "stop"))) == []
    with pytest.raises(IncompleteStreamError, match="out of order"):
        parser.feed(sse(chunk({"content": " two"})))


def test_a_key_in_garbage_is_hidden_before_it_is_cut() -> None:
    key = "sk-0123456789abcdefghijklmnop"
    context = ErrorContext(None, "openai", "127.0.0.1", secrets=(key,))
    with pytest.raises(IncompleteStreamError) as caught:
        Parser(context).feed_body(b"x" * 60 + key.encode() + b"x" * 600)
    said = f"{caught.value!r} {caught.value} {caught.value.body}"
    assert key[:10] not in said
    assert caught.value.__context__ is None


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), b"x"])
def test_what_json_does_not_have_is_refused_by_name(value: Any) -> None:
    for name in ("extra_body", "search_options"):
        options: Any = {name: {"a": value}}
        with pytest.raises(ConfigurationError, match=f"{name} holds"):
            body("qwen3.7-plus", **options)


def test_half_a_surrogate_pair_is_mended_in_parameters_too() -> None:
    sent = body("qwen-plus", stop=["\ud83d"], extra_body={"a": ["\ud83d", "b"]})
    assert json.dumps(sent, ensure_ascii=False).encode()
    assert sent["a"][1] == "b"
