"""The services as the commands call them: the core's classes without a framework."""

from collections.abc import Sequence
from typing import cast

from modelstudio_core.embeddings.arguments import EmbeddingArguments
from modelstudio_core.embeddings.options import TextType, require_native
from modelstudio_core.rerank import Ranked, RerankArguments

__all__ = ["Embedder", "Reranker"]


class Embedder(EmbeddingArguments):
    """An embedding model."""

    def embed(self, texts: Sequence[str], text_type: TextType) -> list[list[float]]:
        """Return the vectors of texts, in their order.

        Args:
            texts: The texts.
            text_type: What they are. Only the native protocol can say that they are
                queries.

        Raises:
            ConfigurationError: A text is empty or too long, or the protocol cannot
                express the request.
            APIError: A request failed.
        """
        if text_type == "query":
            require_native(self.resolved, "--query")
        return cast("list[list[float]]", self._embed(texts, text_type))


class Reranker(RerankArguments):
    """A rerank model."""

    def rerank(self, documents: Sequence[str], query: str) -> list[Ranked]:
        """Return the relevance of documents to a query, the highest first.

        Args:
            documents: The documents.
            query: The query.

        Raises:
            APIError: A request failed.
        """
        return self._rerank(documents, query)
