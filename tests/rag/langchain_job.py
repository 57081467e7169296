"""The indexing of LangChain's example."""

# The stores have no type stubs.
# pyright: reportMissingTypeStubs=false, reportMissingImports=false

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langchain_qdrant import RetrievalMode

import rag_langchain
from langchain_modelstudio import (
    ChatModelStudio,
    ModelStudioEmbeddings,
    ModelStudioRerank,
)
from tests.rag.jobs import Chunks, Job

__all__ = ["LangChainJob"]


class LangChainJob(Job):
    """The example of LangChain."""

    batch = rag_langchain.BATCH

    @contextmanager
    def open(self, url: str | None = None) -> Generator[rag_langchain.Index]:
        embeddings = ModelStudioEmbeddings(model="text-embedding-v4", **self.arguments)
        with rag_langchain.open_index(embeddings, self.directory, url) as index:
            yield index

    def update(self, folder: Path, url: str | None = None) -> Any:
        chunks = rag_langchain.read_chunks(folder)
        with self.open(url) as index:
            return index.update(chunks)

    def expected(self, folder: Path) -> Chunks:
        return Counter(
            (chunk.metadata["source"], chunk.page_content)
            for chunk in rag_langchain.read_chunks(folder)
        )

    def search(self, index: Any, query: str, mode: str, count: int) -> list[str]:
        index.store.retrieval_mode = RetrievalMode(mode)
        found = index.store.similarity_search(query, k=count)
        return [document.metadata["source"] for document in found]

    def retriever(self, index: rag_langchain.Index, count: int) -> Any:
        """Return the example's retriever with a reranker of some documents."""
        reranker = ModelStudioRerank(model="qwen3-rerank", top_n=count, **self.service)
        return rag_langchain.make_retriever(index, reranker)

    def search_and_rerank(self, index: Any, query: str, count: int) -> list[str]:
        found = self.retriever(index, count).invoke(query)
        return [document.metadata["source"] for document in found]

    def stream_answer(self, index: Any, question: str, **arguments: Any) -> Any:
        model = ChatModelStudio(**self.service | arguments)
        return rag_langchain.stream_answer(question, self.retriever(index, 3), model)

    def _chunk(self, payload: Any) -> tuple[str, str]:
        return payload["metadata"]["source"], payload["page_content"]
