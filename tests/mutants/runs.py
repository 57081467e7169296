"""Runs of tests in a copy of the repository, for a limited time."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Change", "Outcome", "Runner"]

REPORT: Final = "mutants-{}.json"


class Change(NamedTuple):
    """The content of a file, before and after.

    Attributes:
        path: The absolute path of the file.
        before: What the tests pass with.
        after: What they are tried with.
    """

    path: str
    before: str
    after: str


class Outcome(NamedTuple):
    """How a run of tests has ended.

    Attributes:
        code: The exit code of pytest, below zero if it was stopped.
        failed: What the tests that failed have said, by their names.
        seconds: The time of the tests of a file.
    """

    code: int
    failed: Mapping[str, str]
    seconds: Mapping[str, float]

    @property
    def reason(self) -> str | None:
        """What failed: a test, or the run."""
        if self.code == 0:
            return None
        if self.code < 0:
            return "the time limit"
        return next(iter(self.failed), f"the exit code {self.code}")


class Runner:
    """A process that runs tests, in a fork for each run."""

    def __init__(self, tree: Path, *mode: str) -> None:
        """Start the process.

        Args:
            tree: The copy of the repository.
            mode: The arguments of ``tests.mutants.runner``.
        """
        self._report = tree / REPORT.format("-".join(mode))
        self._process = subprocess.Popen(  # noqa: S603 - a module of these tests
            [sys.executable, "-m", "tests.mutants.runner", *mode],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def run(
        self,
        arguments: Sequence[str],
        seconds: float,
        *,
        change: Change | None = None,
        keep: bool = False,
    ) -> Outcome:
        """Run pytest, and stop it after a time.

        Args:
            arguments: Its arguments.
            seconds: The time.
            change: What is changed, for a process that has imported the file.
            keep: Whether what is compiled is kept: not if a file is changed.
        """
        self._report.unlink(missing_ok=True)
        job = {
            "arguments": arguments,
            "change": change,
            "keep": keep,
            "report": self._report.name,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(job)}\n")
        self._process.stdin.flush()
        limit = threading.Timer(seconds, os.killpg, (self._answer(), signal.SIGKILL))
        limit.start()
        try:
            code = self._answer()
        finally:
            limit.cancel()
        if not self._report.exists():
            return Outcome(code, {}, {})
        said = json.loads(self._report.read_text(encoding="utf-8"))
        return Outcome(code, said["failed"], said["seconds"])

    def _answer(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
