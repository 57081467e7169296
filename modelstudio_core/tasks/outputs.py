"""What a task made, and its files on this machine."""

import asyncio
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import Any, Final

from modelstudio_core.errors import (
    APIStatusError,
    ConfigurationError,
    ModelStudioError,
    ModelStudioWarning,
)
from modelstudio_core.tasks.answers import (
    Observation,
    TaskFile,
    find_files,
    find_text,
)
from modelstudio_core.tasks.explain import explain
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import adownload, download
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.user_warnings import warn_user
from modelstudio_core.wire.json_values import object_of
from modelstudio_core.wire.media_types import mime_type_of_name, split_url
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["TaskResult", "make_folder", "read_result"]

_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,5}")
_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")
_GONE: Final = frozenset({403, 404})
_INSECURE, _SECURE = "http://", "https://"


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """What a task made.

    Attributes:
        task_id: The id of the task.
        files: The files, in their order. Of a task that succeeded some may have failed:
            these have an ``error`` and no ``url``.
        text: The text of a recognition, or of an answer with text between images.
        usage: What is paid for, as the service counts it.
        raw: The body of the answer.

    Example:
        >>> from modelstudio_core import tasks
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio:
        ...     task = tasks.submit(
        ...         model="wan2.6-t2i",
        ...         prompt="A flower shop",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     result = task.result(poll_interval=0.01)
        >>> [file.error for file in result.files]
        [None]
    """

    task_id: str
    files: tuple[TaskFile, ...]
    text: str
    usage: Mapping[str, Any]
    raw: Mapping[str, Any]
    _connection: Connection = field(repr=False, compare=False)
    _context: ErrorContext = field(repr=False, compare=False)

    def download(self, directory: str | Path) -> list[Path]:
        """Fetch the files over https, without the key, to a folder.

        The names are made of the task's id and the number of the file. A file that is
        complete already is not fetched again. A failed download never creates a task:
        call it again, within the 24 hours for which the addresses work.

        Args:
            directory: The folder, which is made if it is missing.

        Returns:
            The paths of the files that did not fail, in their order.

        Raises:
            ConfigurationError: The folder cannot be made, a file cannot be written, or
                an address is not one of Alibaba Cloud.
            APIError: A file could not be fetched.

        Example:
            >>> from modelstudio_core import tasks
            >>> task = tasks.submit(model="wan2.6-t2i", prompt="A")  # doctest: +SKIP
            >>> task.result().download("images")  # doctest: +SKIP
        """
        folder = make_folder(directory)
        paths: list[Path] = []
        for file, request, path in self._downloads(folder):
            if not path.exists():
                with self._saving(file, folder):
                    download(self._connection, request, path, self._context)
            paths.append(path)
        return paths

    async def adownload(self, directory: str | Path) -> list[Path]:
        """Async version of ``download``."""
        folder = await asyncio.to_thread(make_folder, directory)
        paths: list[Path] = []
        for file, request, path in self._downloads(folder):
            if not await asyncio.to_thread(path.exists):
                with self._saving(file, folder):
                    await adownload(self._connection, request, path, self._context)
            paths.append(path)
        return paths

    @contextmanager
    def _saving(self, file: TaskFile, folder: Path) -> Generator[None]:
        """Name the task in an error: it is done, whatever becomes of its files."""
        failures: list[ModelStudioError] = []
        try:
            yield
        except ModelStudioError as error:
            failures.append(error)
        except OSError as error:
            failures.append(_unusable(folder, error))
        if failures:
            failure = failures.pop()
            if isinstance(failure, APIStatusError):
                _explain_end(failure, file)
            explain(failure, f"Task {self.task_id} is done: download its files again.")
            raise failure

    def _downloads(self, folder: Path) -> Iterator[tuple[TaskFile, HttpRequest, Path]]:
        # Nothing of a name is from the service but a suffix that is known.
        stem = _NAME.sub("-", self.task_id)[:80]
        for number, file in enumerate(self.files, 1):
            if file.url is None:
                continue
            path = folder / f"{stem}-{number}{_suffix(file.url)}"
            yield file, HttpRequest(url=self._secure(file.url), method="GET"), path

    def _secure(self, url: str) -> str:
        is_http = url.startswith(_INSECURE)
        if is_http and not self._connection.endpoint.is_loopback:
            return _SECURE + url.removeprefix(_INSECURE)
        return url


def read_result(
    seen: Observation, connection: Connection, context: ErrorContext
) -> TaskResult:
    """Read the result of a task that succeeded, or of a call answered at once.

    Args:
        seen: What the service answered.
        connection: How to reach the service.
        context: The facts of the request that errors report.
    """
    files = find_files(seen.body, seen.ended_at or datetime.now(UTC))
    text = find_text(seen.body)
    if not files and not text:
        warn_user(
            f"The result of task {seen.id} has no file in a place that is known: read"
            " it from raw.",
            ModelStudioWarning,
        )
    return TaskResult(
        task_id=seen.id,
        files=files,
        text=text,
        usage=object_of(seen.body, "usage"),
        raw=seen.body,
        _connection=connection,
        _context=context,
    )


def make_folder(directory: str | Path) -> Path:
    """Make the folder of files, with those above it, and write to it for a moment.

    Args:
        directory: The folder.

    Raises:
        ConfigurationError: It cannot be made, or files cannot be written to it.
    """
    # What a caller without types passes.
    given: object = directory
    if not isinstance(given, str | Path) or "\0" in str(given):
        raise ConfigurationError(f"directory must be a path, got {given!r:.80}.")
    folder = Path(given)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, prefix=".modelstudio-"):
            pass
    except OSError as error:
        raise _unusable(folder, error) from None
    return folder


def _unusable(folder: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"directory {str(folder)!r:.300} cannot be made, or files cannot be written to"
        f" it: {error.strerror or type(error).__name__}."
    )


def _suffix(url: str) -> str:
    name = PurePosixPath(split_url(url).path).name
    suffix = PurePosixPath(name).suffix
    is_known = _SUFFIX.fullmatch(suffix) and mime_type_of_name(name)
    return suffix.lower() if is_known else ""


def _explain_end(error: APIStatusError, file: TaskFile) -> None:
    """Say in an error that the address of a file does not work any more."""
    expires_at = file.expires_at
    if error.status_code in _GONE and expires_at is not None:
        ended = "stopped" if datetime.now(UTC) >= expires_at else "stops"
        explain(
            error,
            f"The address of the file {ended} working at {expires_at:%Y-%m-%d %H:%M}"
            " UTC, 24 hours after the task ended.",
        )
