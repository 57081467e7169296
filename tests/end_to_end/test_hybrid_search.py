"""Hybrid search in the Qdrant stores of both frameworks: each text is paid for once."""

# The stores have no type stubs.
# pyright: reportMissingTypeStubs=false, reportMissingImports=false

import pickle
from collections import Counter
from typing import Any

import pytest
from langchain_qdrant import QdrantVectorStore as LangChainStore
from langchain_qdrant import RetrievalMode
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import VectorStoreQueryMode
from llama_index.vector_stores.qdrant import QdrantVectorStore as LlamaIndexStore
from qdrant_client import AsyncQdrantClient, QdrantClient

from langchain_modelstudio import ModelStudioEmbeddings
from langchain_modelstudio.sparse import QdrantSparseEmbeddings
from llamaindex_modelstudio import ModelStudioEmbedding
from llamaindex_modelstudio.sparse import sparse_doc_fn, sparse_query_fn
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError
from tests.support.models import KEY
from tests.support.retrieval import embedder

pytestmark = [
    # Both are of the stores' libraries.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect"),
]
TEXTS = [f"Document {i} is about subject{i % 97} and item{i}." for i in range(1000)]


def embedded(studio: Emulator, text_type: str) -> Counter[str]:
    """Return how often each text was embedded, in any form."""
    return Counter(
        text
        for request in studio.requests
        if request.body["parameters"]["text_type"] == text_type
        for text in request.body["input"]["texts"]
    )


def model_of(framework: Any, studio: Emulator) -> Any:
    return embedder(framework, studio, dimensions=64)


def test_langchain(modelstudio_emulator: Emulator) -> None:
    embeddings = model_of("LangChain", modelstudio_emulator)
    store = LangChainStore.from_texts(
        TEXTS,
        embedding=embeddings,
        sparse_embedding=QdrantSparseEmbeddings(embeddings),
        retrieval_mode=RetrievalMode.HYBRID,
        location=":memory:",
        collection_name="texts",
    )
    sent = embedded(modelstudio_emulator, "document")
    assert set(TEXTS) <= set(sent)
    assert {sent[text] for text in TEXTS} == {1}
    before = embeddings.usage.requests
    (found,) = store.similarity_search("item500", k=1)
    assert found.page_content == TEXTS[500]
    assert embedded(modelstudio_emulator, "query") == {"item500": 1}
    assert embeddings.usage.requests == before + 1


async def test_langchain_asynchronously(modelstudio_emulator: Emulator) -> None:
    embeddings = model_of("LangChain", modelstudio_emulator)
    store = await LangChainStore.afrom_texts(
        TEXTS[:150],
        embedding=embeddings,
        sparse_embedding=QdrantSparseEmbeddings(embeddings),
        retrieval_mode=RetrievalMode.HYBRID,
        location=":memory:",
        collection_name="texts",
    )
    (found,) = await store.asimilarity_search("item77", k=1)
    assert found.page_content == TEXTS[77]
    sent = embedded(modelstudio_emulator, "document")
    assert {sent[text] for text in TEXTS[:150]} == {1}
    assert embedded(modelstudio_emulator, "query") == {"item77": 1}


async def test_langchain_sparse_vectors_alone(modelstudio_emulator: Emulator) -> None:
    sparse = QdrantSparseEmbeddings(model_of("LangChain", modelstudio_emulator))
    texts = ["red fox", "blue car"]
    assert await sparse.aembed_documents(texts) == sparse.embed_documents(texts)
    assert await sparse.aembed_query("fox") == sparse.embed_query("fox")
    loaded = pickle.loads(pickle.dumps(sparse))  # noqa: S301 - made here
    assert loaded.embed_query("fox") == sparse.embed_query("fox")


def llamaindex_store(model: ModelStudioEmbedding, **clients: Any) -> LlamaIndexStore:
    return LlamaIndexStore(
        "texts",
        enable_hybrid=True,
        sparse_doc_fn=sparse_doc_fn(model),
        sparse_query_fn=sparse_query_fn(model),
        **clients,
    )


NODES = [TextNode(text=text, id_=f"{i:032}") for i, text in enumerate(TEXTS)]


def test_llamaindex(modelstudio_emulator: Emulator) -> None:
    model = model_of("LlamaIndex", modelstudio_emulator)
    store = llamaindex_store(model, client=QdrantClient(":memory:"))
    context = StorageContext.from_defaults(vector_store=store)
    index = VectorStoreIndex(NODES, storage_context=context, embed_model=model)
    sent = embedded(modelstudio_emulator, "document")
    assert sent == Counter(TEXTS)
    retriever = index.as_retriever(
        vector_store_query_mode=VectorStoreQueryMode.HYBRID,
        similarity_top_k=1,
        sparse_top_k=3,
    )
    (found,) = retriever.retrieve("item500")
    assert found.text == TEXTS[500]
    assert embedded(modelstudio_emulator, "query") == {"item500": 1}


async def test_llamaindex_asynchronously(modelstudio_emulator: Emulator) -> None:
    model = model_of("LlamaIndex", modelstudio_emulator)
    store = llamaindex_store(model, aclient=AsyncQdrantClient(":memory:"))
    context = StorageContext.from_defaults(vector_store=store)
    index = VectorStoreIndex(
        [], storage_context=context, embed_model=model, use_async=True
    )
    await index.ainsert_nodes(NODES[:150])
    retriever = index.as_retriever(
        vector_store_query_mode=VectorStoreQueryMode.HYBRID,
        similarity_top_k=1,
        sparse_top_k=3,
    )
    (found,) = await retriever.aretrieve("item77")
    assert found.text == TEXTS[77]
    assert embedded(modelstudio_emulator, "document") == Counter(TEXTS[:150])
    assert embedded(modelstudio_emulator, "query") == {"item77": 1}


@pytest.mark.parametrize("make", [sparse_doc_fn, sparse_query_fn])
def test_the_functions_of_a_llamaindex_store_can_be_pickled(
    modelstudio_emulator: Emulator, make: Any
) -> None:
    function = make(model_of("LlamaIndex", modelstudio_emulator))
    copied = pickle.loads(pickle.dumps(function))  # noqa: S301 - made here
    assert copied(["one subject"]) == function(["one subject"])


def test_models_without_sparse_vectors_are_refused_at_once() -> None:
    arguments: dict[str, Any] = {"model": "text-embedding-v2", "api_key": KEY}
    with pytest.raises(ConfigurationError, match="no sparse vectors"):
        QdrantSparseEmbeddings(ModelStudioEmbeddings(**arguments))
    for make in (sparse_doc_fn, sparse_query_fn):
        with pytest.raises(ConfigurationError, match="no sparse vectors"):
            make(ModelStudioEmbedding(**arguments))
