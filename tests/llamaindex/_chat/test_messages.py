"""Conversion of messages, and of the histories that LlamaIndex keeps."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
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
from llama_index.core.memory import Memory
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import create_async_engine

from modelstudio_core import errors
from modelstudio_core.chat.history import NO_RESULT
from modelstudio_core.emulator import Reply, ToolCall
from tests.llamaindex.support import HI, EmulatedService, replay_llm, sent_body
from tests.support.answers import CALLS, STREAM
from tests.support.replay import replaying

USER = ChatMessage(role=MessageRole.USER, content="How is Oslo?")
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def result(call_id: str, content: str = "Rain") -> ChatMessage:
    return ChatMessage(
        role=MessageRole.TOOL,
        content=content,
        additional_kwargs={"tool_call_id": call_id, "name": "weather"},
    )


def sent(
    service: EmulatedService, *history: ChatMessage, **arguments: Any
) -> list[dict[str, Any]]:
    """Send a history and return the messages of the request."""
    service.script(Reply(text="Rain."))
    before = [message.model_dump_json() for message in history]
    service.llm(**arguments).chat(history)
    assert [message.model_dump_json() for message in history] == before
    return service.messages[-1]


def tool_call(call_id: str = "call_a", arguments: str = '{"city": "Oslo"}') -> Any:
    function = {"name": "weather", "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


# --- Blocks -----------------------------------------------------------------------


def test_blocks_are_sent_in_the_format_of_the_service() -> None:
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
            additional_kwargs={"session_id": "of a memory"},
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
    body = sent_body(messages)
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


def test_an_answer_is_sent_back_unchanged() -> None:
    with replaying(200, STREAM, CALLS) as replay:
        *_, last = replay_llm(replay).stream_chat(HI)
    restored = ChatMessage.model_validate(json.loads(last.message.model_dump_json()))
    body = sent_body([*HI, restored])
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


@pytest.mark.parametrize("role", ["user", "system"])
@pytest.mark.parametrize(
    "block",
    [
        ThinkingBlock(content="hm"),
        ToolCallBlock(tool_call_id="1", tool_name="weather", tool_kwargs={}),
    ],
    ids=["thinking", "tool call"],
)
def test_what_only_an_assistant_says_is_refused_in_other_roles(
    role: str, block: ThinkingBlock | ToolCallBlock
) -> None:
    message = ChatMessage(role=MessageRole(role), blocks=[TextBlock(text="Hi"), block])
    with replaying(200, {}, b"") as replay:
        with pytest.raises(errors.ConfigurationError) as caught:
            replay_llm(replay).chat([message])
        assert replay.requests == []
    assert f"A {type(block).__name__} in a message of the role {role!r}" in str(
        caught.value
    )


def test_a_document_of_another_format_is_refused() -> None:
    block = DocumentBlock(data=b"PK", document_mimetype="application/msword")
    message = ChatMessage(role="user", blocks=[block])
    with pytest.raises(errors.ConfigurationError, match="DocumentBlock"):
        replay_llm().chat([message])


# --- Reasoning --------------------------------------------------------------------


def assistant_message(service: EmulatedService) -> ChatMessage:
    """Return the message of an answer with reasoning, text and a tool call."""
    service.script(
        Reply(
            reasoning="A tool.",
            text="Looking.",
            tool_calls=[ToolCall("weather", {"city": "Oslo"}, id="call_a")],
        )
    )
    llm = service.llm(enable_thinking=True)
    response: ChatResponse = llm.chat([USER], tools=[TOOL])
    return response.message


def with_blocks_only(message: ChatMessage) -> ChatMessage:
    return ChatMessage(role=message.role, blocks=message.blocks)


def with_kwargs_only(message: ChatMessage) -> ChatMessage:
    return ChatMessage(
        role=message.role,
        content=message.content,
        additional_kwargs=message.additional_kwargs,
    )


def from_json(message: ChatMessage) -> ChatMessage:
    restored: ChatMessage = ChatMessage.model_validate_json(message.model_dump_json())
    return restored


def from_pickle(message: ChatMessage) -> ChatMessage:
    restored: ChatMessage = pickle.loads(pickle.dumps(message))  # noqa: S301 - our own
    return restored


@pytest.mark.parametrize(
    "restore",
    [from_json, from_pickle, with_blocks_only, with_kwargs_only],
    ids=lambda function: function.__name__,
)
def test_an_assistant_message_is_sent_back_unchanged(
    service: EmulatedService, restore: Any
) -> None:
    """The reasoning is sent in its own field and not in the text."""
    turn = restore(assistant_message(service))
    assert sent(service, USER, turn, result("call_a"))[1] == {
        "role": "assistant",
        "content": "Looking.",
        "reasoning_content": "A tool.",
        "tool_calls": [tool_call()],
    }


async def test_a_memory_in_a_database_keeps_the_reasoning(
    service: EmulatedService, tmp_path: Path
) -> None:
    turn = assistant_message(service)
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'memory.db'}")
    memory = Memory.from_defaults(
        session_id="s", async_engine=engine, tokenizer_fn=str.split
    )
    await memory.aput_messages([USER, turn, result("call_a")])
    history = await memory.aget()
    await engine.dispose()
    assert sent(service, *history) == sent(service, USER, turn, result("call_a"))
    assert service.messages[-1][1]["reasoning_content"] == "A tool."
    assert "session_id" not in json.dumps(
        [dict(request.body) for request in service.requests]
    )


def test_reasoning_without_tool_calls_is_not_sent_back(
    service: EmulatedService,
) -> None:
    """The service needs it with tool calls only, except with preserve_thinking."""
    turn = ChatMessage(
        role="assistant",
        blocks=[ThinkingBlock(content="Hm."), TextBlock(text="Rain.")],
    )
    plain = {"role": "assistant", "content": "Rain."}
    assert sent(service, USER, turn, USER)[1] == plain
    preserving = sent(
        service, USER, turn, USER, model="qwen3.7-plus", preserve_thinking=True
    )
    assert preserving[1] == {**plain, "reasoning_content": "Hm."}


# --- Tool calls of other services -------------------------------------------------


class _Function(BaseModel):
    name: str = "weather"
    arguments: str = '{"city": "Oslo"}'


class _SdkCall(BaseModel):
    id: str = "call_a"
    type: str = "function"
    function: _Function = _Function()


BLOCK = ToolCallBlock(
    tool_call_id="call_a", tool_name="weather", tool_kwargs={"city": "Oslo"}
)


@pytest.mark.parametrize(
    "turn",
    [
        {"additional_kwargs": {"tool_calls": [_SdkCall()]}},
        {"additional_kwargs": {"tool_calls": [tool_call()]}},
        {
            "additional_kwargs": {
                "tool_calls": [
                    {"id": "call_a", "name": "weather", "input": {"city": "Oslo"}}
                ]
            }
        },
        {
            "blocks": [BLOCK],
            "additional_kwargs": {
                "tool_calls": [{"toolUseId": "call_a", "name": "weather"}]
            },
        },
        {
            "blocks": [
                BLOCK.model_copy(update={"tool_kwargs": '{"city": "Oslo"}'}),
            ]
        },
        {"blocks": [BLOCK.model_copy(update={"tool_call_id": None})]},
    ],
    ids=["SDK objects", "dicts", "Anthropic's", "Bedrock's", "text", "no id"],
)
def test_tool_calls_of_other_services_are_converted(
    service: EmulatedService, turn: Any
) -> None:
    """A model that requires reasoning with tool calls gets an empty one."""
    message = ChatMessage(role="assistant", **turn)
    _, assistant, tool = sent(service, USER, message, result("call_a"))
    assert assistant == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "",
        "tool_calls": [tool_call()],
    }
    assert tool["tool_call_id"] == "call_a"


def test_tool_calls_and_results_without_ids_are_paired(
    service: EmulatedService,
) -> None:
    block = BLOCK.model_copy(update={"tool_call_id": None})
    turn = ChatMessage(role="assistant", blocks=[block, block])
    _, assistant, *results = sent(service, USER, turn, result(""), result(""))
    ids = [call["id"] for call in assistant["tool_calls"]]
    assert ids == [message["tool_call_id"] for message in results]
    assert len(set(ids)) == 2
    assert all(ids)


# --- Histories of agents ----------------------------------------------------------


def test_an_empty_tool_result_is_sent_as_empty_text(service: EmulatedService) -> None:
    nothing = ChatMessage(
        role="tool", blocks=[], additional_kwargs={"tool_call_id": "call_a"}
    )
    turn = ChatMessage(role="assistant", blocks=[BLOCK])
    assert sent(service, USER, turn, nothing)[2] == {
        "role": "tool",
        "content": "",
        "tool_call_id": "call_a",
    }


def test_an_image_in_a_tool_result_depends_on_the_model(
    service: EmulatedService,
) -> None:
    """A vision model gets it; a text-only model gets a sentence."""
    image = ChatMessage(
        role="tool",
        blocks=[ImageBlock(url="https://x.example/a.png")],
        additional_kwargs={"tool_call_id": "call_a"},
    )
    turn = ChatMessage(role="assistant", blocks=[BLOCK])
    *_, tool, shown = sent(service, USER, turn, image, model="qwen3.7-plus")
    assert tool["role"] == "tool"
    assert shown["content"][1]["image_url"]["url"] == "https://x.example/a.png"
    with pytest.warns(errors.ModelStudioWarning, match="supports only text"):
        *_, tool = sent(service, USER, turn, image)
    assert tool["content"].startswith("[An image was returned and is not shown")


def test_an_assistant_message_is_sent_without_tool_call_id(
    service: EmulatedService,
) -> None:
    turn = ChatMessage(role="assistant", blocks=[BLOCK])
    direct = ChatMessage(
        role="assistant",
        content="Rain",
        additional_kwargs={"tool_call_id": "call_a"},
    )
    messages = sent(service, USER, turn, result("call_a"), direct, USER)
    assert messages[3] == {"role": "assistant", "content": "Rain"}


def test_tool_calls_without_results_get_one(service: EmulatedService) -> None:
    other = BLOCK.model_copy(update={"tool_call_id": "call_b"})
    turn = ChatMessage(role="assistant", blocks=[BLOCK, other])
    messages = sent(service, USER, turn, result("call_b"), USER)
    assert [call["id"] for call in messages[1]["tool_calls"]] == ["call_a", "call_b"]
    assert [tool["content"] for tool in messages[2:4]] == [NO_RESULT, "Rain"]
    lost = ChatMessage(role="assistant", blocks=[TextBlock(text="Hm."), BLOCK])
    _, said, tool, _ = sent(service, USER, lost, USER)
    assert (said["content"], tool["content"]) == ("Hm.", NO_RESULT)


def test_a_last_system_message_is_sent_with_role_user(service: EmulatedService) -> None:
    last = ChatMessage(role="system", content="Answer now.")
    first = ChatMessage(role="system", content="Be brief.")
    assert sent(service, first, USER, last) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How is Oslo?"},
        {"role": "user", "content": "Answer now."},
    ]


@pytest.mark.parametrize("arguments", ["", " ", "{", "null", '["Oslo"]'])
def test_invalid_tool_arguments_are_sent_as_json_objects(
    service: EmulatedService, arguments: str
) -> None:
    """Arguments may be missing, or incomplete if the answer was cut off."""
    turn = ChatMessage(
        role="assistant",
        additional_kwargs={"tool_calls": [tool_call("call_a", arguments)]},
    )
    (call,) = sent(service, USER, turn, result("call_a"))[1]["tool_calls"]
    expected = {"invalid_arguments": arguments} if arguments.strip() else {}
    assert json.loads(call["function"]["arguments"]) == expected
