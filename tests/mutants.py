"""Mutation testing: small changes to the core that at least one test should notice.

``python -m tests.mutants`` lets cosmic-ray list the mutants of the core, draws a sample
of them, runs the tests of the changed module for each, and prints the survivors. A
survivor is a test that is missing, or a change that changes nothing.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from benchmarks.environments import ROOT, interpreter

__all__ = ["Mutant", "run", "tests_of"]

CORE: Final = "modelstudio_core"
# What is changed, and the tests to run after the module's own did not notice a change.
WIDER_TESTS: Final = {
    f"{CORE}/wire": ("tests/core/wire", "tests/core/chat"),
    f"{CORE}/chat": ("tests/core/chat", "tests/end_to_end/test_parity.py"),
    f"{CORE}/transport": ("tests/core/transport", "tests/faults/test_retries.py"),
    f"{CORE}/endpoints.py": ("tests/core/test_endpoints.py", "tests/core/catalog"),
    f"{CORE}/policy.py": (
        "tests/core/test_policy.py",
        "tests/end_to_end/test_policy.py",
    ),
    f"{CORE}/redaction.py": (
        "tests/core/test_redaction.py",
        "tests/core/test_secrets.py",
    ),
}
# Nearly all of them are in annotations, which nothing runs.
IGNORED: Final = "core/ReplaceBinaryOperator_BitOr_"
SECONDS: Final = 120.0
CONFIG: Final = """
[cosmic-ray]
module-path = {modules}
timeout = {seconds}
excluded-modules = []
test-command = "true"
[cosmic-ray.distributor]
name = "local"
"""
NOT_COPIED: Final = shutil.ignore_patterns(".*", "__pycache__", "dist", "build")


class Mutant(NamedTuple):
    """One small change.

    Attributes:
        path: The file that is changed.
        operator: What changes it.
        occurrence: Which of the places in the file that the operator can change.
        line: The line of the place.
    """

    path: str
    operator: str
    occurrence: int
    line: int


def tests_of(path: str) -> list[Sequence[str]]:
    """Return the tests to run for a changed file, the narrowest first.

    Args:
        path: The path of the file in the repository.
    """
    module = Path(path)
    mirrored = Path("tests/core") / module.relative_to(CORE).parent
    own = mirrored / f"test_{module.name}"
    wider = next(
        tests for place, tests in WIDER_TESTS.items() if module.is_relative_to(place)
    )
    return [[str(own)], wider] if (ROOT / own).exists() else [wider]


def run(sample: int, *, seed: int, jobs: int) -> list[tuple[Mutant, str]]:
    """Try a sample of the mutants.

    Args:
        sample: How many.
        seed: The seed of the choice.
        jobs: How many are tried at the same time, each in a copy of the repository.

    Returns:
        The survivors, with what they changed.
    """
    with TemporaryDirectory(prefix="mutants-") as folder:
        trees = [Path(folder) / str(number) for number in range(jobs)]
        for tree in trees:
            shutil.copytree(ROOT, tree, ignore=NOT_COPIED)
        mutants = sorted(_mutants_in(trees[0]))
        chosen = random.Random(seed).sample(mutants, min(sample, len(mutants)))  # noqa: S311 - reproducible
        _write(f"{len(chosen)} of {len(mutants)} mutants, seed {seed}\n")
        free: SimpleQueue[Path] = SimpleQueue()
        for tree in trees:
            free.put(tree)

        def attempt(mutant: Mutant) -> str | None:
            tree = free.get()
            try:
                return _survives(tree, mutant)
            finally:
                free.put(tree)

        with ThreadPoolExecutor(jobs) as threads:
            results = zip(chosen, threads.map(attempt, chosen), strict=True)
            return [(mutant, change) for mutant, change in results if change]


def _mutants_in(tree: Path) -> Iterator[Mutant]:
    """Yield all mutants that cosmic-ray knows of."""
    config, session = tree / "mutants.toml", tree / "mutants.sqlite"
    config.write_text(
        CONFIG.format(modules=json.dumps([*WIDER_TESTS]), seconds=SECONDS)
    )
    _cosmic_ray(tree, "init", str(config), str(session))
    for line in _cosmic_ray(tree, "dump", str(session)).splitlines():
        (mutation,) = json.loads(line)[0]["mutations"]
        if not mutation["operator_name"].startswith(IGNORED):
            yield Mutant(
                mutation["module_path"],
                mutation["operator_name"],
                mutation["occurrence"],
                mutation["start_pos"][0],
            )


def _survives(tree: Path, mutant: Mutant) -> str | None:
    """Return the changed lines if no test notices a mutant, else None."""
    file = tree / mutant.path
    original, status = file.read_text(), file.stat()
    _cosmic_ray(tree, "apply", mutant.path, mutant.operator, str(mutant.occurrence))
    changed = file.read_text()
    try:
        noticed = any(not _pass(tree, tests) for tests in tests_of(mutant.path))
    finally:
        file.write_text(original)
        # What was compiled before is valid again.
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    where = f"{mutant.path}:{mutant.line} {mutant.operator}"
    _write(f"{'noticed ' if noticed else 'SURVIVED'} {where}\n")
    return None if noticed else _difference(original, changed)


def _pass(tree: Path, tests: Sequence[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own tests
            [*command, *tests],
            cwd=tree,
            env=environment,
            check=False,
            capture_output=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _cosmic_ray(tree: Path, *arguments: str) -> str:
    command = interpreter("mutants").with_name("cosmic-ray")
    done = subprocess.run(  # noqa: S603 - our own command
        [str(command), *arguments], cwd=tree, check=True, capture_output=True, text=True
    )
    return done.stdout


def _difference(before: str, after: str) -> str:
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return "\n".join(f"  - {a.strip()}\n  + {b.strip()}" for a, b in pairs if a != b)[
        :400
    ]


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _command() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    survivors = run(options.sample, seed=options.seed, jobs=options.jobs)
    for mutant, change in survivors:
        _write(f"\n{mutant.path}:{mutant.line} {mutant.operator}\n{change}\n")
    _write(f"\n{len(survivors)} survived\n")
    return 0


if __name__ == "__main__":
    sys.exit(_command())
