"""Point all clients at the emulator, and write docs/clients.md."""

import argparse
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from benchmarks.environments import ROOT, installed_versions, interpreter
from clients.checks import CHECKS, Check, Result, judge
from clients.clients import CLIENTS, Client
from clients.report import Column, format_page
from comparison.process import DriverProcess, RunTask
from modelstudio_core.emulator import Emulator

__all__ = ["main"]

_PAGE: Final = ROOT / "docs" / "clients.md"
_PROCESSES: Final = 2
# Seconds after which a client counts as hanging.
_LIMIT: Final = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the clients, and write the page or print the results.

    Args:
        arguments: The command line. None: that of this process.

    Returns:
        1 if a check fails without a note that explains it, else 0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m clients",
        description=__doc__,
        epilog="With an option, the results are printed and no file is written.",
    )
    help_text = "only clients whose name matches this regular expression"
    parser.add_argument("--client", default="", metavar="PATTERN", help=help_text)
    pattern = parser.parse_args(arguments).client
    clients = [client for client in CLIENTS if re.search(pattern, client.name)]
    with ThreadPoolExecutor(_PROCESSES) as pool:
        columns = dict(
            zip([c.name for c in clients], pool.map(_column, clients), strict=True)
        )
    if pattern:
        _print(columns)
    else:
        versions = {
            client.name: installed_versions(
                interpreter(client.environment), client.packages
            )
            for client in CLIENTS
        }
        _PAGE.write_text(format_page(columns, versions), encoding="utf-8")
        print(f"wrote {_PAGE.relative_to(ROOT)}")
    return int(any(_is_unexplained(c, columns[c.name]) for c in clients))


def _column(client: Client) -> Column:
    """Return the results of one client, by the checks' actions."""
    try:
        process = DriverProcess(client.environment, f"clients.drivers.{client.driver}")
    except subprocess.CalledProcessError:
        result = Result("failed", "It could not be installed.")
        return {check.action: result for check in CHECKS}
    with process as run_task:
        results = {check.action: _run(client, check, run_task) for check in CHECKS}
    passed = sum(result.word == "passed" for result in results.values())
    offered = sum(result.word != "not offered" for result in results.values())
    sys.stderr.write(f"{client.name}: {passed} of {offered} passed\n")
    return results


def _run(client: Client, check: Check, run_task: RunTask) -> Result:
    """Run a check with a new emulator."""
    with Emulator() as studio:
        outcome = run_task(
            {
                "action": check.action,
                "client": client.name,
                "arguments": {"origin": studio.base_url, "key": studio.api_key},
                "streaming": {},
                "sdk_url": None,
                "parameters": {},
            },
            _LIMIT,
        )
    error: Mapping[str, Any] = outcome.get("error") or {}
    if error.get("type") == "KeyError" and error["message"] == repr(check.action):
        return Result("not offered")
    return judge(check, outcome, client.notes)


def _print(columns: Mapping[str, Column]) -> None:
    for name, column in columns.items():
        for action, result in column.items():
            print(f"{name}: {action}: {result.word}. {result.evidence}".rstrip())


def _is_unexplained(client: Client, column: Column) -> bool:
    return any(
        result.word == "failed" and action not in client.notes
        for action, result in column.items()
    )


if __name__ == "__main__":
    sys.exit(main())
