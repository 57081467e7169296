"""One request, decided: what is sent besides the messages."""

from dataclasses import replace
from typing import Any, Final

from modelstudio_core.catalog import ResolvedModel
from modelstudio_core.chat.checks import check_effort, check_options
from modelstudio_core.chat.messages import encodable
from modelstudio_core.chat.options import (
    SWITCHABLE,
    THINKING_AMOUNT,
    ChatOptions,
    ChatPlan,
)
from modelstudio_core.chat.tools import choose_tool, log_once
from modelstudio_core.endpoints import Protocol
from modelstudio_core.errors import ConfigurationError

__all__ = ["extra_body_of", "parameters_of", "plan_chat", "takes_json_schema"]


def plan_chat(
    options: ChatOptions,
    model: ResolvedModel,
    *,
    protocol: Protocol,
    stream: bool = False,
) -> ChatPlan:
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
    effort = check_effort(options, profile, thinks)
    if effort == "off":
        thinks, effort = False, None
    request = ChatPlan(
        model=model,
        options=replace(options, reasoning_effort=effort),
        thinking=thinks if profile.thinking in SWITCHABLE else None,
        stream=stream,
    )
    request = choose_tool(request, thinks=bool(thinks))
    request = _choose_format(request, thinks=bool(thinks))
    still_thinks = bool(thinks) and not request.thinking_disabled
    streams = profile.streams_only or (still_thinks and profile.streams_thinking_only)
    if streams and (options.n or 1) == 1:
        return replace(request, stream=True)
    return request


def _thinks(options: ChatOptions, model: ResolvedModel) -> bool | None:
    match model.profile.thinking:
        case "only":
            return True
        case "never":
            return False
        case _:
            asked = options.enable_thinking
            return model.default_thinking if asked is None else asked


def _choose_format(request: ChatPlan, *, thinks: bool) -> ChatPlan:
    """Give up thinking that nobody asked for where the answer's format excludes it."""
    options, profile = request.options, request.model.profile
    kind = (options.response_format or {}).get("type", "text")
    asked = (options.enable_thinking, *(getattr(options, n) for n in THINKING_AMOUNT))
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
    log_once(
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


# Options that are sent under their own name. The rest has rules of its own.
_PLAIN: Final = (
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "max_completion_tokens",
    "seed",
    "n",
    "presence_penalty",
    "repetition_penalty",
    "logprobs",
    "top_logprobs",
    "parallel_tool_calls",
    "response_format",
    "thinking_budget",
    "reasoning_effort",
    "preserve_thinking",
    "enable_search",
    "search_options",
    "tools",
    "tool_choice",
)


def parameters_of(request: ChatPlan) -> dict[str, Any]:
    """Return what a request asks for besides its messages, where it says anything."""
    options = request.options
    asked = {
        name: value for name in _PLAIN if (value := getattr(options, name)) is not None
    }
    if options.stop:
        stop = options.stop
        asked["stop"] = stop if isinstance(stop, str) else list(stop)
    if request.thinking is not None:
        asked["enable_thinking"] = request.thinking
    if not options.tools:
        asked.pop("parallel_tool_calls", None)
    return {name: encodable(value, name) for name, value in asked.items()}


def extra_body_of(request: ChatPlan) -> dict[str, Any]:
    """Return the parameters that have no name here."""
    return dict(encodable(request.options.extra_body or {}, "extra_body"))
