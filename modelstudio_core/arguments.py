"""The constructor that the classes of all services share.

The classes of both frameworks are pydantic models, so the arguments are fields of a
mixin, with the same names and defaults for both. They are resolved before pydantic
validates them, so that an invalid one raises a ``ConfigurationError`` without the key,
and again after each assignment, so that an object always agrees with its fields.
"""

import logging
import re
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    Protocol,
    Self,
    TypeGuard,
    cast,
)
from weakref import WeakKeyDictionary

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import override

from modelstudio_core import endpoints
from modelstudio_core.api_keys import ApiKey, ApiKeyGetter, check_api_key
from modelstudio_core.argument_hints import unknown_argument
from modelstudio_core.catalog import ModelProfile
from modelstudio_core.endpoints import (
    API_KEY_VARIABLE,
    MODE_VARIABLE,
    REGION_VARIABLE,
    WORKSPACE_VARIABLES,
    Endpoint,
    api_key_from_environment,
    check_protocol,
    resolve_endpoint,
)
from modelstudio_core.errors import (
    ConfigurationError,
    ModelDeprecationWarning,
    ModelStudioWarning,
)
from modelstudio_core.limits import RateLimit
from modelstudio_core.policy import check_endpoint
from modelstudio_core.secrets import hide_keys, secrets_of
from modelstudio_core.transport.connection import (
    DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_MAX_ERROR_BYTES,
    DEFAULT_MAX_EVENT_BYTES,
    DEFAULT_MAX_RESPONSE_BYTES,
    DEFAULT_READ_TIMEOUT,
    DEFAULT_RETRIES,
    Connection,
)
from modelstudio_core.transport.pools import sdk_takes_httpx2
from modelstudio_core.user_warnings import warn_user

__all__ = [
    "ConnectionArguments",
    "Resolved",
    "ServiceArguments",
    "canonical_arguments",
    "check_total_timeout",
    "hide_in_error",
    "keys_hidden",
    "replace_aliases",
    "resolve_connection",
    "warn_of_model",
]

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~A-Za-z0-9-]+")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")
_MAX_TIMEOUT: Final = 7 * 24 * 3600.0
_PAIR: Final = 2
_logger: Final = logging.getLogger("modelstudio")


class ConnectionArguments(BaseModel):
    """The arguments that all classes share: how to reach the service."""

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        protected_namespaces=(),
        # pydantic's error must not show a key, if a framework calls its validation.
        hide_input_in_errors=True,
    )
    # Other names of arguments, by which users of a framework know them.
    argument_aliases: ClassVar[Mapping[str, str]] = {}

    # A JSON schema cannot describe a function.
    api_key: ApiKey | SkipJsonSchema[ApiKeyGetter] | None = Field(
        default=None,
        exclude=True,
        repr=False,
        description=f"The API key; None: {API_KEY_VARIABLE}. It is stored as a"
        " SecretStr, and a pickle of the object contains it. Or a function that returns"
        " the key: it is asked before each request, and no pickle contains the key.",
    )
    region: endpoints.RegionId | str | None = Field(
        default=None,
        description="The region of the service, where data is stored: a region id or an"
        f" alias. None: the region of mode, else {REGION_VARIABLE}, else Singapore.",
    )
    mode: endpoints.ModeId | str | None = Field(
        default=None,
        description="The deployment mode: where inference runs. None:"
        f" {MODE_VARIABLE}, else the default of the region.",
    )
    workspace: str | None = Field(
        default=None,
        description=f"The workspace id; None: {WORKSPACE_VARIABLES[0]}.",
    )
    protocol: endpoints.Protocol = Field(
        default="openai",
        description="'openai' (OpenAI compatible) or 'dashscope' (native).",
    )
    base_url: str | None = Field(
        default=None,
        description="A custom base URL, instead of that of region, mode and workspace.",
    )
    allow_insecure_http: bool = Field(
        default=False,
        description="Whether plain http is allowed for hosts other than loopback.",
    )
    timeout: float | tuple[float | None, float | None] | None = Field(
        default=DEFAULT_READ_TIMEOUT,
        description="Seconds to wait for the next bytes, or a pair (connect, read). A"
        f" number leaves {DEFAULT_CONNECT_TIMEOUT:g} s to connect. None: no limit.",
    )
    total_timeout: float | None = Field(
        default=None,
        description="Seconds for a whole answer, with retries, waits and streaming."
        " None: no limit. A chat call can have its own. For embeddings and reranking it"
        " holds for each request.",
    )
    max_error_bytes: int = Field(
        default=DEFAULT_MAX_ERROR_BYTES,
        description="How many bytes the body of an error may have, decoded (1 MiB).",
    )
    max_event_bytes: int = Field(
        default=DEFAULT_MAX_EVENT_BYTES,
        description="How many bytes of a stream may come for one event (16 MiB).",
    )
    max_response_bytes: int = Field(
        default=DEFAULT_MAX_RESPONSE_BYTES,
        description="How many bytes a whole answer may have, decoded (256 MiB).",
    )
    max_retries: int = Field(
        default=DEFAULT_RETRIES,
        description="How often a failed request is repeated at most.",
    )
    default_headers: Mapping[str, SecretStr | str] | None = Field(
        default=None,
        exclude=True,
        repr=False,
        description="Headers to send with every request to the service. The values"
        " are stored as SecretStr.",
    )
    http_client: Any = Field(
        default=None,
        exclude=True,
        repr=False,
        description="A custom httpx.Client (httpx2.Client with openai 3).",
    )
    http_async_client: Any = Field(
        default=None,
        exclude=True,
        repr=False,
        description="A custom httpx.AsyncClient (httpx2.AsyncClient with openai 3).",
    )
    limiter: RateLimit | None = Field(
        default=None,
        exclude=True,
        description="A limit of requests and tokens a minute, which each HTTP request"
        " to a model waits for. None: no limit.",
    )


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
        def __init__(self, **arguments: Any) -> None:
            """Resolve the arguments, then initialize the framework's class."""
            cls = type(self)
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
                _check_rate_limiter(value)
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
        """Return a copy. Changed arguments are checked as in the constructor."""
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


def hide_in_error(error: ConfigurationError, secrets: Iterable[str]) -> None:
    """Remove keys from the message of an error: it repeats the values of arguments.

    Args:
        error: The error, which is changed.
        secrets: The keys that are known. What looks like a key is removed too.
    """
    error.message = hide_keys(error.message, secrets)
    error.args = (error.message,)


@contextmanager
def keys_hidden(arguments: Mapping[str, Any]) -> Generator[None]:
    """Remove keys from the message of an error about arguments.

    Args:
        arguments: The arguments by name, which may be invalid.
    """
    try:
        yield
    except ConfigurationError as error:
        hide_in_error(error, _secrets_in(arguments))
        raise


def _secrets_in(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the key and the headers in arguments, which may be invalid."""
    values: list[object] = [arguments.get("api_key"), api_key_from_environment()]
    headers: object = arguments.get("default_headers")
    if isinstance(headers, Mapping):
        values += cast("Mapping[object, object]", headers).values()
    texts = [
        value.get_secret_value() if isinstance(value, SecretStr) else value
        for value in values
    ]
    return secrets_of("", [("", text) for text in texts if isinstance(text, str)])


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


# --- Names ------------------------------------------------------------------------


def canonical_arguments(
    cls: type[ConnectionArguments], arguments: Mapping[str, object]
) -> dict[str, Any]:
    """Return arguments by their canonical names instead of aliases.

    Args:
        cls: The class of the arguments.
        arguments: The arguments as they were passed to the constructor.

    Raises:
        ConfigurationError: A name is unknown, or an argument was passed under two
            names.
    """
    for name in arguments:
        if cls.argument_aliases.get(name, name) not in cls.model_fields:
            names = {*cls.model_fields, *cls.argument_aliases} - {"resolved_model"}
            with keys_hidden(arguments):
                raise unknown_argument(name, names, owner=cls.__name__)
    return replace_aliases(cls, arguments)


def replace_aliases(
    cls: type[ConnectionArguments], arguments: Mapping[str, object]
) -> dict[str, Any]:
    """Return arguments with canonical names instead of aliases; other names stay.

    Args:
        cls: The class of the arguments.
        arguments: The arguments as they were passed to the constructor or a call.

    Raises:
        ConfigurationError: An argument was passed under two names.
    """
    canonical: dict[str, Any] = {}
    given: dict[str, str] = {}
    for name, value in arguments.items():
        canonical_name = cls.argument_aliases.get(name, name)
        if canonical_name in given:
            raise ConfigurationError(
                f"{name} and {given[canonical_name]} are the same argument: pass one of"
                " the two."
            )
        given[canonical_name] = name
        canonical[canonical_name] = value
    _check_rate_limiter(canonical.get("rate_limiter"))
    return canonical


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


# --- From arguments to a connection -----------------------------------------------


def resolve_connection(
    arguments: Mapping[str, Any], *, model: object = None
) -> Connection:
    """Check the connection arguments and return the connection.

    Args:
        arguments: Arguments by their canonical names. One that is missing has the
            default of ``ConnectionArguments``; arguments of other kinds are ignored.
        model: The model id, which can select the mode in US (Virginia).

    Raises:
        ConfigurationError: An argument is invalid, or arguments contradict each other.
    """
    values = {**_connection_defaults(), **arguments}
    endpoint = resolve_endpoint(
        region=values["region"],
        mode=values["mode"],
        workspace=values["workspace"],
        base_url=values["base_url"],
        model=model if isinstance(model, str) else None,
        allow_insecure_http=_check_bool(values, "allow_insecure_http"),
    )
    connect, read = _check_timeout(values["timeout"])
    return Connection(
        endpoint=endpoint,
        protocol=check_protocol(values["protocol"]),
        api_key=check_api_key(values["api_key"]),
        connect_timeout=connect,
        read_timeout=read,
        max_retries=_check_retries(values["max_retries"]),
        total_timeout=check_total_timeout(values["total_timeout"]),
        max_error_bytes=_check_bytes(values, "max_error_bytes"),
        max_event_bytes=_check_bytes(values, "max_event_bytes"),
        max_response_bytes=_check_bytes(values, "max_response_bytes"),
        default_headers=_check_headers(values["default_headers"], endpoint),
        http_client=_check_http_client(values["http_client"], "Client"),
        http_async_client=_check_http_client(
            values["http_async_client"], "AsyncClient"
        ),
        limiter=_check_limiter(values["limiter"]),
    )


@cache
def _connection_defaults() -> dict[str, Any]:
    fields = ConnectionArguments.model_fields
    return {name: field.default for name, field in fields.items()}


def _check_bool(values: Mapping[str, object], name: str) -> bool:
    value = values[name]
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, got {value!r}.")
    return value


def _check_timeout(value: object) -> tuple[float | None, float | None]:
    """Return the limits (connect, read) in seconds; None is no limit."""
    if value is None:
        return None, None
    pair: Sequence[object] = (DEFAULT_CONNECT_TIMEOUT, value)
    if isinstance(value, tuple | list):
        pair = cast("Sequence[object]", value)
    limits = [
        None if part is None else float(part)
        for part in pair
        if part is None or _is_time_limit(part)
    ]
    if len(limits) != _PAIR or len(pair) != _PAIR:
        raise ConfigurationError(
            "timeout must be a number of seconds above 0 and at most a week, a pair of"
            f" them (connect, read), or None for no limit, got {value!r}."
        )
    return limits[0], limits[1]


def _is_time_limit(value: object) -> TypeGuard[float]:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 < value <= _MAX_TIMEOUT
    )


def check_total_timeout(value: object) -> float | None:
    """Return the seconds for a whole answer; None for no limit.

    Args:
        value: The argument of a constructor or of a call.

    Raises:
        ConfigurationError: It is not a number of seconds.
    """
    if value is None:
        return None
    if not _is_time_limit(value):
        raise ConfigurationError(
            "total_timeout must be a number of seconds above 0 and at most a week, or"
            f" None for no limit, got {value!r}."
        )
    return float(value)


def _check_bytes(values: Mapping[str, object], name: str) -> int:
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(
            f"{name} must be a number of bytes, an integer above 0, got {value!r}."
        )
    return value


def _check_retries(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"max_retries must be an integer >= 0, got {value!r}.")
    return value


def _check_limiter(value: object) -> RateLimit | None:
    if value is None or isinstance(value, RateLimit):
        return value
    raise ConfigurationError(
        "limiter must be a modelstudio_core.limits.RateLimit, got a"
        f" {type(value).__name__}. A limiter of the framework is passed as"
        " rate_limiter=, where the class has that argument."
    )


def _check_rate_limiter(value: object) -> None:
    """Refuse a RateLimit as the framework's limiter, which counts calls only."""
    if isinstance(value, RateLimit):
        raise ConfigurationError(
            "rate_limiter is for limiters of the framework: pass the RateLimit as"
            " limiter=."
        )


def _check_headers(value: object, endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
    """Return headers as pairs. The errors do not contain their values."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise ConfigurationError("default_headers must be a dict of strings.")
    pairs = tuple(
        (name, text.get_secret_value() if isinstance(text, SecretStr) else text)
        for name, text in cast("Mapping[str, SecretStr | str]", value).items()
    )
    for name, text in pairs:
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ConfigurationError(
                f"default_headers has an invalid header name: {name!r}."
            )
        if not isinstance(text, str) or not _HEADER_VALUE.fullmatch(text):
            raise ConfigurationError(
                f"default_headers[{name!r}] must be a string of printable ASCII."
            )
        if advice := _replaces_argument(name, endpoint):
            raise ConfigurationError(
                f"default_headers must not contain {name!r}: {advice}."
            )
    return pairs


def _replaces_argument(header: str, endpoint: Endpoint) -> str:
    """Return what to do instead of passing a header; empty if it may be passed."""
    match header.casefold():
        case "host":
            return "pass base_url="
        case "x-dashscope-workspace":
            return "pass workspace="
        case "authorization" if endpoint.is_documented:
            return "the service accepts the API key only, so pass api_key="
        case _:
            return ""


def _check_http_client(value: object, kind: str) -> object:
    """Check that the SDKs accept a client, without importing its library."""
    if value is None:
        return None
    names = {
        (base.__module__.partition(".")[0], base.__name__)
        for base in type(value).__mro__
    }
    argument = "http_client" if kind == "Client" else "http_async_client"
    libraries = ("httpx", "httpx2") if sdk_takes_httpx2() else ("httpx",)
    if not any((library, kind) in names for library in libraries):
        wanted = " or ".join(f"{library}.{kind}" for library in libraries)
        raise ConfigurationError(
            f"{argument} must be an {wanted}, got a {type(value).__name__}."
        )
    return value
