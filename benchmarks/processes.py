"""The server and the clients, each as a process that is controlled with pipes."""

import json
import subprocess
from typing import Any, Self
from urllib.request import urlopen

from benchmarks.clients import CLIENTS
from benchmarks.environments import PROJECT, interpreter, start_python

__all__ = ["ClientProcess", "ServerProcess"]


class _Process:
    """A process that ends when its standard input is closed."""

    process: subprocess.Popen[str]

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def _read(self) -> Any:
        assert self.process.stdout  # noqa: S101 - it is a pipe
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"The process ended: {self.process.args!r}")
        return json.loads(line)


class ServerProcess(_Process):
    """The server on loopback."""

    def __init__(self) -> None:
        self.process = start_python(
            interpreter("server"), "-m", "benchmarks.server", log="server"
        )
        self._addresses = self._read()

    @property
    def ca_file(self) -> str:
        """The certificates that a client of the HTTPS port must trust."""
        return str(self._addresses["ca_file"])

    def base_url(
        self,
        tag: str,
        deltas: int,
        *,
        pace: float = 0,
        batch: int = 1,
        scheme: str = "http",
    ) -> str:
        """Return the base URL of a response.

        Args:
            tag: The name under which requests are counted.
            deltas: The number of deltas of the response.
            pace: Milliseconds between deltas. 0: no pause.
            batch: Events per write, where there is no pause.
            scheme: ``"http"`` or ``"https"``.
        """
        origin = f"{scheme}://127.0.0.1:{self._addresses[scheme]}"
        return f"{origin}/{tag}/{deltas}/{pace:g}/{batch}"

    def pop_counts(self, tag: str) -> dict[str, int]:
        """Return what was counted under a tag, and reset it.

        Args:
            tag: The name under which requests were counted.
        """
        url = f"http://127.0.0.1:{self._addresses['http']}/counts/{tag}"
        with urlopen(url) as response:
            counts: dict[str, int] = json.load(response)
        return counts


class ClientProcess(_Process):
    """One client in its environment."""

    def __init__(self, name: str, python: str | None = None, **variables: str) -> None:
        """Start the process.

        Args:
            name: A key of ``CLIENTS``.
            python: Another Python for a client of this project.
            **variables: More environment variables.
        """
        environment = CLIENTS[name].environment
        self.name = name
        self.python = interpreter(
            environment, python if environment == PROJECT else None
        )
        self.process = start_python(
            self.python, "-m", "benchmarks.worker", name, log=name, **variables
        )

    def run(self, command: str, **arguments: Any) -> Any:
        """Run a command and return its result.

        Args:
            command: A method of ``benchmarks.worker.Worker``.
            **arguments: Its arguments.

        Raises:
            RuntimeError: The command failed.
        """
        assert self.process.stdin  # noqa: S101 - it is a pipe
        self.process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
        self.process.stdin.flush()
        outcome = self._read()
        if "error" in outcome:
            raise RuntimeError(f"{self.name}, {command}: {outcome['error']}")
        return outcome["result"]
