"""Files of batches in the storage of Model Studio: upload, list, download, delete.

They are not the temporary storage, which holds media of messages for 48 hours: these
files stay until they are deleted. The storage holds 10,000 files and 100 GB. Sources:
the official pages "OpenAI compatible - File" and "OpenAI compatible - Batch" (read
2026-11-27).

Example:
    >>> from modelstudio_core.connection_checks import resolve_connection
    >>> from modelstudio_core.emulator import Emulator
    >>> with Emulator() as studio:
    ...     files = Files(
    ...         resolve_connection(
    ...             {"base_url": studio.base_url, "api_key": studio.api_key}
    ...         )
    ...     )
    ...     files.list()
    []
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

from modelstudio_core.errors import InvalidResponseError, NotFoundError
from modelstudio_core.local_files import FileContent, open_file
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import JsonAnswer
from modelstudio_core.transport.procedures import (
    Download,
    Fetch,
    Procedure,
    arun,
    run,
)
from modelstudio_core.transport.requests import HttpRequest, Upload
from modelstudio_core.wire.json_values import count_of, objects_of, text_of
from modelstudio_core.wire.refusals import ErrorContext
from modelstudio_core.wire.times import moment_of, write_time

__all__ = [
    "Files",
    "RemoteFile",
    "delete_files",
    "download_file",
    "list_files",
    "upload_file",
]

_T = TypeVar("_T")
_PATH: Final = "/files"
_PAGE_SIZE: Final = 100
# More files than the storage can hold: a list that never ends is not read for ever.
_MAX_PAGES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file in the storage of Model Studio.

    Attributes:
        id: Its id.
        name: The name that it was uploaded with.
        size: The number of its bytes; None if the service did not say it.
        purpose: What it is for, such as ``"batch"``.
        status: Its status, such as ``"processed"``.
        created_at: When it was created, in seconds since 1970; None if unknown.
    """

    id: str
    name: str = ""
    size: int | None = None
    purpose: str = ""
    status: str = ""
    created_at: int | None = None

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> "RemoteFile | None":
        """Read a file of an answer; None if it has no id.

        Args:
            raw: The object that the service sent.
        """
        file_id = text_of(raw, "id")
        if file_id is None:
            return None
        return cls(
            id=file_id,
            name=text_of(raw, "filename") or "",
            size=count_of(raw, "bytes"),
            purpose=text_of(raw, "purpose") or "",
            status=text_of(raw, "status") or "",
            created_at=count_of(raw, "created_at"),
        )


# --- Procedures ---------------------------------------------------------------------


def upload_file(
    context: ErrorContext,
    path: Path,
    *,
    models: Sequence[str],
    name: str | None = None,
) -> Procedure[RemoteFile]:
    """Upload a file for a batch. It is read from disk while it is sent.

    The request is repeated after any failure: a file that is stored twice costs room,
    and nothing else.

    Args:
        context: The facts of the request that errors report.
        path: The file.
        models: The model ids in its lines, for the policy of the process.
        name: The name that it gets; None: its own.

    Raises:
        APIError: The file was not stored.
        ConfigurationError: The file cannot be read, or must not be sent.
    """
    with open_file(path, follow=False) as file:
        size = os.fstat(file.fileno()).st_size
    content = FileContent(path=path, mime_type="application/jsonl", size=size)
    # The purpose is first: the service reads the fields in their order.
    parts = [
        Upload(name="purpose", content=b"batch"),
        Upload(
            name="file",
            content=content,
            filename=name or path.name,
            content_type="application/octet-stream",
        ),
    ]
    answer = yield Fetch(HttpRequest(path=_PATH, files=parts, models=models))
    return _file_in(answer, context)


def list_files(
    *, purpose: str | None = "batch", created_after: float | None = None
) -> Procedure[list[RemoteFile]]:
    """List files, newest first.

    Args:
        purpose: The purpose of the files; None: any.
        created_after: Seconds since 1970, before which none of them was created.

    Raises:
        APIError: A request failed.
    """
    query = {"limit": str(_PAGE_SIZE)}
    if purpose is not None:
        query["purpose"] = purpose
    first = None if created_after is None else moment_of(created_after)
    if first is not None:
        query["create_after"] = write_time(first)
    found: dict[str, RemoteFile] = {}
    for _ in range(_MAX_PAGES):
        request = HttpRequest(path=_PATH, method="GET", query=query)
        answer = yield Fetch(request)
        files = map(RemoteFile.from_json, objects_of(answer.body, "data"))
        new = {file.id: file for file in files if file and file.id not in found}
        found |= new
        if not new or answer.body.get("has_more") is not True:
            break
        query = {**query, "after": next(reversed(new))}
    return [*found.values()]


def retrieve_file(context: ErrorContext, file_id: str) -> Procedure[RemoteFile]:
    """Return what the service says of a file.

    Args:
        context: The facts of the request that errors report.
        file_id: Its id.

    Raises:
        NotFoundError: There is no such file.
        APIError: The request failed.
    """
    answer = yield Fetch(HttpRequest(path=_path_of(file_id), method="GET"))
    return _file_in(answer, context)


def download_file(file_id: str, to: Path) -> Procedure[None]:
    """Write the content of a file of results to disk, as it comes.

    Args:
        file_id: Its id. A file that was uploaded cannot be downloaded.
        to: The path to write to. The file is complete as soon as it exists.

    Raises:
        APIError: There is no such file, or it did not come completely.
        OSError: The file cannot be written.
    """
    request = HttpRequest(path=f"{_path_of(file_id)}/content", method="GET")
    yield Download(request, to)


def delete_files(file_ids: Iterable[str]) -> Procedure[None]:
    """Delete files. One that does not exist is deleted already.

    Args:
        file_ids: Their ids.

    Raises:
        APIError: A request failed.
    """
    for file_id in file_ids:
        try:
            yield Fetch(HttpRequest(path=_path_of(file_id), method="DELETE"))
        except NotFoundError:
            continue


def _path_of(file_id: str) -> str:
    return f"{_PATH}/{quote(file_id, safe='')}"


def _file_in(answer: JsonAnswer, context: ErrorContext) -> RemoteFile:
    file = RemoteFile.from_json(answer.body)
    if file is None:
        raise context.error(
            InvalidResponseError,
            "The answer to a request about a file has no id.",
            request_id=answer.request_id,
        )
    return file


class Files:
    """The files of an account in one region.

    Each method has an async version with the same arguments, whose name begins with
    ``a``.
    """

    def __init__(self, connection: Connection) -> None:
        """Set where the files are.

        Args:
            connection: How to reach the service.
        """
        self._connection = connection
        self._context = connection.context

    def upload(
        self, path: Path, *, models: Sequence[str], name: str | None = None
    ) -> RemoteFile:
        """Upload a file for a batch; see ``upload_file``."""
        return self._run(upload_file(self._context, path, models=models, name=name))

    async def aupload(
        self, path: Path, *, models: Sequence[str], name: str | None = None
    ) -> RemoteFile:
        """Async version of ``upload``."""
        procedure = upload_file(self._context, path, models=models, name=name)
        return await self._arun(procedure)

    def list(
        self, *, purpose: str | None = "batch", created_after: float | None = None
    ) -> list[RemoteFile]:
        """List files, newest first; see ``list_files``."""
        return self._run(list_files(purpose=purpose, created_after=created_after))

    async def alist(
        self, *, purpose: str | None = "batch", created_after: float | None = None
    ) -> Sequence[RemoteFile]:
        """Async version of ``list``."""
        procedure = list_files(purpose=purpose, created_after=created_after)
        return await self._arun(procedure)

    def retrieve(self, file_id: str) -> RemoteFile:
        """Return what the service says of a file; see ``retrieve_file``."""
        return self._run(retrieve_file(self._context, file_id))

    async def aretrieve(self, file_id: str) -> RemoteFile:
        """Async version of ``retrieve``."""
        return await self._arun(retrieve_file(self._context, file_id))

    def download(self, file_id: str, to: Path) -> None:
        """Write the content of a file of results to disk; see ``download_file``."""
        self._run(download_file(file_id, to))

    async def adownload(self, file_id: str, to: Path) -> None:
        """Async version of ``download``."""
        await self._arun(download_file(file_id, to))

    def delete(self, file_id: str) -> None:
        """Delete a file; see ``delete_files``."""
        self._run(delete_files([file_id]))

    async def adelete(self, file_id: str) -> None:
        """Async version of ``delete``."""
        await self._arun(delete_files([file_id]))

    def _run(self, procedure: Procedure[_T]) -> _T:
        return run(self._connection, self._context, procedure)

    async def _arun(self, procedure: Procedure[_T]) -> _T:
        return await arun(self._connection, self._context, procedure)
