"""Chroma, the second store of docs/rag.md, where its packages are installed."""

from pathlib import Path
from typing import Any

import pytest
from langchain_classic.indexes import SQLRecordManager
from langchain_core.indexing import index as index_documents
from llama_index.core import VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline

import rag_langchain
import rag_llamaindex
from langchain_modelstudio import ModelStudioEmbeddings
from llamaindex_modelstudio import ModelStudioEmbedding
from modelstudio_core.emulator import Emulator
from tests.support.retrieval import embedder

chromadb: Any = pytest.importorskip("chromadb")
QUERY = "How much does the heart of a blue whale weigh?"


def test_langchain(
    modelstudio_emulator: Emulator, animals: Path, tmp_path: Path
) -> None:
    chroma: Any = pytest.importorskip("langchain_chroma")
    embeddings = embedder("LangChain", modelstudio_emulator, dimensions=256)
    assert isinstance(embeddings, ModelStudioEmbeddings)
    chunks = rag_langchain.read_chunks(animals)
    records = SQLRecordManager("notes", db_url="sqlite://")
    records.create_schema()
    for requests in (1, 0):
        before = embeddings.usage.requests
        store = chroma.Chroma(
            "notes",
            embedding_function=embeddings,
            persist_directory=str(tmp_path / "chroma"),
            collection_metadata={"hnsw:space": "cosine"},
        )
        index_documents(
            chunks,
            records,
            store,
            cleanup="full",
            source_id_key="source",
            key_encoder=rag_langchain.chunk_id,
        )
        assert embeddings.usage.requests - before == requests
        (found,) = store.similarity_search(QUERY, k=1)
        assert found.metadata["source"] == "nature/blue-whale.md"
    records.engine.dispose()


def test_llamaindex(
    modelstudio_emulator: Emulator, animals: Path, tmp_path: Path
) -> None:
    stores: Any = pytest.importorskip("llama_index.vector_stores.chroma")

    embed_model = embedder("LlamaIndex", modelstudio_emulator, dimensions=256)
    assert isinstance(embed_model, ModelStudioEmbedding)
    client = chromadb.PersistentClient(path=str(tmp_path / "chroma"))
    collection = client.create_collection("notes", metadata={"hnsw:space": "cosine"})
    store = stores.ChromaVectorStore(chroma_collection=collection)
    IngestionPipeline(
        transformations=[rag_llamaindex.make_splitter(), embed_model],
        vector_store=store,
        disable_cache=True,
    ).run(documents=rag_llamaindex.read_documents(animals))
    vectors = VectorStoreIndex.from_vector_store(store, embed_model=embed_model)
    (found,) = vectors.as_retriever(similarity_top_k=1).retrieve(QUERY)
    assert found.metadata["source"] == "nature/blue-whale.md"
