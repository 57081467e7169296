"""Sparse vectors for LlamaIndex's ``QdrantVectorStore``.

From then on the embedding model requests dense and sparse vectors together, and keeps
the sparse ones of the last 4,096 texts until the store asks for them: each text is paid
for once, and the store's asynchronous methods do not wait for the sparse vectors.

Example:
    >>> from llama_index.vector_stores.qdrant import QdrantVectorStore
    >>> from llamaindex_modelstudio import ModelStudioEmbedding
    >>> from qdrant_client import QdrantClient
    >>> embed_model = ModelStudioEmbedding(model="text-embedding-v4", api_key="sk-test")
    >>> store = QdrantVectorStore(
    ...     "documents",
    ...     client=QdrantClient(":memory:"),
    ...     enable_hybrid=True,
    ...     sparse_doc_fn=sparse_doc_fn(embed_model),
    ...     sparse_query_fn=sparse_query_fn(embed_model),
    ... )
"""

from collections.abc import Callable, Sequence
from functools import partial

from llamaindex_modelstudio.embeddings import ModelStudioEmbedding
from modelstudio_core.embeddings import SparseVector

__all__ = ["sparse_doc_fn", "sparse_query_fn"]

_Columns = tuple[list[list[int]], list[list[float]]]
SparseFunction = Callable[[list[str]], _Columns]


def sparse_doc_fn(embed_model: ModelStudioEmbedding) -> SparseFunction:
    """Return the argument ``sparse_doc_fn`` of ``QdrantVectorStore``.

    Args:
        embed_model: The model of the index. From now on it requests dense and sparse
            vectors together, and keeps the sparse ones of the last 4,096 texts until
            the store asks for them: each text is paid for once.

    Returns:
        A function from documents to their indices and values.

    Raises:
        ConfigurationError: The model or the protocol has no sparse vectors.

    Example:
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     embed_model = ModelStudioEmbedding(
        ...         model="text-embedding-v4",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     embed = sparse_doc_fn(embed_model)
        ...     indices, values = embed(["red fox", "car"])
        >>> [len(row) for row in indices], [len(row) for row in values]
        ([2, 1], [2, 1])
    """
    embed_model.keep_sparse_vectors()
    return partial(_embed_documents, embed_model)


def sparse_query_fn(embed_model: ModelStudioEmbedding) -> SparseFunction:
    """Return the argument ``sparse_query_fn`` of ``QdrantVectorStore``.

    Args:
        embed_model: The model of the index, as for ``sparse_doc_fn``.

    Returns:
        A function from queries to their indices and values.

    Raises:
        ConfigurationError: The model or the protocol has no sparse vectors.
    """
    embed_model.keep_sparse_vectors()
    return partial(_embed_queries, embed_model)


# A copy of a model, as in a pickle of a function, does not keep sparse vectors yet.


def _embed_documents(embed_model: ModelStudioEmbedding, texts: list[str]) -> _Columns:
    embed_model.keep_sparse_vectors()
    return _columns(embed_model.get_sparse_text_embedding_batch(texts))


def _embed_queries(embed_model: ModelStudioEmbedding, queries: list[str]) -> _Columns:
    embed_model.keep_sparse_vectors()
    return _columns([embed_model.get_sparse_query_embedding(q) for q in queries])


def _columns(vectors: Sequence[SparseVector]) -> _Columns:
    indices = [list(vector.indices) for vector in vectors]
    return indices, [list(vector.values) for vector in vectors]
