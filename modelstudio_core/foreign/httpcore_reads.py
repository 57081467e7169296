"""A time limit for reading the rest of a sync response, without a thread.

A response is read to its end so that its connection can be reused, but not for long.
httpx sets the timeout of a response when its first byte is read. A shorter limit is set
by replacing the ``read`` of the network stream, which httpcore documents, for as long
as it is needed. If that is not possible the connection is closed, and the next request
opens a new one.
"""

import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Final, Protocol, cast

from modelstudio_core.foreign.fast_path import FastPath

__all__ = ["LIMITED_READS", "limited_reads"]

_Read = Callable[[int, float | None], bytes]


class _NetworkStream(Protocol):
    read: _Read


class _Response(Protocol):
    @property
    def extensions(self) -> Mapping[str, object]: ...
    @property
    def http_version(self) -> str: ...


LIMITED_READS: Final = FastPath("connections that are reused after a stream")


@contextmanager
def limited_reads(response: _Response, seconds: float) -> Generator[bool]:
    """Limit the total time of all reads of a response by this thread.

    Args:
        response: A response of httpx whose body has been read in part.
        seconds: How long all reads may take together. A read that waits for longer
            raises the HTTP library's error, a later one ``TimeoutError``.

    Yields:
        Whether the limit is set. If not, the response must not be read.
    """
    limited = _limit(response, seconds)
    try:
        yield limited is not None
    finally:
        if limited is not None:
            stream, read = limited
            # Another thread may have limited the next response on the connection.
            if vars(stream).get("read") is read:
                with suppress(AttributeError):
                    del stream.read


def _limit(response: _Response, seconds: float) -> tuple[_NetworkStream, _Read] | None:
    """Replace the ``read`` of a response's network stream, and return both."""
    if not LIMITED_READS.active:
        return None
    try:
        stream = cast(
            "_NetworkStream | None", response.extensions.get("network_stream")
        )
        # Several responses share an HTTP/2 connection.
        if stream is None or response.http_version.startswith("HTTP/2"):
            return None
        read = stream.read
        owner = threading.get_ident()
        until = time.monotonic() + seconds

        def limited(max_bytes: int, timeout: float | None = None) -> bytes:
            # After the last read another thread may use the connection.
            if threading.get_ident() != owner:
                return read(max_bytes, timeout)
            left = _time_until(until)
            return read(max_bytes, left if timeout is None else min(left, timeout))

        if not hasattr(stream, "__dict__"):
            # A stream of a user's own transport.
            return None
        stream.read = limited
    except Exception as error:  # noqa: BLE001 - another version may raise anything
        LIMITED_READS.switch_off(error)
        return None
    return stream, limited


def _time_until(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
