"""Reads of a synchronous response that end after a while, without a thread.

A response is read to its end so that its connection can be used again, but only for a
moment. httpx fixes the time limit of a response when its first byte is read; a shorter
one is set on the network stream that httpcore documents, by replacing its ``read`` for
as long as it is needed. Where that cannot be done the connection is closed, and the
next request makes a new one.
"""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any, Final

from modelstudio_core.foreign.fast_path import FastPath

__all__ = ["LIMITED_READS", "limited_reads"]

_Read = Callable[[int, float | None], bytes]

LIMITED_READS: Final = FastPath("connections that are used again after a stream")


@contextmanager
def limited_reads(response: Any, seconds: float) -> Generator[bool]:
    """Limit the time of all reads of a response by this thread together.

    Args:
        response: A response of httpx, whose body has been begun.
        seconds: How long the reads may wait in all. A later one may wait for 1 ms; when
            it has waited it raises the HTTP library's error.

    Yields:
        Whether the reads are limited. If not, the response must not be read.
    """
    stream = _limit(response, seconds)
    try:
        yield stream is not None
    finally:
        if stream is not None:
            with suppress(AttributeError):
                del stream.read


def _limit(response: Any, seconds: float) -> Any:
    """Replace the ``read`` of a response's network stream, and return the stream."""
    if not LIMITED_READS.active:
        return None
    try:
        stream = response.extensions.get("network_stream")
        # Several responses share a connection of HTTP/2.
        if stream is None or response.http_version.startswith("HTTP/2"):
            return None
        read: _Read = stream.read
        owner = threading.get_ident()
        until = time.monotonic() + seconds

        def limited(max_bytes: int, timeout: float | None = None) -> bytes:
            # The last read gives the connection back: another thread may have it.
            if threading.get_ident() != owner:
                return read(max_bytes, timeout)
            left = max(until - time.monotonic(), 0.001)
            return read(max_bytes, left if timeout is None else min(left, timeout))

        stream.read = limited
    except Exception as error:  # noqa: BLE001 - another version may raise anything
        LIMITED_READS.switch_off(error)
        return None
    return stream
