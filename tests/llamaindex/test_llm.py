"""``ModelStudio``: what comes out of it, what it sends, and what it refuses."""

import asyncio
import json
import pickle
from collections.abc import Sequence
from typing import Any

import pytest
from llama_index.core import Document, Settings, SummaryIndex
from llama_index.core.base.llms.types import (
    CacheControl,
    CachePoint,
    ChatMessage,
    ChatResponse,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import LLMChatStartEvent
from llama_index.core.tools import FunctionTool
from llama_index_instrumentation import get_dispatcher
from pydantic import Field

from llamaindex_modelstudio import ModelStudio
from modelstudio_core import errors
from tests.support.answers import (
    CALLS,
    EMPTY_GENERATION,
    JSON,
    NULL_GENERATION,
    REASONING,
    REQUEST_ID,
    STREAM,
    TEXT,
    USAGE,
    WHOLE,
    events,
    whole,
)
from tests.support.replay import Replay, replaying

KEY = "sk-0123456789abcdef"
COUNTS = {
    "prompt_tokens": 12,
    "completion_tokens": 30,
    "total_tokens": 42,
    "reasoning_tokens": 20,
    "cached_tokens": 4,
    "request_id": REQUEST_ID,
    "finish_reason": "stop",
}
HI = [ChatMessage(role=MessageRole.USER, content="Hi")]


def model(replay: Replay | None = None, **arguments: Any) -> ModelStudio:
    given: dict[str, Any] = {"model": "qwen3.7-plus", "api_key": KEY, "max_retries": 0}
    if replay is not None:
        given["base_url"] = replay.base_url
    return ModelStudio(**given | arguments)


# --- Answers ----------------------------------------------------------------------


def check_whole(response: ChatResponse) -> None:
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
    with replaying(200, JSON, WHOLE) as replay:
        response = model(replay).chat(HI)
    check_whole(response)
    assert response.additional_kwargs == COUNTS


@pytest.mark.parametrize("body", [NULL_GENERATION, EMPTY_GENERATION])
def test_both_generations_of_streams_come_out_alike(body: bytes) -> None:
    with replaying(200, STREAM, body) as replay:
        responses = list(model(replay).stream_chat(HI))
    assert [it.delta for it in responses] == ["", "", "Hello", " wörld", ""]
    thinking = [it.additional_kwargs["thinking_delta"] for it in responses]
    assert thinking == ["Let me ", "think. 思", "", "", ""]
    assert [it.message.content for it in responses] == [
        None,
        None,
        "Hello",
        TEXT,
        TEXT,
    ]
    check_whole(responses[-1])
    assert responses[-1].additional_kwargs == {**COUNTS, "thinking_delta": ""}


def test_an_earlier_response_does_not_change_later() -> None:
    with replaying(200, STREAM, CALLS) as replay:
        responses = list(model(replay).stream_chat(HI))
    partial = [it for it in responses if it.message.additional_kwargs.get("tool_calls")]
    first = partial[0].message.additional_kwargs["tool_calls"]
    assert first[0]["function"]["arguments"] == ""
    last = responses[-1].message.additional_kwargs["tool_calls"]
    assert [it["function"]["arguments"] for it in last] == ['{"city": "Oslo"}', ""]
    assert [it["id"] for it in last] == ["call_a", "call_b"]


async def test_async_answers_are_the_same() -> None:
    with replaying(200, JSON, WHOLE, times=2) as replay:
        check_whole(await model(replay).achat(HI))
        completion = await model(replay).acomplete("Hi")
    assert completion.text == TEXT
    with replaying(200, STREAM, NULL_GENERATION, times=2) as replay:
        stream = await model(replay).astream_chat(HI)
        responses = [it async for it in stream]
        pieces = [it async for it in await model(replay).astream_complete("Hi")]
    check_whole(responses[-1])
    assert "".join(it.delta or "" for it in pieces) == TEXT
    assert pieces[-1].additional_kwargs["reasoning_content"] == REASONING


def test_a_model_answers_in_one_loop_after_another() -> None:
    with replaying(200, JSON, WHOLE, times=3) as replay:
        llm = model(replay)
        answers = [asyncio.run(llm.acomplete("Hi")).text for _ in range(3)]
    assert answers == [TEXT] * 3


def test_complete_keeps_the_reasoning_beside_the_text() -> None:
    with replaying(200, JSON, WHOLE) as replay:
        response = model(replay).complete("Hi")
    assert response.text == TEXT
    assert response.additional_kwargs == {**COUNTS, "reasoning_content": REASONING}
    assert response.raw is not None
    assert response.raw["usage"] == USAGE
    assert replay.requests[0]["messages"] == [{"role": "user", "content": "Hi"}]


def test_stream_complete_grows_and_ends_whole() -> None:
    with replaying(200, STREAM, NULL_GENERATION) as replay:
        responses = list(model(replay).stream_complete("Hi"))
    assert [it.text for it in responses] == ["", "", "Hello", TEXT, TEXT]
    assert "".join(it.delta or "" for it in responses) == TEXT
    assert responses[-1].additional_kwargs["reasoning_content"] == REASONING


def test_no_reasoning_leaves_no_key_and_no_block() -> None:
    body = whole({"role": "assistant", "content": "", "reasoning_content": ""})
    with replaying(200, JSON, body) as replay:
        message = model(replay).chat(HI).message
    assert message.additional_kwargs == {}
    assert message.blocks == [TextBlock(text="")]
    assert message.content == ""


def test_a_delisted_model_is_replaced_warned_of_and_remembered() -> None:
    with replaying(200, JSON, WHOLE) as replay:
        with pytest.warns(errors.ModelDeprecationWarning) as caught:
            llm = model(replay, model="deepseek-r1")
        response = llm.chat(HI)
    assert [it.filename for it in caught] == [__file__]
    assert replay.requests[0]["model"] == "qwen3.7-max"
    assert replay.requests[0]["enable_thinking"] is True
    assert response.additional_kwargs["requested_model"] == "deepseek-r1"
    assert llm.metadata.model_name == "qwen3.7-max"


# --- What is sent -----------------------------------------------------------------


def sent(
    messages: Sequence[ChatMessage] = HI,
    call: dict[str, Any] | None = None,
    **arguments: Any,
) -> Any:
    with replaying(200, JSON, WHOLE) as replay:
        model(replay, **arguments).chat(messages, **call or {})
        (body,) = replay.requests
    return body


def test_a_call_wins_over_the_constructor() -> None:
    call = {"max_tokens": 7, "top_p": 0.1, "thinking_budget": 512}
    body = sent(call=call, max_tokens=100, top_p=0.9, temperature=0.3)
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


def test_blocks_are_sent_in_the_services_shape() -> None:
    messages = [
        ChatMessage(role="developer", content="D"),
        ChatMessage(
            role="user",
            blocks=[
                TextBlock(text="See"),
                CachePoint(cache_control=CacheControl(type="ephemeral")),
                ImageBlock(url="https://x.example/a.png", detail="high"),
                ImageBlock(image=b"ABC", image_mimetype="image/jpeg"),
            ],
            additional_kwargs={"session_id": "memory's own"},
        ),
        ChatMessage(
            role="assistant",
            blocks=[
                ThinkingBlock(content="Hm."),
                ToolCallBlock(tool_call_id="c1", tool_name="f", tool_kwargs={"a": "ö"}),
            ],
        ),
        ChatMessage(role="tool", content="", additional_kwargs={"tool_call_id": "c1"}),
        ChatMessage(
            role="assistant", content="", additional_kwargs={"tool_call_id": 1}
        ),
        ChatMessage(role="user", blocks=[TextBlock(text="a"), TextBlock(text="b")]),
    ]
    body = sent(messages)
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "f", "arguments": '{"a": "ö"}'},
    }
    assert body["messages"] == [
        {"role": "system", "content": "D"},
        {
            "role": "user",
            "content": [
                {
                    "type": "text",
                    "text": "See",
                    "cache_control": {"type": "ephemeral"},
                },
                {
                    "type": "image_url",
                    "image_url": {"url": "https://x.example/a.png", "detail": "high"},
                },
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/jpeg;base64,QUJD"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "Hm.",
            "tool_calls": [call],
        },
        {"role": "tool", "content": "", "tool_call_id": "c1"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "a\nb"},
    ]


def test_an_answer_goes_back_as_it_came() -> None:
    with replaying(200, STREAM, CALLS) as replay:
        *_, last = model(replay).stream_chat(HI)
    kept = ChatMessage.model_validate(json.loads(last.message.model_dump_json()))
    body = sent([*HI, kept])
    assert body["messages"][1] == {
        "role": "assistant",
        "content": "Looking.",
        "reasoning_content": "Two tools.",
        "tool_calls": [
            {
                "id": "call_a",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
            },
            {
                "id": "call_b",
                "type": "function",
                "function": {"name": "clock", "arguments": "{}"},
            },
        ],
    }


def test_a_document_block_is_refused_and_nothing_is_sent() -> None:
    message = ChatMessage(role="user", blocks=[DocumentBlock(data=b"x")])
    with pytest.raises(errors.ConfigurationError, match="DocumentBlock"):
        model().chat([message])


# --- Tools ------------------------------------------------------------------------


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Rain in {city}"


TOOL = FunctionTool.from_defaults(weather)


def test_tools_are_sent_as_they_are_described() -> None:
    history = list(HI)
    llm = model(enable_thinking=False)
    prepared = llm._prepare_chat_with_tools(
        [TOOL], "And now?", history, tool_required=True, tool_choice=None
    )
    assert len(history) == 1
    assert [it.content for it in prepared["messages"]] == ["Hi", "And now?"]
    assert prepared["tool_choice"] == "required"
    body = sent(prepared.pop("messages"), prepared, enable_thinking=False)
    assert body["tools"] == [TOOL.metadata.to_openai_tool()]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert "parallel_tool_calls" not in body


def test_no_tools_send_nothing_of_them() -> None:
    prepared = model()._prepare_chat_with_tools([], "Hi", tool_required=True)
    assert list(prepared) == ["messages"]


def test_a_forced_tool_switches_thinking_off_for_that_request_only() -> None:
    with replaying(200, JSON, WHOLE, times=2) as replay:
        llm = model(replay, enable_thinking=True)
        llm.chat_with_tools([TOOL], "Hi", tool_required=True)
        llm.chat(HI)
    assert [it["enable_thinking"] for it in replay.requests] == [False, True]


def test_tool_calls_are_read_whole_and_in_pieces() -> None:
    llm = model()
    with replaying(200, STREAM, CALLS) as replay:
        responses = list(model(replay).stream_chat(HI))
    seen = [
        [it.tool_kwargs for it in llm.get_tool_calls_from_response(r, False)]
        for r in responses
    ]
    assert [] in seen
    assert [{}] in seen
    last = llm.get_tool_calls_from_response(responses[-1])
    assert [(it.tool_id, it.tool_name, it.tool_kwargs) for it in last] == [
        ("call_a", "weather", {"city": "Oslo"}),
        ("call_b", "clock", {}),
    ]


def test_an_answer_without_a_call_is_an_error_where_one_is_needed() -> None:
    with replaying(200, JSON, WHOLE) as replay:
        response = model(replay).chat(HI)
    assert model().get_tool_calls_from_response(response, False) == []
    with pytest.raises(ValueError, match="at least one tool call"):
        model().get_tool_calls_from_response(response)


def test_a_second_call_is_dropped_where_one_is_allowed() -> None:
    calls = [
        {
            "index": index,
            "id": f"c{index}",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
        }
        for index in range(2)
    ]
    answer = {"role": "assistant", "content": "", "tool_calls": calls}
    body = whole(answer, "tool_calls")
    with replaying(200, JSON, body, times=2) as replay:
        llm = model(replay)
        one = llm.chat_with_tools([TOOL], "Hi")
        both = llm.chat_with_tools([TOOL], "Hi", allow_parallel_tool_calls=True)
    assert [it.tool_id for it in llm.get_tool_calls_from_response(one)] == ["c0"]
    assert len(one.message.additional_kwargs["tool_calls"]) == 1
    assert len(llm.get_tool_calls_from_response(both)) == 2
    assert replay.requests[1]["parallel_tool_calls"] is True


def test_predict_and_call_runs_the_tool() -> None:
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
    }
    body = whole(
        {"role": "assistant", "content": "", "tool_calls": [call]}, "tool_calls"
    )
    with replaying(200, JSON, body) as replay:
        response = model(replay).predict_and_call([TOOL], "Hi")
    assert str(response) == "Rain in Oslo"


# --- Metadata ---------------------------------------------------------------------


def test_metadata_comes_from_the_catalog() -> None:
    metadata = model().metadata
    assert metadata.context_window == 1_000_000
    assert metadata.num_output == -1
    assert metadata.is_chat_model
    assert metadata.is_function_calling_model
    assert metadata.model_name == "qwen3.7-plus"
    assert not model(
        model="qwq-plus", is_function_calling_model=False
    ).metadata.is_function_calling_model
    assert not model(model="qwen-long").metadata.is_function_calling_model
    assert model(context_window=5000, max_tokens=100).metadata.context_window == 5000
    assert model(max_tokens=100).metadata.num_output == 100
    assert model(model="a-model-of-tomorrow").metadata.context_window == 131_072


def test_observers_see_the_model_and_no_key() -> None:
    payload = model(temperature=0.5).to_payload()
    assert payload["model"] == "qwen3.7-plus"
    assert payload["temperature"] == 0.5
    assert payload["class_name"] == "ModelStudio"
    assert KEY not in str(payload)
    assert "temperature" not in model().to_payload()


class Seen(BaseEventHandler):
    """Keep every event."""

    seen: list[BaseEvent] = Field(default_factory=list[BaseEvent])

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:  # noqa: ARG002 - LlamaIndex's
        self.seen.append(event)


def test_a_call_is_reported_once_and_counted_by_the_service() -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    handler = Seen()
    dispatcher = get_dispatcher()
    dispatcher.add_event_handler(handler)
    try:
        with replaying(200, STREAM, NULL_GENERATION, times=2) as replay:
            llm = model(replay, callback_manager=CallbackManager([counter]))
            list(llm.stream_chat(HI))
            list(llm.stream_complete("Hi"))
    finally:
        dispatcher.event_handlers.remove(handler)
    assert counter.prompt_llm_token_count == 24
    assert counter.completion_llm_token_count == 60
    assert sum(isinstance(it, LLMChatStartEvent) for it in handler.seen) == 1
    assert not any(KEY in it.model_dump_json() for it in handler.seen)


# --- Copies and secrets -----------------------------------------------------------


def test_the_key_is_shown_nowhere() -> None:
    llm = model()
    shown = [
        repr(llm),
        str(llm),
        str(llm.to_dict()),
        llm.to_json(),
        str(llm.model_dump()),
        str(llm.to_payload()),
    ]
    assert not any(KEY in it for it in shown)


def test_a_pickle_and_a_dict_make_the_same_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DASHSCOPE_REGION", "beijing")
    with pytest.warns(errors.ModelDeprecationWarning):
        llm = model(model="deepseek-v3.2", temperature=0.4)
    data = pickle.dumps(llm)
    monkeypatch.setenv("DASHSCOPE_REGION", "virginia")
    restored = pickle.loads(data)  # noqa: S301 - our own
    assert restored.endpoint == llm.endpoint
    assert restored.endpoint.region == "cn-beijing"
    assert restored.resolved == llm.resolved
    monkeypatch.setenv("DASHSCOPE_REGION", "beijing")
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    assert ModelStudio.from_dict(llm.to_dict()).resolved == llm.resolved


def test_an_assignment_is_checked_and_counts() -> None:
    llm = model()
    llm.temperature = 0.5
    assert llm.resolved.options.temperature == 0.5
    with pytest.raises(errors.ConfigurationError, match="n=2"):
        llm.n = 2
    assert llm.n is None


# --- Bad input --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"temprature": 1}, "Did you mean 'temperature'"),
        ({"context_windw": 1}, "Did you mean 'context_window'"),
        ({"n": 2}, "LlamaIndex takes one answer"),
        ({"api_base": "http://127.0.0.1:1", "base_url": "http://127.0.0.1:1"}, "same"),
        ({"pydantic_program_mode": "x"}, "pydantic_program_mode"),
        ({"context_window": "wide"}, "context_window"),
        ({"thinking_budget": 5, "model": "deepseek-v4-pro"}, "reasoning_effort"),
    ],
)
def test_bad_input_is_a_plain_error_without_the_key(
    arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(errors.ConfigurationError, match=words) as caught:
        model(**arguments)
    assert type(caught.value) is errors.ConfigurationError
    assert KEY not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


def test_several_answers_and_unknown_arguments_of_a_call_are_refused() -> None:
    with replaying(200, JSON, WHOLE) as replay:
        with pytest.raises(errors.ConfigurationError, match="n=2"):
            model(replay).chat(HI, n=2)
        with pytest.raises(errors.ConfigurationError, match="enable_thinking"):
            model(replay).stream_chat(HI, enable_thinkng=True)
        assert replay.requests == []


def test_errors_carry_the_status_that_fallbacks_look_for() -> None:
    body = json.dumps(
        {"error": {"message": "Busy", "code": "limit_requests"}, "request_id": "r"}
    ).encode()
    with (
        replaying(429, JSON, body) as replay,
        pytest.raises(errors.RateLimitError) as caught,
    ):
        model(replay).chat(HI)
    assert caught.value.status_code == 429
    assert caught.value.is_retryable


def test_a_stream_that_is_cut_off_is_an_error_after_its_pieces() -> None:
    body = events([{"content": "Hel"}], None, usage=False, done=False)
    seen: list[str | None] = []
    with replaying(200, STREAM, body) as replay:
        stream = model(replay).stream_chat(HI)
        with pytest.raises(errors.IncompleteStreamError):
            seen.extend(it.delta for it in stream)
    assert seen == ["Hel"]


# --- The rest of the framework ----------------------------------------------------


def test_a_query_engine_answers_from_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    with replaying(200, JSON, WHOLE) as replay:
        monkeypatch.setattr(Settings, "_llm", None)
        monkeypatch.setattr(Settings, "_tokenizer", str.split)
        Settings.llm = model(replay)
        index = SummaryIndex.from_documents([Document(text="Oslo is rainy.")])
        engine = index.as_query_engine(response_mode="tree_summarize")
        assert str(engine.query("How is Oslo?")) == TEXT
    assert "Oslo is rainy." in json.dumps(replay.requests[0]["messages"])
