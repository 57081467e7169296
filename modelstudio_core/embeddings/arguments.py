"""The arguments of an embedding class's constructor, and the calls of both frameworks.

The classes of the frameworks give these calls the names that their users know.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, cast

from pydantic import Field
from typing_extensions import override

from modelstudio_core import endpoints
from modelstudio_core.concurrent_arguments import ConcurrentArguments, Keep
from modelstudio_core.embeddings.calls import (
    EmbeddingCall,
    Progress,
    TextCall,
    aembed_texts,
    embed_texts,
)
from modelstudio_core.embeddings.contents import (
    Content,
    check_contents,
    plan_contents,
)
from modelstudio_core.embeddings.inputs import check_texts
from modelstudio_core.embeddings.options import (
    OutputType,
    ResolvedEmbeddings,
    TextType,
    require_native,
    resolve_embeddings,
)
from modelstudio_core.embeddings.requests import build_contents_request
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.facts import refuse_or_warn
from modelstudio_core.service_inputs import check_text
from modelstudio_core.transport.requests import HttpRequest

__all__ = ["EmbeddingArguments"]


class EmbeddingArguments(ConcurrentArguments):
    """The arguments of an embedding class."""

    argument_names: ClassVar[frozenset[str]] = frozenset()

    protocol: endpoints.Protocol = Field(
        default="dashscope",
        description="'dashscope' (native), which tells queries from documents, or"
        " 'openai' (OpenAI compatible).",
    )
    dimensions: int | None = Field(
        default=None,
        description="The length of the vectors. None: the model's default.",
    )
    instruct: str | None = Field(
        default=None,
        description="An instruction for queries, preferably in English.",
    )
    batch_size: int | None = Field(
        default=None,
        description="The most texts of one request. None: the limit of the model.",
    )
    tokens_per_request: int | None = Field(
        default=None,
        description="The estimated tokens at which a request is full. None: the limit"
        " of the model.",
    )

    @classmethod
    @override
    def _decide(cls, arguments: Mapping[str, Any]) -> ResolvedEmbeddings:
        return resolve_embeddings(arguments)

    @property
    def resolved(self) -> ResolvedEmbeddings:
        """The resolved arguments."""
        return cast("ResolvedEmbeddings", self._resolved_now())

    @property
    def cache_namespace(self) -> str:
        """A short name of all that changes a document's vector, for caches.

        It has letters, digits, ``.``, ``_`` and ``-`` only.
        """
        return self.resolved.cache_namespace

    def keep_sparse_vectors(self) -> None:
        """Request the sparse vectors of texts together with the dense ones.

        Stores for hybrid search request both, one after the other. The sparse vectors
        of the last 4,096 texts are kept until they are requested, so that each text is
        paid for once.

        Raises:
            ConfigurationError: The model or the protocol has no sparse vectors.
        """
        self._check_sparse()
        shared = self._shared_now()
        if shared.kept is None:
            shared.kept = Keep()

    # --- Texts ------------------------------------------------------------------------

    def _embed(
        self,
        texts: Iterable[str],
        text_type: TextType,
        output: OutputType = "dense",
        progress: Progress | None = None,
    ) -> list[Any]:
        call = self._text_call(texts, text_type, output, progress)
        return embed_texts(self.resolved, self._shared_now(), call)

    async def _aembed(
        self,
        texts: Iterable[str],
        text_type: TextType,
        output: OutputType = "dense",
        progress: Progress | None = None,
    ) -> list[Any]:
        call = self._text_call(texts, text_type, output, progress)
        return await aembed_texts(self.resolved, self._shared_now(), call)

    def _embed_query(self, query: str, output: OutputType = "dense") -> Any:
        return self._embed([self._check_query(query)], "query", output)[0]

    async def _aembed_query(self, query: str, output: OutputType = "dense") -> Any:
        vectors = await self._aembed([self._check_query(query)], "query", output)
        return vectors[0]

    def _check_query(self, query: object) -> str:
        most = self.resolved.profile.max_row_tokens
        return check_text(query, most, "The query", "Pass a text.")

    def _check_texts(self, texts: Iterable[str]) -> list[str]:
        return check_texts(texts, self.resolved.profile.max_row_tokens)

    def _text_call(
        self,
        texts: Iterable[str],
        text_type: TextType,
        output: OutputType,
        progress: Progress | None,
    ) -> TextCall:
        if output != "dense":
            self._check_sparse()
        return TextCall(
            texts=self._check_texts(texts),
            text_type=text_type,
            output=output,
            progress=progress,
        )

    def _check_sparse(self) -> None:
        resolved = self.resolved
        require_native(resolved, "Sparse vectors")
        if resolved.profile.sparse is False:
            refuse_or_warn(
                resolved.profile,
                f"{resolved.profile.id} has no sparse vectors. Use a model such as"
                " 'text-embedding-v4'.",
            )

    # --- Images and video -------------------------------------------------------------

    def _embed_contents(self, contents: object, parameters: object = None) -> list[Any]:
        resolved = self.resolved.as_multimodal()
        checked = check_contents(contents, resolved)
        call = self._contents_call(resolved, parameters)
        return call.run(plan_contents(checked, resolved))

    async def _aembed_contents(
        self, contents: object, parameters: object = None
    ) -> list[Any]:
        resolved = self.resolved.as_multimodal()
        # Files are read, and images are encoded.
        checked = await asyncio.to_thread(check_contents, contents, resolved)
        call = self._contents_call(resolved, parameters)
        return await call.arun(plan_contents(checked, resolved))

    def _contents_call(
        self, resolved: ResolvedEmbeddings, parameters: object
    ) -> EmbeddingCall:
        if parameters is None:
            parameters = {}
        if not isinstance(parameters, Mapping):
            name = type(parameters).__name__
            raise ConfigurationError(f"parameters must be a mapping, got a {name}.")
        given = cast("Mapping[str, object]", parameters)
        return EmbeddingCall(
            resolved=resolved,
            shared=self._shared_now(),
            build=partial(_build_contents, resolved, given),
            name="contents",
        )


def _build_contents(
    resolved: ResolvedEmbeddings,
    parameters: Mapping[str, object],
    contents: Sequence[Content],
) -> HttpRequest:
    objects = [part for content in contents for part in content.objects]
    fuses = resolved.profile.fusion == "parameter" and contents[0].fused
    fusion = {"enable_fusion": True} if fuses else {}
    return build_contents_request(resolved, objects, {**fusion, **parameters})


EmbeddingArguments.argument_names = frozenset(EmbeddingArguments.model_fields) - {
    "resolved_model"
}
