"""What can be asked of a chat model, and whether the model can do it.

``ChatOptions`` is what the user said, ``plan_request`` decides what is sent for it. All
that can be refused is refused here, before anything is sent.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Final, Literal, cast

from modelstudio_core.catalog import ModelProfile, ResolvedModel
from modelstudio_core.endpoints import Protocol
from modelstudio_core.errors import ConfigurationError, nearest, unknown_name

__all__ = [
    "ChatOptions",
    "ChatRequest",
    "ForcedToolChoice",
    "check_tools",
    "plan_request",
    "takes_json_schema",
]

ForcedToolChoice = Literal["disable_thinking", "auto", "error"]
logger = logging.getLogger(__name__)

# Tuples: a choice may be a dict, which a set cannot look up.
_CALL_FORCED = ("required", "any")
_UNFORCED = (None, "auto", "none")
_RESERVED_BODY = frozenset(
    {"model", "messages", "stream", "stream_options", "input", "parameters"}
)
_THINKING_AMOUNT = ("thinking_budget", "reasoning_effort")
_RESPONSE_FORMATS = ("text", "json_object", "json_schema")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOptions:
    """What the user asks for besides the messages. ``None`` is: not said.

    Attributes:
        temperature: Randomness, from 0 to below 2.
        top_p: Nucleus sampling, above 0 to 1.
        top_k: Candidates for sampling, at least 0; above 100 switches it off.
        max_tokens: The most tokens of the answer; for most models without thinking.
        max_completion_tokens: The most tokens of thinking and answer together.
        stop: Texts that end the answer; they do not end the thinking.
        seed: From 0 to 2**63-1; the same seed makes the same answer more likely.
        n: How many answers, 1 to 4; only whole and without tools.
        presence_penalty: From -2 to 2.
        repetition_penalty: Above 0; 1 is none.
        logprobs: Whether to return log probabilities.
        top_logprobs: Of how many candidates, 0 to 5.
        parallel_tool_calls: Whether one answer may call several tools.
        response_format: ``{"type": "json_object"}`` and the like.
        enable_thinking: Whether to think; None is the model's own default.
        thinking_budget: The most tokens of thinking.
        reasoning_effort: How hard to think, for models that take it.
        preserve_thinking: Whether earlier reasoning is sent back and used.
        enable_search: Whether the service may search the web.
        search_options: How it searches.
        extra_body: Parameters that have no name here, sent as they are.
        forced_tool_choice: What to do about a forced tool while thinking.
        tools: Tools in the OpenAI function shape.
        tool_choice: ``auto``, ``none``, ``required``, ``any``, a tool's name, or the
            OpenAI object.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | Sequence[str] | None = None
    seed: int | None = None
    n: int | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    parallel_tool_calls: bool | None = None
    response_format: Mapping[str, Any] | None = None
    enable_thinking: bool | None = None
    thinking_budget: int | None = None
    reasoning_effort: str | None = None
    preserve_thinking: bool | None = None
    enable_search: bool | None = None
    search_options: Mapping[str, Any] | None = None
    extra_body: Mapping[str, Any] | None = None
    forced_tool_choice: ForcedToolChoice = "disable_thinking"
    tools: Sequence[Mapping[str, Any]] | None = None
    tool_choice: str | Mapping[str, Any] | None = None

    def override(self, call: Mapping[str, Any]) -> "ChatOptions":
        """Return these options with those of one call on top.

        A call that switches thinking off also sets aside how much and how hard the
        constructor asked to think, and of those two the one that a call names wins.

        Args:
            call: Option names and values; None is: as the constructor said.

        Raises:
            ConfigurationError: A name is not an option.
        """
        said = {name: value for name, value in call.items() if value is not None}
        for name in said:
            if name not in OPTION_NAMES:
                raise unknown_name("argument", name, OPTION_NAMES)
        if said.get("enable_thinking") is False or said.keys() & _THINKING_AMOUNT:
            said = {**dict.fromkeys(_THINKING_AMOUNT), **said}
        return replace(self, **said) if said else self


OPTION_NAMES: Final = tuple(f.name for f in fields(ChatOptions))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What is sent, decided: nothing below this line knows a default or a rule.

    Attributes:
        model: The model as it was asked for and as it is used.
        options: The options as they are sent, with every value that the model takes.
        thinking: What is sent as ``enable_thinking``; None: nothing.
        thinking_disabled: What thinking was switched off for: ``tool_choice``,
            ``response_format``, or nothing.
        call_required: An answer without a tool call is an error.
        notice: What the user should be warned of, empty for nothing.
        stream: Whether the answer comes as a stream.
    """

    model: ResolvedModel
    options: ChatOptions
    thinking: bool | None
    thinking_disabled: Literal["", "tool_choice", "response_format"] = ""
    call_required: bool = False
    notice: str = ""
    stream: bool = False

    @property
    def preserve_thinking(self) -> bool:
        """Whether reasoning goes back on every assistant turn."""
        asked = self.options.preserve_thinking
        return self.model.profile.preserves_thinking if asked is None else asked


def plan_request(
    options: ChatOptions,
    model: ResolvedModel,
    *,
    protocol: Protocol,
    stream: bool = False,
) -> ChatRequest:
    """Decide what is sent, and refuse what cannot be.

    Args:
        options: What the user asks for.
        model: The model that is used.
        protocol: The protocol that it goes over.
        stream: Whether the caller wants a stream.

    Returns:
        The request without its messages. ``stream`` is true as well where the model
        answers only as a stream: then the caller puts the pieces together.

    Raises:
        ConfigurationError: A value is out of its range, the model does not take a
            parameter, or parameters contradict each other.
    """
    check_options(options, model.profile, protocol)
    if stream and (options.n or 1) > 1:
        raise ConfigurationError(
            f"n={options.n} cannot be streamed: ask for one answer, or do not stream."
        )
    profile = model.profile
    thinks = _thinks(options, model)
    effort = _check_effort(options, profile, thinks)
    if effort == "off":
        thinks, effort = False, None
    request = ChatRequest(
        model=model,
        options=replace(options, reasoning_effort=effort),
        thinking=thinks if profile.thinking in _SWITCHABLE else None,
        stream=stream,
    )
    request = _choose_tool(request, thinks=bool(thinks))
    request = _choose_format(request, thinks=bool(thinks))
    still_thinks = bool(thinks) and not request.thinking_disabled
    streams = profile.streams_only or (still_thinks and profile.streams_thinking_only)
    if streams and (options.n or 1) == 1:
        return replace(request, stream=True)
    return request


# None: a model that is not known is believed to be switchable if the user says so.
_SWITCHABLE: Final = ("hybrid-on", "hybrid-off", None)


def _thinks(options: ChatOptions, model: ResolvedModel) -> bool | None:
    match model.profile.thinking:
        case "only":
            return True
        case "never":
            return False
        case _:
            asked = options.enable_thinking
            return model.default_thinking if asked is None else asked


def _choose_format(request: ChatRequest, *, thinks: bool) -> ChatRequest:
    """Give up thinking that nobody asked for where the answer's format excludes it."""
    options, profile = request.options, request.model.profile
    kind = (options.response_format or {}).get("type", "text")
    asked = (options.enable_thinking, *(getattr(options, n) for n in _THINKING_AMOUNT))
    while_thinking = profile.structured_output_while_thinking
    if (
        not thinks
        or request.thinking is not True
        or kind == "text"
        or any(asked)
        or while_thinking is None
        or kind in while_thinking
        or kind not in (profile.structured_output or ())
    ):
        return request
    _log_once(
        f"{profile.id} takes no response_format {kind} while it thinks: thinking is off"
        " for such requests."
    )
    return replace(request, thinking=False, thinking_disabled="response_format")


def takes_json_schema(options: ChatOptions, model: ResolvedModel) -> bool:
    """Tell whether a model is known to answer in a JSON schema, thinking as asked."""
    profile = model.profile
    known = (
        profile.structured_output_while_thinking
        if _thinks(options, model)
        else profile.structured_output
    )
    return "json_schema" in (known or ())


# --- Checks -----------------------------------------------------------------------


def check_options(
    options: ChatOptions, profile: ModelProfile, protocol: Protocol
) -> None:
    """Refuse values that are out of range and parameters the model does not take.

    Raises:
        ConfigurationError: It names the parameter, the model and what can be set.
    """
    _check_ranges(options)
    _check_shapes(options)
    if "text" not in profile.outputs:
        raise ConfigurationError(
            f"{profile.id} makes {', '.join(sorted(profile.outputs))}s and does not"
            " chat: use a chat model such as 'qwen3.7-plus'."
        )
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
    _check_tool_shapes(options.tools)
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


def _are_tools(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, list | tuple) and all(
        map(_is_tool, cast("Sequence[object]", value))
    )


def _is_tool(value: object) -> bool:
    function = cast("Any", value).get("function") if isinstance(value, dict) else None
    name = _name_of(function)
    return isinstance(name, str) and bool(name)


def _name_of(function: object) -> object:
    if not isinstance(function, dict):
        return None
    return cast("dict[str, object]", function).get("name")


def check_tools(tools: Sequence[Mapping[str, Any]], tool_choice: Any = None) -> None:
    """Refuse what is no tool, and a choice that is none of them.

    Args:
        tools: Tools in the OpenAI function shape.
        tool_choice: As in ``ChatOptions``.

    Raises:
        ConfigurationError: It names the tool, or the choice and what can be chosen.
    """
    _check_tool_shapes(tools)
    if tools:
        _name_choice(tool_choice, tools, takes_required=True)
    elif tool_choice not in _UNFORCED:
        raise _choice_without_tools(tool_choice)


def _check_tool_shapes(tools: object) -> None:
    if not _are_tools(tools):
        raise ConfigurationError(
            "tools must be a list of dicts in the OpenAI shape, such as"
            f" {{'type': 'function', 'function': {{'name': ...}}}}: {tools!r}."
        )


def _choice_without_tools(choice: object) -> ConfigurationError:
    return ConfigurationError(f"tool_choice={choice!r} needs tools: pass some.")


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


def _refusal(name: str, profile: ModelProfile) -> str:
    if name == "thinking_budget" and profile.efforts:
        efforts = ", ".join(profile.efforts)
        return (
            f"thinking_budget cannot be set for {profile.id}: use reasoning_effort"
            f" ({efforts}) instead."
        )
    can = ", ".join(known for known in _TUNING if known not in profile.refused)
    return f"{name} cannot be set for {profile.id}. What can be set: {can}."


def _check_budget(options: ChatOptions, profile: ModelProfile) -> None:
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


def _check_effort(
    options: ChatOptions, profile: ModelProfile, thinks: bool | None
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


# --- Tools ------------------------------------------------------------------------


def _choose_tool(request: ChatRequest, *, thinks: bool) -> ChatRequest:
    """Decide how tools are sent, and what becomes of a forced one while thinking."""
    options = request.options
    if not options.tools:
        if options.tool_choice not in _UNFORCED:
            raise _choice_without_tools(options.tool_choice)
        return replace(request, options=replace(options, tools=None, tool_choice=None))
    profile = request.model.profile
    _check_tools(profile, thinks=thinks)
    takes_required = "required" in (profile.forced_tool_choice or ())
    choice = _name_choice(options.tool_choice, options.tools, takes_required)
    if choice in _UNFORCED:
        return replace(request, options=replace(options, tool_choice=choice))
    inexpressible = choice == "required" and not takes_required
    if not thinks and not inexpressible:
        return replace(request, options=replace(options, tool_choice=choice))
    return _force_tool(request, choice, inexpressible=inexpressible, thinks=thinks)


@cache
def _log_once(words: str) -> None:
    logger.info(words)


def _check_tools(profile: ModelProfile, *, thinks: bool) -> None:
    if profile.tools is False:
        raise ConfigurationError(f"{profile.id} calls no tools: send none.")
    if profile.tools == "not-thinking" and thinks:
        raise ConfigurationError(
            f"{profile.id} calls tools only while it does not think: pass"
            " enable_thinking=False."
        )


def _force_tool(
    request: ChatRequest, choice: object, *, inexpressible: bool, thinks: bool
) -> ChatRequest:
    profile, policy = request.model.profile, request.options.forced_tool_choice
    reason = (
        f"{profile.id} takes no tool_choice that leaves it the choice of tools"
        if inexpressible
        else f"{profile.id} takes no forced tool while it thinks"
    )
    if policy == "error":
        raise ConfigurationError(
            f"{reason}: pass tool_choice='auto', enable_thinking=False, or another"
            " forced_tool_choice."
        )
    switchable = profile.thinking in _SWITCHABLE
    if policy == "disable_thinking" and switchable and not inexpressible:
        _log_once(f"{reason}: thinking is off for such requests.")
        return replace(
            request,
            options=replace(
                request.options,
                tool_choice=cast("Any", choice),
                reasoning_effort=None,
                thinking_budget=None,
            ),
            thinking=False,
            thinking_disabled="tool_choice" if thinks else "",
        )
    return replace(
        request,
        options=replace(request.options, tool_choice="auto"),
        call_required=True,
        notice=f"{reason}: tool_choice='auto' is sent, and a call demanded.",
    )


def _name_choice(
    choice: str | Mapping[str, Any] | None,
    tools: Sequence[Mapping[str, Any]],
    takes_required: bool,
) -> str | Mapping[str, Any] | None:
    """Return a choice in the wire's words; one tool and ``any`` is that tool."""
    names = [str(tool.get("function", {}).get("name")) for tool in tools]
    if choice in _UNFORCED:
        return choice
    if isinstance(choice, Mapping):
        choice = str(_name_of(choice.get("function")))
    if choice in _CALL_FORCED:
        if len(names) > 1 or (choice == "required" and takes_required):
            return "required"
        choice = names[0]
    if choice not in names:
        raise unknown_name("tool in tool_choice", str(choice), names)
    return {"type": "function", "function": {"name": choice}}
