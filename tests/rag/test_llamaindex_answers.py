"""LlamaIndex's engines over documents, with models that think."""

# The stores have no type stubs, and LlamaIndex types only some of its attributes.
# pyright: reportMissingTypeStubs=false, reportMissingImports=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.chat_engine import CondensePlusContextChatEngine
from llama_index.core.query_engine import CitationQueryEngine, RetrieverQueryEngine
from llama_index.core.vector_stores.types import VectorStoreQueryMode
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import AsyncQdrantClient

from llamaindex_modelstudio import ModelStudio, ModelStudioRerank
from llamaindex_modelstudio.sparse import sparse_doc_fn, sparse_query_fn
from modelstudio_core.emulator import Emulator
from rag_llamaindex import make_splitter, read_documents
from tests.llamaindex.support import chat_memory
from tests.llamaindex.test_engines import talk
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
from tests.rag.llamaindex_job import LlamaIndexJob
from tests.support.retrieval import embedder

HYBRID: dict[str, Any] = {
    "vector_store_query_mode": VectorStoreQueryMode.HYBRID,
    "similarity_top_k": 20,
    "sparse_top_k": 20,
    "hybrid_top_k": 20,
}
METHODS = {
    (False, False): "chat",
    (True, False): "achat",
    (False, True): "stream_chat",
    (True, True): "astream_chat",
}
STREAMING = pytest.mark.parametrize("streaming", [False, True], ids=["", "streaming"])


class Service(NamedTuple):
    """An emulator, and an index of documents on animals and plants on disk."""

    studio: Emulator
    job: LlamaIndexJob
    documents: Path

    def llm(self, arguments: dict[str, Any]) -> ModelStudio:
        return ModelStudio(**self.job.service | arguments)

    def reranker(self) -> ModelStudioRerank:
        return ModelStudioRerank(model="qwen3-rerank", top_n=3, **self.job.service)

    @asynccontextmanager
    async def retriever(self, *, is_async: bool) -> AsyncGenerator[Any]:
        """Yield a hybrid retriever; a client of Qdrant is of one kind."""
        if is_async:
            async with self._async_retriever() as retriever:
                yield retriever
            return
        with self.job.open() as index:
            yield VectorStoreIndex.from_vector_store(
                index.store, embed_model=index.embed_model
            ).as_retriever(**HYBRID)

    @asynccontextmanager
    async def _async_retriever(self) -> AsyncGenerator[Any]:
        embed_model: Any = embedder("LlamaIndex", self.studio, dimensions=64)
        client = AsyncQdrantClient(":memory:")
        store = QdrantVectorStore(
            "texts",
            aclient=client,
            enable_hybrid=True,
            sparse_doc_fn=sparse_doc_fn(embed_model),
            sparse_query_fn=sparse_query_fn(embed_model),
            index_doc_id=False,
        )
        context = StorageContext.from_defaults(vector_store=store)
        index = VectorStoreIndex(
            [], storage_context=context, embed_model=embed_model, use_async=True
        )
        await index.ainsert_nodes(make_splitter()(read_documents(self.documents)))
        yield index.as_retriever(**HYBRID)
        await client.close()


@pytest.fixture(scope="module")
def service(
    animals: Path, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Service]:
    with Emulator() as studio:
        directory = tmp_path_factory.mktemp("index")
        job = LlamaIndexJob(studio.base_url, studio.api_key, directory)
        job.update(animals)
        yield Service(studio, job, animals)


@MODELS
@SYNC_AND_ASYNC
@STREAMING
async def test_a_citation_engine_makes_three_requests(
    service: Service, arguments: dict[str, Any], is_async: bool, streaming: bool
) -> None:
    async with service.retriever(is_async=is_async) as retriever:
        since = len(service.studio.requests)
        engine = CitationQueryEngine.from_args(
            index=retriever._index,
            llm=service.llm(arguments),
            retriever=retriever,
            node_postprocessors=[service.reranker()],
            streaming=streaming,
        )
        response: Any = (
            await engine.aquery(QUESTION) if is_async else engine.query(QUESTION)
        )
        if streaming and is_async:
            pieces = [piece async for piece in response.async_response_gen()]
        else:
            pieces = list(response.response_gen) if streaming else [str(response)]
    assert len(pieces) > 3 or not streaming
    assert f"{FACT} [1]." in "".join(pieces)
    assert "The user asks" not in "".join(pieces)
    assert response.source_nodes[0].metadata["source"] == "nature/blue-whale.md"
    assert len(response.source_nodes) == 3
    assert count_requests(service.studio, since) == ONE_EACH
    (messages,) = prompts(service.studio, since)
    assert "Source 1:" in str(messages[-1]["content"])


@MODELS
@SYNC_AND_ASYNC
async def test_a_query_engine_with_a_reranker_makes_three_requests(
    service: Service, arguments: dict[str, Any], is_async: bool
) -> None:
    async with service.retriever(is_async=is_async) as retriever:
        since = len(service.studio.requests)
        engine = RetrieverQueryEngine.from_args(
            retriever,
            llm=service.llm(arguments),
            node_postprocessors=[service.reranker()],
        )
        response: Any = (
            await engine.aquery(QUESTION) if is_async else engine.query(QUESTION)
        )
    assert FACT in str(response)
    assert "The user asks" not in str(response)
    sources = [node.metadata["source"] for node in response.source_nodes]
    scores = [node.score for node in response.source_nodes]
    assert sources[0] == "nature/blue-whale.md"
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert count_requests(service.studio, since) == ONE_EACH


@MODELS
@SYNC_AND_ASYNC
@STREAMING
async def test_a_chat_engine_condenses_the_second_question_only(
    service: Service, arguments: dict[str, Any], is_async: bool, streaming: bool
) -> None:
    async with service.retriever(is_async=is_async) as retriever:
        engine = CondensePlusContextChatEngine.from_defaults(
            retriever,
            llm=service.llm(arguments),
            node_postprocessors=[service.reranker()],
            memory=chat_memory(),
        )
        method = METHODS[is_async, streaming]
        since = len(service.studio.requests)
        assert FACT in await talk(engine, method, QUESTION)
        assert count_requests(service.studio, since) == ONE_EACH
        since = len(service.studio.requests)
        await talk(engine, method, "What does it eat?")
        assert count_requests(service.studio, since) == ONE_EACH | {"chat": 2}
        assert FACT in str(prompts(service.studio, since)[0])


@MODELS
def test_the_example_streams_reasoning_then_a_cited_answer(
    service: Service, arguments: dict[str, Any]
) -> None:
    since = len(service.studio.requests)
    with service.job.open() as index:
        parts = list(service.job.stream_answer(index, QUESTION, **arguments))
    check_parts(parts, f"{FACT} [1].", "[1] nature/blue-whale.md")
    assert count_requests(service.studio, since) == ONE_EACH
