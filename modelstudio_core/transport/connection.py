"""How the service is reached: everything that a constructor says of it, decided."""

from dataclasses import dataclass, field
from typing import Any

from modelstudio_core.endpoints import Endpoint, Protocol
from modelstudio_core.secrets import secrets_of
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["Connection"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach the service. Equal connections share their clients.

    Attributes:
        endpoint: Where.
        protocol: ``"openai"`` or ``"dashscope"``.
        api_key: The key; it is shown nowhere.
        connect_timeout: Seconds to wait for a connection.
        read_timeout: Seconds of silence to bear.
        max_retries: How often a request is sent again, at most.
        default_headers: Headers of the user's own.
        http_client: The user's own ``httpx`` client, never closed here.
        http_async_client: The same for asynchronous calls.
    """

    endpoint: Endpoint
    protocol: Protocol
    api_key: str = field(repr=False)
    connect_timeout: float = 10.0
    read_timeout: float = 600.0
    max_retries: int = 2
    default_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    http_client: Any = field(default=None, repr=False)
    http_async_client: Any = field(default=None, repr=False)

    @property
    def base_url(self) -> str:
        """The full base URL of the protocol in use."""
        return self.endpoint.base_url(self.protocol)

    @property
    def context(self) -> ErrorContext:
        """What an error needs to know."""
        return ErrorContext(
            region=self.endpoint.region,
            protocol=self.protocol,
            host=self.endpoint.host,
            secrets=self.secrets,
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown: the key, and what the user's headers hold."""
        return secrets_of(self.api_key, self.default_headers)
