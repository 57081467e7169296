"""Tools: their shape, and what becomes of a forced one while the model thinks."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, cast

from modelstudio_core.catalog import ChatProfile
from modelstudio_core.chat.options import SWITCHABLE, ChatPlan
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.suggestions import unknown_name

__all__ = ["check_tools"]

logger = logging.getLogger(__name__)

# Tuples: a choice may be a dict, which a set cannot look up.
_CALL_FORCED = ("required", "any")
_UNFORCED = (None, "auto", "none")


def _are_tools(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, list | tuple) and all(
        map(_is_tool, cast("Sequence[object]", value))
    )


def _is_tool(value: object) -> bool:
    function = cast("Any", value).get("function") if isinstance(value, dict) else None
    name = name_of(function)
    return isinstance(name, str) and bool(name)


def name_of(function: object) -> object:
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
    check_tool_shapes(tools)
    if tools:
        _name_choice(tool_choice, tools, takes_required=True)
    elif tool_choice not in _UNFORCED:
        raise _choice_without_tools(tool_choice)


def check_tool_shapes(tools: object) -> None:
    if not _are_tools(tools):
        raise ConfigurationError(
            "tools must be a list of dicts in the OpenAI shape, such as"
            f" {{'type': 'function', 'function': {{'name': ...}}}}: {tools!r}."
        )


def _choice_without_tools(choice: object) -> ConfigurationError:
    return ConfigurationError(f"tool_choice={choice!r} needs tools: pass some.")


def choose_tool(request: ChatPlan, *, thinks: bool) -> ChatPlan:
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
def log_once(words: str) -> None:
    logger.info(words)


def _check_tools(profile: ChatProfile, *, thinks: bool) -> None:
    if profile.tools is False:
        raise ConfigurationError(f"{profile.id} calls no tools: send none.")
    if profile.tools == "not-thinking" and thinks:
        raise ConfigurationError(
            f"{profile.id} calls tools only while it does not think: pass"
            " enable_thinking=False."
        )


def _force_tool(
    request: ChatPlan, choice: object, *, inexpressible: bool, thinks: bool
) -> ChatPlan:
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
    switchable = profile.thinking in SWITCHABLE
    if policy == "disable_thinking" and switchable and not inexpressible:
        log_once(f"{reason}: thinking is off for such requests.")
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
        choice = str(name_of(choice.get("function")))
    if choice in _CALL_FORCED:
        if len(names) > 1 or (choice == "required" and takes_required):
            return "required"
        choice = names[0]
    if choice not in names:
        raise unknown_name("tool in tool_choice", str(choice), names)
    return {"type": "function", "function": {"name": choice}}
