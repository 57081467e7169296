"""The tasks of a driver, their outcomes, and the loop that runs them."""

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
    "Action",
    "Task",
    "construct",
    "describe_error",
    "run",
    "run_in_new_loop",
    "run_modes",
    "run_task",
    "serve",
    "set_sdk_url",
]

_T = TypeVar("_T")
_MAX_LENGTH = 300
_loops: list[asyncio.Runner] = []


class Task(TypedDict):
    """An action for one client.

    Attributes:
        action: The name of the action.
        client: The class, as ``module:name``.
        arguments: The constructor's arguments.
        streaming: More constructor arguments, for streams.
        sdk_url: The URL of the DashScope SDK for the process, if it needs one.
        parameters: The parameters of the action.
    """

    action: str
    client: str
    arguments: dict[str, Any]
    streaming: dict[str, Any]
    sdk_url: str | None
    parameters: dict[str, Any]


Action = Callable[[Task], object]


def construct(task: Task, more: Mapping[str, Any] | None = None) -> Any:
    """Construct the client of a task, with more arguments if there are any."""
    module, _, name = task["client"].partition(":")
    return getattr(import_module(module), name)(**task["arguments"], **(more or {}))


def run_task(task: Task, actions: Mapping[str, Action]) -> dict[str, Any]:
    """Run a task, and return its value or error and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            set_sdk_url(task["sdk_url"])
            outcome: dict[str, Any] = {"value": actions[task["action"]](task)}
        except Exception as error:  # noqa: BLE001 - exceptions are outcomes too
            outcome = {"error": describe_error(error)}
    lines = {
        str(warning.message).splitlines()[0]
        for warning in caught
        if _is_for_users(warning)
    }
    return {**outcome, "warnings": sorted(lines)}


def _is_for_users(warning: warnings.WarningMessage) -> bool:
    return not issubclass(warning.category, DeprecationWarning | ResourceWarning)


def set_sdk_url(url: str | None) -> None:
    """Set the URL of the DashScope SDK, which has one for the process."""
    if url is not None:
        sdk = import_module("dashscope")
        sdk.base_http_api_url = url  # type: ignore[attr-defined] # a global variable


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine in the event loop of the process."""
    return _loops[-1].run(coroutine) if _loops else run_in_new_loop(coroutine)


def run_in_new_loop(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine in a new event loop."""
    return asyncio.run(coroutine)


def run_modes(
    modes: Sequence[str], run_mode: Callable[[str], object]
) -> dict[str, dict[str, Any]]:
    """Return the value or error of each mode."""
    outcomes: dict[str, dict[str, Any]] = {}
    for mode in modes:
        try:
            outcomes[mode] = {"value": run_mode(mode)}
        except Exception as error:  # noqa: BLE001 - exceptions are outcomes too
            outcomes[mode] = {"error": describe_error(error)}
    return outcomes


def describe_error(error: BaseException) -> dict[str, Any]:
    """Return what a user can read from an exception."""
    response = getattr(error, "response", None)
    attributes: dict[str, Any] = {}
    for name in ("status_code", "code", "request_id", "name"):
        with suppress(Exception):
            attributes[name] = getattr(error, name, None)
    with suppress(Exception):
        status = attributes["status_code"] or response.status_code  # type: ignore[union-attr] # None has none
        attributes["status_code"] = status
    return {
        "type": type(error).__name__,
        "kinds": [
            f"{cls.__module__}.{cls.__qualname__}" for cls in type(error).__mro__
        ],
        "message": str(error)[:_MAX_LENGTH],
        **{k: v for k, v in attributes.items() if isinstance(v, str | int)},
    }


def serve(actions: Mapping[str, Action]) -> None:
    """Read tasks from standard input, one per line, and write their outcomes."""
    # What a client prints goes to standard error.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    # Some clients keep connections for the process: all scenarios but the one about
    # two event loops share a loop.
    with output, asyncio.Runner() as loop:
        _loops.append(loop)
        print(json.dumps({"value": "ready"}), file=output, flush=True)
        for line in sys.stdin:
            outcome = run_task(json.loads(line), actions)
            print(json.dumps(outcome, default=str), file=output, flush=True)
