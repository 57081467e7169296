"""The saved state of a task: it binds the task to its endpoint and its key.

A state is a file that others may have written. Its signature is made with the API key,
so that a change of where the key would be sent is noticed before anything is sent.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from hmac import compare_digest
from typing import Any, Final

from modelstudio_core.errors import ConfigurationError, TaskFailedError
from modelstudio_core.saved_endpoints import SCOPE, saved_endpoint
from modelstudio_core.secrets import sign
from modelstudio_core.tasks.answers import TaskFile
from modelstudio_core.tasks.options import connect
from modelstudio_core.tasks.outputs import TaskResult
from modelstudio_core.transport.connection import Connection
from modelstudio_core.wire.json_values import object_of, objects_of, text_of
from modelstudio_core.wire.refusals import ErrorContext

__all__ = [
    "connect_as_saved",
    "load_result",
    "save_binding",
    "save_result",
    "saved_binding",
    "saved_time",
]

_KIND: Final = "modelstudio.task"
_VERSION: Final = 1
_BOUND: Final = ("kind", "version", "id", "model", "base_url", *SCOPE)


def save_binding(
    task_id: str, model: str, connection: Connection, api_key: str
) -> dict[str, Any]:
    """Return what binds a task to its endpoint and its key, without the key.

    Args:
        task_id: The id of the task.
        model: The model id; empty if it is not known.
        connection: How the task was created.
        api_key: The key that created it.
    """
    endpoint = connection.endpoint
    binding: dict[str, Any] = {
        "kind": _KIND,
        "version": _VERSION,
        "id": task_id,
        "model": model,
        "base_url": endpoint.dashscope_base_url,
        "region": endpoint.region,
        "mode": endpoint.mode,
        "workspace": endpoint.workspace,
    }
    return {**binding, "signature": _signature(binding, api_key)}


def saved_binding(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a checked state that ``save_binding`` made.

    Args:
        state: The state of a task.
    """
    return {name: state.get(name) for name in (*_BOUND, "signature")}


def _signature(state: Mapping[str, Any], api_key: str) -> str:
    return sign(api_key, json.dumps([state.get(name) for name in _BOUND]))


def connect_as_saved(
    state: Mapping[str, Any], options: Mapping[str, Any]
) -> Connection:
    """Return the connection to the endpoint of a state.

    Args:
        state: The state of a task.
        options: The connection arguments of the caller, by name.

    Raises:
        ConfigurationError: It is no state of a task, it was changed, it belongs to
            another key, an argument contradicts it, or its address is neither
            documented nor loopback and was not passed as ``base_url=``.
    """
    if not isinstance(state, Mapping) or state.get("kind") != _KIND:
        raise ConfigurationError(
            "state must be what Task.to_dict() returned, a mapping."
        )
    if state.get("version") != _VERSION:
        raise ConfigurationError(
            f"The state has version {state.get('version')!r:.20}, and this release"
            f" reads version {_VERSION}: use the release that wrote it."
        )
    model = text_of(state, "model") or ""
    saved = {name: state.get(name) for name in SCOPE}
    saved["base_url"] = text_of(state, "base_url")
    saved_endpoint(saved, options, api="dashscope", noun="task")
    connection = connect({**options, **saved}, model)
    signature = (text_of(state, "signature") or "").encode(errors="replace")
    if not compare_digest(signature, _signature(state, connection.ask_key()).encode()):
        raise ConfigurationError(
            "The state was changed after it was written, or the task was created with"
            " another API key. A task is bound to its endpoint and key: pass the key"
            " that created it, or use Task.from_id() with an endpoint that you trust."
        )
    return connection


def saved_time(state: Mapping[str, Any], name: str) -> datetime | None:
    """Return a time of a state; None if it is missing.

    Args:
        state: The state.
        name: The name of the field.

    Raises:
        ConfigurationError: It is no time.
    """
    text = state.get(name)
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise ConfigurationError(f"{name} of the state is not a time with a zone.")
    return time


# --- Results of calls that were answered at once ------------------------------------


def save_result(result: TaskResult | None) -> dict[str, Any] | None:
    """Return a result that cannot be queried again, without the prompt.

    Args:
        result: The result.
    """
    if result is None:
        return None
    files = [
        {
            "url": file.url,
            "expires_at": file.expires_at.isoformat() if file.expires_at else None,
            "code": file.error.code if file.error else None,
            "message": file.error.message if file.error else None,
        }
        for file in result.files
    ]
    return {"files": files, "text": result.text, "usage": {**result.usage}}


def load_result(
    state: Mapping[str, Any], connection: Connection, context: ErrorContext
) -> TaskResult | None:
    """Return the result of a state; None for a task, which can be queried.

    Args:
        state: The state.
        connection: How to reach the service.
        context: The facts of the request that errors report.

    Raises:
        ConfigurationError: A time in it is invalid.
    """
    saved = state.get("answer")
    if not isinstance(saved, Mapping):
        return None
    answer = object_of(state, "answer")
    return TaskResult(
        task_id=str(state.get("id")),
        files=tuple(_load_file(file) for file in objects_of(answer, "files")),
        text=text_of(answer, "text") or "",
        usage=object_of(answer, "usage"),
        raw=answer,
        _connection=connection,
        _context=context,
    )


def _load_file(file: Mapping[str, Any]) -> TaskFile:
    message = text_of(file, "message")
    error = (
        TaskFailedError(message, code=text_of(file, "code"), body=dict(file))
        if message
        else None
    )
    return TaskFile(text_of(file, "url"), saved_time(file, "expires_at"), error, file)
