"""``ChatModelStudio``: its answers, its requests and its errors."""

import ast
import asyncio
import copy
import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.load import dumpd, dumps
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import ConfigurableField
from pydantic import SecretStr

from langchain_modelstudio import ChatModelStudio
from modelstudio_core import errors
from tests.langchain.support import KEY, add, model, v3_is_beta, without_index
from tests.support.answers import (
    CALLS,
    CREATED,
    EMPTY_GENERATION,
    ID,
    JSON,
    NULL_GENERATION,
    REASONING,
    REQUEST_ID,
    RESPONSE,
    STREAM,
    TEXT,
    response_body,
    stream_body,
)
from tests.support.answers import USAGE as TOKEN_USAGE
from tests.support.internals import http_library
from tests.support.replay import replaying

USAGE = {
    "input_tokens": 12,
    "output_tokens": 30,
    "total_tokens": 42,
    "input_token_details": {"cache_read": 4},
    "output_token_details": {"reasoning": 20},
}


# --- Answers ----------------------------------------------------------------------


def test_an_answer_has_reasoning_usage_and_ids() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        message = model(replay).invoke("Hi")
    assert message.content == TEXT
    assert message.additional_kwargs == {"reasoning_content": REASONING}
    assert message.usage_metadata == USAGE
    assert message.response_metadata == {
        "model_provider": "modelstudio",
        "model_name": "qwen3.7-plus",
        "finish_reason": "stop",
        "request_id": REQUEST_ID,
        "id": ID,
        "created": CREATED,
        "token_usage": TOKEN_USAGE,
    }
    assert message.content_blocks == [
        {"type": "reasoning", "reasoning": REASONING},
        {"type": "text", "text": TEXT},
    ]


@pytest.mark.parametrize("body", [NULL_GENERATION, EMPTY_GENERATION])
def test_both_stream_dialects_give_the_same_chunks(body: bytes) -> None:
    with replaying(200, STREAM, body) as replay:
        chunks = list(model(replay).stream("Hi"))
    assert [chunk.content for chunk in chunks if chunk.content] == ["Hello", " wörld"]
    reasoning = [chunk.additional_kwargs.get("reasoning_content") for chunk in chunks]
    assert [text for text in reasoning if text] == ["Let me ", "think. 思"]
    message = add(chunks)
    assert message.content == TEXT
    assert message.additional_kwargs == {"reasoning_content": REASONING}
    assert message.usage_metadata == USAGE
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["request_id"] == REQUEST_ID
    assert message.response_metadata["created"] == CREATED
    assert sum(chunk.usage_metadata is not None for chunk in chunks) == 1


async def test_async_answers_are_the_same() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        message = await model(replay).ainvoke("Hi")
    assert message.additional_kwargs == {"reasoning_content": REASONING}
    assert message.usage_metadata == USAGE
    with replaying(200, STREAM, NULL_GENERATION) as replay:
        streamed = add([chunk async for chunk in model(replay).astream("Hi")])
    assert streamed.content == TEXT
    assert streamed.additional_kwargs == {"reasoning_content": REASONING}
    assert streamed.usage_metadata == USAGE


def test_a_model_works_in_several_event_loops() -> None:
    with replaying(200, JSON, RESPONSE, times=3) as replay:
        llm = model(replay)
        answers = [asyncio.run(llm.ainvoke("Hi")).content for _ in range(3)]
    assert answers == [TEXT] * 3


def test_batch_sends_one_request_per_input() -> None:
    with replaying(200, JSON, RESPONSE, times=3) as replay:
        answers = model(replay).batch(["a", "b", "c"])
    assert [answer.content for answer in answers] == [TEXT] * 3
    sent = sorted(request["messages"][0]["content"] for request in replay.requests)
    assert sent == ["a", "b", "c"]


def test_an_answer_without_reasoning_has_no_key_for_it() -> None:
    body = response_body(
        {"role": "assistant", "content": "Hi", "reasoning_content": ""}
    )
    with replaying(200, JSON, body) as replay:
        message = model(replay).invoke("Hi")
    assert message.additional_kwargs == {}
    assert message.content_blocks == [{"type": "text", "text": "Hi"}]


def test_several_answers_share_one_usage() -> None:
    answer = json.loads(RESPONSE)
    answer["choices"].append({**answer["choices"][0], "index": 1})
    with replaying(200, JSON, json.dumps(answer).encode()) as replay:
        result = model(replay, model="qwen-plus", n=2).generate([[HumanMessage("Hi")]])
    first, second = result.generations[0]
    assert first.text == second.text == TEXT
    assert first.message.usage_metadata == USAGE  # type: ignore[union-attr]
    assert second.message.usage_metadata is None  # type: ignore[union-attr]


def test_an_answer_without_finish_reason_is_returned_with_a_warning() -> None:
    body = response_body({"role": "assistant", "content": "Hi"}, finish_reason=None)
    with (
        replaying(200, JSON, body) as replay,
        pytest.warns(RuntimeWarning, match="without a finish reason"),
    ):
        message = model(replay).invoke("Hi")
    assert message.content == "Hi"
    assert message.response_metadata["finish_reason"] is None


# --- Content blocks ---------------------------------------------------------------

CALL_BLOCKS = [
    {"type": "tool_call", "name": "weather", "args": {"city": "Oslo"}, "id": "call_a"},
    {"type": "tool_call", "name": "clock", "args": {}, "id": "call_b"},
]


@pytest.mark.parametrize("output_version", [None, "v0", "v1"])
def test_streamed_blocks_are_reasoning_text_and_calls(
    output_version: str | None,
) -> None:
    with replaying(200, STREAM, CALLS) as replay:
        message = add(model(replay, output_version=output_version).stream("Hi"))
    assert without_index(message.content_blocks) == [
        {"type": "reasoning", "reasoning": "Two tools."},
        {"type": "text", "text": "Looking."},
        *CALL_BLOCKS,
    ]
    assert [call["id"] for call in message.tool_calls] == ["call_a", "call_b"]
    assert message.invalid_tool_calls == []
    if output_version == "v1":
        assert without_index(message.content) == without_index(message.content_blocks)


@v3_is_beta
def test_v3_events_have_reasoning_and_call_ids() -> None:
    with replaying(200, STREAM, CALLS) as replay:
        stream = model(replay).stream_events("Hi", version="v3")
        assert list(stream.reasoning) == ["Two tools."]
        assert list(stream.text) == ["Looking."]
        message = stream.output
    assert without_index(message.content_blocks) == [
        {"type": "reasoning", "reasoning": "Two tools."},
        {"type": "text", "text": "Looking."},
        *CALL_BLOCKS,
    ]
    assert [call["id"] for call in message.tool_calls] == ["call_a", "call_b"]
    assert message.usage_metadata == USAGE


@v3_is_beta
async def test_async_v3_events_are_the_same() -> None:
    with replaying(200, STREAM, NULL_GENERATION) as replay:
        stream = await model(replay).astream_events("Hi", version="v3")
        message = await stream.output
    assert without_index(message.content_blocks) == [
        {"type": "reasoning", "reasoning": REASONING},
        {"type": "text", "text": TEXT},
    ]


def test_v1_content_is_the_content_blocks() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        message = model(replay, output_version="v1").invoke("Hi")
    assert message.content == [
        {"type": "reasoning", "reasoning": REASONING},
        {"type": "text", "text": TEXT},
    ]


def test_reasoning_and_text_in_one_chunk_stay_two_blocks() -> None:
    body = stream_body([{"content": "Hello", "reasoning_content": "Hm."}])
    with replaying(200, STREAM, body) as replay:
        message = add(model(replay, output_version="v1").stream("Hi"))
    assert without_index(message.content) == [
        {"type": "reasoning", "reasoning": "Hm."},
        {"type": "text", "text": "Hello"},
    ]


def test_arguments_that_are_not_json_are_an_invalid_call() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{a"}}
    body = response_body({"role": "assistant", "content": "", "tool_calls": [call]})
    with replaying(200, JSON, body) as replay:
        message = model(replay).invoke("Hi")
    assert message.tool_calls == []
    (invalid,) = message.invalid_tool_calls
    assert (invalid["id"], invalid["name"], invalid["args"]) == ("c", "f", "{a")


# --- Requests ---------------------------------------------------------------------


def sent(*messages: Any, call: dict[str, Any] | None = None, **arguments: Any) -> Any:
    with replaying(200, JSON, RESPONSE) as replay:
        model(replay, **arguments).invoke(list(messages) or "Hi", **call or {})
        (body,) = replay.requests
    return body


def test_the_default_thinking_of_a_known_model_is_sent() -> None:
    assert sent(model="deepseek-v4-pro")["enable_thinking"] is True
    assert sent(model="qwen-plus")["enable_thinking"] is False
    assert "enable_thinking" not in sent(model="a-model-of-tomorrow")
    assert "enable_thinking" not in sent(model="qwen-max")


def test_call_arguments_override_the_constructor() -> None:
    constructor = {"temperature": 0.1, "max_tokens": 5, "enable_thinking": True}
    call = {"temperature": 0.9, "enable_thinking": False, "stop": ["x"], "top_k": 3}
    body = sent(call=call, **constructor)
    assert body == {
        "model": "qwen3.7-plus",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.9,
        "max_tokens": 5,
        "enable_thinking": False,
        "stop": ["x"],
        "top_k": 3,
        "stream": False,
    }


def test_a_call_can_name_another_model() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        message = model(replay).invoke("Hi", model="qwen-plus")
    assert replay.requests[0]["model"] == "qwen-plus"
    assert replay.requests[0]["enable_thinking"] is False
    assert message.response_metadata["model_name"] == "qwen-plus"


def test_usage_is_requested_unless_switched_off() -> None:
    with replaying(200, STREAM, NULL_GENERATION, times=3) as replay:
        list(model(replay).stream("Hi"))
        list(model(replay, stream_usage=False).stream("Hi"))
        list(model(replay).stream("Hi", stream_usage=False))
    options = [request.get("stream_options") for request in replay.requests]
    assert options == [{"include_usage": True}, None, None]


def test_invoke_streams_for_a_model_that_must_stream_its_thinking() -> None:
    with replaying(200, STREAM, NULL_GENERATION) as replay:
        message = model(replay, model="qwen3-32b").invoke("Hi")
    assert replay.requests[0]["stream"] is True
    assert message.content == TEXT
    assert message.usage_metadata == USAGE


HISTORY_CALL = {"name": "f", "args": {"a": "ö"}, "id": "c1"}


@pytest.mark.parametrize(
    "message",
    [
        AIMessage(
            "",
            additional_kwargs={"reasoning_content": "Hm."},
            tool_calls=[HISTORY_CALL],
        ),
        AIMessage(
            [
                {"type": "reasoning", "reasoning": "H"},
                {"type": "reasoning", "reasoning": "m."},
                {"type": "tool_call", **HISTORY_CALL},
            ],
            tool_calls=[HISTORY_CALL],
            response_metadata={"output_version": "v1"},
        ),
        AIMessage(
            [
                {"type": "thinking", "thinking": "Hm.", "signature": "x"},
                {"type": "tool_use", "name": "f", "input": {"a": "ö"}, "id": "c1"},
            ],
            tool_calls=[HISTORY_CALL],
        ),
    ],
)
def test_reasoning_of_a_message_with_tool_calls_is_sent_back(
    message: AIMessage,
) -> None:
    body = sent(HumanMessage("Hi"), message, ToolMessage("42", tool_call_id="c1"))
    assert body["messages"][1:] == [
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "Hm.",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "f", "arguments": '{"a": "ö"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    ]


def test_reasoning_of_other_messages_is_sent_back_only_with_preserve_thinking() -> None:
    answer = AIMessage("Yes", additional_kwargs={"reasoning_content": "Hm."})
    history = (HumanMessage("Hi"), answer, HumanMessage("Sure?"))
    assert sent(*history)["messages"][1] == {"role": "assistant", "content": "Yes"}
    body = sent(*history, preserve_thinking=True)
    assert body["messages"][1]["reasoning_content"] == "Hm."
    assert body["preserve_thinking"] is True


def test_media_and_cache_markers_are_converted() -> None:
    body = sent(
        SystemMessage(
            [{"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}]
        ),
        HumanMessage(
            [
                "See",
                {"type": "image", "url": "https://x.example/a.png"},
                {"type": "image", "base64": "QUJD", "mime_type": "image/jpeg"},
                {"type": "image_url", "image_url": {"url": "https://x.example/b.png"}},
                {"type": "video", "url": "https://x.example/c.mp4"},
            ],
            name="ann",
        ),
        AIMessage("Seen"),
        HumanMessage([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
    )
    assert body["messages"] == [
        {
            "role": "system",
            "content": [
                {"type": "text", "text": "S", "cache_control": {"type": "ephemeral"}}
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "See"},
                {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/jpeg;base64,QUJD"},
                },
                {"type": "image_url", "image_url": {"url": "https://x.example/b.png"}},
                {"type": "video_url", "video_url": {"url": "https://x.example/c.mp4"}},
            ],
            "name": "ann",
        },
        {"role": "assistant", "content": "Seen"},
        {"role": "user", "content": "a\nb"},
    ]


# --- Deprecated models ------------------------------------------------------------


def test_a_delisted_model_is_replaced_with_one_warning() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        with pytest.warns(errors.ModelDeprecationWarning) as caught:
            llm = ChatModelStudio(
                model="deepseek-r1", api_key=KEY, base_url=replay.base_url
            )
        message = llm.invoke("Hi")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert "qwen3.7-max" in str(caught[0].message)
    assert (llm.model, llm.resolved_model) == ("deepseek-r1", "qwen3.7-max")
    assert replay.requests[0]["model"] == "qwen3.7-max"
    assert replay.requests[0]["enable_thinking"] is True
    assert message.response_metadata["model_name"] == "qwen3.7-max"
    assert message.response_metadata["requested_model"] == "deepseek-r1"
    assert llm.profile is not None
    assert llm.profile.get("name") == "qwen3.7-max"
    assert llm._get_ls_params().get("ls_model_name") == "qwen3.7-max"


def test_a_copy_a_pickle_and_a_load_do_not_warn_again() -> None:
    with pytest.warns(errors.ModelDeprecationWarning):
        llm = model(model="deepseek-v3.2", region="virginia", mode="us")
    restored = pickle.loads(pickle.dumps(llm))  # noqa: S301 - our own
    dumped: dict[str, Any] = {**dumpd(llm)["kwargs"], "api_key": KEY}
    loaded = ChatModelStudio(**dumped)
    for other in (copy.copy(llm), copy.deepcopy(llm), restored, loaded):
        assert other.model == "deepseek-v3.2"
        assert other.resolved_model == "qwen3.7-plus-us"
        assert other.endpoint == llm.endpoint
        assert other.resolved == llm.resolved


def test_a_delisted_model_of_a_call_is_replaced_too() -> None:
    with (
        replaying(200, JSON, RESPONSE) as replay,
        pytest.warns(errors.ModelDeprecationWarning) as caught,
    ):
        message = model(replay).invoke("Hi", model="deepseek-v3")
    assert caught[0].filename == __file__
    assert replay.requests[0]["model"] == "qwen3.7-plus"
    assert replay.requests[0]["enable_thinking"] is False
    assert message.response_metadata["requested_model"] == "deepseek-v3"


def test_a_call_can_set_the_policy_for_deprecated_models() -> None:
    with replaying(200, JSON, RESPONSE, times=2) as replay:
        llm = model(replay)
        with pytest.warns(errors.ModelDeprecationWarning, match="keep"):
            llm.invoke("Hi", model="deepseek-r1", deprecated_models="keep")
        other = {"deepseek-r1": "qwen3.8-max"}
        with pytest.warns(errors.ModelDeprecationWarning):
            llm.invoke("Hi", model="deepseek-r1", replacements=other)
        with pytest.raises(errors.ConfigurationError, match="was delisted"):
            llm.invoke("Hi", model="deepseek-r1", deprecated_models="error")
    assert [request["model"] for request in replay.requests] == [
        "deepseek-r1",
        "qwen3.8-max",
    ]


async def test_the_warning_of_an_async_call_does_not_name_a_library_file() -> None:
    with (
        replaying(200, JSON, RESPONSE) as replay,
        pytest.warns(errors.ModelDeprecationWarning) as caught,
    ):
        await model(replay).ainvoke("Hi", model="deepseek-v3")
    inner = {"asyncio", "langchain_core", "modelstudio_core", "langchain_modelstudio"}
    assert inner.isdisjoint(Path(caught[0].filename).parts)


# --- Invalid arguments ------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"temprature": 1}, "Did you mean 'temperature'"),
        ({"regoin": "us"}, "Did you mean 'region'"),
        ({"region": "frankfrt"}, r"eu-central-1 \(frankfurt\)"),
        ({"mode": "globl"}, "global"),
        ({"protocol": "opnai"}, "'openai' .* or 'dashscope'"),
        ({"timeout": float("inf")}, "at most a week"),
        ({"api_base": "http://127.0.0.1:1"}, "Did you mean 'base_url'"),
        ({"stop": b"ab"}, "stop must be a string"),
        ({"replacements": {5: "x"}}, "not a deprecated model"),
        ({"workspace": "a/b"}, "is not a workspace id"),
        ({"region": "frankfurt"}, "DASHSCOPE_WORKSPACE_ID"),
        ({"temperature": 2}, r"in \[0, 2\)"),
        ({"temperature": "hot"}, r"in \[0, 2\)"),
        ({"timeout": -1}, "seconds above 0"),
        ({"max_retries": 1.5}, "an integer >= 0"),
        ({"model": ""}, "model's id"),
        ({"model_name": "qwen-plus"}, "the same argument"),
        ({"http_client": object()}, "httpx.Client"),
        ({"default_headers": {"a\nb": "c"}}, "invalid header name"),
        ({"default_headers": {"a": "c\r\nd: e"}}, "printable"),
        ({"cache": "not a cache"}, "cache"),
        ({"api_key": f"{KEY}\n"}, "printable ASCII"),
        ({"deprecated_models": "kep"}, "Did you mean 'keep'"),
    ],
)
def test_an_invalid_argument_is_a_configuration_error_without_the_key(
    arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(errors.ConfigurationError, match=words) as caught:
        model(**arguments)
    error = caught.value
    assert type(error) is errors.ConfigurationError
    assert isinstance(error, ValueError)
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    shown = f"{error!r} {error} {vars(error)}"
    assert KEY not in shown


def test_a_missing_model_is_an_error() -> None:
    with pytest.raises(errors.ConfigurationError, match="model is missing"):
        ChatModelStudio(api_key=KEY)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_a_missing_key_is_an_error_that_names_the_variable() -> None:
    with pytest.raises(errors.ConfigurationError, match="DASHSCOPE_API_KEY"):
        ChatModelStudio(model="qwen-plus")


def test_an_unknown_call_argument_is_an_error_before_the_request() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        with pytest.raises(
            ModelInvalidRequestError, match="'thinking_budget'"
        ) as caught:
            model(replay).invoke("Hi", thinking_budgt=5)
        assert replay.requests == []
    assert isinstance(caught.value, errors.ConfigurationError)


def test_a_connection_argument_of_a_call_is_an_error() -> None:
    with pytest.raises(errors.ConfigurationError, match="of the constructor"):
        model().invoke("Hi", timeout=5)


def test_a_call_with_an_invalid_stop_is_refused() -> None:
    wrong: Any = 3
    with pytest.raises(errors.ConfigurationError, match="stop must be a string or a"):
        model().invoke("Hi", stop=wrong)


def test_an_empty_stop_of_a_call_removes_the_constructors() -> None:
    assert "stop" not in sent(call={"stop": []}, stop=["x"])


def test_arguments_are_copied_at_construction() -> None:
    stops = ["x"]
    with replaying(200, JSON, RESPONSE) as replay:
        llm = model(replay, stop=stops)
        stops.append("y")
        llm.invoke("Hi")
    assert replay.requests[0]["stop"] == ["x"]


def test_a_lone_surrogate_is_replaced() -> None:
    body = sent(HumanMessage("a\ud83d b"), HumanMessage("\ud83d\ude00"))
    assert body["messages"][0]["content"] == "a\ufffd b"
    assert body["messages"][1]["content"] == "\U0001f600"


def test_a_block_without_its_content_is_an_error() -> None:
    with pytest.raises(errors.ConfigurationError, match="missing key 'image_url'"):
        model().invoke([HumanMessage([{"type": "image_url"}])])


def test_streaming_several_answers_is_an_error() -> None:
    with pytest.raises(errors.ConfigurationError, match="n=2 cannot be streamed"):
        list(model(model="qwen-plus", n=2).stream("Hi"))


def test_an_image_for_a_text_model_is_an_error_that_names_a_vision_model() -> None:
    image = HumanMessage([{"type": "image", "url": "https://x.example/a.png"}])
    with pytest.raises(errors.ConfigurationError, match="qwen3-vl-plus"):
        model(model="deepseek-v4-pro").invoke([image])


def test_custom_http_clients_are_shared_by_copies_and_not_pickled() -> None:
    with http_library().Client() as client:
        llm = model(http_client=client)
        assert copy.deepcopy(llm).http_client is client
        with pytest.raises(errors.ConfigurationError, match="cannot be pickled"):
            pickle.dumps(llm)


async def test_concurrent_calls_log_nothing_when_their_loop_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with replaying(200, JSON, RESPONSE, times=5) as replay:
        llm = model(replay)
        answers = await asyncio.to_thread(
            lambda: asyncio.run(llm.abatch(["a", "b", "c", "d", "e"]))
        )
    assert [answer.content for answer in answers] == [TEXT] * 5
    assert caplog.records == []


# --- Secrets ----------------------------------------------------------------------


def test_the_key_is_not_shown() -> None:
    llm = model()
    shown = [
        repr(llm),
        str(llm),
        str(llm.model_dump()),
        llm.model_dump_json(),
        dumps(llm),
        str(llm.asdict()),
        str(llm._identifying_params),
        repr(llm.resolved),
        str(vars(llm)),
    ]
    assert not any(KEY in text for text in shown)
    assert llm.api_key == SecretStr(KEY)


def test_openai_variables_do_not_change_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    variables = {
        "OPENAI_API_KEY": "sk-openai-secret",
        "OPENAI_ADMIN_KEY": "sk-admin-secret",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "OPENAI_API_BASE": "http://127.0.0.1:9/v1",
        "OPENAI_ORG_ID": "org-secret",
        "OPENAI_ORGANIZATION": "org-secret",
        "OPENAI_PROJECT_ID": "project-secret",
        "OPENAI_CUSTOM_HEADERS": "X-Custom: secret\nAuthorization: Bearer secret",
        "OPENAI_WEBHOOK_SECRET": "secret",
    }
    with replaying(200, JSON, RESPONSE, times=2) as replay:
        model(replay, timeout=61).invoke("Hi")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        # Another timeout is another client, which reads the environment anew.
        model(replay, timeout=62).invoke("Hi")
    before, after = replay.headers
    before.pop("x-stainless-read-timeout")
    after.pop("x-stainless-read-timeout")
    assert before == after
    assert after["authorization"] == f"Bearer {KEY}"
    assert replay.requests[0] == replay.requests[1]


# --- Integration with LangChain ---------------------------------------------------


def test_a_chain_streams_the_answer_only() -> None:
    prompt = ChatPromptTemplate.from_messages(
        [("system", "Be brief."), ("user", "{q}")]
    )
    with replaying(200, STREAM, NULL_GENERATION) as replay:
        chain = prompt | model(replay) | StrOutputParser()
        pieces = [chunk for chunk in chain.stream({"q": "Hi"}) if chunk]
    assert pieces == ["Hello", " wörld"]
    assert replay.requests[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]


def test_the_usage_callback_counts_reasoning() -> None:
    handler = UsageMetadataCallbackHandler()
    with replaying(200, JSON, RESPONSE) as replay:
        model(replay).invoke("Hi", config={"callbacks": [handler]})
    assert handler.usage_metadata == {"qwen3.7-plus": USAGE}


def test_configurable_fields_change_the_model() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        llm = model(replay, model="deepseek-v4-pro").configurable_fields(
            model=ConfigurableField(id="model")
        )
        llm.invoke("Hi", config={"configurable": {"model": "qwen-plus"}})
    assert replay.requests[0]["model"] == "qwen-plus"
    assert replay.requests[0]["enable_thinking"] is False


def test_an_assigned_argument_is_checked_and_used() -> None:
    llm = model()
    llm.temperature = 0.5
    assert llm.resolved.options.temperature == 0.5
    with pytest.raises(errors.ConfigurationError, match="temperature"):
        llm.temperature = 7
    assert llm.temperature == 0.5
    llm.model = "qwen-plus"
    assert llm.resolved_model == "qwen-plus"
    copied = llm.model_copy(update={"model": "deepseek-v4-pro", "temperature": 1.0})
    assert copied.resolved_model == "deepseek-v4-pro"
    assert copied.resolved.options.temperature == 1.0
    assert llm.resolved.options.temperature == 0.5


def test_the_mode_is_fixed_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    llm = model(model="deepseek-v4-pro-us", region="virginia")
    assert llm.endpoint.mode == "us"
    with pytest.raises(errors.ConfigurationError, match="leave the United States"):
        llm.model = "deepseek-v4-pro"
    with pytest.raises(errors.ConfigurationError, match="leave the United States"):
        llm.model_copy(update={"model": "qwen3.7-plus"})
    with pytest.raises(errors.ConfigurationError, match="leave the United States"):
        llm.invoke("Hi", model="qwen3.7-plus")
    assert (llm.model, llm.endpoint.mode) == ("deepseek-v4-pro-us", "us")
    moved = model()
    monkeypatch.setenv("DASHSCOPE_REGION", "beijing")
    moved.temperature = 0.5
    assert moved.endpoint.region == "ap-southeast-1"
    moved.region = "virginia"
    assert moved.endpoint.mode == "global"


def test_cache_keys_differ_by_model_region_and_thinking() -> None:
    different = [
        model(),
        model(model="qwen3.7-max"),
        model(region="beijing"),
        model(enable_thinking=False),
        model(base_url="http://127.0.0.1:1"),
    ]
    keys = [llm._get_llm_string() for llm in different]
    assert len(set(keys)) == len(keys)
    identities = [str(llm._identifying_params) for llm in different]
    assert len(set(identities)) == len(identities)


def test_accounts_that_share_a_cache_do_not_get_each_others_answers() -> None:
    cache = InMemoryCache()
    with replaying(200, JSON, RESPONSE, times=4) as replay:
        accounts = [
            model(replay, cache=cache),
            model(replay, cache=cache, api_key="sk-another-0123456789"),
            model(replay, cache=cache, default_headers={"X-Tenant": "a"}),
            model(replay, cache=cache, default_headers={"X-Tenant": "b"}),
        ]
        for llm in accounts:
            llm.invoke("Hi")
            llm.invoke("Hi")
    assert len(replay.requests) == len(accounts)
    for llm in accounts:
        text = llm._get_llm_string()
        assert KEY not in text
        assert "another" not in text
        assert "Tenant" not in text


async def test_an_account_has_one_cache_for_all_ways_to_call() -> None:
    cache = InMemoryCache()
    with replaying(200, JSON, RESPONSE) as replay:
        model(replay, cache=cache).invoke("Hi")
        await model(replay, cache=cache).ainvoke("Hi")
    assert len(replay.requests) == 1


def test_a_cached_answer_sends_no_request() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        llm = model(replay, cache=InMemoryCache())
        first, second = llm.invoke("Hi"), llm.invoke("Hi")
    assert first.content == second.content == TEXT
    assert second.additional_kwargs == {"reasoning_content": REASONING}
    assert len(replay.requests) == 1


def test_langsmith_params_include_call_arguments() -> None:
    llm = model(temperature=0.2, max_tokens=9, stop="x")
    assert llm._get_ls_params() == {
        "ls_provider": "modelstudio",
        "ls_model_name": "qwen3.7-plus",
        "ls_model_type": "chat",
        "ls_temperature": 0.2,
        "ls_max_tokens": 9,
        "ls_stop": ["x"],
    }
    params = llm._get_ls_params(model="qwen-plus", temperature=1, stop=["y"])
    assert params.get("ls_model_name") == "qwen-plus"
    assert params.get("ls_temperature") == 1.0
    assert params.get("ls_stop") == ["y"]


def test_tokens_are_estimated_without_the_network() -> None:
    llm = model()
    assert llm.get_num_tokens("abcdefgh") == 2
    assert llm.get_num_tokens("你好世界") == 3
    assert llm.get_num_tokens_from_messages([HumanMessage("abcdefgh")]) > 0


async def test_a_stream_can_be_closed_early() -> None:
    with replaying(200, STREAM, NULL_GENERATION) as replay:
        stream = model(replay).astream("Hi")
        first = await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    assert first.additional_kwargs["reasoning_content"] == "Let me "


# --- The profile ------------------------------------------------------------------


def profile_name(llm: ChatModelStudio) -> str | None:
    return (llm.profile or {}).get("name")


def test_the_profile_is_that_of_the_model() -> None:
    assert profile_name(model(model="deepseek-v4-pro")) == "deepseek-v4-pro"
    assert model(model="an-unknown-model").profile is None


def test_the_profile_follows_an_assigned_model() -> None:
    llm = model(model="deepseek-v4-pro")
    llm.temperature = 0.5
    assert profile_name(llm) == "deepseek-v4-pro"
    llm.model = "qwen-plus"
    assert profile_name(llm) == "qwen-plus"
    llm.model = "an-unknown-model"
    assert llm.profile is None
    llm.model = "qwen-plus"
    assert profile_name(llm) == "qwen-plus"


def test_the_profile_follows_the_model_of_a_copy() -> None:
    llm = model(model="deepseek-v4-pro")
    copied = llm.model_copy(update={"model": "qwen-plus"})
    assert profile_name(copied) == "qwen-plus"
    assert profile_name(llm) == "deepseek-v4-pro"


def test_the_profile_follows_a_configurable_model() -> None:
    fields = {"model": ConfigurableField("model")}
    config: Any = {"configurable": {"model": "qwen-plus"}}
    llm: Any = model(model="deepseek-v4-pro").configurable_fields(**fields)
    changed, _ = llm.prepare(config)
    assert (changed.model, profile_name(changed)) == ("qwen-plus", "qwen-plus")
    own: Any = model(model="deepseek-v4-pro", profile={"max_input_tokens": 5})
    kept, _ = own.configurable_fields(**fields).prepare(config)
    assert (kept.model, kept.profile) == ("qwen-plus", {"max_input_tokens": 5})


def test_the_hook_sets_the_profile_of_a_new_model() -> None:
    before = model(model="deepseek-v4-pro")
    llm = model(model="qwen-plus", profile=before.profile)
    llm._after_resolving(None)
    assert profile_name(llm) == "deepseek-v4-pro"
    llm._after_resolving(before.resolved)
    assert profile_name(llm) == "qwen-plus"


def test_a_profile_of_the_user_is_kept() -> None:
    own: Any = {"name": "own", "max_input_tokens": 5}
    llm = model(model="deepseek-v4-pro", profile=own)
    before = llm.resolved
    llm.model = "qwen-plus"
    llm._after_resolving(before)
    assert llm.profile == own
    assert llm.model_copy(update={"model": "qwen3.7-plus"}).profile == own
    other = model(model="deepseek-v4-pro")
    copied = other.model_copy(update={"model": "qwen-plus", "profile": own})
    assert copied.profile == own


# --- Documentation ----------------------------------------------------------------


def test_the_docstring_has_every_constructor_argument() -> None:
    """``help(ChatModelStudio)`` is the manual: names, types and defaults."""
    text = ChatModelStudio.__doc__ or ""
    entries = re.findall(r"^        (\w+) \((.+?)\): ", text, re.MULTILINE)
    documented = dict(entries)
    fields = ChatModelStudio.model_fields
    assert set(documented) == set(fields)
    assert len(entries) == len(documented)
    for name, field in fields.items():
        if not field.is_required():
            default = ast.literal_eval(documented[name].partition(" = ")[2])
            assert default == field.get_default(call_default_factory=True)
