"""A connection to a fake service, and calls that are made both ways."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from modelstudio_core.endpoints import Protocol, resolve_endpoint
from modelstudio_core.transport.connection import Connection
from tests.support.models import KEY

__all__ = ["KEY", "SYNC_AND_ASYNC", "call", "connection_to"]

_T = TypeVar("_T")
SYNC_AND_ASYNC = pytest.mark.parametrize(
    "is_async", [False, True], ids=["sync", "async"]
)


def connection_to(
    base_url: str,
    protocol: Protocol = "openai",
    *,
    workspace: str | None = None,
    max_retries: int = 0,
    read_timeout: float | None = 5.0,
    default_headers: tuple[tuple[str, str], ...] = (),
    http_client: object = None,
    http_async_client: object = None,
) -> Connection:
    """Return a connection to a fake service."""
    return Connection(
        endpoint=resolve_endpoint(base_url=base_url, workspace=workspace),
        protocol=protocol,
        api_key=KEY,
        read_timeout=read_timeout,
        max_retries=max_retries,
        default_headers=default_headers,
        http_client=http_client,
        http_async_client=http_async_client,
    )


async def call(
    is_async: bool, sync: Callable[[], _T], asynchronous: Callable[[], Awaitable[_T]]
) -> _T:
    """Call one of the two versions of a function."""
    return await asynchronous() if is_async else sync()
