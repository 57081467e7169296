"""Runs pytest for each line of its input, in a fork of a process that is warm.

``python -m tests.mutants.runner`` has imported what the tests need, but not the core,
which changes. ``python -m tests.mutants.runner collected`` has collected all tests, so
that a run begins at once; it gives functions of the core their changed code.

It prints the number of the process that runs, and its exit code when it has ended. What
the tests said is in a file of JSON, which is not there if they were stopped.
"""

import gc
import json
import os
import resource
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

from tests.mutants.functions import Functions, NotReplaceableError
from tests.mutants.selection import CORE

__all__ = ["NOT_REPLACEABLE"]

# What all tests need: importing it takes longer than most tests.
WARM: Final = (
    "aiohttp",
    "httpx2",
    "langchain_core.language_models.chat_models",
    "llama_index.core.embeddings",
    "llama_index.core.llms",
    "openai",
)
# A change may fill the memory of the machine.
MEMORY: Final = 6 * 2**30
OPTIONS: Final = (
    *("-q", "-p", "no:cacheprovider"),
    # Some libraries that are imported already have a plugin of pytest.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
# The exit code where the changed code must be imported.
NOT_REPLACEABLE: Final = 100

Job = dict[str, Any]


class Report:
    """The plugin that keeps what a run says.

    Attributes:
        seconds: The time of the tests of a file.
        failed: The end of what a test that failed has said, by its name.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.failed: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the time of a test, and what it said if it failed."""
        self.seconds[report.nodeid.partition("::")[0]] += report.duration
        self._keep(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a file has no tests."""
        self._keep(report)

    def _keep(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed:
            self.failed[report.nodeid] = report.longreprtext[-2000:]

    def write(self, name: str) -> None:
        """Write what was kept to a file of JSON."""
        said = {"seconds": self.seconds, "failed": self.failed}
        Path(name).write_text(json.dumps(said), encoding="utf-8")


class Collected:
    """The plugin that runs some of the collected tests in each fork.

    Attributes:
        job: What this process runs. Empty in the process that forks.
    """

    def __init__(self, channel: "Channel") -> None:
        """Begin before anything is collected."""
        self.job: Job = {}
        self._channel = channel
        self._functions = Functions(Path(CORE).absolute())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Fork for each job; in the fork, let pytest run what the job asks for."""
        self._functions.find()
        # A fork copies less if no counts of references are written.
        gc.collect()
        gc.freeze()
        for job in self._channel.forks():
            self.job = job
            if job["change"]:
                self._replace(*job["change"])
            session.items = list(selected(session.items, job["arguments"]))
            if "-x" in job["arguments"]:
                session.config.option.maxfail = 1
            return None
        return True

    def _replace(self, *change: str) -> None:
        try:
            self._functions.replace(*change)
        except NotReplaceableError:
            os._exit(NOT_REPLACEABLE)


def selected(
    items: Sequence[pytest.Item], arguments: Sequence[str]
) -> Iterator[pytest.Item]:
    """Yield those tests that pytest would run, in the order of its arguments.

    Args:
        items: All tests.
        arguments: Files, folders and names of tests, and ``--deselect=`` with one of
            them.
    """
    by_file: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        by_file[item.nodeid.partition("::")[0]].append(item)
    left_out = [
        place.partition("=")[2] for place in arguments if place.startswith("--")
    ]
    chosen: set[str] = set()
    for place in arguments:
        for file, tests in by_file.items():
            if not _is_in(file, place.partition("::")[0]):
                continue
            for test in tests:
                name = test.nodeid
                if "::" in place and not _is_in(name, place):
                    continue
                if name not in chosen and not any(
                    _is_in(name, out) for out in left_out
                ):
                    chosen.add(name)
                    yield test


def _is_in(name: str, place: str) -> bool:
    return name == place or name.startswith((f"{place}/", f"{place}::"))


class Channel:
    """What the jobs come from and the answers go to, where pytest cannot take it."""

    def __init__(self) -> None:
        """Take the input and output of this process, which reads and says no more."""
        self._jobs = os.fdopen(os.dup(0), encoding="utf-8")
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        os.close(null)

    def forks(self) -> Iterator[Job]:
        """Yield each job in a fork of this process, which leads a group of its own."""
        for line in self._jobs:
            if (process := os.fork()) == 0:
                os.setsid()
                resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
                job: Job = json.loads(line)
                sys.dont_write_bytecode = not job["keep"]
                if sys.dont_write_bytecode:
                    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
                yield job
                return
            self._answer(process)
            self._answer(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))

    def _answer(self, number: int) -> None:
        self._answers.write(f"{number}\n")
        self._answers.flush()


def serve(channel: Channel) -> None:
    """Run each job in a process that imports the core."""
    for job in channel.forks():
        report = Report()
        code = pytest.main([*OPTIONS, *job["arguments"]], [report])
        report.write(job["report"])
        os._exit(code)


def serve_collected(channel: Channel) -> None:
    """Run each job in a process that has collected all tests."""
    report, collected = Report(), Collected(channel)
    code = pytest.main([*OPTIONS, "tests"], [report, collected])
    if collected.job:
        report.write(collected.job["report"])
        # Snapshots that no test of the job uses are no failure.
        os._exit(code if report.failed or code != pytest.ExitCode.TESTS_FAILED else 0)


if __name__ == "__main__":
    for module in WARM:
        import_module(module)
    (serve_collected if sys.argv[1:] else serve)(Channel())
