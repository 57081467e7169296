"""Run a scenario with a client, in the client's process or in this one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from comparison.clients import Client, Framework, build_task
from comparison.process import DriverProcess, RunTask
from comparison.scenario import Scenario
from comparison.verdict import Observation, Verdict
from modelstudio_core.emulator import Emulator

__all__ = [
    "judge_scenario",
    "observe",
    "select_scenarios",
    "start_client",
]

_DRIVERS: Final[Mapping[Framework, str]] = {
    "langchain": "comparison.drivers.for_langchain",
    "llamaindex": "comparison.drivers.for_llamaindex",
}


def start_client(client: Client) -> DriverProcess:
    """Return the process of a client, which is started when it is first used."""
    return DriverProcess(client.environment, _DRIVERS[client.framework])


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
