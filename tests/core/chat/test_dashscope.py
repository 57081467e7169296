"""Requests and responses of the native DashScope protocol."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from modelstudio_core.chat.events import (
    Citations,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from modelstudio_core.chat.messages import Message
from modelstudio_core.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    IncompleteStreamError,
    InternalServerError,
    InvalidResponseError,
    RateLimitError,
)
from modelstudio_core.transport.requests import HttpRequest
from tests.core.support import (
    AUDIO,
    FRAMES,
    HI,
    IMAGE,
    KEY,
    VIDEO,
    assistant,
    body_events,
    call_delta,
    error_message,
    finish_of,
    join,
    make_parser,
    make_request,
    named_choice,
    parse_stream,
    text_part,
    tool,
    tool_call,
    user,
)

TEXT_MODEL: Final = "qwen-max"
MULTIMODAL_MODEL: Final = "qwen3.7-plus"
REQUEST_ID: Final = "6094200a-5a35-9fce-8dbc-e088ba6a6a44"
USAGE: Final = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12}

# --- Requests -----------------------------------------------------------------------


def request(
    model: str, messages: Sequence[Message] = HI, /, **more: Any
) -> HttpRequest:
    """Build a request, see ``make_request``."""
    return make_request(model, messages, protocol="dashscope", **more)


def body(model: str, messages: Sequence[Message] = HI, /, **more: Any) -> Any:
    """Build the body of a request, see ``make_request``."""
    return request(model, messages, **more).json


def sent_messages(model: str, *messages: Message) -> list[Any]:
    """Return the messages of a request as they are sent."""
    messages_sent: list[Any] = body(model, messages)["input"]["messages"]
    return messages_sent


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (TEXT_MODEL, "/services/aigc/text-generation/generation"),
        (MULTIMODAL_MODEL, "/services/aigc/multimodal-generation/generation"),
        ("qwen3-vl-plus", "/services/aigc/multimodal-generation/generation"),
        ("vendor/a-model-of-tomorrow", "/services/aigc/text-generation/generation"),
    ],
)
def test_the_path_follows_the_model(model: str, path: str) -> None:
    built = request(model)
    assert (built.api, built.method, built.path) == ("dashscope", "POST", path)


def test_request_on_the_text_path() -> None:
    built = request(TEXT_MODEL, temperature=0.5)
    assert built.json == {
        "model": TEXT_MODEL,
        "input": {"messages": HI},
        "parameters": {"result_format": "message", "temperature": 0.5},
    }
    assert built.headers == {}


def test_request_on_the_multimodal_path() -> None:
    assert body(MULTIMODAL_MODEL, enable_thinking=False) == {
        "model": MULTIMODAL_MODEL,
        "input": {"messages": [user([{"text": "Hi"}])]},
        "parameters": {"result_format": "message", "enable_thinking": False},
    }


@pytest.mark.parametrize("include_usage", [True, False])
def test_request_of_a_stream(include_usage: bool) -> None:
    built = request(TEXT_MODEL, stream=True, include_usage=include_usage)
    assert built.json == {
        "model": TEXT_MODEL,
        "input": {"messages": HI},
        "parameters": {"result_format": "message", "incremental_output": True},
    }
    assert built.headers == {
        "X-DashScope-SSE": "enable",
        "Accept": "text/event-stream",
    }


def test_options_are_parameters() -> None:
    assert body(
        "deepseek-v4-pro",
        max_tokens=100,
        stop=("END",),
        tools=[tool("weather")],
        tool_choice="any",
        enable_search=True,
        search_options={"enable_source": True},
        extra_body={"tool_stream": True},
    ) == {
        "model": "deepseek-v4-pro",
        "input": {"messages": HI},
        "parameters": {
            "result_format": "message",
            "max_tokens": 100,
            "stop": ["END"],
            "enable_thinking": False,
            "tools": [tool("weather")],
            "tool_choice": named_choice("weather"),
            "enable_search": True,
            "search_options": {"enable_source": True},
            "tool_stream": True,
        },
    }


def test_extra_body_can_replace_a_parameter_of_the_protocol() -> None:
    extra_body = {"result_format": "text", "incremental_output": False}
    built = body(TEXT_MODEL, stream=True, extra_body=extra_body)
    assert built["parameters"] == extra_body


def test_body_has_the_replacement_of_a_delisted_model() -> None:
    assert body("deepseek-v3.2") == body(MULTIMODAL_MODEL, enable_thinking=False)


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        (IMAGE, {"image": "https://example.com/a.png"}),
        (VIDEO, {"video": "https://example.com/a.mp4"}),
        (FRAMES, {"video": FRAMES["video"]}),
        (AUDIO, {"audio": "data:;base64,SUQzBAA="}),
        (text_part("Hi"), {"text": "Hi"}),
        (
            text_part("Hi", cache_control={"type": "ephemeral"}),
            {"text": "Hi", "cache_control": {"type": "ephemeral"}},
        ),
    ],
    ids=["image", "video", "frames", "audio", "text", "cached text"],
)
def test_parts_on_the_multimodal_path(part: Any, sent: Any) -> None:
    prompt = user([text_part("What is it?"), part, IMAGE])
    assert sent_messages("qwen3-omni-flash", prompt) == [
        user([{"text": "What is it?"}, sent, {"image": "https://example.com/a.png"}])
    ]


def test_empty_content_has_no_parts_on_the_multimodal_path() -> None:
    turn = assistant(tool_calls=[tool_call()])
    answer: Any = {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"}
    assert sent_messages(MULTIMODAL_MODEL, user(), turn, answer) == [
        user([{"text": "Hi"}]),
        {**turn, "content": []},
        {**answer, "content": [{"text": "Sunny"}]},
    ]


def test_parts_of_text_are_one_string_on_the_text_path() -> None:
    prompt = user([text_part("One"), text_part("Two")])
    assert sent_messages(TEXT_MODEL, prompt) == [user("One\nTwo")]


def test_an_image_for_a_text_model_is_refused() -> None:
    assert "Qwen-VL" in error_message(body, "deepseek-v4-pro", [user([IMAGE])])


def test_the_users_messages_are_not_changed() -> None:
    prompt = user([text_part("Hi"), IMAGE])
    before = json.dumps(prompt)
    body("qwen3-vl-plus", [prompt])
    assert json.dumps(prompt) == before


# --- Responses ----------------------------------------------------------------------


def event(
    payload: object, *, kind: str | None = "result", status: int | None = 200
) -> bytes:
    """Return an event as the service writes it; None leaves out its kind or status."""
    lines = ["id:1"]
    if kind is not None:
        lines.append(f"event:{kind}")
    if status is not None:
        lines.append(f":HTTP_STATUS/{status}")
    lines.append(f"data:{json.dumps(payload, ensure_ascii=False)}")
    return "\n".join(lines).encode() + b"\n\n"


def chunk(
    message: Mapping[str, Any], reason: str = "null", **output: Any
) -> dict[str, Any]:
    """Return a chunk with one choice; ``output`` is more of its output."""
    choices = [{"message": {"role": "assistant", **message}, "finish_reason": reason}]
    return {
        "output": {"choices": choices, **output},
        "usage": USAGE,
        "request_id": REQUEST_ID,
    }


def choices_chunk(*choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return a chunk with several choices."""
    return {"output": {"choices": list(choices)}, "request_id": REQUEST_ID}


def parse(*pieces: bytes, **more: Any) -> tuple[list[Event], APIError | None]:
    """Parse a stream, see ``parse_stream``."""
    return parse_stream(pieces, protocol="dashscope", **more)


def stream_events(*payloads: object) -> list[Event]:
    """Return the events of a stream that ends without an error."""
    events, error = parse(*map(event, payloads))
    assert error is None
    return events


def test_a_stream_on_the_text_path() -> None:
    assert stream_events(
        chunk({"content": "", "reasoning_content": "Hm"}),
        chunk({"content": "Hel", "reasoning_content": ""}),
        chunk({"content": "lo", "reasoning_content": ""}),
        chunk({"content": "", "reasoning_content": ""}, "stop"),
    ) == [
        ReasoningDelta("Hm"),
        TextDelta("Hel"),
        TextDelta("lo"),
        Finish(
            finish_reason="stop",
            raw_finish_reason="stop",
            usage=Usage(5, 7, 12, raw=USAGE),
            request_id=REQUEST_ID,
            response_id=None,
            model=None,
            created=None,
            logprobs=None,
            tool_info=None,
            raw={
                "request_id": REQUEST_ID,
                "usage": USAGE,
                "choices": [{"index": 0, "finish_reason": "stop"}],
            },
        ),
    ]


def test_a_stream_on_the_multimodal_path() -> None:
    events = stream_events(
        chunk({"content": [], "reasoning_content": "Hm"}),
        chunk({"content": [{"text": "Hel"}]}),
        chunk({"content": [{"text": "lo"}]}),
        chunk({"content": []}, "stop"),
    )
    assert events[:-1] == [ReasoningDelta("Hm"), TextDelta("Hel"), TextDelta("lo")]


def test_a_response_without_streaming() -> None:
    payload = chunk({"content": "Hello", "reasoning_content": "Hm"}, "stop")
    events = body_events(payload, protocol="dashscope", request_id=REQUEST_ID)
    assert events[:-1] == [ReasoningDelta("Hm"), TextDelta("Hello")]
    finish = finish_of(events)
    assert finish.finish_reason == "stop"
    assert finish.usage == Usage(5, 7, 12, raw=USAGE)
    assert finish.request_id == REQUEST_ID
    assert finish.raw == payload


def test_the_result_format_text() -> None:
    payloads = [
        {"output": {"text": "Hel", "finish_reason": "null"}, "request_id": REQUEST_ID},
        {"output": {"text": "lo", "finish_reason": "null"}, "request_id": REQUEST_ID},
        {
            "output": {"text": "", "finish_reason": "length"},
            "usage": USAGE,
            "request_id": REQUEST_ID,
        },
    ]
    events = stream_events(*payloads)
    assert events[:-1] == [TextDelta("Hel"), TextDelta("lo")]
    assert finish_of(events).finish_reason == "length"
    assert finish_of(events).usage == Usage(5, 7, 12, raw=USAGE)


def test_the_result_format_text_without_streaming() -> None:
    payload = {
        "output": {"text": "Hello", "finish_reason": "stop"},
        "request_id": REQUEST_ID,
    }
    events = body_events(payload, protocol="dashscope")
    assert events[:-1] == [TextDelta("Hello")]
    assert finish_of(events).finish_reason == "stop"


def test_the_string_null_is_no_finish_reason() -> None:
    events, error = parse(event(chunk({"content": "a"})))
    assert events == [TextDelta("a")]
    assert type(error) is IncompleteStreamError
    assert error.request_id == REQUEST_ID


def test_the_finish_reason_ends_the_stream() -> None:
    parser = make_parser("dashscope")
    parser.feed(event(chunk({"content": "a"})))
    assert (parser.finished, parser.done) == (False, False)
    parser.feed(event(chunk({"content": "b"}, "stop")))
    assert (parser.finished, parser.done) == (True, True)


def test_what_follows_the_finish_reason_is_ignored() -> None:
    last, more = chunk({"content": "a"}, "stop"), chunk({"content": "never"})
    events, error = parse(event(last) + event(more))
    assert error is None
    assert events[0] == TextDelta("a")
    assert len(events) == 2


@pytest.mark.parametrize(
    ("header", "own", "request_id"),
    [("r-1", "r-2", "r-2"), ("r-1", None, "r-1"), (None, None, None), (None, "", None)],
)
def test_request_id(
    header: str | None, own: str | None, request_id: str | None
) -> None:
    payload = {**chunk({"content": "a"}, "stop"), "request_id": own}
    events, error = parse(event(payload), request_id=header)
    assert error is None
    assert finish_of(events).request_id == request_id


def test_tool_calls() -> None:
    events = stream_events(
        chunk({"content": "", "tool_calls": [call_delta(0, "call_a", "weather", "")]}),
        chunk({"content": "", "tool_calls": [call_delta(0, "", None, '{"a"')]}),
        chunk(
            {
                "content": "",
                "tool_calls": [
                    call_delta(0, "", None, ":1}"),
                    call_delta(1, "call_b", "news", "{}"),
                ],
            }
        ),
        chunk({"content": ""}, "tool_calls"),
    )
    assert events[0] == ToolCallDelta(0, "call_a", "weather", "")
    assert join(events).tool_calls == [
        tool_call('{"a":1}', call_id="call_a", name="weather"),
        tool_call("{}", call_id="call_b", name="news"),
    ]
    assert finish_of(events).finish_reason == "tool_calls"


@pytest.mark.parametrize(
    "stream",
    [
        event(chunk({"content": "Grüße, 你好"}))
        + event(chunk({"content": ""}, "stop")),
        event(chunk({"content": "Grüße, 你好"}), kind=None, status=None)
        + event(chunk({"content": ""}, "stop"), kind=None, status=None),
    ],
    ids=["as recorded", "data only"],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_the_bytes_may_be_split_anywhere(stream: bytes, line_end: bytes) -> None:
    stream = stream.replace(b"\n", line_end)
    expected = parse(stream)
    assert expected[0][0] == TextDelta("Grüße, 你好")
    assert expected[1] is None
    assert parse(*(stream[i : i + 1] for i in range(len(stream)))) == expected
    for cut in range(len(stream) + 1):
        assert parse(stream[:cut], stream[cut:]) == expected


def test_data_in_several_lines_is_one_event() -> None:
    first, second = json.dumps(chunk({"content": "a"}, "stop")).split(", ", 1)
    stream = f"id:1\nevent:result\n:HTTP_STATUS/200\ndata:{first},\ndata:{second}\n\n"
    events, error = parse(stream.encode())
    assert error is None
    assert events[0] == TextDelta("a")


# --- Several answers ----------------------------------------------------------------


def test_choices_with_an_index() -> None:
    def choice(index: int, content: str, reason: str = "null") -> dict[str, Any]:
        message = {"content": content}
        return {"index": index, "message": message, "finish_reason": reason}

    events = stream_events(
        choices_chunk(choice(0, "a")),
        choices_chunk(choice(1, "x")),
        choices_chunk(choice(0, "b", "stop"), choice(1, "y", "length")),
    )
    assert events[:-2] == [
        TextDelta("a", 0),
        TextDelta("x", 1),
        TextDelta("b", 0),
        TextDelta("y", 1),
    ]
    ends = [(e.choice, e.finish_reason) for e in events if isinstance(e, Finish)]
    assert ends == [(0, "stop"), (1, "length")]


def test_a_stream_with_one_finished_choice_of_two_is_not_done() -> None:
    parser = make_parser("dashscope")
    one = {"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}
    other = {"index": 1, "message": {"content": "x"}, "finish_reason": "null"}
    parser.feed(event(choices_chunk(one, other)))
    assert not parser.done
    with pytest.raises(IncompleteStreamError):
        parser.close()


def test_two_choices_without_an_index_are_two_choices() -> None:
    payload = choices_chunk(
        {"message": {"content": "A"}, "finish_reason": "stop"},
        {"message": {"content": "B"}, "finish_reason": "length"},
    )
    for events in (stream_events(payload), body_events(payload, protocol="dashscope")):
        assert events[:-2] == [TextDelta("A", 0), TextDelta("B", 1)]
        ends = [(e.choice, e.finish_reason) for e in events if isinstance(e, Finish)]
        assert ends == [(0, "stop"), (1, "length")]


# --- Search results and the service's own tools -------------------------------------

RESULTS: Final = [
    {"index": 1, "title": "Ulm", "url": "https://example.com", "site_name": "x"},
    {"index": 2, "title": "Bonn", "url": "https://example.org", "site_name": "y"},
]
TOOL_INFO: Final = [
    {"type": "code_interpreter", "code_interpreter": {"code": "print(1)"}}
]


def test_search_results_are_one_event_before_the_finish() -> None:
    search = {"search_results": RESULTS, "extra_tool_info": []}
    events = stream_events(
        chunk({"content": "a"}, search_info=search),
        chunk({"content": "b"}, search_info=search),
        chunk({"content": ""}, "stop"),
    )
    assert events[:-1] == [TextDelta("a"), TextDelta("b"), Citations(RESULTS)]  # type: ignore[arg-type]
    assert finish_of(events).raw["search_info"] == search


def test_search_results_without_streaming() -> None:
    payload = chunk(
        {"content": "a"}, "stop", search_info={"search_results": [*RESULTS, "x"]}
    )
    events = body_events(payload, protocol="dashscope")
    assert events[1:-1] == [Citations(RESULTS)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "search", [None, {}, "x", {"search_results": []}, {"search_results": "x"}]
)
def test_without_search_results_there_are_no_citations(search: object) -> None:
    events = stream_events(chunk({"content": "a"}, "stop", search_info=search))
    assert [type(e) for e in events] == [TextDelta, Finish]


def test_of_repeated_tool_info_the_last_counts() -> None:
    first = [{"type": "code_interpreter", "code_interpreter": {"code": "pri"}}]
    events = stream_events(
        chunk({"content": "a"}, tool_info=first),
        chunk({"content": "b"}, tool_info=TOOL_INFO),
        chunk({"content": ""}, "stop"),
    )
    assert finish_of(events).tool_info == TOOL_INFO
    assert finish_of(events).raw["tool_info"] == TOOL_INFO


def test_tool_info_without_streaming() -> None:
    payload = chunk({"content": "a"}, "stop", tool_info=TOOL_INFO)
    finish = finish_of(body_events(payload, protocol="dashscope"))
    assert finish.tool_info == TOOL_INFO


@pytest.mark.parametrize("tool_info", [None, [], "x", {}])
def test_without_tool_info_there_is_none(tool_info: object) -> None:
    events = stream_events(chunk({"content": "a"}, "stop", tool_info=tool_info))
    assert finish_of(events).tool_info is None


def test_log_probabilities() -> None:
    logprobs = [{"token": "a"}, {"token": "b"}]
    first, last = chunk({"content": "a"}), chunk({"content": "b"}, "stop")
    first["output"]["choices"][0]["logprobs"] = {"content": logprobs[:1]}
    last["output"]["choices"][0]["logprobs"] = {"content": logprobs[1:]}
    assert finish_of(stream_events(first, last)).logprobs == logprobs


# --- Usage --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({"input_tokens": 5, "output_tokens": 7}, (5, 7, 12, None, None, None)),
        ({**USAGE, "total_tokens": 13}, (5, 7, 13, None, None, None)),
        (
            {
                **USAGE,
                "output_tokens_details": {"reasoning_tokens": 4},
                "prompt_tokens_details": {
                    "cached_tokens": 3,
                    "cache_creation_input_tokens": 2,
                },
            },
            (5, 7, 12, 4, 3, 2),
        ),
        ({**USAGE, "cached_tokens": 3}, (5, 7, 12, None, 3, None)),
        (
            {
                **USAGE,
                "prompt_tokens_details": {"cached_tokens": 0},
                "cached_tokens": 3,
            },
            (5, 7, 12, None, 0, None),
        ),
        ({"input_tokens": "5", "output_tokens": 7.0}, (0, 0, 0, None, None, None)),
    ],
)
def test_usage_details(raw: dict[str, Any], usage: tuple[int | None, ...]) -> None:
    parsed = finish_of(
        stream_events({**chunk({"content": "a"}, "stop"), "usage": raw})
    ).usage
    assert parsed is not None
    assert (
        parsed.input_tokens,
        parsed.output_tokens,
        parsed.total_tokens,
        parsed.reasoning_tokens,
        parsed.cached_tokens,
        parsed.cache_creation_tokens,
    ) == usage
    assert parsed.raw == raw


def test_of_usage_on_every_event_the_last_one_counts() -> None:
    early = {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6}
    events = stream_events(
        {**chunk({"content": "a"}), "usage": early}, chunk({"content": ""}, "stop")
    )
    assert finish_of(events).usage == Usage(5, 7, 12, raw=USAGE)


def test_a_last_event_without_usage_keeps_that_of_the_events_before() -> None:
    events = stream_events(
        chunk({"content": "a"}), {**chunk({"content": ""}, "stop"), "usage": None}
    )
    assert finish_of(events).usage == Usage(5, 7, 12, raw=USAGE)


# --- Errors -------------------------------------------------------------------------


def error_payload(code: str, message: str = "Oops.") -> dict[str, Any]:
    """Return the body of an error."""
    return {"code": code, "message": message, "request_id": REQUEST_ID}


ERRORS: Final = [
    ("InvalidParameter", 400, BadRequestError),
    ("DataInspectionFailed", 400, ContentFilterError),
    ("InvalidApiKey", 401, AuthenticationError),
    ("Throttling.RateQuota", 429, RateLimitError),
    ("InternalError.Algo", 500, InternalServerError),
]


@pytest.mark.parametrize(("code", "status", "cls"), ERRORS)
@pytest.mark.parametrize("is_stream", [True, False], ids=["event", "JSON body"])
def test_an_error_in_both_deliveries(
    code: str, status: int, cls: type[APIError], is_stream: bool
) -> None:
    payload = error_payload(code)
    if is_stream:
        events, error = parse(event(payload, kind="error", status=status))
        assert events == []
    else:
        with pytest.raises(APIError) as caught:
            body_events(payload, protocol="dashscope")
        error = caught.value
    assert type(error) is cls
    assert isinstance(error, APIError)
    assert error.status_code == status
    assert error.code == code
    assert error.request_id == REQUEST_ID
    assert error.body == payload


@pytest.mark.parametrize(
    ("kind", "in_comment", "status"),
    [
        ("error", 503, 503),
        # The status of the comment counts, whatever the kind of the event is.
        ("result", 503, 503),
        (None, 503, 503),
        # The code tells the status where the comment does not.
        ("error", None, 429),
        ("error", 200, 429),
        # An event without output is an error, whatever its head says.
        ("result", 200, 429),
        (None, None, 429),
    ],
)
def test_the_status_of_an_error_event(
    kind: str | None, in_comment: int | None, status: int
) -> None:
    payload = error_payload("Throttling")
    events, error = parse(event(payload, kind=kind, status=in_comment))
    assert events == []
    assert error is not None
    assert error.status_code == status


@pytest.mark.parametrize("space", ["", " "])
def test_the_head_of_an_error_event_may_have_spaces(space: str) -> None:
    data = json.dumps(error_payload("x"))
    lines = [f"event:{space}error", f":{space}HTTP_STATUS/429", f"data:{space}{data}"]
    events, error = parse("\n".join(lines).encode() + b"\n\n")
    assert events == []
    assert type(error) is RateLimitError


@pytest.mark.parametrize(
    ("kind", "status"), [("error", 500), ("error", 200), (" error", None)]
)
def test_an_error_event_with_output_is_an_error(kind: str, status: int | None) -> None:
    payload = chunk({"content": "never"}, "stop")
    events, error = parse(event(payload, kind=kind, status=status))
    assert events == []
    assert error is not None
    assert error.status_code == (500 if status == 500 else None)


def test_text_that_looks_like_an_error_head_is_text() -> None:
    text = "event:error\n:HTTP_STATUS/500\ndata: x"
    assert stream_events(chunk({"content": text}, "stop"))[0] == TextDelta(text)


def test_an_error_within_a_stream_comes_after_the_events_before_it() -> None:
    before = event(chunk({"content": "a"})) + event(chunk({"content": "b"}))
    failure = event(error_payload("DataInspectionFailed"), kind="error", status=400)
    for pieces in ([before, failure], [before + failure]):
        events, error = parse(*pieces)
        assert events == [TextDelta("a"), TextDelta("b")]
        assert type(error) is ContentFilterError


def test_a_key_in_an_error_event_is_hidden() -> None:
    payload = error_payload("InvalidApiKey", f"Incorrect key {KEY}")
    _, error = parse(event(payload, kind="error", status=401))
    assert error is not None
    assert KEY not in f"{error} {error.body}"


def test_an_event_that_is_not_json_is_an_error() -> None:
    events, error = parse(event(chunk({"content": "a"})), b"data:{oops}\n\n")
    assert events == [TextDelta("a")]
    assert type(error) is InvalidResponseError


@pytest.mark.parametrize(
    "output",
    [
        {"choices": [{"message": {"content": 5}, "finish_reason": "stop"}]},
        {"choices": [{"message": "text", "finish_reason": "stop"}]},
        {"choices": ["text"]},
        {"choices": 5},
        ["text"],
    ],
)
def test_an_output_with_an_unexpected_structure_is_an_error(output: object) -> None:
    _, error = parse(event({"output": output, "request_id": REQUEST_ID}))
    assert type(error) is InvalidResponseError
    assert error.request_id == REQUEST_ID


@pytest.mark.parametrize("payload", [{}, {"output": None}, {"output": {}}, [], None, 5])
def test_a_body_without_output_is_an_error(payload: object) -> None:
    with pytest.raises(APIError):
        body_events(payload, protocol="dashscope")


def test_what_is_beside_a_url_is_sent() -> None:
    beside = {"min_pixels": 3136, "zoom": 2}
    url = "https://example.com/a.png"
    part: Any = {"type": "image_url", "image_url": {"url": url, **beside}}
    request = make_request(MULTIMODAL_MODEL, [user([part])], protocol="dashscope")
    body: Any = request.json
    (message,) = body["input"]["messages"]
    assert message["content"] == [{"image": url, **beside}]
