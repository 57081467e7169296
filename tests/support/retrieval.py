"""Embedding and rerank classes of both frameworks, called in the same way."""

import inspect
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from langchain_core.documents import Document
from llama_index.core.schema import NodeWithScore, TextNode

from langchain_modelstudio import ModelStudioEmbeddings
from langchain_modelstudio import ModelStudioRerank as LangChainRerank
from llamaindex_modelstudio import ModelStudioEmbedding, ModelStudioMultiModalEmbedding
from llamaindex_modelstudio import ModelStudioRerank as LlamaIndexRerank
from modelstudio_core.emulator import Emulator
from tests.support.models import FRAMEWORKS, KEY, Framework

__all__ = [
    "STYLES",
    "Embedder",
    "Reranker",
    "Style",
    "embed",
    "embed_query",
    "embedder",
    "rerank",
    "reranker",
    "sparse",
]

Embedder = ModelStudioEmbeddings | ModelStudioEmbedding
Reranker = LangChainRerank | LlamaIndexRerank

# The methods of LangChain and of LlamaIndex for the same thing.
_METHODS: Final = {
    "documents": ("embed_documents", "get_text_embedding_batch"),
    "query": ("embed_query", "get_query_embedding"),
    "sparse documents": (
        "embed_sparse_documents",
        "get_sparse_text_embedding_batch",
    ),
    "sparse query": ("embed_sparse_query", "get_sparse_query_embedding"),
    "hybrid documents": (
        "embed_hybrid_documents",
        "get_hybrid_text_embedding_batch",
    ),
    "hybrid query": ("embed_hybrid_query", "get_hybrid_query_embedding"),
    "contents": ("embed_contents", "embed_contents"),
}


class Style(NamedTuple):
    """A framework, and whether its asynchronous methods are called."""

    framework: Framework
    asynchronous: bool

    def __str__(self) -> str:
        """Return the id of a parametrized test."""
        return f"{self.framework}-{'async' if self.asynchronous else 'sync'}"


STYLES: Final = tuple(
    Style(framework, asynchronous)
    for framework in FRAMEWORKS
    for asynchronous in (False, True)
)


def _arguments(
    service: str | Emulator, model: str, given: dict[str, Any]
) -> dict[str, Any]:
    base_url, key = service, KEY
    if isinstance(service, Emulator):
        base_url, key = service.base_url, service.api_key
    defaults = {"model": model, "base_url": base_url, "api_key": key, "max_retries": 0}
    return defaults | given


def embedder(
    framework: Framework, service: str | Emulator, **arguments: Any
) -> Embedder:
    """Return an embedding model of a framework, without retries by default."""
    given = _arguments(service, "text-embedding-v4", arguments)
    if framework == "LangChain":
        return ModelStudioEmbeddings(**given)
    if any(word in given["model"] for word in ("vl", "vision", "multimodal")):
        return ModelStudioMultiModalEmbedding(**given)
    return ModelStudioEmbedding(**given)


def reranker(
    framework: Framework, service: str | Emulator, **arguments: Any
) -> Reranker:
    """Return a reranker of a framework, without retries by default."""
    given = _arguments(service, "qwen3-rerank", arguments)
    return (LangChainRerank if framework == "LangChain" else LlamaIndexRerank)(**given)


async def call(model: Any, what: str, style: Style, *args: Any, **options: Any) -> Any:
    """Call the method of a model's framework for something."""
    name = _METHODS[what][FRAMEWORKS.index(style.framework)]
    result = getattr(model, f"a{name}" if style.asynchronous else name)(
        *args, **options
    )
    return await result if inspect.isawaitable(result) else result


async def embed(model: Embedder, style: Style, texts: Any) -> list[list[float]]:
    """Return the vectors of documents."""
    vectors: list[list[float]] = await call(model, "documents", style, texts)
    return vectors


async def embed_query(model: Embedder, style: Style, query: Any) -> list[float]:
    """Return the vector of a query."""
    vector: list[float] = await call(model, "query", style, query)
    return vector


async def sparse(model: Embedder, style: Style, texts: Sequence[str]) -> list[Any]:
    """Return the sparse vectors of documents."""
    vectors: list[Any] = await call(model, "sparse documents", style, texts)
    return vectors


async def rerank(
    model: Reranker, style: Style, texts: Sequence[str], query: str
) -> list[tuple[str, float]]:
    """Return texts and their scores, through the method of the framework's base."""
    if isinstance(model, LangChainRerank):
        documents = [Document(page_content=text) for text in texts]
        found = (
            await model.acompress_documents(documents, query)
            if style.asynchronous
            else model.compress_documents(documents, query)
        )
        return [(d.page_content, d.metadata["relevance_score"]) for d in found]
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in texts]
    scored = (
        await model.apostprocess_nodes(nodes, query_str=query)
        if style.asynchronous
        else model.postprocess_nodes(nodes, query_str=query)
    )
    return [(node.text, node.score or 0.0) for node in scored]
