"""``BatchRun``: the requests of many rows as batches, in a directory on disk."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, Never, Self, TypeVar, cast

from typing_extensions import override

from modelstudio_core.batches.directory import RunDirectory
from modelstudio_core.batches.opening import connection_of
from modelstudio_core.batches.preparing import (
    check_arguments,
    check_inputs,
    plan_chat,
    plan_embeddings,
    write_run,
)
from modelstudio_core.batches.progress import RunProgress
from modelstudio_core.batches.reading import reading_of
from modelstudio_core.batches.records import Manifest, PartState
from modelstudio_core.batches.remote import check_completion_window
from modelstudio_core.batches.results import BatchRow, ResultReader
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.connection_arguments import keys_hidden
from modelstudio_core.embeddings.arguments import EmbeddingArguments
from modelstudio_core.errors import (
    ConfigurationError,
    ModelStudioError,
    ModelStudioWarning,
)
from modelstudio_core.policy import check_endpoint
from modelstudio_core.service_inputs import check_seconds
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.procedures import Procedure, arun, run
from modelstudio_core.user_warnings import warn_user

__all__ = ["BatchRun"]

T = TypeVar("T")
_Result = TypeVar("_Result")
_PATH = str | os.PathLike[str]


class BatchRun(Generic[T]):
    """The requests of many rows, answered by batches at half the price.

    A run is a directory. ``prepare`` writes the requests to it and sends nothing; each
    other method can be interrupted at any moment and called again, by another process
    too: nothing is sent or paid for twice, and no result is lost. The directory holds
    prompts and answers, never the API key; only its owner can read it.

    This class needs no framework: its rows hold ``Completion`` objects. Those of
    ``langchain_modelstudio.batches`` and ``llamaindex_modelstudio.batches`` hold the
    messages of their frameworks.

    Source: the official page "OpenAI compatible - Batch" (read 2026-11-27). Batches are
    in China (Beijing) and Singapore only, for the models that the page lists.

    Example:
        >>> import tempfile
        >>> from modelstudio_core.chat.arguments import ChatArguments
        >>> from modelstudio_core.emulator import Emulator
        >>> with Emulator() as studio, tempfile.TemporaryDirectory() as directory:
        ...     llm = ChatArguments(
        ...         model="qwen-plus",
        ...         base_url=studio.base_url,
        ...         api_key=studio.api_key,
        ...     )
        ...     run = BatchRun.prepare(llm, ["Hello.", "Bye."], directory=directory)
        ...     run.submit()
        ...     studio.advance(60)
        ...     run.collect()
        ...     [(row.index, row.status) for row in run.results()]
        [(0, 'done'), (1, 'done')]
    """

    def __init__(
        self, directory: RunDirectory, manifest: Manifest, connection: Connection
    ) -> None:
        """Use ``prepare`` or ``open``.

        Args:
            directory: The directory of the run.
            manifest: The manifest of the run.
            connection: How to reach the service.
        """
        self._directory = directory
        self._manifest = manifest
        self._connection = connection
        self._context = connection.context
        self._progress = RunProgress(directory, manifest, connection.context)

    # --- Beginning --------------------------------------------------------------------

    @classmethod
    def prepare(
        cls,
        model: object,
        inputs: Iterable[Any],
        directory: _PATH,
        *,
        arguments: Mapping[str, object] | None = None,
        completion_window: str = "24h",
    ) -> Self:
        """Write the requests of a run to disk. Nothing is sent.

        A directory that holds the same run already is opened: a program that was
        interrupted is simply started again.

        Args:
            model: A chat model or an embedding model, with its arguments. A chat model
                answers each row with them, and an embedding model makes the vector of
                each row as a document.
            inputs: The inputs of the rows: prompts or lists of messages, or texts to
                embed. Any iterable: it is read once, row by row.
            directory: The path of the directory, which is created.
            arguments: Arguments of a call for all rows, such as ``tools``.
            completion_window: How much time the service has, from ``"24h"`` to
                ``"14d"``. What is not answered by then is not paid for.

        Returns:
            The run. ``estimated_tokens`` says how large it is.

        Raises:
            ConfigurationError: An argument or an input is invalid or contains the API
                key, the region or the model has no batch inference, a policy does not
                allow it, or the directory holds another run.
        """
        with cls._errors():
            service, bound = cls._unwrap(model)
            with keys_hidden(_connection_of(service) or {}):
                place = RunDirectory(directory)
                window = check_completion_window(completion_window)
                given = check_arguments(bound, arguments)
                if isinstance(service, ChatArguments):
                    request = plan_chat(service, given)
                elif isinstance(service, EmbeddingArguments):
                    request = plan_embeddings(service, given)
                else:
                    raise ConfigurationError(
                        "model must be a chat model or an embedding model of this"
                        f" package, got a {type(model).__name__}. Of a chain, pass the"
                        " model itself, and use the answers of the rows."
                    )
                check_endpoint(request.connection.endpoint, request.profile.id)
                manifest = write_run(place, request, check_inputs(inputs), window)
                return cls(place, manifest, request.connection)

    @classmethod
    def open(cls, directory: _PATH, **connection: Any) -> Self:
        """Open a run that was prepared.

        Args:
            directory: The path of its directory.
            **connection: Arguments of the connection, such as ``api_key`` and
                ``timeout``. The region, the mode, the workspace and the base URL are
                those of the run.

        Returns:
            The run.

        Raises:
            ConfigurationError: There is no run, it cannot be read, an argument
                contradicts it, or its base URL is neither documented nor on this
                machine and is not passed as ``base_url``.
        """
        with cls._errors(), keys_hidden(connection):
            place = RunDirectory(directory)
            manifest = place.read_manifest()
            return cls(place, manifest, connection_of(manifest, connection))

    # --- Steps ------------------------------------------------------------------------

    def submit(self) -> None:
        """Upload the requests and create the batches.

        What is done already is not done again. If it was interrupted, the service is
        asked what it has.

        Raises:
            APIError: A request failed. Calling it again goes on.
            ConfigurationError: A file was changed, or the run is in use.
        """
        self._run(self._progress.submit())

    async def asubmit(self) -> None:
        """Async version of ``submit``."""
        await self._arun(self._progress.submit())

    def refresh(self) -> None:
        """Ask the service for the status of the batches.

        Raises:
            APIError: A request failed.
            ConfigurationError: The run is in use.
        """
        self._run(self._progress.refresh())

    async def arefresh(self) -> None:
        """Async version of ``refresh``."""
        await self._arun(self._progress.refresh())

    def collect(
        self,
        timeout: float | None = None,
        *,
        progress: bool = False,
        poll_interval: float | None = None,
        delete_remote: bool = False,
    ) -> None:
        """Wait until the batches have ended, and download their results.

        Args:
            timeout: The most seconds to wait; None for no limit.
            progress: Whether to write the progress to the standard error stream.
            poll_interval: The seconds between two looks; None: 30, rising to 60.
            delete_remote: Whether to delete the files from the storage of the service
                afterwards: they hold the prompts and the answers.

        Raises:
            APITimeoutError: The batches have not ended in time. They go on.
            APIError: A request failed.
            ConfigurationError: Rows are not submitted yet, or the run is in use.
        """
        collected = self._collected
        self._run(self._collect(timeout, progress, poll_interval, delete_remote))
        self._warn_of_problems(collected)

    async def acollect(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as in collect
        *,
        progress: bool = False,
        poll_interval: float | None = None,
        delete_remote: bool = False,
    ) -> None:
        """Async version of ``collect``."""
        collected = self._collected
        procedure = self._collect(timeout, progress, poll_interval, delete_remote)
        await self._arun(procedure)
        await asyncio.to_thread(self._warn_of_problems, collected)

    def cancel(self) -> None:
        """Cancel the batches. What is answered already stays, and is paid for.

        Raises:
            APIError: A request failed.
            ConfigurationError: The run is in use.
        """
        self._run(self._progress.cancel())

    async def acancel(self) -> None:
        """Async version of ``cancel``."""
        await self._arun(self._progress.cancel())

    def resume(self, *, errors: bool = False) -> int:
        """Send what has no result again: rows that are missing, in new batches.

        Args:
            errors: Whether to send the rows, too, whose error may be temporary. A row
                that the service refused as invalid is never sent again.

        Returns:
            How many rows were sent.

        Raises:
            APIError: A request failed. Calling it again goes on.
            ConfigurationError: A file was changed, or the run is in use.
        """
        return self._run(self._resume(errors=errors))

    async def aresume(self, *, errors: bool = False) -> int:
        """Async version of ``resume``."""
        return await self._arun(self._resume(errors=errors))

    # --- What there is ----------------------------------------------------------------

    @property
    def directory(self) -> str:
        """The path of the directory."""
        return str(self._directory.path)

    @property
    def id(self) -> str:
        """The id of the run: the names of its batches begin with it."""
        return self._manifest.id

    @property
    def model(self) -> str:
        """The model id that is sent."""
        return self._manifest.model

    @property
    def region(self) -> str | None:
        """The region id, where the data is stored; None if it is not known."""
        return self._manifest.region

    @property
    def row_count(self) -> int:
        """How many rows the run has."""
        return self._manifest.rows

    @property
    def estimated_tokens(self) -> int:
        """The estimated tokens of all inputs; ``manifest.json`` says how."""
        return self._manifest.input_tokens

    @property
    def batch_ids(self) -> list[str]:
        """The ids of the batches that were created."""
        return [part.batch_id for part in self._progress.parts if part.batch_id]

    @property
    def status(self) -> str:
        """The status, as last seen: no request is sent.

        ``"prepared"``: nothing is submitted. ``"submitting"``: a part of it is.
        ``"running"``: batches have not ended. ``"cancelling"``: they are being
        cancelled. ``"ended"``: all have ended, and results are to be downloaded.
        ``"collected"``: all results are on disk.
        """
        parts = self._progress.parts
        if all(part.is_collected for part in parts):
            return "collected"
        if not any(part.is_created for part in parts):
            return "prepared"
        if not all(part.is_created for part in parts):
            return "submitting"
        if all(part.has_ended for part in parts):
            return "ended"
        if any(part.status == "cancelling" for part in parts):
            return "cancelling"
        return "running"

    @property
    def progress(self) -> dict[str, int]:
        """The numbers that the service counts, as last seen.

        ``rows``, ``answered``, ``failed``: of all batches together. A row that was sent
        again counts each time.
        """
        parts = self._progress.parts
        return {
            "rows": sum(part.rows for part in parts),
            "answered": sum(part.answered for part in parts),
            "failed": sum(part.failed for part in parts),
        }

    def results(self) -> Iterator[BatchRow[T]]:
        """Yield the rows from disk, in the order of the inputs. No request is sent.

        Each input has its row: one without a result is ``"missing"`` or ``"pending"``.
        """
        with self._errors():
            parts = self._directory.read_parts()
            yield from self._read(parts).rows(self._to_error)

    def count_rows(self) -> Counter[str]:
        """Count the rows on disk by their status: ``done``, ``error``, and so on."""
        return self._read(self._directory.read_parts()).counts()

    def __repr__(self) -> str:
        """Return where it is and how far it is."""
        return (
            f"{type(self).__name__}({self.directory!r}, model={self.model!r},"
            f" rows={self.row_count}, status={self.status!r})"
        )

    @override
    def __reduce__(self) -> Never:
        """Refuse to be copied or pickled: what a run is, is in its directory."""
        raise ConfigurationError(
            f"A {type(self).__name__} cannot be copied or pickled: open its directory"
            f" where it is needed, with {type(self).__name__}.open({self.directory!r})."
        )

    # --- For the classes of the frameworks --------------------------------------------

    @classmethod
    def _unwrap(cls, model: object) -> tuple[object, dict[str, Any]]:
        """Return a model and the arguments that are bound to it."""
        return model, {}

    @classmethod
    def _convert(cls, completion: Completion, plan: ChatPlan) -> T:
        """Convert an answer to a message."""
        del plan
        return cast("T", completion)

    @classmethod
    def _errors(cls) -> AbstractContextManager[None]:
        """Return a context manager that converts errors to those of the framework."""
        return nullcontext()

    @classmethod
    def _to_error(cls, error: ModelStudioError) -> ModelStudioError:
        """Convert an error to one of the framework."""
        return error

    # --- Running ----------------------------------------------------------------------

    def _collect(
        self,
        timeout: float | None,
        progress: bool,
        poll_interval: float | None,
        delete_remote: bool,
    ) -> Procedure[None]:
        with keys_hidden(self._connection):
            timeout = check_seconds("timeout", timeout)
            poll_interval = check_seconds("poll_interval", poll_interval)
        return self._progress.collect(
            timeout=timeout,
            poll_interval=poll_interval,
            report=self._report if progress else None,
            delete_remote=delete_remote,
        )

    def _report(self, parts: Sequence[PartState]) -> None:
        del parts
        numbers = self.progress
        sys.stderr.write(
            f"{self.directory}: {self.status}, {numbers['answered']} of"
            f" {numbers['rows']} rows answered, {numbers['failed']} failed\n"
        )

    def _resume(self, *, errors: bool) -> Procedure[int]:
        def select(parts: Sequence[PartState]) -> Iterator[int]:
            for row in self._read(parts).rows():
                is_temporary = bool(row.error and row.error.is_retryable)
                if row.status == "missing" or (
                    errors and row.status == "error" and is_temporary
                ):
                    yield row.index

        return self._progress.resume(select)

    def _read(self, parts: Sequence[PartState]) -> ResultReader[T]:
        parse = reading_of(self._manifest, self._connection, self._convert)
        return ResultReader(
            self._directory, self._manifest, parts, self._context, parse
        )

    @property
    def _collected(self) -> set[int]:
        """The numbers of the parts whose results are on disk."""
        return {part.number for part in self._progress.parts if part.is_collected}

    def _warn_of_problems(self, seen: Collection[int]) -> None:
        """Warn of what does not add up in the parts that were collected now."""
        if self._collected <= {*seen}:
            return
        for number, problem in self._read(self._progress.parts).problems:
            if number not in seen:
                warn_user(f"{self.directory}: {problem}", ModelStudioWarning)

    def _run(self, procedure: Procedure[_Result]) -> _Result:
        with self._errors():
            return run(self._connection, self._context, procedure)

    async def _arun(self, procedure: Procedure[_Result]) -> _Result:
        with self._errors():
            return await arun(self._connection, self._context, procedure)


def _connection_of(service: object) -> Connection | None:
    if isinstance(service, ChatArguments | EmbeddingArguments):
        return service.resolved.connection
    return None
