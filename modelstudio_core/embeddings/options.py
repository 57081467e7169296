"""The resolved arguments of an embedding class, and their checks."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Literal

from modelstudio_core.catalog import (
    MULTIMODAL_EMBEDDING_PATH,
    EmbeddingProfile,
    ResolvedServiceModel,
    resolve_service_model,
)
from modelstudio_core.concurrent_arguments import DEFAULT_CONCURRENCY, check_count
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.facts import refuse_or_warn
from modelstudio_core.service_inputs import check_instruct, service_context
from modelstudio_core.transport.connection import Connection
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "OutputType",
    "ResolvedEmbeddings",
    "TextType",
    "require_native",
    "resolve_embeddings",
]

TextType = Literal["document", "query"]
OutputType = Literal["dense", "sparse", "dense&sparse"]
# Every text model accepts so many rows, so it is used for one that is not known.
_SAFE_ROWS: Final = 10
_NAME: Final = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, kw_only=True)
class ResolvedEmbeddings:
    """The resolved arguments of an embedding class.

    Attributes:
        connection: How to reach the service.
        model: The model.
        dimensions: The length of the vectors that is requested; None: the default.
        instruct: The instruction for queries.
        batch_size: The most rows of one request.
        max_concurrency: The most requests at once.
        tokens_per_request: The estimated tokens at which a request is full; None for no
            limit.
    """

    connection: Connection
    model: ResolvedServiceModel[EmbeddingProfile]
    dimensions: int | None
    instruct: str | None
    batch_size: int
    max_concurrency: int
    tokens_per_request: int | None

    @property
    def profile(self) -> EmbeddingProfile:
        """What is known of the model."""
        return self.model.profile

    @property
    def is_native(self) -> bool:
        """Whether the native protocol is spoken."""
        return self.connection.protocol == "dashscope"

    def as_multimodal(self) -> "ResolvedEmbeddings":
        """Return the arguments for images and video.

        A model that is not known may embed them.

        Raises:
            ConfigurationError: The model is known to embed texts only, or the
                OpenAI-compatible protocol is spoken.
        """
        profile = self.profile
        if profile.multimodal:
            return self
        require_native(self, "Embeddings of images and video")
        if profile.is_known:
            raise ConfigurationError(
                f"{profile.id} embeds texts only. Use a multimodal model such as"
                " 'qwen3-vl-embedding'."
            )
        profile = replace(
            profile, multimodal=True, native_path=MULTIMODAL_EMBEDDING_PATH
        )
        return replace(self, model=replace(self.model, profile=profile))

    @cached_property
    def context(self) -> ErrorContext:
        """The facts of a request that errors report."""
        return service_context(self.connection, self.profile, "embedding")

    @cached_property
    def cache_namespace(self) -> str:
        """A name of all that changes a vector, in letters, digits, ``.``, ``_``, ``-``.

        A name with other characters, and an instruction, are in it as a hash.
        """
        parts: list[object] = [_NAME.sub("-", self.profile.id)]
        parts.append(self.dimensions or self.profile.default_dimension or "default")
        parts.append(self.connection.protocol)
        if self.instruct is not None or parts[0] != self.profile.id:
            text = f"{self.profile.id}\n{self.instruct or ''}"
            parts.append(hashlib.sha256(text.encode()).hexdigest()[:16])
        return "_".join(map(str, parts))


def resolve_embeddings(arguments: Mapping[str, Any]) -> ResolvedEmbeddings:
    """Resolve the arguments of an embedding class's constructor.

    Args:
        arguments: The arguments by their canonical names, with the defaults.

    Raises:
        ConfigurationError: An argument is invalid, or arguments contradict each other.
    """
    name = arguments.get("model")
    if name is None:
        raise ConfigurationError(
            "model is missing: pass a model id such as model='text-embedding-v4'."
        )
    connection = resolve_connection(arguments, model=name)
    model = resolve_service_model(EmbeddingProfile, name, connection.endpoint)
    profile = model.profile
    if profile.multimodal and connection.protocol == "openai":
        raise ConfigurationError(
            f"{profile.id} is served by the native protocol only: pass"
            " protocol='dashscope'."
        )
    return ResolvedEmbeddings(
        connection=connection,
        model=model,
        dimensions=_check_dimensions(check_count(arguments, "dimensions"), profile),
        instruct=_check_instruct(arguments.get("instruct"), profile, connection),
        batch_size=_check_batch_size(check_count(arguments, "batch_size"), profile),
        max_concurrency=check_count(arguments, "max_concurrency")
        or DEFAULT_CONCURRENCY,
        tokens_per_request=check_count(arguments, "tokens_per_request")
        or _request_tokens(profile, connection.endpoint.region),
    )


def require_native(resolved: ResolvedEmbeddings, what: str) -> None:
    """Refuse something that only the native protocol has.

    Args:
        resolved: The resolved arguments.
        what: What it is, as the beginning of a sentence.

    Raises:
        ConfigurationError: The OpenAI-compatible protocol is spoken.
    """
    if not resolved.is_native:
        raise ConfigurationError(
            f"{what} exist on the native protocol only: pass protocol='dashscope'."
        )


def _check_dimensions(value: int | None, profile: EmbeddingProfile) -> int | None:
    lengths = profile.dimensions
    if value is not None and lengths is not None and value not in lengths:
        valid = ", ".join(map(str, lengths))
        rule = f"must be one of {valid}" if len(lengths) > 1 else f"must be {valid}"
        refuse_or_warn(profile, f"dimensions of {profile.id} {rule}, got {value}.")
    return value


def _check_instruct(
    value: object, profile: EmbeddingProfile, connection: Connection
) -> str | None:
    if value is not None and connection.protocol == "openai":
        raise ConfigurationError(
            "instruct exists on the native protocol only: pass protocol='dashscope', or"
            " remove instruct=."
        )
    return check_instruct(value, profile, supported=profile.instruct)


def _check_batch_size(value: int | None, profile: EmbeddingProfile) -> int:
    if profile.fusion == "always":
        # One vector is all that a request returns, so it can have one row only.
        return 1
    cap = profile.max_contents if profile.multimodal else profile.max_rows
    if value is None:
        return cap or _SAFE_ROWS
    if cap is not None and value > cap:
        refuse_or_warn(
            profile,
            f"batch_size must be at most {cap} for {profile.id}, got {value}: a request"
            " has at most so many rows. Any number of texts can be embedded in one"
            " call.",
        )
    return value


def _request_tokens(profile: EmbeddingProfile, region: str | None) -> int | None:
    by_region = profile.max_request_tokens_by_region
    return by_region.get(region or "", profile.max_request_tokens)
