"""Procedures: several requests, with work on files between them, written once.

A procedure is a generator that yields actions (a request, a download, a pause) and gets
their answers. It runs synchronously or asynchronously; then its own code, which may
read and write files, runs in threads.
"""

import asyncio
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from inspect import GEN_CREATED, getgeneratorstate
from pathlib import Path
from typing import Generic, TypeVar, assert_never

from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.fetch import (
    JsonAnswer,
    adownload,
    afetch,
    download,
    fetch,
)
from modelstudio_core.transport.requests import HttpRequest
from modelstudio_core.transport.threads import finish_in_thread
from modelstudio_core.wire.refusals import ErrorContext

__all__ = ["Download", "Fetch", "Procedure", "Sleep", "arun", "run"]

_T = TypeVar("_T")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Fetch:
    """Send a request; its answer is a JSON object.

    Attributes:
        request: What to send.
    """

    request: HttpRequest


@dataclass(frozen=True, slots=True)
class Download:
    """Send a request and write the body of its response to a file.

    Attributes:
        request: What to send.
        to: The path of the file.
    """

    request: HttpRequest
    to: Path


@dataclass(frozen=True, slots=True)
class Sleep:
    """Do nothing for some time.

    Attributes:
        seconds: How long.
    """

    seconds: float


Action = Fetch | Download | Sleep
# An action is answered by the JSON object of a request, else by an empty one.
Procedure = Generator[Action, JsonAnswer, _T]
_NOTHING = JsonAnswer({}, None, {})


@dataclass(frozen=True, slots=True)
class _Returned(Generic[_Result]):
    value: _Result


def run(
    connection: Connection, context: ErrorContext, procedure: "Procedure[_T]"
) -> _T:
    """Run a procedure to its end.

    An error of an action is raised inside the procedure.

    Args:
        connection: How to reach the service.
        context: The facts of the requests that errors report.
        procedure: The procedure, which has not begun.

    Returns:
        What the procedure returns.
    """
    answer, errors = _NOTHING, list[Exception]()
    with closing(procedure):
        while not isinstance(action := _advance(procedure, answer, errors), _Returned):
            try:
                answer = _do(connection, context, action)
            except Exception as error:  # noqa: BLE001 - the procedure decides
                errors.append(error)
        return action.value


async def arun(
    connection: Connection, context: ErrorContext, procedure: "Procedure[_T]"
) -> _T:
    """Async version of ``run``. The code between two actions runs in a thread."""
    answer, errors = _NOTHING, list[Exception]()
    with closing(procedure):
        while not isinstance(
            action := await _in_thread(procedure, answer, errors), _Returned
        ):
            try:
                answer = await _ado(connection, context, action)
            except Exception as error:  # noqa: BLE001 - the procedure decides
                errors.append(error)
        return action.value


async def _in_thread(
    procedure: "Procedure[_T]", answer: JsonAnswer, errors: list[Exception]
) -> Action | _Returned[_T]:
    """Advance in a thread, to whose end a procedure cannot be closed."""
    return await finish_in_thread(partial(_advance, procedure, answer, errors))


def _advance(
    procedure: "Procedure[_T]", answer: JsonAnswer, errors: list[Exception]
) -> Action | _Returned[_T]:
    """Continue a procedure until its next action, or until it returns."""
    try:
        if errors:
            return procedure.throw(errors.pop())
        if getgeneratorstate(procedure) == GEN_CREATED:
            return next(procedure)
        return procedure.send(answer)
    except StopIteration as stop:
        return _Returned(stop.value)


def _do(connection: Connection, context: ErrorContext, action: Action) -> JsonAnswer:
    match action:
        case Fetch(request):
            return fetch(connection, request, context)
        case Download(request, to):
            download(connection, request, to, context)
        case Sleep(seconds):
            time.sleep(seconds)
        case _:
            assert_never(action)
    return _NOTHING


async def _ado(
    connection: Connection, context: ErrorContext, action: Action
) -> JsonAnswer:
    match action:
        case Fetch(request):
            return await afetch(connection, request, context)
        case Download(request, to):
            await adownload(connection, request, to, context)
        case Sleep(seconds):
            await asyncio.sleep(seconds)
        case _:
            assert_never(action)
    return _NOTHING
