"""The constructor of a chat model: its arguments, and what they come to."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final, Self, cast

from pydantic import PrivateAttr, SecretStr, ValidationError
from typing_extensions import override

from modelstudio_core.arguments import (
    ConnectionArguments,
    canonical_arguments,
    resolve_connection,
    to_configuration_error,
)
from modelstudio_core.catalog import DeprecatedModels, resolve_in_scope
from modelstudio_core.chat.calls import ChatCall, ResolvedChat, prepare_call
from modelstudio_core.chat.messages import Message
from modelstudio_core.chat.options import OPTION_NAMES, ChatOptions, ForcedToolChoice
from modelstudio_core.chat.plan import plan_chat
from modelstudio_core.endpoints import Endpoint
from modelstudio_core.errors import ConfigurationError, ModelDeprecationWarning
from modelstudio_core.user_warnings import warn_user

__all__ = ["ChatArguments"]


class ChatArguments(ConnectionArguments):
    """What a chat model can be asked, and the connection to ask it over."""

    model: str
    """The model id, as it is asked for."""

    resolved_model: str | None = None
    """The model id that is sent. It follows from ``model``; a copy keeps it."""

    temperature: float | None = None
    """Randomness, from 0 to below 2."""

    top_p: float | None = None
    """Nucleus sampling, above 0 to 1."""

    top_k: int | None = None
    """Candidates for sampling."""

    max_tokens: int | None = None
    """The most tokens of the answer; for most models without thinking."""

    max_completion_tokens: int | None = None
    """The most tokens of thinking and answer together."""

    stop: str | list[str] | None = None
    """Texts that end the answer."""

    seed: int | None = None
    """The same seed makes the same answer more likely."""

    n: int | None = None
    """How many answers, 1 to 4."""

    presence_penalty: float | None = None
    """From -2 to 2."""

    repetition_penalty: float | None = None
    """Above 0; 1 is none."""

    logprobs: bool | None = None
    """Whether to return log probabilities."""

    top_logprobs: int | None = None
    """Of how many candidates, 0 to 5."""

    parallel_tool_calls: bool | None = None
    """Whether one answer may call several tools."""

    response_format: dict[str, Any] | None = None
    """``{"type": "json_object"}`` and the like."""

    enable_thinking: bool | None = None
    """Whether to think before answering; None is the model's own default."""

    thinking_budget: int | None = None
    """The most tokens of thinking."""

    reasoning_effort: str | None = None
    """How hard to think, for models that take it."""

    preserve_thinking: bool | None = None
    """Whether earlier reasoning is sent back and used."""

    enable_search: bool | None = None
    """Whether the service may search the web."""

    search_options: dict[str, Any] | None = None
    """How it searches."""

    extra_body: dict[str, Any] | None = None
    """Parameters that have no name here."""

    forced_tool_choice: ForcedToolChoice = "disable_thinking"
    """For a forced tool while thinking: ``disable_thinking``, ``auto`` or ``error``."""

    deprecated_models: DeprecatedModels = "replace"
    """For a delisted model: ``replace``, ``keep`` or ``error``."""

    replacements: dict[str, str] | None = None
    """Other replacements for delisted models than the recommended ones."""

    _chat: ResolvedChat | None = PrivateAttr(default=None)

    if not TYPE_CHECKING:
        # Type checkers see the fields; this one sees them before pydantic does.
        def __init__(self, **arguments: Any) -> None:
            """Resolve the arguments, then hand them to the framework's own class."""
            cls = type(self)
            arguments = canonical_arguments(cls, arguments)
            chat = cls._decide(arguments)
            fields = {**arguments, **_resolved_fields(chat)}
            try:
                super().__init__(**fields)
            except ValidationError as error:
                raise to_configuration_error(error, cls.__name__) from None
            self._chat = chat
            if arguments.get("resolved_model") != chat.model.profile.id:
                _tell(chat)

        def __setattr__(self, name: str, value: Any) -> None:
            """Assign, and resolve again where an argument changed."""
            if name not in _ARGUMENTS or not self._cached():
                super().__setattr__(name, value)
                return
            before = getattr(self, name)
            super().__setattr__(name, value)
            try:
                self._resolve({name})
            except ConfigurationError:
                super().__setattr__(name, before)
                raise

    @override
    def model_copy(
        self, *, update: Mapping[str, Any] | None = None, deep: bool = False
    ) -> Self:
        """Copy the model; a changed argument is checked as in the constructor."""
        known = canonical_arguments(type(self), update or {})
        copied = super().model_copy(update=known, deep=deep)
        if known:
            copied._resolve(known)  # noqa: SLF001 - a copy of this very class
        return copied

    @override
    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Copy all but HTTP clients of the user's own, which the copy shares."""
        memo = {} if memo is None else memo
        for client in (self.http_client, self.http_async_client):
            memo[id(client)] = client
        return super().__deepcopy__(memo)

    @override
    def __getstate__(self) -> dict[Any, Any]:
        """Pickle all but HTTP clients of the user's own, which cannot be."""
        if self.http_client is not None or self.http_async_client is not None:
            raise ConfigurationError(
                f"A {type(self).__name__} with an http_client or http_async_client of"
                " your own cannot be pickled: make it anew in the worker."
            )
        return super().__getstate__()

    @classmethod
    def _decide(cls, arguments: Mapping[str, Any]) -> ResolvedChat:
        return resolve_chat(arguments)

    @property
    def endpoint(self) -> Endpoint:
        """Where requests go, where data is stored and where inference runs."""
        return self.resolved.connection.endpoint

    @property
    def resolved(self) -> ResolvedChat:
        """What the arguments come to."""
        if not (chat := self._cached()):
            # A copy that was made around the constructor.
            self._resolve()
            chat = self._cached()
        return cast("ResolvedChat", chat)

    def scope_arguments(self) -> dict[str, Any]:
        """Return what the environment decided, as arguments that say the same."""
        endpoint = self.endpoint
        said = {
            "region": endpoint.region,
            "mode": endpoint.mode,
            "workspace": endpoint.workspace,
        }
        return {name: value for name, value in said.items() if value is not None}

    def _prepare_call(
        self,
        messages: list[Message],
        call: Mapping[str, Any],
        *,
        stream: bool,
        include_usage: bool = True,
    ) -> ChatCall:
        for name in call:
            if name in _CONNECTION:
                raise ConfigurationError(
                    f"{name} is an argument of the constructor, not of a call."
                )
        return prepare_call(
            self.resolved,
            messages,
            call,
            stream=stream,
            include_usage=include_usage,
        )

    def _cached(self) -> ResolvedChat | None:
        # Looked up by hand: by its name it costs pydantic more than planning a request.
        return (self.__pydantic_private__ or {}).get("_chat")

    def _resolve(self, changed: Collection[str] = ()) -> None:
        """Resolve again; the scope stays what it was unless it was changed itself."""
        arguments = {name: getattr(self, name) for name in _ARGUMENTS}
        if self._chat is not None and not _SCOPE & set(changed):
            arguments |= self.scope_arguments()
        chat = self._decide(arguments)
        # Around __setattr__, which would resolve once more.
        vars(self).update(_resolved_fields(chat))
        if chat.model != (self._chat and self._chat.model):
            _tell(chat)
        self._chat = chat


_CONNECTION: Final = frozenset(ConnectionArguments.model_fields)
_SCOPE: Final = frozenset({"region", "mode", "workspace", "base_url"})
_ARGUMENTS: Final = frozenset(ChatArguments.model_fields) - {"resolved_model"}


def _resolved_fields(chat: ResolvedChat) -> dict[str, Any]:
    return {
        "api_key": SecretStr(chat.connection.api_key),
        "resolved_model": chat.model.profile.id,
    }


def _tell(chat: ResolvedChat) -> None:
    if chat.model.notice:
        warn_user(chat.model.notice, ModelDeprecationWarning)
    if chat.model.warning:
        warn_user(chat.model.warning, UserWarning)


def resolve_chat(arguments: Mapping[str, Any]) -> ResolvedChat:
    """Decide everything that a chat model's constructor can decide.

    Args:
        arguments: The constructor's arguments under their own names; what is missing
            or None is left to its default.

    Raises:
        ConfigurationError: They are wrong, or contradict each other.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    if "model" not in given:
        raise ConfigurationError(
            "model is missing: pass a model id such as model='qwen3.7-plus'."
        )
    connection = resolve_connection(given, model=given["model"])
    policy = given.get("deprecated_models", "replace")
    replacements = given.get("replacements")
    model = resolve_in_scope(
        given["model"],
        connection.endpoint,
        deprecated_models=policy,
        replacements=replacements,
    )
    # Copies: what the caller changes later is not what was checked here.
    said = {name: deepcopy(given[name]) for name in OPTION_NAMES if name in given}
    options = ChatOptions().override(said)
    plan_chat(options, model, protocol=connection.protocol)
    return ResolvedChat(
        connection=connection,
        model=model,
        options=options,
        deprecated_models=policy,
        replacements=deepcopy(replacements),
    )
