"""``ModelStudioEmbedding`` and ``ModelStudioMultiModalEmbedding`` for LlamaIndex."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.embeddings.multi_modal_base import MultiModalEmbedding
from llama_index.core.schema import ImageType
from llama_index.core.storage.kvstore.types import BaseKVStore
from pydantic import Field
from typing_extensions import override

from llamaindex_modelstudio._component import ScopedComponent
from llamaindex_modelstudio._embeddings_cache import NamespacedStore, embedding_a_query
from modelstudio_core.arguments import Resolved
from modelstudio_core.embeddings import HybridVector, SparseVector
from modelstudio_core.embeddings.arguments import EmbeddingArguments
from modelstudio_core.embeddings.contents import ContentItem
from modelstudio_core.embeddings.options import ResolvedEmbeddings
from modelstudio_core.errors import ConfigurationError

__all__ = ["ModelStudioEmbedding", "ModelStudioMultiModalEmbedding"]

# The largest value that BaseEmbedding accepts.
_MAX_EMBED_BATCH_SIZE = 2048
# LlamaIndex has a field of its own for the model.
_MODEL_NAMES = ("model", "model_name")


class ModelStudioEmbedding(EmbeddingArguments, ScopedComponent, BaseEmbedding):
    """Embedding models of Alibaba Cloud Model Studio.

    Any number of texts can be embedded in one call: they are split by the limits of the
    model, several requests are sent at once, and a failed request is repeated alone.
    Queries and documents have different vectors, which only the native protocol tells
    apart: it is the default. ``usage`` has the tokens that were used.

    All arguments are keywords, and only ``model`` is required.

    Args:
        model (str): Model id, such as ``"text-embedding-v4"``. ``model_name`` is the
            same.
        model_name (str = "unknown"): Another name of ``model``.
        dimensions (int | None = None): Length of the vectors. Default: the model's.
        instruct (str | None = None): Instruction for queries, best in English.
        batch_size (int | None = None): Largest number of texts in one request. Default:
            as many as the model accepts.
        tokens_per_request (int | None = None): Estimated tokens at which a request is
            full. Default: the model's limit.
        max_concurrency (int = 4): Largest number of requests of this object at once,
            over all threads and tasks, whatever ``num_workers`` is.
        api_key (SecretStr | str | Callable | None = None): API key, or a function that
            returns it before each request. Default: ``DASHSCOPE_API_KEY``.
        region (str | None = None): Region id or alias. Default: the region of ``mode``,
            else ``DASHSCOPE_REGION``, else ``"ap-southeast-1"`` (Singapore).
        mode (str | None = None): Deployment mode, which decides where inference runs.
            Default: ``DASHSCOPE_MODE`` if ``region`` is not given, else the default of
            the region.
        workspace (str | None = None): Workspace id, which some regions require.
            Default: ``DASHSCOPE_WORKSPACE_ID``, else ``DASHSCOPE_WORKSPACE``.
        protocol (str = "dashscope"): ``"dashscope"`` (native), or ``"openai"`` for a
            gateway that has no other protocol.
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
        embed_batch_size (int = 10): How many texts LlamaIndex passes on at once.
            Default: ``batch_size`` times ``max_concurrency``, so that they are sent at
            once.
        embeddings_cache (BaseKVStore | None = None): LlamaIndex's cache of vectors.
            Vectors of another model, length, instruction or text type are not found in
            it.
        num_workers (int | None = None): How many batches LlamaIndex awaits at once.
        rate_limiter (RateLimiter | None = None): LlamaIndex's limiter of batches.
        callback_manager (CallbackManager | None = None): Receives LlamaIndex's
            callbacks.
        resolved_model (str | None = None): Read only: the model id that is sent.

    Raises:
        ConfigurationError: An argument is unknown or invalid, or the API key is
            missing.

    Example:
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     embed_model = ModelStudioEmbedding(
        ...         model="text-embedding-v4",
        ...         dimensions=256,
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     vectors = embed_model.get_text_embedding_batch(["A fox.", "A car."])
        >>> len(vectors), len(vectors[0]), embed_model.usage.requests
        (2, 256, 1)
    """

    argument_aliases: ClassVar[Mapping[str, str]] = {"api_base": "base_url"}

    # It does not change a vector, and its objects have no text that stays the same.
    embeddings_cache: Any | None = Field(default=None, exclude=True, repr=False)

    if not TYPE_CHECKING:
        # Type checkers see the constructor that pydantic generates from the fields.
        def __init__(self, *positional: object, **arguments: Any) -> None:
            """Accept the model under either of its names."""
            _check_cache(arguments)
            super().__init__(*positional, **_both_names(arguments))

        def __setattr__(self, name: str, value: object) -> None:
            """Assign ``model`` for ``model_name``, and wrap a cache."""
            if name == "model_name":
                name = "model"
            _check_cache({name: value})
            super().__setattr__(name, value)
            if name == "embeddings_cache":
                self._wrap_cache()

    @classmethod
    @override
    def class_name(cls) -> str:
        """Return the name of the class in serialized data."""
        return "ModelStudioEmbedding"

    @override
    def model_copy(
        self, *, update: Mapping[str, object] | None = None, deep: bool = False
    ) -> Self:
        """Return a copy. Changed arguments are checked as in the constructor.

        Args:
            update: The arguments to change, by name.
            deep: Whether the arguments are copied too, but for the HTTP clients and a
                function that returns the key.

        Raises:
            ConfigurationError: An argument is unknown or invalid.
        """
        changes = _both_names({**(update or {})})
        _check_cache(changes)
        changes.pop("model_name", None)
        return super().model_copy(update=changes, deep=deep)

    @override
    def _after_resolving(self, before: Resolved | None) -> None:
        super()._after_resolving(before)
        vars(self)["model_name"] = self.model
        if "embed_batch_size" not in self.model_fields_set:
            rows = self.resolved.batch_size * self.max_concurrency
            vars(self)["embed_batch_size"] = min(rows, _MAX_EMBED_BATCH_SIZE)
        self._wrap_cache()

    def _wrap_cache(self) -> None:
        cache = self.embeddings_cache
        if isinstance(cache, BaseKVStore):
            vars(self)["embeddings_cache"] = NamespacedStore(
                cache, self.cache_namespace
            )

    # --- Dense vectors: what LlamaIndex's public methods call -------------------------

    @override
    def get_query_embedding(self, query: str) -> list[float]:
        """Return the vector of a query.

        Args:
            query: The query.

        Raises:
            ConfigurationError: The query is empty, no string, or surely too long.
            APIError: The request failed, or the answer is not complete.
        """
        with embedding_a_query():
            return super().get_query_embedding(query)

    @override
    async def aget_query_embedding(self, query: str) -> list[float]:
        """Async version of ``get_query_embedding``."""
        with embedding_a_query():
            return await super().aget_query_embedding(query)

    @override
    def get_text_embedding_batch(
        self, texts: Sequence[str], show_progress: bool = False, **kwargs: Any
    ) -> list[list[float]]:
        """Return the vectors of documents. All are checked before any is sent.

        Args:
            texts: The documents, any number of them.
            show_progress: Whether to show a progress bar.
            **kwargs: Ignored, as in LlamaIndex.

        Raises:
            ConfigurationError: It is not a list, or a text is invalid.
            APIError: A request failed, or an answer is not complete.
        """
        # LlamaIndex splits the list, so that an error would name a row of a part.
        checked = self._check_texts(texts)
        return super().get_text_embedding_batch(checked, show_progress, **kwargs)

    @override
    async def aget_text_embedding_batch(
        self, texts: Sequence[str], show_progress: bool = False, **kwargs: Any
    ) -> list[list[float]]:
        """Async version of ``get_text_embedding_batch``."""
        checked = self._check_texts(texts)
        return await super().aget_text_embedding_batch(checked, show_progress, **kwargs)

    @override
    def _get_query_embedding(self, query: str) -> list[float]:
        return cast("list[float]", self._embed_query(query))

    @override
    async def _aget_query_embedding(self, query: str) -> list[float]:
        return cast("list[float]", await self._aembed_query(query))

    @override
    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    @override
    async def _aget_text_embedding(self, text: str) -> list[float]:
        return (await self._aget_text_embeddings([text]))[0]

    @override
    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._embed(texts, "document")

    @override
    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await self._aembed(texts, "document")

    # --- Sparse and hybrid vectors ----------------------------------------------------

    def get_sparse_text_embedding_batch(
        self, texts: Sequence[str]
    ) -> list[SparseVector]:
        """Return the sparse vectors of documents.

        Args:
            texts: The documents, any number of them.

        Raises:
            ConfigurationError: A text is invalid, or the model or the protocol has no
                sparse vectors.
            APIError: A request failed, or an answer is not complete.

        Example:
            >>> from modelstudio_core.emulator import Emulator
            >>> with Emulator() as studio:
            ...     embed_model = ModelStudioEmbedding(
            ...         model="text-embedding-v4",
            ...         base_url=studio.base_url,
            ...         api_key=studio.api_key,
            ...     )
            ...     (vector,) = embed_model.get_sparse_text_embedding_batch(["red fox"])
            >>> len(vector.to_dict())
            2
        """
        return self._embed(texts, "document", "sparse")

    def get_sparse_query_embedding(self, query: str) -> SparseVector:
        """Return the sparse vector of a query.

        Args:
            query: The query.

        Raises:
            ConfigurationError: The query is invalid, or the model or the protocol has
                no sparse vectors.
            APIError: The request failed, or the answer is not complete.
        """
        return cast("SparseVector", self._embed_query(query, "sparse"))

    async def aget_sparse_text_embedding_batch(
        self, texts: Sequence[str]
    ) -> list[SparseVector]:
        """Async version of ``get_sparse_text_embedding_batch``."""
        return await self._aembed(texts, "document", "sparse")

    async def aget_sparse_query_embedding(self, query: str) -> SparseVector:
        """Async version of ``get_sparse_query_embedding``."""
        return cast("SparseVector", await self._aembed_query(query, "sparse"))

    def get_hybrid_text_embedding_batch(
        self, texts: Sequence[str]
    ) -> list[HybridVector]:
        """Return the dense and sparse vectors of documents, from the same requests.

        Args:
            texts: The documents, any number of them.

        Raises:
            ConfigurationError: A text is invalid, or the model or the protocol has no
                sparse vectors.
            APIError: A request failed, or an answer is not complete.
        """
        return self._embed(texts, "document", "dense&sparse")

    def get_hybrid_query_embedding(self, query: str) -> HybridVector:
        """Return the dense and the sparse vector of a query.

        Args:
            query: The query.

        Raises:
            ConfigurationError: The query is invalid, or the model or the protocol has
                no sparse vectors.
            APIError: The request failed, or the answer is not complete.
        """
        return cast("HybridVector", self._embed_query(query, "dense&sparse"))

    async def aget_hybrid_text_embedding_batch(
        self, texts: Sequence[str]
    ) -> list[HybridVector]:
        """Async version of ``get_hybrid_text_embedding_batch``."""
        return await self._aembed(texts, "document", "dense&sparse")

    async def aget_hybrid_query_embedding(self, query: str) -> HybridVector:
        """Async version of ``get_hybrid_query_embedding``."""
        return cast("HybridVector", await self._aembed_query(query, "dense&sparse"))


class ModelStudioMultiModalEmbedding(ModelStudioEmbedding, MultiModalEmbedding):
    """Models of Alibaba Cloud Model Studio that embed texts, images and video.

    The vectors of texts and images can be compared.

    All arguments are keywords, and only ``model`` is required.

    Args:
        model (str): Model id, such as ``"qwen3-vl-embedding"``. ``model_name`` is the
            same.
        model_name (str = "unknown"): Another name of ``model``.
        dimensions (int | None = None): Length of the vectors. Default: the model's.
        instruct (str | None = None): Instruction for queries, best in English.
        batch_size (int | None = None): Largest number of texts in one request. Default:
            as many as the model accepts.
        tokens_per_request (int | None = None): Estimated tokens at which a request is
            full. Default: the model's limit.
        max_concurrency (int = 4): Largest number of requests of this object at once,
            over all threads and tasks, whatever ``num_workers`` is.
        api_key (SecretStr | str | Callable | None = None): API key, or a function that
            returns it before each request. Default: ``DASHSCOPE_API_KEY``.
        region (str | None = None): Region id or alias. Default: the region of ``mode``,
            else ``DASHSCOPE_REGION``, else ``"ap-southeast-1"`` (Singapore).
        mode (str | None = None): Deployment mode, which decides where inference runs.
            Default: ``DASHSCOPE_MODE`` if ``region`` is not given, else the default of
            the region.
        workspace (str | None = None): Workspace id, which some regions require.
            Default: ``DASHSCOPE_WORKSPACE_ID``, else ``DASHSCOPE_WORKSPACE``.
        protocol (str = "dashscope"): ``"dashscope"`` (native), or ``"openai"`` for a
            gateway that has no other protocol.
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
        embed_batch_size (int = 10): How many texts LlamaIndex passes on at once.
            Default: ``batch_size`` times ``max_concurrency``, so that they are sent at
            once.
        embeddings_cache (BaseKVStore | None = None): LlamaIndex's cache of vectors.
            Vectors of another model, length, instruction or text type are not found in
            it.
        num_workers (int | None = None): How many batches LlamaIndex awaits at once.
        rate_limiter (RateLimiter | None = None): LlamaIndex's limiter of batches.
        callback_manager (CallbackManager | None = None): Receives LlamaIndex's
            callbacks.
        resolved_model (str | None = None): Read only: the model id that is sent.

    Raises:
        ConfigurationError: An argument is unknown or invalid, the model embeds texts
            only, or the API key is missing.

    Example:
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     embed_model = ModelStudioMultiModalEmbedding(
        ...         model="qwen3-vl-embedding",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     image = embed_model.get_image_embedding("https://example.com/fox.jpg")
        ...     text = embed_model.get_text_embedding("a fox")
        >>> len(image) == len(text)
        True
    """

    @classmethod
    @override
    def class_name(cls) -> str:
        """Return the name of the class in serialized data."""
        return "ModelStudioMultiModalEmbedding"

    @classmethod
    @override
    def _decide(cls, arguments: Mapping[str, Any]) -> ResolvedEmbeddings:
        return super()._decide(arguments).as_multimodal()

    def embed_contents(
        self,
        contents: Sequence[ContentItem],
        *,
        parameters: Mapping[str, object] | None = None,
    ) -> list[list[float]]:
        """Return one vector for each item: a text, an image, a video, or several fused.

        Args:
            contents: The items: texts, and mappings with ``text``, ``image`` (a URL, a
                path, bytes, or a list of them) or ``video`` (a URL). A mapping with
                several of them becomes one vector, where the model can do that.
            parameters: Other parameters of the requests, such as ``fps``, sent
                unchanged.

        Raises:
            ConfigurationError: An item is invalid.
            APIError: A request failed, or an answer is not complete.
        """
        return self._embed_contents(contents, parameters)

    async def aembed_contents(
        self,
        contents: Sequence[ContentItem],
        *,
        parameters: Mapping[str, object] | None = None,
    ) -> list[list[float]]:
        """Async version of ``embed_contents``."""
        return await self._aembed_contents(contents, parameters)

    @override
    def _get_image_embedding(self, img_file_path: ImageType) -> list[float]:
        return self._get_image_embeddings([img_file_path])[0]

    @override
    async def _aget_image_embedding(self, img_file_path: ImageType) -> list[float]:
        return (await self._aget_image_embeddings([img_file_path]))[0]

    @override
    def _get_image_embeddings(
        self, img_file_paths: list[ImageType]
    ) -> list[list[float]]:
        return self._embed_contents([{"image": image} for image in img_file_paths])

    @override
    async def _aget_image_embeddings(
        self, img_file_paths: list[ImageType]
    ) -> list[list[float]]:
        return await self._aembed_contents(
            [{"image": image} for image in img_file_paths]
        )


def _check_cache(arguments: Mapping[str, object]) -> None:
    cache = arguments.get("embeddings_cache")
    if cache is not None and not isinstance(cache, BaseKVStore):
        raise ConfigurationError(
            "embeddings_cache must be a BaseKVStore of LlamaIndex, got a"
            f" {type(cache).__name__}."
        )


def _both_names(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with ``model`` and LlamaIndex's ``model_name`` alike.

    Raises:
        ConfigurationError: Both are given, and they are different.
    """
    models = [arguments[name] for name in _MODEL_NAMES if name in arguments]
    if models and models[0] != models[-1]:
        raise ConfigurationError(
            "model and model_name are the same argument, and have different values:"
            " pass one of the two."
        )
    return (
        {**arguments, **dict.fromkeys(_MODEL_NAMES, models[0])} if models else arguments
    )
