"""A request as it is sent."""

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["HttpRequest"]


class HttpRequest(NamedTuple):
    """A request as it is sent: below the base URL, and besides the key."""

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
