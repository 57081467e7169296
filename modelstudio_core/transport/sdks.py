"""Clients of the openai and dashscope SDKs over the pools of this package.

The SDKs build and send a request. Their retries, redirects, parsing, environment
variables and configuration files are not used.
"""

import os
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

from modelstudio_core.endpoints import DEFAULT_REGION
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.pools import library_of, timeout_for

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

    Raises:
        ConfigurationError: The pool follows redirects, which the dashscope SDK cannot
            disable.
    """
    timeout = timeout_for(connection, library_of(pool))
    if sdk == "openai":
        client = _openai_classes()[is_async](
            http_client=pool,
            api_key=connection.api_key,
            base_url=connection.endpoint.url("openai"),
            timeout=timeout,
            max_retries=0,
        )
        client.request_headers = headers
        return client
    if pool.follow_redirects:
        raise ConfigurationError(
            "An HTTP client for protocol='dashscope' must not follow redirects: create"
            " it with follow_redirects=False."
        )
    return _dashscope_classes()[is_async](
        http_client=pool,
        api_key=connection.api_key,
        base_url=connection.endpoint.url("dashscope"),
        region=connection.endpoint.region or DEFAULT_REGION,
        workspace="",
        protocol="native",
        timeout=connection.read_timeout,
        max_retries=0,
        config_path=os.devnull,
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
    import dashscope  # noqa: PLC0415 - not before the first call, and optional

    return dashscope.Client, dashscope.AsyncClient
