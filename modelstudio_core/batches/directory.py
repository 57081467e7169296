"""The directory of a run: its files, written atomically, and its lock."""

import json
import os
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, cast

from modelstudio_core.batches.records import Manifest, PartState
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.json_values import objects_of

__all__ = ["RunDirectory", "open_private", "sync_file", "write_file"]

_MANIFEST: Final = "manifest.json"
_STATE: Final = "state.json"
_LOCK: Final = "lock"
_IGNORE: Final = ".gitignore"
_PRIVATE_DIRECTORY, _PRIVATE_FILE = 0o700, 0o600


class RunDirectory:
    """The directory of a run. Only its owner can read it.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Set where it is; nothing is read or written.

        Args:
            path: The path of the directory.

        Raises:
            ConfigurationError: It is no path.
        """
        # What a caller without types passes.
        given: object = path
        if not isinstance(given, str | os.PathLike) or "\0" in str(path):
            raise ConfigurationError(
                f"directory must be the path of a directory, got {given!r:.80}."
            )
        self.path = Path(path)

    @property
    def has_run(self) -> bool:
        """Whether it holds a run that was prepared to the end."""
        return (self.path / _MANIFEST).exists()

    def create(self) -> None:
        """Create the directory, or use one that an interrupted ``prepare`` left.

        Raises:
            ConfigurationError: It cannot be created, or it holds other files.
        """
        try:
            self.path.mkdir(mode=_PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            others = sorted(
                entry.name
                for entry in self.path.iterdir()
                if entry.name not in {_IGNORE, _LOCK, _STATE}
                and not entry.name.startswith("part-")
            )
            if others and not self.has_run:
                raise ConfigurationError(
                    f"{str(self.path)!r} is not empty: it holds {others[0]!r}, and no"
                    " run. Choose an empty or a new directory."
                )
            self.path.chmod(_PRIVATE_DIRECTORY)
            if not (self.path / _IGNORE).exists():
                write_file(self.path / _IGNORE, b"*\n")
        except OSError as error:
            raise ConfigurationError(
                f"The directory {str(self.path)!r} cannot be used:"
                f" {error.strerror or error}."
            ) from None

    # --- Files ------------------------------------------------------------------------

    def lines(self, number: int) -> Path:
        """Return the path of the lines of a part."""
        return self.path / f"part-{number:04d}.jsonl"

    def answers(self, number: int) -> Path:
        """Return the path of the answers of a part."""
        return self.path / f"part-{number:04d}.output.jsonl"

    def errors(self, number: int) -> Path:
        """Return the path of the errors of a part."""
        return self.path / f"part-{number:04d}.errors.jsonl"

    def write_manifest(self, manifest: Manifest) -> None:
        """Write the manifest: from then on the directory holds a run."""
        write_file(self.path / _MANIFEST, _json(manifest.to_json()))

    def read_manifest(self) -> Manifest:
        """Read the manifest.

        Raises:
            ConfigurationError: There is none, or it cannot be read.
        """
        if not self.has_run:
            raise ConfigurationError(
                f"{str(self.path)!r} holds no run: prepare one with BatchRun.prepare."
            )
        return Manifest.from_json(self._read(_MANIFEST))

    def write_parts(self, parts: Sequence[PartState]) -> None:
        """Write the state of all parts."""
        write_file(
            self.path / _STATE, _json({"parts": [part.to_json() for part in parts]})
        )

    def read_parts(self) -> list[PartState]:
        """Read the state of all parts.

        Raises:
            ConfigurationError: It cannot be read, or it is not that of this run.
        """
        found = objects_of(self._read(_STATE), "parts")
        parts = [PartState.from_json(part) for part in found]
        rows = 0
        for number, part in enumerate(parts, 1):
            if part.number != number or part.first not in {None, rows}:
                raise self._damaged(_STATE)
            rows += part.rows if part.first is not None else 0
        if rows != self.read_manifest().rows:
            raise self._damaged(_STATE)
        return parts

    def remove_parts(self) -> None:
        """Remove what an interrupted ``prepare`` left."""
        for path in self.path.glob("part-*"):
            path.unlink(missing_ok=True)

    def _read(self, name: str) -> Mapping[str, Any]:
        try:
            value = json.loads((self.path / name).read_bytes())
        except (OSError, ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise self._damaged(name)
        return cast("Mapping[str, Any]", value)

    def _damaged(self, name: str) -> ConfigurationError:
        path = str(self.path / name)
        return ConfigurationError(f"{path!r} cannot be read: it is damaged.")

    # --- The lock ---------------------------------------------------------------------

    @contextmanager
    def locked(self) -> Generator[None]:
        """Hold the lock of the run. It is gone with the process that holds it.

        Raises:
            ConfigurationError: Another process, thread or task holds it, or the
                directory cannot be written to.
        """
        try:
            file = open_private(self.path / _LOCK, "ab")
        except OSError as error:
            raise ConfigurationError(
                f"The run in {str(self.path)!r} cannot be used: its directory was"
                f" removed, or cannot be written to ({error.strerror or error})."
            ) from None
        try:
            if not _try_lock(file):
                raise ConfigurationError(
                    f"The run in {str(self.path)!r} is in use: another process, thread"
                    " or task works on it. Wait until it is done."
                )
            yield
        finally:
            # A lock ends when its file is closed.
            file.close()


def _json(value: object) -> bytes:
    return f"{json.dumps(value, ensure_ascii=False, indent=1)}\n".encode()


def open_private(path: Path, mode: str) -> IO[bytes]:
    """Open a file that only its owner can read.

    Args:
        path: Where it is, or will be.
        mode: The mode of the built-in ``open``.
    """

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, _PRIVATE_FILE)

    return cast("IO[bytes]", open(path, mode, opener=opener))


def write_file(path: Path, content: bytes) -> None:
    """Write a file so that it has its old or its new content, whatever happens.

    Args:
        path: Where it is, or will be.
        content: Its new content.
    """
    descriptor, name = tempfile.mkstemp(
        dir=path.parent, prefix=f"part-tmp-{path.name}."
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    _sync_directory(path.parent)


def sync_file(path: Path) -> None:
    """Wait until the content of a file, and its name, are on the disk.

    Args:
        path: Where it is.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    if os.name != "nt":
        # Windows cannot open a directory.
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


if os.name == "nt":

    def _try_lock(file: IO[bytes]) -> bool:
        import msvcrt  # noqa: PLC0415 - on Windows only

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True

else:

    def _try_lock(file: IO[bytes]) -> bool:
        import fcntl  # noqa: PLC0415 - on Unix only

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
