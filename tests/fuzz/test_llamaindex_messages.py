"""Any LlamaIndex message is sent completely or refused."""

import base64
from datetime import UTC, datetime
from io import BytesIO, StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from openai.types.chat import ChatCompletionMessageFunctionToolCall

from llamaindex_modelstudio._chat.messages import from_messages
from tests.fuzz.prompts import calls_of, convert_or_refuse, reasoning_of, text_of
from tests.fuzz.strategies import json_values, names, texts, values, wild_json

# Media in an answer that a text-only model cannot see become a sentence.
pytestmark = pytest.mark.filterwarnings(
    "ignore::modelstudio_core.errors.ModelStudioWarning"
)

URL = "https://example.com/1.png"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_bytes = st.binary(max_size=6)
_arguments = st.dictionaries(texts, json_values, max_size=3)

text_blocks = st.builds(TextBlock, text=texts)
thinking_blocks = st.builds(
    ThinkingBlock, content=st.none() | texts, num_tokens=st.none() | st.integers(0, 9)
)
call_blocks = st.builds(
    ToolCallBlock,
    tool_call_id=st.none() | names,
    tool_name=names,
    tool_kwargs=_arguments | texts,
)
cited_blocks = st.one_of(
    st.builds(CitableBlock, title=texts, source=texts, content=texts),
    st.builds(
        CitationBlock,
        cited_content=texts,
        source=texts,
        title=texts,
        additional_location_info=st.just({}),
    ),
)
media_blocks = st.one_of(
    st.builds(ImageBlock, url=st.just(URL), detail=st.none() | texts),
    st.builds(ImageBlock, image=_bytes, image_mimetype=st.none() | texts),
    st.builds(ImageBlock, image=_bytes.map(BytesIO)),
    st.builds(AudioBlock, audio=_bytes, format=st.none() | texts),
    st.builds(AudioBlock, url=st.just(URL)),
    st.builds(VideoBlock, video=_bytes),
    st.builds(VideoBlock, url=st.just(URL)),
)
cache_points = st.builds(
    CachePoint, cache_control=st.just(CacheControl(type="ephemeral"))
)
odd_blocks = st.one_of(
    st.builds(DocumentBlock, data=_bytes),
    st.builds(ImageBlock),
    st.builds(AudioBlock),
    st.builds(VideoBlock),
    st.builds(ImageBlock, image=texts.map(StringIO)),
    st.builds(
        ToolCallBlock,
        tool_name=names,
        tool_kwargs=st.dictionaries(texts, values, max_size=2),
    ),
)


def _sdk_call(name: str) -> Any:
    """Return a tool call of the OpenAI SDK, as LlamaIndex's memories keep it."""
    function = {"name": name, "arguments": "{}"}
    return ChatCompletionMessageFunctionToolCall.model_validate(
        {"id": "c", "type": "function", "function": function}
    )


_foreign_calls = st.one_of(
    st.sampled_from(["f", "g"]).map(_sdk_call),
    st.just({"id": "1", "name": "f", "input": {"a": 1}, "type": "tool_use"}),
    st.just({"toolUseId": "1", "name": "f", "input": {}}),
    st.just({"function": {"name": "f", "arguments": {"a": 1}}}),
    st.just(SimpleNamespace(id="1", function=SimpleNamespace(name="f"))),
    st.fixed_dictionaries({"id": wild_json, "function": values}),
    values,
)
_kwargs = st.dictionaries(
    st.sampled_from(
        [
            *("tool_calls", "tool_call_id", "name", "partial", "reasoning_content"),
            *("search_results", "function_call", "refusal", "thinking", "session_id"),
        ]
    ),
    st.lists(_foreign_calls, max_size=2) | values,
    max_size=3,
)
_plain_blocks = st.one_of(
    text_blocks, thinking_blocks, call_blocks, cited_blocks, media_blocks, cache_points
)
messages = st.builds(
    ChatMessage,
    role=st.sampled_from(list(MessageRole)),
    blocks=st.lists(_plain_blocks | odd_blocks, max_size=3),
    additional_kwargs=_kwargs,
)


def _assistant(**fields: Any) -> ChatMessage:
    return ChatMessage(role=MessageRole.ASSISTANT, **fields)


@given(st.lists(messages, max_size=3))
@example([ChatMessage(blocks=[ImageBlock()])])
@example([ChatMessage(blocks=[ImageBlock(image=b"")])])
@example([_assistant(additional_kwargs={"tool_calls": 5})])
@example([_assistant(additional_kwargs={"tool_calls": [{"function": None}]})])
@example([_assistant(blocks=[ToolCallBlock(tool_name="f", tool_kwargs={"a": NOW})])])
def test_any_prompt_is_sent_or_refused(prompt: list[ChatMessage]) -> None:
    before = [_shown(message) for message in prompt]
    convert_or_refuse(from_messages, prompt)
    assert [_shown(message) for message in prompt] == before


def _shown(message: ChatMessage) -> str:
    """Return the contents of a message as text: its open files cannot be copied."""
    return repr((message.additional_kwargs, [vars(block) for block in message.blocks]))


def _texts_in(block: Any) -> list[str]:
    match block:
        case TextBlock():
            return [block.text]
        case CitableBlock():
            cited: list[Any] = list(block.content)
            return [*_names_of(block), *(part.text for part in cited)]
        case CitationBlock():
            return [*_names_of(block), *_texts_in(block.cited_content)]
        case _:
            return []


def _names_of(block: Any) -> list[str]:
    """Return the line that names the title and the source of cited content."""
    names = dict.fromkeys(name for name in (block.title, block.source) if name)
    return [f"Source: {', '.join(names)}"] if names else []


_USUAL = [MessageRole.SYSTEM, MessageRole.USER, MessageRole.ASSISTANT, MessageRole.TOOL]


@given(
    st.sampled_from(_USUAL),
    st.lists(st.one_of(text_blocks, cited_blocks, cache_points), max_size=3),
)
def test_no_text_is_lost(role: MessageRole, blocks: list[Any]) -> None:
    converted = convert_or_refuse(
        from_messages, [ChatMessage(role=role, blocks=blocks)]
    )
    assert converted is not None
    texts = [text for block in blocks for text in _texts_in(block)]
    assert text_of(converted[0]) == "".join(texts)


@pytest.mark.parametrize("kind", [ImageBlock, AudioBlock, VideoBlock])
@given(content=st.binary(min_size=1, max_size=20), as_file=st.booleans())
def test_the_bytes_of_media_are_sent(kind: Any, content: bytes, as_file: bool) -> None:
    # LlamaIndex treats bytes that look like base64 as base64.
    raw = b"\xff" + content
    (field,) = {"image", "audio", "video"} & set(kind.model_fields)
    block = kind(**{field: BytesIO(raw) if as_file else raw})
    (message,) = from_messages([ChatMessage(blocks=[block])])
    part: Any = message["content"][0]
    (inner,) = [value for name, value in part.items() if name != "type"]
    data = inner.get("url") or inner["data"]
    assert base64.b64decode(data.partition(";base64,")[2], validate=True) == raw


@given(texts, texts, st.lists(call_blocks, max_size=3), st.booleans())
def test_no_tool_call_and_no_reasoning_is_lost(
    text: str, reasoning: str, calls: list[ToolCallBlock], beside: bool
) -> None:
    blocks: list[Any] = [TextBlock(text=text), *calls]
    extra = {"reasoning_content": reasoning} if beside else {}
    if not beside:
        blocks.insert(0, ThinkingBlock(content=reasoning))
    converted = convert_or_refuse(
        from_messages, [_assistant(blocks=blocks, additional_kwargs=extra)]
    )
    assert converted is not None
    assert reasoning_of(converted[0]) == reasoning
    assert text_of(converted[0]) == text
    sent = calls_of(converted[0])
    assert [call[1] for call in sent] == [call.tool_name for call in calls]
    for call, block in zip(sent, calls, strict=True):
        assert call[0] == block.tool_call_id or not block.tool_call_id
        arguments = block.tool_kwargs
        if isinstance(arguments, str) and arguments:
            assert call[2] == calls_of({"tool_calls": [_wire(arguments)]})[0][2]


def _wire(arguments: str) -> dict[str, Any]:
    return {"id": "", "function": {"name": "", "arguments": arguments}}
