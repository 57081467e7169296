"""The indexing of LlamaIndex's example."""

# The stores have no type stubs.
# pyright: reportMissingTypeStubs=false, reportMissingImports=false

import json
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llama_index.core import VectorStoreIndex
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.schema import QueryBundle
from llama_index.core.vector_stores.types import VectorStoreQueryMode

import rag_llamaindex
from llamaindex_modelstudio import (
    ModelStudio,
    ModelStudioEmbedding,
    ModelStudioRerank,
)
from tests.rag.jobs import Chunks, Job

__all__ = ["LlamaIndexJob"]


class LlamaIndexJob(Job):
    """The example of LlamaIndex."""

    batch = rag_llamaindex.BATCH

    @contextmanager
    def open(self, url: str | None = None) -> Generator[rag_llamaindex.Index]:
        embed_model = ModelStudioEmbedding(model="text-embedding-v4", **self.arguments)
        with rag_llamaindex.open_index(embed_model, self.directory, url) as index:
            yield index

    def update(self, folder: Path, url: str | None = None) -> Any:
        documents = rag_llamaindex.read_documents(folder)
        with self.open(url) as index:
            return index.update(documents)

    def expected(self, folder: Path) -> Chunks:
        documents = rag_llamaindex.read_documents(folder)
        nodes = rag_llamaindex.make_splitter()(documents)
        return Counter((node.metadata["source"], node.get_content()) for node in nodes)

    def search(self, index: Any, query: str, mode: str, count: int) -> list[str]:
        vectors = VectorStoreIndex.from_vector_store(
            index.store, embed_model=index.embed_model
        )
        names = {
            "dense": VectorStoreQueryMode.DEFAULT,
            "hybrid": VectorStoreQueryMode.HYBRID,
        }
        retriever = vectors.as_retriever(
            vector_store_query_mode=names[mode],
            similarity_top_k=count,
            sparse_top_k=count,
            hybrid_top_k=count,
        )
        return [node.metadata["source"] for node in retriever.retrieve(query)]

    def engine(
        self, index: rag_llamaindex.Index, count: int, **arguments: Any
    ) -> CitationQueryEngine:
        """Return the example's engine with a reranker of some nodes."""
        reranker = ModelStudioRerank(model="qwen3-rerank", top_n=count, **self.service)
        defaults: dict[str, Any] = {"model": "deepseek-v4-pro", **self.service}
        llm = ModelStudio(**defaults | arguments)
        return rag_llamaindex.make_engine(index, reranker, llm)

    def search_and_rerank(self, index: Any, query: str, count: int) -> list[str]:
        found = self.engine(index, count).retrieve(QueryBundle(query))
        return [node.metadata["source"] for node in found]

    def stream_answer(self, index: Any, question: str, **arguments: Any) -> Any:
        engine = self.engine(index, 3, **arguments)
        return rag_llamaindex.stream_answer(question, engine)

    def _chunk(self, payload: Any) -> tuple[str, str]:
        return payload["source"], json.loads(payload["_node_content"])["text"]
