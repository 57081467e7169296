"""The tools of a request, and a forced tool choice while the model thinks."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from modelstudio_core.catalog import ChatProfile
from modelstudio_core.chat.options import (
    RULES,
    ChatOptions,
    function_name,
)
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.suggestions import unknown_name

__all__ = ["ToolDecision", "check_tools", "choose_tool", "log_once"]

_logger: Final = logging.getLogger("modelstudio")
_Choice = str | Mapping[str, object] | None
# Tuples and not sets: a choice may be a dict, which is not hashable.
_CALL_FORCED: Final = ("required", "any")
_UNFORCED: Final = (None, "auto", "none")
# None: an unknown model, whose thinking may be switchable.
SWITCHABLE: Final = ("hybrid-on", "hybrid-off", None)


@dataclass(frozen=True, slots=True)
class ToolDecision:
    """How the tools of a request are sent.

    Attributes:
        options: The options, with the tools and the choice as they are sent.
        disables_thinking: Whether thinking is disabled for this request.
        call_required: Whether an answer without a tool call is an error.
        notice: The text of a warning for the user; empty for none.
    """

    options: ChatOptions
    disables_thinking: bool = False
    call_required: bool = False
    notice: str = ""


def check_tools(
    tools: Sequence[Mapping[str, object]], tool_choice: object = None
) -> None:
    """Refuse an invalid tool, and a choice that names none of the tools.

    Args:
        tools: Tools in the OpenAI function format.
        tool_choice: As in ``ChatOptions``.

    Raises:
        ConfigurationError: A tool or the choice is invalid.
    """
    rule = RULES["tools"]
    if not rule.accepts(tools):
        raise ConfigurationError(f"tools must be {rule.expected}, got {tools!r}.")
    if tools:
        _resolve_choice(_checked(tool_choice), tools, takes_required=True)
    elif tool_choice not in _UNFORCED:
        raise _choice_without_tools(tool_choice)


def choose_tool(
    options: ChatOptions, profile: ChatProfile, *, thinks: bool
) -> ToolDecision:
    """Decide how to send the tools and the tool choice of a request.

    Args:
        options: The options of the request.
        profile: The model that is used.
        thinks: Whether the request thinks.

    Returns:
        The decision. For a forced choice that the model does not support while it
        thinks, it follows ``forced_tool_choice``.

    Raises:
        ConfigurationError: The model does not support tools, or not this choice.
    """
    if not options.tools:
        if options.tool_choice not in _UNFORCED:
            raise _choice_without_tools(options.tool_choice)
        if options.tools is None and options.tool_choice is None:
            return ToolDecision(options)
        return ToolDecision(replace(options, tools=None, tool_choice=None))
    _check_support(profile, thinks=thinks)
    takes_required = "required" in (profile.forced_tool_choice or ())
    choice = _resolve_choice(options.tool_choice, options.tools, takes_required)
    if choice in _UNFORCED:
        return ToolDecision(replace(options, tool_choice=choice))
    is_expressible = choice != "required" or takes_required
    if not thinks and is_expressible:
        return ToolDecision(replace(options, tool_choice=choice))
    return _force_tool(options, profile, choice, is_expressible=is_expressible)


@cache
def log_once(text: str) -> None:
    """Log a text at level INFO, but only in the first call with it."""
    _logger.info(text)


def _choice_without_tools(choice: object) -> ConfigurationError:
    return ConfigurationError(f"tool_choice={choice!r} needs tools: pass tools=.")


def _check_support(profile: ChatProfile, *, thinks: bool) -> None:
    if profile.tools is False:
        raise ConfigurationError(f"{profile.id} does not support tools. Remove tools=.")
    if profile.tools == "not-thinking" and thinks:
        raise ConfigurationError(
            f"{profile.id} does not support tools while it thinks: pass"
            " enable_thinking=False."
        )


def _force_tool(
    options: ChatOptions,
    profile: ChatProfile,
    choice: _Choice,
    *,
    is_expressible: bool,
) -> ToolDecision:
    policy = options.forced_tool_choice
    reason = (
        f"{profile.id} cannot be forced to call a tool while it thinks"
        if is_expressible
        else f"{profile.id} cannot be forced to call any of several tools"
    )
    if policy == "error":
        raise ConfigurationError(
            f"{reason}. Pass tool_choice='auto', enable_thinking=False, or another"
            " forced_tool_choice."
        )
    is_switchable = profile.thinking in SWITCHABLE
    if policy == "disable_thinking" and is_expressible and is_switchable:
        log_once(f"{reason}: thinking is disabled for such requests.")
        without = replace(
            options, tool_choice=choice, reasoning_effort=None, thinking_budget=None
        )
        return ToolDecision(without, disables_thinking=True)
    return ToolDecision(
        replace(options, tool_choice="auto"),
        call_required=True,
        notice=f"{reason}: tool_choice='auto' is sent, and an answer without a call is"
        " an error.",
    )


def _checked(choice: object) -> _Choice:
    if choice is None or isinstance(choice, str | Mapping):
        return choice  # pyright: ignore[reportUnknownVariableType] - a dict of the user's
    raise ConfigurationError(
        f"tool_choice must be {RULES['tool_choice'].expected}, got {choice!r}."
    )


def _resolve_choice(
    choice: _Choice, tools: Sequence[Mapping[str, object]], takes_required: bool
) -> _Choice:
    """Return a choice as it is sent; ``any`` with a single tool names that tool."""
    names = [str(function_name(tool)) for tool in tools]
    if choice in _UNFORCED:
        return choice
    if isinstance(choice, Mapping):
        choice = str(function_name(choice))
    if choice in _CALL_FORCED:
        if len(names) > 1 or (choice == "required" and takes_required):
            return "required"
        choice = names[0]
    if choice not in names:
        raise unknown_name("tool in tool_choice", str(choice), names)
    return {"type": "function", "function": {"name": choice}}
