"""From the connection arguments to a connection: each argument is checked."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeGuard, cast

from pydantic import SecretStr

from modelstudio_core.api_keys import check_api_key
from modelstudio_core.connection_arguments import ConnectionArguments
from modelstudio_core.endpoints import Endpoint, check_protocol, resolve_endpoint
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.limits import RateLimit
from modelstudio_core.transport.connection import DEFAULT_CONNECT_TIMEOUT, Connection
from modelstudio_core.transport.pools import sdk_takes_httpx2

__all__ = ["check_total_timeout", "resolve_connection"]

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~A-Za-z0-9-]+")
_HEADER_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")
_MAX_TIMEOUT: Final = 7 * 24 * 3600.0
_PAIR: Final = 2


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
