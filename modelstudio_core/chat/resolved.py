"""What the arguments of a chat model's constructor resolve to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Final

from modelstudio_core.catalog import (
    DeprecatedModels,
    ResolvedModel,
    resolve_in_scope,
    suggest_served,
)
from modelstudio_core.chat.batch_chat import check_batch_chat_model, no_streams_error
from modelstudio_core.chat.options import ChatOptions
from modelstudio_core.chat.plan import ChatPlan, plan_chat
from modelstudio_core.transport.connection import Connection
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["MODEL_ARGUMENTS", "ResolvedChat"]

# The arguments of a call that select the model; the others are options.
MODEL_ARGUMENTS: Final = ("model", "deprecated_models", "replacements")


@dataclass(frozen=True, kw_only=True)
class ResolvedChat:
    """The resolved arguments of a chat model's constructor.

    Attributes:
        connection: How to reach the service.
        model: The requested model and the model that is used.
        options: The options of each call that does not override them.
        deprecated_models: What to do with a delisted model.
        replacements: Replacements of delisted models, instead of the recommended ones.
        batch_chat: Whether the calls are Batch Chat.
        warned: The warnings that were issued: each is issued once.
    """

    connection: Connection
    model: ResolvedModel
    options: ChatOptions
    deprecated_models: DeprecatedModels = "replace"
    replacements: Mapping[str, str] | None = None
    batch_chat: bool = False
    warned: set[str] = field(default_factory=set[str], repr=False, compare=False)
    _plans: dict[bool, ChatPlan] = field(
        default_factory=dict[bool, ChatPlan], init=False, repr=False, compare=False
    )

    @cached_property
    def context(self) -> ErrorContext:
        """The facts of a request that errors report."""
        suggest_model = partial(
            suggest_served, self.model.profile.id, self.connection.endpoint
        )
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
                region=self.connection.endpoint.region,
            )
            if self.batch_chat and plan.stream:
                raise no_streams_error(self.model.profile.id)
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
        if self.batch_chat:
            check_batch_chat_model(resolved.profile)
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
