"""The constructor that every class shares: its arguments, and what they come to.

Both frameworks' classes are pydantic models, so the arguments are pydantic fields of a
mixin: one name, one default and one meaning for all of them. They are resolved before
pydantic sees them, so that bad input is a plain ``ConfigurationError``, and again when
one is assigned to, so that a model is at no time something else than its fields say.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Final, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from modelstudio_core.endpoints import (
    API_KEY_VARIABLE,
    Protocol,
    api_key_from_environment,
    check_protocol,
    resolve_endpoint,
)
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.transport.connection import Connection
from modelstudio_core.wire.suggestions import unknown_name

__all__ = ["ConnectionArguments"]

_CONNECT_TIMEOUT: Final = 10.0
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~A-Za-z0-9-]+")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")
_LONGEST_TIMEOUT: Final = 7 * 24 * 3600.0


class ConnectionArguments(BaseModel):
    """How to reach the service: the arguments that every class takes."""

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        protected_namespaces=(),
        # Where pydantic validates around the constructor, its error must not show keys.
        hide_input_in_errors=True,
    )
    # Other names for an argument, which a framework's users know.
    argument_aliases: ClassVar[Mapping[str, str]] = {}

    api_key: SecretStr | str | None = Field(default=None, exclude=True, repr=False)
    """The API key; if None, ``DASHSCOPE_API_KEY``. Once set it is a ``SecretStr``; a
    pickle of the model holds it."""

    region: str | None = None
    """Where the service is reached and data is stored: a region id or an alias."""

    mode: str | None = None
    """The deployment mode: where inference runs. If None, the region's default."""

    workspace: str | None = None
    """The workspace id; if None, ``DASHSCOPE_WORKSPACE_ID``."""

    protocol: Protocol = "openai"
    """``"openai"`` (OpenAI compatible) or ``"dashscope"`` (native)."""

    base_url: str | None = None
    """An address that overrides the one of region, mode and workspace."""

    allow_insecure_http: bool = False
    """Whether plain ``http`` may go to other than loopback."""

    timeout: float | tuple[float, float] | None = 600.0
    """Seconds of silence to bear, or ``(connect, read)``; connecting has 10 s."""

    max_retries: int = 2
    """How often a failed request is sent again, at most."""

    default_headers: Mapping[str, str] | None = Field(
        default=None, exclude=True, repr=False
    )
    """Headers to send with every request."""

    http_client: Any = Field(default=None, exclude=True, repr=False)
    """An ``httpx.Client`` (``httpx2.Client`` with openai 3) of one's own."""

    http_async_client: Any = Field(default=None, exclude=True, repr=False)
    """An ``httpx.AsyncClient`` (``httpx2.AsyncClient`` with openai 3) of one's own."""


# --- Names ------------------------------------------------------------------------


def canonical_arguments(
    cls: type[ConnectionArguments], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments under their own names.

    Raises:
        ConfigurationError: A name is not one of the constructor's, or an argument is
            given under two names.
    """
    known: dict[str, Any] = {}
    for name, value in arguments.items():
        own = cls.argument_aliases.get(name, name)
        if own not in cls.model_fields:
            names = {*cls.model_fields, *cls.argument_aliases} - {"resolved_model"}
            if name in _ELSEWHERE:
                raise ConfigurationError(
                    f"Unknown argument of {cls.__name__} {name!r}. Did you mean"
                    f" {_ELSEWHERE[name]!r}?"
                )
            raise unknown_name(f"argument of {cls.__name__}", name, names)
        if own in known:
            other = next(n for n in arguments if n != name and _own(cls, n) == own)
            raise ConfigurationError(
                f"{name} and {other} are the same argument: drop one of the two."
            )
        known[own] = value
    return known


# What other classes call it, where the nearest name by letters is another thing.
_ELSEWHERE: Final = {
    "api_base": "base_url",
    "openai_api_base": "base_url",
    "openai_api_key": "api_key",
    "base_http_api_url": "base_url",
    "modle": "model",
    "request_timeout": "timeout",
    "max_new_tokens": "max_tokens",
}


def _own(cls: type[ConnectionArguments], name: str) -> str:
    return cls.argument_aliases.get(name, name)


def to_configuration_error(error: ValidationError, where: str) -> ConfigurationError:
    """Turn pydantic's error into one that does not show what was put in."""
    told = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [f"{'.'.join(map(str, it['loc'])) or where}: {it['msg']}" for it in told]
    return ConfigurationError(f"Bad arguments of {where}: {'; '.join(lines)}.")


# --- From arguments to what they come to ------------------------------------------


def resolve_connection(given: Mapping[str, Any], *, model: object = None) -> Connection:
    """Decide how the service is reached.

    Args:
        given: Connection arguments that are not None.
        model: The model id, which chooses the mode in US (Virginia).

    Raises:
        ConfigurationError: They are wrong, or contradict each other.
    """
    protocol = check_protocol(given.get("protocol", "openai"))
    endpoint = resolve_endpoint(
        region=given.get("region"),
        mode=given.get("mode"),
        workspace=given.get("workspace"),
        base_url=given.get("base_url"),
        model=model if isinstance(model, str) else None,
        allow_insecure_http=_switch(given, "allow_insecure_http"),
    )
    if protocol == "dashscope":
        _check_dashscope()
    connect, read = _timeouts(given.get("timeout", 600.0))
    return Connection(
        endpoint=endpoint,
        protocol=protocol,
        api_key=_api_key(given.get("api_key")),
        connect_timeout=connect,
        read_timeout=read,
        max_retries=_retries(given.get("max_retries", 2)),
        default_headers=_headers(given.get("default_headers", {})),
        http_client=_http_client(given.get("http_client"), "Client"),
        http_async_client=_http_client(given.get("http_async_client"), "AsyncClient"),
    )


def _api_key(value: object) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    key = api_key_from_environment() if value is None else value
    if not key:
        raise ConfigurationError(
            f"The API key is missing: pass api_key= or set {API_KEY_VARIABLE}. Keys are"
            " made in the Model Studio console of the region that they are for."
        )
    # It becomes a header: nothing may end the line, and no word of it is repeated here.
    if not isinstance(key, str) or not re.fullmatch(r"[\x21-\x7e]+", key):
        raise ConfigurationError(
            "api_key must be a string of printable characters without blanks or line"
            " ends: was it read from a file with its last line end?"
        )
    return key


def _switch(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False, and is {value!r}.")
    return value


def _timeouts(value: object) -> tuple[float, float]:
    """Return the seconds to wait for a connection and for the next bytes."""
    pair: Sequence[object] = (_CONNECT_TIMEOUT, value)
    if isinstance(value, tuple | list):
        pair = cast("Sequence[object]", value)
    numbers = [
        float(part)
        for part in pair
        if isinstance(part, int | float)
        and not isinstance(part, bool)
        and 0 < part <= _LONGEST_TIMEOUT
    ]
    if len(numbers) != 2 or len(pair) != 2:  # noqa: PLR2004 - a pair
        raise ConfigurationError(
            "timeout must be seconds above 0 and at most a week, or a pair of them for"
            f" (connect, read), and is {value!r}."
        )
    return numbers[0], numbers[1]


def _retries(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(
            f"max_retries must be a whole number from 0, and is {value!r}."
        )
    return value


def _headers(value: object) -> tuple[tuple[str, str], ...]:
    """Return headers as pairs; their values are not repeated in what is said."""
    if not isinstance(value, Mapping):
        raise ConfigurationError("default_headers must be a dict of strings.")
    pairs = tuple(cast("Mapping[str, str]", value).items())
    for name, text in pairs:
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ConfigurationError(f"default_headers has a bad name: {name!r}.")
        if not isinstance(text, str) or not _HEADER_VALUE.fullmatch(text):
            raise ConfigurationError(
                f"default_headers[{name!r}] must be a string of printable ASCII."
            )
    return pairs


def _http_client(value: object, kind: str) -> object:
    """Return a client that the SDK takes, without importing its library."""
    if value is None:
        return None
    names = {
        (base.__module__.partition(".")[0], base.__name__)
        for base in type(value).__mro__
    }
    argument = "http_client" if kind == "Client" else "http_async_client"
    libraries = ("httpx", "httpx2") if _sdk_takes_httpx2() else ("httpx",)
    if not any((library, kind) in names for library in libraries):
        wanted = " or ".join(f"{library}.{kind}" for library in libraries)
        raise ConfigurationError(
            f"{argument} must be an {wanted}, and is a {type(value).__name__}."
        )
    return value


def _check_dashscope() -> None:
    if not _HAS_DASHSCOPE:
        raise ConfigurationError(
            "protocol='dashscope' needs the dashscope SDK, version 2:"
            ' pip install "modelstudio-integrations[dashscope]".'
        )


def _has_dashscope() -> bool:
    """See that version 2 of the SDK is there, without importing it."""
    found = find_spec("dashscope")
    places = (found.submodule_search_locations if found else None) or ()
    return any((Path(place) / "v2").is_dir() for place in places)


# Looked up once, and not on anybody's event loop.
_HAS_DASHSCOPE: Final = _has_dashscope()


@cache
def _sdk_takes_httpx2() -> bool:
    return int(version("openai").partition(".")[0]) >= 3  # noqa: PLR2004 - a version
