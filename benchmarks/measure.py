"""Run all workloads, with the clients in rotation, and keep every sample."""

import itertools
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final, Self, TypedDict

from benchmarks import startup
from benchmarks.clients import CLIENTS
from benchmarks.environments import (
    PROJECT,
    installed_versions,
    python_version,
    site_packages,
)
from benchmarks.processes import ClientProcess, ServerProcess
from benchmarks.workloads import (
    CONCURRENT,
    HTTPX_LOOP,
    OPEN_STREAMS,
    WORKLOADS,
    ConcurrentWorkload,
    Workload,
    select_clients,
)

__all__ = ["Measurement", "Results", "RunOptions", "Samples", "measure"]

# By workload, client and measure: "cpu" in seconds per unit; "wall", "blocked",
# "blocked_without_gc", "late" and "longest_gc" in seconds; "count"; "bytes".
Samples = dict[str, dict[str, dict[str, list[float]]]]
Layers = dict[str, dict[str, float]]

_ROUNDS: Final = 9
_QUICK_ROUNDS: Final = 2
_CONCURRENT_MEASURES: Final = (
    "cpu",
    "wall",
    "blocked",
    "blocked_without_gc",
    "late",
    "longest_gc",
)
_REQUESTS: Final = 100
_INSTANCES: Final = 500


class RunOptions(TypedDict):
    """The options of a run that change what is measured.

    Attributes:
        quick: Few rounds, few peers, and no 500 streams at once.
        rounds: The number of rounds.
        freeze: Whether clients call ``gc.freeze()`` before many streams at once.
        python: The command or path of another Python for this project's clients.
    """

    quick: bool
    rounds: int
    freeze: bool
    python: str | None


class Results(TypedDict):
    """What one run measured, ready for JSON."""

    samples: Samples
    versions: dict[str, dict[str, str]]
    failures: dict[str, str]
    options: RunOptions
    machine: dict[str, str]
    profile: dict[str, Layers]


class Measurement:
    """One run: the server, the clients' processes, and what was measured."""

    def __init__(self, options: RunOptions) -> None:
        self.options = options
        self.samples: Samples = {}
        self.versions: dict[str, dict[str, str]] = {}
        self.failures: dict[str, str] = {}
        self._stack = ExitStack()
        self._processes: dict[str, ClientProcess] = {}
        self._tags = (f"t{number}" for number in itertools.count())

    def __enter__(self) -> Self:
        self.server = self._stack.enter_context(ServerProcess())
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def attempt(self, name: str, step: Callable[[], None]) -> None:
        """Run a step; when it fails, what was measured before is kept."""
        try:
            step()
        except (OSError, RuntimeError) as error:
            self.failures[name] = str(error)
            sys.stderr.write(f"{error}\n")

    # --- In rotation ----------------------------------------------------------------

    def requests(self, name: str, workload: Workload) -> None:
        """Let every client make its requests one after another."""
        base_url = self.server.base_url("work", workload.deltas, batch=workload.batch)
        clients = select_clients(workload.clients, quick=self.options["quick"])
        for client in clients:
            self._process(client).run(workload.method, base_url=base_url, times=1)
        rounds = min(workload.rounds, self.options["rounds"])
        for client in _rotation(clients, rounds):
            result = self._process(client).run(
                workload.method, base_url=base_url, times=workload.times
            )
            _check_received(client, result, workload.units)
            self._add(name, client, cpu=result["cpu"] / workload.units)

    def concurrent(self, name: str, workload: ConcurrentWorkload) -> None:
        """Let clients read many streams at once."""
        quick = self.options["quick"]
        clients = select_clients(workload.clients, quick=quick)
        if quick:
            # It needs as much time as all others together.
            clients = tuple(client for client in clients if client != HTTPX_LOOP)
        for client in clients:
            # What the first request imports is not part of the measurement.
            base_url = self.server.base_url("warm", workload.deltas)
            self._process(client).run("astream", base_url=base_url, times=1)
            if self.options["freeze"]:
                self._process(client).run("freeze")
        rounds = min(workload.rounds, max(1, self.options["rounds"] // 3))
        pools = ("new pool",) if quick else ("new pool", "same pool")
        for client in _rotation(clients, rounds):
            base_url = self.server.base_url(
                next(self._tags), workload.deltas, pace=workload.pace
            )
            results = self._process(client).run(
                "concurrent",
                base_url=base_url,
                streams=workload.streams,
                times=len(pools),
            )
            for pool, result in zip(pools, results, strict=True):
                _check_received(client, result, workload.streams * workload.deltas)
                measures = {key: result[key] for key in _CONCURRENT_MEASURES}
                self._add(f"{name}, {pool}", client, **measures)

    def open_streams(self, name: str, workload: ConcurrentWorkload) -> None:
        """Count how many streams are open at the server at once."""
        for client in workload.clients:
            tag = next(self._tags)
            base_url = self.server.base_url(tag, workload.deltas, pace=workload.pace)
            self._process(client).run(
                "concurrent", base_url=base_url, streams=workload.streams, times=1
            )
            self._add(name, client, count=self.server.pop_counts(tag)["most_open"])

    def startup(self) -> None:
        """Import and construct models in new processes."""
        for name in _rotation(tuple(startup.STARTS), self.options["rounds"]):
            cpu = startup.sample(name, self.options["python"])
            self._add("import and first model", name, cpu=cpu)

    # --- Once -----------------------------------------------------------------------

    def connections(self, client: str) -> None:
        """Count the connections of many requests in a row, over HTTP and HTTPS."""
        schemes = ("https",) if self.options["quick"] else ("http", "https")
        methods = ("stream", "astream", "call", "acall")
        variables = {"SSL_CERT_FILE": self.server.ca_file}
        with ClientProcess(client, self.options["python"], **variables) as process:
            for scheme, method in itertools.product(schemes, methods):
                tag = next(self._tags)
                base_url = self.server.base_url(tag, 5, scheme=scheme)
                process.run(method, base_url=base_url, times=_REQUESTS)
                count = self.server.pop_counts(tag)["connections"]
                self._add(f"connections, {method}, {scheme}", client, count=count)

    def blocking(self, client: str) -> None:
        """Count blocking calls on the event loop, those of the first call included."""
        python = self.options["python"]
        variables = {"PYTHONPATH": str(site_packages("tools", python))}
        with ClientProcess(client, python, **variables) as process:
            base_url = self.server.base_url(next(self._tags), 200, pace=2)
            tracebacks = process.run("blocking", base_url=base_url, streams=_REQUESTS)
            for text in tracebacks[:1]:
                sys.stderr.write(text)
            self._add("blocking calls", client, count=len(tracebacks))

    def instances(self, client: str) -> None:
        """Measure the CPU and the memory of more instances."""
        base_url = self.server.base_url("instances", 20)
        with ClientProcess(client, self.options["python"]) as process:
            result = process.run("idle", base_url=base_url, instances=_INSTANCES)
            self._add("500 idle instances", client, bytes=result["bytes"])
            for _ in range(self.options["rounds"]):
                result = process.run("construct", base_url=base_url, times=50)
                self._add("another instance", client, cpu=result["cpu"] / 50)

    # --- Helpers --------------------------------------------------------------------

    def _process(self, client: str) -> ClientProcess:
        if client not in self._processes:
            process = ClientProcess(client, self.options["python"])
            self._processes[client] = self._stack.enter_context(process)
            self.versions[client] = installed_versions(
                process.python, CLIENTS[client].packages
            )
        return self._processes[client]

    def _add(self, workload: str, client: str, **measures: float) -> None:
        for measure, value in measures.items():
            clients = self.samples.setdefault(workload, {})
            clients.setdefault(client, {}).setdefault(measure, []).append(value)


def _rotation(names: Sequence[str], rounds: int) -> list[str]:
    """Return the names once per round, each round beginning with another one."""
    return [
        names[(position + first) % len(names)]
        for first in range(rounds)
        for position in range(len(names))
    ]


def _check_received(client: str, result: Mapping[str, float], least: int) -> None:
    """Refuse the figures of a client that received less than was sent."""
    if result["received"] < least:
        raise RuntimeError(f"{client} received {result['received']} of {least}.")


def measure(
    *,
    quick: bool = False,
    rounds: int | None = None,
    freeze: bool = False,
    python: str | None = None,
    selects: Callable[[str], object] = lambda _: True,
) -> Results:
    """Measure all workloads that are selected.

    Args:
        quick: Few rounds, few peers, and no 500 streams at once.
        rounds: The number of rounds. None: nine, or two of a quick run.
        freeze: Whether clients call ``gc.freeze()`` before many streams at once.
        python: The command or path of another Python for this project's clients.
        selects: Returns something true for the name of a workload to measure.
    """
    options: RunOptions = {
        "quick": quick,
        "rounds": rounds or (_QUICK_ROUNDS if quick else _ROUNDS),
        "freeze": freeze,
        "python": python,
    }
    start = time.monotonic()
    with Measurement(options) as measurement:
        for name, step in _steps(measurement):
            if selects(name):
                sys.stderr.write(f"{time.monotonic() - start:5.0f} s  {name}\n")
                measurement.attempt(name, step)
        return {
            "samples": measurement.samples,
            "versions": measurement.versions,
            "failures": measurement.failures,
            "options": options,
            "machine": _machine(python),
            "profile": {},
        }


def _steps(measurement: Measurement) -> Iterator[tuple[str, Callable[[], None]]]:
    quick = measurement.options["quick"]
    for name, workload in WORKLOADS.items():
        if workload.quick or not quick:
            yield name, partial(measurement.requests, name, workload)
    for name, concurrent in CONCURRENT.items():
        if concurrent.quick or not quick:
            yield name, partial(measurement.concurrent, name, concurrent)
    if not quick:
        name = "500 open streams"
        yield name, partial(measurement.open_streams, name, OPEN_STREAMS)
    yield "import and first model", measurement.startup
    clients = [name for name, spec in CLIENTS.items() if spec.environment == PROJECT]
    for client in clients[::2] if quick else clients:
        yield f"connections, {client}", partial(measurement.connections, client)
        yield f"blocking calls, {client}", partial(measurement.blocking, client)
        yield f"instances, {client}", partial(measurement.instances, client)


def _machine(python: str | None) -> dict[str, str]:
    return {
        "system": platform.system(),
        "processor": _processor(),
        "python": python_version(python or sys.executable).split()[0],
        "date": time.strftime("%Y-%m-%d"),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [
        line.partition(":")[2].strip()
        for line in lines
        if line.startswith("model name")
    ]
    return f"{(names or [platform.machine()])[0]}, {os.cpu_count()} cores"
