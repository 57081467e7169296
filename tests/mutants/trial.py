"""Copies of the repository, in which mutants are tried."""

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.environments import ROOT, interpreter
from tests.mutants.runner import NOT_REPLACEABLE
from tests.mutants.runs import Change, Outcome, Runner
from tests.mutants.selection import CORE, stages_of

__all__ = ["Mutant", "Trial"]

# The emulator is no part of what is installed for use, and the two tables of models are
# in a snapshot, value by value: they would make up half of a sample.
EXCLUDED: Final = frozenset(
    {
        "__init__.py",
        "_version.py",
        "chat_models.py",
        "emulator",
        "other_models.py",
        "pytest_plugin.py",
    }
)
# Changes that change nothing: in annotations, which nothing runs; of ``is`` to ``==``,
# as None, True, False and types equal only themselves; of decorators and
# arguments that do nothing, or only save time or memory; of how arguments are passed.
IGNORED: Final = (
    "core/ReplaceBinaryOperator_BitOr_",
    "core/ReplaceComparisonOperator_Is_Eq",
    "core/ReplaceComparisonOperator_IsNot_NotEq",
)
IGNORED_LINES: Final = re.compile(
    r"@(\w+\.)?(abstractmethod|override|overload|cache|lru_cache)\b"
)
IGNORED_ARGUMENT: Final = "slots="
KEYWORDS_FOLLOW: Final = "*,"
# A test that hangs has noticed a change: it is stopped after a multiple of its time.
PATIENCE: Final = 4
SECONDS: Final = 60.0
LONGEST: Final = 3600.0
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

    def __str__(self) -> str:
        """Return what names the mutant in a report."""
        return f"{self.path}:{self.line} {self.operator} {self.occurrence}"


def modules() -> list[str]:
    """Return the paths of the files that are changed."""
    found = (path.relative_to(ROOT) for path in (ROOT / CORE).rglob("*.py"))
    return sorted(str(path) for path in found if EXCLUDED.isdisjoint(path.parts))


class Trial:
    """A copy of the repository, in which mutants are tried one after another."""

    def __init__(self, tree: Path) -> None:
        """Copy the repository.

        Args:
            tree: The folder of the copy, which does not exist yet.
        """
        self._tree = tree
        shutil.copytree(ROOT, tree, ignore=NOT_COPIED)
        self._importing = Runner(tree)
        self._collected = Runner(tree, "collected")

    def mutants(self, prefix: str) -> list[Mutant]:
        """Return the mutants that cosmic-ray can make.

        Args:
            prefix: What the paths of the changed files begin with.
        """
        config, session = self._tree / "mutants.toml", self._tree / "mutants.sqlite"
        paths = json.dumps([path for path in modules() if path.startswith(prefix)])
        config.write_text(CONFIG.format(modules=paths, seconds=SECONDS))
        self._cosmic_ray("init", str(config), str(session))
        lines = self._cosmic_ray("dump", str(session)).splitlines()
        return sorted(self._read(lines))

    def _read(self, lines: Sequence[str]) -> Iterator[Mutant]:
        for line in lines:
            (mutation,) = json.loads(line)[0]["mutations"]
            number, column = mutation["start_pos"]
            mutant = Mutant(
                mutation["module_path"],
                mutation["operator_name"],
                mutation["occurrence"],
                number,
            )
            source = (self._tree / mutant.path).read_text().splitlines()[number - 1]
            if not (
                mutant.operator.startswith(IGNORED)
                or source[:column].endswith(IGNORED_ARGUMENT)
                or source.startswith(KEYWORDS_FOLLOW, column)
                or IGNORED_LINES.search(source)
            ):
                yield mutant

    def is_code(self, mutant: Mutant) -> bool:
        """Whether a mutant compiles without a warning: else all tests would notice it.

        Args:
            mutant: The change, such as that of the ``*`` before keyword arguments.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("error", SyntaxWarning)
            try:
                compile(self._changed(mutant), mutant.path, "exec")
            except SyntaxError:
                # A warning that is an error becomes one.
                return False
        return True

    def _changed(self, mutant: Mutant) -> str:
        """Return the changed file, and leave it as it was."""
        file = self._tree / mutant.path
        with _content(file, file.read_text()):
            arguments = (mutant.path, mutant.operator, str(mutant.occurrence))
            self._cosmic_ray("apply", *arguments)
            return file.read_text()

    def stages_of(self, path: str) -> list[tuple[str, ...]]:
        """Return the tests to run for a changed file, the narrowest first.

        Args:
            path: The path of the file.
        """
        return stages_of(path, self._tree)

    def unchanged(self, tests: Sequence[str]) -> Outcome:
        """Run tests without a change to the end, and what failed once more.

        Args:
            tests: The arguments of pytest.
        """
        outcome = self._collected.run(tests, LONGEST)
        if not outcome.failed:
            return outcome
        again = self._collected.run(list(outcome.failed), LONGEST)
        return again._replace(seconds=outcome.seconds)

    def survives(self, mutant: Mutant, seconds: Mapping[str, float]) -> bool:
        """Try a mutant, and report what noticed it, or the changed lines.

        Args:
            mutant: The change.
            seconds: The time of the tests of a file without a change.

        Returns:
            Whether no test notices the mutant.
        """
        file = self._tree / mutant.path
        change = Change(str(file), file.read_text(), self._changed(mutant))
        with _content(file, change.after):
            for stage in self.stages_of(mutant.path):
                tests, limit = _in_order(stage, seconds)
                if reason := self._noticed(change, tests, limit):
                    _write(f"noticed  {mutant} by {reason}\n")
                    return False
        _write(f"SURVIVED {mutant}\n{_difference(change)}\n")
        return True

    def _noticed(
        self, change: Change, tests: Sequence[str], seconds: float
    ) -> str | None:
        """Return what fails for a limited time, and again alone."""
        by_chance: list[str] = []
        while True:
            others = [f"--deselect={name}" for name in by_chance]
            outcome = self._run(change, ["-x", *others, *tests], seconds)
            if not outcome.code or not outcome.failed:
                return outcome.reason
            name = next(iter(outcome.failed))
            if self._fails_alone(change, name, seconds):
                return name
            # The machine was busy, or the test fails wherever nothing is collected.
            by_chance.append(name)

    def _fails_alone(self, change: Change, name: str, seconds: float) -> bool:
        """Whether a test fails with a change, and passes without it."""
        if not self._run(change, [name], seconds).code:
            return False
        with _content(Path(change.path), change.before):
            return not self._importing.run([name], seconds).code

    def _run(self, change: Change, tests: Sequence[str], seconds: float) -> Outcome:
        """Run tests with a change: at once, if the changed code can be replaced."""
        outcome = self._collected.run(tests, seconds, change=change)
        if outcome.code != NOT_REPLACEABLE:
            return outcome
        return self._importing.run(tests, seconds)

    def close(self) -> None:
        """End the processes that run the tests."""
        self._importing.close()
        self._collected.close()

    def _cosmic_ray(self, *arguments: str) -> str:
        command = interpreter("mutants").with_name("cosmic-ray")
        done = subprocess.run(  # noqa: S603 - our own command
            [str(command), *arguments],
            cwd=self._tree,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


@contextmanager
def _content(file: Path, text: str) -> Generator[str]:
    """Give a file another content for a while, and yield the original one."""
    original, status = file.read_text(), file.stat()
    file.write_text(text)
    try:
        yield original
    finally:
        file.write_text(original)
        # What was compiled before is valid again.
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _in_order(
    tests: Sequence[str], seconds: Mapping[str, float]
) -> tuple[list[str], float]:
    """Return the options and files of tests, the quickest first, and their time limit.

    Args:
        tests: The arguments of pytest: options, files and folders.
        seconds: The time of the tests of a file without a change.
    """
    options = [test for test in tests if test.startswith("-")]
    files = sorted(
        (file for file in seconds if any(Path(file).is_relative_to(t) for t in tests)),
        key=lambda file: seconds[file],
    )
    return [*options, *files], SECONDS + PATIENCE * sum(seconds[f] for f in files)


def _difference(change: Change) -> str:
    pairs = zip(change.before.splitlines(), change.after.splitlines(), strict=False)
    return "\n".join(f"  - {a.strip()}\n  + {b.strip()}" for a, b in pairs if a != b)[
        :400
    ]


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
