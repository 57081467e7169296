"""A response of the HTTP library, httpx or httpx2: what is used of it here."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Protocol

__all__ = ["LibraryBody", "LibraryResponse", "read_headers"]


class LibraryBody(Protocol):
    """The body of a response of the HTTP library, without decoding."""

    def __iter__(self) -> Iterator[bytes]: ...
    def __aiter__(self) -> AsyncIterator[bytes]: ...


class _Headers(Protocol):
    """The headers of a response of the HTTP library."""

    @property
    def raw(self) -> Sequence[tuple[bytes, bytes]]: ...


class _Request(Protocol):
    """A request of the HTTP library."""

    @property
    def extensions(self) -> Mapping[str, object]: ...


class LibraryResponse(Protocol):
    """A response of the HTTP library: the methods that are used here."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> _Headers:
        """The headers, by their names in any case."""
        ...

    @property
    def stream(self) -> LibraryBody:
        """The body without decoding."""
        ...

    @property
    def extensions(self) -> Mapping[str, object]:
        """Optional values, such as the network stream."""
        ...

    @property
    def http_version(self) -> str:
        """The version, such as ``"HTTP/1.1"``."""
        ...

    @property
    def request(self) -> _Request:
        """The request."""
        ...

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield the body, decoded."""
        ...

    def aiter_bytes(self) -> AsyncIterator[bytes]:
        """Async version of ``iter_bytes``."""
        ...

    def close(self) -> None:
        """Close the response."""
        ...

    async def aclose(self) -> None:
        """Async version of ``close``."""
        ...


def read_headers(response: LibraryResponse) -> dict[str, str]:
    """Return the headers by their names in lower case, in one pass over them.

    Each look-up of the HTTP library goes through all of them and decodes them.

    Args:
        response: The response of the HTTP library.
    """
    raw = response.headers.raw
    try:
        return _decode_headers(raw, "utf-8")
    except UnicodeDecodeError:
        return _decode_headers(raw, "latin-1")


def _decode_headers(raw: Sequence[tuple[bytes, bytes]], coding: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode(coding).lower(), raw_value.decode(coding)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
