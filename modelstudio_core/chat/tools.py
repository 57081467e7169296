"""The tools of a request, and a forced tool choice while the model thinks."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from modelstudio_core.catalog import ChatProfile
from modelstudio_core.chat.option_rules import function_name
from modelstudio_core.chat.options import RULES, ChatOptions
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.facts import refuse
from modelstudio_core.secrets import hide_in_error
from modelstudio_core.wire.suggestions import unknown_name

__all__ = [
    "SWITCHABLE",
    "ToolDecision",
    "check_root",
    "check_tools",
    "choose_tool",
    "log_once",
]

_logger: Final = logging.getLogger("modelstudio")
_Choice = str | Mapping[str, object] | None
# Tuples and not sets: a choice may be a dict, which is not hashable.
_CALL_FORCED: Final = ("required", "any")
_UNFORCED: Final = (None, "auto", "none")
# The types of dicts with the name of a tool.
_NAMED: Final = ("function", "tool")
# None: an unknown model, whose thinking may be switchable.
SWITCHABLE: Final = ("hybrid-on", "hybrid-off", None)
_AUTO_NOTICE: Final = (
    "{reason}: tool_choice='auto' is sent, a sentence in the system message asks for"
    " the call, and an answer without a call is an error."
)
_NO_FORMS: Final = frozenset[str]()
# Of a model whose forms are not known.
_USUAL_FORMS: Final = frozenset({"named"})


@dataclass(frozen=True, slots=True)
class ToolDecision:
    """How the tools of a request are sent.

    Attributes:
        options: The options, with the tools and the choice as they are sent.
        disables_thinking: Whether thinking is disabled for this request.
        forced: Whether a tool call was asked for by force.
        call_required: Whether an answer without a tool call is an error.
        instruction: The sentence that asks for the call, where ``auto`` stands in;
            else empty.
        notices: The texts of warnings for the user.
    """

    options: ChatOptions
    disables_thinking: bool = False
    forced: bool = False
    call_required: bool = False
    instruction: str = ""
    notices: tuple[str, ...] = ()


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
    try:
        _check_tools(tools, tool_choice)
    except ConfigurationError as error:
        # A key may have been passed in the place of one of them.
        hide_in_error(error, ())
        raise


def _check_tools(tools: Sequence[Mapping[str, object]], tool_choice: object) -> None:
    rule = RULES["tools"]
    if not rule.accepts(tools):
        raise ConfigurationError(f"tools must be {rule.expected}, got {tools!r}.")
    if tools:
        _resolve_choice(_checked(tool_choice), tools, takes_required=True)
    elif tool_choice not in _UNFORCED:
        raise _choice_without_tools(tool_choice)


def check_root(name: str, schema: Mapping[str, object], method: str) -> None:
    """Refuse the schema of a value that is no object, where only an object can come.

    Args:
        name: The name of the schema.
        schema: The JSON schema of an answer.
        method: How the answer is asked for, such as ``a tool call``.

    Raises:
        ConfigurationError: The schema is of another type.
    """
    kind = schema.get("type", "object")
    if kind != "object":
        raise ConfigurationError(
            f"The schema {name} is of the type {kind!r}, and the answer of {method} is"
            " an object: make it a field of a class."
        )


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
    notices = _check_support(profile, thinks=thinks)
    accepted = _accepted_forms(profile, thinks=thinks)
    without_thinking = _accepted_forms(profile, thinks=False)
    forms = accepted | without_thinking
    choice = _resolve_choice(
        options.tool_choice,
        options.tools,
        "required" in forms,
    )
    if choice in _UNFORCED:
        return ToolDecision(replace(options, tool_choice=choice), notices=notices)
    if len(options.tools) == 1 and "named" not in forms and "required" in forms:
        # Any call is a call of this tool.
        choice = "required"
    form = "required" if choice == "required" else "named"
    if form in accepted:
        sent = replace(options, tool_choice=choice)
        return ToolDecision(sent, forced=True, notices=notices)
    decision = _force_tool(
        options, profile, choice, is_expressible=form in without_thinking
    )
    return replace(decision, notices=(*notices, *decision.notices))


def _accepted_forms(profile: ChatProfile, *, thinks: bool) -> frozenset[str]:
    """Return the forms of a forced choice that a model accepts."""
    if thinks:
        return profile.forced_tool_choice_while_thinking or _NO_FORMS
    forms = profile.forced_tool_choice
    return _USUAL_FORMS if forms is None else forms


@cache
def log_once(text: str) -> None:
    """Log a text at level INFO, but only in the first call with it."""
    _logger.info(text)


def _choice_without_tools(choice: object) -> ConfigurationError:
    return ConfigurationError(f"tool_choice={choice!r} needs tools: pass tools=.")


def _check_support(profile: ChatProfile, *, thinks: bool) -> tuple[str, ...]:
    """Return what to warn of; a model that is known to have no tools is an error."""
    if profile.tools is False:
        return (
            refuse(profile, f"{profile.id} does not support tools. Remove tools=."),
        )
    if profile.tools == "not-thinking" and thinks:
        problem = (
            f"{profile.id} does not support tools while it thinks: pass"
            " enable_thinking=False."
        )
        return (refuse(profile, problem),)
    return ()


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
        else f"{profile.id} cannot be forced to call {_described(choice)}"
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
        return ToolDecision(without, disables_thinking=True, forced=True)
    return ToolDecision(
        replace(options, tool_choice="auto"),
        forced=True,
        call_required=True,
        instruction=_call_instruction(choice),
        notices=(_AUTO_NOTICE.format(reason=reason),),
    )


def _described(choice: _Choice) -> str:
    return "any of several tools" if choice == "required" else "one of its tools"


def _call_instruction(choice: _Choice) -> str:
    """Return the sentence that asks for a call where it cannot be forced."""
    if choice == "required":
        return "Answer with a call of one of the tools, not in words."
    return f"Answer with a call of the tool {function_name(choice)!r}, not in words."


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
    if isinstance(choice, Mapping):
        choice = _word_of(choice)
    if choice in _UNFORCED:
        return choice
    if choice in _CALL_FORCED:
        if len(names) > 1 or (choice == "required" and takes_required):
            return "required"
        choice = names[0]
    if choice not in names:
        raise unknown_name("tool in tool_choice", str(choice), names)
    return {"type": "function", "function": {"name": choice}}


def _word_of(choice: Mapping[str, object]) -> str:
    """Return the string that means the same as a dict of OpenAI's or Anthropic's."""
    kind, name = choice.get("type"), function_name(choice)
    if name is None and set(choice) == {"type", "name"}:
        name = choice["name"] if kind in _NAMED else None
    if name is None and set(choice) == {"type"}:
        name = kind if kind in (*_UNFORCED, *_CALL_FORCED) else None
    if isinstance(name, str):
        return name
    raise ConfigurationError(
        f"tool_choice={choice!r} names no tool: pass the name of a tool, 'auto', 'none'"
        " or 'any'."
    )
