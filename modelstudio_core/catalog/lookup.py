"""Finding a model's profile: by exact id, alias, prefix; and the nearest served one."""

from dataclasses import replace
from functools import cache
from typing import Final

from modelstudio_core.catalog.batch_models import BATCH_CHAT_MODELS, BATCH_REGIONS
from modelstudio_core.catalog.chat_models import MODELS as CHAT_MODELS
from modelstudio_core.catalog.other_models import (
    EMBEDDING_MODELS,
    MEDIA_MODELS,
    RERANK_MODELS,
)
from modelstudio_core.catalog.profiles import (
    ChatProfile,
    EmbeddingProfile,
    MediaProfile,
    ModelKind,
    ModelMatch,
    ModelProfile,
    RerankProfile,
)
from modelstudio_core.endpoints import Endpoint
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.suggestions import is_similar, nearest

__all__ = [
    "MODELS",
    "check_model_id",
    "model_ids",
    "models_with_batch",
    "models_with_batch_chat",
    "nearest_served",
    "resolve_model",
    "suggest_served",
]

MODELS: tuple[ModelProfile, ...] = (
    *CHAT_MODELS,
    *EMBEDDING_MODELS,
    *RERANK_MODELS,
    *MEDIA_MODELS,
)

_PROFILES: Final[dict[ModelKind, type[ModelProfile]]] = {
    "chat": ChatProfile,
    "embedding": EmbeddingProfile,
    "rerank": RerankProfile,
    "media": MediaProfile,
}
_US_SUFFIX: Final = "-us"
_US_REGION: Final = ("us-east-1",)
_US_MODE: Final = ("us",)


def check_model_id(value: object, source: str = "model") -> str:
    """Return a model id that can be sent.

    Args:
        value: The id.
        source: The argument that it is from, for the error.

    Raises:
        ConfigurationError: It is no string, it is empty, or it has control characters,
            or spaces around it: it was read from a file, say.

    Example:
        >>> check_model_id("qwen3.7-max")
        'qwen3.7-max'
    """
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{source} must be a model's id, got {value!r:.80}.")
    if value.isprintable() and value == value.strip():
        return value
    raise ConfigurationError(
        f"{source} must be a model's id without spaces around it and control"
        f" characters, got {value!r:.80}: strip it."
    )


@cache
def resolve_model(name: str, kind: ModelKind | None = None) -> ModelProfile:
    """Find what is known of a model.

    Args:
        name: A model id as it is sent, slashes and dates included.
        kind: The kind of a model that is not known; a chat model where it is not given.
            A model that is known to be of another kind is returned as what it is.

    Returns:
        The profile: of the exact id, else of the alias, else of the exact id without
        its ``-us`` suffix, else of the longest family prefix, else one that knows
        nothing and allows everything. ``matched`` says which; a ``-us`` id has the
        facts of its twin and counts as exact.

    Example:
        >>> resolve_model("qwen3.7-max").kind
        'chat'
        >>> resolve_model("qwen3.7-text-embedding").kind
        'embedding'
        >>> resolve_model("a-model-of-tomorrow").is_known
        False
    """
    return _with_batch(_find(name, kind))


def _with_batch(profile: ModelProfile) -> ModelProfile:
    """Add the facts on batches: the pages list the models that have them."""
    unlisted = () if profile.exact else None
    regions = BATCH_REGIONS.get(profile.id, unlisted)
    has_chat = profile.id in BATCH_CHAT_MODELS or (False if profile.exact else None)
    return replace(profile, batch_regions=regions, batch_chat=has_chat)


def models_with_batch(region: str | None, kind: ModelKind) -> tuple[str, ...]:
    """Return the ids that have batch inference, without those that are delisted.

    Args:
        region: A region id; None: in any region.
        kind: The kind of model.

    Example:
        >>> models_with_batch("ap-southeast-1", "chat")
        ('qwen-plus', 'qwen-flash', 'qwen-max', 'qwen-turbo')
    """
    return tuple(
        name
        for name, regions in BATCH_REGIONS.items()
        if region is None or region in regions
        if (profile := resolve_model(name, kind)).kind == kind
        and profile.is_known
        and profile.delisted is None
    )


def models_with_batch_chat() -> tuple[str, ...]:
    """Return the ids that Batch Chat has, in alphabetical order."""
    return tuple(sorted(BATCH_CHAT_MODELS))


def _find(name: str, kind: ModelKind | None) -> ModelProfile:
    by_id, by_alias, by_prefix = _index()
    if name in by_id:
        return replace(by_id[name], id=name, matched="exact")
    if name in by_alias:
        profile = by_alias[name]
        return replace(profile, id=profile.ids[0], matched="alias")
    twin = by_id.get(name.removesuffix(_US_SUFFIX))
    if twin is not None and twin.delisted is None:
        return _bind(twin, name, "exact")
    for prefix, profile in by_prefix:
        if name.startswith(prefix):
            return _bind(profile, name, "prefix")
    return _PROFILES[kind or "chat"](id=name)


def _bind(profile: ModelProfile, name: str, matched: ModelMatch) -> ModelProfile:
    """Give an entry's facts to an id; a ``-us`` id is served in Virginia only."""
    bound = replace(profile, id=name, matched=matched)
    if not name.endswith(_US_SUFFIX):
        return bound
    return replace(bound, regions=_US_REGION, modes=_US_MODE)


def model_ids(kind: ModelKind | None = "chat") -> tuple[str, ...]:
    """Return the exact ids of the catalog, in its order.

    Args:
        kind: The kind of model; None: every kind.
    """
    return tuple(
        name
        for profile in MODELS
        if kind in {None, profile.kind}
        for name in profile.ids
    )


def nearest_served(
    model: str, endpoint: Endpoint, kind: ModelKind | None = None
) -> str | None:
    """Return the known model of the same kind that is nearest in name and served.

    A model for images is not offered where one for video was requested. A model whose
    regions or modes the catalog does not know counts as served. For a name of no family
    here, such as ``gpt-4o``, only one that is similar is offered.

    Args:
        model: The id that was requested, which is not offered again.
        endpoint: Its region and its mode count where they are known.
        kind: The kind to offer; where it is not given, the kind of ``model``.

    Example:
        >>> from modelstudio_core.endpoints import resolve_endpoint
        >>> nearest_served("qwen3.7-pluss", resolve_endpoint(region="singapore"))
        'qwen3.7-plus'
    """
    requested = resolve_model(model, kind)
    if kind is not None and requested.kind != kind:
        requested = _PROFILES[kind](id=model)
    served = [
        name
        for profile in MODELS
        if _is_like(requested, profile) and _is_served(profile, endpoint)
        for name in profile.ids
        if name != model and name.endswith(_US_SUFFIX) == (endpoint.mode == "us")
    ]
    best = next(iter(nearest(model, served)), None)
    is_foreign = kind is None and requested.matched == "default"
    # Of a model of another vendor, the nearest name here means nothing.
    return None if best and is_foreign and not is_similar(model, best) else best


def suggest_served(
    model: str, endpoint: Endpoint, kind: ModelKind | None = None
) -> str:
    """Return the sentences that offer the nearest model where one does not exist.

    Args:
        model: As for ``nearest_served``.
        endpoint: As for ``nearest_served``.
        kind: As for ``nearest_served``; the sentence names it.

    Example:
        >>> from modelstudio_core.endpoints import resolve_endpoint
        >>> suggest_served("qwen3.7-pluss", resolve_endpoint(region="singapore"))[:44]
        "The requested model is 'qwen3.7-pluss'. The "
    """
    requested = f"The requested model is {model!r}."
    nearest_model = nearest_served(model, endpoint, kind)
    if nearest_model is None:
        return f"{requested} The command modelstudio models lists the known models."
    noun = f"{kind} model" if kind else "model"
    where = f" in region {endpoint.region}" if endpoint.region else ""
    return f"{requested} The nearest known {noun}{where} is {nearest_model!r}."


def _is_like(requested: ModelProfile, profile: ModelProfile) -> bool:
    """Whether a model is of the same kind and makes some of the same things."""
    if requested.kind != profile.kind:
        return False
    return not requested.outputs or bool(requested.outputs & profile.outputs)


def _is_served(profile: ModelProfile, endpoint: Endpoint) -> bool:
    return (
        profile.delisted is None
        and (
            endpoint.region is None
            or endpoint.region in (profile.regions or {endpoint.region})
        )
        and (
            endpoint.mode is None or endpoint.mode in (profile.modes or {endpoint.mode})
        )
    )


_Index = tuple[
    dict[str, ModelProfile], dict[str, ModelProfile], list[tuple[str, ModelProfile]]
]


@cache
def _index() -> _Index:
    """Index the tables by exact id, by alias and, longest first, by family prefix."""
    by_id = {name: p for p in MODELS for name in p.ids}
    by_alias = {name: p for p in MODELS for name in p.aliases}
    prefixed = [(p.prefix, p) for p in MODELS if p.prefix]
    return by_id, by_alias, sorted(prefixed, key=lambda item: -len(item[0]))
