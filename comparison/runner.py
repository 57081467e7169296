"""Run a scenario with a client, in the client's process or in this one."""

import json
import select
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Self

from benchmarks.environments import interpreter, start_python
from comparison.clients import Client, Framework, build_task
from comparison.drivers.task import Task
from comparison.scenario import Scenario
from comparison.verdict import Observation, Outcome, Verdict
from modelstudio_core.emulator import Emulator

__all__ = [
    "ClientProcess",
    "RunTask",
    "judge_scenario",
    "observe",
    "select_scenarios",
]

RunTask = Callable[[Task, float], Outcome]
_DRIVERS: Final[Mapping[Framework, str]] = {
    "langchain": "comparison.drivers.for_langchain",
    "llamaindex": "comparison.drivers.for_llamaindex",
}
# Imports take long on a busy machine.
_START_LIMIT: Final = 120.0


class ClientProcess(AbstractContextManager["ClientProcess"]):
    """A process with one client, which is started again after it hung or crashed."""

    def __init__(self, client: Client) -> None:
        self._python = interpreter(client.environment)
        self._driver = _DRIVERS[client.framework]
        self._home = TemporaryDirectory()
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, task: Task, limit: float) -> Outcome:
        """Run a task.

        Args:
            task: The task.
            limit: The number of seconds after which the client counts as hanging.

        Returns:
            What the driver returned. A process that hangs or ends is an error.
        """
        process = self._process = self._process or self._start()
        assert process.stdin  # noqa: S101 - it is a pipe
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()
        return self._read(process, limit)

    def _read(self, process: subprocess.Popen[str], limit: float) -> Outcome:
        assert process.stdout  # noqa: S101 - it is a pipe
        ready, _, _ = select.select([process.stdout], [], [], limit)
        line = process.stdout.readline() if ready else ""
        if line:
            outcome: Outcome = json.loads(line)
            return outcome
        self._stop()
        kind = "Crash" if ready else "Timeout"
        text = "the process ended" if ready else f"nothing within {limit:.0f} seconds"
        return {"error": {"type": kind, "kinds": [], "message": text}}

    def _start(self) -> subprocess.Popen[str]:
        process = start_python(self._python, "-m", self._driver, HOME=self._home.name)
        if "error" in self._read(process, _START_LIMIT):
            raise RuntimeError(f"The driver does not start: {process.args!r}")
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


def observe(
    client: Client,
    scenario: Scenario,
    run_task: RunTask,
    arguments: Mapping[str, Any] | None = None,
) -> Observation:
    """Run a scenario with a client and a new server, and return what was observed.

    Args:
        client: The client.
        scenario: The scenario.
        run_task: Runs a task within a number of seconds.
        arguments: More constructor arguments.
    """
    parameters: dict[str, Any] = {**scenario.parameters, **scenario.by_client(client)}
    if arguments:
        parameters["arguments"] = {**parameters.get("arguments", {}), **arguments}
    with Emulator() as studio:
        studio.script(*scenario.script(client))
        task = build_task(client, studio, scenario.action, parameters)
        outcome = run_task(task, scenario.limit)
        return Observation(client, outcome, tuple(studio.requests))


def judge_scenario(client: Client, scenario: Scenario, run_task: RunTask) -> Verdict:
    """Return the verdict on a client in a scenario.

    Args:
        client: The client.
        scenario: The scenario.
        run_task: Runs a task within a number of seconds.
    """
    verdict = scenario.judge(observe(client, scenario, run_task))
    option: Mapping[str, Any] = getattr(client, scenario.option or "", None) or {}
    if not option or verdict.word == "kept":
        return verdict
    with_option = scenario.judge(observe(client, scenario, run_task, option))
    if with_option.word != "kept":
        return verdict
    arguments = ", ".join(f"{name}={value!r}" for name, value in option.items())
    return Verdict("by option", f"With `{arguments}`; else: {verdict.evidence}")


def select_scenarios(client: Client, scenarios: Sequence[Scenario]) -> list[Scenario]:
    """Return the scenarios that make sense for a client.

    Args:
        client: The client.
        scenarios: The scenarios to select from.
    """
    return [
        scenario for scenario in scenarios if client.framework in scenario.frameworks
    ]
