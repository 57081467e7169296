"""Bodies with a content encoding: each one, however it is cut, and within a limit."""

import gzip
import zlib
from collections.abc import Callable, Iterable
from typing import Final

import pytest

from modelstudio_core.transport.decoding import (
    BodyTooLargeError,
    UnknownEncodingError,
    decoder_for,
)

TEXT: Final = bytes(range(256)) * 40


def raw_deflate(data: bytes) -> bytes:
    """Return deflate without the header of zlib, as some servers send it."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


Compress = Callable[[bytes], bytes]
ENCODED: Final[dict[str, tuple[str, Compress]]] = {
    "gzip": ("gzip", gzip.compress),
    "gzip under its old name": ("x-gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without its header": ("deflate", raw_deflate),
    "another spelling": (" identity ,GZIP", gzip.compress),
    "two encodings": ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
}


def decoded(encoding: str, pieces: Iterable[bytes], limit: int | None = None) -> bytes:
    """Return the body that arrives in pieces."""
    decode = decoder_for(encoding, limit)
    assert decode is not None
    return b"".join(part for piece in pieces for part in decode(piece))


@pytest.mark.parametrize("encoding", ["", "identity", " Identity , "])
def test_no_encoding_needs_no_decoder(encoding: str) -> None:
    assert decoder_for(encoding, None) is None


@pytest.mark.parametrize(("encoding", "compress"), ENCODED.values(), ids=ENCODED)
def test_a_body_is_decoded_however_it_is_cut(encoding: str, compress: Compress) -> None:
    data = compress(TEXT)
    assert decoded(encoding, [data]) == TEXT
    for size in (1, 2, 3, 100, 2048):
        cut = [data[at : at + size] for at in range(0, len(data), size)]
        assert decoded(encoding, cut) == TEXT


@pytest.mark.parametrize(("encoding", "compress"), ENCODED.values(), ids=ENCODED)
def test_what_follows_the_end_is_ignored(encoding: str, compress: Compress) -> None:
    data = compress(TEXT)
    assert decoded(encoding, [data + b"more", b"and more"]) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_what_is_not_encoded_is_an_error(encoding: str) -> None:
    with pytest.raises(zlib.error):
        decoded(encoding, [b"\xff plain text"])


@pytest.mark.parametrize(
    "form",
    [zlib.MAX_WBITS + 16, zlib.MAX_WBITS, -zlib.MAX_WBITS],
    ids=["gzip", "zlib", "raw deflate"],
)
def test_a_body_that_is_damaged_after_its_beginning_is_an_error(form: int) -> None:
    compressor = zlib.compressobj(wbits=form)
    begin = compressor.compress(TEXT) + compressor.flush(zlib.Z_SYNC_FLUSH)
    decode = decoder_for("deflate", None)
    assert decode is not None
    assert b"".join(decode(begin)) == TEXT
    with pytest.raises(zlib.error):
        list(decode(b"\xff no block begins so"))


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "gzip, gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_an_error(encoding: str) -> None:
    with pytest.raises(UnknownEncodingError):
        decoder_for(encoding, None)


@pytest.mark.parametrize(("encoding", "compress"), ENCODED.values(), ids=ENCODED)
def test_a_small_body_that_decodes_to_a_large_one_comes_in_small_pieces(
    encoding: str, compress: Compress
) -> None:
    decode = decoder_for(encoding, None)
    assert decode is not None
    sizes = [len(part) for part in decode(compress(bytes(10**6)))]
    assert sum(sizes) == 10**6
    assert 0 < min(sizes) <= max(sizes) <= 2**16


def test_no_more_than_the_limit_is_received() -> None:
    """In all pieces together, and for what each encoding receives."""
    data = gzip.compress(TEXT)
    halves = [data[:100], data[100:]]
    assert decoded("gzip", halves, len(data)) == TEXT
    with pytest.raises(BodyTooLargeError):
        decoded("gzip", halves, len(data) - 1)
    twice = gzip.compress(gzip.compress(bytes(10**6)))
    assert len(twice) < 500
    with pytest.raises(BodyTooLargeError):
        decoded("gzip, gzip", [twice], 500)
