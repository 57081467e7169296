"""``python -m benchmarks``: measure, and hold it against the targets."""

import argparse
import json
import re
from typing import Any, Final

from benchmarks.environments import HOME
from benchmarks.measure import measure
from benchmarks.profile import profile
from benchmarks.report import told, write

_LAST: Final = HOME / "results.json"


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about two minutes")
    parser.add_argument("--rounds", type=int, help="instead of nine, or of two")
    parser.add_argument(
        "--only", default="", help="works whose name this regular expression finds"
    )
    parser.add_argument(
        "--write", action="store_true", help="write docs/benchmarks.md and its plot"
    )
    parser.add_argument(
        "--again", action="store_true", help="measure nothing, tell the last run again"
    )
    said = parser.parse_args()
    results = json.loads(_LAST.read_text()) if said.again else _measured(said)
    print(told(results))
    if said.write:
        write(results)


def _measured(said: argparse.Namespace) -> dict[str, Any]:
    wanted = re.compile(said.only)
    results = measure(
        quick=said.quick,
        rounds=said.rounds,
        wanted=lambda it: bool(wanted.search(it)),
    )
    if said.write:
        results["profile"] = profile()
    _LAST.write_text(json.dumps(results, indent=1))
    return results


if __name__ == "__main__":
    main()
