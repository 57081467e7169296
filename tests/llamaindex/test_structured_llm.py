"""``as_structured_llm``: all of its methods, and what they keep."""

# LlamaIndex has half of the types for its responses.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from typing import Any

import pytest
from llama_index.core.base.llms.types import ThinkingBlock
from llama_index.core.program.utils import FlexibleModel

from modelstudio_core.emulator import Reply
from tests.llamaindex.bench import Bench
from tests.llamaindex.books import BOOK, HI, SCHEMA, TEXT, TOOL, Book, reply

MODELS = pytest.mark.parametrize("model", [TOOL, SCHEMA])


@MODELS
async def test_a_structured_model_answers_whole(bench: Bench, model: str) -> None:
    """As JSON and as the object, with the usage beside it."""
    bench.script(*[reply(model)] * 4)
    llm = bench.llm(model).as_structured_llm(Book)
    responses: list[Any] = [
        llm.chat(HI),
        await llm.achat(HI),
        llm.complete("Hi"),
        await llm.acomplete("Hi"),
    ]
    for response in responses:
        assert response.raw == Book.model_validate(BOOK)
    assert responses[0].message.content == Book.model_validate(BOOK).model_dump_json()
    assert responses[0].additional_kwargs["total_tokens"] > 0
    assert bench.messages[0][0]["content"] == HI[0].content


@MODELS
async def test_a_structured_model_streams(bench: Bench, model: str) -> None:
    """The pieces are those of the JSON text, and the last response has the object."""
    bench.script(*[reply(model)] * 4)
    llm = bench.llm(model).as_structured_llm(Book)
    streams: list[list[Any]] = [
        list(llm.stream_chat(HI)),
        [it async for it in await llm.astream_chat(HI)],
        list(llm.stream_complete("Hi")),
        [it async for it in await llm.astream_complete("Hi")],
    ]
    for responses in streams:
        assert responses[-1].raw == Book.model_validate(BOOK)
        assert "".join(it.delta for it in responses) == TEXT
        assert any(isinstance(it.raw, FlexibleModel) for it in responses)


async def test_a_structured_model_keeps_the_reasoning(bench: Bench) -> None:
    """The forced tool is sent as ``auto`` here, so that there is some."""
    bench.script(*[reply(TOOL, reasoning="A book.")] * 3)
    asked = bench.llm(TOOL, enable_thinking=True, forced_tool_choice="auto")
    llm = asked.as_structured_llm(Book)
    with pytest.warns(UserWarning, match="auto"):
        answer = llm.chat(HI)
    with pytest.warns(UserWarning, match="auto"):
        pieces = list(llm.stream_chat(HI))
    with pytest.warns(UserWarning, match="auto"):
        apieces = [it async for it in await llm.astream_chat(HI)]
    for response in (answer, pieces[-1], apieces[-1]):
        assert isinstance(response.message.blocks[0], ThinkingBlock)
        assert response.message.additional_kwargs == {"reasoning_content": "A book."}
        assert response.raw == Book.model_validate(BOOK)
    for stream in (pieces, apieces):
        thinking = [it.additional_kwargs["thinking_delta"] for it in stream]
        assert "".join(thinking) == "A book."


def test_a_structured_model_writes_into_nobodys_messages(bench: Bench) -> None:
    """The schema in words is added to a copy."""
    bench.script(Reply(text=TEXT))
    llm = bench.llm(SCHEMA, pydantic_program_mode="llm").as_structured_llm(Book)
    before = HI[0].model_dump_json()
    assert llm.chat(HI).raw == Book.model_validate(BOOK)
    assert HI[0].model_dump_json() == before
    assert "JSON schema" in str(bench.messages[0])


async def test_a_structured_model_of_another_mode_is_llamaindexs(bench: Bench) -> None:
    llm = bench.llm(SCHEMA, pydantic_program_mode="openai").as_structured_llm(Book)
    with pytest.raises(ImportError):
        llm.chat(HI)
    with pytest.raises(ImportError):
        await llm.achat(HI)
    with pytest.raises(ImportError):
        list(llm.stream_chat(HI))
    with pytest.raises(ImportError):
        [it async for it in await llm.astream_chat(HI)]
