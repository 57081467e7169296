"""A time limit for the headers of a response over a sync client.

The read timeout begins anew with every byte, so that informational responses (1xx),
which come before a response, can keep a request for ever. The network stream of
httpcore is the only place where a sync client sees them. Without this module, the read
timeout alone limits the wait.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from modelstudio_core.foreign.fast_path import FastPath

__all__ = ["LIMITED_HEADS", "limit_heads"]

LIMITED_HEADS: Final = FastPath(
    "the time limit for informational responses", is_guard=True
)
_INFORMATIONAL: Final = (b"HTTP/1.1 1", b"HTTP/1.0 1")
_Read = Callable[[int, float | None], bytes]


def limit_heads(client: object) -> None:
    """Limit how long informational responses can delay the response to a request.

    Args:
        client: A sync client of httpx or httpx2. They may take as long as a read.
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

    After a write, ``read`` looks at what comes. As soon as that is not informational,
    ``read`` is the stream's own, so that the body is read as fast as without.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._until: float | None = None
        self.close = stream.close
        self.get_extra_info = stream.get_extra_info
        self._read_body: _Read = stream.read

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._until = None
        vars(self).pop("read", None)
        self._stream.write(buffer, timeout)

    def start_tls(self, *arguments: Any, **options: Any) -> "_Stream":
        return _Stream(self._stream.start_tls(*arguments, **options))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._read_body(max_bytes, timeout)
        if self._until is None and not data.startswith(_INFORMATIONAL):
            vars(self)["read"] = self._read_body
        elif self._until is None:
            self._until = time.monotonic() + (timeout or float("inf"))
        elif time.monotonic() > self._until:
            raise TimeoutError
        elif not any(start in data for start in _INFORMATIONAL):
            vars(self)["read"] = self._read_body
        return data
