"""A time limit for reading a response, without a thread.

The read timeout of httpx begins anew with every byte, and is set when the first byte of
a response is read. Bytes that are no data, such as the head of an HTTP chunk, are seen
by the network stream alone. So its ``read``, which httpcore documents, is replaced for
as long as a limit is needed. If that is not possible, the time can be checked only
where data comes, and a connection is closed instead of read to its end.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol, cast

from modelstudio_core.foreign.fast_path import FastPath

__all__ = ["LIMITED_READS", "ReadLimit"]

_Read = Callable[[int, float | None], bytes]


class _NetworkStream(Protocol):
    read: _Read


class _Response(Protocol):
    @property
    def extensions(self) -> Mapping[str, object]: ...
    @property
    def http_version(self) -> str: ...


LIMITED_READS: Final = FastPath("the time limit for reading a response", is_guard=True)


class ReadLimit:
    """How long all reads of a sync response may take together."""

    __slots__ = ("_read", "_response", "_stream", "_until")

    def __init__(self, response: _Response) -> None:
        """Create a limit that is not set yet.

        Args:
            response: A response of httpx whose headers are received.
        """
        self._response = response
        self._stream: _NetworkStream | None = None
        self._until = float("inf")

    def set(self, seconds: float) -> bool:
        """Limit the reads from now on, if they are not limited to less.

        Args:
            seconds: How long all of them may take together. A read that waits for
                longer raises the HTTP library's error, a later one ``TimeoutError``.

        Returns:
            Whether it is set. If not, a read may wait without an end.
        """
        self._until = min(self._until, time.monotonic() + seconds)
        if self._stream is None and LIMITED_READS.active:
            try:
                self._replace()
            except Exception as error:  # noqa: BLE001 - another version may raise anything
                LIMITED_READS.switch_off(error)
        return self._stream is not None

    def _replace(self) -> None:
        response = self._response
        stream = cast(
            "_NetworkStream | None", response.extensions.get("network_stream")
        )
        # Several responses share an HTTP/2 connection.
        if stream is None or response.http_version.startswith("HTTP/2"):
            return
        # A stream of a user's own transport may have no attributes.
        if hasattr(stream, "__dict__"):
            self._read = stream.read
            stream.read = self._limited
            self._stream = stream

    def _limited(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return self._read(max_bytes, left if timeout is None else min(left, timeout))

    def remove(self) -> None:
        """Remove the limit, before another response may use the connection."""
        stream, self._stream = self._stream, None
        # A request that followed has its own ``read``.
        if stream is not None and vars(stream).get("read") == self._limited:
            del stream.read
