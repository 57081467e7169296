"""What the transport needs of a rate limit."""

from collections.abc import Mapping
from typing import Protocol

__all__ = ["Charge", "RequestLimiter"]


class Charge(Protocol):
    """What a limit counted for one request."""

    def settle(self, used: Mapping[str, int] | None) -> None:
        """Count the tokens that an answer used, instead of the estimate."""
        ...

    def end(self, error: BaseException | None) -> None:
        """Settle a request that ended with an error; None for an answer."""
        ...

    def give_back(self) -> None:
        """Count nothing: the request was not sent."""
        ...


class RequestLimiter(Protocol):
    """A limit that requests wait for."""

    @property
    def name(self) -> str:
        """The name, for errors."""
        ...

    def acquire(
        self, path: str, body: Mapping[str, object] | None, seconds: float | None
    ) -> Charge:
        """Wait for at most some seconds until a request may be sent, and count it."""
        ...

    async def aacquire(
        self, path: str, body: Mapping[str, object] | None, seconds: float | None
    ) -> Charge:
        """Async version of ``acquire``."""
        ...
