"""How long ``modelstudio --help`` takes, beside ``dashscope --help``.

``python -m benchmarks.command`` runs both in turn and prints the medians, and the
median of the ratios of the pairs: what else the machine does falls on both of a pair.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

_COMMANDS = ("modelstudio", "dashscope")


def measure(command: str) -> float:
    """Return the seconds that ``command --help`` takes.

    Args:
        command: The name of the command, in the folder of this Python.
    """
    path = Path(sys.executable).parent / command
    begin = time.perf_counter()
    subprocess.run([path, "--help"], check=True, capture_output=True)  # noqa: S603 - one of two
    return time.perf_counter() - begin


def main() -> None:
    """Measure, and print a line of Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=21)
    pairs = parser.parse_args().pairs
    for command in _COMMANDS:  # files that are read for the first time
        measure(command)
    measured = [tuple(map(measure, _COMMANDS)) for _ in range(pairs)]
    first, second = (statistics.median(times) for times in zip(*measured, strict=True))
    ratio = statistics.median(one / other for one, other in measured)
    sys.stdout.write(
        f"`modelstudio --help` takes {first:.2f} s and `dashscope --help`"
        f" {second:.2f} s: a ratio of {ratio:.2f} (medians of {pairs} pairs).\n"
    )


if __name__ == "__main__":
    main()
