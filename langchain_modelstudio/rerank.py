"""``ModelStudioRerank``: the rerank models as a LangChain document compressor."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from typing_extensions import override

from langchain_modelstudio.errors import langchain_errors
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.rerank import Ranked, RerankArguments, RerankDocument
from modelstudio_core.service_inputs import list_of

__all__ = ["ModelStudioRerank"]


class ModelStudioRerank(RerankArguments, BaseDocumentCompressor):
    """Rerank models of Alibaba Cloud Model Studio.

    ``compress_documents`` sorts documents by their relevance to a query, and sets
    ``relevance_score`` in their metadata. Scores are relative to the request: those of
    two queries or models cannot be compared.

    Args:
        model (str): Model id, such as ``"qwen3-rerank"``. ``model_name`` is an alias.
        top_n (int | None = None): How many documents are returned. Default: all.
        instruct (str | None = None): What relevance means, best in English. Default:
            that the document answers the query.
        max_concurrency (int = 4): Largest number of requests of this object at once,
            over all threads and tasks.
        api_key (SecretStr | str | Callable | None = None): API key, or a function that
            returns it before each request. Default: ``DASHSCOPE_API_KEY``.
            ``dashscope_api_key`` is an alias.
        region (str | None = None): Region id or alias. Default: the region of ``mode``,
            else ``DASHSCOPE_REGION``, else ``"ap-southeast-1"`` (Singapore).
        mode (str | None = None): Deployment mode, which decides where inference runs.
            Default: ``DASHSCOPE_MODE`` if ``region`` is not given, else the default of
            the region.
        workspace (str | None = None): Workspace id, which some regions require.
            Default: ``DASHSCOPE_WORKSPACE_ID``, else ``DASHSCOPE_WORKSPACE``.
        protocol (str = "openai"): Changes nothing: the model decides what is sent.
        base_url (str | None = None): Custom base URL, such as that of a gateway,
            instead of the one of region, mode and workspace.
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
        resolved_model (str | None = None): Read only: the model id that is sent.

    Raises:
        ConfigurationError: An argument is unknown or invalid, or the API key is
            missing.

    Example:
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     reranker = ModelStudioRerank(
        ...         model="qwen3-rerank",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     results = reranker.rerank(["A blue car.", "A red fox."], "Which fox?")
        >>> [result["index"] for result in results]
        [1, 0]
    """

    argument_aliases: ClassVar[Mapping[str, str]] = {
        "model_name": "model",
        "dashscope_api_key": "api_key",
    }

    @property
    def model_name(self) -> str:
        """The requested model id: another name of ``model``."""
        return self.model

    @override
    def compress_documents(
        self,
        documents: Sequence[Document],
        query: str,
        callbacks: Callbacks | None = None,
    ) -> list[Document]:
        """Return the documents that are most relevant to a query, best first.

        Args:
            documents: The documents, which are not changed. Those without text are not
                sent: they come after the others, with a score of 0 and a warning.
            query: The query.
            callbacks: Not used.

        Returns:
            New documents with the same id and metadata, and ``relevance_score``.

        Raises:
            ConfigurationError: The query is empty, it or a document is surely too long,
                or an item is no ``Document``.
            APIError: A request failed, or an answer is not complete.

        Example:
            >>> from langchain_core.documents import Document
            >>> from modelstudio_core.emulator import Emulator
            >>> texts = ["A blue car.", "A red fox."]
            >>> documents = [Document(text) for text in texts]
            >>> with Emulator() as studio:
            ...     reranker = ModelStudioRerank(
            ...         model="qwen3-rerank",
            ...         top_n=1,
            ...         base_url=studio.base_url,
            ...         api_key=studio.api_key,
            ...     )
            ...     (best,) = reranker.compress_documents(documents, "Which fox?")
            >>> best.page_content, best.metadata["relevance_score"] > 0
            ('A red fox.', True)
        """
        with langchain_errors():
            checked = _checked(documents)
            return _scored(checked, self._rerank_found(_contents(checked), query))

    @override
    async def acompress_documents(
        self,
        documents: Sequence[Document],
        query: str,
        callbacks: Callbacks | None = None,
    ) -> list[Document]:
        """Async version of ``compress_documents``."""
        with langchain_errors():
            checked = _checked(documents)
            ranked = await self._arerank_found(_contents(checked), query)
            return _scored(checked, ranked)

    def rerank(
        self,
        documents: Sequence[Document | RerankDocument],
        query: str,
        *,
        top_n: int | None = None,
    ) -> list[dict[str, Any]]:
        """Return the positions and scores of documents, most relevant first.

        Args:
            documents: Documents or texts; for a multimodal model also mappings with
                ``text``, ``image`` or ``video``.
            query: The query.
            top_n: How many results are returned, instead of the constructor's.

        Returns:
            Dicts with ``index`` and ``relevance_score``.

        Raises:
            ConfigurationError: The query or a document is empty or surely too long.
            APIError: A request failed, or an answer is not complete.
        """
        with langchain_errors():
            return _results(self._rerank(_contents(documents), query, top_n))

    async def arerank(
        self,
        documents: Sequence[Document | RerankDocument],
        query: str,
        *,
        top_n: int | None = None,
    ) -> list[dict[str, Any]]:
        """Async version of ``rerank``."""
        with langchain_errors():
            return _results(await self._arerank(_contents(documents), query, top_n))


def _checked(documents: object) -> list[Document]:
    """Refuse what is no document before it is paid for."""
    checked: list[Document] = []
    for index, document in enumerate(list_of(documents, "documents")):
        if not isinstance(document, Document):
            raise ConfigurationError(
                f"documents[{index}] must be a Document, got a"
                f" {type(document).__name__}: use rerank for texts."
            )
        checked.append(document)
    return checked


def _contents(documents: object) -> list[RerankDocument]:
    contents = [
        document.page_content if isinstance(document, Document) else document
        for document in list_of(documents, "documents")
    ]
    # What is neither a text nor a mapping is refused later.
    return cast("list[RerankDocument]", contents)


def _scored(documents: Sequence[Document], ranked: Iterable[Ranked]) -> list[Document]:
    scored: list[Document] = []
    for item in ranked:
        document = documents[item.index]
        metadata: dict[str, Any] = {**document.metadata, "relevance_score": item.score}
        scored.append(document.model_copy(update={"metadata": metadata}))
    return scored


def _results(ranked: Iterable[Ranked]) -> list[dict[str, Any]]:
    return [{"index": item.index, "relevance_score": item.score} for item in ranked]
