"""Run a scenario with a client: in its own process, or in this one."""

import json
import os
import select
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.environments import ROOT, interpreter
from comparison.clients import Client, Framework, task_of
from comparison.drivers.task import Task
from comparison.scenario import Scenario
from comparison.verdict import Outcome, Seen, Verdict
from modelstudio_core.emulator import Emulator

__all__ = ["Drive", "Driver", "applies", "judge", "look"]

Drive = Callable[[Task, float], Outcome]
_DRIVERS: Final[Mapping[Framework, str]] = {
    "langchain": "comparison.drivers.for_langchain",
    "llamaindex": "comparison.drivers.for_llamaindex",
}
# Enough to find programs and libraries; no key, no proxy and no tracing.
_LONGEST_START: Final = 120.0
_PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT")


class Driver(AbstractContextManager["Driver"]):
    """A process with one client, started again after it hung or broke down."""

    def __init__(self, client: Client) -> None:
        self._command = [
            str(interpreter(client.environment)),
            "-m",
            _DRIVERS[client.framework],
        ]
        self._home = TemporaryDirectory()
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, task: Task, limit: float) -> Outcome:
        """Do a task, within so many seconds."""
        process = self._process = self._process or self._start()
        assert process.stdin  # noqa: S101 - it is a pipe
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()
        return self._read(process, limit)

    def _read(self, process: subprocess.Popen[str], limit: float) -> Outcome:
        """Read one outcome; a process that hangs or ends is one as well."""
        assert process.stdout  # noqa: S101 - it is a pipe
        ready, _, _ = select.select([process.stdout], [], [], limit)
        line = process.stdout.readline() if ready else ""
        if line:
            outcome: Outcome = json.loads(line)
            return outcome
        self._stop()
        kind = "Crash" if ready else "Timeout"
        words = "the process ended" if ready else f"nothing within {limit:.0f} seconds"
        return {"error": {"type": kind, "kinds": [], "message": words}}

    def _start(self) -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if k in _PASSED_ON}
        process = subprocess.Popen(  # noqa: S603 - our own command
            self._command,
            cwd=ROOT,
            env={**environment, "HOME": self._home.name, "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        # Imports take their time, which is not the scenario's.
        if "error" in self._read(process, _LONGEST_START):
            raise RuntimeError(f"The driver does not start: {self._command}")
        return process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._home.cleanup()


def look(
    client: Client, scenario: Scenario, drive: Drive, arguments: Mapping[str, Any]
) -> Seen:
    """Let a client do a scenario with a server of its own."""
    parameters: dict[str, Any] = {**scenario.parameters, **scenario.by_client(client)}
    if arguments:
        parameters["arguments"] = {**parameters.get("arguments", {}), **arguments}
    with Emulator() as studio:
        studio.script(*scenario.script(client))
        task = task_of(client, studio, scenario.action, parameters)
        outcome = drive(task, scenario.limit)
        return Seen(client, outcome, tuple(studio.requests))


def judge(client: Client, scenario: Scenario, drive: Drive) -> Verdict:
    """Make the verdict on one client in one scenario."""
    found = scenario.judge(look(client, scenario, drive, {}))
    option: Mapping[str, Any] = getattr(client, scenario.option or "", None) or {}
    if not option or found.word == "kept":
        return found
    again = scenario.judge(look(client, scenario, drive, option))
    if again.word != "kept":
        return found
    return Verdict("by option", f"With `{_call(option)}`; else: {found.evidence}")


def _call(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def applies(client: Client, scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return the scenarios that make sense for a client."""
    return [it for it in scenarios if client.framework in it.frameworks]
