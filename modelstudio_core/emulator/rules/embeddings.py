"""Rules for embedding requests: rows, contents, dimensions and parameters.

Sources: text embedding synchronous API and multimodal embedding API reference (read
2026-11-27); public reports of the messages, 2025 to 2026. The limits are the catalog's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from modelstudio_core.catalog import EmbeddingProfile, ModelProfile
from modelstudio_core.emulator.json_values import JsonObject, is_array, is_object
from modelstudio_core.emulator.model.tokens import count_tokens
from modelstudio_core.emulator.rules.refusal import (
    Refusal,
    invalid_parameter,
    model_not_found,
)
from modelstudio_core.emulator.rules.served_models import is_served
from modelstudio_core.emulator.rules.sources import sourced

__all__ = ["EmbeddingQuery", "check_embedding", "embedding_profile"]

_OUTPUT_TYPES: Final = ("dense", "sparse", "dense&sparse")
_TEXT_TYPES: Final = ("query", "document")
_KINDS: Final = frozenset({"text", "image", "video", "multi_images"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingQuery:
    """A request for embeddings.

    Attributes:
        profile: What is known of the model.
        path: The service that it was sent to.
        rows: The rows: texts, or content objects.
        dimension: The length of the vectors that it asks for.
        text_type: Whether the rows are documents or queries.
        output_type: Which vectors it asks for.
        instruct: The instruction.
        base64: Whether it asks for base64 instead of numbers.
        fused: Whether all contents become one vector.
    """

    profile: EmbeddingProfile
    path: Literal["text", "multimodal"]
    rows: Sequence[object]
    dimension: object = None
    text_type: object = "document"
    output_type: object = "dense"
    instruct: str = ""
    base64: bool = False
    fused: bool = False

    @property
    def contents(self) -> list[Mapping[str, object]]:
        """The rows as content objects."""
        return [
            {"text": row} if isinstance(row, str) else _as_object(row)
            for row in self.rows
        ]


def _as_object(row: object) -> JsonObject:
    return row if is_object(row) else {}


@sourced("Error codes; public report, 2026", "2026-11-27")
def embedding_profile(profile: ModelProfile) -> EmbeddingProfile:
    """Return the profile of a model that exists and makes embeddings.

    Raises:
        Refusal: There is no such model, or it is of another kind.
    """
    if not is_served(profile):
        raise model_not_found(profile.id)
    if not isinstance(profile, EmbeddingProfile):
        raise Refusal("url error, please check url!", gateway=True)
    return profile


@sourced("Error codes; public report, 2026", "2026-11-27")
def check_embedding(query: EmbeddingQuery) -> None:
    """Refuse a request for embeddings that the service refuses.

    Raises:
        Refusal: With the service's status, code and message.
    """
    profile = query.profile
    if profile.multimodal != (query.path == "multimodal"):
        raise Refusal("url error, please check url!", gateway=True)
    if not query.rows:
        raise invalid_parameter("input can not be empty: input.contents")
    if query.path == "text":
        _check_texts(query)
    else:
        _check_contents(query)
    _check_parameters(query)


@sourced("Text embedding synchronous API; public reports, 2025 to 2026", "2026-11-27")
def _check_texts(query: EmbeddingQuery) -> None:
    rows, profile = query.rows, query.profile
    if profile.max_rows is not None and len(rows) > profile.max_rows:
        raise invalid_parameter(
            "Value error, batch size is invalid, it should not be larger than"
            f" {profile.max_rows}.: input.contents"
        )
    for row in rows:
        if not isinstance(row, str):
            raise invalid_parameter(
                "Value error, contents is neither str nor list of str.: input.contents"
            )
        _check_length(row, profile)


@sourced("Text embedding synchronous API; public report, 2026", "2026-11-27")
def _check_length(text: str, profile: EmbeddingProfile) -> None:
    limit = profile.max_row_tokens
    if not text or (limit is not None and count_tokens(text) > limit):
        raise invalid_parameter(
            f"Range of input length should be [1, {limit}]: input.contents"
        )


@sourced("Multimodal embedding API reference", "2026-11-27")
def _check_contents(query: EmbeddingQuery) -> None:
    contents, profile = query.contents, query.profile
    for content in contents:
        if not content or not content.keys() <= _KINDS:
            raise Refusal(
                "contents is malformed (emulator).",
                status=500,
                code="internal_error",
                type="internal_error",
                dashscope_code="InternalError.Algo",
            )
        if "text" in content:
            _check_length(str(content["text"]), profile)
    images = sum(map(_count_images, contents))
    videos = sum("video" in content for content in contents)
    counts = (
        ("contents", len(contents), profile.max_contents),
        ("images", images, profile.max_images),
        ("videos", videos, profile.max_videos),
    )
    for name, count, limit in counts:
        if limit is not None and count > limit:
            raise invalid_parameter(
                f"The number of {name} should not be larger than {limit}:"
                " input.contents"
            )


def _count_images(content: Mapping[str, object]) -> int:
    images = content.get("multi_images")
    return len(images) if is_array(images) else int("image" in content)


@sourced(
    "Text embedding synchronous API; Multimodal embedding API reference; recorded",
    "2026-11-27",
)
def _check_parameters(query: EmbeddingQuery) -> None:
    profile, dimension = query.profile, query.dimension
    lengths = profile.dimensions
    # A model with one length ignores the parameter (recorded).
    is_checked = dimension is not None and len(lengths or ()) > 1
    if is_checked and dimension not in (lengths or ()):
        raise invalid_parameter(
            f"Value error, dimension must be one of {sorted(lengths or ())}:"
            " parameters.dimension"
        )
    if query.text_type not in _TEXT_TYPES:
        raise invalid_parameter(
            "Value error, text_type must be query or document: parameters.text_type"
        )
    wants_sparse = query.output_type != "dense"
    if query.output_type not in _OUTPUT_TYPES or (wants_sparse and not profile.sparse):
        raise invalid_parameter(
            f"Value error, output_type {query.output_type} is not supported:"
            " parameters.output_type"
        )
    if query.fused and profile.fusion != "parameter":
        raise invalid_parameter(
            "enable_fusion is not supported: parameters.enable_fusion"
        )
