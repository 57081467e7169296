"""Clients of the openai and dashscope SDKs over the pools of this package.

The SDKs build and send a request. Their retries, redirects, parsing, environment
variables and configuration files are not used.
"""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.pools import library_of, timeout_for
from modelstudio_core.transport.relays import make_relay

__all__ = ["HAS_DASHSCOPE", "Sdk", "make_sdk_client"]

Sdk = Literal["openai", "dashscope"]


def _has_dashscope() -> bool:
    """Return whether version 2 of the dashscope SDK is installed, without importing."""
    spec = find_spec("dashscope")
    folders = (spec.submodule_search_locations if spec else None) or ()
    return any((Path(folder) / "v2").is_dir() for folder in folders)


# At import: the look-up reads files, which would block an event loop later.
HAS_DASHSCOPE: Final = _has_dashscope()


def make_sdk_client(
    sdk: Sdk,
    connection: Connection,
    pool: Any,
    headers: Mapping[str, str],
    *,
    is_async: bool,
) -> Any:
    """Create a client of an SDK over a pool.

    Args:
        sdk: The SDK.
        connection: How to reach the service.
        pool: The HTTP client that sends the requests.
        headers: The headers of each request.
        is_async: Whether the pool and the client are async.

    Returns:
        The SDK's client; of the dashscope SDK its transport.

    Raises:
        ConfigurationError: The SDK cannot create it.
    """
    library = library_of(pool)
    timeout = timeout_for(connection, library)
    relay = make_relay(library, pool, is_async=is_async)
    try:
        if sdk == "openai":
            client = _openai_classes()[is_async](
                http_client=relay,
                # Not sent: the headers have the key.
                api_key=str(connection.api_key),
                base_url=connection.endpoint.url("openai"),
                timeout=timeout,
                max_retries=0,
            )
            client.request_headers = headers
            return client
        # Not the SDK's ``Client``: it reads variables and files, and fails over them.
        return _dashscope_classes()[is_async](
            base_url=connection.endpoint.url("dashscope"),
            max_retries=0,
            http_client=relay,
        )
    except Exception as error:  # noqa: BLE001 - another version may raise anything
        reason = connection.context.redact(f"{type(error).__name__}: {error}")
    raise ConfigurationError(
        f"The client of the {sdk} SDK cannot be created: {reason}. Install a version"
        " that this package supports."
    )


@cache
def _openai_classes() -> tuple[Any, Any]:
    import openai  # noqa: PLC0415 - not before the first call

    class _Headers:
        """Sends the given headers only: the SDK adds some of OPENAI_* variables."""

        request_headers: Mapping[str, str] = {}

        @property
        def default_headers(self) -> dict[str, Any]:
            return {
                "Accept": "application/json, text/event-stream",
                "Content-Type": "application/json",
                **self.request_headers,
            }

    class Client(_Headers, openai.OpenAI):
        pass

    class AsyncClient(_Headers, openai.AsyncOpenAI):
        pass

    return Client, AsyncClient


@cache
def _dashscope_classes() -> tuple[Any, Any]:
    from dashscope.v2 import transport  # noqa: PLC0415 - optional, and slow

    return transport.SyncTransport, transport.AsyncTransport
