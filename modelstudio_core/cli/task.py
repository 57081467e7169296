"""``modelstudio task``: images, video, recognition: create, wait, list, cancel."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from modelstudio_core.cli.connection_options import (
    ConnectionOptions,
    command_of,
    named_values,
)
from modelstudio_core.cli.reports import Output, printable

if TYPE_CHECKING:
    from modelstudio_core.tasks import Task, TaskResult, TaskSummary

__all__ = ["commands"]

commands: Final = typer.Typer(no_args_is_help=True)

_TaskId = Annotated[str, typer.Argument(help="The id of the task.", metavar="ID")]
_Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="The model id, for the pace of queries, and for a policy of models.",
    ),
]
_Save = Annotated[
    Path | None,
    typer.Option(help="Download the files to this folder.", metavar="FOLDER"),
]
_Timeout = Annotated[
    float | None,
    typer.Option("--wait-timeout", help="Seconds to wait. Else 24 hours."),
]
_PollInterval = Annotated[
    float | None, typer.Option(help="Seconds between two queries.")
]


def create(
    output: Output,
    connection: ConnectionOptions,
    *,
    model: Annotated[str, typer.Option("--model", "-m", help="The model id.")],
    prompt: Annotated[str | None, typer.Argument(help="The text.")] = None,
    image: Annotated[
        list[str] | None,
        typer.Option(help="The URL or path of an image. May be repeated."),
    ] = None,
    url: Annotated[
        list[str] | None,
        typer.Option(help="A file for speech recognition or embeddings."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            help="A parameter, such as size=1024*1024. May be repeated.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    media: Annotated[
        list[str] | None,
        typer.Option(
            help="The URL or path of a medium and what it is, such as"
            " first_frame=cat.png. May be repeated.",
            metavar="TYPE=ADDRESS",
        ),
    ] = None,
    input: Annotated[  # noqa: A002 - the service's name
        list[str] | None,
        typer.Option(
            "--input",
            help="A field of the complete input, instead of the text and the files,"
            " such as style_index=3. May be repeated.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    path: Annotated[
        str | None,
        typer.Option(help="The path of a model that is not in the catalog."),
    ] = None,
    upload_media: Annotated[
        bool,
        typer.Option(
            "--upload-media", help="Upload large files to the temporary storage."
        ),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")
    ] = True,
    save: _Save = None,
    wait_timeout: _Timeout = None,
    poll_interval: _PollInterval = None,
) -> None:
    """Create a task, which is paid for, and wait for what it makes.

    One request creates it, which is never repeated where it may have succeeded. The id
    is printed at once: if the command is stopped, 'modelstudio task wait' goes on.
    """
    from modelstudio_core.tasks import submit

    _check_wait(save, wait_timeout, poll_interval)
    task = submit(
        model=model,
        prompt=prompt,
        images=image or (),
        urls=url or (),
        media=_media(media or []),
        input=named_values("--input", input or []) or None,
        path=path,
        parameters=named_values("--parameter", parameter or []) or None,
        upload_media=upload_media,
        **connection.arguments(output),
    )
    output.note(f"Task {task.id} was created ({task.status}).")
    if wait:
        _finish(output, task, save, wait_timeout, poll_interval)
    else:
        _show_task(output, task)


def wait(
    output: Output,
    connection: ConnectionOptions,
    *,
    task_id: _TaskId,
    model: _Model = "",
    save: _Save = None,
    wait_timeout: _Timeout = None,
    poll_interval: _PollInterval = None,
) -> None:
    """Wait for a task, at the endpoint and with the key that created it."""
    _check_wait(save, wait_timeout, poll_interval)
    task = _bind(output, connection, task_id, model)
    _finish(output, task, save, wait_timeout, poll_interval)


def show(
    output: Output,
    connection: ConnectionOptions,
    *,
    task_id: _TaskId,
    model: _Model = "",
) -> None:
    """Show the status of a task: one query."""
    task = _bind(output, connection, task_id, model)
    task.refresh()
    _show_task(output, task)


def cancel(
    output: Output,
    connection: ConnectionOptions,
    *,
    task_id: _TaskId,
    model: _Model = "",
) -> None:
    """Cancel a task that is still pending."""
    task = _bind(output, connection, task_id, model)
    task.cancel()
    _show_task(output, task)


def list_all(
    output: Output,
    connection: ConnectionOptions,
    *,
    status: Annotated[
        str | None, typer.Option(help="Only tasks with it, such as RUNNING.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Only tasks of this model.")
    ] = None,
    limit: Annotated[int, typer.Option(help="The most tasks.")] = 20,
) -> None:
    """List the tasks of the account in the last 24 hours, of all its keys."""
    from modelstudio_core.tasks import list_tasks

    found = list_tasks(
        status=status, model=model, limit=limit, **connection.arguments(output)
    )
    rows = [_summary(task) for task in found]
    output.emit(rows, lambda: _show_list(output, rows))


def _bind(
    output: Output, connection: ConnectionOptions, task_id: str, model: str
) -> "Task":
    from modelstudio_core.tasks import Task

    return Task.from_id(task_id, model=model, **connection.arguments(output))


def _check_wait(
    save: Path | None, timeout: float | None, poll_interval: float | None
) -> None:
    """Check what is only used at the end, before anything is paid for."""
    from modelstudio_core.service_inputs import check_seconds
    from modelstudio_core.tasks.outputs import make_folder

    check_seconds("--wait-timeout", timeout)
    check_seconds("--poll-interval", poll_interval)
    if save is not None:
        make_folder(save)


def _media(pairs: list[str]) -> list[dict[str, str]]:
    """Return the media of ``TYPE=ADDRESS``. A type may be repeated.

    Raises:
        ConfigurationError: A pair has no type or no address.
    """
    from modelstudio_core.errors import ConfigurationError

    media: list[dict[str, str]] = []
    for pair in pairs:
        kind, _, address = pair.partition("=")
        if not kind or not address:
            raise ConfigurationError(
                f"--media must be TYPE=ADDRESS, got {pair!r:.200}."
            )
        media.append({"type": kind, "url": address})
    return media


def _finish(
    output: Output,
    task: "Task",
    save: Path | None,
    timeout: float | None,
    poll_interval: float | None,
) -> None:
    """Wait for a task and show its result. It goes on if this is stopped."""
    result = task.result(timeout=timeout, poll_interval=poll_interval)
    paths = result.download(save) if save is not None else []
    value = _as_json(task) | _result(result, paths)
    output.emit(value, lambda: _show_result(output, value))


def _as_json(task: "Task") -> dict[str, Any]:
    return {
        "id": task.id,
        "status": task.status,
        "done": task.done,
        "model": task.model or None,
        "region": task.endpoint.region,
        "request_id": task.request_id,
    }


def _result(result: "TaskResult", paths: list[Path]) -> dict[str, Any]:
    return {
        "files": [
            {
                "url": file.url,
                "expires_at": file.expires_at.isoformat() if file.expires_at else None,
                "error": file.error.message if file.error else None,
            }
            for file in result.files
        ],
        "text": result.text or None,
        "usage": dict(result.usage),
        "saved": [str(path) for path in paths],
    }


def _summary(task: "TaskSummary") -> dict[str, Any]:
    return {
        "id": task.id,
        "status": task.status,
        "model": task.model,
        "region": task.region,
        "created_at": task.created_at.isoformat() if task.created_at else None,
        "ended_at": task.ended_at.isoformat() if task.ended_at else None,
        "request_id": task.request_id,
    }


def _show_task(output: Output, task: "Task") -> None:
    value = _as_json(task)
    output.emit(
        value, lambda: output.console.print(printable(f"{task.id} {task.status}"))
    )


def _show_result(output: Output, value: dict[str, Any]) -> None:
    if value["text"]:
        output.console.print(printable(value["text"]))
    for file in value["files"]:
        if file["error"]:
            output.note(f"One file failed: {file['error']}")
        elif not value["saved"]:
            output.console.print(printable(file["url"]))
            output.note(f"The address works until {file['expires_at']}.")
    for path in value["saved"]:
        output.console.print(printable(path))
    output.note(f"[{value['status']}, usage {value['usage']}]")


def _show_list(output: Output, rows: list[dict[str, Any]]) -> None:
    if not rows:
        output.note("There are no tasks.")
    for row in rows:
        created = row["created_at"] or ""
        text = f"{row['id']}  {row['status']:9}  {row['model']}  {created}"
        output.console.print(printable(text))


for _name, _command in (
    ("create", create),
    ("wait", wait),
    ("show", show),
    ("list", list_all),
    ("cancel", cancel),
):
    commands.command(_name)(command_of(_command))
