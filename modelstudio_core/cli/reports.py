"""What a command prints: text for people, or one JSON value; and its errors."""

import json
import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Final, TextIO, cast

import typer

from modelstudio_core.cli.exit_codes import (
    ExitCode,
    Failure,
    describe_failure,
)
from modelstudio_core.cli.wording import in_words_of_the_command, joined_sentences
from modelstudio_core.errors import (
    ModelDeprecationWarning,
    ModelStudioError,
    ModelStudioWarning,
)

if TYPE_CHECKING:
    from rich.console import Console

    from modelstudio_core.endpoints import Endpoint

__all__ = [
    "USAGE_ERROR",
    "Output",
    "OutputOptions",
    "printable",
    "reporting",
    "show_error",
    "write_usage_error",
]

# Of the errors about a command line, typer exports few: this class has them all.
USAGE_ERROR: Final = cast("type[typer.BadParameter]", typer.BadParameter.__bases__[0])

# Control characters but line ends and tabs: they could change what a terminal shows.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """The options of every command."""

    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON value on stdout.")
    ] = False
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show retries, and a traceback of errors.")
    ] = False


class Output:
    """Where a command prints.

    Attributes:
        json: Whether stdout gets one JSON value.
        verbose: Whether errors have a traceback.
        served_elsewhere: The regions of the model, if they do not include the one that
            is called, for the exit code.
    """

    def __init__(self, options: OutputOptions) -> None:
        """Print as the options say."""
        self.json = options.json
        self.verbose = options.verbose
        self.served_elsewhere = ""

    @cached_property
    def console(self) -> "Console":
        """Standard output, for people."""
        from rich.console import Console

        return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)

    @cached_property
    def notes(self) -> "Console":
        """Standard error."""
        from rich.console import Console

        return Console(
            stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True
        )

    def note(self, text: str) -> None:
        """Print a line on standard error."""
        self.notes.print(printable(text))

    def emit(self, value: object, show: Callable[[], None]) -> None:
        """Print the result.

        Args:
            value: What ``--json`` prints.
            show: Prints it for people.
        """
        if self.json:
            _write_json(value, sys.stdout)
        else:
            show()

    def expect_model(self, model: str, endpoint: "Endpoint") -> None:
        """Note which model is used where, so that a 404 can be explained.

        Args:
            model: The model id that is sent.
            endpoint: Where requests go.
        """
        from modelstudio_core.catalog import resolve_model

        regions = resolve_model(model).regions
        if endpoint.is_documented and regions and endpoint.region not in regions:
            self.served_elsewhere = ", ".join(regions)


def printable(text: str) -> str:
    r"""Return a text with its control characters escaped.

    Answers and error messages are written by others: they must not control a terminal.

    Example:
        >>> printable("red \x1b[31m")
        'red \\x1b[31m'
    """
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


@contextmanager
def reporting(options: OutputOptions) -> Generator[Output]:
    """Run the body of a command: errors end in one sentence and an exit code.

    Args:
        options: The options of the command.

    Raises:
        typer.Exit: The command failed.
    """
    output = Output(options)
    with warnings.catch_warnings(), _log_shown(output):
        for category in (ModelStudioWarning, ModelDeprecationWarning):
            warnings.simplefilter("always", category)
        warnings.showwarning = _warning_printer(output)
        try:
            yield output
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            raise typer.Exit(_INTERRUPTED) from None
        except BrokenPipeError:
            # The reader has gone. Python would complain about the rest at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.OTHER) from None
        except Exception as error:  # noqa: BLE001 - whatever it is, no traceback
            code = _report(output, error)
            raise typer.Exit(code) from None


def show_error(output: Output, error: Exception) -> Failure:
    """Print an error on standard error, with a traceback if the output is verbose.

    Args:
        output: Where to print.
        error: The error.

    Returns:
        How the command failed.
    """
    failure = describe_failure(error, served_elsewhere=output.served_elsewhere)
    if output.verbose:
        lines = traceback.format_exception(error)
        sys.stderr.write(_hidden("".join(lines)))
    output.note(joined_sentences("Error:", _message_of(error), failure.advice))
    return failure


def _report(output: Output, error: Exception) -> ExitCode:
    """Print an error, and return its exit code."""
    failure = show_error(output, error)
    if output.json:
        _write_error(error, _message_of(error), failure)
    return failure.code


def write_usage_error(error: typer.BadParameter) -> None:
    """Print an error about the command line as JSON; typer prints it for people.

    Args:
        error: The error.
    """
    _write_error(error, _hidden(error.format_message()), Failure(ExitCode.USAGE))


def _write_error(error: Exception, message: str, failure: Failure) -> None:
    facts = error if isinstance(error, ModelStudioError) else ModelStudioError("")
    value = {
        "error": {
            "class": type(error).__name__,
            "message": message,
            "advice": failure.advice,
            "status_code": facts.status_code,
            "code": facts.code,
            "request_id": facts.request_id,
            "region": facts.region,
        },
        "exit_code": int(failure.code),
    }
    _write_json(value, sys.stdout)


def _message_of(error: Exception) -> str:
    if isinstance(error, ModelStudioError):
        return _hidden(in_words_of_the_command(str(error)))
    if isinstance(error, ImportError):
        return str(error)
    if isinstance(error, OSError):
        return _hidden(f"{error.strerror or error}{_file_of(error)}.")
    return _hidden(
        f"{type(error).__name__}: {error}. This may be an error of the command: run it"
        " again with --verbose."
    )


def _file_of(error: OSError) -> str:
    return f": {error.filename}" if error.filename else ""


def _hidden(text: str) -> str:
    """Return a text without the key and without what looks like one."""
    from modelstudio_core.endpoints import api_key_from_environment
    from modelstudio_core.secrets import hide_keys

    return hide_keys(text, [api_key_from_environment() or ""])


def _write_json(value: object, file: TextIO) -> None:
    file.write(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
    file.flush()


def _warning_printer(output: Output) -> Callable[..., None]:
    def show(message: Warning | str, *_: object, **__: object) -> None:
        output.note(f"Warning: {message}")

    return show


@contextmanager
def _log_shown(output: Output) -> Generator[None]:
    """Show the log of this package on standard error, if the output is verbose."""
    logger, handler = logging.getLogger("modelstudio"), logging.StreamHandler()
    level = logger.level
    if output.verbose:
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
