"""``ModelStudio``: responses, requests, metadata, copies and errors."""

import asyncio
import json
import pickle
import re
from inspect import isawaitable
from typing import Any

import pytest
from llama_index.core import Document, PromptTemplate, Settings, SummaryIndex
from llama_index.core.base.llms.types import (
    ChatResponse,
    LLMMetadata,
    MessageRole,
    TextBlock,
    ThinkingBlock,
)
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.instrumentation.events.llm import LLMChatStartEvent

from llamaindex_modelstudio import ModelStudio
from modelstudio_core import errors
from tests.llamaindex.support import (
    HI,
    KEY,
    SYNC_AND_ASYNC,
    recorded_events,
    replay_llm,
    sent_body,
)
from tests.support.answers import (
    CALLS,
    EMPTY_GENERATION,
    JSON,
    NULL_GENERATION,
    REASONING,
    REQUEST_ID,
    RESPONSE,
    STREAM,
    TEXT,
    USAGE,
    response_body,
    stream_body,
)
from tests.support.replay import Replay, replaying

COUNTS = {
    "prompt_tokens": 12,
    "completion_tokens": 30,
    "total_tokens": 42,
    "reasoning_tokens": 20,
    "cached_tokens": 4,
    "request_id": REQUEST_ID,
    "finish_reason": "stop",
}

# --- Answers ----------------------------------------------------------------------


def check_complete(response: ChatResponse) -> None:
    message = response.message
    assert message.role is MessageRole.ASSISTANT
    assert message.content == TEXT
    assert message.blocks == [
        ThinkingBlock(content=REASONING, num_tokens=20),
        TextBlock(text=TEXT),
    ]
    assert message.additional_kwargs == {"reasoning_content": REASONING}
    assert isinstance(response.raw, dict)
    assert response.raw["usage"] == USAGE


def test_chat_keeps_reasoning_usage_and_ids() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        response = replay_llm(replay).chat(HI)
    check_complete(response)
    assert response.additional_kwargs == COUNTS


@pytest.mark.parametrize("body", [NULL_GENERATION, EMPTY_GENERATION])
def test_streams_with_null_and_with_empty_content_are_equal(body: bytes) -> None:
    with replaying(200, STREAM, body) as replay:
        responses = list(replay_llm(replay).stream_chat(HI))
    assert [response.delta for response in responses] == ["", "", "Hello", " wörld", ""]
    thinking = [response.additional_kwargs["thinking_delta"] for response in responses]
    assert thinking == ["Let me ", "think. 思", "", "", ""]
    assert [response.message.content for response in responses] == [
        None,
        None,
        "Hello",
        TEXT,
        TEXT,
    ]
    check_complete(responses[-1])
    assert responses[-1].additional_kwargs == {**COUNTS, "thinking_delta": ""}


def test_a_response_is_not_changed_by_later_events() -> None:
    with replaying(200, STREAM, CALLS) as replay:
        responses = list(replay_llm(replay).stream_chat(HI))
    with_calls = [
        response
        for response in responses
        if response.message.additional_kwargs.get("tool_calls")
    ]
    first = with_calls[0].message.additional_kwargs["tool_calls"]
    assert first[0]["function"]["arguments"] == ""
    last = responses[-1].message.additional_kwargs["tool_calls"]
    assert [call["function"]["arguments"] for call in last] == ['{"city": "Oslo"}', ""]
    assert [call["id"] for call in last] == ["call_a", "call_b"]


async def test_async_responses_are_the_same() -> None:
    with replaying(200, JSON, RESPONSE, times=2) as replay:
        check_complete(await replay_llm(replay).achat(HI))
        completion = await replay_llm(replay).acomplete("Hi")
    assert completion.text == TEXT
    with replaying(200, STREAM, NULL_GENERATION, times=2) as replay:
        stream = await replay_llm(replay).astream_chat(HI)
        responses = [response async for response in stream]
        completions = [
            response
            async for response in await replay_llm(replay).astream_complete("Hi")
        ]
    check_complete(responses[-1])
    assert "".join(response.delta or "" for response in completions) == TEXT
    assert completions[-1].additional_kwargs["reasoning_content"] == REASONING


def test_a_model_works_in_several_event_loops() -> None:
    with replaying(200, JSON, RESPONSE, times=3) as replay:
        llm = replay_llm(replay)
        answers = [asyncio.run(llm.acomplete("Hi")).text for _ in range(3)]
    assert answers == [TEXT] * 3


def test_complete_keeps_the_reasoning_in_additional_kwargs() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        response = replay_llm(replay).complete("Hi")
    assert response.text == TEXT
    assert response.additional_kwargs == {**COUNTS, "reasoning_content": REASONING}
    assert response.raw is not None
    assert response.raw["usage"] == USAGE
    assert replay.requests[0]["messages"] == [{"role": "user", "content": "Hi"}]


def test_stream_complete_returns_the_text_so_far() -> None:
    with replaying(200, STREAM, NULL_GENERATION) as replay:
        responses = list(replay_llm(replay).stream_complete("Hi"))
    assert [response.text for response in responses] == ["", "", "Hello", TEXT, TEXT]
    assert "".join(response.delta or "" for response in responses) == TEXT
    assert responses[-1].additional_kwargs["reasoning_content"] == REASONING


def test_an_answer_without_reasoning_has_no_key_and_no_block() -> None:
    body = response_body({"role": "assistant", "content": "", "reasoning_content": ""})
    with replaying(200, JSON, body) as replay:
        message = replay_llm(replay).chat(HI).message
    assert message.additional_kwargs == {}
    assert message.blocks == [TextBlock(text="")]
    assert message.content == ""


def test_a_delisted_model_is_replaced_with_a_warning() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        with pytest.warns(errors.ModelDeprecationWarning) as caught:
            # Not through a helper: the warning must point at this file.
            llm = ModelStudio(
                model="deepseek-r1", base_url=replay.base_url, api_key=KEY
            )
        response = llm.chat(HI)
    assert [warning.filename for warning in caught] == [__file__]
    assert replay.requests[0]["model"] == "qwen3.7-max"
    assert replay.requests[0]["enable_thinking"] is True
    assert response.additional_kwargs["requested_model"] == "deepseek-r1"
    assert llm.metadata.model_name == "qwen3.7-max"


# --- Requests ---------------------------------------------------------------------


def test_arguments_of_a_call_override_the_constructors() -> None:
    call = {"max_tokens": 7, "top_p": 0.1, "thinking_budget": 512}
    body = sent_body(call=call, max_tokens=100, top_p=0.9, temperature=0.3)
    assert body == {
        "model": "qwen3.7-plus",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.3,
        "top_p": 0.1,
        "max_tokens": 7,
        "thinking_budget": 512,
        "enable_thinking": True,
        "stream": False,
    }


# --- Metadata ---------------------------------------------------------------------


def test_metadata_comes_from_the_catalog() -> None:
    metadata = replay_llm().metadata
    assert metadata.context_window == 1_000_000
    assert metadata.num_output == -1
    assert metadata.is_chat_model
    assert metadata.is_function_calling_model
    assert metadata.model_name == "qwen3.7-plus"
    assert not replay_llm(
        model="qwq-plus", is_function_calling_model=False
    ).metadata.is_function_calling_model
    assert not replay_llm(model="qwen-long").metadata.is_function_calling_model
    assert (
        replay_llm(context_window=5000, max_tokens=100).metadata.context_window == 5000
    )
    assert replay_llm(max_tokens=100).metadata.num_output == 100
    assert replay_llm(model="a-model-of-tomorrow").metadata.context_window == 131_072


def test_to_payload_has_the_model_and_no_key() -> None:
    payload = replay_llm(temperature=0.5).to_payload()
    assert payload["model"] == "qwen3.7-plus"
    assert payload["temperature"] == 0.5
    assert payload["class_name"] == "ModelStudio"
    assert KEY not in str(payload)
    assert "temperature" not in replay_llm().to_payload()


def test_a_call_is_reported_once_with_the_token_counts_of_the_service() -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    with (
        replaying(200, STREAM, NULL_GENERATION, times=2) as replay,
        recorded_events() as recorded,
    ):
        llm = replay_llm(replay, callback_manager=CallbackManager([counter]))
        list(llm.stream_chat(HI))
        list(llm.stream_complete("Hi"))
    assert counter.prompt_llm_token_count == 24
    assert counter.completion_llm_token_count == 60
    assert sum(isinstance(event, LLMChatStartEvent) for event in recorded) == 1
    assert not any(KEY in event.model_dump_json() for event in recorded)


# --- Subclasses -------------------------------------------------------------------


class FastModel(ModelStudio):
    """A model with its own defaults."""

    model: str = "qwen3.7-plus"
    enable_thinking: bool | None = False
    temperature: float | None = 0.3


async def body_of(llm: ModelStudio, replay: Replay, *, is_async: bool) -> Any:
    if is_async:
        await llm.achat(HI)
    else:
        llm.chat(HI)
    return replay.requests[-1]


@SYNC_AND_ASYNC
async def test_the_default_of_a_subclass_is_sent(is_async: bool) -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        llm = FastModel(
            model="qwen3.7-plus", base_url=replay.base_url, api_key=KEY, max_retries=0
        )
        body = await body_of(llm, replay, is_async=is_async)
    assert body["enable_thinking"] is False
    assert body["temperature"] == 0.3


@SYNC_AND_ASYNC
async def test_the_default_model_of_a_subclass_is_sent(is_async: bool) -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        llm = FastModel(base_url=replay.base_url, api_key=KEY, max_retries=0)
        body = await body_of(llm, replay, is_async=is_async)
    assert body["model"] == "qwen3.7-plus"
    assert llm.metadata.model_name == "qwen3.7-plus"


@SYNC_AND_ASYNC
async def test_an_argument_overrides_the_default_of_a_subclass(is_async: bool) -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        llm = FastModel(
            model="qwen3.8-max",
            enable_thinking=True,
            temperature=0.9,
            base_url=replay.base_url,
            api_key=KEY,
            max_retries=0,
        )
        body = await body_of(llm, replay, is_async=is_async)
    assert body["model"] == "qwen3.8-max"
    assert body["enable_thinking"] is True
    assert body["temperature"] == 0.9


# --- Documentation ----------------------------------------------------------------


def test_the_docstring_explains_each_argument() -> None:
    """``help(ModelStudio)`` is what users open."""
    docstring = ModelStudio.__doc__ or ""
    documented = set(re.findall(r"^        (\w+) \(", docstring, re.MULTILINE))
    assert documented == set(ModelStudio.model_fields)
    assert "``api_base``" in docstring


# --- Copies and secrets -----------------------------------------------------------


def test_the_key_is_in_no_text_or_serialized_form() -> None:
    llm = replay_llm()
    texts = [
        repr(llm),
        str(llm),
        str(llm.to_dict()),
        llm.to_json(),
        str(llm.model_dump()),
        str(llm.to_payload()),
    ]
    assert not any(KEY in text for text in texts)


def test_a_pickle_and_a_dict_restore_the_same_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "beijing")
    with pytest.warns(errors.ModelDeprecationWarning):
        llm = replay_llm(model="deepseek-v3.2", temperature=0.4)
    data = pickle.dumps(llm)
    monkeypatch.setenv("DASHSCOPE_REGION", "virginia")
    restored = pickle.loads(data)  # noqa: S301 - our own
    assert restored.endpoint == llm.endpoint
    assert restored.endpoint.region == "cn-beijing"
    assert restored.resolved == llm.resolved
    monkeypatch.setenv("DASHSCOPE_REGION", "beijing")
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    assert ModelStudio.from_dict(llm.to_dict()).resolved == llm.resolved


def test_an_assignment_is_checked_and_used() -> None:
    llm = replay_llm()
    llm.temperature = 0.5
    assert llm.resolved.options.temperature == 0.5
    with pytest.raises(errors.ConfigurationError, match="n must be 1 or None, got 2"):
        llm.n = 2
    assert llm.n is None


# --- Errors -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"temprature": 1}, "Did you mean 'temperature'"),
        ({"context_windw": 1}, "Did you mean 'context_window'"),
        (
            {"n": 2},
            "n must be 1 or None, got 2: a LlamaIndex response holds one answer",
        ),
        ({"api_base": "http://127.0.0.1:1", "base_url": "http://127.0.0.1:1"}, "same"),
        ({"pydantic_program_mode": "x"}, "pydantic_program_mode"),
        ({"context_window": "wide"}, "context_window"),
        ({"thinking_budget": 5, "model": "deepseek-v4-pro"}, "reasoning_effort"),
    ],
)
def test_an_invalid_argument_is_a_configuration_error_without_the_key(
    arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(errors.ConfigurationError, match=words) as caught:
        replay_llm(**arguments)
    assert type(caught.value) is errors.ConfigurationError
    assert KEY not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


def test_invalid_arguments_of_a_call_are_refused() -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        with pytest.raises(
            errors.ConfigurationError, match="n must be 1 or None, got 2"
        ):
            replay_llm(replay).chat(HI, n=2)
        with pytest.raises(errors.ConfigurationError, match="enable_thinking"):
            replay_llm(replay).stream_chat(HI, enable_thinkng=True)
        assert replay.requests == []


def test_errors_have_the_http_status() -> None:
    body = json.dumps(
        {"error": {"message": "Busy", "code": "limit_requests"}, "request_id": "r"}
    ).encode()
    with (
        replaying(429, JSON, body) as replay,
        pytest.raises(errors.RateLimitError) as caught,
    ):
        replay_llm(replay).chat(HI)
    assert caught.value.status_code == 429
    assert caught.value.is_retryable


def test_an_incomplete_stream_raises_after_its_responses() -> None:
    body = stream_body([{"content": "Hel"}], None, usage=False, done=False)
    deltas: list[str | None] = []
    with replaying(200, STREAM, body) as replay:
        stream = replay_llm(replay).stream_chat(HI)
        with pytest.raises(errors.IncompleteStreamError):
            deltas.extend(response.delta for response in stream)
    assert deltas == ["Hel"]


# --- Query engines ----------------------------------------------------------------


def test_a_query_engine_sends_the_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        monkeypatch.setattr(Settings, "_llm", None)
        monkeypatch.setattr(Settings, "_tokenizer", str.split)
        Settings.llm = replay_llm(replay)
        index = SummaryIndex.from_documents([Document(text="Oslo is rainy.")])
        engine = index.as_query_engine(response_mode="tree_summarize")
        assert str(engine.query("How is Oslo?")) == TEXT
    assert "Oslo is rainy." in json.dumps(replay.requests[0]["messages"])


# --- Values of another type ---------------------------------------------------------


@pytest.mark.parametrize("stream", ["", "stream_"])
@pytest.mark.parametrize("asynchronous", ["", "a"])
async def test_a_prompt_or_a_message_of_another_type_is_refused(
    stream: str, asynchronous: str
) -> None:
    async def called(name: str, prompt: object) -> object:
        result = getattr(llm, f"{asynchronous}{stream}{name}")(prompt)
        return await result if isawaitable(result) else result

    with replaying(200, JSON, RESPONSE) as replay:
        llm: Any = replay_llm(replay)
        with pytest.raises(errors.ConfigurationError, match="prompt must be a string"):
            await called("complete", ["Hi"])
        with pytest.raises(
            errors.ConfigurationError, match=r"messages\[0\] must be a ChatMessage"
        ):
            await called("chat", [{"role": "user", "content": "Hi"}])
        assert replay.requests == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tools": 7}, "tools must be a list, got a int"),
        ({"tools": [7]}, r"tools\[0\] must be a tool of LlamaIndex or a function, got"),
        ({"tools": [], "chat_history": 7}, "chat_history must be a list"),
    ],
)
def test_tools_of_another_type_are_refused(
    arguments: dict[str, Any], words: str
) -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        with pytest.raises(errors.ConfigurationError, match=words):
            replay_llm(replay).chat_with_tools(user_msg="Hi", **arguments)
        assert replay.requests == []


@pytest.mark.parametrize(
    ("output_cls", "llm_kwargs", "words"),
    [
        (int, None, "output_cls must be a class of Pydantic's"),
        ({"type": "object"}, None, "output_cls must be a class of Pydantic's"),
        (LLMMetadata, 7, "llm_kwargs must be a dict, got a int"),
        (LLMMetadata, {"extra_body": 7}, "extra_body must be a dict"),
    ],
)
async def test_structured_prediction_refuses_values_of_another_type(
    output_cls: Any, llm_kwargs: Any, words: str
) -> None:
    with replaying(200, JSON, RESPONSE) as replay:
        llm, prompt = replay_llm(replay), PromptTemplate("Hi")
        with pytest.raises(errors.ConfigurationError, match=words):
            llm.structured_predict(output_cls, prompt, llm_kwargs)
        with pytest.raises(errors.ConfigurationError, match=words):
            await llm.astructured_predict(output_cls, prompt, llm_kwargs)
        assert replay.requests == []
