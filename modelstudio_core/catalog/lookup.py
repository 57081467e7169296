"""Finding a model's profile: by exact id, alias, prefix; and the nearest served one."""

from dataclasses import replace
from functools import cache
from typing import Final

from modelstudio_core.catalog.chat_models import MODELS
from modelstudio_core.catalog.profiles import ModelProfile
from modelstudio_core.endpoints import Endpoint
from modelstudio_core.wire.suggestions import nearest

__all__ = ["known_models", "nearest_served", "resolve_model"]

_US_SUFFIX: Final = "-us"


@cache
def resolve_model(name: str) -> ModelProfile:
    """Find what is known of a model.

    Args:
        name: A model id as it is sent, slashes and dates included.

    Returns:
        The profile: of the exact id, else of the alias, else of the longest family
        prefix, else one that knows nothing and allows everything.

    Example:
        >>> resolve_model("qwen3.7-max").thinking
        'hybrid-on'
        >>> resolve_model("a-model-of-tomorrow").known
        False
    """
    by_id, by_prefix = _index()
    if name in by_id:
        return replace(by_id[name], id=_canonical(name, by_id[name]))
    for prefix, profile in by_prefix:
        if name.startswith(prefix):
            return replace(profile, id=name)
    return ModelProfile(id=name)


def known_models() -> tuple[str, ...]:
    """Return every exact id of the catalog, in its order."""
    return tuple(name for profile in MODELS for name in profile.ids)


def nearest_served(model: str, endpoint: Endpoint) -> str | None:
    """Return the known chat model that is nearest in name and served at an endpoint.

    Where the catalog does not know who serves a model, everybody does.

    Args:
        model: The id that was asked for, which is not offered again.
        endpoint: Where; its region and its mode count where they are known.

    Example:
        >>> from modelstudio_core.endpoints import resolve_endpoint
        >>> nearest_served("qwen3.7-pluss", resolve_endpoint(region="singapore"))
        'qwen3.7-plus'
    """
    served = [
        name
        for profile in MODELS
        if _is_served(profile, endpoint)
        for name in profile.ids
        if name != model and name.endswith(_US_SUFFIX) == (endpoint.mode == "us")
    ]
    return next(iter(nearest(model, served)), None)


def _is_served(profile: ModelProfile, endpoint: Endpoint) -> bool:
    return (
        profile.delisted is None
        and "text" in profile.outputs
        and (
            endpoint.region is None
            or endpoint.region in (profile.regions or {endpoint.region})
        )
        and (
            endpoint.mode is None or endpoint.mode in (profile.modes or {endpoint.mode})
        )
    )


def _canonical(name: str, profile: ModelProfile) -> str:
    return profile.ids[0] if name in profile.aliases else name


@cache
def _index() -> tuple[dict[str, ModelProfile], list[tuple[str, ModelProfile]]]:
    """Index the table by exact id and, longest first, by family prefix."""
    by_id = {name: p for p in MODELS for name in p.aliases}
    by_id |= {name: p for p in MODELS for name in p.ids}
    prefixed = [(p.prefix, p) for p in MODELS if p.prefix]
    return by_id, sorted(prefixed, key=lambda item: -len(item[0]))
