"""What both parsers have in common, shown with the OpenAI-compatible protocol."""

import json
from collections.abc import Sequence
from functools import partial
from itertools import combinations
from time import process_time
from typing import Any

import pytest

from modelstudio_core.chat.choice import flatten
from modelstudio_core.chat.events import (
    AudioDelta,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from modelstudio_core.chat.parser import AnswerForm
from modelstudio_core.endpoints import Protocol
from modelstudio_core.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    IncompleteStreamError,
    InternalServerError,
    InvalidResponseError,
    NotFoundError,
    RateLimitError,
)
from tests.core.support import (
    COMMON,
    DONE,
    KEY,
    STARS,
    USAGE,
    body_events,
    call_chunk,
    call_delta,
    chunk,
    finish_of,
    join,
    make_parser,
    parse_stream,
    sse,
    stream_events,
    tool_call,
)

# --- Text and reasoning -----------------------------------------------------------
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


@pytest.mark.parametrize(
    "payloads", [NULLS, EMPTIES, ABSENT], ids=["null", "empty", "absent"]
)
def test_null_empty_and_absent_fields_mean_the_same(payloads: Sequence[object]) -> None:
    events = stream_events(*payloads)
    assert events[:-1] == [
        ReasoningDelta("Hm"),
        ReasoningDelta("."),
        TextDelta("Hel"),
        TextDelta("lo"),
    ]
    assert finish_of(events).finish_reason == "stop"


def test_content_that_is_a_list_of_parts_is_joined() -> None:
    parts = [{"text": "Hel"}, {"type": "text", "text": "lo"}, {"image": "x"}]
    assert stream_events(chunk({"content": parts}, "stop"))[0] == TextDelta("Hello")


def test_a_lone_surrogate_is_parsed() -> None:
    raw = b'data: {"choices":[{"delta":{"content":"\\ud83d"}}]}\n\n'
    events, error = parse_stream([raw, DONE])
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
def test_events_without_data_are_ignored(noise: bytes) -> None:
    first, second = sse(chunk({"content": "a"})), sse(chunk({"content": "b"}, "stop"))
    events, error = parse_stream([noise + first + noise + second + noise + DONE])
    assert error is None
    assert events[:-1] == [TextDelta("a"), TextDelta("b")]


def test_an_event_with_other_lines_than_data() -> None:
    payload = json.dumps(chunk({"content": "a"}, "stop")).encode()
    events, error = parse_stream(
        [b"id:1\nevent:result\n:HTTP_STATUS/200\ndata:" + payload]
    )
    assert error is None
    assert events[0] == TextDelta("a")


# --- Tool calls -------------------------------------------------------------------
ULM = tool_call('{"city":"Ulm"}', call_id="call_a", name="weather")
BONN = tool_call('{"city":"Bonn"}', call_id="call_b", name="news")


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        pytest.param(
            [
                [call_delta(0, "call_a", "weather", "")],
                [call_delta(0, "", None, '{"city"')],
                [call_delta(0, "", None, ':"Ulm"}')],
            ],
            [ULM],
            id="empty id later",
        ),
        pytest.param(
            [
                [call_delta(0, "call_a", "weather", '{"ci')],
                [call_delta(0, "call_a", "", 'ty":"Ulm"}')],
                [call_delta(0, "call_a", "", None)],
            ],
            [ULM],
            id="same id again, null at the end",
        ),
        pytest.param(
            [
                [call_delta(0, "call_a", "weather", None)],
                [call_delta(0, None, None, '{"city":"Ulm"}')],
                [{"index": 0, "function": None}],
                [{"index": 0}],
            ],
            [ULM],
            id="missing keys",
        ),
        pytest.param(
            [[call_delta(0, "call_a", "weather", {"city": "Ulm"})]],
            [tool_call('{"city": "Ulm"}', call_id="call_a", name="weather")],
            id="arguments as an object",
        ),
        pytest.param(
            [
                [
                    call_delta(0, "call_a", "weather", '{"city":'),
                    call_delta(1, "call_b", "news", '{"city":'),
                ],
                [call_delta(0, "", None, '"Ulm"}'), call_delta(1, "", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="two in a delta",
        ),
        pytest.param(
            [
                [call_delta(0, "call_a", "weather", '{"city":')],
                [call_delta(1, "call_b", "news", '{"city":')],
                [call_delta(0, "", None, '"Ulm"}')],
                [call_delta(1, "", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="interleaved",
        ),
        pytest.param(
            [
                [call_delta(1, "call_a", "weather", '{"city":"Ulm"}')],
                [call_delta(3, "call_b", "news", '{"city":"Bonn"}')],
            ],
            [ULM, BONN],
            id="indices with holes",
        ),
        pytest.param(
            [
                [call_delta(0, "call_a", "weather", '{"city":')],
                [call_delta(0, "", None, '"Ulm"}')],
                [call_delta(0, "call_b", "news", '{"city":')],
                [call_delta(0, "", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="index used again with another id",
        ),
        pytest.param(
            [
                [call_delta(0, "call_a", "weather", '{"city":')],
                [call_delta(0, "call_b", "news", '{"city":')],
                [call_delta(0, "call_a", None, '"Ulm"}')],
                [call_delta(0, "call_b", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="one index, distinguished by id",
        ),
        pytest.param(
            [
                [call_delta(None, "call_a", "weather", '{"city":')],
                [call_delta(None, "", None, '"Ulm"}')],
            ],
            [ULM],
            id="no index",
        ),
        pytest.param(
            [
                [
                    call_delta(None, "call_a", "weather", '{"city":'),
                    call_delta(None, "call_b", "news", '{"city":'),
                ],
                [
                    call_delta(None, "", None, '"Ulm"}'),
                    call_delta(None, "", None, '"Bonn"}'),
                ],
            ],
            [ULM, BONN],
            id="no index, two in a delta",
        ),
        pytest.param(
            [
                [call_delta(None, "call_a", "weather", '{"city":')],
                [call_delta(None, "call_b", "news", '{"city":')],
                [call_delta(None, "call_a", None, '"Ulm"}')],
                [call_delta(None, "call_b", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="no index, distinguished by id",
        ),
        pytest.param(
            [
                [call_delta(0, "", "weather", '{"city":')],
                [call_delta(0, "call_a", "", '"Ulm"}')],
            ],
            [ULM],
            id="id later",
        ),
        pytest.param(
            [
                [call_delta(1, "call_a", "weather", '{"ci')],
                [call_delta(0, "", None, 'ty":')],
                [call_delta(0, None, "", '"Ulm"}')],
            ],
            [ULM],
            id="the index changes, with an empty id",
        ),
        pytest.param(
            [
                [call_delta(1, "call_a", "weather", '{"city":')],
                [call_delta(0, "call_a", None, '"Ulm"}')],
                [call_delta(1, "call_b", "news", '{"city":')],
                [call_delta(2, "", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="the index changes, with the id",
        ),
        pytest.param(
            [
                [call_delta(0, "call_a", "weather", '{"city":')],
                [call_delta(0, "call_b", "news", '{"city":')],
                [call_delta(0, "call_a", None, '"Ul')],
                [call_delta(0, "", None, 'm"}')],
                [call_delta(0, "call_b", None, '"Bonn"}')],
            ],
            [ULM, BONN],
            id="an empty id continues the call before it",
        ),
    ],
)
def test_tool_calls_in_every_recorded_shape(
    deltas: list[list[Any]], expected: list[dict[str, Any]]
) -> None:
    events = stream_events(
        *(call_chunk(*delta) for delta in deltas), chunk({}, "tool_calls")
    )
    assert join(events).tool_calls == expected
    assert finish_of(events).finish_reason == "tool_calls"
    call_events = [event for event in events if isinstance(event, ToolCallDelta)]
    assert sorted({event.index for event in call_events}) == list(range(len(expected)))
    assert [e.id for e in call_events if e.id is not None] == [
        c["id"] for c in expected
    ]
    names = [e.name for e in call_events if e.name is not None]
    assert names == [c["function"]["name"] for c in expected]


def test_many_calls_without_an_index_take_linear_time() -> None:
    deltas = [call_delta(None, f"call_{n}", "find", "{}") for n in range(40_000)]
    payload = {"choices": [{"message": {"tool_calls": deltas}, "finish_reason": "x"}]}
    started = process_time()
    events = body_events(payload)
    streamed = [call_chunk(delta) for delta in deltas]
    events += stream_events(*streamed, chunk({}, "tool_calls"))
    assert process_time() - started < 10
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    assert [call.index for call in calls] == [*range(40_000)] * 2


def test_events_of_a_tool_call() -> None:
    events = stream_events(
        chunk({"content": "I will look."}),
        call_chunk(call_delta(0, "call_a", "weather", "")),
        call_chunk(call_delta(0, "", "", '{"city":"Ulm"}')),
        chunk({"tool_calls": [call_delta(0, "", None, None)]}, "tool_calls"),
    )
    assert events[:-1] == [
        TextDelta("I will look."),
        ToolCallDelta(0, "call_a", "weather", ""),
        ToolCallDelta(0, None, None, '{"city":"Ulm"}'),
        ToolCallDelta(0, None, None, ""),
    ]


def test_each_call_without_an_id_gets_one() -> None:
    events = stream_events(
        call_chunk(
            call_delta(0, None, "weather", "{}"), call_delta(1, "", "news", "{}")
        ),
        chunk({}, "tool_calls"),
    )
    ids = [call["id"] for call in join(events).tool_calls]
    assert all(ids)
    assert len(set(ids)) == 2


def test_arguments_are_passed_on_verbatim() -> None:
    text = '{ "a":"\\u4f60 \\n" ,"b": 1.0}'
    events = stream_events(
        call_chunk(*[call_delta(0, "c", "f", "")]),
        *(call_chunk(call_delta(0, "", None, letter)) for letter in text),
        chunk({}, "tool_calls"),
    )
    assert join(events).tool_calls[0]["function"]["arguments"] == text


# --- Bytes ------------------------------------------------------------------------
MIXED = (
    sse(
        chunk({"role": "assistant", "content": None, "reasoning_content": "Grübel 🤔"}),
        chunk({"content": "你好, Köln", "reasoning_content": None}),
        call_chunk(call_delta(0, "call_a", "wetter", '{"ort":"Köln')),
        call_chunk(call_delta(0, "", "", '"}')),
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
    events, error = parse_stream([MIXED])
    assert error is None
    assert events[:-1] == [
        ReasoningDelta("Grübel 🤔"),
        TextDelta("你好, Köln"),
        ToolCallDelta(0, "call_a", "wetter", '{"ort":"Köln'),
        ToolCallDelta(0, None, None, '"}'),
    ]
    assert finish_of(events).usage == Usage(5, 7, 12, raw=USAGE)


@pytest.mark.parametrize(
    "stream",
    [
        MIXED,
        MIXED.replace(b"\n", b"\r\n"),
        MIXED.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + MIXED,
        MIXED.replace(b"data: ", b"data:"),
    ],
    ids=["plain", "crlf", "cr", "bom", "no space"],
)
def test_the_bytes_may_be_split_anywhere(stream: bytes) -> None:
    expected = parse_stream([MIXED])
    assert parse_stream([stream]) == expected
    assert parse_stream(stream[i : i + 1] for i in range(len(stream))) == expected
    for cut in range(len(stream) + 1):
        assert parse_stream([stream[:cut], stream[cut:]]) == expected


@pytest.mark.parametrize("stream", [SMALL, SMALL.replace(b"\n", b"\r\n")])
def test_the_bytes_may_be_split_at_two_places(stream: bytes) -> None:
    expected = parse_stream([SMALL])
    assert expected[0][0] == TextDelta("ü")
    for first, second in combinations(range(len(stream) + 1), 2):
        pieces = [stream[:first], stream[first:second], stream[second:]]
        assert parse_stream(pieces) == expected


# --- The end of a stream ----------------------------------------------------------


def test_a_truncated_stream_is_never_a_complete_answer() -> None:
    stream = sse(chunk({"content": "a"}), chunk({"content": "b"}), chunk({}, "stop"))
    expected, _ = parse_stream([stream])
    # The last event is complete without its blank line.
    needed = len(stream) - len(b"\n\n")
    for cut in range(len(stream)):
        events, error = parse_stream([stream[:cut]])
        if cut < needed:
            assert type(error) is IncompleteStreamError
            assert error.is_retryable
            assert events == expected[: len(events)]
            assert len(events) == stream[:cut].count(b"\n\n")
        else:
            assert error is None
            assert events == expected


def test_the_error_of_a_truncated_stream_identifies_the_request() -> None:
    _, error = parse_stream([sse(chunk({"content": "a"}))])
    assert type(error) is IncompleteStreamError
    assert error.request_id == "u-1"
    assert error.region == "us-east-1"
    assert error.protocol == "openai"


def test_an_empty_stream_is_incomplete() -> None:
    assert type(parse_stream([])[1]) is IncompleteStreamError
    assert type(parse_stream([b""])[1]) is IncompleteStreamError
    assert type(parse_stream([b": keep-alive\n\n"])[1]) is IncompleteStreamError


DONE_TOO_EARLY = {
    "nothing": [],
    "no content": [chunk({"role": "assistant", "content": ""})],
    "reasoning only": [chunk({"reasoning_content": "Hm"})],
    "half a call": [call_chunk(call_delta(0, "call_a", "find", '{"pattern": '))],
    "a call without arguments": [call_chunk(call_delta(0, "call_a", "find", ""))],
    "text and a call": [
        chunk({"content": "I will look."}),
        call_chunk(call_delta(0, "call_a", "find", "{}")),
    ],
    "one of two answers": [
        chunk({"content": "a"}),
        chunk({"content": ""}, index=1),
    ],
}


@pytest.mark.parametrize("name", DONE_TOO_EARLY)
def test_done_without_a_finish_reason_is_no_end_of_other_answers(name: str) -> None:
    body = sse(*DONE_TOO_EARLY[name])
    for stream in (body + DONE, body + DONE.rstrip()):
        events, error = parse_stream([stream])
        assert not any(isinstance(event, Finish) for event in events)
        assert type(error) is IncompleteStreamError
        assert error.is_retryable


def test_done_without_a_finish_reason_completes_text() -> None:
    events = stream_events(chunk({"content": "a"}))
    assert events[0] == TextDelta("a")
    assert finish_of(events).finish_reason is None


@pytest.mark.parametrize("content", [{"content": ""}, {"content": None}, {}])
def test_done_without_a_finish_reason_completes_what_is_spoken(
    content: dict[str, Any],
) -> None:
    events = stream_events(chunk({**content, "audio": {"transcript": "Hi"}}))
    assert events[:-1] == [TextDelta("Hi"), AudioDelta("", "Hi")]
    assert finish_of(events).finish_reason is None


def test_sound_without_words_is_not_complete_without_a_finish_reason() -> None:
    _, error = parse_stream([sse(chunk({"audio": {"data": "AAAA"}})) + DONE])
    assert type(error) is IncompleteStreamError


def test_done_without_a_blank_line_completes_text() -> None:
    events, error = parse_stream([sse(chunk({"content": "a"})), b"data: [DONE]"])
    assert error is None
    assert finish_of(events).finish_reason is None


def test_a_finish_reason_without_done_completes_a_stream() -> None:
    events, error = parse_stream([sse(chunk({"content": "a"}), chunk({}, "stop"))])
    assert error is None
    assert events[0] == TextDelta("a")
    assert finish_of(events).finish_reason == "stop"


def test_a_truncated_event_after_the_finish_is_ignored() -> None:
    events, error = parse_stream(
        [sse(chunk({"content": "a"}, "stop")), b'data: {"choi']
    )
    assert error is None
    assert finish_of(events).finish_reason == "stop"


def test_an_event_that_is_not_json_is_an_error() -> None:
    events, error = parse_stream(
        [sse(chunk({"content": "a"})), b"data: {oops}\n\n", DONE]
    )
    assert events == [TextDelta("a")]
    assert type(error) is InvalidResponseError
    assert "{oops}" in error.message
    assert error.body == "{oops}"


def test_done_and_finished() -> None:
    parser = make_parser()
    assert (parser.finished, parser.done) == (False, False)
    parser.feed(sse(chunk({"content": "a"})))
    assert (parser.finished, parser.done) == (False, False)
    parser.feed(sse(chunk({}, "stop")))
    assert (parser.finished, parser.done) == (True, False)
    parser.feed(DONE)
    assert (parser.finished, parser.done) == (True, True)


def test_a_delta_after_the_finish_is_an_error() -> None:
    parser = make_parser()
    complete = sse(chunk({"content": "One"}), chunk({"content": ""}, "stop"))
    assert parser.feed(complete) == [TextDelta("One")]
    assert parser.feed(sse(chunk({"content": ""}, "stop"))) == []
    with pytest.raises(IncompleteStreamError, match="out of order"):
        parser.feed(sse(chunk({"content": " two"})))


# --- Several answers --------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
def test_a_response_has_a_limited_number_of_answers(protocol: Protocol) -> None:
    """8,000 answers to a call with tools once took 18 seconds."""
    for count, refused in ((128, False), (129, True)):
        choices = [
            {"index": index, "message": {"content": "a"}, "finish_reason": "stop"}
            for index in range(count)
        ]
        payload: dict[str, Any] = {"choices": choices}
        if protocol == "dashscope":
            payload = {"output": payload, "request_id": "a"}
        parser = make_parser(protocol, form=AnswerForm(tools=True))
        if refused:
            with pytest.raises(InvalidResponseError, match="unexpected structure"):
                parser.feed_value(payload)
        else:
            events = [*parser.feed_value(payload), *parser.close()]
            assert sum(isinstance(event, Finish) for event in events) == count


def test_interleaved_answers_of_a_stream() -> None:
    events = stream_events(
        chunk({"content": "a"}, index=0),
        chunk({"content": "x"}, index=1),
        chunk({"content": "b"}, index=0),
        chunk({}, "stop", index=1),
        chunk({}, "length", index=0),
    )
    assert events[:-2] == [TextDelta("a", 0), TextDelta("x", 1), TextDelta("b", 0)]
    ends = [(e.choice, e.finish_reason) for e in events if isinstance(e, Finish)]
    assert ends == [(0, "length"), (1, "stop")]


def test_a_stream_is_complete_when_every_answer_is() -> None:
    events, error = parse_stream(
        [sse(chunk({"content": "x"}, index=1), chunk({"content": "a"}, "stop"))]
    )
    assert events == [TextDelta("x", 1), TextDelta("a", 0)]
    assert type(error) is IncompleteStreamError


def test_several_answers_of_a_body_in_any_order() -> None:
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
    events = body_events(payload)
    assert events[:-2] == [TextDelta("B", 1), ReasoningDelta("Hm", 0), TextDelta("A")]
    ends = [(e.choice, e.finish_reason) for e in events if isinstance(e, Finish)]
    assert ends == [(0, "stop"), (1, "length")]
    assert {e.usage for e in events if isinstance(e, Finish)} == {
        Usage(5, 7, 12, raw=USAGE)
    }


# --- Responses without streaming --------------------------------------------------


def test_events_of_a_body() -> None:
    message = {
        "role": "assistant",
        "content": "Hello",
        "reasoning_content": "Hm",
        "tool_calls": [call_delta(0, "call_a", "weather", '{"city":"Ulm"}')],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    payload = {**COMMON, "choices": [choice], "usage": USAGE}
    events = body_events(payload, request_id="r-1")
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
def test_a_body_without_a_finish_reason(
    reason: dict[str, Any],
) -> None:
    choice = {"message": {"content": "Hel"}, **reason}
    events = body_events({"choices": [choice]})
    assert events[0] == TextDelta("Hel")
    assert finish_of(events).finish_reason is None


@pytest.mark.parametrize(
    "raw", [b"", b"<html>Bad gateway</html>", b'{"choices": [', b"\xff\xfe"]
)
def test_a_body_that_is_not_json_is_an_error(raw: bytes) -> None:
    parser = make_parser(request_id="r-1")
    with pytest.raises(APIError) as caught:
        parser.feed_body(raw)
    assert type(caught.value) is InvalidResponseError
    assert caught.value.request_id == "r-1"
    assert caught.value.body == raw.decode(errors="replace")


def test_a_key_in_an_invalid_body_is_hidden_before_it_is_cut() -> None:
    body = b"x" * 60 + KEY.encode() + b"x" * 600
    with pytest.raises(IncompleteStreamError) as caught:
        make_parser().feed_body(body)
    shown = f"{caught.value!r} {caught.value} {caught.value.body}"
    assert KEY[:10] not in shown
    assert caught.value.__context__ is None


@pytest.mark.parametrize("payload", [{}, [], None, 5, "text", {"choices": []}])
def test_a_body_without_an_answer_is_an_error(payload: object) -> None:
    with pytest.raises(APIError):
        body_events(payload)


@pytest.mark.parametrize(
    ("payload", "shown"),
    [(["Köln"], '["Köln"]'), ("\ud83d", '"?"'), (None, "null"), (5, "5")],
)
def test_the_error_for_json_that_is_no_object_shows_it(
    payload: object, shown: str
) -> None:
    with pytest.raises(InvalidResponseError) as caught:
        make_parser().feed_value(payload)
    assert caught.value.message == (
        f"The response is not a JSON object. It begins with {shown!r}."
    )
    assert caught.value.body == shown


# --- Errors inside a response with status 200 -------------------------------------
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
def test_an_error_as_the_only_event_of_a_stream(
    payload: dict[str, Any], cls: type[APIError], status: int
) -> None:
    for stream in (sse(payload), sse(payload).rstrip(), sse(payload) + DONE):
        events, error = parse_stream([stream])
        assert events == []
        assert isinstance(error, APIError)
        assert type(error) is cls
        assert error.status_code == status


@pytest.mark.parametrize(("payload", "cls", "status"), FAULTS)
def test_an_error_within_a_stream_comes_after_the_events_before_it(
    payload: dict[str, Any], cls: type[APIError], status: int
) -> None:
    before = sse(chunk({"content": "a"}), chunk({"content": "b"}))
    for chunks in (
        [before, sse(payload)],
        [before + sse(payload)],
        [before + sse(payload), sse(chunk({"content": "never"}, "stop")), DONE],
        [before + sse(payload) + sse(chunk({"content": "never"}, "stop")) + DONE],
    ):
        events, error = parse_stream(chunks)
        assert events == [TextDelta("a"), TextDelta("b")]
        assert isinstance(error, APIError)
        assert type(error) is cls
        assert error.status_code == status


def test_an_error_in_a_stream_wherever_the_bytes_are_split() -> None:
    stream = sse(chunk({"content": "a"}), MODERATED)
    for cut in range(len(stream) + 1):
        events, error = parse_stream([stream[:cut], stream[cut:]])
        assert events == [TextDelta("a")]
        assert type(error) is ContentFilterError
        assert error.code == "data_inspection_failed"


@pytest.mark.parametrize(
    ("header", "request_id"), [("r-head", "r-head"), (None, "u-1")]
)
def test_an_error_in_a_stream_has_the_request_id_of_the_response(
    header: str | None, request_id: str
) -> None:
    finish = finish_of(
        parse_stream([sse(chunk({"content": "a"}, "stop"))], request_id=header)[0]
    )
    _, error = parse_stream([sse(MODERATED)], request_id=header)
    assert error is not None
    assert error.request_id == finish.request_id == request_id
    assert error.region == "us-east-1"
    assert error.protocol == "openai"
    assert error.body == MODERATED


@pytest.mark.parametrize(("payload", "cls", "status"), FAULTS)
def test_an_error_as_a_body(
    payload: dict[str, Any], cls: type[APIError], status: int
) -> None:
    with pytest.raises(APIError) as caught:
        body_events(payload)
    assert type(caught.value) is cls
    assert caught.value.status_code == status


def test_an_error_that_is_null_is_no_error() -> None:
    events = stream_events(chunk({"content": "a"}, "stop", error=None))
    assert events[0] == TextDelta("a")


def test_the_error_of_a_stream_is_raised_again() -> None:
    parser = make_parser()
    assert parser.feed(sse(chunk({"content": "a"}), MODERATED)) == [TextDelta("a")]
    assert (parser.done, parser.finished) == (True, False)
    for call in (partial(parser.feed, DONE), parser.close):
        with pytest.raises(ContentFilterError):
            call()


# --- Unexpected structures ----------------------------------------------------------


@pytest.mark.parametrize(
    "choice",
    [
        {"delta": {"content": 5}},
        {"delta": {"reasoning_content": {"text": "a"}}},
        {"delta": {"content": [5]}},
        {"delta": "text"},
        {"delta": {"tool_calls": "text"}},
        {"delta": {"tool_calls": [{"id": 5, "function": {"name": "f"}}]}},
        {"delta": {"tool_calls": [{"id": "c", "function": {"name": 5}}]}},
        {"delta": {"tool_calls": [{"id": "c", "function": "f"}]}},
        {"delta": {}, "index": "0"},
        {"delta": {}, "index": []},
        {"delta": {}, "finish_reason": 5},
        "text",
        None,
    ],
)
def test_a_choice_with_an_unexpected_structure_is_an_error(choice: object) -> None:
    events, error = parse_stream([sse({**COMMON, "choices": [choice]})])
    assert events == []
    assert type(error) is InvalidResponseError
    assert error.message.startswith("The response has an unexpected structure")
    assert error.request_id == "u-1"
    assert error.__suppress_context__


def test_a_key_in_an_unexpected_structure_is_hidden() -> None:
    choice = {"delta": {"content": {KEY: KEY}}}
    _, error = parse_stream([sse({**COMMON, "choices": [choice]})])
    assert error is not None
    assert KEY not in f"{error!r} {error.body}"


@pytest.mark.parametrize("logprobs", [5, "text", {"content": 5}, {"content": ["a"]}])
def test_log_probabilities_with_an_unexpected_structure_are_ignored(
    logprobs: object,
) -> None:
    payload = chunk({"content": "a"}, "stop")
    payload["choices"][0]["logprobs"] = logprobs
    assert finish_of(stream_events(payload)).logprobs is None


# --- Fields with two names or without an index --------------------------------------


def test_reasoning_under_its_short_name() -> None:
    events = stream_events(
        chunk({"reasoning": "Hm"}),
        chunk({"reasoning_content": ".", "reasoning": "x"}, "stop"),
    )
    assert events[:-1] == [ReasoningDelta("Hm"), ReasoningDelta(".")]


def test_two_choices_without_an_index_are_two_choices() -> None:
    streamed = {**COMMON, "choices": [{"delta": {"content": c}} for c in "ab"]}
    assert stream_events(streamed)[:2] == [TextDelta("a", 0), TextDelta("b", 1)]
    body = {**COMMON, "choices": [{"message": {"content": c}} for c in "ab"]}
    events = body_events(body)
    assert events[:2] == [TextDelta("a", 0), TextDelta("b", 1)]
    assert [e.choice for e in events if isinstance(e, Finish)] == [0, 1]


def test_the_id_of_a_call_without_one_has_the_request_id() -> None:
    events = stream_events(
        call_chunk(
            call_delta(0, "call_a", "weather", "{}"), call_delta(1, "", "news", "{}")
        ),
        chunk({}, "tool_calls"),
    )
    assert events[-2] == ToolCallDelta(1, "call_u-1_1", None, "")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Hello", "Hello"),
        (["Hel", {"text": "lo"}], "Hello"),
        ([{"type": "image"}, {"text": None}], ""),
        ([], ""),
    ],
)
def test_flatten(content: object, text: str) -> None:
    assert flatten(content) == text


@pytest.mark.parametrize("content", [None, 5, {"text": "a"}])
def test_flatten_refuses_other_types(content: object) -> None:
    with pytest.raises(TypeError):
        flatten(content)


def test_bytes_after_the_end_are_ignored() -> None:
    parser = make_parser()
    stream = sse(chunk({"content": "a"}, "stop")) + DONE
    assert parser.feed(stream + sse(chunk({"content": "b"}))) == [TextDelta("a")]
    assert parser.done
    assert [type(e) for e in parser.close()] == [Finish]


def test_events_with_other_lines_after_the_end_are_ignored() -> None:
    def event(content: str, reason: str | None) -> bytes:
        return b"event: x\n" + sse(chunk({"content": content}, reason))

    parser = make_parser()
    stream = event("a", "stop") + b"event: x\n" + DONE + event("b", None)
    assert parser.feed(stream) == [TextDelta("a")]
    assert [type(e) for e in parser.close()] == [Finish]


# --- Secrets in metadata ------------------------------------------------------------

# A key, and other forms of it.
ECHOES = (
    KEY,
    f"Bearer {KEY}",
    KEY.upper(),
    KEY.encode().hex(),
    f"chatcmpl-{KEY[4:20]}",
)


PLACES: list[tuple[Protocol, str]] = [
    ("openai", "id"),
    ("openai", "model"),
    ("openai", "system_fingerprint"),
    ("openai", "finish_reason"),
    ("dashscope", "request_id"),
    ("dashscope", "finish_reason"),
]


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("is_stream", [False, True], ids=["body", "stream"])
@pytest.mark.parametrize(("protocol", "place"), PLACES)
def test_a_key_in_the_metadata_of_an_answer_is_hidden(
    protocol: Protocol, place: str, is_stream: bool, echo: str
) -> None:
    text = f"Your key is {KEY}."
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
    choice["delta" if is_stream and protocol == "openai" else "message"] = {
        "content": text
    }
    common: dict[str, Any] = {"id": "c-1", "request_id": "r-1"}
    (choice if place == "finish_reason" else common)[place] = echo
    answer = {"choices": [choice]}
    payload = common | (answer if protocol == "openai" else {"output": answer})
    if is_stream:
        events, error = parse_stream([sse(payload)], protocol=protocol)
        assert error is None
    else:
        events = body_events(payload, protocol=protocol)
    # The text of the answer is the user's own, also in the raw body.
    assert join(events).text == text
    shown = repr(finish_of(events)).replace(text, "").casefold()
    assert KEY[4:16] not in shown
    assert KEY.encode().hex()[:24] not in shown
    assert STARS in shown


# --- The size of an event ---------------------------------------------------------
LIMIT = 1000
END = b"\n\n"


def event_of(size: int) -> bytes:
    """Return an event of so many bytes, without the end of its line."""
    shortest = len(sse(chunk({"content": ""})).removesuffix(END))
    return sse(chunk({"content": "x" * (size - shortest)})).removesuffix(END)


def pieces_of(data: bytes, size: int) -> list[bytes]:
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


def is_too_large(*pieces: bytes) -> bool:
    """Return whether a stream with ``LIMIT`` bytes in an event is refused."""
    parser = make_parser(max_event_bytes=LIMIT)
    try:
        # An error after events is raised by the next call.
        for piece in (*pieces, b""):
            parser.feed(piece)
    except InvalidResponseError as error:
        return "max_event_bytes=1,000" in error.message
    return False


@pytest.mark.parametrize("begin", [b"", b"event: x\n"])
def test_an_event_may_have_as_many_bytes_as_the_limit(begin: bytes) -> None:
    size = LIMIT - len(begin)
    assert not is_too_large(begin + event_of(size) + END)
    assert is_too_large(begin + event_of(size + 1) + END)


@pytest.mark.parametrize("size", [1, 100, 999])
def test_all_bytes_since_the_last_event_count(size: int) -> None:
    for event in (event_of(LIMIT - 2) + END, event_of(498) + END):
        assert not is_too_large(*pieces_of(event * 3, size))
    assert is_too_large(*pieces_of(event_of(LIMIT + 1) + END, size))
    comments = b": x\n\n" * 300
    assert not is_too_large(*pieces_of(comments[:LIMIT], size))
    assert is_too_large(*pieces_of(comments[: LIMIT + 1], size))


def test_an_event_that_begins_after_another_one_is_limited() -> None:
    event = event_of(500) + END
    assert not is_too_large(event + event_of(LIMIT))
    assert is_too_large(event + event_of(LIMIT + 1))
