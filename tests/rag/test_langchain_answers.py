"""LangChain's chains and agents over documents, with models that think."""

# The frameworks leave some of their dicts without types.
# pyright: reportMissingTypeStubs=false

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_classic.chains import create_retrieval_chain
from langchain_classic.chains.combine_documents import create_stuff_documents_chain
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.tools import create_retriever_tool

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator
from tests.rag.answers import (
    FACT,
    MODELS,
    ONE_EACH,
    QUESTION,
    SYNC_AND_ASYNC,
    check_parts,
    count_requests,
    prompts,
)
from tests.rag.langchain_job import LangChainJob

PROMPT = ChatPromptTemplate.from_messages(
    [
        ("system", "Answer from these passages and cite them by name.\n\n{context}"),
        ("human", "{input}"),
    ]
)


@pytest.fixture(scope="module")
def studio() -> Generator[Emulator]:
    with Emulator() as studio:
        yield studio


@pytest.fixture(scope="module")
def job(
    studio: Emulator, animals: Path, tmp_path_factory: pytest.TempPathFactory
) -> LangChainJob:
    job = LangChainJob(
        studio.base_url, studio.api_key, tmp_path_factory.mktemp("index")
    )
    job.update(animals)
    return job


@pytest.fixture
def retriever(job: LangChainJob) -> Generator[Any]:
    """Yield a ContextualCompressionRetriever of three passages."""
    with job.open() as index:
        yield job.retriever(index, 3)


def model(job: LangChainJob, arguments: dict[str, Any]) -> ChatModelStudio:
    return ChatModelStudio(**job.service | arguments)


@SYNC_AND_ASYNC
async def test_a_compression_retriever_reranks_in_one_request(
    studio: Emulator, retriever: Any, is_async: bool
) -> None:
    since = len(studio.requests)
    found = (
        await retriever.ainvoke(QUESTION) if is_async else retriever.invoke(QUESTION)
    )
    assert found[0].metadata["source"] == "nature/blue-whale.md"
    scores = [document.metadata["relevance_score"] for document in found]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert count_requests(studio, since) == {"embedding": 1, "rerank": 1}
    assert len(studio.requests[-1].body["documents"]) == 7


@MODELS
@SYNC_AND_ASYNC
async def test_a_retrieval_chain_makes_three_requests(
    studio: Emulator,
    job: LangChainJob,
    retriever: Any,
    arguments: dict[str, Any],
    is_async: bool,
) -> None:
    since = len(studio.requests)
    chain: Any = create_retrieval_chain(
        retriever,
        create_stuff_documents_chain(
            model(job, arguments),
            PROMPT,
            document_prompt=PromptTemplate.from_template("{source}: {page_content}"),
        ),
    )
    given = {"input": QUESTION}
    result = await chain.ainvoke(given) if is_async else chain.invoke(given)
    assert FACT in result["answer"]
    assert "The user asks" not in result["answer"]
    assert len(result["context"]) == 3
    assert count_requests(studio, since) == ONE_EACH
    (messages,) = prompts(studio, since)
    assert "nature/blue-whale.md: # Blue whale" in str(messages[0]["content"])


@MODELS
@SYNC_AND_ASYNC
async def test_a_retrieval_chain_streams_the_answer_alone(
    studio: Emulator,
    job: LangChainJob,
    retriever: Any,
    arguments: dict[str, Any],
    is_async: bool,
) -> None:
    since = len(studio.requests)
    chain: Any = create_retrieval_chain(
        retriever, create_stuff_documents_chain(model(job, arguments), PROMPT)
    )
    given = {"input": QUESTION}
    if is_async:
        parts = [part async for part in chain.astream(given)]
    else:
        parts = list(chain.stream(given))
    pieces = [part["answer"] for part in parts if part.get("answer")]
    assert len(pieces) > 3
    assert FACT in "".join(pieces)
    assert count_requests(studio, since) == ONE_EACH


@MODELS
def test_the_example_streams_reasoning_then_a_cited_answer(
    studio: Emulator, job: LangChainJob, arguments: dict[str, Any]
) -> None:
    since = len(studio.requests)
    with job.open() as index:
        parts = list(job.stream_answer(index, QUESTION, **arguments))
    check_parts(parts, f"{FACT} [1].", "[1] nature/blue-whale.md")
    assert count_requests(studio, since) == ONE_EACH


@MODELS
@SYNC_AND_ASYNC
async def test_an_agent_searches_once_and_answers(
    studio: Emulator,
    job: LangChainJob,
    retriever: Any,
    arguments: dict[str, Any],
    is_async: bool,
) -> None:
    since = len(studio.requests)
    tool = create_retriever_tool(
        retriever,
        "search_documents",
        "Search the documents on animals and plants.",
        document_prompt=PromptTemplate.from_template("{source}: {page_content}"),
    )
    agent: Any = create_agent(
        model(job, arguments),
        [tool],
        system_prompt="Always use search_documents before you answer.",
    )
    given = {"messages": [("user", QUESTION)]}
    result = await agent.ainvoke(given) if is_async else agent.invoke(given)
    asked, call, found, answer = result["messages"]
    assert asked.content == QUESTION
    assert isinstance(call, AIMessage)
    assert len(call.tool_calls) == 1
    assert isinstance(found, ToolMessage)
    assert "nature/blue-whale.md: # Blue whale" in found.text
    assert FACT in answer.text
    assert answer.additional_kwargs["reasoning_content"]
    assert count_requests(studio, since) == ONE_EACH | {"chat": 2}
    last = prompts(studio, since)[-1]
    roles = [message["role"] for message in last]
    assert roles == ["system", "user", "assistant", "tool"]
    assert last[2]["reasoning_content"] == call.additional_kwargs["reasoning_content"]
