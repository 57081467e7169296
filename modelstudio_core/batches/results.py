"""The results of a run, from the files on disk, in the order of the inputs."""

import os
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, Generic, Literal, Protocol, TypeVar, cast

from modelstudio_core.batches.directory import RunDirectory
from modelstudio_core.batches.line_files import indices_of, read_lines
from modelstudio_core.batches.records import Manifest, PartState
from modelstudio_core.chat.events import Usage
from modelstudio_core.errors import APIError, ModelStudioError
from modelstudio_core.secrets import redactor_of
from modelstudio_core.wire.json_values import load, object_of, text_of
from modelstudio_core.wire.metadata import without_secrets
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["Answer", "BatchRow", "Parse", "ParseSure", "ResultReader", "RowStatus"]

_T = TypeVar("_T")
_Parsed = TypeVar("_Parsed")
RowStatus = Literal["done", "error", "missing", "pending"]
_OK: Final = 200
# The id of a row, in a line of the service. Within texts the quotes are escaped.
_CUSTOM_ID: Final = re.compile(rb'"custom_id"\s*:\s*"([0-9]{10})-[0-9a-f]{8}"')
# How the service says that a row was not run.
_NOT_RUN: Final = frozenset({"batch_expired", "batch_cancelled", "batch_canceled"})


@dataclass(slots=True)
class Answer(Generic[_T]):
    """What the answer to one row holds.

    Attributes:
        message: The message; None for an embedding.
        embedding: The vector; None for a message.
        usage: The tokens that were used; None if the service did not say it.
        finish_reason: Why the answer ended; None for an embedding.
    """

    message: _T | None = None
    embedding: list[float] | None = None
    usage: Usage | None = None
    finish_reason: str | None = None


ParseSure = Callable[[Any, str | None], Answer[_Parsed]]


class Parse(Protocol[_Parsed]):
    """Reads the answers of a run."""

    def __call__(self, body: object, request_id: str | None) -> Answer[_Parsed]:
        """Read the body of an answer.

        Raises:
            APIError: It is an error, or not what the protocol allows.
        """
        ...

    def if_sure(self, body: object) -> "ParseSure[_Parsed] | None":
        """Return what reads a body that can certainly be read; None for another one."""
        ...


class BatchRow(Generic[_T]):
    """The result of one input.

    Attributes:
        index: The index of the input.
        status: ``"done"``; ``"error"``: the service refused it, or its answer cannot be
            read; ``"missing"``: its batch has ended without a result for it;
            ``"pending"``: its batch has not ended, or its results are not downloaded.
        error: Why there is no answer; None for a row that is done or pending.
        request_id: The id to give to the support of Alibaba Cloud.
    """

    __slots__ = (
        "_answer",
        "_hide",
        "_parse",
        "_raw",
        "error",
        "index",
        "request_id",
        "status",
    )

    def __init__(
        self,
        index: int,
        status: RowStatus,
        *,
        error: ModelStudioError | None = None,
        request_id: str | None = None,
        raw: Mapping[str, Any] | None = None,
        hide: Callable[[str], str] | None = None,
        answer: Answer[_T] | None = None,
        parse: ParseSure[_T] | None = None,
    ) -> None:
        """Create a row.

        Args:
            index: The index of the input.
            status: Its status.
            error: Why there is no answer.
            request_id: The id of the request.
            raw: The body that the service sent.
            hide: Returns a text of the body without secrets.
            answer: The answer; None if there is none, or if it is still to be read.
            parse: Reads the answer when it is first asked for.
        """
        self.index = index
        self.status: RowStatus = status
        self.error = error
        self.request_id = request_id
        self._raw = raw
        self._hide = hide
        self._answer = answer
        self._parse = parse

    def _read(self) -> Answer[_T]:
        """Read the answer, which is still to be read."""
        parse = self._parse
        answer = parse(self._raw, self.request_id) if parse else Answer[_T]()
        self._answer = answer
        self._parse = None
        return answer

    def __getstate__(self) -> tuple[None, dict[str, object]]:
        """Read what is still to be read: what reads it holds the API key."""
        self._answer = self._answer or self._read()
        self._raw = self.raw
        return None, {name: getattr(self, name) for name in self.__slots__}

    @property
    def raw(self) -> Mapping[str, Any] | None:
        """The body that the service sent, without secrets; None if there is none."""
        if (hide := self._hide) is not None:
            self._raw = without_secrets(self._raw, hide)
            self._hide = None
        return self._raw

    @property
    def message(self) -> _T | None:
        """The answer as a message; None without one."""
        return (self._answer or self._read()).message

    @property
    def embedding(self) -> list[float] | None:
        """The vector; None without one."""
        return (self._answer or self._read()).embedding

    @property
    def usage(self) -> Usage | None:
        """The tokens that were used; None if they are not known."""
        return (self._answer or self._read()).usage

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended; None without a message."""
        return (self._answer or self._read()).finish_reason

    def __repr__(self) -> str:
        """Return the index and the status, and the error if there is one."""
        error = f", error={self.error!r}" if self.error is not None else ""
        return (
            f"{type(self).__name__}(index={self.index}, status={self.status!r}{error})"
        )


class ResultReader(Generic[_T]):
    """Reads the results of a run from its files.

    Of each row only the place of its result is kept in memory.

    Attributes:
        problems: What does not add up: the number of a part, and a sentence.
    """

    def __init__(
        self,
        directory: RunDirectory,
        manifest: Manifest,
        parts: Sequence[PartState],
        context: ErrorContext,
        parse: Parse[_T],
    ) -> None:
        """Find the results of all rows.

        Args:
            directory: The directory of the run.
            manifest: The manifest of the run.
            parts: The state of its parts.
            context: The facts of the requests that errors report.
            parse: Reads the body of an answer, with its request id.
        """
        self._manifest = manifest
        self._context = context
        self._parse = parse
        self._hide: Callable[[str], str] = context.redact
        if context.later_secrets is None:
            self._hide = redactor_of(context.secrets).redact
        self._parts = {part.number: part for part in parts}
        self.problems: list[tuple[int, str]] = []
        rows = manifest.rows
        # By row: the last part that has it, and the place of its result.
        self._part_of = array("H", bytes(2 * rows))
        self._file_of = array("H", bytes(2 * rows))
        self._begin = array("q", bytes(8 * rows))
        self._size = array("I", bytes(4 * rows))
        # The first is for rows without a result.
        self._paths: list[Path] = [Path()]
        for part in parts:
            self._add_part(directory, part)

    # --- The places of the results ----------------------------------------------------

    def _add_part(self, directory: RunDirectory, part: PartState) -> None:
        number, rows = part.number, 0
        for index in indices_of(directory, part):
            self._part_of[index] = number
            self._file_of[index] = 0
            rows += 1
        if not part.is_collected:
            return
        # Errors first: an answer of the same part has precedence.
        found = 0
        if part.error_file_id:
            found += self._add_file(directory.errors(number), number)
        if part.output_file_id:
            found += self._add_file(directory.answers(number), number)
        counted = part.answered + part.failed
        if counted and counted != rows:
            text = f"Part {number} has {rows} rows, and the service counts {counted}."
            self.problems.append((number, text))
        if found not in (counted, rows):
            text = f"The files of part {number} have results of {found} rows of {rows}."
            self.problems.append((number, text))

    def _add_file(self, path: Path, number: int) -> int:
        """Note the places of the results in a file; return how many there are."""
        self._paths.append(path)
        file, begin, found = len(self._paths) - 1, 0, 0
        part_of, file_of, begins, sizes = (
            self._part_of,
            self._file_of,
            self._begin,
            self._size,
        )
        rows = self._manifest.rows
        match_at, search = _CUSTOM_ID.match, _CUSTOM_ID.search
        strays = place = 0
        for line in read_lines(path):
            # Nearly always it is at the same place of each line.
            match = match_at(line, place) or search(line)
            place = match.start() if match else 0
            index = int(match[1]) if match else rows
            if index < rows and part_of[index] == number:
                found += not file_of[index]
                file_of[index] = file
                begins[index] = begin
                sizes[index] = len(line)
            elif not line.isspace():
                strays += 1
            begin += len(line)
        if strays:
            text = f"{path.name} has {strays} lines that belong to no row of the part."
            self.problems.append((number, text))
        return found

    # --- Rows -------------------------------------------------------------------------

    def rows(
        self, to_error: Callable[[ModelStudioError], ModelStudioError] | None = None
    ) -> Iterator[BatchRow[_T]]:
        """Yield all rows, in the order of the inputs.

        Args:
            to_error: Converts the errors of rows.
        """
        begins, sizes = self._begin, self._size
        with ExitStack() as stack:
            readers: list[_ReadAt | None] = [None] * len(self._paths)
            for index, number in enumerate(self._file_of):
                if number:
                    read_at = readers[number]
                    if read_at is None:
                        file = stack.enter_context(self._paths[number].open("rb"))
                        read_at = readers[number] = _reader_of(file)
                    row = self._read(index, read_at(sizes[index], begins[index]))
                else:
                    row = self._without_result(index)
                if row.error is not None and to_error is not None:
                    row.error = to_error(row.error)
                yield row

    def _read(self, index: int, line: bytes) -> BatchRow[_T]:
        result: Any = None
        try:
            result = load(line)
            response = result["response"]
            if response["status_code"] == _OK and not result.get("error"):
                body, request_id = response["body"], response.get("request_id")
                request_id = self._hide(request_id) if type(request_id) is str else None
                parse = self._parse
                sure = parse.if_sure(body)
                answer = None if sure else parse(body, request_id)
                return BatchRow(
                    index,
                    "done",
                    request_id=request_id,
                    raw=body,
                    hide=self._hide,
                    answer=answer,
                    parse=sure,
                )
        except ModelStudioError as error:
            return self._failed(index, error, result["response"]["body"])
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        return self._refused(index, result, line)

    def _refused(self, index: int, result: object, line: bytes) -> BatchRow[_T]:
        """Return the row of a line that is an error, in any of its forms.

        The error has ``code`` and ``message``, or ``error_code`` and ``error_message``
        (the official page has both), or it is the body of the response.
        """
        if not isinstance(result, dict):
            return self._failed(index, self._context.not_json(line, None), None)
        fields = cast("dict[str, Any]", result)
        response = object_of(fields, "response")
        status = response.get("status_code")
        error = object_of(fields, "error")
        body: Mapping[str, Any] = object_of(response, "body")
        payload: Mapping[str, Any] = body or {}
        if error:
            code = text_of(error, "code") or text_of(error, "error_code")
            message = text_of(error, "message") or text_of(error, "error_message")
            payload = {"error": {**error, "code": code, "message": message}}
        request_id = text_of(response, "request_id") or text_of(fields, "id")
        is_status = isinstance(status, int) and status != _OK
        failure = self._context.from_payload(
            status if is_status else None, payload, request_id=request_id
        )
        if self._was_not_run(index, failure, has_status=is_status):
            return BatchRow(
                index, "missing", error=failure, request_id=failure.request_id
            )
        return self._failed(index, failure, body or None)

    def _was_not_run(self, index: int, error: APIError, *, has_status: bool) -> bool:
        """Whether an error says that the batch ended before the row was run."""
        status = self._parts[self._part_of[index]].status
        if has_status or status not in {"cancelled", "expired"}:
            return False
        return error.code in _NOT_RUN or error.status_code is None

    def _failed(
        self, index: int, error: ModelStudioError, body: Mapping[str, Any] | None
    ) -> BatchRow[_T]:
        return BatchRow(
            index,
            "error",
            error=error,
            request_id=error.request_id,
            raw=body,
            hide=self._hide,
        )

    def _without_result(self, index: int) -> BatchRow[_T]:
        part = self._parts[self._part_of[index]]
        if not part.is_collected:
            return BatchRow(index, "pending")
        if (refused := self._refused_line(index, part)) is not None:
            return self._failed(index, refused, None)
        reasons = "; ".join(
            str(error.get("message") or error.get("code")) for error in part.errors[:3]
        )
        message = (
            f"Row {index} has no result: batch {part.batch_id} is {part.status}"
            + (f" ({reasons})" if reasons else "")
            + ". resume() sends it again."
        )
        return BatchRow(index, "missing", error=self._context.error(APIError, message))

    def _refused_line(self, index: int, part: PartState) -> APIError | None:
        """Return the error of the very line for which a batch was not begun."""
        if part.status != "failed" or part.first is None:
            return None
        number = index - part.first + 1
        for error in part.errors:
            if error.get("line") == number:
                return self._context.from_payload(400, {"error": dict(error)})
        return None

    def counts(self) -> Counter[str]:
        """Count the rows by their status."""
        return Counter(row.status for row in self.rows())


# Reads so many bytes from a place of a file.
_ReadAt = Callable[[int, int], bytes]

if hasattr(os, "pread"):

    def _reader_of(file: BinaryIO) -> _ReadAt:
        return partial(os.pread, file.fileno())

else:

    def _reader_of(file: BinaryIO) -> _ReadAt:
        def read_at(size: int, begin: int) -> bytes:
            file.seek(begin)
            return file.read(size)

        return read_at
