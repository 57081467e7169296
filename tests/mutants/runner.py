"""Runs pytest for each line of its input, in a fork of a process that is warm.

It prints the number of the process that runs, and its exit code when it has ended. What
the tests said is in a file of JSON, which is not there if they were stopped. The core
is not imported before: it changes.
"""

import json
import os
import resource
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

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


def run(job: dict[str, Any]) -> int:
    """Run pytest in a process that is the first of a group, and write its report.

    Args:
        job: The arguments of pytest, the file of the report, and whether what is
            compiled is kept.
    """
    os.setsid()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    sys.dont_write_bytecode = not job["keep"]
    if sys.dont_write_bytecode:
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    report = Report()
    code = pytest.main(job["arguments"], [report])
    said = {"seconds": report.seconds, "failed": report.failed}
    Path(job["report"]).write_text(json.dumps(said), encoding="utf-8")
    return int(code)


def serve() -> None:
    """Run what the input says, line by line."""
    for name in WARM:
        import_module(name)
    for line in sys.stdin:
        if (process := os.fork()) == 0:
            os._exit(run(json.loads(line)))
        _write(process)
        _write(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def _write(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
