"""Delisted models: what replaces them, and which model is in scope."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, get_args

from modelstudio_core.catalog.lookup import known_models, resolve_model
from modelstudio_core.catalog.profiles import ModelProfile
from modelstudio_core.endpoints import Endpoint, is_documented
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.suggestions import nearest, unknown_name

__all__ = [
    "DeprecatedModels",
    "ResolvedModel",
    "check_scope",
    "resolve_deprecated",
    "resolve_in_scope",
]

DeprecatedModels = Literal["replace", "keep", "error"]
_POLICIES: Final = get_args(DeprecatedModels)
_US_SUFFIX: Final = "-us"


class _Replacement(NamedTuple):
    model: str
    thinking: bool


class ResolvedModel(NamedTuple):
    """A model as it was asked for and as it is sent.

    Attributes:
        requested: The id that was asked for.
        profile: The profile of the model that is used; ``profile.id`` is what is sent.
        default_thinking: What is sent for ``enable_thinking=None``; None: nothing.
        notice: What the user should be told, empty where nothing changed.
    """

    requested: str
    profile: ModelProfile
    default_thinking: bool | None
    notice: str

    @property
    def replaced(self) -> bool:
        """Whether another model answers than the one that was asked for."""
        return bool(self.notice) and self.requested != self.profile.id


# Delisted on 2026-07-09; the seed "DeepSeek" recommends the three on the right. The
# thinking is what the model did unless told: it is kept where the user says nothing.
_REPLACEMENTS: Final[dict[str, _Replacement]] = {
    "deepseek-r1": _Replacement("qwen3.7-max", thinking=True),
    "deepseek-r1-0528": _Replacement("qwen3.7-max", thinking=True),
    "deepseek-v3.2": _Replacement("qwen3.7-plus", thinking=False),
    "deepseek-v3.2-exp": _Replacement("qwen3.7-plus", thinking=False),
    "deepseek-v3.1": _Replacement("qwen3.7-plus", thinking=False),
    "deepseek-v3": _Replacement("qwen3.7-plus", thinking=False),
    "deepseek-r1-distill-qwen-7b": _Replacement("qwen3.6-flash", thinking=True),
    "deepseek-r1-distill-qwen-14b": _Replacement("qwen3.6-flash", thinking=True),
    "deepseek-r1-distill-qwen-32b": _Replacement("qwen3.6-flash", thinking=True),
}


def resolve_deprecated(
    model: str,
    *,
    mode: str | None = None,
    deprecated_models: DeprecatedModels = "replace",
    replacements: Mapping[str, str] | None = None,
) -> ResolvedModel:
    """Decide which model answers for the one that is asked for.

    Args:
        model: The id that is asked for.
        mode: The deployment mode; in ``us`` a replacement takes the ``-us`` suffix.
        deprecated_models: ``"replace"``, ``"keep"`` or ``"error"``.
        replacements: Another replacement for some of the deprecated ids.

    Returns:
        What is asked for, what is sent, and what to tell the user.

    Raises:
        ConfigurationError: The model is deprecated and ``deprecated_models`` is
            ``"error"``, or a replacement is not one.

    Example:
        >>> resolve_deprecated("deepseek-r1").profile.id
        'qwen3.7-max'
    """
    _check_replacements(replacements or {})
    gone = _REPLACEMENTS.get(model)
    if gone is None:
        profile = resolve_model(model)
        return ResolvedModel(model, profile, profile.default_thinking, "")
    target = _in_mode((replacements or {}).get(model, gone.model), mode)
    delisted = f"{model} was delisted on {resolve_model(model).delisted}"
    if deprecated_models == "error":
        raise ConfigurationError(
            f"{delisted}. Use {target}, or allow the replacement with"
            " deprecated_models='replace'."
        )
    if deprecated_models == "keep":
        profile = resolve_model(model)
        notice = (
            f"{delisted}, and is asked for all the same (deprecated_models='keep'):"
            f" expect the service to refuse it. {target} is recommended instead."
        )
        return ResolvedModel(model, profile, profile.default_thinking, notice)
    profile = resolve_model(target)
    notice = (
        f"{delisted}: {target} is used instead. Choose another with"
        f" model= or replacements={{{model!r}: ...}}, keep the name with"
        " deprecated_models='keep', or forbid it with deprecated_models='error'."
    )
    switched = gone.thinking if profile.default_thinking is not None else None
    return ResolvedModel(model, profile, switched, notice)


def check_scope(model: str, endpoint: Endpoint) -> None:
    """Refuse a model whose inference would leave the deployment mode.

    In US (Virginia) a ``-us`` id runs in the United States and any other anywhere.

    Raises:
        ConfigurationError: The id belongs to another mode; it names the right one.
    """
    is_us = model.endswith(_US_SUFFIX)
    if endpoint.mode is None and not (is_us and is_documented(endpoint)):
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
    ours = [name for name in known_models() if name.endswith(_US_SUFFIX)]
    advice = (
        f"use {wanted!r}"
        if wanted in ours
        else f"use one of {', '.join(nearest(model, ours))}"
    )
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
    """Decide which model answers, replacement first, and keep it in its mode.

    Raises:
        ConfigurationError: An argument is wrong, or the model is not in scope.
    """
    if not isinstance(model, str) or not model:
        raise ConfigurationError(f"model must be a model's id, and is {model!r}.")
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


def _in_mode(model: str, mode: str | None) -> str:
    if mode == "us" and not model.endswith(_US_SUFFIX):
        return model + _US_SUFFIX
    return model


def _check_replacements(replacements: Mapping[str, str]) -> None:
    for old, new in replacements.items():
        if old not in _REPLACEMENTS:
            near = nearest(str(old), _REPLACEMENTS)[0]
            raise ConfigurationError(
                f"replacements has {old!r}, which is not a deprecated model that is"
                f" replaced. Did you mean {near!r}?"
            )
        if not isinstance(new, str) or not new:
            raise ConfigurationError(f"replacements[{old!r}] must be a model id.")
        if new in _REPLACEMENTS:
            raise ConfigurationError(
                f"replacements[{old!r}] is {new!r}, which is delisted itself."
            )
