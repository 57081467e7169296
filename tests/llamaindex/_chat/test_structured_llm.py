"""``as_structured_llm``: its methods, and the reasoning and usage they keep."""

# LlamaIndex types only some attributes of its responses.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from typing import Any

import pytest
from llama_index.core.base.llms.types import ThinkingBlock
from llama_index.core.program.utils import FlexibleModel

from modelstudio_core.emulator import Reply
from tests.llamaindex.books import (
    BOOK,
    BOOK_JSON,
    BOOK_MESSAGES,
    SCHEMA_MODEL,
    TOOL_MODEL,
    Book,
    book_reply,
)
from tests.llamaindex.support import EmulatedService

MODELS = pytest.mark.parametrize("model", [TOOL_MODEL, SCHEMA_MODEL])


@MODELS
async def test_a_structured_llm_answers_with_an_object(
    service: EmulatedService, model: str
) -> None:
    """As JSON text and as ``raw``, with the token counts."""
    service.script(*[book_reply(model)] * 4)
    llm = service.llm(model).as_structured_llm(Book)
    responses: list[Any] = [
        llm.chat(BOOK_MESSAGES),
        await llm.achat(BOOK_MESSAGES),
        llm.complete("Hi"),
        await llm.acomplete("Hi"),
    ]
    for response in responses:
        assert response.raw == BOOK
    assert responses[0].message.content == BOOK.model_dump_json()
    assert responses[0].additional_kwargs["total_tokens"] > 0
    assert service.messages[0][0]["content"] == BOOK_MESSAGES[0].content


@MODELS
async def test_a_structured_llm_streams_json_text_and_objects(
    service: EmulatedService, model: str
) -> None:
    """The deltas are JSON text, and the last response has the complete object."""
    service.script(*[book_reply(model)] * 4)
    llm = service.llm(model).as_structured_llm(Book)
    streams: list[list[Any]] = [
        list(llm.stream_chat(BOOK_MESSAGES)),
        [response async for response in await llm.astream_chat(BOOK_MESSAGES)],
        list(llm.stream_complete("Hi")),
        [response async for response in await llm.astream_complete("Hi")],
    ]
    for responses in streams:
        assert responses[-1].raw == BOOK
        assert "".join(response.delta for response in responses) == BOOK_JSON
        assert any(isinstance(response.raw, FlexibleModel) for response in responses)


async def test_a_structured_llm_keeps_the_reasoning(service: EmulatedService) -> None:
    """``auto`` keeps thinking on."""
    service.script(*[book_reply(TOOL_MODEL, reasoning="A book.")] * 3)
    thinking_llm = service.llm(
        TOOL_MODEL, enable_thinking=True, forced_tool_choice="auto"
    )
    llm = thinking_llm.as_structured_llm(Book)
    with pytest.warns(UserWarning, match="auto"):
        answer = llm.chat(BOOK_MESSAGES)
    responses = list(llm.stream_chat(BOOK_MESSAGES))
    aresponses = [response async for response in await llm.astream_chat(BOOK_MESSAGES)]
    for response in (answer, responses[-1], aresponses[-1]):
        assert isinstance(response.message.blocks[0], ThinkingBlock)
        assert response.message.additional_kwargs == {"reasoning_content": "A book."}
        assert response.raw == BOOK
    for stream in (responses, aresponses):
        deltas = [chunk.additional_kwargs["thinking_delta"] for chunk in stream]
        assert "".join(deltas) == "A book."


def test_a_structured_llm_does_not_change_the_messages(
    service: EmulatedService,
) -> None:
    """The schema is put into a copy of the prompt."""
    service.script(Reply(text=BOOK_JSON))
    llm = service.llm(SCHEMA_MODEL, pydantic_program_mode="llm").as_structured_llm(Book)
    before = BOOK_MESSAGES[0].model_dump_json()
    assert llm.chat(BOOK_MESSAGES).raw == BOOK
    assert BOOK_MESSAGES[0].model_dump_json() == before
    assert "JSON schema" in str(service.messages[0])


async def test_llamaindex_handles_other_program_modes_of_a_structured_llm(
    service: EmulatedService,
) -> None:
    llm = service.llm(SCHEMA_MODEL, pydantic_program_mode="openai").as_structured_llm(
        Book
    )
    with pytest.raises(ImportError):
        llm.chat(BOOK_MESSAGES)
    with pytest.raises(ImportError):
        await llm.achat(BOOK_MESSAGES)
    with pytest.raises(ImportError):
        list(llm.stream_chat(BOOK_MESSAGES))
    with pytest.raises(ImportError):
        [response async for response in await llm.astream_chat(BOOK_MESSAGES)]
