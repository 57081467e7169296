"""Any LangChain message is sent completely or refused."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_modelstudio._chat.messages import from_messages
from tests.fuzz.prompts import calls_of, convert_or_refuse, reasoning_of, text_of
from tests.fuzz.strategies import json_values, names, nested, texts, wild_json

# Media in an answer that a text-only model cannot see become a sentence.
pytestmark = pytest.mark.filterwarnings(
    "ignore::modelstudio_core.errors.ModelStudioWarning"
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DEEP = nested(900)
URL = "https://example.com/1.png"


def block(kind: str, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"type": st.just(kind), **{k: _strategy(v) for k, v in fields.items()}}
    )


def _strategy(value: Any) -> st.SearchStrategy[Any]:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


_marker = st.just({"type": "ephemeral"})
# Blocks with text, in the formats v1, v0, OpenAI's and Anthropic's.
text_blocks = st.one_of(
    block("text", text=texts),
    block("text", text=texts, cache_control=_marker),
    block("text", text=texts, extras=st.fixed_dictionaries({"cache_control": _marker})),
    block("text", text=texts, id=texts, index=st.integers(), annotations=json_values),
    block("text", text=texts, source_type="text"),
    block("text-plain", text=texts, mime_type="text/plain"),
    block("refusal", refusal=texts),
    block("non_standard", value=block("text", text=texts)),
)
media_blocks = st.one_of(
    block("image", url=URL),
    block("image", base64="aGk=", mime_type="image/png"),
    block("image", source_type="url", url=URL),
    block("image", source_type="base64", data="aGk=", mime_type="image/jpeg"),
    block("image", source=st.just({"type": "url", "url": URL})),
    block(
        "image",
        source=st.just({"type": "base64", "media_type": "image/png", "data": "aGk="}),
    ),
    block("image_url", image_url=URL),
    block("image_url", image_url=st.just({"url": URL, "detail": "low"})),
    block("video", url=URL),
    block("video", video=st.just([URL, URL])),
    block("video_url", video_url=st.just({"url": URL})),
    block("audio", base64="aGk=", mime_type="audio/mp3"),
    block("input_audio", input_audio=st.just({"data": "aGk=", "format": "wav"})),
)
_arguments = st.dictionaries(texts, json_values, max_size=3)
call_blocks = st.one_of(
    block("tool_call", id=names, name=names, args=_arguments),
    block("tool_use", id=names, name=names, input=_arguments),
    block("function_call", call_id=names, name=names, arguments=texts),
    block("invalid_tool_call", id=names, name=names, args=texts, error=texts),
)
reasoning_blocks = st.one_of(
    block("reasoning", reasoning=texts),
    block("reasoning", reasoning=texts, extras=json_values, index=0),
    block("thinking", thinking=texts, signature=texts),
)
# Blocks of every type with arbitrary fields.
odd_blocks = st.one_of(
    texts,
    st.builds(
        lambda kind, fields: {"type": kind, **fields},
        st.sampled_from(
            [
                *("text", "text-plain", "refusal", "image", "image_url", "video"),
                *("video_url", "audio", "input_audio", "non_standard", "reasoning"),
                *("thinking", "redacted_thinking", "tool_use", "tool_call", "file"),
                *("function_call", "invalid_tool_call", "tool_result", "search_result"),
                *("server_tool_call", "server_tool_result"),
            ]
        )
        | wild_json,
        st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "text",
                        "refusal",
                        "image_url",
                        "video_url",
                        "video",
                        "url",
                        "id",
                    ),
                    *("input_audio", "value", "source", "base64", "data", "mime_type"),
                    *("reasoning", "thinking", "extras", "cache_control", "summary"),
                    *("name", "args", "input", "arguments", "call_id"),
                ]
            ),
            st.one_of(
                wild_json,
                st.sampled_from([{"url": URL}, {"data": "aGk="}, {"type": "text"}]),
            ),
            max_size=3,
        ),
    ),
    st.dictionaries(texts, wild_json, max_size=2),
)
user_contents = texts | st.lists(
    st.one_of(texts, text_blocks, media_blocks), max_size=3
)
contents = user_contents | st.lists(
    st.one_of(texts, text_blocks, media_blocks, reasoning_blocks, call_blocks),
    max_size=3,
)
odd_contents = contents | st.lists(odd_blocks, max_size=3)
tool_calls = st.lists(
    st.builds(
        lambda name, call_id, args: {"name": name, "id": call_id, "args": args},
        names,
        st.none() | names,
        _arguments,
    ),
    max_size=2,
)
invalid_calls = st.lists(
    st.builds(
        lambda name, call_id, args: {
            "name": name,
            "id": call_id,
            "args": args,
            "error": None,
        },
        st.none() | names,
        st.none() | names,
        st.none() | texts,
    ),
    max_size=2,
)
_kwargs = st.dictionaries(
    st.sampled_from(["reasoning_content", "partial", "refusal", "function_call"]),
    wild_json,
    max_size=2,
)


def messages(content: st.SearchStrategy[Any]) -> st.SearchStrategy[BaseMessage]:
    """Return messages of every class."""
    name = st.none() | names
    kwargs: dict[str, Any] = {"content": content, "name": name}
    assistant = {
        **kwargs,
        "additional_kwargs": _kwargs,
        "tool_calls": tool_calls,
        "invalid_tool_calls": invalid_calls,
    }
    return st.one_of(
        st.builds(SystemMessage, **kwargs),
        st.builds(HumanMessage, **kwargs),
        st.builds(AIMessage, **assistant),
        st.builds(AIMessageChunk, **assistant),
        st.builds(ToolMessage, **kwargs, tool_call_id=names),
        st.builds(
            ChatMessage,
            **kwargs,
            role=st.sampled_from(["system", "user", "assistant"]) | texts,
        ),
        st.builds(FunctionMessage, content=content, name=names),
        st.just(RemoveMessage(id="1")),
    )


@given(st.lists(messages(odd_contents), max_size=3))
@example([HumanMessage([{"type": "text", "text": "a", "extras": 5}])])
@example([HumanMessage([{"type": "image_url", "image_url": {}}])])
@example([HumanMessage([{"type": "image_url", "image_url": None}])])
@example([HumanMessage([{"type": "non_standard", "value": 5}])])
@example([AIMessage("", tool_calls=[{"name": "f", "args": {"a": {1}}, "id": "1"}])])
@example([AIMessage("", tool_calls=[{"name": "f", "args": {"a": NOW}, "id": "1"}])])
@example([AIMessage("", tool_calls=[{"name": "f", "args": {"a": DEEP}, "id": "1"}])])
@example(
    [AIMessage([{"type": "tool_use", "id": "1", "name": "f", "input": {1: DEEP}}])]
)
@example([HumanMessage([{"type": ["text"], "text": "a"}])])
@example([HumanMessage([{"type": "text", "text": "a", "cache_control": b"x"}])])
@example([HumanMessage([{"type": "text", "text": "a", "cache_control": {1: NOW}}])])
def test_any_prompt_is_sent_or_refused(prompt: list[BaseMessage]) -> None:
    before = deepcopy(prompt)
    convert_or_refuse(from_messages, prompt)
    assert prompt == before


def _kept_text(content: Any) -> str:
    """Return the text of a content that must be sent."""
    if isinstance(content, str):
        return content
    text = ""
    for item in content:
        inner = item if isinstance(item, str) else item.get("value", item)
        if isinstance(inner, str):
            text += inner
        elif inner["type"] in {"text", "text-plain", "refusal"}:
            text += inner.get("text", "") + inner.get("refusal", "")
    return text


def _media(content: Any) -> int:
    if isinstance(content, str):
        return 0
    kinds = {"image", "image_url", "video", "video_url", "audio", "input_audio"}
    return sum(isinstance(part, dict) and part["type"] in kinds for part in content)


@given(
    st.tuples(st.sampled_from([SystemMessage, HumanMessage, AIMessage]), user_contents)
    | st.tuples(st.just(AIMessage), contents)
)
def test_no_text_and_no_media_are_lost(pair: tuple[Any, Any]) -> None:
    kind, content = pair
    converted = convert_or_refuse(from_messages, [kind(content)])
    assert converted is not None
    (message,) = converted
    assert text_of(message) == _kept_text(content)
    parts = [] if isinstance(message["content"], str) else message["content"]
    assert sum(part["type"] != "text" for part in parts) == _media(content)


@given(texts, tool_calls, invalid_calls, texts, st.integers(0, 4))
def test_no_tool_call_and_no_reasoning_is_lost(
    text: str, calls: list[Any], invalid: list[Any], reasoning: str, place: int
) -> None:
    text_block = {"type": "text", "text": text}
    content: Any = [
        text,
        text,
        [{"type": "reasoning", "reasoning": reasoning}, text_block],
        [{"type": "thinking", "thinking": reasoning, "signature": "s"}, text_block],
        [{"type": "reasoning", "summary": [{"text": reasoning}]}, text_block],
    ][place]
    extra = {"reasoning_content": reasoning} if place < 2 else {}
    message = AIMessage(
        content, tool_calls=calls, invalid_tool_calls=invalid, additional_kwargs=extra
    )
    converted = convert_or_refuse(from_messages, [message])
    assert converted is not None
    assert text_of(converted[0]) == text
    assert reasoning_of(converted[0]) == reasoning
    sent = calls_of(converted[0])
    assert [(call[0], call[1]) for call in sent] == [
        (call["id"] or "", call["name"] or "") for call in [*calls, *invalid]
    ]
    for original, call in zip(invalid, sent[len(calls) :], strict=True):
        assert call[2] == calls_of({"tool_calls": [_wire(original)]})[0][2]


def _wire(call: dict[str, Any]) -> dict[str, Any]:
    return {"id": "", "function": {"name": "", "arguments": call["args"] or ""}}


@given(st.lists(call_blocks, min_size=1, max_size=3))
def test_no_tool_call_in_the_content_is_lost(content: list[Any]) -> None:
    converted = convert_or_refuse(from_messages, [AIMessage(content)])
    assert converted is not None
    assert [call[:2] for call in calls_of(converted[0])] == [
        (part.get("id") or part.get("call_id") or "", part["name"]) for part in content
    ]
