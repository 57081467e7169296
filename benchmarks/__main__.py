"""Measure what calls and chunks cost, and compare it with the targets."""

import argparse
import json
import re
import shutil
from collections.abc import Sequence
from typing import Final

from benchmarks.environments import HOME
from benchmarks.measure import Results, measure
from benchmarks.profile import profile
from benchmarks.report import terminal_text, write

__all__ = ["main", "parse_arguments"]

_LAST: Final = HOME / "results.json"
# The last run of each combination of --freeze and --python, by its name.
_VARIANTS: Final = HOME / "variants.json"


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line.

    Args:
        arguments: The command line. None: that of this process.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about two minutes")
    parser.add_argument("--rounds", type=int, help="instead of nine (--quick: two)")
    parser.add_argument(
        "--only",
        default="",
        metavar="PATTERN",
        help="only workloads whose name matches this regular expression",
    )
    parser.add_argument(
        "--freeze",
        action="store_true",
        help="call gc.freeze() in each client before many streams at once",
    )
    parser.add_argument(
        "--python",
        metavar="PATH",
        help="another Python for the clients of this project",
    )
    parser.add_argument(
        "--write", action="store_true", help="write docs/benchmarks.md and its plot"
    )
    parser.add_argument(
        "--again", action="store_true", help="report the last run, measure nothing"
    )
    options = parser.parse_args(arguments)
    if (options.freeze or options.python) and (options.write or options.again):
        parser.error(
            "--write and --again report the run without --freeze and --python;"
            " --write adds the last runs with them."
        )
    if options.python and not shutil.which(options.python):
        parser.error(f"--python: {options.python} is not an executable")
    return options


def main() -> None:
    """Measure, print the results, and keep them."""
    options = parse_arguments()
    results = json.loads(_LAST.read_text()) if options.again else _measure(options)
    print(terminal_text(results))
    if options.freeze or options.python:
        name = f"Python {results['machine']['python']}, frozen: {options.freeze}"
        variants = {**_variants(), name: results}
        _VARIANTS.write_text(json.dumps(variants, indent=1))
    elif not options.again:
        _LAST.write_text(json.dumps(results, indent=1))
    if options.write:
        write(results, list(_variants().values()))


def _measure(options: argparse.Namespace) -> Results:
    results = measure(
        quick=options.quick,
        rounds=options.rounds,
        freeze=options.freeze,
        python=options.python,
        selects=re.compile(options.only).search,
    )
    if options.write:
        results["profile"] = profile()
    return results


def _variants() -> dict[str, Results]:
    if not _VARIANTS.exists():
        return {}
    variants: dict[str, Results] = json.loads(_VARIANTS.read_text())
    return variants


if __name__ == "__main__":
    main()
