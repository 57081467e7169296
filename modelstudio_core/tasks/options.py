"""The connection arguments of the functions for tasks."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final, TypedDict

from pydantic import SecretStr

from modelstudio_core.api_keys import ApiKey, ApiKeyGetter
from modelstudio_core.argument_hints import unknown_argument
from modelstudio_core.catalog import MediaProfile, resolve_model
from modelstudio_core.connection_arguments import ConnectionArguments, keys_hidden
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.endpoints import Protocol
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.limits import RateLimit
from modelstudio_core.policy import check_endpoint
from modelstudio_core.transport.connection import Connection

__all__ = ["ConnectionOptions", "connect"]

# Fields of the input, where they are neither the prompt nor media. In the parameters
# they have no effect, and the image is paid for. The vendor's SDK 2.0.2 sends them so,
# and recorded requests have negative_prompt here and, beside messages, there (2026).
_INPUT_FIELDS: Final = frozenset(
    {"ext", "function", "negative_prompt", "source_lang", "style_index", "target_lang"}
)


class ConnectionOptions(TypedDict, total=False):
    """The arguments that all classes share: how to reach the service.

    Attributes:
        api_key: The API key, or a function that returns it before each request;
            without it ``DASHSCOPE_API_KEY``.
        region: A region id or alias.
        mode: A deployment mode.
        workspace: A workspace id.
        protocol: Changes nothing: tasks have the native protocol only.
        base_url: A custom base URL.
        allow_insecure_http: Whether plain http is allowed for hosts other than
            loopback.
        timeout: Seconds to wait for the next bytes, or a pair (connect, read).
        total_timeout: Seconds for each request, with its retries.
        max_error_bytes: How many bytes the body of an error may have.
        max_event_bytes: Changes nothing: tasks have no streams.
        max_response_bytes: How many bytes an answer may have; files have no limit.
        max_retries: How often a failed request is repeated.
        default_headers: Headers of every request to the service.
        http_client: A custom ``httpx.Client``.
        http_async_client: A custom ``httpx.AsyncClient``.
        limiter: A limit of requests a minute, which each creation waits for.
    """

    api_key: ApiKey | ApiKeyGetter | None
    region: str | None
    mode: str | None
    workspace: str | None
    protocol: Protocol
    base_url: str | None
    allow_insecure_http: bool
    timeout: float | tuple[float | None, float | None] | None
    total_timeout: float | None
    max_error_bytes: int
    max_event_bytes: int
    max_response_bytes: int
    max_retries: int
    default_headers: Mapping[str, SecretStr | str] | None
    http_client: object
    http_async_client: object
    limiter: RateLimit | None


def connect(
    options: Mapping[str, Any], model: object, names: Collection[str] = ()
) -> Connection:
    """Check connection arguments, and that the policy allows the endpoint.

    Args:
        options: The arguments by name.
        model: The model id; an empty string or None where it is not known.
        names: The names of the function's other arguments, for errors.

    Raises:
        ConfigurationError: An argument is unknown or invalid.
    """
    fields = ConnectionArguments.model_fields
    with keys_hidden(options):
        for name in options:
            if name not in fields:
                raise _unknown_option(name, model, {*fields, *names})
        connection = resolve_connection(options, model=model)
        if model is None or isinstance(model, str):
            check_endpoint(connection.endpoint, model or "")
    return replace(connection, protocol="dashscope")


def _unknown_option(
    name: str, model: object, names: Collection[str]
) -> ConfigurationError:
    """Return the error for an unknown argument, which may be a field of the input."""
    if "input" not in names or name not in _input_fields(model):
        return unknown_argument(name, names)
    return ConfigurationError(
        f"Unknown argument {name!r}. It is a field of the input: pass input=, which"
        f" replaces prompt=, images=, media= and urls=: {{{name!r}: ..., ...}}."
    )


def _input_fields(model: object) -> frozenset[str]:
    """Return the fields that a model reads beside the prompt and the media."""
    if isinstance(model, str):
        profile = resolve_model(model, "media")
        if isinstance(profile, MediaProfile) and profile.input_form == "messages":
            # Its input has messages only: the rest is in the parameters.
            return frozenset()
    return _INPUT_FIELDS
