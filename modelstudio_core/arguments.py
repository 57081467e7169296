"""The constructor that the classes of all services share.

The classes of both frameworks are pydantic models, so the arguments are fields of a
mixin, with the same names and defaults for both. They are resolved before pydantic
validates them, so that an invalid one raises a ``ConfigurationError`` without the key,
and again after each assignment, so that an object always agrees with its fields.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    Protocol,
    Self,
    cast,
)
from weakref import WeakKeyDictionary

from pydantic import (
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from typing_extensions import override

from modelstudio_core.catalog import ModelProfile
from modelstudio_core.connection_arguments import (
    ConnectionArguments,
    canonical_arguments,
    check_rate_limiter,
    keys_hidden,
)
from modelstudio_core.endpoints import (
    Endpoint,
)
from modelstudio_core.errors import (
    ConfigurationError,
    ModelDeprecationWarning,
    ModelStudioWarning,
)
from modelstudio_core.policy import check_endpoint
from modelstudio_core.transport.connection import (
    Connection,
)
from modelstudio_core.user_warnings import warn_user

__all__ = [
    "Resolved",
    "ServiceArguments",
    "warn_of_model",
]

_logger: Final = logging.getLogger("modelstudio")


class UsedModel(Protocol):
    """A model as it was requested and as it is sent, for any service."""

    @property
    def requested(self) -> str:
        """The id that was requested."""
        ...

    @property
    def profile(self) -> ModelProfile:
        """What is known of the model that is sent."""
        ...

    @property
    def notice(self) -> str:
        """The deprecation warning, or an empty string."""
        ...

    @property
    def warning(self) -> str:
        """Another warning, or an empty string."""
        ...

    @property
    def replaced(self) -> bool:
        """Whether another model is sent than the one that was requested."""
        ...


class Resolved(Protocol):
    """The resolved arguments of a class, for any service."""

    @property
    def connection(self) -> Connection:
        """How to reach the service."""
        ...

    @property
    def model(self) -> UsedModel:
        """The requested model and the model that is used."""
        ...


class ServiceArguments(ConnectionArguments):
    """The constructor of a service's class, which resolves its arguments.

    A subclass declares its arguments as fields, lists all of them in
    ``argument_names``, and resolves them in ``_decide``.
    """

    # The fields that are resolved. All other fields belong to the framework.
    argument_names: ClassVar[frozenset[str]] = frozenset()

    model: str = Field(description="The requested model id.")
    resolved_model: str | None = Field(
        default=None,
        description="The model id that is sent. It is computed from model and cannot"
        " be assigned. A copy keeps it.",
    )

    _resolved: Resolved | None = PrivateAttr(default=None)

    if not TYPE_CHECKING:
        # Type checkers see the constructor that pydantic generates from the fields.
        def __init__(self, *positional: object, **arguments: Any) -> None:
            """Resolve the arguments, then initialize the framework's class."""
            cls = type(self)
            if positional:
                name = cls.__name__
                raise TypeError(f"Pass arguments by name, such as {name}(model=...).")
            arguments = canonical_arguments(cls, arguments)
            defaults, produced = _defaults_of(cls)
            produced |= cls._implied_arguments(arguments)
            resolved = cls._decide_within_policy(defaults | produced | arguments)
            arguments = produced | cls._current_arguments(arguments, resolved)
            fields = {**arguments, **_resolved_fields(resolved)}
            try:
                super().__init__(**fields)
            except ValidationError as error:
                raise _configuration_error(error, cls.__name__) from None
            self._resolved = resolved
            if arguments.get("resolved_model") != resolved.model.profile.id:
                warn_of_model(resolved.model)
            self._after_resolving(None)

        def __setattr__(self, name: str, value: object) -> None:
            """Assign, and resolve the arguments again if one changed."""
            if name == "resolved_model":
                raise _assigned_resolved_model()
            if name == "rate_limiter":
                check_rate_limiter(value)
            if name not in self.argument_names or not self._current():
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
        self, *, update: Mapping[str, object] | None = None, deep: bool = False
    ) -> Self:
        """Return a copy. Changed arguments are checked as in the constructor.

        Args:
            update: The arguments to change, by name.
            deep: Whether the arguments are copied too, but for the HTTP clients and a
                function that returns the key.

        Raises:
            ConfigurationError: An argument is unknown or invalid.
        """
        changes = canonical_arguments(type(self), update or {})
        if "resolved_model" in changes:
            raise _assigned_resolved_model()
        copied = deepcopy(self) if deep else super().model_copy()
        if changes:
            vars(copied).update(changes)
            copied.__pydantic_fields_set__.update(changes)
            copied._resolve(changes)  # noqa: SLF001 - a copy of this very class
        return copied

    @override
    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a deep copy, which shares the user's HTTP clients and function."""
        memo = {} if memo is None else memo
        for shared in (self.http_client, self.http_async_client, self.api_key):
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)

    @override
    def __getstate__(self) -> dict[Any, Any]:
        """Return the state to pickle. The user's HTTP clients cannot be pickled."""
        if self.http_client is not None or self.http_async_client is not None:
            raise ConfigurationError(
                f"{type(self).__name__} cannot be pickled with a custom http_client or"
                " http_async_client: create it in the worker."
            )
        if self.limiter is not None:
            # LlamaIndex leaves out what cannot be pickled.
            self.limiter.check_pickle()
        state = super().__getstate__()
        if "api_key" not in state["__dict__"]:
            raise ConfigurationError(
                f"{type(self).__name__} cannot be pickled, because the function that"
                " was passed as api_key cannot: define it at the top of a module."
            )
        return state

    @classmethod
    def _decide(cls, arguments: Mapping[str, Any]) -> Resolved:
        """Resolve the arguments of the class.

        Args:
            arguments: All arguments by their canonical names, with the defaults of the
                class.

        Raises:
            ConfigurationError: An argument is invalid, or arguments contradict each
                other.
        """
        raise NotImplementedError

    @classmethod
    def _decide_within_policy(cls, arguments: Mapping[str, Any]) -> Resolved:
        """Resolve the arguments, and check what they resolve to against the policy."""
        with keys_hidden(arguments):
            resolved = cls._decide(arguments)
            check_endpoint(resolved.connection.endpoint, resolved.model.profile.id)
        return resolved

    @classmethod
    def _implied_arguments(cls, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Return arguments that others imply and that were not passed.

        Args:
            arguments: What was passed to the constructor.
        """
        del arguments
        return {}

    @classmethod
    def _current_arguments(
        cls, arguments: dict[str, Any], resolved: Resolved
    ) -> dict[str, Any]:
        """Return the arguments without values that belonged to another model.

        Frameworks pass all fields of an object to the constructor to change one of
        them.

        Args:
            arguments: What was passed to the constructor.
            resolved: What it resolves to.
        """
        del resolved
        return arguments

    def _after_resolving(self, before: Resolved | None) -> None:
        """Update what depends on the resolved arguments.

        Args:
            before: The resolved arguments before the change; None in the constructor.
        """

    @override
    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Return where requests go, and then the arguments that were passed."""
        resolved = self._current()
        if resolved is None:
            return super().__repr_args__()
        endpoint = resolved.connection.endpoint
        shown = {
            "model": self.model,
            "region": endpoint.region,
            "mode": endpoint.mode,
            "host": endpoint.host,
        }
        if self.resolved_model != self.model:
            shown["resolved_model"] = self.resolved_model
        passed = self.__pydantic_fields_set__ & self.argument_names
        arguments = [
            (name, value)
            for name, value in super().__repr_args__()
            if name in passed and name not in shown
        ]
        return [*shown.items(), *arguments]

    @property
    def endpoint(self) -> Endpoint:
        """Where requests go, where data is stored and where inference runs."""
        return self._resolved_now().connection.endpoint

    def scope_arguments(self) -> dict[str, Any]:
        """Return region, mode and workspace, also if they are from the environment."""
        endpoint = self.endpoint
        scope = {
            "region": endpoint.region,
            "mode": endpoint.mode,
            "workspace": endpoint.workspace,
        }
        return {name: value for name, value in scope.items() if value is not None}

    def _resolved_now(self) -> Resolved:
        """Return the resolved arguments."""
        # As ``_current`` does it: this is asked for several times in a call.
        values: dict[str, Resolved] = self.__pydantic_private__ or {}
        if resolved := values.get("_resolved"):
            return resolved
        # A framework made the object without calling the constructor.
        self._resolve()
        return cast("Resolved", self._current())

    def _current(self) -> Resolved | None:
        # Attribute access through pydantic takes longer than planning a request.
        return (self.__pydantic_private__ or {}).get("_resolved")

    def _resolve(self, changed: Collection[str] = ()) -> None:
        """Resolve again. The scope only changes if one of its arguments changed."""
        before = self._current()
        arguments = {name: getattr(self, name) for name in self.argument_names}
        if before is not None and not _SCOPE & set(changed):
            arguments |= self.scope_arguments()
        resolved = self._decide_within_policy(arguments)
        # Not by __setattr__, which would resolve again.
        vars(self).update(_resolved_fields(resolved))
        self._resolved = resolved
        self._after_resolving(before)
        # Last, because a warning may be an error.
        if resolved.model != (before and before.model):
            warn_of_model(resolved.model)


_SCOPE: Final = frozenset({"region", "mode", "workspace", "base_url"})


def _assigned_resolved_model() -> ConfigurationError:
    return ConfigurationError(
        "resolved_model is computed from model and cannot be assigned: assign model."
    )


@dataclass(frozen=True, slots=True)
class _Defaults:
    """The defaults of a class's arguments, and the fields that have a factory."""

    values: Mapping[str, Any]
    factories: Mapping[str, FieldInfo]

    @classmethod
    def of(cls, arguments: type[ServiceArguments]) -> "_Defaults":
        if not arguments.argument_names:
            raise TypeError(f"{arguments.__name__} must set argument_names.")
        fields = {n: arguments.model_fields[n] for n in arguments.argument_names}
        return cls(
            {n: f.default for n, f in fields.items() if not f.is_required()},
            {
                n: field
                for n, field in fields.items()
                if field.default_factory is not None
                and not field.default_factory_takes_validated_data
            },
        )


# By class, and no longer than the class exists.
_defaults: Final[WeakKeyDictionary[type[ServiceArguments], _Defaults]] = (
    WeakKeyDictionary()
)


def _defaults_of(cls: type[ServiceArguments]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the defaults of a class's arguments, and what its factories produce.

    Raises:
        TypeError: The class does not name its arguments.
    """
    defaults = _defaults.get(cls)
    if defaults is None:
        defaults = _defaults[cls] = _Defaults.of(cls)
    produced = {
        name: field.get_default(call_default_factory=True)
        for name, field in defaults.factories.items()
    }
    return {**defaults.values}, produced


def _resolved_fields(resolved: Resolved) -> dict[str, Any]:
    key = resolved.connection.api_key
    fields: dict[str, Any] = {
        "api_key": SecretStr(key) if isinstance(key, str) else key.function,
        "resolved_model": resolved.model.profile.id,
    }
    if headers := resolved.connection.default_headers:
        fields["default_headers"] = {name: SecretStr(text) for name, text in headers}
    return fields


def warn_of_model(model: UsedModel) -> None:
    """Warn about a delisted model, and about one that may be of another kind.

    Args:
        model: The requested model and the model that is used.
    """
    if model.notice:
        warn_user(model.notice, ModelDeprecationWarning)
    if model.warning:
        warn_user(model.warning, ModelStudioWarning)
    if model.replaced:
        _logger.info("%s is replaced by %s", model.requested, model.profile.id)


def _configuration_error(error: ValidationError, where: str) -> ConfigurationError:
    """Convert pydantic's error, without the input."""
    problems = error.errors(
        include_url=False, include_context=False, include_input=False
    )
    lines = [
        f"{'.'.join(map(str, problem['loc'])) or where}: {problem['msg']}"
        for problem in problems
    ]
    return ConfigurationError(f"Invalid arguments of {where}: {'; '.join(lines)}.")
