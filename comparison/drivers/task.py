"""A task of a driver, what comes of it, and the loop over standard input and output."""

import asyncio
import json
import os
import sys
import warnings
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, TypedDict, TypeVar

__all__ = [
    "MODES",
    "Action",
    "Task",
    "answer",
    "construct",
    "describe",
    "perform",
    "point_sdk_at",
    "run",
    "run_alone",
    "serve",
]

_T = TypeVar("_T")
MODES = ("whole", "awhole", "stream", "astream")
_LONGEST_MESSAGE = 300
_loops: list[asyncio.Runner] = []


class Task(TypedDict):
    """One thing to do with one client.

    Attributes:
        action: The name of what is to be done.
        client: The class, as ``module:name``.
        arguments: What it is made with.
        streaming: What it is made with besides, where a stream is asked for.
        sdk_address: Where the DashScope SDK is to send to, for all of the process.
        parameters: What the action needs to know.
    """

    action: str
    client: str
    arguments: dict[str, Any]
    streaming: dict[str, Any]
    sdk_address: str | None
    parameters: dict[str, Any]


Action = Callable[[Task], object]


def construct(task: Task, more: Mapping[str, Any] | None = None) -> Any:
    """Make the client of a task."""
    module, _, name = task["client"].partition(":")
    return getattr(import_module(module), name)(**task["arguments"], **(more or {}))


def answer(task: Task, actions: Mapping[str, Action]) -> dict[str, Any]:
    """Do a task; what is raised is an outcome like any other."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            point_sdk_at(task["sdk_address"])
            outcome: dict[str, Any] = {"value": actions[task["action"]](task)}
        except Exception as error:  # noqa: BLE001 - that is what is looked at
            outcome = {"error": describe(error)}
    said = {str(it.message).splitlines()[0] for it in caught if _of_user(it)}
    return {**outcome, "warnings": sorted(said)}


def _of_user(warning: warnings.WarningMessage) -> bool:
    return not issubclass(warning.category, DeprecationWarning | ResourceWarning)


def point_sdk_at(address: str | None) -> None:
    """Set the address of the DashScope SDK, which is one for the whole process."""
    if address is not None:
        sdk = import_module("dashscope")
        sdk.base_http_api_url = address  # type: ignore[attr-defined] # its global


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run asynchronous work to its end, in the one event loop of the process."""
    return _loops[-1].run(work) if _loops else run_alone(work)


def run_alone(work: Coroutine[Any, Any, _T]) -> _T:
    """Run asynchronous work to its end, in an event loop of its own."""
    return asyncio.run(work)


def perform(
    modes: Sequence[str], one: Callable[[str], object]
) -> dict[str, dict[str, Any]]:
    """Do the same in each mode; what one of them raises is its own outcome."""
    outcomes: dict[str, dict[str, Any]] = {}
    for mode in modes:
        try:
            outcomes[mode] = {"value": one(mode)}
        except Exception as error:  # noqa: BLE001 - that is what is looked at
            outcomes[mode] = {"error": describe(error)}
    return outcomes


def describe(error: BaseException) -> dict[str, Any]:
    """Return what a user can read from an exception."""
    response = getattr(error, "response", None)
    known: dict[str, Any] = {}
    for name in ("status_code", "code", "request_id", "name"):
        with suppress(Exception):
            known[name] = getattr(error, name, None)
    with suppress(Exception):
        known["status_code"] = known["status_code"] or response.status_code  # type: ignore[union-attr] # None has none
    kinds = [f"{it.__module__}.{it.__qualname__}" for it in type(error).__mro__]
    plain = {k: v for k, v in known.items() if isinstance(v, str | int)}
    text = str(error)[:_LONGEST_MESSAGE]
    return {"type": type(error).__name__, "kinds": kinds, "message": text, **plain}


def serve(actions: Mapping[str, Action]) -> None:
    """Read tasks from standard input, a line each, and write the outcomes."""
    # What a client prints must not come between: it goes to standard error.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    # Some clients keep connections for all of the process: one loop, one scenario
    # excepted.
    with out, asyncio.Runner() as loop:
        _loops.append(loop)
        print(json.dumps({"value": "ready"}), file=out, flush=True)
        for line in sys.stdin:
            outcome = answer(json.loads(line), actions)
            print(json.dumps(outcome, default=str), file=out, flush=True)
