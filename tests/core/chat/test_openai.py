"""Requests and responses of the OpenAI-compatible protocol."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import pytest

from modelstudio_core.chat import openai
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Finish, Usage
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.openai import parse_usage
from modelstudio_core.chat.parser import AnswerForm
from modelstudio_core.errors import APIError
from modelstudio_core.wire.refusals import ErrorContext
from tests.core.support import (
    COMMON,
    HI,
    IMAGE,
    USAGE,
    assistant,
    chunk,
    error_message,
    finish_of,
    join,
    make_request,
    named_choice,
    parse_stream,
    sse,
    stream_events,
    tool,
    tool_call,
    user,
)
from tests.support.recordings import Exchange, chat_exchanges

WEATHER: Final = tool("weather")

# --- Requests ---------------------------------------------------------------------


def body(model: str, messages: Sequence[Message] = HI, /, **more: Any) -> Any:
    """Build the body of a request, see ``make_request``."""
    return make_request(model, messages, **more).json


def test_body_of_a_request_without_options() -> None:
    assert body("qwen3.7-plus") == {
        "model": "qwen3.7-plus",
        "messages": HI,
        "enable_thinking": True,
        "stream": False,
    }


def test_body_for_an_unknown_model() -> None:
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


def test_body_with_every_option() -> None:
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
                "tool_choice": named_choice("weather"),
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


def test_body_has_the_replacement_of_a_delisted_model() -> None:
    assert body("deepseek-r1-0528") == body("qwen3.7-max")
    assert body("deepseek-v3.2") == body("qwen3.7-plus", enable_thinking=False)


def test_body_has_the_effort_in_the_terms_of_the_model() -> None:
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


def test_messages_of_the_body_are_prepared() -> None:
    message = assistant(tool_calls=[tool_call("")])
    [sent] = body("deepseek-v4-pro", [message])["messages"]
    assert sent["reasoning_content"] == ""
    assert sent["tool_calls"][0]["function"]["arguments"] == "{}"


def test_an_image_for_deepseek_is_refused() -> None:
    message = error_message(body, "deepseek-v4-pro", [user([IMAGE])])
    assert "Qwen-VL" in message


def test_a_body_does_not_share_the_users_extra_body() -> None:
    extra = {"tool_stream": True}
    built = body("qwen3.7-plus", extra_body=extra)
    built["other"] = 1
    assert extra == {"tool_stream": True}


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), b"x"])
def test_a_value_that_json_does_not_have_is_refused(value: Any) -> None:
    for name in ("extra_body", "search_options"):
        given = {name: {"a": value}, "enable_search": True}
        message = error_message(body, "qwen3.7-plus", **given)
        assert message.startswith(f"{name} holds a {type(value).__name__}")


def test_a_lone_surrogate_in_parameters_is_replaced() -> None:
    sent = body("qwen-plus", stop=["\ud83d"], extra_body={"a": ["\ud83d", "b"]})
    assert json.dumps(sent, ensure_ascii=False).encode()
    assert sent["a"][1] == "b"


# --- Responses --------------------------------------------------------------------


def test_finish_has_the_fields_of_the_response() -> None:
    logprobs: list[dict[str, Any]] = [{"token": "a"}, {"token": "b"}, {"token": "c"}]
    first, second = chunk({"content": "ab"}), chunk({"content": "c"}, "length")
    first["choices"][0]["logprobs"] = {"content": logprobs[:2]}
    second["choices"][0]["logprobs"] = {"content": logprobs[2:]}
    usage = {**COMMON, "choices": [], "usage": USAGE}
    assert finish_of(stream_events(first, second, usage)) == Finish(
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
    ("header", "first_id", "request_id"),
    [
        ("r-1", "chatcmpl-u-1", "r-1"),
        (None, "chatcmpl-u-1", "u-1"),
        (None, "chatcmpl-3bxGn_P2bqG9XCQY", "3bxGn_P2bqG9XCQY"),
        (None, "odd", "odd"),
        (None, None, None),
    ],
)
def test_request_id(
    header: str | None, first_id: str | None, request_id: str | None
) -> None:
    payload = chunk({"content": "a"}, "stop", id=first_id)
    events, error = parse_stream([sse(payload)], request_id=header)
    assert error is None
    finish = finish_of(events)
    assert finish.request_id == request_id
    assert finish.response_id == first_id


# --- Usage ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "last",
    [
        [{**COMMON, "choices": [], "usage": USAGE}],
        [{**COMMON, "choices": None, "usage": USAGE}],
        [{**COMMON, "usage": USAGE}],
        [{**COMMON, "choices": [], "usage": None}, {"usage": USAGE}],
    ],
)
def test_usage_in_a_chunk_without_choices(last: list[Any]) -> None:
    events = stream_events(chunk({"content": "a"}), chunk({}, "stop"), *last)
    assert finish_of(events).usage == Usage(5, 7, 12, raw=USAGE)


def test_of_usage_on_every_chunk_the_last_one_counts() -> None:
    early = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
    events = stream_events(
        chunk({"content": "a"}, usage=early), chunk({}, "stop", usage=USAGE)
    )
    assert finish_of(events).usage == Usage(5, 7, 12, raw=USAGE)


def test_stream_without_usage() -> None:
    assert finish_of(stream_events(chunk({"content": "a"}, "stop"))).usage is None


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({"prompt_tokens": 5, "completion_tokens": 7}, (5, 7, 12, None, None, None)),
        ({"prompt_tokens": 5}, (5, 0, 5, None, None, None)),
        ({"completion_tokens": 7}, (0, 7, 7, None, None, None)),
        ({"total_tokens": 12}, (0, 0, 12, None, None, None)),
        ({}, (0, 0, 0, None, None, None)),
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
def test_usage_details(raw: dict[str, Any], usage: tuple[int | None, ...]) -> None:
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


# The token counts that a usual answer has, and no others.
CACHED: Final = {"cached_tokens": 3}
REASONED: Final = {"reasoning_tokens": 4}
USUAL: Final = {
    **USAGE,
    "prompt_tokens_details": CACHED,
    "completion_tokens_details": REASONED,
}


@pytest.mark.parametrize(
    ("more", "changed"),
    [
        ({}, {}),
        ({"x_tools": {"search": {"count": 1}}}, {"tool_counts": {"search": 1}}),
        ({"plugins": {"search": {"count": 1}}}, {"tool_counts": {"search": 1}}),
        ({"cache_creation_input_tokens": 2}, {"cache_creation_tokens": 2}),
        ({"total_tokens": 0}, {}),
        ({"total_tokens": 13}, {"total_tokens": 13}),
        ({"total_tokens": "13"}, {}),
        ({"prompt_tokens": "5"}, {"input_tokens": 0}),
        ({"prompt_tokens": 5.5}, {"input_tokens": 0}),
        ({"completion_tokens": None}, {"output_tokens": 0}),
        (
            {"prompt_tokens": 5.0, "completion_tokens": 7.0, "total_tokens": 12.0},
            {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0},
        ),
        (
            {"prompt_tokens_details": {**CACHED, "text_tokens": 5}},
            {"input_details": {"text": 5}},
        ),
        (
            {"completion_tokens_details": {**REASONED, "text_tokens": 5}},
            {"output_details": {"text": 5}},
        ),
        (
            {
                "prompt_tokens_details": {**CACHED, "text_tokens": 5},
                "completion_tokens_details": {**REASONED, "audio_tokens": 6},
            },
            {"input_details": {"text": 5}, "output_details": {"audio": 6}},
        ),
        ({"prompt_tokens_details": {"cached_tokens": None}}, {"cached_tokens": None}),
        ({"prompt_tokens_details": {"cached_tokens": "3"}}, {"cached_tokens": None}),
        (
            {"completion_tokens_details": {"reasoning_tokens": None}},
            {"reasoning_tokens": None},
        ),
        (
            {"completion_tokens_details": {"reasoning_tokens": 1.5}},
            {"reasoning_tokens": None},
        ),
        (
            {
                "prompt_tokens_details": {"cached_tokens": 1.5},
                "completion_tokens_details": {"reasoning_tokens": 1.5},
            },
            {"cached_tokens": None, "reasoning_tokens": None},
        ),
    ],
)
def test_usage_that_differs_from_the_usual_counts(
    more: dict[str, Any], changed: dict[str, Any]
) -> None:
    raw = USUAL | more
    expected = Usage(5, 7, 12, reasoning_tokens=4, cached_tokens=3, raw=raw)
    assert parse_usage(raw) == replace(expected, **changed)


PLAIN: dict[str, Any] = {
    "choices": [
        {
            "finish_reason": "stop",
            "index": 0,
            "message": {
                "content": "Hi",
                "reasoning_content": "Hm.",
                "role": "assistant",
            },
        }
    ],
    "created": 1,
    "id": "chatcmpl-1",
    "model": "qwen-plus",
    "object": "chat.completion",
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}


def changed_usages() -> Iterator[dict[str, Any]]:
    """Yield token counts of which some are usual and others are not."""
    usage = PLAIN["usage"] | {
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    yield usage
    yield usage | {"x_tools": {"search": {"count": 1}}}
    for name in usage:
        yield {k: v for k, v in usage.items() if k != name}
    for name in PLAIN["usage"]:
        for odd in (0, True, None, "7", 1.5):
            yield usage | {name: odd}
    for name, count in (
        ("prompt_tokens_details", "cached_tokens"),
        ("completion_tokens_details", "reasoning_tokens"),
    ):
        odd_details: tuple[Any, ...] = (
            *({count: odd} for odd in (7, True, None, "7")),
            {count: 7, "text_tokens": 1},
            {"text_tokens": 1},
            {},
            None,
            [],
        )
        for details in odd_details:
            yield usage | {name: details}


def changed_bodies() -> Iterator[dict[str, Any]]:
    """Yield bodies of which some are plain and others are not."""
    yield PLAIN
    for name in PLAIN:
        yield {key: value for key, value in PLAIN.items() if key != name}
        for odd in (None, "", 0, 5, True, "other", [], ["a"], {}, {"a": 1}):
            yield PLAIN | {name: odd}
    yield PLAIN | {"id": "chatcmpl-sk-0123456789abcdef"}
    yield PLAIN | {"model": "sk-0123456789abcdef"}
    yield PLAIN | {"request_id": "r-2"}
    yield PLAIN | {"usage": PLAIN["usage"] | {"plugins": {"search": {"count": 1}}}}
    yield PLAIN | {"model": ["qwen-plus"]}
    yield PLAIN | {"model": "", "object": None, "created": True}
    yield PLAIN | {"object": "sk-0123456789abcdef"}
    for usage in changed_usages():
        yield PLAIN | {"usage": usage}
    yield PLAIN | {"usage": {"prompt_tokens_details": {"image_tokens": 3}}}
    yield PLAIN | {"usage": {"completion_tokens_details": {"reasoning_tokens": 1}}}
    (choice,) = PLAIN["choices"]
    for change in (
        {"finish_reason": "length"},
        {"finish_reason": None},
        {"finish_reason": ""},
        {"finish_reason": "null"},
        {"finish_reason": 5},
        {"finish_reason": "sk-0123456789abcdef"},
        {"logprobs": {"content": [{"token": "Hi"}]}},
        {"logprobs": None},
        {"index": 1},
        {"index": -1},
        {"index": None},
        {"index": "0"},
        {"other": 1},
        {"message": None},
    ):
        yield PLAIN | {"choices": [choice | change]}
    for name in choice:
        yield PLAIN | {"choices": [{k: v for k, v in choice.items() if k != name}]}
    yield PLAIN | {"choices": [choice, choice | {"index": 1}]}
    for message in (
        {"content": ""},
        {"content": "Hi", "reasoning_content": None},
        {"content": "Hi", "reasoning_content": 5},
        {"content": "Hi", "reasoning_content": ["Hm."]},
        {"content": "Hi", "reasoning_content": ""},
        {"content": "Hi", "reasoning": "Hm."},
        {"content": 5},
        {"role": "assistant"},
        {"content": [{"text": "Hi"}]},
        {"content": "Hi", "audio": {"data": "AAAA"}},
        {"content": None, "tool_calls": [{"id": "c", "function": {"name": "f"}}]},
    ):
        yield PLAIN | {"choices": [choice | {"message": message}]}


def outcome(read: Callable[[], Completion]) -> dict[str, Any]:
    """Return what an answer holds, or the error that reading it raises."""
    try:
        answer = read()
    except APIError as error:
        return {"error": type(error), "message": error.message, "body": error.body}
    names = ("text", "reasoning", "tool_calls", "parts", "finish", "citations")
    return {name: getattr(answer, name) for name in (*names, "speech")}


@pytest.mark.parametrize("request_id", ["r-1", None])
@pytest.mark.parametrize("number", range(len([*changed_bodies()])))
def test_an_answer_from_parsed_json_is_that_of_the_parser(
    number: int, request_id: str | None
) -> None:
    """Also where it is read in the short way."""
    sent = [*changed_bodies()][number]
    secrets = ("sk-0123456789abcdef",)
    context = ErrorContext("cn-beijing", "openai", "example.com", secrets)

    def parse() -> Completion:
        parser = openai.Parser(context, request_id=request_id)
        events = [*parser.feed_body(json.dumps(sent).encode()), *parser.close()]
        return join(event for event in events if event.choice == events[0].choice)

    expected = outcome(parse)
    answer = outcome(lambda: openai.parse_answer(sent, context, request_id=request_id))
    assert answer == expected
    assert "sk-0123456789abcdef" not in str(answer)


def test_a_call_that_is_written_as_text_is_found_where_there_are_tools() -> None:
    (choice,) = PLAIN["choices"]
    message = {"content": "<tool_call>", "reasoning_content": None}
    sent = PLAIN | {"choices": [choice | {"message": message}]}
    for form, problems in (
        (AnswerForm(tools=True), ("tool_call_in_content",)),
        (AnswerForm(), ()),
    ):
        context = ErrorContext("cn-beijing", "openai", "example.com")
        answer = openai.parse_answer(sent, context, form=form)
        assert answer.text == "<tool_call>"
        assert answer.finish
        assert answer.finish.problems == problems


@pytest.mark.parametrize("exchange", chat_exchanges())
def test_a_recorded_answer_from_parsed_json_is_that_of_the_parser(
    exchange: Exchange,
) -> None:
    if exchange.streamed or exchange.status != 200:
        pytest.skip("no whole answer")
    context = ErrorContext("cn-beijing", "openai", "example.com")
    parser = openai.Parser(context)
    expected = Completion()
    for event in [*parser.feed_body(exchange.body.encode()), *parser.close()]:
        expected.add(event)
    answer = openai.parse_answer(json.loads(exchange.body), context)
    assert answer.text == expected.text
    assert answer.reasoning == expected.reasoning
    assert answer.finish == expected.finish
