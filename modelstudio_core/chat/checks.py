"""Checks of a request's options before it is sent."""

from collections.abc import Iterator, Mapping
from typing import Final, cast

from modelstudio_core.catalog import ChatProfile
from modelstudio_core.chat.option_rules import refuse_hosted_tools
from modelstudio_core.chat.options import (
    PARAMETERS,
    RULES,
    ChatOptions,
    answer_count,
    speaks,
    value_of,
    wanted_thinking,
)
from modelstudio_core.endpoints import Protocol
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.facts import refuse
from modelstudio_core.wire.suggestions import nearest, suggest, unknown_name

__all__ = ["check_budget", "check_options", "resolve_effort"]

# Keys of the body that extra_body must not replace. The policy and the metadata are
# about the model that is an argument.
_RESERVED_BODY: Final = frozenset({"model", "messages", "input", "parameters"})
_RESPONSE_FORMATS: Final = ("text", "json_object", "json_schema")
# "Chat" and "Web search", September 2026. Of the last five there are recordings of two;
# the others are less sure.
_SEARCH_OPTIONS: Final = (
    "enable_search_extension",
    "enable_source",
    "forced_search",
    "search_strategy",
    "assigned_site_list",
    "citation_format",
    "enable_citation",
    "freshness",
    "prepend_search_result",
)
# The parameters that an error lists as alternatives.
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


def check_options(
    options: ChatOptions, profile: ChatProfile, protocol: Protocol
) -> list[str]:
    """Refuse invalid values and parameters that the model does not support.

    Args:
        options: The options of the request.
        profile: The model that is used.
        protocol: The protocol of the request.

    Returns:
        The texts of warnings: of what is known of the model's family only.

    Raises:
        ConfigurationError: An option is refused. The message names the alternatives.
    """
    _check_values(options)
    _check_combinations(options)
    notices = [
        refuse(profile, _refusal(name, profile))
        for name in sorted(profile.refused)
        if getattr(options, name) is not None
    ]
    search_options = _search_options(options)
    # What is in extra_body is sent as it is.
    given_options = options.search_options or {}
    if protocol == "openai" and given_options.get("enable_source"):
        raise ConfigurationError(
            "search_options has enable_source, but sources are returned by the native"
            " protocol only: pass protocol='dashscope'."
        )
    problems = (
        *_thinking_problems(options, profile),
        *_effort_problems(options, profile),
        *_search_problems(options, given_options),
    )
    notices += [refuse(profile, problem) for problem in problems]
    notices += [
        f"search_options has {name!r}, which is not documented."
        f"{suggest(str(name), _SEARCH_OPTIONS)} It is sent nevertheless."
        for name in search_options
        if name not in _SEARCH_OPTIONS
    ]
    return notices


def _search_options(options: ChatOptions) -> Mapping[str, object]:
    value = value_of(options, "search_options")
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}


def _search_problems(
    options: ChatOptions, search_options: Mapping[str, object]
) -> Iterator[str]:
    if search_options and not value_of(options, "enable_search"):
        yield (
            "search_options has no effect without the web search: pass"
            " enable_search=True, or remove search_options=."
        )


def _check_values(options: ChatOptions) -> None:
    for name, rule in RULES.items():
        value = getattr(options, name)
        if value is not None and not rule.accepts(value):
            if name == "tools":
                refuse_hosted_tools(value)
            raise ConfigurationError(f"{name} must be {rule.expected}, got {value!r}.")


def _check_combinations(options: ChatOptions) -> None:
    _check_extra_body(options)
    format_type = (options.response_format or {"type": "text"}).get("type")
    if format_type not in _RESPONSE_FORMATS:
        raise unknown_name("response_format type", str(format_type), _RESPONSE_FORMATS)
    count = answer_count(options)
    if options.tools and count > 1:
        raise ConfigurationError(
            f"n={count} cannot be combined with tools: remove n or tools=."
        )


def _check_extra_body(options: ChatOptions) -> None:
    """Refuse keys that replace the model or the prompt, or contradict an argument.

    Each protocol asks for a stream in its own form, so the value must be clear.
    """
    extra = options.extra_body or {}
    reserved = _RESERVED_BODY & extra.keys()
    if reserved:
        raise ConfigurationError(
            f"extra_body must not contain {', '.join(sorted(reserved))}: pass the model"
            " and the messages as arguments."
        )
    stream = extra.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise ConfigurationError(
            f"stream in extra_body must be True or False, got {stream!r}."
        )
    for name, value in extra.items():
        argument = getattr(options, name, None) if name in PARAMETERS else None
        if argument is not None and argument != value:
            raise ConfigurationError(
                f"extra_body has {name}={value!r}, and the argument is"
                f" {name}={argument!r}: pass one of the two."
            )


def _refusal(name: str, profile: ChatProfile) -> str:
    if name == "thinking_budget" and profile.efforts:
        efforts = ", ".join(profile.efforts)
        return (
            f"thinking_budget cannot be set for {profile.id}. Use reasoning_effort"
            f" ({efforts}) instead."
        )
    supported = ", ".join(n for n in _TUNING if n not in profile.refused)
    return f"{name} cannot be set for {profile.id}. It takes: {supported}."


# --- Thinking ---------------------------------------------------------------------


def _thinking_problems(options: ChatOptions, profile: ChatProfile) -> Iterator[str]:
    if options.enable_thinking is False and profile.thinking == "only":
        yield f"{profile.id} always thinks: remove enable_thinking=False."
    if options.enable_thinking is True and profile.thinking == "never":
        yield (
            f"{profile.id} does not support thinking: remove enable_thinking=True, or"
            " use a model such as deepseek-v4-pro, qwen3.7-plus or qwen3.7-max."
        )
    if (
        profile.speaks_while_thinking is False
        and wanted_thinking(options)
        and speaks(options)
    ):
        yield (
            f"{profile.id} speaks only while it does not think: remove"
            " enable_thinking=True, or 'audio' from modalities."
        )
    budget = options.thinking_budget
    if budget is None:
        return
    if profile.thinking == "never":
        yield (
            f"thinking_budget cannot be set for {profile.id}, which does not support"
            " thinking: remove it."
        )
    if profile.max_thinking is not None and budget > profile.max_thinking:
        yield (
            f"thinking_budget must be at most {profile.max_thinking} for {profile.id},"
            f" got {budget}."
        )
    if options.reasoning_effort is not None and profile.efforts:
        yield (
            "thinking_budget and reasoning_effort cannot be combined for"
            f" {profile.id}: pass one of the two."
        )


def _effort_problems(options: ChatOptions, profile: ChatProfile) -> Iterator[str]:
    effort = options.reasoning_effort
    if effort is None:
        return
    if profile.reasoning_effort is False:
        accepts_budget = (
            profile.max_thinking and "thinking_budget" not in profile.refused
        )
        advice = "Use thinking_budget instead." if accepts_budget else "Remove it."
        yield f"reasoning_effort cannot be set for {profile.id}. {advice}"
    elif profile.efforts and effort not in profile.efforts:
        ordered = ", ".join(nearest(effort, profile.efforts))
        yield (
            f"Unknown reasoning_effort {effort!r} for {profile.id}. It takes {ordered}."
        )


def check_budget(
    options: ChatOptions, profile: ChatProfile, *, thinks: bool | None
) -> None:
    """Refuse a ``thinking_budget`` for a request that does not think.

    Raises:
        ConfigurationError: There is a budget, and thinking is off.
    """
    if _is_guess(profile):
        return
    if options.thinking_budget is not None and thinks is False:
        raise _without_thinking("thinking_budget", options.thinking_budget, profile)


def resolve_effort(
    options: ChatOptions, profile: ChatProfile, *, thinks: bool | None
) -> str | None:
    """Return the ``reasoning_effort`` to send: the model may name it differently.

    Args:
        options: The options of the request.
        profile: The model that is used.
        thinks: Whether the request thinks; None if that is not known.

    Returns:
        The effort; ``"off"`` to disable thinking; None to send nothing.

    Raises:
        ConfigurationError: The effort contradicts another option.
    """
    effort = options.reasoning_effort
    if effort is None:
        return None
    # A value that is not known is sent as it was given: check_options refused it, or
    # warned of it.
    native = profile.efforts.get(effort, effort)
    if native == "off":
        if options.enable_thinking:
            raise ConfigurationError(
                f"reasoning_effort={effort!r} disables thinking and contradicts"
                " enable_thinking=True: pass one of the two."
            )
        return native
    if thinks is False and not _is_guess(profile):
        raise _without_thinking("reasoning_effort", effort, profile)
    return native


def _is_guess(profile: ChatProfile) -> bool:
    """Whether only the model's family is known not to think."""
    return profile.thinking == "never" and not profile.exact


def _without_thinking(
    name: str, value: object, profile: ChatProfile
) -> ConfigurationError:
    return ConfigurationError(
        f"{name}={value!r} has no effect while {profile.id} does not think: pass"
        f" enable_thinking=True, or remove {name}=."
    )
