"""The parts of a run: files of lines, within the limits of the service."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from modelstudio_core.batches.directory import RunDirectory, open_private, sync_file
from modelstudio_core.batches.lines import index_of
from modelstudio_core.batches.records import Manifest, PartState
from modelstudio_core.catalog import BATCH_TEST_MODEL
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.json_values import load, object_of

__all__ = [
    "Limits",
    "check_part",
    "digest_lines",
    "indices_of",
    "limits_of",
    "read_lines",
    "select_lines",
    "write_parts",
]

_BUFFER_BYTES: Final = 2**20
# Ten times that of a request.
_MAX_LINE_BYTES: Final = 2**26
# What a file of a part is called where it is wrong.
_CHANGED: Final = (
    "{path} is not the file that was prepared: it was changed, or is damaged. Nothing"
    " of it was sent. Prepare the run again in a new directory."
)
_UNREADABLE: Final = (
    "{path} cannot be read: it was changed, removed or damaged. Restore it; if it holds"
    " results, remove it and call collect(), which downloads it again."
)


class Limits(NamedTuple):
    """The most that one file of a batch may have.

    Attributes:
        rows: Lines.
        size: Bytes.
    """

    rows: int
    size: int


# "OpenAI compatible - Batch", 2026-11-27.
_LIMITS: Final = Limits(50_000, 500_000_000)
_TEST_LIMITS: Final = Limits(100, 1_000_000)


def limits_of(model: str) -> Limits:
    """Return the limits of a file for a model."""
    return _TEST_LIMITS if model == BATCH_TEST_MODEL else _LIMITS


def digest_lines(lines: Iterable[bytes]) -> tuple[str, int]:
    """Return the SHA-256 of lines, and how many there are, without writing them."""
    digest, rows = hashlib.sha256(), 0
    for line in lines:
        digest.update(line)
        rows += 1
    return digest.hexdigest(), rows


class Written(NamedTuple):
    """What was written.

    Attributes:
        parts: The parts.
        digest: The SHA-256 of all lines.
    """

    parts: list[PartState]
    digest: str

    @property
    def rows(self) -> int:
        """How many lines there are."""
        return sum(part.rows for part in self.parts)


def write_parts(
    directory: RunDirectory,
    lines: Iterable[bytes],
    limits: Limits,
    *,
    number: int = 1,
    consecutive: bool = True,
) -> Written:
    """Write lines to files that each fit into one batch, as they come.

    Args:
        directory: The directory of the run.
        lines: The lines. One that is longer than a file may be is not among them.
        limits: The limits of a file.
        number: The number of the first part.
        consecutive: Whether the rows of the lines follow each other, from 0.

    Returns:
        The parts, which are on the disk.
    """
    run_digest = hashlib.sha256()
    parts: list[PartState] = []
    rest = iter(lines)
    line = next(rest, None)
    first = 0
    while line is not None:
        digest = hashlib.sha256()
        rows = size = 0
        path = directory.lines(number + len(parts))
        if len(line) > limits.size:
            raise ConfigurationError(
                f"inputs[{index_of(line)}]: its line has {len(line):,} bytes, and a"
                f" file of this model has at most {limits.size:,}."
            )
        with open_private(path, "wb") as file:
            pending = bytearray()
            while (
                line is not None
                and rows < limits.rows
                and size + len(line) <= limits.size
            ):
                pending += line
                rows += 1
                size += len(line)
                if len(pending) >= _BUFFER_BYTES:
                    _flush(pending, file, digest, run_digest)
                line = next(rest, None)
            _flush(pending, file, digest, run_digest)
        sync_file(path)
        parts.append(
            PartState(
                number=number + len(parts),
                first=first if consecutive else None,
                rows=rows,
                size=size,
                sha256=digest.hexdigest(),
            )
        )
        first += rows
    return Written(parts, run_digest.hexdigest())


def _flush(pending: bytearray, file: Any, *digests: Any) -> None:
    file.write(pending)
    for digest in digests:
        digest.update(pending)
    pending.clear()


def check_part(directory: RunDirectory, manifest: Manifest, part: PartState) -> None:
    """Check a file before it is sent: that it is what was prepared.

    The lines of a file are read like any other request: the policy of the process is
    about the model that they name, not about what the manifest says.

    Args:
        directory: The directory of the run.
        manifest: The manifest of the run.
        part: The part.

    Raises:
        ConfigurationError: The file was changed, or its lines are for another model or
            endpoint.
    """
    path = directory.lines(part.number)
    digest, rows = hashlib.sha256(), 0
    is_valid = True
    for line in read_lines(path):
        digest.update(line)
        rows += 1
        is_valid = is_valid and _is_for(line, manifest)
    if not is_valid or rows != part.rows or digest.hexdigest() != part.sha256:
        raise ConfigurationError(_CHANGED.format(path=repr(str(path))))


def _is_for(line: bytes, manifest: Manifest) -> bool:
    try:
        value = load(line)
    except ValueError:
        return False
    fields = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return (
        object_of(fields, "body").get("model") == manifest.model
        and fields.get("url") == manifest.endpoint
        and fields.get("method") == "POST"
    )


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file; one that no answer can have comes in pieces.

    Raises:
        ConfigurationError: It cannot be read.
    """
    try:
        with path.open("rb", buffering=_BUFFER_BYTES) as file:
            yield from iter(partial(file.readline, _MAX_LINE_BYTES), b"")
    except OSError:
        raise _unreadable(path) from None


def _unreadable(path: Path) -> ConfigurationError:
    return ConfigurationError(_UNREADABLE.format(path=repr(str(path))))


def _index_in(path: Path, line: bytes) -> int:
    try:
        return index_of(line)
    except ValueError:
        raise _unreadable(path) from None


def indices_of(directory: RunDirectory, part: PartState) -> Iterable[int]:
    """Return the indices of the rows of a part, in the order of its lines.

    Args:
        directory: The directory of the run.
        part: The part.

    Raises:
        ConfigurationError: The file that has them is not what was prepared.
    """
    if part.first is not None:
        return range(part.first, part.first + part.rows)
    path, rows = directory.lines(part.number), directory.read_manifest().rows
    indices = [_index_in(path, line) for line in read_lines(path)]
    if len(indices) != part.rows or not all(0 <= index < rows for index in indices):
        raise _unreadable(path)
    return indices


def select_lines(
    directory: RunDirectory, parts: Iterable[PartState], rows: Mapping[int, object]
) -> Iterator[bytes]:
    """Yield the lines of some rows, each once, in the order of the rows.

    Args:
        directory: The directory of the run.
        parts: The parts of the run; those with consecutive rows have all rows.
        rows: The indices of the rows.

    Raises:
        ConfigurationError: A file is not what was prepared.
    """
    for part in parts:
        if part.first is None:
            continue
        path, digest = directory.lines(part.number), hashlib.sha256()
        for line in read_lines(path):
            digest.update(line)
            if _index_in(path, line) in rows:
                yield line
        if digest.hexdigest() != part.sha256:
            raise _unreadable(path)
