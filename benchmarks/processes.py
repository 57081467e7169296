"""The server and the workers, as processes that are asked and that answer."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final, Self
from urllib.request import urlopen

from benchmarks.clients import CLIENTS
from benchmarks.environments import HOME, ROOT, interpreter

__all__ = ["Server", "Worker", "start"]

# Nothing of the user's environment may decide what is measured.
_KEPT_VARIABLES: Final = ("HOME", "LANG", "PATH", "TMPDIR")


def start(
    python: Path, *arguments: str, log: str = "processes", **variables: str
) -> subprocess.Popen[str]:
    """Start a Python with pipes and with little of the environment.

    Args:
        python: The interpreter.
        *arguments: Its arguments.
        log: The name of the file that its complaints go to.
        **variables: More environment variables.
    """
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    with (HOME / f"{log}.log").open("a") as complaints:
        return subprocess.Popen(  # noqa: S603 - our own commands
            [python, *arguments],
            cwd=ROOT,
            env={**kept, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )


class _Running:
    """A process that ends when its standard input does."""

    process: subprocess.Popen[str]

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def _read(self) -> Any:
        assert self.process.stdout  # noqa: S101 - it is a pipe
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended.")
        return json.loads(line)


class Server(_Running):
    """The loopback server."""

    def __init__(self) -> None:
        self.process = start(interpreter("server"), "-m", "benchmarks.server")
        self._told = self._read()

    @property
    def bundle(self) -> str:
        """The certificates that a client of the secure port must trust."""
        return str(self._told["bundle"])

    def base(
        self,
        tag: str,
        deltas: int,
        *,
        pace: float = 0,
        batch: int = 1,
        scheme: str = "http",
    ) -> str:
        """Return the address of an answer.

        Args:
            tag: Who asks.
            deltas: How many deltas the answer has.
            pace: Milliseconds a delta.
            batch: Events a write, where there is no pace.
            scheme: ``"http"`` or ``"https"``.
        """
        origin = f"{scheme}://127.0.0.1:{self._told[scheme]}"
        return f"{origin}/{tag}/{deltas}/{pace:g}/{batch}"

    def seen(self, tag: str) -> dict[str, int]:
        """Return what a tag did, and forget it.

        Args:
            tag: Who asked.
        """
        address = f"http://127.0.0.1:{self._told['http']}/seen/{tag}"
        with urlopen(address) as response:
            told: dict[str, int] = json.load(response)
        return told


class Worker(_Running):
    """One client in its environment."""

    def __init__(self, name: str, **variables: str) -> None:
        python = interpreter(CLIENTS[name].environment)
        self.process = start(
            python, "-m", "benchmarks.worker", name, log=name, **variables
        )
        self.name = name

    def ask(self, work: str, **arguments: Any) -> Any:
        """Let it do something.

        Args:
            work: A method of ``benchmarks.worker.Worker``.
            **arguments: Its arguments.

        Raises:
            RuntimeError: It failed.
        """
        assert self.process.stdin  # noqa: S101 - it is a pipe
        self.process.stdin.write(json.dumps({"work": work, **arguments}) + "\n")
        self.process.stdin.flush()
        told = self._read()
        if "error" in told:
            raise RuntimeError(f"{self.name}, {work}: {told['error']}")
        return told["ok"]
