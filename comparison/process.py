"""The process that a client runs in: tasks go in, and outcomes come out."""

import json
import select
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, Self

from benchmarks.environments import interpreter, start_python
from comparison.drivers.task import Task
from comparison.verdict import Outcome

__all__ = ["DriverProcess", "RunTask"]

RunTask = Callable[[Task, float], Outcome]
# Imports take long on a busy machine.
_START_LIMIT: Final = 120.0


class DriverProcess(AbstractContextManager["DriverProcess"]):
    """A process with one client, which is started again after it hung or crashed."""

    def __init__(self, environment: str, driver: str) -> None:
        """Set what is started.

        Args:
            environment: The name of the client's environment, which is made if it
                does not exist.
            driver: The module that performs the client's tasks.
        """
        self._python = interpreter(environment)
        self._driver = driver
        self._home = TemporaryDirectory()
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, task: Task, limit: float) -> Outcome:
        """Run a task.

        Args:
            task: The task.
            limit: The number of seconds after which the client counts as hanging.

        Returns:
            What the driver returned. A process that hangs or ends is an error.
        """
        process = self._process = self._process or self._start()
        assert process.stdin  # noqa: S101 - it is a pipe
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()
        return self._read(process, limit)

    def _read(self, process: subprocess.Popen[str], limit: float) -> Outcome:
        assert process.stdout  # noqa: S101 - it is a pipe
        ready, _, _ = select.select([process.stdout], [], [], limit)
        line = process.stdout.readline() if ready else ""
        if line:
            outcome: Outcome = json.loads(line)
            return outcome
        self._stop()
        kind = "Crash" if ready else "Timeout"
        text = "the process ended" if ready else f"nothing within {limit:.0f} seconds"
        return {"error": {"type": kind, "kinds": [], "message": text}}

    def _start(self) -> subprocess.Popen[str]:
        process = start_python(self._python, "-m", self._driver, HOME=self._home.name)
        if "error" in self._read(process, _START_LIMIT):
            raise RuntimeError(f"The driver does not start: {process.args!r}")
        return process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._home.cleanup()
