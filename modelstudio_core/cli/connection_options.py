"""The options of a connection, as the constructor's arguments; and groups of options.

There is no option for the key: a command line is in the process list and in the history
of the shell. It comes from the environment or from a file.
"""

import inspect
import json
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Final, cast, get_type_hints

import typer

from modelstudio_core import endpoints
from modelstudio_core.cli.reports import Output, OutputOptions, reporting
from modelstudio_core.errors import ConfigurationError

__all__ = [
    "ChatOptionsOption",
    "ConnectionOptions",
    "chat_options",
    "command_of",
    "named_values",
    "read_key",
]

_PANEL: Final = "Connection"
# No key is longer; a file that is, is another one.
_MAX_KEY_BYTES: Final = 4096


def _option(*names: str, help: str, metavar: str | None = None) -> Any:  # noqa: A002 - typer's name
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=_PANEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """How to reach the service: the options of each command that calls it."""

    region: Annotated[
        str | None,
        _option(
            "--region",
            help="Region id or alias, such as 'frankfurt'. Else"
            f" {endpoints.REGION_VARIABLE}.",
            metavar="NAME",
        ),
    ] = None
    mode: Annotated[
        str | None,
        _option(
            "--mode",
            help=f"Deployment mode, such as 'eu'. Else {endpoints.MODE_VARIABLE}.",
            metavar="NAME",
        ),
    ] = None
    workspace: Annotated[
        str | None,
        _option(
            "--workspace",
            help=f"Workspace id. Else {endpoints.WORKSPACE_VARIABLES[0]}.",
            metavar="ID",
        ),
    ] = None
    base_url: Annotated[
        str | None,
        _option("--base-url", help="A custom base URL, such as a gateway's."),
    ] = None
    protocol: Annotated[
        str | None,
        _option("--protocol", help="'openai' or 'dashscope'.", metavar="NAME"),
    ] = None
    api_key_file: Annotated[
        Path | None,
        _option(
            "--api-key-file",
            help=f"A file that holds the API key. Else {endpoints.API_KEY_VARIABLE}.",
            metavar="PATH",
        ),
    ] = None
    timeout: Annotated[
        float | None,
        _option("--timeout", help="Seconds to wait for the next bytes."),
    ] = None
    total_timeout: Annotated[
        float | None,
        _option("--total-timeout", help="Seconds for a whole answer, with retries."),
    ] = None
    max_retries: Annotated[
        int | None,
        _option("--max-retries", help="How often a failed request is repeated."),
    ] = None
    allow_insecure_http: Annotated[
        bool,
        _option("--allow-insecure-http", help="Allow plain http beyond this machine."),
    ] = False

    def arguments(self, output: Output) -> dict[str, Any]:
        """Return the options that were given, as arguments of the constructor.

        Args:
            output: Where a warning about the file of the key is printed.

        Raises:
            ConfigurationError: The file of the key cannot be used.
        """
        values = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) is not None
            and getattr(self, field.name) is not False
        }
        path = values.pop("api_key_file", None)
        if path is not None:
            values["api_key"] = read_key(path, output)
        return values


def read_key(path: Path, output: Output) -> str:
    """Return the API key in a file.

    Args:
        path: The file. White space around the key is ignored.
        output: Where a warning is printed if others can read the file.

    Raises:
        ConfigurationError: The file cannot be read, is empty, or holds something else.
    """
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            content = file.read(_MAX_KEY_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(
            f"--api-key-file cannot be read: {error.strerror}: {path}."
        ) from None
    words = content.decode(errors="replace").split()
    if len(words) != 1 or len(content) > _MAX_KEY_BYTES:
        raise ConfigurationError(
            f"--api-key-file must hold one API key and nothing else: {path}."
        )
    if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
        output.note(
            f"Warning: other users may read the key in {path}. Run: chmod 600 {path}"
        )
    return words[0]


# --- Values by name ---------------------------------------------------------------

ChatOptionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        "-o",
        help="Another argument of the chat classes, such as top_p=0.5 or"
        " enable_search=true. May be repeated.",
        metavar="NAME=VALUE",
    ),
]


def named_values(option: str, pairs: Iterable[str]) -> dict[str, Any]:
    """Return the values of ``NAME=VALUE``. A value is JSON, else a string.

    Args:
        option: The option, for the error.
        pairs: What was passed.

    Raises:
        ConfigurationError: A pair has no name or no value.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise ConfigurationError(f"{option} must be NAME=VALUE, got {pair!r}.")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values


def chat_options(pairs: Iterable[str]) -> dict[str, Any]:
    """Return the arguments of a chat model that ``--option`` has.

    Args:
        pairs: What was passed.

    Raises:
        ConfigurationError: A pair is malformed, or is an argument of the connection.
    """
    from modelstudio_core.connection_arguments import ConnectionArguments

    values = named_values("--option", pairs)
    for name in values:
        if name in {*ConnectionArguments.model_fields, "model"}:
            raise ConfigurationError(
                f"--option {name} is an option of its own, or not one of the command."
            )
    return values


# --- Groups of options ------------------------------------------------------------


def command_of(function: Callable[..., None]) -> Callable[..., None]:
    """Return a function as typer takes it, from a command whose options are in groups.

    An argument whose type is ``ConnectionOptions`` becomes the options of that class.
    Each of its fields has a default. The argument ``output`` becomes ``--json`` and
    ``--verbose``; errors are reported.

    Args:
        function: The command. Its first argument is ``output``.
    """
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    groups: dict[str, type[Any]] = {
        parameter.name: ConnectionOptions
        for parameter in parameters
        if hints[parameter.name] is ConnectionOptions
    }
    own = [
        parameter.replace(annotation=hints[parameter.name])
        for parameter in parameters
        if parameter.name not in groups
    ]
    expanded = [
        *own,
        *(option for group in groups.values() for option in _options_of(group)),
        *_options_of(OutputOptions),
    ]

    def run(**values: Any) -> None:
        with reporting(_collect(OutputOptions, values)) as output:
            options = {name: _collect(cls, values) for name, cls in groups.items()}
            function(output, **values, **options)

    run.__name__ = function.__name__
    run.__doc__ = _unwrapped(function.__doc__ or "")
    run.__annotations__ = {option.name: option.annotation for option in expanded}
    signature = inspect.Signature(expanded, return_annotation=None)
    cast("Any", run).__signature__ = signature
    return run


def _unwrapped(text: str) -> str:
    """Return a docstring with a line for each paragraph: a terminal wraps it itself."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)


def _options_of(group: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
    ]


def _collect(group: type[Any], values: dict[str, Any]) -> Any:
    """Take the options of a group out of all values, and return its object."""
    return group(**{field.name: values.pop(field.name) for field in fields(group)})
