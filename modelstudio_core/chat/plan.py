"""The resolved arguments of a chat model, and the parameters of one request."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Final, Literal, cast

from modelstudio_core.catalog import (
    ChatProfile,
    DeprecatedModels,
    ResolvedModel,
    nearest_served,
    resolve_in_scope,
)
from modelstudio_core.chat.checks import check_budget, check_options, resolve_effort
from modelstudio_core.chat.messages import to_json_value
from modelstudio_core.chat.options import RULES, THINKING_AMOUNT, ChatOptions
from modelstudio_core.chat.parser import ANY_FORM, AnswerForm
from modelstudio_core.chat.tools import SWITCHABLE, choose_tool, log_once
from modelstudio_core.endpoints import Endpoint, Protocol
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.transport.connection import Connection
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "MODEL_ARGUMENTS",
    "ChatPlan",
    "ResolvedChat",
    "plan_chat",
    "takes_json_schema",
]

# The arguments of a call that select the model; the others are options.
MODEL_ARGUMENTS: Final = ("model", "deprecated_models", "replacements")
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
            ``"tool_choice"``, ``"response_format"``, or ``""`` for none.
        call_required: Whether an answer without a tool call is an error.
        notice: The text of a warning for the user; empty for none.
        stream: Whether the response is a stream.
        endpoint: Where the request goes; None if it is not sent.
        form: What to expect of the response.
    """

    model: ResolvedModel
    options: ChatOptions
    thinking: bool | None
    thinking_disabled: Literal["", "tool_choice", "response_format"] = ""
    call_required: bool = False
    notice: str = ""
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
        preserve = self.options.preserve_thinking
        if preserve is None:
            return bool(self.model.profile.preserves_thinking)
        return preserve

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
        if not options.tools:
            values.pop("parallel_tool_calls", None)
        return {name: to_json_value(value, name) for name, value in values.items()}

    def extra_body(self) -> dict[str, Any]:
        """Return the parameters of the option ``extra_body``.

        Raises:
            ConfigurationError: JSON cannot represent a value.
        """
        extra_body = to_json_value(self.options.extra_body or {}, "extra_body")
        return cast("dict[str, Any]", extra_body)


def plan_chat(
    options: ChatOptions,
    model: ResolvedModel,
    *,
    protocol: Protocol,
    stream: bool = False,
) -> ChatPlan:
    """Return the plan of a request, and refuse one that cannot be sent.

    Args:
        options: The options of the request.
        model: The requested model and the model that is used.
        protocol: The protocol of the request.
        stream: Whether the caller wants a stream.

    Returns:
        The plan. Its ``stream`` is also true if the model answers only as a stream:
        then the caller joins the events.

    Raises:
        ConfigurationError: A value is invalid, the model does not support a parameter,
            or parameters contradict each other.
    """
    check_options(options, model.profile, protocol)
    if stream and (options.n or 1) > 1:
        raise ConfigurationError(
            f"n={options.n} cannot be streamed: remove n=, or do not stream."
        )
    profile = model.profile
    thinks = _thinks(options, model)
    effort = resolve_effort(options, profile, thinks=thinks)
    if effort == "off":
        thinks, effort = False, None
    check_budget(options, profile, thinks=thinks)
    if effort != options.reasoning_effort:
        options = replace(options, reasoning_effort=effort)
    decision = choose_tool(options, profile, thinks=bool(thinks))
    thinking = thinks if profile.thinking in SWITCHABLE else None
    plan = ChatPlan(
        model=model,
        options=decision.options,
        thinking=False if decision.disables_thinking else thinking,
        thinking_disabled="tool_choice" if decision.disables_thinking else "",
        call_required=decision.call_required,
        notice=decision.notice,
        stream=stream,
        form=_answer_form(options, profile, protocol),
    )
    plan = _plan_format(plan, thinks=bool(thinks))
    still_thinks = bool(thinks) and not plan.thinking_disabled
    streams = profile.streams_only or (still_thinks and profile.streams_thinking_only)
    if streams and (options.n or 1) == 1:
        return replace(plan, stream=True)
    return plan


def _answer_form(
    options: ChatOptions, profile: ChatProfile, protocol: Protocol
) -> AnswerForm:
    extra = options.extra_body or {}
    incremental = extra.get("incremental_output") if protocol == "dashscope" else None
    return AnswerForm(
        cumulative=profile.streams_cumulatively or incremental is False,
        speech=not profile.exact
        or "audio" in profile.outputs
        or not extra.keys().isdisjoint(_SPEECH_PARAMETERS),
        tools=bool(options.tools),
    )


def _thinks(options: ChatOptions, model: ResolvedModel) -> bool | None:
    match model.profile.thinking:
        case "only":
            return True
        case "never":
            return False
        case _:
            enabled = options.enable_thinking
            return model.default_thinking if enabled is None else enabled


def _plan_format(plan: ChatPlan, *, thinks: bool) -> ChatPlan:
    """Disable thinking if it is a default that the response format excludes."""
    options, profile = plan.options, plan.model.profile
    format_type = (options.response_format or {}).get("type", "text")
    amounts = (getattr(options, name) for name in THINKING_AMOUNT)
    is_requested = any((options.enable_thinking, *amounts))
    while_thinking = profile.structured_output_while_thinking
    if (
        not thinks
        or plan.thinking is not True
        or format_type == "text"
        or is_requested
        or while_thinking is None
        or format_type in while_thinking
        or format_type in profile.structured_output_refused
    ):
        return plan
    log_once(
        f"{profile.id} does not support response_format {format_type} while it thinks:"
        " thinking is disabled for such requests."
    )
    return replace(plan, thinking=False, thinking_disabled="response_format")


def takes_json_schema(options: ChatOptions, model: ResolvedModel) -> bool:
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


@dataclass(frozen=True, kw_only=True)
class ResolvedChat:
    """The resolved arguments of a chat model's constructor.

    Attributes:
        connection: How to reach the service.
        model: The requested model and the model that is used.
        options: The options of each call that does not override them.
        deprecated_models: What to do with a delisted model.
        replacements: Replacements of delisted models, instead of the recommended ones.
    """

    connection: Connection
    model: ResolvedModel
    options: ChatOptions
    deprecated_models: DeprecatedModels = "replace"
    replacements: Mapping[str, str] | None = None
    _plans: dict[bool, ChatPlan] = field(
        default_factory=dict[bool, ChatPlan], init=False, repr=False, compare=False
    )

    @cached_property
    def context(self) -> ErrorContext:
        """The facts of a request that errors report."""
        suggest_model = partial(_suggest_model, self.connection, self.model)
        return replace(self.connection.context, suggest_model=suggest_model)

    def plan(self, *, stream: bool) -> ChatPlan:
        """Return the plan of a request with these options; the plan is cached.

        Args:
            stream: Whether the caller wants a stream.

        Raises:
            ConfigurationError: An option is invalid, or the model does not support it.
        """
        plan = self._plans.get(stream)
        if plan is None:
            plan = plan_chat(
                self.options,
                self.model,
                protocol=self.connection.protocol,
                stream=stream,
            )
            plan = replace(plan, endpoint=self.connection.endpoint)
            self._plans[stream] = plan
        return plan

    def with_model(
        self,
        model: str | None = None,
        deprecated_models: DeprecatedModels | None = None,
        replacements: Mapping[str, str] | None = None,
    ) -> "ResolvedChat":
        """Return a copy with another model, resolved as in the constructor.

        Args:
            model: The model id; None for the same model.
            deprecated_models: What to do with a delisted model; None for no change.
            replacements: Replacements of delisted models; None for no change.

        Raises:
            ConfigurationError: The model belongs to another deployment mode, or is
                delisted and must not be replaced.
        """
        policy = deprecated_models or self.deprecated_models
        others = self.replacements if replacements is None else replacements
        resolved = resolve_in_scope(
            self.model.requested if model is None else model,
            self.connection.endpoint,
            deprecated_models=policy,
            replacements=others,
        )
        return replace(
            self, model=resolved, deprecated_models=policy, replacements=others
        )

    def with_call(self, call: Mapping[str, object]) -> "ResolvedChat":
        """Return a copy with the arguments of one call.

        Args:
            call: Options, and the arguments that select the model, by name.

        Raises:
            ConfigurationError: An option is unknown, or the model belongs to another
                deployment mode.
        """
        options: dict[str, Any] = dict(call)
        selection = {name: options.pop(name, None) for name in MODEL_ARGUMENTS}
        selects = any(value is not None for value in selection.values())
        resolved = self.with_model(**selection) if selects else self
        return replace(resolved, options=resolved.options.override(options))


def _suggest_model(connection: Connection, model: ResolvedModel) -> str:
    endpoint, requested = connection.endpoint, model.profile.id
    nearest = nearest_served(requested, endpoint)
    where = f" in region {endpoint.region}" if endpoint.region else ""
    return (
        f"The requested model is {requested!r}. The nearest known model{where} is"
        f" {nearest!r}."
    )
