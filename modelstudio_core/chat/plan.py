"""The plan of a chat request: its model and its parameters, decided and checked."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, cast

from modelstudio_core.catalog import ChatProfile, ResolvedModel
from modelstudio_core.chat.checks import check_budget, check_options, resolve_effort
from modelstudio_core.chat.messages import to_json_value
from modelstudio_core.chat.options import (
    RULES,
    THINKING_AMOUNT,
    ChatOptions,
    answer_count,
    format_type,
    speaks,
    value_of,
    wanted_thinking,
)
from modelstudio_core.chat.parser import ANY_FORM, AnswerForm
from modelstudio_core.chat.tools import SWITCHABLE, choose_tool, log_once
from modelstudio_core.endpoints import Endpoint, Protocol
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.facts import refuse

__all__ = [
    "ChatPlan",
    "plan_chat",
    "plan_partial",
    "supports_json_schema",
]

_SPEECH_PARAMETERS: Final = ("modalities", "audio")
_SENT: Final = tuple(name for name, rule in RULES.items() if rule.sent)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPlan:
    """The model and the parameters of one request: everything but its messages.

    Attributes:
        model: The requested model and the model that is used.
        options: The options as they are sent.
        thinking: The value of ``enable_thinking``; None to leave it out.
        thinking_disabled: The reason for which thinking was disabled:
            ``"tool_choice"``, ``"response_format"``, ``"partial"`` (partial mode), or
            ``""`` for none.
        call_required: Whether an answer without a tool call is an error.
        call_forced: Whether a tool call was asked for by force.
        call_instruction: The sentence that asks for the call, where ``auto`` stands in
            for a forced choice; else empty.
        marks_cache: Whether the messages get markers for the explicit cache.
        notices: The texts of warnings for the user.
        stream: Whether the response is a stream.
        endpoint: Where the request goes; None if it is not sent.
        form: What to expect of the response.
    """

    model: ResolvedModel
    options: ChatOptions
    thinking: bool | None
    thinking_disabled: Literal["", "tool_choice", "response_format", "partial"] = ""
    call_required: bool = False
    call_forced: bool = False
    call_instruction: str = ""
    marks_cache: bool = False
    notices: tuple[str, ...] = ()
    stream: bool = False
    endpoint: Endpoint | None = field(default=None, compare=False)
    form: AnswerForm = ANY_FORM

    @property
    def requested_model(self) -> str | None:
        """The model id that the user asked for, if another one is sent."""
        return self.model.requested if self.model.replaced else None

    @property
    def scope(self) -> dict[str, str]:
        """The region and the mode, as far as they are known, for metadata."""
        endpoint = self.endpoint
        if endpoint is None:
            return {}
        values = {"region": endpoint.region, "mode": endpoint.mode}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def preserve_thinking(self) -> bool:
        """Whether to send the reasoning of every assistant message."""
        preserve = value_of(self.options, "preserve_thinking")
        if preserve is None:
            return bool(self.model.profile.preserves_thinking)
        return bool(preserve)

    @property
    def call_retries(self) -> int:
        """How often to ask again for a forced tool call that did not come."""
        return self.options.forced_tool_choice_retries if self.call_forced else 0

    @property
    def response_format(self) -> str:
        """The type of the response format, from the argument or ``extra_body``."""
        return format_type(self.options)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that have the same names in both protocols.

        Raises:
            ConfigurationError: JSON cannot represent a value.
        """
        options = self.options
        values = {
            name: value
            for name in _SENT
            if (value := getattr(options, name)) is not None
        }
        if options.stop:
            stop = options.stop
            values["stop"] = stop if isinstance(stop, str) else list(stop)
        if self.thinking is not None:
            values["enable_thinking"] = self.thinking
        if not value_of(options, "tools"):
            values.pop("parallel_tool_calls", None)
        elif options.tool_stream is None and self.model.profile.tool_stream:
            values["tool_stream"] = True
        return {name: to_json_value(value, name) for name, value in values.items()}

    def extra_body(self) -> dict[str, Any]:
        """Return the parameters of the option ``extra_body``.

        ``stream`` is not among them, which each protocol sends in its own form, nor is
        anything about thinking where it was disabled for this request.

        Raises:
            ConfigurationError: JSON cannot represent a value.
        """
        extra_body = to_json_value(self.options.extra_body or {}, "extra_body")
        parameters = cast("dict[str, Any]", extra_body)
        parameters.pop("stream", None)
        if self.thinking_disabled:
            for name in ("enable_thinking", *THINKING_AMOUNT):
                parameters.pop(name, None)
        return parameters


def plan_chat(
    options: ChatOptions,
    model: ResolvedModel,
    *,
    protocol: Protocol,
    stream: bool = False,
    region: str | None = None,
) -> ChatPlan:
    """Return the plan of a request, and refuse one that cannot be sent.

    Args:
        options: The options of the request.
        model: The requested model and the model that is used.
        protocol: The protocol of the request.
        stream: Whether the caller wants a stream.
        region: The region id; None where it is not known.

    Returns:
        The plan. Its ``stream`` is also true if this is answered only as a stream: then
        the caller joins the events.

    Raises:
        ConfigurationError: A value is invalid, the model does not support a parameter,
            or parameters contradict each other.
    """
    notices = check_options(options, model.profile, protocol)
    count = answer_count(options)
    if stream and count > 1:
        raise ConfigurationError(
            f"n={count} cannot be streamed: remove n, or do not stream."
        )
    profile = model.profile
    thinks = _thinks_for_code(options, profile, thinks=_thinks(options, model))
    effort = resolve_effort(options, profile, thinks=thinks)
    if effort == "off":
        thinks, effort = False, None
    check_budget(options, profile, thinks=thinks)
    if effort != options.reasoning_effort:
        options = replace(options, reasoning_effort=effort)
    decision = choose_tool(options, profile, thinks=bool(thinks))
    marks_cache = _marks_cache(options, profile, region)
    if options.context_cache and not marks_cache:
        where = f" for region {region}" if region else ""
        notices.append(_NO_CACHE.format(model=profile.id, where=where))
    plan = ChatPlan(
        model=model,
        options=decision.options,
        thinking=False
        if decision.disables_thinking
        else _sent(options, profile, thinks),
        thinking_disabled="tool_choice" if decision.disables_thinking else "",
        call_required=decision.call_required,
        call_forced=decision.forced,
        call_instruction=decision.instruction,
        marks_cache=marks_cache,
        notices=(*notices, *decision.notices),
        stream=stream,
        form=_answer_form(options, profile, protocol),
    )
    plan = _plan_format(plan, thinks=bool(thinks))
    streams = _streams(plan, thinks=bool(thinks) and not plan.thinking_disabled)
    return plan if streams is None else replace(plan, stream=streams)


_NO_CACHE: Final = (
    "context_cache='auto' has no effect: the page \"Context cache\" does not name"
    " {model}{where}. No markers are sent."
)


def plan_partial(plan: ChatPlan) -> ChatPlan:
    """Return the plan of a request whose last message is the answer's beginning.

    Partial mode works without thinking only: thinking that is a default is disabled for
    the request.

    Args:
        plan: The plan of the request without its messages.

    Raises:
        ConfigurationError: The model has no partial mode, or thinking was asked for.
    """
    profile, options = plan.model.profile, plan.options
    if profile.partial is False:
        problem = (
            f"{profile.id} does not support partial mode: remove partial from the last"
            " message, or use a model such as qwen3.7-plus."
        )
        plan = replace(plan, notices=(*plan.notices, refuse(profile, problem)))
    if _runs_code(options):
        raise ConfigurationError(
            "Partial mode works without thinking, and enable_code_interpreter with"
            " thinking only: remove partial from the last message, or"
            " enable_code_interpreter."
        )
    if profile.thinking == "only":
        return plan
    amounts = [n for n in THINKING_AMOUNT if value_of(options, n) is not None]
    requested = ["enable_thinking"] if wanted_thinking(options) else amounts
    if requested and plan.thinking is not False:
        raise ConfigurationError(
            "Partial mode works without thinking only: remove partial from the last"
            f" message, or {requested[0]}."
        )
    if plan.thinking is not True:
        return plan
    log_once(
        f"{profile.id} does not support partial mode while it thinks: thinking is"
        " disabled for such requests."
    )
    return replace(plan, thinking=False, thinking_disabled="partial")


def _sent(
    options: ChatOptions, profile: ChatProfile, thinks: bool | None
) -> bool | None:
    """Return the value of ``enable_thinking``; None to leave it out."""
    if profile.thinking in SWITCHABLE:
        return thinks
    return None if profile.exact else wanted_thinking(options)


def _thinks_for_code(
    options: ChatOptions, profile: ChatProfile, *, thinks: bool | None
) -> bool | None:
    """Return whether a request thinks: the code interpreter works with thinking only.

    Raises:
        ConfigurationError: The caller wants code to be run without thinking.
    """
    if not _runs_code(options) or thinks is not False:
        return thinks
    if profile.thinking == "never":
        return thinks
    if wanted_thinking(options) is False:
        raise ConfigurationError(
            "enable_code_interpreter works with thinking only: remove"
            " enable_thinking=False."
        )
    log_once(
        "enable_code_interpreter works with thinking only: thinking is enabled for such"
        " requests."
    )
    return True


def _runs_code(options: ChatOptions) -> bool:
    return bool(value_of(options, "enable_code_interpreter"))


def _streams(plan: ChatPlan, *, thinks: bool) -> bool | None:
    """Return whether the response is a stream whatever the caller wants, else None."""
    options, profile = plan.options, plan.model.profile
    value = (options.extra_body or {}).get("stream")
    if isinstance(value, bool):
        return value
    needs_stream = (
        profile.streams_only
        or (thinks and profile.streams_thinking_only)
        or speaks(options)
        or _runs_code(options)
    )
    return True if needs_stream and answer_count(options) == 1 else None


def _marks_cache(
    options: ChatOptions, profile: ChatProfile, region: str | None
) -> bool:
    """Whether the page on the context cache names this very id, for this region."""
    regions = profile.explicit_cache_regions
    return (
        options.context_cache == "auto"
        and profile.exact
        and profile.explicit_cache is True
        and (region is None or regions is None or region in regions)
    )


def _answer_form(
    options: ChatOptions, profile: ChatProfile, protocol: Protocol
) -> AnswerForm:
    extra = options.extra_body or {}
    incremental = extra.get("incremental_output") if protocol == "dashscope" else None
    return AnswerForm(
        cumulative=bool(profile.streams_cumulatively) or incremental is False,
        speech=not profile.exact
        or "audio" in profile.outputs
        or speaks(options)
        or not extra.keys().isdisjoint(_SPEECH_PARAMETERS),
        tools=bool(value_of(options, "tools")),
    )


def _thinks(options: ChatOptions, model: ResolvedModel) -> bool | None:
    wanted = wanted_thinking(options)
    if wanted is not None and not model.profile.exact:
        return wanted
    match model.profile.thinking:
        case "only":
            return True
        case "never":
            return False
        case _:
            return model.default_thinking if wanted is None else wanted


def _plan_format(plan: ChatPlan, *, thinks: bool) -> ChatPlan:
    """Disable thinking if it is a default that the response format excludes."""
    options, profile = plan.options, plan.model.profile
    wanted = plan.response_format
    amounts = (value_of(options, name) for name in THINKING_AMOUNT)
    is_requested = any((wanted_thinking(options), *amounts))
    while_thinking = profile.structured_output_while_thinking
    if (
        not thinks
        or plan.thinking is not True
        or wanted == "text"
        or is_requested
        or while_thinking is None
        or wanted in while_thinking
        or wanted in profile.structured_output_refused
    ):
        return plan
    log_once(
        f"{profile.id} does not support response_format {wanted} while it thinks:"
        " thinking is disabled for such requests."
    )
    return replace(plan, thinking=False, thinking_disabled="response_format")


def supports_json_schema(options: ChatOptions, model: ResolvedModel) -> bool:
    """Return whether a model supports ``json_schema`` with these options.

    Args:
        options: The options of the request, which decide whether the model thinks.
        model: The model that is used. False if nothing is known about it.
    """
    profile = model.profile
    formats = (
        profile.structured_output_while_thinking
        if _thinks(options, model)
        else profile.structured_output
    )
    return "json_schema" in (formats or ())
