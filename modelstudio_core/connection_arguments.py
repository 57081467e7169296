"""The arguments that all classes share: how to reach the service."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.json_schema import SkipJsonSchema

from modelstudio_core import endpoints
from modelstudio_core.api_keys import ApiKey, ApiKeyGetter
from modelstudio_core.argument_hints import unknown_argument
from modelstudio_core.endpoints import (
    API_KEY_VARIABLE,
    MODE_VARIABLE,
    REGION_VARIABLE,
    WORKSPACE_VARIABLES,
    api_key_from_environment,
)
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.limits import RateLimit
from modelstudio_core.secrets import hide_in_error, secrets_of
from modelstudio_core.transport.connection import (
    DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_MAX_ERROR_BYTES,
    DEFAULT_MAX_EVENT_BYTES,
    DEFAULT_MAX_RESPONSE_BYTES,
    DEFAULT_READ_TIMEOUT,
    DEFAULT_RETRIES,
    Connection,
)

__all__ = [
    "ConnectionArguments",
    "canonical_arguments",
    "check_rate_limiter",
    "keys_hidden",
    "replace_aliases",
]


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


# --- Keys in errors ---------------------------------------------------------------


@contextmanager
def keys_hidden(source: Mapping[str, Any] | Connection) -> Generator[None]:
    """Remove keys from the message of an error about arguments.

    Args:
        source: What has the key: the arguments by name, which may be invalid, or a
            connection. What looks like a key is removed too.
    """
    try:
        yield
    except ConfigurationError as error:
        if isinstance(source, Connection):
            hide_in_error(error, source.secrets)
        else:
            hide_in_error(error, _secrets_in(source))
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


# --- Names ------------------------------------------------------------------------


def canonical_arguments(
    cls: type[ConnectionArguments],
    arguments: Mapping[str, object],
    *,
    owner: str | None = None,
) -> dict[str, Any]:
    """Return arguments by their canonical names instead of aliases.

    Args:
        cls: The class of the arguments.
        arguments: The arguments as they were passed to the constructor.
        owner: To what they were passed, if it is not the constructor of the class.

    Raises:
        ConfigurationError: A name is unknown, or an argument was passed under two
            names.
    """
    for name in arguments:
        if cls.argument_aliases.get(name, name) not in cls.model_fields:
            names = {*cls.model_fields, *cls.argument_aliases} - {"resolved_model"}
            with keys_hidden(arguments):
                raise unknown_argument(name, names, owner=owner or cls.__name__)
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
    check_rate_limiter(canonical.get("rate_limiter"))
    return canonical


def check_rate_limiter(value: object) -> None:
    """Refuse a RateLimit as the framework's limiter, which counts calls only.

    Args:
        value: The argument ``rate_limiter``.

    Raises:
        ConfigurationError: It is a ``RateLimit``.
    """
    if isinstance(value, RateLimit):
        raise ConfigurationError(
            "rate_limiter is for limiters of the framework: pass the RateLimit as"
            " limiter=."
        )
