"""The SDKs' clients, told everything: nothing is left to their environment."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from modelstudio_core._version import __version__
from modelstudio_core.endpoints import DEFAULT_REGION
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.pools import http_library, timeout_of

__all__ = ["request_headers", "sdk_client"]


def request_headers(connection: Connection) -> dict[str, str]:
    """Return the headers that every request of a connection has.

    A user's own takes the place of ours, however it is spelled.
    """
    ours = {
        "User-Agent": f"modelstudio-integrations/{__version__}",
        # Said by us: some versions of the SDK leave it out.
        "Authorization": f"Bearer {connection.api_key}",
        **connection.endpoint.headers,
    }
    spelled = {name.casefold(): name for name in ours}
    theirs = connection.default_headers
    return ours | {spelled.get(name.casefold(), name): value for name, value in theirs}


def sdk_client(connection: Connection, pool: Any, colour: int) -> Any:
    """Make an SDK's client over a pool; the colour is 0 for sync and 1 for async."""
    if connection.protocol == "openai":
        client = _sdk_classes("openai")[colour](
            http_client=pool,
            api_key=connection.api_key,
            base_url=connection.base_url,
            timeout=timeout_of(connection, http_library()),
            max_retries=0,
        )
        client.ours = request_headers(connection)
        return client
    if pool.follow_redirects:
        raise ConfigurationError(
            "An HTTP client for protocol='dashscope' must not follow redirects: make it"
            " with follow_redirects=False."
        )
    # Nothing may be left to its environment, nor to its configuration file.
    return _sdk_classes("dashscope")[colour](
        http_client=pool,
        api_key=connection.api_key,
        base_url=connection.base_url,
        region=connection.endpoint.region or DEFAULT_REGION,
        workspace="",
        protocol="native",
        timeout=connection.read_timeout,
        max_retries=0,
        config_path=os.devnull,
    )


def _sdk_classes(protocol: str) -> tuple[Any, Any]:
    return _openai_classes() if protocol == "openai" else _dashscope_classes()


@cache
def _openai_classes() -> tuple[Any, Any]:
    import openai  # noqa: PLC0415 - not before the first call

    class _Headers:
        """Send our headers only: the SDK adds OPENAI_* variables to any host."""

        ours: Mapping[str, str] = {}

        @property
        def default_headers(self) -> dict[str, Any]:
            return {
                "Accept": "application/json, text/event-stream",
                "Content-Type": "application/json",
                **self.ours,
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
