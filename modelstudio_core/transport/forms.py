"""Multipart forms whose files are read from disk while they are sent."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Final

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.local_files import FileContent, open_file
from modelstudio_core.transport.requests import Upload
from modelstudio_core.transport.threads import finish_in_thread

__all__ = ["MultipartForm"]

_CHUNK_BYTES: Final = 2**18
_END: Final = b"\r\n"
_ESCAPED: Final = {'"': "%22", "\r": "%0D", "\n": "%0A"}


@dataclass(frozen=True, slots=True)
class MultipartForm:
    """The body of a request with files. It can be sent any number of times.

    Attributes:
        pieces: The bytes and the files that follow each other in the body.
        boundary: The text between two parts.
    """

    pieces: Sequence[bytes | FileContent]
    boundary: str

    @classmethod
    def build(cls, parts: Sequence[Upload]) -> "MultipartForm":
        """Build the form of some parts.

        Args:
            parts: The fields and files, in the order in which they are sent.
        """
        boundary = secrets.token_hex(16)
        pieces: list[bytes | FileContent] = []
        for part in parts:
            pieces += [_head(part, boundary), part.content, _END]
        pieces.append(f"--{boundary}--\r\n".encode())
        return cls(pieces, boundary)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the body; file storages refuse one of unknown length."""
        sizes = (len(p) if isinstance(p, bytes) else p.size for p in self.pieces)
        return {
            "Content-Type": f"multipart/form-data; boundary={self.boundary}",
            "Content-Length": str(sum(sizes)),
        }

    def chunks(self) -> Generator[bytes]:
        """Yield the body.

        Raises:
            ConfigurationError: A file is missing, or its size has changed.
        """
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            left = piece.size
            with open_file(piece.path, follow=piece.follow) as file:
                while chunk := _read(file, left, piece):
                    left -= len(chunk)
                    yield chunk

    async def achunks(self) -> AsyncGenerator[bytes]:
        """Async version of ``chunks``: files are read in a thread."""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            left = piece.size
            opening = partial(open_file, piece.path, follow=piece.follow)
            file = await finish_in_thread(opening, lambda file: file.close())
            try:
                while chunk := await asyncio.to_thread(_read, file, left, piece):
                    left -= len(chunk)
                    yield chunk
            finally:
                with suppress(OSError):
                    file.close()


def _read(file: BinaryIO, left: int, content: FileContent) -> bytes:
    """Read the next bytes of a file: no more and no fewer than were announced."""
    chunk = file.read(min(left, _CHUNK_BYTES) or 1)
    if bool(chunk) != bool(left):
        raise ConfigurationError(f"{str(content.path)!r} changed while it was sent.")
    return chunk


def _head(part: Upload, boundary: str) -> bytes:
    disposition = f'form-data; name="{_escape(part.name)}"'
    if part.filename is not None:
        disposition += f'; filename="{_escape(part.filename)}"'
    lines = [f"--{boundary}", f"Content-Disposition: {disposition}"]
    if part.content_type or part.filename is not None:
        lines.append(f"Content-Type: {part.content_type or 'application/octet-stream'}")
    return "\r\n".join([*lines, "", ""]).encode()


def _escape(name: str) -> str:
    """Escape a name in a header as browsers do (HTML standard, form submission)."""
    return "".join(_ESCAPED.get(character, character) for character in name)
