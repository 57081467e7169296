"""What is known of the models, and what stands in for those that are gone.

``resolve_model`` finds the profile of a name: by exact id, then by alias, then by the
longest family prefix, then a permissive default, so that a model that is released
tomorrow works today. The facts themselves are the table in ``_models.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Final, Literal, NamedTuple

from modelstudio_core.endpoints import Endpoint, is_documented
from modelstudio_core.errors import ConfigurationError, nearest

__all__ = [
    "DeprecatedModels",
    "ModelProfile",
    "ResolvedModel",
    "Thinking",
    "known_models",
    "nearest_served",
    "resolve_deprecated",
    "resolve_model",
]

Thinking = Literal["hybrid-on", "hybrid-off", "only", "never"]
NativePath = Literal["text-generation", "multimodal-generation", "image-generation"]
DeprecatedModels = Literal["replace", "keep", "error"]
_US_SUFFIX: Final = "-us"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelProfile:
    """What is known of one model. ``None`` means that it is not known.

    Attributes:
        id: The id that is sent.
        ids: The exact ids of the family that this entry describes.
        aliases: Other names for the first of them.
        prefix: The beginning of the ids of the family; empty for exact ids only.
        context_window: Tokens of prompt and answer together.
        max_output: The most tokens of one answer.
        max_thinking: The most tokens of thinking, which ``thinking_budget`` may set.
        thinking: ``"hybrid-on"`` and ``"hybrid-off"`` can be switched and begin on or
            off; ``"only"`` and ``"never"`` cannot.
        streams_only: It answers only as a stream.
        streams_thinking_only: The same, for requests that think.
        inputs: What a prompt may hold: of text, image, video, audio.
        outputs: What an answer holds: text, or image.
        tools: Whether it calls tools; ``"not-thinking"``: only while not thinking.
        forced_tool_choice: The forms of ``tool_choice`` that force a call and that it
            takes while not thinking: of ``"named"`` and ``"required"``.
        structured_output: The ``response_format`` types that it takes.
        structured_output_while_thinking: The same, while thinking.
        structured_output_with_tools: Whether it takes them together with tools, and
            still calls those.
        search: Whether it takes ``enable_search``.
        cache: Whether it has a context cache.
        partial: Whether it continues a prefix (partial mode).
        regions: The region ids that serve it.
        modes: The deployment modes that serve it.
        native_path: The path of the native protocol that answers for it.
        defaults: What the service takes for a parameter that is not sent.
        refused: Parameters that cannot be set.
        efforts: ``reasoning_effort`` as given → as sent. ``"off"`` on the right
            switches thinking off; empty where there is no such parameter.
        preserves_thinking: Whether ``preserve_thinking`` is on unless switched off.
        wants_reasoning_on_tool_turns: It refuses an assistant turn with tool calls that
            has no ``reasoning_content``, an empty one included.
        released: The day of release.
        delisted: The day that it was taken off.
        source: Where the facts come from; empty for a model that is not known.
        checked: The day that the source was read.
    """

    id: str = ""
    ids: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    prefix: str = ""
    context_window: int | None = None
    max_output: int | None = None
    max_thinking: int | None = None
    thinking: Thinking | None = None
    streams_only: bool = False
    streams_thinking_only: bool = False
    inputs: frozenset[str] = frozenset({"text"})
    outputs: frozenset[str] = frozenset({"text"})
    tools: bool | Literal["not-thinking"] | None = None
    forced_tool_choice: frozenset[str] | None = None
    structured_output: frozenset[str] | None = None
    structured_output_while_thinking: frozenset[str] | None = None
    structured_output_with_tools: bool | None = None
    search: bool | None = None
    cache: bool | None = None
    partial: bool | None = None
    regions: tuple[str, ...] | None = None
    modes: tuple[str, ...] | None = None
    native_path: NativePath = "text-generation"
    defaults: Mapping[str, float] = field(default_factory=dict[str, float], hash=False)
    refused: frozenset[str] = frozenset()
    efforts: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    preserves_thinking: bool = False
    wants_reasoning_on_tool_turns: bool = False
    released: date | None = None
    delisted: date | None = None
    source: str = ""
    checked: date | None = None

    @property
    def known(self) -> bool:
        """Whether the catalog has this model or its family."""
        return bool(self.source)

    @property
    def default_thinking(self) -> bool | None:
        """Whether it thinks unless told; None where that cannot be switched or told."""
        return {"hybrid-on": True, "hybrid-off": False}.get(self.thinking or "")


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
    from modelstudio_core._models import MODELS  # noqa: PLC0415 - it imports this file

    return tuple(name for profile in MODELS for name in profile.ids)


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
    from modelstudio_core._models import MODELS  # noqa: PLC0415 - it imports this file

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


def _canonical(name: str, profile: ModelProfile) -> str:
    return profile.ids[0] if name in profile.aliases else name


@cache
def _index() -> tuple[dict[str, ModelProfile], list[tuple[str, ModelProfile]]]:
    """Index the table by exact id and, longest first, by family prefix."""
    from modelstudio_core._models import MODELS  # noqa: PLC0415 - it imports this file

    by_id = {name: p for p in MODELS for name in p.aliases}
    by_id |= {name: p for p in MODELS for name in p.ids}
    prefixed = [(p.prefix, p) for p in MODELS if p.prefix]
    return by_id, sorted(prefixed, key=lambda item: -len(item[0]))
