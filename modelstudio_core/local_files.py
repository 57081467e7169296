"""Files on this machine that a message names: where they are, and their bytes.

Nothing here uses the network. The functions that touch the disk block: asynchronous
code calls them in a thread.
"""

import base64
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Literal
from urllib.parse import unquote
from urllib.request import url2pathname

from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.media_types import (
    HEAD_BYTES,
    MediaKind,
    kind_of,
    mime_type_of_bytes,
    mime_type_of_name,
    normalize_mime_type,
    split_url,
)

__all__ = [
    "TEMPORARY",
    "FileContent",
    "LocalFile",
    "inspect_file",
    "is_local",
    "open_file",
    "parse_local",
    "read_data_url",
    "read_text",
]

# How an address in the temporary storage of Model Studio begins.
TEMPORARY: Final = "oss://"
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
# Linux and macOS only: a FIFO is opened without waiting for a writer.
_NONBLOCK: Final[int] = getattr(os, "O_NONBLOCK", 0)
_NOFOLLOW: Final[int] = getattr(os, "O_NOFOLLOW", 0)
_BINARY: Final[int] = getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine, in the place of a URL in a message.

    Attributes:
        path: Where it is.
        kind: What the message says that it is; ``"text"`` for a document whose text is
            sent.
        mime_type: Its MIME type, if that is given.
        is_explicit: Whether the caller's code named the file in a field for paths, and
            not an address in a message: then a symbolic link is followed, and the type
            of its bytes need not be recognized.
    """

    path: Path
    kind: MediaKind | Literal["text"]
    mime_type: str | None = None
    is_explicit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """A file as it was when it was inspected.

    Attributes:
        path: Where it is.
        mime_type: Its MIME type.
        size: How many bytes it has.
        identity: Numbers that change when the file is replaced or written.
        follow: Whether a symbolic link is followed.
    """

    path: Path
    mime_type: str
    size: int
    identity: tuple[int, ...] = ()
    follow: bool = field(default=False, compare=False)


def is_local(address: str) -> bool:
    """Return whether an address is a path or a ``file:`` URL.

    Example:
        >>> is_local("photo.png"), is_local("file:///tmp/a.png")
        (True, True)
        >>> is_local("https://example.com/a.png"), is_local("data:image/png;base64,")
        (False, False)
    """
    match = _SCHEME.match(address)
    return match is None or match[1].lower() == "file"


def parse_local(address: str, kind: MediaKind) -> LocalFile:
    """Return the file that a path or a ``file:`` URL in a message names.

    Args:
        address: The path or the URL.
        kind: What the message says that it is.

    Raises:
        ConfigurationError: The address is not a path on this machine.
    """
    path = address
    if _SCHEME.match(address):
        parts = split_url(address)
        if parts.netloc not in {"", "localhost"}:
            raise ConfigurationError(
                f"{address!r:.200} names a file on another machine: pass a path on this"
                " one."
            )
        path = url2pathname(parts.path) if os.name == "nt" else unquote(parts.path)
    if not path or "\0" in path:
        raise ConfigurationError(f"{address!r:.200} is not the path of a file.")
    return LocalFile(Path(path), kind)


def open_file(path: Path, *, follow: bool) -> BinaryIO:
    """Open a regular file for reading.

    Args:
        path: Where it is.
        follow: Whether a symbolic link is followed.

    Raises:
        ConfigurationError: It is missing, cannot be read, or is not a regular file.
    """
    flags = os.O_RDONLY | _NONBLOCK | _BINARY | (0 if follow else _NOFOLLOW)
    try:
        is_link = not follow and path.is_symlink()
        descriptor = -1 if is_link else os.open(path, flags)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        # A path may be base64 text by mistake.
        raise ConfigurationError(f"Cannot read {str(path)!r:.300}: {reason}.") from None
    if is_link:
        raise ConfigurationError(
            f"{str(path)!r} is a symbolic link: pass the path of the file itself."
        )
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ConfigurationError(f"{str(path)!r} is not a regular file.")
    return os.fdopen(descriptor, "rb")


def inspect_file(file: LocalFile) -> FileContent:
    """Return the type and the size of a file; it must be what the message says.

    Raises:
        ConfigurationError: It cannot be read, is empty, or is of another kind.
    """
    path = file.path
    with open_file(path, follow=file.is_explicit) as opened:
        head = opened.read(HEAD_BYTES)
        status = os.fstat(opened.fileno())
    if not status.st_size:
        raise ConfigurationError(f"{str(path)!r} is empty.")
    return FileContent(
        path=path,
        mime_type=_mime_type(file, head),
        size=status.st_size,
        identity=(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns),
        follow=file.is_explicit,
    )


def _mime_type(file: LocalFile, head: bytes) -> str:
    """Return the MIME type of a file; empty if nothing shows it.

    An address in a message must not send any file under the name of an image: its first
    bytes must be those of its kind.
    """
    kind = file.kind
    if kind == "text":
        return "text/plain"
    found = mime_type_of_bytes(head, kind)
    if found is None and file.is_explicit:
        found = file.mime_type or mime_type_of_name(file.path.name) or ""
    if found is None or (found and kind_of(found) != kind):
        article = "an" if kind in {"image", "audio"} else "a"
        raise ConfigurationError(
            f"{str(file.path)!r} is not {article} {kind} file: its first bytes show"
            f" {found or 'no known type'}."
        )
    return normalize_mime_type(found)


def read_data_url(content: FileContent) -> str:
    """Read a file as a ``data:`` URL.

    Args:
        content: The file that ``inspect_file`` returned.

    Raises:
        ConfigurationError: It cannot be read any more, or has changed.
    """
    data = base64.b64encode(_read(content)).decode()
    return f"data:{content.mime_type};base64,{data}"


def read_text(content: FileContent) -> str:
    """Read a file as text in UTF-8.

    Args:
        content: The file that ``inspect_file`` returned.

    Raises:
        ConfigurationError: It cannot be read any more, has changed, or is not text.
    """
    try:
        return _read(content).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"{str(content.path)!r} is not text in UTF-8."
        ) from None


def _read(content: FileContent) -> bytes:
    with open_file(content.path, follow=content.follow) as opened:
        data = opened.read(content.size + 1)
    if len(data) != content.size:
        raise ConfigurationError(f"{str(content.path)!r} changed while it was read.")
    return data
