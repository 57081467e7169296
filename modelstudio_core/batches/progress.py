"""The procedures of a run: each step is written before it is taken.

Whenever a process dies, the next one sees on disk which step was begun, and asks the
service whether it was done: a file that was uploaded is found by its name and its size,
a batch that was created by its file. So nothing is created twice.
"""

import logging
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from modelstudio_core.batches.directory import RunDirectory, sync_file
from modelstudio_core.batches.line_files import (
    check_part,
    limits_of,
    select_lines,
    write_parts,
)
from modelstudio_core.batches.records import Manifest, PartState, Step
from modelstudio_core.batches.remote import (
    RemoteBatch,
    cancel_batch,
    create_batch,
    find_batches,
    retrieve_batch,
)
from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    ModelStudioError,
    NotFoundError,
)
from modelstudio_core.files import (
    delete_files,
    download_file,
    list_files,
    upload_file,
)
from modelstudio_core.transport.procedures import Procedure, Sleep
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["RunProgress"]

# How long a batch may need to be listed after its creation was asked for.
SETTLE_SECONDS: Final = 5.0
# The list has the batches of 30 days.
_LISTED_SECONDS: Final = 29 * 24 * 3600.0
_HOUR: Final = 3600.0
_FIRST_INTERVAL, _LAST_INTERVAL, _GROWTH = 30.0, 60.0, 1.25
# A poll that fails so often in a row ends the wait. Each has its own retries.
_MAX_FAILED_POLLS: Final = 10
# The statuses of a request that was not taken. 408 and 409 say nothing of that.
_REFUSALS: Final = frozenset({*range(400, 500)} - {408, 409})
_logger: Final = logging.getLogger("modelstudio")
_Report = Callable[[list[PartState]], None]


class RunProgress:
    """Takes the steps of a run.

    Attributes:
        parts: The state of the parts, as of the last step.
    """

    def __init__(
        self, directory: RunDirectory, manifest: Manifest, context: ErrorContext
    ) -> None:
        """Read the state of a run.

        Args:
            directory: The directory of the run.
            manifest: The manifest of the run.
            context: The facts of the requests that errors report.
        """
        self._directory = directory
        self._manifest = manifest
        self._context = context
        self.parts = directory.read_parts()

    @contextmanager
    def _locked(self) -> Generator[None]:
        """Hold the lock of the run, with its state as it is on disk."""
        with self._directory.locked():
            self.parts = self._directory.read_parts()
            yield

    def _save(self, part: PartState, step: Step, **changes: Any) -> None:
        """Write a step of a part."""
        part.step, part.step_time = step, time.time()
        for name, value in changes.items():
            setattr(part, name, value)
        self._directory.write_parts(self.parts)

    # --- Submitting -------------------------------------------------------------------

    def submit(self) -> Procedure[None]:
        """Upload the parts and create their batches, as far as that is not done."""
        with self._locked():
            yield from self._submit_all()

    def _submit_all(self) -> Procedure[None]:
        for part in self.parts:
            yield from self._submit(part)

    def _submit(self, part: PartState) -> Procedure[None]:
        if part.step == "creating":
            yield from self._adopt(part)
        if part.is_created:
            return
        if part.step == "uploading":
            yield from self._find_upload(part)
        if part.step in {"prepared", "uploading"}:
            check_part(self._directory, self._manifest, part)
            yield from self._upload(part)
        yield from self._create(part)

    def _upload(self, part: PartState) -> Procedure[None]:
        self._save(part, "uploading")
        try:
            file = yield from upload_file(
                self._context,
                self._directory.lines(part.number),
                models=[self._manifest.model],
                name=self._file_name(part),
            )
        except ModelStudioError as error:
            if _was_refused(error):
                self._save(part, "prepared")
            raise
        self._save(part, "uploaded", file_id=file.id)

    def _create(self, part: PartState) -> Procedure[None]:
        file_id = str(part.file_id)
        self._save(part, "creating")
        try:
            batch = yield from create_batch(
                self._context,
                file_id=file_id,
                endpoint=self._manifest.endpoint,
                completion_window=self._manifest.completion_window,
                name=f"{self._manifest.id}-{part.number:04d}",
                model=self._manifest.model,
            )
        except NotFoundError:
            # The uploaded file was deleted.
            self._save(part, "prepared", file_id=None)
            raise
        except ModelStudioError as error:
            if _was_refused(error):
                self._save(part, "uploaded")
                raise
            # It may have been created: the answer was lost. The time until it is listed
            # counts from here, and what is not found is looked for again by _adopt.
            self._save(part, "creating")
            if not (yield from self._find_batch(part)):
                raise
            return
        self._save_created(part, batch)

    def _save_created(self, part: PartState, batch: RemoteBatch) -> None:
        self._save(part, "created", batch_id=batch.id, **_facts_of(batch))

    def _adopt(self, part: PartState) -> Procedure[None]:
        """Look for the batch of a part whose creation was begun, until all is certain.

        What began it may have died a moment ago, however long ago it began.
        """
        if (yield from self._find_batch(part)):
            return
        yield Sleep(SETTLE_SECONDS)
        if not (yield from self._find_batch(part)):
            self._save(part, "uploaded")

    def _find_batch(self, part: PartState) -> Procedure[bool]:
        """Look once for the batch of a part whose creation was begun.

        Returns:
            Whether there is one.
        """
        age = max(0.0, time.time() - part.step_time)
        if age > _LISTED_SECONDS:
            raise ConfigurationError(
                f"The batch of part {part.number} may have been created"
                f" {age / 86400:.0f} days ago, and the service lists those of the last"
                " 30 days only. Look for it in the Model Studio console, and prepare"
                " the rows again in a new directory if it is not there."
            )
        if age < SETTLE_SECONDS:
            yield Sleep(SETTLE_SECONDS - age)
        batches = yield from find_batches(str(part.file_id))
        if not batches:
            return False
        _logger.info("The batch of part %d was found again", part.number)
        self._save_created(part, min(batches, key=lambda b: b.created_at or 0))
        return True

    def _find_upload(self, part: PartState) -> Procedure[None]:
        """Look for the file of a part whose upload was begun."""
        name, after = self._file_name(part), part.step_time - _HOUR
        try:
            files = yield from list_files(created_after=after)
        except APIStatusError:
            # A second file costs room only.
            return
        for file in files:
            if file.name == name and file.size == part.size:
                self._save(part, "uploaded", file_id=file.id)
                return

    def _file_name(self, part: PartState) -> str:
        return f"{self._manifest.id}-{part.number:04d}-{part.sha256[:8]}.jsonl"

    # --- Looking ----------------------------------------------------------------------

    def refresh(self) -> Procedure[None]:
        """Ask for the status of each batch that has not ended."""
        with self._locked():
            yield from self._refresh_all()

    def _refresh_all(self) -> Procedure[None]:
        for part in self.parts:
            if part.step == "creating":
                yield from self._adopt(part)
            if part.is_created and not part.has_ended:
                batch = yield from retrieve_batch(self._context, str(part.batch_id))
                self._note(part, batch)

    def _note(self, part: PartState, batch: RemoteBatch) -> None:
        facts = _facts_of(batch)
        if any(getattr(part, name) != value for name, value in facts.items()):
            self._save(part, part.step, **facts)

    def cancel(self) -> Procedure[None]:
        """Cancel each batch that has not ended."""
        with self._locked():
            yield from self._refresh_all()
            for part in self.parts:
                if not part.is_created or part.has_ended:
                    continue
                try:
                    batch = yield from cancel_batch(self._context, str(part.batch_id))
                except BadRequestError:
                    # It has ended in the meantime.
                    batch = yield from retrieve_batch(self._context, str(part.batch_id))
                self._note(part, batch)

    # --- Collecting -------------------------------------------------------------------

    def collect(
        self,
        *,
        timeout: float | None,
        poll_interval: float | None,
        report: _Report | None,
        delete_remote: bool,
    ) -> Procedure[None]:
        """Wait until all batches have ended, and download their results.

        Args:
            timeout: The most seconds to wait; None for no limit.
            poll_interval: The seconds between two looks; None: 30, rising to 60.
            report: Called after each look.
            delete_remote: Whether the files are deleted from the storage in the end.
        """
        ends = None if timeout is None else time.monotonic() + timeout
        interval = _FIRST_INTERVAL if poll_interval is None else poll_interval
        failures = 0
        while True:
            try:
                is_complete = yield from self._look()
                failures = 0
            except APIError as error:
                failures += 1
                if not error.is_retryable or failures == _MAX_FAILED_POLLS:
                    raise
                _logger.info("A look at a batch failed (%s)", type(error).__name__)
                is_complete = False
            if report is not None:
                report(self.parts)
            if is_complete:
                break
            left = None if ends is None else ends - time.monotonic()
            if left is not None and left <= 0:
                raise self._not_in_time(float(timeout or 0))
            yield Sleep(interval if left is None else min(interval, left))
            if poll_interval is None:
                interval = min(interval * _GROWTH, _LAST_INTERVAL)
        if delete_remote:
            yield from self._delete_all()

    def _look(self) -> Procedure[bool]:
        """Look at all batches once; return whether all results are on disk."""
        with self._locked():
            if not all(p.is_created or p.step == "creating" for p in self.parts):
                raise ConfigurationError(
                    "Some rows are not submitted yet: call submit() first."
                )
            yield from self._refresh_all()
            yield from self._download_all()
            return all(part.is_collected for part in self.parts)

    def _download_all(self) -> Procedure[None]:
        for part in self.parts:
            if part.has_ended and not (part.is_collected and self._has_results(part)):
                yield from self._download(part)

    def _has_results(self, part: PartState) -> bool:
        """Whether no file of results was removed from the directory or cut short."""
        return all(file.is_complete for file in self._files_of(part))

    def _files_of(self, part: PartState) -> list["_ResultFile"]:
        number, directory = part.number, self._directory
        answers, errors = directory.answers(number), directory.errors(number)
        files = (
            (part.output_file_id, answers, part.output_bytes),
            (part.error_file_id, errors, part.error_bytes),
        )
        return [_ResultFile(i, path, size) for i, path, size in files if i]

    def _download(self, part: PartState) -> Procedure[None]:
        """Download both files, in whichever way a batch has ended."""
        for file in self._files_of(part):
            if not (part.is_collected and file.is_complete):
                _remove_halves(file.path)
                yield from download_file(file.id, file.path)
                sync_file(file.path)
        answers = self._directory.answers(part.number)
        errors = self._directory.errors(part.number)
        self._save(
            part,
            "collected",
            output_bytes=answers.stat().st_size if part.output_file_id else None,
            error_bytes=errors.stat().st_size if part.error_file_id else None,
        )

    def _not_in_time(self, timeout: float) -> APITimeoutError:
        ids = ", ".join(str(p.batch_id) for p in self.parts if not p.has_ended)
        return self._context.error(
            APITimeoutError,
            f"The run in {str(self._directory.path)!r} has not ended within"
            f" {timeout:g} s ({ids}). It goes on: call collect() again.",
            is_retryable=False,
        )

    def _delete_all(self) -> Procedure[None]:
        with self._locked():
            for part in self.parts:
                if part.deleted or not part.is_collected:
                    continue
                ids = (part.file_id, part.output_file_id, part.error_file_id)
                yield from delete_files(file_id for file_id in ids if file_id)
                self._save(part, part.step, deleted=True)

    # --- Sending again ----------------------------------------------------------------

    def resume(
        self, select: Callable[[list[PartState]], Iterable[int]]
    ) -> Procedure[int]:
        """Send what has no result, in new parts.

        Args:
            select: Returns the indices of the rows to send, of all parts with results
                on disk.

        Returns:
            How many rows were sent by this call.
        """
        with self._locked():
            yield from self._refresh_all()
            yield from self._download_all()
            rows = dict.fromkeys(select(self.parts))
            if rows:
                self._add_parts(rows)
            unsent = sum(part.rows for part in self.parts if not part.is_created)
            yield from self._submit_all()
            return unsent

    def _add_parts(self, rows: Mapping[int, object]) -> None:
        written = write_parts(
            self._directory,
            select_lines(self._directory, self.parts, rows),
            limits_of(self._manifest.model),
            number=len(self.parts) + 1,
            consecutive=False,
        )
        if written.rows != len(rows):
            raise ConfigurationError(
                f"Of {len(rows)} rows to send again, {written.rows} were found in"
                f" {str(self._directory.path)!r}: its files are damaged."
            )
        self._directory.write_parts([*self.parts, *written.parts])
        self.parts = [*self.parts, *written.parts]


class _ResultFile(NamedTuple):
    """A file of results.

    Attributes:
        id: Its id at the service.
        path: Its path on disk.
        size: The number of its bytes when it was downloaded; None if not known.
    """

    id: str
    path: Path
    size: int | None

    @property
    def is_complete(self) -> bool:
        """Whether it is on disk as it was downloaded."""
        return self.path.exists() and self.size in {None, self.path.stat().st_size}


def _was_refused(error: ModelStudioError) -> bool:
    """Whether it is certain that a request created nothing."""
    if isinstance(error, APIConnectionError):
        return not error.was_sent
    if isinstance(error, APIStatusError):
        return error.status_code in _REFUSALS
    return isinstance(error, ConfigurationError)


def _facts_of(batch: RemoteBatch) -> dict[str, Any]:
    return {
        "status": batch.status,
        "answered": batch.completed,
        "failed": batch.failed,
        "output_file_id": batch.output_file_id,
        "error_file_id": batch.error_file_id,
        "errors": [dict(error) for error in batch.errors],
    }


def _remove_halves(path: Path) -> None:
    """Remove what interrupted downloads left."""
    for half in path.parent.glob(f"{path.name}.*.part"):
        with suppress(OSError):
            half.unlink()
