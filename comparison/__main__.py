"""Compare all clients in all scenarios, and write ``docs/comparison.md``."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from benchmarks.environments import ROOT
from comparison.clients import CLIENTS, Client
from comparison.report import Column, versions, write
from comparison.runner import Driver, applies, judge
from comparison.scenario import Scenario
from comparison.scenarios import SCENARIOS
from comparison.verdict import Verdict

__all__ = ["main"]

_PAGE: Final = ROOT / "docs" / "comparison.md"
_AT_ONCE: Final = 4
_EVERY: Final = [scenario for _, group in SCENARIOS for scenario in group]
Say = Callable[[str], object]


def column(client: Client, scenarios: Sequence[Scenario], say: Say) -> Column:
    """Return the verdicts on one client, by the scenarios' titles."""
    mine = applies(client, scenarios)
    try:
        driver = Driver(client)
    except subprocess.CalledProcessError:
        missing = Verdict("not tried", "It could not be installed.")
        return {scenario.title: missing for scenario in mine}
    with driver as drive:
        verdicts = {scenario.title: judge(client, scenario, drive) for scenario in mine}
    kept = sum(verdict.word == "kept" for verdict in verdicts.values())
    say(f"{client.name}: {kept} of {len(mine)} kept")
    return verdicts


def main(say: Say = print) -> int:
    """Compare, write the page, and return 1 if one of ours does not keep a row."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        # Most of the time goes into waiting between retries.
        begun = {it.name: pool.submit(column, it, _EVERY, say) for it in CLIENTS}
        found = {name: future.result() for name, future in begun.items()}
    page = write(found, {client.name: versions(client) for client in CLIENTS})
    _PAGE.write_text(page, encoding="utf-8")
    say(f"wrote {_PAGE.relative_to(ROOT)}")
    ours = [client.name for client in CLIENTS if client.is_ours]
    bad = [
        f"{name}: {title}: {verdict.word}: {verdict.evidence}"
        for name in ours
        for title, verdict in found[name].items()
        if verdict.word != "kept"
    ]
    for line in bad:
        say(f"not kept: {line}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
