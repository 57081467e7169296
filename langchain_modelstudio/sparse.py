"""Sparse vectors for ``langchain_qdrant``'s ``QdrantVectorStore``.

Example:
    >>> from langchain_modelstudio import ModelStudioEmbeddings
    >>> from langchain_qdrant import QdrantVectorStore, RetrievalMode
    >>> from modelstudio_core.emulator import Emulator
    >>> with Emulator() as studio:
    ...     embeddings = ModelStudioEmbeddings(
    ...         model="text-embedding-v4",
    ...         base_url=studio.base_url,
    ...         api_key=studio.api_key,
    ...     )
    ...     store = QdrantVectorStore.from_texts(
    ...         ["A red fox.", "A blue car."],
    ...         embedding=embeddings,
    ...         sparse_embedding=QdrantSparseEmbeddings(embeddings),
    ...         retrieval_mode=RetrievalMode.HYBRID,
    ...         location=":memory:",
    ...         collection_name="texts",
    ...     )
    ...     store.similarity_search("the fox", k=1)[0].page_content
    'A red fox.'
"""

# The types of langchain-qdrant, which is optional.
# pyright: reportMissingImports=false, reportUnknownVariableType=false
# pyright: reportUntypedBaseClass=false, reportUnknownMemberType=false

try:
    from langchain_qdrant.sparse_embeddings import SparseEmbeddings, SparseVector
except ModuleNotFoundError as error:
    if error.name != "langchain_qdrant":
        raise
    raise ImportError(
        "langchain_modelstudio.sparse requires langchain-qdrant, which is not"
        " installed. Install it with: pip install langchain-qdrant",
        name=error.name,
    ) from error
from typing_extensions import override

from langchain_modelstudio.embeddings import ModelStudioEmbeddings
from langchain_modelstudio.errors import langchain_errors
from modelstudio_core import embeddings as core

__all__ = ["QdrantSparseEmbeddings"]


class QdrantSparseEmbeddings(SparseEmbeddings):
    """The sparse vectors of an embedding model, for ``QdrantVectorStore``.

    From then on the embedding model requests dense and sparse vectors together, and
    keeps the sparse ones of the last 4,096 texts until the store asks for them: each
    text is paid for once. Pass the same object as the store's ``embedding``.

    Example:
        >>> from langchain_modelstudio import ModelStudioEmbeddings
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     embeddings = ModelStudioEmbeddings(
        ...         model="text-embedding-v4",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     sparse = QdrantSparseEmbeddings(embeddings)
        ...     dense = embeddings.embed_documents(["red fox"])
        ...     (vector,) = sparse.embed_documents(["red fox"])  # no second request
        >>> len(vector.indices), embeddings.usage.requests
        (2, 1)
    """

    def __init__(self, embeddings: ModelStudioEmbeddings) -> None:
        """Make the embedding model keep sparse vectors.

        Args:
            embeddings: The embedding model.

        Raises:
            ConfigurationError: The model or the protocol has no sparse vectors.
        """
        with langchain_errors():
            embeddings.keep_sparse_vectors()
        self.embeddings = embeddings

    @override
    def embed_documents(self, texts: list[str]) -> list[SparseVector]:
        """Return the sparse vectors of documents.

        Args:
            texts: The documents, any number of them.

        Raises:
            ConfigurationError: A text is empty, no string, or surely too long.
            APIError: A request failed, or an answer is not complete.
        """
        return [*map(_convert, self._keeping().embed_sparse_documents(texts))]

    @override
    def embed_query(self, text: str) -> SparseVector:
        """Return the sparse vector of a query."""
        return _convert(self._keeping().embed_sparse_query(text))

    @override
    async def aembed_documents(self, texts: list[str]) -> list[SparseVector]:
        """Async version of ``embed_documents``."""
        vectors = await self._keeping().aembed_sparse_documents(texts)
        return [*map(_convert, vectors)]

    @override
    async def aembed_query(self, text: str) -> SparseVector:
        """Async version of ``embed_query``."""
        return _convert(await self._keeping().aembed_sparse_query(text))

    def _keeping(self) -> ModelStudioEmbeddings:
        """Return the model; a pickle or a fork does not keep sparse vectors yet."""
        self.embeddings.keep_sparse_vectors()
        return self.embeddings


def _convert(vector: core.SparseVector) -> SparseVector:
    return SparseVector(indices=[*vector.indices], values=[*vector.values])
