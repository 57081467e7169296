"""What of the options can be refused, before anything is sent."""

import math
from collections.abc import Mapping, Sequence
from typing import Final, cast

from modelstudio_core.catalog import ChatProfile
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.tools import check_tool_shapes
from modelstudio_core.endpoints import Protocol
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.suggestions import nearest, unknown_name

__all__ = ["check_options"]

_RESERVED_BODY = frozenset(
    {"model", "messages", "stream", "stream_options", "input", "parameters"}
)

_RESPONSE_FORMATS = ("text", "json_object", "json_schema")


def check_options(
    options: ChatOptions, profile: ChatProfile, protocol: Protocol
) -> None:
    """Refuse values that are out of range and parameters the model does not take.

    Raises:
        ConfigurationError: It names the parameter, the model and what can be set.
    """
    _check_ranges(options)
    _check_shapes(options)
    for name in sorted(profile.refused):
        if getattr(options, name) is not None:
            raise ConfigurationError(_refusal(name, profile))
    if options.enable_thinking is False and profile.thinking == "only":
        raise ConfigurationError(
            f"{profile.id} always thinks: enable_thinking=False cannot be set."
        )
    if options.enable_thinking is True and profile.thinking == "never":
        raise ConfigurationError(
            f"{profile.id} never thinks: enable_thinking=True cannot be set. Models"
            " that can: deepseek-v4-pro, qwen3.7-plus, qwen3.7-max."
        )
    _check_budget(options, profile)
    if protocol == "openai" and (options.search_options or {}).get("enable_source"):
        raise ConfigurationError(
            "search_options has enable_source, and sources come back on the native"
            " protocol only: pass protocol='dashscope'."
        )


class _Range:
    """A range of numbers and the words for it."""

    __slots__ = ("high", "low", "open_high", "open_low", "whole")

    def __init__(
        self,
        low: float,
        high: float = math.inf,
        *,
        open_low: bool = False,
        open_high: bool = False,
        whole: bool = False,
    ) -> None:
        self.low, self.high, self.whole = low, high, whole
        self.open_low, self.open_high = open_low, open_high

    def holds(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if isinstance(value, float) and (self.whole or not math.isfinite(value)):
            return False
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return above and below

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        low = f"{'above' if self.open_low else 'from'} {self.low}"
        if self.high == math.inf:
            return f"{kind} {low}"
        return f"{kind} {low} to {'below ' if self.open_high else ''}{self.high}"


_RANGES: Final[dict[str, _Range]] = {
    "temperature": _Range(0, 2, open_high=True),
    "top_p": _Range(0, 1, open_low=True),
    "top_k": _Range(0, whole=True),
    "max_tokens": _Range(1, whole=True),
    "max_completion_tokens": _Range(1, whole=True),
    "seed": _Range(0, 2**63 - 1, whole=True),
    "n": _Range(1, 4, whole=True),
    "presence_penalty": _Range(-2, 2),
    "repetition_penalty": _Range(0, open_low=True),
    "top_logprobs": _Range(0, 5, whole=True),
    "thinking_budget": _Range(1, whole=True),
}
_SWITCHES: Final = (
    "logprobs",
    "parallel_tool_calls",
    "enable_thinking",
    "preserve_thinking",
    "enable_search",
)
_OBJECTS: Final = ("response_format", "search_options", "extra_body")


def _check_ranges(options: ChatOptions) -> None:
    for name, allowed in _RANGES.items():
        value = getattr(options, name)
        if value is not None and not allowed.holds(value):
            raise ConfigurationError(f"{name} must be {allowed}, and is {value!r}.")


def _check_shapes(options: ChatOptions) -> None:
    for name in _SWITCHES:
        value = getattr(options, name)
        if value is not None and not isinstance(value, bool):
            raise ConfigurationError(f"{name} must be True or False, and is {value!r}.")
    if not _is_text(options.stop):
        raise ConfigurationError(
            f"stop must be a text or a list of them, and is {options.stop!r}."
        )
    effort = options.reasoning_effort
    if effort is not None and not isinstance(effort, str):
        raise ConfigurationError(f"reasoning_effort must be a word, not {effort!r}.")
    check_tool_shapes(options.tools)
    _check_values(options)


def _check_values(options: ChatOptions) -> None:
    for name in _OBJECTS:
        value = getattr(options, name)
        if value is not None and not isinstance(value, Mapping):
            raise ConfigurationError(f"{name} must be a dict, and is {value!r}.")
    if options.forced_tool_choice not in FORCED_TOOL_CHOICES:
        raise unknown_name(
            "forced_tool_choice", str(options.forced_tool_choice), FORCED_TOOL_CHOICES
        )
    if taken := _RESERVED_BODY & set(options.extra_body or {}):
        raise ConfigurationError(
            f"extra_body cannot hold {', '.join(sorted(taken))}: they are set by the"
            " call itself."
        )
    kind = (options.response_format or {"type": "text"}).get("type")
    if kind not in _RESPONSE_FORMATS:
        raise unknown_name("response_format type", str(kind), _RESPONSE_FORMATS)
    if options.tools and (options.n or 1) > 1:
        raise ConfigurationError(f"n={options.n} cannot be combined with tools.")


def _is_text(value: object) -> bool:
    """Tell whether a value is None, a text, or a list of texts."""
    if value is None or isinstance(value, str):
        return True
    return isinstance(value, list | tuple) and all(
        isinstance(item, str) for item in cast("Sequence[object]", value)
    )


FORCED_TOOL_CHOICES: Final = ("disable_thinking", "auto", "error")
_TUNING: Final = (
    "temperature",
    "top_p",
    "top_k",
    "repetition_penalty",
    "presence_penalty",
    "max_tokens",
    "max_completion_tokens",
    "thinking_budget",
    "stop",
    "seed",
)


def _refusal(name: str, profile: ChatProfile) -> str:
    if name == "thinking_budget" and profile.efforts:
        efforts = ", ".join(profile.efforts)
        return (
            f"thinking_budget cannot be set for {profile.id}: use reasoning_effort"
            f" ({efforts}) instead."
        )
    can = ", ".join(known for known in _TUNING if known not in profile.refused)
    return f"{name} cannot be set for {profile.id}. What can be set: {can}."


def _check_budget(options: ChatOptions, profile: ChatProfile) -> None:
    budget = options.thinking_budget
    if budget is None:
        return
    if profile.thinking == "never":
        raise ConfigurationError(
            f"thinking_budget cannot be set for {profile.id}, which never thinks."
        )
    if profile.max_thinking is not None and budget > profile.max_thinking:
        raise ConfigurationError(
            f"thinking_budget={budget} is more than the {profile.max_thinking} tokens"
            f" that {profile.id} thinks at most."
        )
    if options.reasoning_effort is not None and profile.efforts:
        raise ConfigurationError(
            "thinking_budget and reasoning_effort cannot be set together for"
            f" {profile.id}: drop one of the two."
        )


def check_effort(
    options: ChatOptions, profile: ChatProfile, thinks: bool | None
) -> str | None:
    """Return the effort to send: as the model takes it, ``off``, or None."""
    effort = options.reasoning_effort
    if effort is None:
        return None
    if profile.thinking is not None and not profile.efforts:
        advice = (
            "use thinking_budget"
            if profile.max_thinking and "thinking_budget" not in profile.refused
            else "leave it out"
        )
        raise ConfigurationError(
            f"reasoning_effort cannot be set for {profile.id}: {advice}."
        )
    sent = profile.efforts.get(effort) if profile.efforts else effort
    if sent is None:
        ordered = ", ".join(nearest(str(effort), profile.efforts))
        raise ConfigurationError(
            f"Unknown reasoning_effort {effort!r} for {profile.id}: it takes {ordered}."
        )
    if sent == "off":
        if options.enable_thinking:
            raise ConfigurationError(
                f"reasoning_effort={effort!r} switches thinking off and contradicts"
                " enable_thinking=True: drop one of the two."
            )
        return sent
    if thinks is False:
        raise ConfigurationError(
            f"reasoning_effort={effort!r} has no meaning while {profile.id} does not"
            " think: pass enable_thinking=True, or leave it out."
        )
    return sent
