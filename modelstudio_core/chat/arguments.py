"""The arguments of a chat model's constructor, and how they are resolved."""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, Final, cast

from pydantic import Field
from typing_extensions import override

from modelstudio_core.arguments import ServiceArguments
from modelstudio_core.catalog import DeprecatedModels, resolve_in_scope
from modelstudio_core.chat.batch_chat import check_batch_chat_model
from modelstudio_core.chat.calls import ChatCall, prepare_call
from modelstudio_core.chat.given_messages import read_messages
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.options import (
    OPTION_NAMES,
    RULES,
    ChatOptionArguments,
    ChatOptions,
)
from modelstudio_core.chat.plan import plan_chat
from modelstudio_core.chat.resolved import ResolvedChat
from modelstudio_core.connection_arguments import (
    ConnectionArguments,
    replace_aliases,
)
from modelstudio_core.connection_checks import check_total_timeout, resolve_connection
from modelstudio_core.endpoints import batch_chat_endpoint
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.secrets import hide_in_error
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.sdks import HAS_DASHSCOPE
from modelstudio_core.user_warnings import warn_once

__all__ = ["BATCH_TEXT", "ChatArguments", "resolve_chat"]

# It stands for the messages of the rows. With the word that JSON mode wants.
BATCH_TEXT: Final = "JSON"
# Documented: a connection is held for up to an hour ("OpenAI compatible - Batch Chat").
_BATCH_CHAT_TIMEOUT: Final = 3600.0
_CONNECTION: Final = frozenset(ConnectionArguments.model_fields)


class ChatArguments(ChatOptionArguments, ServiceArguments):
    """The arguments of a chat model: its options and those of the connection."""

    deprecated_models: DeprecatedModels = Field(
        default="replace",
        description="What to do with a delisted model: 'replace', 'keep' or 'error'.",
    )
    replacements: dict[str, str] | None = Field(
        default=None,
        description="Replacements of delisted models, by model id, instead of the"
        " recommended ones.",
    )

    batch_chat: bool = Field(
        default=False,
        description="Whether calls are Batch Chat: at half the price, answered within"
        " an hour, in China (Beijing) without a workspace only.",
    )

    @classmethod
    @override
    def _implied_arguments(cls, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Return the time limit of Batch Chat, unless there is another one.

        Args:
            arguments: What was passed to the constructor.
        """
        if arguments.get("batch_chat") is True and "timeout" not in arguments:
            return {"timeout": _BATCH_CHAT_TIMEOUT}
        return {}

    @classmethod
    @override
    def _decide(cls, arguments: Mapping[str, Any]) -> ResolvedChat:
        return resolve_chat(arguments)

    @override
    def _resolve(self, changed: Collection[str] = ()) -> None:
        before = self.timeout
        if {"batch_chat", "timeout"} & {*changed} == {"batch_chat"}:
            # As the constructor does it. A time limit that the user set is kept.
            default = type(self).model_fields["timeout"].default
            implied = self._implied_arguments({"batch_chat": self.batch_chat})
            is_set = "timeout" in self.model_fields_set
            if not is_set or (not implied and before == _BATCH_CHAT_TIMEOUT):
                vars(self)["timeout"] = implied.get("timeout", default)
        try:
            super()._resolve(changed)
        except ConfigurationError:
            vars(self)["timeout"] = before
            raise

    @property
    def resolved(self) -> ResolvedChat:
        """The resolved arguments."""
        return cast("ResolvedChat", self._resolved_now())

    def plan_batch(self, arguments: Mapping[str, object]) -> ChatCall:
        """Return a call with the arguments that all rows of a batch share.

        Args:
            arguments: The arguments of a call. They have precedence over the
                constructor's.

        Raises:
            ConfigurationError: An argument is invalid, or the model does not support
                it.
        """
        message: Message = {"role": "user", "content": BATCH_TEXT}
        return self._prepare_call([message], arguments, stream=False)

    def batch_messages(self, item: object) -> Sequence[Message]:
        """Convert the input of a row of a batch to messages.

        Args:
            item: The input: a prompt, or messages of the OpenAI chat API.

        Raises:
            ConfigurationError: It is something else, or a message is malformed.
        """
        name = type(item).__name__
        if isinstance(item, str):
            return [{"role": "user", "content": item}]
        if isinstance(item, list | tuple):
            messages = cast("Sequence[Mapping[str, Any]]", item)
            if all(isinstance(message, Mapping) for message in messages):
                return read_messages(messages)
        raise ConfigurationError(
            "it must be a string or a list of messages of the OpenAI chat API, got a"
            f" {name}."
        )

    def _prepare_call(
        self,
        messages: list[Message],
        arguments: Mapping[str, object],
        *,
        stream: bool,
        include_usage: bool = True,
        json_schema: Mapping[str, object] | None = None,
    ) -> ChatCall:
        resolved = self.resolved
        arguments = replace_aliases(type(self), arguments)
        if "total_timeout" in arguments:
            seconds = check_total_timeout(arguments.pop("total_timeout"))
            connection = replace(resolved.connection, total_timeout=seconds)
            resolved = replace(resolved, connection=connection)
        for name in arguments:
            if name in _CONNECTION:
                raise ConfigurationError(
                    f"{name} is an argument of the constructor, not of a call: pass it"
                    " to the constructor."
                )
        try:
            return prepare_call(
                resolved,
                messages,
                arguments,
                stream=stream,
                include_usage=include_usage,
                json_schema=json_schema,
            )
        except ConfigurationError as error:
            hide_in_error(error, resolved.connection.secrets)
            raise


ChatArguments.argument_names = frozenset(ChatArguments.model_fields) - {
    "resolved_model"
}


def resolve_chat(arguments: Mapping[str, Any]) -> ResolvedChat:
    """Resolve the arguments of a chat model's constructor.

    Args:
        arguments: The arguments by their canonical names. One that is missing or None
            has its default.

    Raises:
        ConfigurationError: An argument is invalid, or arguments contradict each other.
    """
    model = arguments.get("model")
    if model is None:
        raise ConfigurationError(
            "model is missing: pass a model id such as model='qwen3.7-plus'."
        )
    connection = resolve_connection(arguments, model=model)
    if connection.protocol == "dashscope" and not HAS_DASHSCOPE:
        raise ConfigurationError(
            "protocol='dashscope' needs the dashscope SDK, version 2:"
            ' pip install "modelstudio-integrations[dashscope]".'
        )
    is_batch = _check_batch_chat(arguments.get("batch_chat"), connection)
    if is_batch:
        endpoint = batch_chat_endpoint(connection.endpoint)
        connection = replace(connection, endpoint=endpoint)
    policy: DeprecatedModels = arguments.get("deprecated_models") or "replace"
    replacements = arguments.get("replacements")
    # Copies, because the caller may change the originals after the checks.
    options = {
        name: _copied(name, arguments[name])
        for name in OPTION_NAMES
        if arguments.get(name) is not None
    }
    resolved = ResolvedChat(
        connection=connection,
        model=resolve_in_scope(
            model,
            connection.endpoint,
            deprecated_models=policy,
            replacements=replacements,
        ),
        options=ChatOptions().override(options),
        deprecated_models=policy,
        replacements=deepcopy(replacements),
        batch_chat=is_batch,
    )
    if is_batch:
        check_batch_chat_model(resolved.model.profile)
    # Refuses options that the model does not support. The plan is not kept: most of
    # many instances never make a call.
    plan = plan_chat(
        resolved.options,
        resolved.model,
        protocol=connection.protocol,
        region=connection.endpoint.region,
    )
    for notice in plan.notices:
        warn_once(notice, resolved.warned)
    return resolved


def _copied(name: str, value: object) -> object:
    try:
        return deepcopy(value)
    except TypeError as error:
        raise ConfigurationError(
            f"{name} must be {RULES[name].expected}, and {error}."
        ) from None


def _check_batch_chat(value: object, connection: Connection) -> bool:
    if value is not None and not isinstance(value, bool):
        raise ConfigurationError(f"batch_chat must be True or False, got {value!r}.")
    if value and connection.protocol != "openai":
        raise ConfigurationError(
            "batch_chat=True is on the OpenAI-compatible protocol only: remove"
            " protocol=, or batch_chat=."
        )
    return bool(value)
