"""``modelstudio batch``: many rows at half the price, as a directory on disk."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from modelstudio_core.cli.connection_options import (
    ChatOptionsOption,
    ConnectionOptions,
    chat_options,
    command_of,
)
from modelstudio_core.cli.exit_codes import ExitCode
from modelstudio_core.cli.reports import Output, printable
from modelstudio_core.errors import ConfigurationError

if TYPE_CHECKING:
    from modelstudio_core.batches import BatchRow, BatchRun
    from modelstudio_core.chat.completion import Completion

__all__ = ["commands"]

# How an error of a run names a row: by its index, which is no number of a line.
_ROW: Final = re.compile(r"inputs\[\d+\]")

commands: Final = typer.Typer(no_args_is_help=True)

_Directory = Annotated[
    Path, typer.Argument(help="The directory of the run.", metavar="DIRECTORY")
]


def prepare(
    output: Output,
    connection: ConnectionOptions,
    *,
    directory: _Directory,
    inputs: Annotated[
        Path,
        typer.Argument(
            help="A file with a row in each line: a JSON string, or a list of messages"
            " of the OpenAI chat API.",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", help="A chat or an embedding model.")
    ],
    text: Annotated[
        bool, typer.Option("--text", help="Each line is a prompt as it is, not JSON.")
    ] = False,
    option: ChatOptionsOption = None,
    completion_window: Annotated[
        str, typer.Option(help="How much time the service has, 24h to 14d.")
    ] = "24h",
) -> None:
    """Write the requests of a run to a directory. Nothing is sent."""
    from modelstudio_core.batches import BatchRun
    from modelstudio_core.catalog import resolve_model
    from modelstudio_core.chat.arguments import ChatArguments
    from modelstudio_core.cli.services import Embedder

    arguments = connection.arguments(output) | chat_options(option or [])
    is_embedding = resolve_model(model).kind == "embedding"
    service = (Embedder if is_embedding else ChatArguments)(model=model, **arguments)
    rows = _Rows(inputs, is_text=text)
    try:
        run = BatchRun[Any].prepare(
            service, rows, directory, completion_window=completion_window
        )
    except ConfigurationError as error:
        found = _ROW.match(error.message)
        if found is None:
            raise
        rest = error.message[found.end() :]
        raise ConfigurationError(f"{rows.place}{rest}") from None
    _show(output, run)


def submit(
    output: Output, connection: ConnectionOptions, *, directory: _Directory
) -> None:
    """Upload the requests and create the batches, which are paid for.

    It can be stopped and called again: nothing is sent or paid for twice.
    """
    run = _open(output, connection, directory)
    output.note(f"About {run.estimated_tokens:,} input tokens in {run.row_count} rows.")
    run.submit()
    _show(output, run)


def status(
    output: Output,
    connection: ConnectionOptions,
    *,
    directory: _Directory,
    offline: Annotated[
        bool, typer.Option("--offline", help="As last seen, without a request.")
    ] = False,
) -> None:
    """Show how far a run is."""
    run = _open(output, connection, directory)
    if not offline and run.batch_ids:
        run.refresh()
    _show(output, run)


def collect(
    output: Output,
    connection: ConnectionOptions,
    *,
    directory: _Directory,
    wait_timeout: Annotated[
        float | None, typer.Option(help="Seconds to wait. Else no limit.")
    ] = None,
    poll_interval: Annotated[
        float | None, typer.Option(help="Seconds between two looks.")
    ] = None,
    delete_remote: Annotated[
        bool,
        typer.Option(
            "--delete-remote", help="Delete the files of the service afterwards."
        ),
    ] = False,
) -> None:
    """Wait until the batches have ended, and download the results."""
    from modelstudio_core.service_inputs import check_seconds

    check_seconds("--wait-timeout", wait_timeout)
    check_seconds("--poll-interval", poll_interval)
    run = _open(output, connection, directory)
    run.collect(
        timeout=wait_timeout,
        progress=not output.json,
        poll_interval=poll_interval,
        delete_remote=delete_remote,
    )
    _show(output, run)


def results(
    output: Output, connection: ConnectionOptions, *, directory: _Directory
) -> None:
    """Print the rows from disk, a JSON object in each line. Nothing is sent.

    With --json they are one array. The exit code is 1 if a row has no answer.
    """
    run = _open(output, connection, directory)
    complete = True
    for number, row in enumerate(run.results()):
        complete = complete and row.status == "done"
        line = json.dumps(_row(row), ensure_ascii=False)
        before = ("[\n" if number == 0 else ",\n") if output.json else ""
        sys.stdout.write(before + line + ("" if output.json else "\n"))
    if output.json:
        sys.stdout.write("\n]\n" if run.row_count else "[]\n")
    if not complete:
        raise typer.Exit(ExitCode.OTHER)


def cancel(
    output: Output, connection: ConnectionOptions, *, directory: _Directory
) -> None:
    """Cancel the batches. What is answered already is paid for."""
    run = _open(output, connection, directory)
    run.cancel()
    _show(output, run)


def resume(
    output: Output,
    connection: ConnectionOptions,
    *,
    directory: _Directory,
    errors: Annotated[
        bool, typer.Option("--errors", help="Also rows whose error may be temporary.")
    ] = False,
) -> None:
    """Send the rows that have no result again, in new batches, which are paid for."""
    run = _open(output, connection, directory)
    count = run.resume(errors=errors)
    output.note(f"{count} rows were sent.")
    _show(output, run)


def _open(
    output: Output, connection: ConnectionOptions, directory: Path
) -> "BatchRun[Completion]":
    from modelstudio_core.batches import BatchRun

    return BatchRun[Any].open(directory, **connection.arguments(output))


class _Rows:
    """The rows of a file. They are read one by one, so an error is about the last.

    Attributes:
        place: The file and the line of the last row, for errors.
    """

    def __init__(self, path: Path, *, is_text: bool) -> None:
        self.place = str(path)
        self._path = path
        self._is_text = is_text

    def __iter__(self) -> Iterator[object]:
        """Yield the rows.

        Raises:
            ConfigurationError: A line is not JSON, or not UTF-8.
        """
        with self._path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    self.place = f"{self._path}, line {number}"
                    yield self._read(line)

    def _read(self, line: bytes) -> object:
        try:
            row = line.decode().rstrip("\r\n")
            return row if self._is_text else json.loads(row)
        except UnicodeDecodeError as error:
            raise ConfigurationError(
                f"{self.place} is not UTF-8: {error.reason}."
            ) from None
        except ValueError as error:
            raise ConfigurationError(
                f"{self.place} is not JSON: {error}. Pass --text if each line is a"
                " prompt as it is."
            ) from None


def _row(row: "BatchRow[Completion]") -> dict[str, Any]:
    message, usage = row.message, row.usage
    return {
        "index": row.index,
        "status": row.status,
        "answer": message.text if message else None,
        "reasoning": (message.reasoning or None) if message else None,
        "tool_calls": (message.tool_calls or None) if message else None,
        "embedding": row.embedding,
        "finish_reason": row.finish_reason,
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "error": row.error.message if row.error else None,
        "request_id": row.request_id,
    }


def _show(output: Output, run: "BatchRun[Any]") -> None:
    value = {
        "directory": run.directory,
        "id": run.id,
        "status": run.status,
        "model": run.model,
        "region": run.region,
        "rows": run.row_count,
        "estimated_tokens": run.estimated_tokens,
        "batch_ids": run.batch_ids,
        "progress": run.progress,
        "rows_by_status": dict(run.count_rows()),
    }
    text = (
        f"{run.directory}: {run.status}, {run.row_count} rows of {run.model},"
        f" about {run.estimated_tokens:,} input tokens, {dict(run.count_rows())}"
    )
    output.emit(value, lambda: output.console.print(printable(text)))


for _command in (prepare, submit, status, collect, results, cancel, resume):
    commands.command()(command_of(_command))
