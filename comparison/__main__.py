"""Run all clients through all scenarios, and write docs/comparison.md."""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from benchmarks.environments import ROOT
from comparison import retrieval
from comparison.clients import CLIENTS, Client
from comparison.report import Column, client_versions, format_page
from comparison.runner import judge_scenario, select_scenarios, start_client
from comparison.scenario import Scenario
from comparison.scenarios import SCENARIOS
from comparison.verdict import Verdict

__all__ = ["main"]

_PAGE: Final = ROOT / "docs" / "comparison.md"
_PROCESSES: Final = 4
_ALL: Final = [scenario for _, group in SCENARIOS for scenario in group]
Print = Callable[[str], object]


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare the clients.

    Args:
        arguments: The command line. None: that of this process.

    Returns:
        1 if a class of this project does not keep a row, else 0.
    """
    options = _parse_arguments(arguments)
    selects_client = re.compile(options.client).search
    selects_scenario = re.compile(options.scenario).search
    clients = [client for client in CLIENTS if selects_client(client.name)]
    scenarios = [scenario for scenario in _ALL if selects_scenario(scenario.title)]
    columns = _columns(clients, scenarios)
    if options.client or options.scenario:
        for name, column in columns.items():
            for title, verdict in column.items():
                print(f"{name}: {title}: {verdict.word}. {verdict.evidence}".rstrip())
    else:
        versions = {client.name: client_versions(client) for client in CLIENTS}
        _PAGE.write_text(format_page(columns, versions), encoding="utf-8")
        retrieval.update()
        print(f"wrote {_PAGE.relative_to(ROOT)}")
    return _report_failures(columns)


def _parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m comparison",
        description=__doc__,
        epilog="With an option, the verdicts are printed and no file is written.",
    )
    pattern = "only {} whose {} matches this regular expression"
    for option, name in (("client", "name"), ("scenario", "title")):
        parser.add_argument(
            f"--{option}",
            default="",
            metavar="PATTERN",
            help=pattern.format(f"{option}s", name),
        )
    return parser.parse_args(arguments)


def _columns(
    clients: Sequence[Client], scenarios: Sequence[Scenario]
) -> Mapping[str, Column]:
    # Most of the time is spent waiting between retries.
    with ThreadPoolExecutor(_PROCESSES) as pool:
        futures = {
            client.name: pool.submit(_column, client, scenarios) for client in clients
        }
        return {name: future.result() for name, future in futures.items()}


def _column(client: Client, scenarios: Sequence[Scenario]) -> Column:
    """Return the verdicts on one client, by the scenarios' titles."""
    selected = select_scenarios(client, scenarios)
    try:
        process = start_client(client)
    except subprocess.CalledProcessError:
        verdict = Verdict("not tested", "It could not be installed.")
        return dict.fromkeys((scenario.title for scenario in selected), verdict)
    with process as run_task:
        verdicts = {
            scenario.title: judge_scenario(client, scenario, run_task)
            for scenario in selected
        }
    kept = sum(verdict.word == "kept" for verdict in verdicts.values())
    sys.stderr.write(f"{client.name}: {kept} of {len(selected)} kept\n")
    return verdicts


def _report_failures(columns: Mapping[str, Column]) -> int:
    failures = [
        f"{client.name}: {title}: {verdict.word}: {verdict.evidence}"
        for client in CLIENTS
        if client.is_own
        for title, verdict in columns.get(client.name, {}).items()
        if verdict.word != "kept"
    ]
    for failure in failures:
        sys.stderr.write(f"not kept: {failure}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
