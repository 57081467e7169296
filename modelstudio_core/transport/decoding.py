"""Bodies with a content encoding, decoded in pieces of a bounded size.

A compressed body can be a thousand times larger than what is sent, and the HTTP
libraries decode each piece of it in one step. Here memory stays flat.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Final

__all__ = [
    "ACCEPTED",
    "BodyTooLargeError",
    "Decode",
    "UnknownEncodingError",
    "decoder_for",
]

# What is asked for. Other encodings cannot be decoded in pieces of a bounded size.
ACCEPTED: Final = "gzip, deflate"
_PIECE: Final = 2**16
_GZIP_OR_ZLIB: Final = zlib.MAX_WBITS | 32
# After so many it is known whether there is a header of gzip or zlib.
_HEADER_BYTES: Final = 2
_NAMES: Final = frozenset({"gzip", "x-gzip", "deflate"})
# More than one is unusual; each one multiplies the work.
_MAX_ENCODINGS: Final = 2

Decode = Callable[[bytes], Iterator[bytes]]


class BodyTooLargeError(Exception):
    """A body is larger than the limit."""


class UnknownEncodingError(Exception):
    """A body has a content encoding that was not asked for."""


def decoder_for(encoding: str, limit: int | None) -> Decode | None:
    """Return a function that decodes the next bytes of a body; None for no encoding.

    Args:
        encoding: The ``Content-Encoding`` header.
        limit: How many bytes may be received, and how many each step may decode to.
            None for no limit.

    Raises:
        UnknownEncodingError: The encoding cannot be decoded.

    Example:
        >>> decode = decoder_for("gzip", None)
        >>> import gzip
        >>> b"".join(decode(gzip.compress(b"text")))
        b'text'
    """
    names = [name.strip().casefold() for name in encoding.split(",")]
    names = [name for name in names if name not in {"", "identity"}]
    if not names:
        return None
    if len(names) > _MAX_ENCODINGS or not _NAMES.issuperset(names):
        raise UnknownEncodingError
    first, *rest = [_Inflater(limit) for _ in names]
    return first if not rest else _chain(first, rest[0])


def _chain(first: Decode, second: Decode) -> Decode:
    def decode(data: bytes) -> Iterator[bytes]:
        for piece in first(data):
            yield from second(piece)

    return decode


class _Inflater:
    """Decodes gzip, zlib and raw deflate. Bytes after the end are ignored."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._received = 0
        self._decompress = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._head = b""
        self._is_first = True

    def __call__(self, data: bytes) -> Iterator[bytes]:
        self._received += len(data)
        if self._limit is not None and self._received > self._limit:
            raise BodyTooLargeError
        if self._is_first:
            data = self._head + data
            if len(data) < _HEADER_BYTES:
                self._head = data
                return
        while data and not self._decompress.eof:
            if piece := self._step(data):
                yield piece
            data = self._decompress.unconsumed_tail

    def _step(self, data: bytes) -> bytes:
        is_first, self._is_first = self._is_first, False
        try:
            return self._decompress.decompress(data, _PIECE)
        except zlib.error:
            if not is_first:
                raise
        # Some servers send "deflate" without the header of zlib.
        self._decompress = zlib.decompressobj(-zlib.MAX_WBITS)
        return self._decompress.decompress(data, _PIECE)
