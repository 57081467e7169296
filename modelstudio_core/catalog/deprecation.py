"""Delisted chat models: what replaces them, and which model is in scope."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, Literal, NamedTuple, TypeVar, get_args

from modelstudio_core.catalog.chat_models import MODELS
from modelstudio_core.catalog.kinds import kind_warning, resolve_model_as
from modelstudio_core.catalog.lookup import (
    check_model_id,
    model_ids,
    resolve_model,
)
from modelstudio_core.catalog.profiles import ChatProfile, ModelProfile
from modelstudio_core.endpoints import Endpoint
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.suggestions import nearest, suggest, unknown_name

__all__ = [
    "DeprecatedModels",
    "ResolvedModel",
    "ResolvedServiceModel",
    "check_scope",
    "resolve_deprecated",
    "resolve_in_scope",
    "resolve_service_model",
]

DeprecatedModels = Literal["replace", "keep", "error"]
_POLICIES: Final = get_args(DeprecatedModels)
_US_SUFFIX: Final = "-us"
_Profile = TypeVar("_Profile", bound=ModelProfile)


class _Replacement(NamedTuple):
    model: str
    thinking: bool


class ResolvedModel(NamedTuple):
    """A chat model as it was requested and as it is sent.

    Attributes:
        requested: The id that was requested.
        profile: The profile of the model that is used; ``profile.id`` is what is sent.
        default_thinking: What is sent for ``enable_thinking=None``; None: nothing.
        notice: The deprecation warning; empty for a model that is not delisted.
        warning: Another warning: that the name looks like a model of another kind.
    """

    requested: str
    profile: ChatProfile
    default_thinking: bool | None
    notice: str
    warning: str = ""

    @property
    def replaced(self) -> bool:
        """Whether another model is used than the one that was requested."""
        return bool(self.notice) and self.requested != self.profile.id


@dataclass(frozen=True, slots=True)
class ResolvedServiceModel(Generic[_Profile]):
    """A model of a service other than chat. It is sent as it was requested.

    Attributes:
        requested: The id that was requested.
        profile: The profile of the model.
        notice: The deprecation warning; empty for a model that is not delisted.
        warning: Another warning: that the name looks like a model of another kind.
    """

    requested: str
    profile: _Profile
    notice: str = ""
    warning: str = ""

    @property
    def replaced(self) -> bool:
        """Whether another model is used than the one that was requested: never."""
        return False


# The page "DeepSeek" recommends the replacements. A model that is replaced keeps its
# own default thinking: on for those that only think, off for the others.
_REPLACEMENTS: Final = {
    name: _Replacement(profile.replacement, thinking=profile.thinking == "only")
    for profile in MODELS
    if profile.replacement is not None
    for name in profile.ids
}


def resolve_deprecated(
    model: str,
    *,
    mode: str | None = None,
    deprecated_models: DeprecatedModels = "replace",
    replacements: Mapping[str, str] | None = None,
) -> ResolvedModel:
    """Decide which chat model is used for the one that is requested.

    Args:
        model: The id that is requested.
        mode: The deployment mode; in ``us`` a replacement gets the ``-us`` suffix.
        deprecated_models: ``"replace"``, ``"keep"`` or ``"error"``.
        replacements: Another replacement for some of the deprecated ids.

    Returns:
        What is requested, what is sent, and the warnings for the user.

    Raises:
        ConfigurationError: The model is deprecated and ``deprecated_models`` is
            ``"error"``; a replacement is not valid; or the model that would be used is
            known to be of another kind than a chat model.

    Example:
        >>> resolve_deprecated("deepseek-r1").profile.id
        'qwen3.7-max'
    """
    _check_replacements(replacements or {})
    replacement = _REPLACEMENTS.get(model)
    if replacement is None:
        return _resolve(model, model)
    target = _in_mode((replacements or {}).get(model, replacement.model), mode)
    delisted = f"{model} was delisted on {resolve_model(model).delisted}"
    if deprecated_models == "error":
        raise ConfigurationError(
            f"{delisted}. Use {target}, or allow the replacement with"
            " deprecated_models='replace'."
        )
    if deprecated_models == "keep":
        notice = (
            f"{delisted}, and is requested nevertheless (deprecated_models='keep'):"
            f" expect the service to refuse it. {target} is recommended instead."
        )
        return _resolve(model, model)._replace(notice=notice)
    notice = (
        f"{delisted}: {target} is used instead. Choose another with"
        f" model= or replacements={{{model!r}: ...}}, keep the name with"
        " deprecated_models='keep', or forbid it with deprecated_models='error'."
    )
    resolved = _resolve(model, target)._replace(notice=notice)
    if resolved.default_thinking is None:
        return resolved
    return resolved._replace(default_thinking=replacement.thinking)


def _resolve(requested: str, model: str) -> ResolvedModel:
    profile = resolve_model_as(ChatProfile, model)
    warning = kind_warning(model, "chat")
    return ResolvedModel(requested, profile, profile.default_thinking, "", warning)


def check_scope(model: str, endpoint: Endpoint) -> None:
    """Refuse a model whose inference would leave the deployment mode.

    In US (Virginia) a ``-us`` id runs in the United States only, any other id anywhere.

    Raises:
        ConfigurationError: The id belongs to another mode; it names the right one.
    """
    is_us = model.endswith(_US_SUFFIX)
    if endpoint.mode is None and not (is_us and endpoint.is_documented):
        return
    if is_us == (endpoint.mode == "us"):
        return
    if is_us:
        mode = f"mode {endpoint.mode!r}" if endpoint.mode else ""
        region = f"region {endpoint.region}" if endpoint.region else ""
        here = " of ".join(filter(None, (mode, region)))
        raise ConfigurationError(
            f"model={model!r} runs in mode 'us' of region us-east-1 only, and this is"
            f" {here}: pass"
            " region='us-east-1', mode='us', or use"
            f" {model.removesuffix(_US_SUFFIX)!r}."
        )
    wanted = model + _US_SUFFIX
    kind = resolve_model(model).kind
    us_models = [name for name in model_ids(kind) if name.endswith(_US_SUFFIX)]
    if wanted in us_models:
        advice = f"use {wanted!r}"
    elif us_models:
        advice = f"use one of {', '.join(nearest(model, us_models))}"
    else:
        advice = "none is known that has it"
    raise ConfigurationError(
        f"model={model!r} has no '-us' suffix, so its inference would leave the United"
        f" States, which mode='us' of region us-east-1 asks for: {advice}, or choose"
        " mode='global'."
    )


def resolve_in_scope(
    model: str,
    endpoint: Endpoint,
    *,
    deprecated_models: DeprecatedModels,
    replacements: Mapping[str, str] | None,
) -> ResolvedModel:
    """Decide which chat model is used, replacement first, and keep it in its mode.

    Args:
        model: The id that is requested.
        endpoint: The endpoint whose deployment mode the model must stay in.
        deprecated_models: ``"replace"``, ``"keep"`` or ``"error"``.
        replacements: Another replacement for some of the deprecated ids.

    Returns:
        What is requested, what is sent, and the warnings for the user.

    Raises:
        ConfigurationError: An argument is wrong, the model is not a chat model, or it
            is not in scope.
    """
    model = check_model_id(model)
    if deprecated_models not in _POLICIES:
        raise unknown_name("deprecated_models", str(deprecated_models), _POLICIES)
    if replacements is not None and not isinstance(replacements, Mapping):
        raise ConfigurationError("replacements must be a dict of model ids.")
    resolved = resolve_deprecated(
        model,
        mode=endpoint.mode,
        deprecated_models=deprecated_models,
        replacements=replacements,
    )
    check_scope(resolved.profile.id, endpoint)
    return resolved


def resolve_service_model(
    profile_type: type[_Profile], model: object, endpoint: Endpoint
) -> ResolvedServiceModel[_Profile]:
    """Find a model of a service other than chat, and keep it in its mode.

    A delisted one is sent as it is, with a warning that names its replacement: another
    model would make other vectors, or other scores.

    Args:
        profile_type: The class of the profiles of the service's models.
        model: The id that is requested.
        endpoint: The endpoint whose deployment mode the model must stay in.

    Raises:
        ConfigurationError: The model is known to be of another kind, or it is not in
            scope.
    """
    model = check_model_id(model)
    profile = resolve_model_as(profile_type, model)
    check_scope(model, endpoint)
    notice = ""
    if profile.delisted:
        notice = f"{model} was delisted on {profile.delisted}"
        notice += f": use {profile.replacement}." if profile.replacement else "."
    warning = kind_warning(model, profile_type.kind)
    return ResolvedServiceModel(model, profile, notice, warning)


def _in_mode(model: str, mode: str | None) -> str:
    if mode == "us" and not model.endswith(_US_SUFFIX):
        return model + _US_SUFFIX
    return model


def _check_replacements(replacements: Mapping[str, str]) -> None:
    for old, new in replacements.items():
        if old not in _REPLACEMENTS:
            raise ConfigurationError(
                f"replacements contains {old!r}, which is not a deprecated model that"
                f" is replaced.{suggest(str(old), _REPLACEMENTS)}"
            )
        check_model_id(new, f"replacements[{old!r}]")
        if new in _REPLACEMENTS:
            raise ConfigurationError(
                f"replacements[{old!r}] is {new!r}, which is delisted itself."
            )
