"""The commands of ``modelstudio``, and how the command line is run."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typing_extensions import override

from modelstudio_core._version import __version__
from modelstudio_core.cli import (
    batch,
    chat,
    doctor,
    embed,
    emulator,
    endpoints,
    models,
    task,
)
from modelstudio_core.cli.connection_options import command_of
from modelstudio_core.cli.exit_codes import ExitCode
from modelstudio_core.cli.reports import (
    USAGE_ERROR,
    OutputOptions,
    reporting,
    write_usage_error,
)
from modelstudio_core.endpoints import API_KEY_VARIABLE
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.secrets import holds_key

__all__ = ["run"]

_HELP: Final = (
    "Alibaba Cloud Model Studio on a terminal.\n\n"
    f"The API key comes from {API_KEY_VARIABLE} or from --api-key-file, never from the"
    " command line. Begin with: modelstudio doctor"
)
_EPILOG: Final = (
    "Exit codes: 0 done, 1 other, 2 usage or configuration, 3 key refused, 4 wrong"
    " region or mode, 5 model missing or not granted, 6 network, 7 quota or balance."
)

_KEY_IN_ARGUMENTS: Final = (
    "an argument looks like an API key. Other users see it in the list of processes,"
    " and the shell keeps it in its history: remove it there, and set"
    f" {API_KEY_VARIABLE} or pass --api-key-file. (A prompt that holds one can be"
    " piped.)"
)
# Where a context keeps whether the command line has --json.
_JSON: Final = "modelstudio.json"


class _Group(TyperGroup):
    """The command line, whose wrong use is JSON where that is asked for."""

    @override
    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: Any = None,
        **extra: Any,
    ) -> Any:
        """Read the options before a command."""
        asks_for_json = _asks_for_json(args)
        with _usage_reported(asks_for_json=asks_for_json):
            context = super().make_context(info_name, args, parent, **extra)
        context.meta[_JSON] = asks_for_json
        return context

    @override
    def invoke(self, ctx: Any) -> Any:
        """Read the options of a command, and run it."""
        with _usage_reported(asks_for_json=ctx.meta[_JSON]):
            return super().invoke(ctx)


@contextmanager
def _usage_reported(*, asks_for_json: bool) -> Generator[None]:
    try:
        yield
    except USAGE_ERROR as error:
        if asks_for_json:
            write_usage_error(error)
        raise


def _asks_for_json(arguments: Sequence[str]) -> bool:
    return "--json" in [*takewhile(lambda argument: argument != "--", arguments)]


_application: Final = typer.Typer(
    name="modelstudio",
    cls=_Group,
    help=_HELP,
    epilog=_EPILOG,
    no_args_is_help=True,
    # Errors are reported by the commands. A traceback with the values of variables
    # could contain the key.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (
    doctor.doctor,
    endpoints.endpoints,
    models.models,
    chat.chat,
    embed.embed,
    emulator.emulator,
):
    _application.command()(command_of(_command))


_application.add_typer(
    task.commands,
    name="task",
    help="Create images, video and more; wait, list, cancel.",
)
_application.add_typer(
    batch.commands,
    name="batch",
    help="Many rows at half the price, within hours, as a directory on disk.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@_application.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    del version


def run(arguments: Sequence[str]) -> int:
    """Run a command line.

    Args:
        arguments: The arguments, without the name of the command.

    Returns:
        The exit code.
    """
    try:
        if any(map(holds_key, arguments)):
            with reporting(OutputOptions(json=_asks_for_json(arguments))):
                raise ConfigurationError(_KEY_IN_ARGUMENTS)
        _application(args=list(arguments), prog_name="modelstudio")
    except typer.Exit as end:
        return int(end.exit_code)
    except SystemExit as end:
        return int(end.code or 0)
    return ExitCode.DONE
