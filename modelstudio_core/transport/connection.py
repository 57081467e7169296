"""The resolved connection arguments: how to reach the service."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from modelstudio_core.api_keys import ApiKeyFunction
from modelstudio_core.endpoints import (
    Endpoint,
    Protocol,
    is_plan_key,
    refused_key_hint,
)
from modelstudio_core.secrets import digest_of, secrets_of
from modelstudio_core.transport.charges import RequestLimiter
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "DEFAULT_CONNECT_TIMEOUT",
    "DEFAULT_MAX_DOWNLOAD_BYTES",
    "DEFAULT_MAX_ERROR_BYTES",
    "DEFAULT_MAX_EVENT_BYTES",
    "DEFAULT_MAX_RESPONSE_BYTES",
    "DEFAULT_READ_TIMEOUT",
    "DEFAULT_RETRIES",
    "ERROR_BODY_SECONDS",
    "Connection",
]

DEFAULT_CONNECT_TIMEOUT: Final = 10.0
DEFAULT_READ_TIMEOUT: Final = 600.0
DEFAULT_RETRIES: Final = 2
# The largest recorded error has 2 KB, the largest event 40 KB, the largest answer 2 MB.
DEFAULT_MAX_ERROR_BYTES: Final = 2**20
DEFAULT_MAX_EVENT_BYTES: Final = 2**24
DEFAULT_MAX_RESPONSE_BYTES: Final = 2**28
# Of a file that is written to disk. The largest are the results of batches: 50,000
# answers, where the file of the requests may have 500 MB.
DEFAULT_MAX_DOWNLOAD_BYTES: Final = 2**35
# How long the body of an error may take. What has arrived by then is used.
ERROR_BODY_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True)
class Connection:
    """How to reach the service. Equal connections share their HTTP clients.

    Attributes:
        endpoint: Where requests go.
        protocol: ``"openai"`` or ``"dashscope"``.
        api_key: The API key, or the function that returns it before each request.
        connect_timeout: Seconds to wait for a connection; None for no limit.
        read_timeout: Seconds to wait for the next bytes; None for no limit.
        max_retries: How often a failed request is repeated at most.
        total_timeout: Seconds for a whole answer, with retries; None for no limit.
        max_error_bytes: How large the body of an error may be, decoded.
        max_event_bytes: How large one event of a stream may be, with what came since
            the last event.
        max_response_bytes: How large a whole answer may be, decoded.
        default_headers: The names and values of the user's headers.
        http_client: The user's sync HTTP client, which is never closed here.
        http_async_client: The user's async HTTP client, which is never closed here.
        limiter: The limit that each request to a model waits for; None for none.
    """

    endpoint: Endpoint
    protocol: Protocol
    api_key: str | ApiKeyFunction = field(repr=False)
    connect_timeout: float | None = DEFAULT_CONNECT_TIMEOUT
    read_timeout: float | None = DEFAULT_READ_TIMEOUT
    max_retries: int = DEFAULT_RETRIES
    default_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    http_client: object = field(default=None, repr=False)
    http_async_client: object = field(default=None, repr=False)
    # These change no client.
    total_timeout: float | None = field(default=None, compare=False)
    max_error_bytes: int = field(default=DEFAULT_MAX_ERROR_BYTES, compare=False)
    max_event_bytes: int = field(default=DEFAULT_MAX_EVENT_BYTES, compare=False)
    max_response_bytes: int = field(default=DEFAULT_MAX_RESPONSE_BYTES, compare=False)
    limiter: RequestLimiter | None = field(default=None, repr=False, compare=False)

    @property
    def base_url(self) -> str:
        """The full base URL of the protocol."""
        return self.endpoint.url(self.protocol)

    @property
    def context(self) -> ErrorContext:
        """The facts of requests over this connection that errors report."""
        key = self.api_key
        return ErrorContext(
            region=self.endpoint.region,
            protocol=self.protocol,
            host=self.endpoint.host,
            secrets=secrets_of(
                key if isinstance(key, str) else "", self.default_headers
            ),
            later_secrets=None if isinstance(key, str) else key.redactor,
            key_hint=partial(self.explain_refused_key, None),
        )

    def explain_refused_key(self, request_key: str | None) -> str:
        """Return what to do about a key that was refused.

        Args:
            request_key: What the function returned for the request; None if that is
                not known: then it is the last key.
        """
        key = self.api_key
        sent = key if isinstance(key, str) else request_key or key.last
        return refused_key_hint(self.endpoint, plan_key=is_plan_key(sent))

    def ask_key(self) -> str:
        """Return the API key. A function of the user is called.

        Raises:
            ConfigurationError: The function failed, or returned no key.
        """
        key = self.api_key
        return key if isinstance(key, str) else key.ask()

    @property
    def last_key(self) -> str:
        """The API key, or the one that a function returned last.

        A function is called if it was not called before: what is made with the key
        cannot fail after a request that was paid for.

        Raises:
            ConfigurationError: The function failed, or returned no key.
        """
        key = self.api_key
        return key if isinstance(key, str) else key.last or key.ask()

    @property
    def account(self) -> str:
        """A text that tells accounts apart, for caches of answers; it shows no key.

        Raises:
            ConfigurationError: The function that returns the key failed.
        """
        return digest_of(self.ask_key(), self.default_headers)

    async def aaccount(self) -> str:
        """Async version of ``account``: a function is called in a thread."""
        if isinstance(self.api_key, str):
            return self.account
        return await asyncio.to_thread(getattr, self, "account")

    def key_of(self, request_key: str | None) -> str | None:
        """Return the key that a request was sent with; None if it is in a header.

        Args:
            request_key: What the function returned for it; None if it was not called.
        """
        return self.api_key if isinstance(self.api_key, str) else request_key

    def account_of(self, request_key: str | None) -> str:
        """Return a text as ``account``, for a request that was sent.

        Args:
            request_key: What the function returned for it; None if it was not called.
        """
        return digest_of(self.key_of(request_key) or "", self.default_headers)

    @property
    def quota_holder(self) -> str | ApiKeyFunction:
        """What has a budget of queries: the account, or the function for its key."""
        return self.account if isinstance(self.api_key, str) else self.api_key

    @property
    def secrets(self) -> tuple[str, ...]:
        """Strings that must never be shown: the key and values of user headers."""
        key = self.api_key
        if isinstance(key, str):
            return secrets_of(key, self.default_headers)
        return (*key.hidden, *secrets_of("", self.default_headers))
