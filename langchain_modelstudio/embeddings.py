"""``ModelStudioEmbeddings``: the embedding models as LangChain embeddings."""

from collections.abc import Generator, Iterable, Mapping, Sequence, Sized
from contextlib import contextmanager
from importlib import import_module
from typing import Any, ClassVar

from langchain_core.embeddings import Embeddings
from typing_extensions import override

from langchain_modelstudio.errors import langchain_errors
from modelstudio_core.embeddings import HybridVector, SparseVector
from modelstudio_core.embeddings.arguments import EmbeddingArguments
from modelstudio_core.embeddings.calls import Progress
from modelstudio_core.embeddings.contents import ContentItem, Image
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.service_inputs import list_of

__all__ = ["ModelStudioEmbeddings"]


class ModelStudioEmbeddings(EmbeddingArguments, Embeddings):
    """Embedding models of Alibaba Cloud Model Studio.

    Any number of texts can be embedded in one call: they are split by the limits of the
    model, several requests are sent at once, and a failed request is repeated alone.
    Queries and documents have different vectors, which only the native protocol tells
    apart: it is the default. ``usage`` has the tokens that were used.

    Args:
        model (str): Model id, such as ``"text-embedding-v4"``. ``model_name`` is an
            alias.
        dimensions (int | None = None): Length of the vectors. Default: the model's.
        instruct (str | None = None): Instruction for queries, best in English.
        batch_size (int | None = None): Largest number of texts in one request. Default:
            as many as the model accepts. ``chunk_size`` is an alias.
        tokens_per_request (int | None = None): Estimated tokens at which a request is
            full. Default: the model's limit.
        max_concurrency (int = 4): Largest number of requests of this object at once,
            over all threads and tasks.
        show_progress_bar (bool = False): Whether a progress bar is shown for documents.
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
        protocol (str = "dashscope"): ``"dashscope"`` (native), or ``"openai"`` for a
            gateway that has no other protocol.
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
        ...     embeddings = ModelStudioEmbeddings(
        ...         model="text-embedding-v4",
        ...         dimensions=256,
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     vectors = embeddings.embed_documents(["A red fox.", "A blue car."])
        >>> len(vectors), len(vectors[0]), embeddings.usage.requests
        (2, 256, 1)
    """

    argument_aliases: ClassVar[Mapping[str, str]] = {
        "model_name": "model",
        "chunk_size": "batch_size",
        "dashscope_api_key": "api_key",
    }

    show_progress_bar: bool = False
    """Whether a progress bar is shown for documents."""

    @property
    def model_name(self) -> str:
        """The requested model id: another name of ``model``."""
        return self.model

    # --- Dense vectors ----------------------------------------------------------------

    @override
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of documents.

        Args:
            texts: The documents, any number of them.

        Raises:
            ConfigurationError: A text is empty, no string, or surely too long. Nothing
                was sent.
            APIError: A request failed, or an answer is not complete.
        """
        with langchain_errors(), self._progress(texts) as progress:
            return self._embed(texts, "document", "dense", progress)

    @override
    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a query.

        Args:
            text: The query.

        Raises:
            ConfigurationError: The text is empty, no string, or surely too long.
            APIError: The request failed, or the answer is not complete.
        """
        with langchain_errors():
            vector: list[float] = self._embed_query(text)
            return vector

    @override
    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Async version of ``embed_documents``."""
        with langchain_errors(), self._progress(texts) as progress:
            return await self._aembed(texts, "document", "dense", progress)

    @override
    async def aembed_query(self, text: str) -> list[float]:
        """Async version of ``embed_query``."""
        with langchain_errors():
            vector: list[float] = await self._aembed_query(text)
            return vector

    # --- Sparse and hybrid vectors ----------------------------------------------------

    def embed_sparse_documents(self, texts: list[str]) -> list[SparseVector]:
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
            ...     embeddings = ModelStudioEmbeddings(
            ...         model="text-embedding-v4",
            ...         base_url=studio.base_url,
            ...         api_key=studio.api_key,
            ...     )
            ...     (vector,) = embeddings.embed_sparse_documents(["red fox"])
            >>> len(vector.indices) == len(vector.values) == 2
            True
        """
        with langchain_errors():
            return self._embed(texts, "document", "sparse")

    def embed_sparse_query(self, text: str) -> SparseVector:
        """Return the sparse vector of a query.

        Args:
            text: The query.

        Raises:
            ConfigurationError: The text is invalid, or the model or the protocol has no
                sparse vectors.
            APIError: The request failed, or the answer is not complete.
        """
        with langchain_errors():
            vector: SparseVector = self._embed_query(text, "sparse")
            return vector

    async def aembed_sparse_documents(self, texts: list[str]) -> list[SparseVector]:
        """Async version of ``embed_sparse_documents``."""
        with langchain_errors():
            return await self._aembed(texts, "document", "sparse")

    async def aembed_sparse_query(self, text: str) -> SparseVector:
        """Async version of ``embed_sparse_query``."""
        with langchain_errors():
            vector: SparseVector = await self._aembed_query(text, "sparse")
            return vector

    def embed_hybrid_documents(self, texts: list[str]) -> list[HybridVector]:
        """Return the dense and sparse vectors of documents, from the same requests.

        Args:
            texts: The documents, any number of them.

        Raises:
            ConfigurationError: A text is invalid, or the model or the protocol has no
                sparse vectors.
            APIError: A request failed, or an answer is not complete.
        """
        with langchain_errors():
            return self._embed(texts, "document", "dense&sparse")

    def embed_hybrid_query(self, text: str) -> HybridVector:
        """Return the dense and the sparse vector of a query.

        Args:
            text: The query.

        Raises:
            ConfigurationError: The text is invalid, or the model or the protocol has no
                sparse vectors.
            APIError: The request failed, or the answer is not complete.
        """
        with langchain_errors():
            vector: HybridVector = self._embed_query(text, "dense&sparse")
            return vector

    async def aembed_hybrid_documents(self, texts: list[str]) -> list[HybridVector]:
        """Async version of ``embed_hybrid_documents``."""
        with langchain_errors():
            return await self._aembed(texts, "document", "dense&sparse")

    async def aembed_hybrid_query(self, text: str) -> HybridVector:
        """Async version of ``embed_hybrid_query``."""
        with langchain_errors():
            vector: HybridVector = await self._aembed_query(text, "dense&sparse")
            return vector

    # --- Images and video -------------------------------------------------------------

    def embed_image(self, uris: Sequence[Image]) -> list[list[float]]:
        """Return the vectors of images, as ``Chroma.add_images`` calls it.

        Args:
            uris: The URLs or paths of images, or their bytes.

        Raises:
            ConfigurationError: The model embeds no images, or an image is invalid.
            APIError: A request failed, or an answer is not complete.

        Example:
            >>> from modelstudio_core.emulator import Emulator
            >>> with Emulator() as studio:
            ...     embeddings = ModelStudioEmbeddings(
            ...         model="qwen3-vl-embedding",
            ...         dimensions=512,
            ...         base_url=studio.base_url,
            ...         api_key=studio.api_key,
            ...     )
            ...     (vector,) = embeddings.embed_image(["https://example.com/fox.jpg"])
            >>> len(vector)
            512
        """
        with langchain_errors():
            return self._embed_contents(_images(uris))

    async def aembed_image(self, uris: Sequence[Image]) -> list[list[float]]:
        """Async version of ``embed_image``."""
        with langchain_errors():
            return await self._aembed_contents(_images(uris))

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
            ConfigurationError: The model or the protocol embeds texts only, or an item
                is invalid.
            APIError: A request failed, or an answer is not complete.

        Example:
            >>> from modelstudio_core.emulator import Emulator
            >>> with Emulator() as studio:
            ...     embeddings = ModelStudioEmbeddings(
            ...         model="qwen3-vl-embedding",
            ...         base_url=studio.base_url,
            ...         api_key=studio.api_key,
            ...     )
            ...     vectors = embeddings.embed_contents(
            ...         ["red dress", {"image": "https://example.com/dress.jpg"}]
            ...     )
            >>> [len(vector) for vector in vectors]
            [2560, 2560]
        """
        with langchain_errors():
            return self._embed_contents(contents, parameters)

    async def aembed_contents(
        self,
        contents: Sequence[ContentItem],
        *,
        parameters: Mapping[str, object] | None = None,
    ) -> list[list[float]]:
        """Async version of ``embed_contents``."""
        with langchain_errors():
            return await self._aembed_contents(contents, parameters)

    @contextmanager
    def _progress(self, texts: Iterable[str]) -> Generator[Progress | None]:
        """Show a progress bar, if the user asked for one."""
        if not self.show_progress_bar or isinstance(texts, str):
            yield None
            return
        try:
            tqdm = import_module("tqdm.auto").tqdm
        except ImportError as error:
            raise ConfigurationError(
                "show_progress_bar=True needs tqdm: pip install tqdm."
            ) from error
        total = len(texts) if isinstance(texts, Sized) else None
        bar: Any = tqdm(total=total, desc="Embedding texts")
        with bar:
            yield bar.update


def _images(uris: Sequence[Image]) -> list[ContentItem]:
    return [{"image": uri} for uri in list_of(uris, "uris")]
