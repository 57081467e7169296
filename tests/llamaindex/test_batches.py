"""Batches with LlamaIndex's messages."""

from pathlib import Path

import pytest
from llama_index.core.base.llms.types import (
    ChatMessage,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel

from llamaindex_modelstudio import ModelStudioEmbedding
from llamaindex_modelstudio.batches import BatchRow, BatchRun
from modelstudio_core.emulator import BatchScript, Emulator, Reply, ToolCall
from modelstudio_core.errors import ConfigurationError
from tests.support.batches import bodies_of, finish
from tests.support.models import model


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def collected(studio: Emulator, run: BatchRun) -> list[BatchRow[ChatMessage]]:
    run.submit()
    finish(studio, run)
    return list(run.results())


def test_a_row_is_the_message_of_a_call(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    llm = model("LlamaIndex", modelstudio_emulator, model="qwen3.7-plus")
    run = BatchRun.prepare(llm, ["What is 2 + 2?"], directory=tmp_path / "run")
    (row,) = collected(modelstudio_emulator, run)
    expected = llm.chat([ChatMessage(role="user", content="What is 2 + 2?")])
    assert row.message == expected.message
    assert [type(block) for block in expected.message.blocks] == [
        ThinkingBlock,
        TextBlock,
    ]
    assert row.usage is not None
    counts = expected.additional_kwargs
    assert row.usage.total_tokens == counts["total_tokens"]
    assert row.usage.reasoning_tokens == counts["reasoning_tokens"]
    assert row.finish_reason == counts["finish_reason"]


def test_inputs_are_what_complete_and_chat_take(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    llm = model(
        "LlamaIndex",
        modelstudio_emulator,
        completion_to_prompt=lambda text: f"Briefly: {text}",
    )
    message = ChatMessage(role="user", content="Hi")
    path = tmp_path / "run"
    BatchRun.prepare(llm, ["Hi", message, [message, message]], directory=path)
    llm.complete("Hi")
    llm.chat([message])
    llm.chat([message, message])
    sent = [request.body["messages"] for request in modelstudio_emulator.requests]
    assert [body["messages"] for body in bodies_of(path)] == sent
    for wrong in (3, [3], {"role": "user"}):
        with pytest.raises(ConfigurationError, match=r"inputs\[0\]: it must be"):
            BatchRun.prepare(llm, [wrong], directory=tmp_path / "other")


def test_tools_are_arguments_of_the_call(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    reply = Reply(tool_calls=[ToolCall("add", {"a": 3, "b": 4}, id="c")])
    modelstudio_emulator.script_batches(BatchScript(replies={0: reply}))
    llm = model("LlamaIndex", modelstudio_emulator, model="qwen3.7-plus")
    specification = FunctionTool.from_defaults(add).metadata.to_openai_tool()
    path = tmp_path / "run"
    run = BatchRun.prepare(llm, ["Add."], path, arguments={"tools": [specification]})
    assert bodies_of(path)[0]["tools"][0]["function"]["name"] == "add"
    (row,) = collected(modelstudio_emulator, run)
    assert row.message is not None
    (block,) = [b for b in row.message.blocks if isinstance(b, ToolCallBlock)]
    assert block.tool_kwargs == {"a": 3, "b": 4}


def test_other_objects_are_refused(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    class Answer(BaseModel):
        """An answer."""

        text: str

    llm = model("LlamaIndex", modelstudio_emulator, model="qwen3.7-plus")
    with pytest.raises(ConfigurationError, match="pass the model itself"):
        BatchRun.prepare(llm.as_structured_llm(Answer), ["Hi"], tmp_path / "run")


async def test_embeddings_have_a_vector_a_row(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    embed_model = ModelStudioEmbedding(
        model="text-embedding-v4",
        dimensions=128,
        base_url=modelstudio_emulator.base_url,
        api_key=modelstudio_emulator.api_key,
    )
    texts = ["A red fox.", "A blue car."]
    run = BatchRun.prepare(embed_model, texts, directory=tmp_path / "run")
    await run.asubmit()
    modelstudio_emulator.advance(60)
    await run.acollect(poll_interval=0)
    vectors = [row.embedding for row in run.results()]
    assert vectors == embed_model.get_text_embedding_batch(texts)
    assert await run.aresume() == 0
    await run.acancel()
