"""The command ``python -m tests.mutants``."""

import argparse
import random
import re
import sys
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Final

import tests.mutants
from tests.mutants.selection import CORE
from tests.mutants.trial import Mutant, Trial

SURVIVOR: Final = re.compile(r"^SURVIVED (\S+):(\d+) (\S+) (\d+)$", re.MULTILINE)


@contextmanager
def copies(number: int) -> Generator[list[Trial]]:
    """Yield copies of the repository, as many as work at the same time.

    Args:
        number: How many.
    """
    with TemporaryDirectory(prefix="mutants-") as folder:
        trials = [Trial(Path(folder) / str(index)) for index in range(number)]
        try:
            yield trials
        finally:
            for trial in trials:
                trial.close()


def drawn(trial: Trial, sample: int, seed: int, prefix: str) -> list[Mutant]:
    """Return a sample of the mutants.

    Args:
        trial: What lists the mutants.
        sample: How many.
        seed: The seed of the choice.
        prefix: What the paths of the changed files begin with.
    """
    mutants = trial.mutants(prefix)
    mixed = random.Random(seed).sample(mutants, len(mutants))  # noqa: S311 - reproducible
    chosen = list(islice(filter(trial.is_code, mixed), sample))
    print(f"{len(chosen)} of {len(mutants)} mutants, seed {seed}", flush=True)
    return chosen


def survivors(report: str) -> list[Mutant]:
    """Return the survivors of a run.

    Args:
        report: What the run has printed.
    """
    found = SURVIVOR.findall(report)
    return [
        Mutant(path, name, int(which), int(line)) for path, line, name, which in found
    ]


def seconds_unchanged(
    trials: Sequence[Trial], mutants: Sequence[Mutant]
) -> Mapping[str, float]:
    """Return the time of the tests of each file without a change.

    Args:
        trials: The copies of the repository, which share the work.
        mutants: What will be tried.

    Raises:
        SystemExit: A test fails without a change, so that it could notice nothing.
    """
    paths = {mutant.path for mutant in mutants}
    used = {
        test for path in paths for stage in trials[0].stages_of(path) for test in stage
    }
    options = sorted(test for test in used if test.startswith("-"))
    places = sorted(used.difference(options))
    parts = [places[index :: len(trials)] for index in range(len(trials))]
    seconds: dict[str, float] = {}
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(len(trials)) as threads:
        runs = [
            threads.submit(trial.unchanged, [*options, *part])
            for trial, part in zip(trials, parts, strict=True)
            if part
        ]
        for outcome in (run.result() for run in runs):
            seconds |= outcome.seconds
            failed |= outcome.failed
            if outcome.reason and not outcome.failed:
                failed[outcome.reason] = ""
    if failed:
        texts = "".join(f"\n{name}\n{text}\n" for name, text in failed.items())
        sys.exit(f"These tests fail without a change:\n{texts}")
    print(
        f"All their tests pass without a change: {sum(seconds.values()):.0f} s",
        flush=True,
    )
    return seconds


def survived(trials: Sequence[Trial], mutants: Sequence[Mutant]) -> int:
    """Try mutants, and return how many survived.

    Args:
        trials: The copies of the repository, which share the work.
        mutants: What to try.
    """
    seconds = seconds_unchanged(trials, mutants)
    free: SimpleQueue[Trial] = SimpleQueue()
    for trial in trials:
        free.put(trial)

    def attempt(mutant: Mutant) -> bool:
        trial = free.get()
        try:
            return trial.survives(mutant, seconds)
        finally:
            free.put(trial)

    with ThreadPoolExecutor(len(trials)) as threads:
        return sum(threads.map(attempt, mutants))


def command() -> int:
    """Try what the command line says."""
    parser = argparse.ArgumentParser(description=tests.mutants.__doc__)
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default=CORE, help="a file or a folder of the core")
    parser.add_argument("--again", type=Path, help="what a run printed: its survivors")
    given = parser.parse_args()
    with copies(given.jobs) as trials:
        if given.again:
            chosen = survivors(given.again.read_text())
        else:
            chosen = drawn(trials[0], given.sample, given.seed, given.only)
        print(f"\n{survived(trials, chosen)} of {len(chosen)} survived")
    return 0


if __name__ == "__main__":
    sys.exit(command())
