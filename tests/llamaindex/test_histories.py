"""The awkward histories that LlamaIndex keeps: what of them is sent."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
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
from modelstudio_core.emulator import Reply, ToolCall
from tests.llamaindex.bench import Bench

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


def sent(bench: Bench, *history: ChatMessage, **arguments: Any) -> list[dict[str, Any]]:
    """Send a history and return what arrived."""
    bench.script(Reply(text="Rain."))
    before = [it.model_dump_json() for it in history]
    bench.llm(**arguments).chat(history)
    assert [it.model_dump_json() for it in history] == before
    return bench.messages[-1]


def call(call_id: str = "call_a", arguments: str = '{"city": "Oslo"}') -> Any:
    function = {"name": "weather", "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


# --- Reasoning --------------------------------------------------------------------


def answered(bench: Bench, **asked: Any) -> ChatMessage:
    bench.script(
        Reply(
            reasoning="A tool.",
            text="Looking.",
            tool_calls=[ToolCall("weather", {"city": "Oslo"}, id="call_a")],
        )
    )
    llm = bench.llm(enable_thinking=True)
    response: ChatResponse = llm.chat([USER], tools=[TOOL], **asked)
    return response.message


def only_blocks(message: ChatMessage) -> ChatMessage:
    return ChatMessage(role=message.role, blocks=message.blocks)


def only_kwargs(message: ChatMessage) -> ChatMessage:
    return ChatMessage(
        role=message.role,
        content=message.content,
        additional_kwargs=message.additional_kwargs,
    )


def as_json(message: ChatMessage) -> ChatMessage:
    kept: ChatMessage = ChatMessage.model_validate_json(message.model_dump_json())
    return kept


def as_pickle(message: ChatMessage) -> ChatMessage:
    restored: ChatMessage = pickle.loads(pickle.dumps(message))  # noqa: S301 - our own
    return restored


@pytest.mark.parametrize(
    "kept", [as_json, as_pickle, only_blocks, only_kwargs], ids=lambda it: it.__name__
)
def test_a_turn_goes_back_as_it_came_however_it_was_kept(
    bench: Bench, kept: Any
) -> None:
    """With the reasoning beside the text and never in it."""
    turn = kept(answered(bench))
    assert sent(bench, USER, turn, result("call_a"))[1] == {
        "role": "assistant",
        "content": "Looking.",
        "reasoning_content": "A tool.",
        "tool_calls": [call()],
    }


async def test_a_memory_in_a_database_keeps_the_reasoning(
    bench: Bench, tmp_path: Path
) -> None:
    turn = answered(bench)
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'memory.db'}")
    kept = Memory.from_defaults(
        session_id="s", async_engine=engine, tokenizer_fn=str.split
    )
    await kept.aput_messages([USER, turn, result("call_a")])
    history = await kept.aget()
    await engine.dispose()
    assert sent(bench, *history) == sent(bench, USER, turn, result("call_a"))
    assert bench.messages[-1][1]["reasoning_content"] == "A tool."
    assert "session_id" not in json.dumps([dict(it.body) for it in bench.asks])


def test_reasoning_of_a_turn_without_calls_stays_here(bench: Bench) -> None:
    """The service wants it on tool turns only, unless it is to be preserved."""
    turn = ChatMessage(
        role="assistant",
        blocks=[ThinkingBlock(content="Hm."), TextBlock(text="Rain.")],
    )
    plain = {"role": "assistant", "content": "Rain."}
    assert sent(bench, USER, turn, USER)[1] == plain
    preserving = sent(
        bench, USER, turn, USER, model="qwen3.7-plus", preserve_thinking=True
    )
    assert preserving[1] == {**plain, "reasoning_content": "Hm."}


# --- Turns of other services ------------------------------------------------------


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
        {"additional_kwargs": {"tool_calls": [call()]}},
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
def test_a_tool_turn_of_another_service_is_legal(bench: Bench, turn: Any) -> None:
    """Without reasoning of its own it gets an empty one, where the model wants one."""
    message = ChatMessage(role="assistant", **turn)
    _, assistant, tool = sent(bench, USER, message, result("call_a"))
    assert assistant == {
        "role": "assistant",
        "content": "",
        "reasoning_content": "",
        "tool_calls": [call()],
    }
    assert tool["tool_call_id"] == "call_a"


def test_calls_and_results_without_any_id_are_paired(bench: Bench) -> None:
    block = BLOCK.model_copy(update={"tool_call_id": None})
    turn = ChatMessage(role="assistant", blocks=[block, block])
    _, assistant, *results = sent(bench, USER, turn, result(""), result(""))
    ids = [it["id"] for it in assistant["tool_calls"]]
    assert ids == [it["tool_call_id"] for it in results]
    assert len(set(ids)) == 2
    assert all(ids)


# --- Shapes of agents -------------------------------------------------------------


def test_a_tool_that_returned_nothing_sends_an_empty_content(bench: Bench) -> None:
    nothing = ChatMessage(
        role="tool", blocks=[], additional_kwargs={"tool_call_id": "call_a"}
    )
    turn = ChatMessage(role="assistant", blocks=[BLOCK])
    assert sent(bench, USER, turn, nothing)[2] == {
        "role": "tool",
        "content": "",
        "tool_call_id": "call_a",
    }


def test_an_image_that_a_tool_returned_is_sent_or_refused_here(bench: Bench) -> None:
    """A model that sees gets it; one that does not is not asked."""
    image = ChatMessage(
        role="tool",
        blocks=[ImageBlock(url="https://x.example/a.png")],
        additional_kwargs={"tool_call_id": "call_a"},
    )
    turn = ChatMessage(role="assistant", blocks=[BLOCK])
    tool = sent(bench, USER, turn, image, model="qwen3.7-plus")[2]
    assert tool["content"][0]["image_url"]["url"] == "https://x.example/a.png"
    with pytest.raises(errors.ConfigurationError, match="deepseek-v4-pro takes text"):
        bench.llm().chat([USER, turn, image])
    assert len(bench.asks) == 1


def test_a_direct_result_is_sent_without_its_calls_id(bench: Bench) -> None:
    turn = ChatMessage(role="assistant", blocks=[BLOCK])
    direct = ChatMessage(
        role="assistant",
        content="Rain",
        additional_kwargs={"tool_call_id": "call_a"},
    )
    messages = sent(bench, USER, turn, result("call_a"), direct, USER)
    assert messages[3] == {"role": "assistant", "content": "Rain"}


def test_a_call_that_nobody_answered_is_left_out(bench: Bench) -> None:
    other = BLOCK.model_copy(update={"tool_call_id": "call_b"})
    turn = ChatMessage(role="assistant", blocks=[BLOCK, other])
    messages = sent(bench, USER, turn, result("call_b"), USER)
    assert [it["id"] for it in messages[1]["tool_calls"]] == ["call_b"]
    lost = ChatMessage(role="assistant", blocks=[TextBlock(text="Hm."), BLOCK])
    assert sent(bench, USER, lost, USER)[1] == {"role": "assistant", "content": "Hm."}


def test_a_system_message_at_the_end_is_sent_as_the_users(bench: Bench) -> None:
    last = ChatMessage(role="system", content="Answer now.")
    first = ChatMessage(role="system", content="Be brief.")
    assert sent(bench, first, USER, last) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How is Oslo?"},
        {"role": "user", "content": "Answer now."},
    ]


@pytest.mark.parametrize("arguments", ["", " ", "{", "null", '["Oslo"]'])
def test_arguments_are_json_objects_again(bench: Bench, arguments: str) -> None:
    """A tool may be called without any, and a cut answer has half of them."""
    turn = ChatMessage(
        role="assistant", additional_kwargs={"tool_calls": [call("call_a", arguments)]}
    )
    text = sent(bench, USER, turn, result("call_a"))[1]["tool_calls"][0]["function"]
    kept = {"invalid_arguments": arguments} if arguments.strip() else {}
    assert json.loads(text["arguments"]) == kept
