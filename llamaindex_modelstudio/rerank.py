"""``ModelStudioRerank``: the rerank models as a LlamaIndex node postprocessor."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from llama_index.core.callbacks import CBEventType, EventPayload
from llama_index.core.instrumentation.events.rerank import (
    ReRankEndEvent,
    ReRankStartEvent,
)
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import (
    BaseNode,
    ImageNode,
    MetadataMode,
    NodeWithScore,
    QueryBundle,
)
from llama_index_instrumentation import get_dispatcher
from typing_extensions import override

from llamaindex_modelstudio._component import ScopedComponent
from modelstudio_core.chat.media import data_type, is_data_url
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.rerank import Ranked, RerankArguments, RerankDocument
from modelstudio_core.service_inputs import list_of

__all__ = ["ModelStudioRerank"]

_dispatcher = get_dispatcher(__name__)


class ModelStudioRerank(RerankArguments, ScopedComponent, BaseNodePostprocessor):
    """Rerank models of Alibaba Cloud Model Studio.

    Nodes are sorted by the relevance of their text, with the metadata for embeddings,
    to the query; the score of a node is its relevance. Scores are relative to the
    request: those of two queries or models cannot be compared. A multimodal model ranks
    the image of an ``ImageNode`` without text by its URL or base64 data. Nodes without
    text are not sent: they come after the others, with a score of 0 and a warning.

    All arguments are keywords, and only ``model`` is required.

    Args:
        model (str): Model id, such as ``"qwen3-rerank"``. ``model_name`` is an alias.
        top_n (int | None = None): How many nodes are returned. Default: all.
        instruct (str | None = None): What relevance means, best in English. Default:
            that the node answers the query.
        max_concurrency (int = 4): Largest number of requests of this object at once,
            over all threads and tasks.
        api_key (SecretStr | str | Callable | None = None): API key, or a function that
            returns it before each request. Default: ``DASHSCOPE_API_KEY``.
        region (str | None = None): Region id or alias. Default: the region of ``mode``,
            else ``DASHSCOPE_REGION``, else ``"ap-southeast-1"`` (Singapore).
        mode (str | None = None): Deployment mode, which decides where inference runs.
            Default: ``DASHSCOPE_MODE`` if ``region`` is not given, else the default of
            the region.
        workspace (str | None = None): Workspace id, which some regions require.
            Default: ``DASHSCOPE_WORKSPACE_ID``, else ``DASHSCOPE_WORKSPACE``.
        protocol (str = "openai"): Changes nothing: the model decides what is sent.
        base_url (str | None = None): Custom base URL, such as that of a gateway,
            instead of the one of region, mode and workspace. ``api_base`` is an alias.
        allow_insecure_http (bool = False): Whether ``http://`` is allowed for hosts
            other than loopback.
        timeout (float | tuple | None = 60.0): Seconds without data after which a
            request fails, or ``(connect, read)``. With one number, connecting may take
            10 seconds. None is no limit.
        total_timeout (float | None = None): Seconds for each request, with its retries
            and waits. None is no limit.
        max_error_bytes (int = 1048576): Largest body of an error in bytes, decoded.
        max_event_bytes (int = 16777216): No effect: only streams have events.
        max_response_bytes (int = 268435456): Largest answer in bytes, decoded.
        max_retries (int = 2): How often a failed request is repeated.
        default_headers (Mapping[str, SecretStr | str] | None = None): Headers that are
            sent with each request.
        http_client (httpx.Client | None = None): HTTP client for synchronous calls;
            with openai 3, an ``httpx2.Client``.
        http_async_client (httpx.AsyncClient | None = None): HTTP client for
            asynchronous calls; with openai 3, an ``httpx2.AsyncClient``.
        limiter (RateLimit | None = None): Limit of requests and tokens a minute, a
            ``modelstudio_core.limits.RateLimit``. Each HTTP request to a model waits
            for it, retries included.
        callback_manager (CallbackManager | None = None): Receives LlamaIndex's
            callbacks.
        resolved_model (str | None = None): Read only: the model id that is sent.

    Raises:
        ConfigurationError: An argument is unknown or invalid, or the API key is
            missing.

    Example:
        >>> from llama_index.core.schema import NodeWithScore, TextNode
        >>> from modelstudio_core.emulator import Emulator
        >>> texts = ["A blue car.", "A red fox."]
        >>> nodes = [NodeWithScore(node=TextNode(text=text)) for text in texts]
        >>> with Emulator() as studio:
        ...     reranker = ModelStudioRerank(
        ...         model="qwen3-rerank",
        ...         top_n=1,
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     best = reranker.postprocess_nodes(nodes, query_str="Which fox?")
        >>> best[0].text
        'A red fox.'
    """

    argument_aliases: ClassVar[Mapping[str, str]] = {
        "api_base": "base_url",
        "model_name": "model",
    }

    @classmethod
    @override
    def class_name(cls) -> str:
        """Return the name of the class in serialized data."""
        return "ModelStudioRerank"

    def rerank(
        self,
        documents: Sequence[RerankDocument],
        query: str,
        *,
        top_n: int | None = None,
    ) -> list[dict[str, Any]]:
        """Return the positions and scores of texts, most relevant first.

        Args:
            documents: Texts; for a multimodal model also mappings with ``text``,
                ``image`` or ``video``.
            query: The query.
            top_n: How many results are returned, instead of the constructor's.

        Returns:
            Dicts with ``index`` and ``relevance_score``.

        Raises:
            ConfigurationError: The query or a document is empty or surely too long.
            APIError: A request failed, or an answer is not complete.
        """
        return _results(self._rerank(documents, query, top_n))

    async def arerank(
        self,
        documents: Sequence[RerankDocument],
        query: str,
        *,
        top_n: int | None = None,
    ) -> list[dict[str, Any]]:
        """Async version of ``rerank``."""
        return _results(await self._arerank(documents, query, top_n))

    @override
    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        nodes, query = _checked(nodes), _query_of(query_bundle)
        with self._reported(nodes, query) as report:
            return report(self._rerank_found(self._contents(nodes), query))

    @override
    async def _apostprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        nodes, query = _checked(nodes), _query_of(query_bundle)
        with self._reported(nodes, query) as report:
            return report(await self._arerank_found(self._contents(nodes), query))

    def _contents(self, nodes: Sequence[NodeWithScore]) -> list[RerankDocument]:
        """Return what is ranked: the text of a node, or its image if it has no text."""
        ranks_images = "image" in self.resolved.profile.inputs
        return [
            {"image": image}
            if ranks_images and (image := _image_of(node.node))
            else node.node.get_content(MetadataMode.EMBED)
            for node in nodes
        ]

    @contextmanager
    def _reported(
        self, nodes: list[NodeWithScore], query: str
    ) -> Generator[Callable[[list[Ranked]], list[NodeWithScore]]]:
        """Send LlamaIndex's events, and yield what makes nodes of the scores."""
        top_n = len(nodes) if self.top_n is None else self.top_n
        model = self.resolved.profile.id
        _dispatcher.event(
            ReRankStartEvent(query=query, nodes=nodes, top_n=top_n, model_name=model)
        )
        payload: dict[str, Any] = {
            EventPayload.NODES: nodes,
            EventPayload.MODEL_NAME: model,
            EventPayload.QUERY_STR: query,
            EventPayload.TOP_K: top_n,
        }
        with self.callback_manager.event(CBEventType.RERANKING, payload) as event:

            def report(ranked: list[Ranked]) -> list[NodeWithScore]:
                scored = [
                    NodeWithScore(node=nodes[item.index].node, score=item.score)
                    for item in ranked
                ]
                event.on_end(payload={EventPayload.NODES: scored})
                _dispatcher.event(ReRankEndEvent(nodes=scored))
                return scored

            yield report


def _checked(nodes: object) -> list[NodeWithScore]:
    checked: list[NodeWithScore] = []
    for index, node in enumerate(list_of(nodes, "nodes")):
        if not isinstance(node, NodeWithScore):
            raise ConfigurationError(
                f"nodes[{index}] must be a NodeWithScore, got a {type(node).__name__}."
            )
        checked.append(node)
    return checked


def _query_of(query_bundle: object) -> str:
    if query_bundle is None:
        raise ConfigurationError("Reranking needs a query: pass query_str=.")
    query = query_bundle.query_str if isinstance(query_bundle, QueryBundle) else None
    if not isinstance(query, str):
        raise ConfigurationError("The query must be a string, or a QueryBundle of one.")
    return query


def _image_of(node: BaseNode) -> str | None:
    """Return the URL or data URI of an image without text; no file is read."""
    if not isinstance(node, ImageNode) or node.text.strip():
        return None
    image = node.image
    if image and (found := data_type(image, node.image_mimetype, "image")):
        return image if is_data_url(image) else f"data:{found};base64,{image}"
    return node.image_url


def _results(ranked: Sequence[Ranked]) -> list[dict[str, Any]]:
    return [{"index": item.index, "relevance_score": item.score} for item in ranked]
