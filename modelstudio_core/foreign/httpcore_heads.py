"""A time limit for the headers of a response over a sync client.

The read timeout begins anew with every byte, so that headers that come byte by byte, or
informational responses (1xx), which come before a response, can keep a request for
ever. The network stream of httpcore is the only place where a sync client sees them.
Without this module, the read timeout alone limits the wait.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from modelstudio_core.foreign.fast_path import FastPath

__all__ = ["LIMITED_HEADS", "limit_heads"]

LIMITED_HEADS: Final = FastPath(
    "the time limit for the headers of a response", is_guard=True
)
_INFORMATIONAL: Final = (b"HTTP/1.1 1", b"HTTP/1.0 1")
# h11 reads a line that ends without a carriage return, too.
_END: Final = re.compile(rb"\n\r?\n")
_MAX_END: Final = 3
_Read = Callable[[int, float | None], bytes]


def limit_heads(client: object) -> None:
    """Limit how long the headers of a response may take, with what comes before them.

    Args:
        client: A sync client of httpx or httpx2. All reads of the headers may take as
            long as one read.
    """
    if not LIMITED_HEADS.active:
        return
    try:
        for pool in _pools_of(client):
            pool._network_backend = _Backend(pool._network_backend)  # noqa: SLF001 - see the module
    except Exception as error:  # noqa: BLE001 - another version may raise anything
        LIMITED_HEADS.switch_off(error)


def _pools_of(client: Any) -> Iterator[Any]:
    """Yield the pools of httpcore of a client: its own, and those of its proxies."""
    for transport in (client._transport, *client._mounts.values()):  # noqa: SLF001 - see the module
        if transport is not None:
            yield transport._pool  # noqa: SLF001 - see the module


class _Backend:
    """A network backend of httpcore whose streams limit the time for headers."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.sleep = backend.sleep

    def connect_tcp(self, *arguments: Any, **options: Any) -> "_Stream":
        return _Stream(self._backend.connect_tcp(*arguments, **options))

    def connect_unix_socket(self, *arguments: Any, **options: Any) -> "_Stream":
        return _Stream(self._backend.connect_unix_socket(*arguments, **options))


class _Stream:
    """A network stream of httpcore.

    After a write, ``read`` looks at what comes. When the headers are complete, ``read``
    is the stream's own, so that the body is read as fast as without.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        # What came since the last informational response; None before the first read.
        self._head: bytearray | None = None
        self._until = float("inf")
        self.close = stream.close
        self.get_extra_info = stream.get_extra_info
        self._read_body: _Read = stream.read

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._head = None
        vars(self).pop("read", None)
        self._stream.write(buffer, timeout)

    def start_tls(self, *arguments: Any, **options: Any) -> "_Stream":
        return _Stream(self._stream.start_tls(*arguments, **options))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        head = self._head
        if head is None:
            self._head = head = bytearray()
            self._until = time.monotonic() + (timeout or float("inf"))
        elif timeout is not None:
            timeout = self._until - time.monotonic()
            if timeout <= 0:
                raise TimeoutError
        data = self._read_body(max_bytes, timeout)
        if _completes(head, data):
            vars(self)["read"] = self._read_body
        return data


def _completes(head: bytearray, data: bytes) -> bool:
    """Add what was read to a head, and return whether the head of a response is there.

    Informational responses before it are removed.
    """
    begin = max(0, len(head) + 1 - _MAX_END)
    head += data
    while end := _END.search(head, begin):
        if not head.startswith(_INFORMATIONAL):
            return True
        del head[: end.end()]
        begin = 0
    return False
