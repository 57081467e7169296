"""Do all the works in turns, and keep every sample."""

import itertools
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from benchmarks import startup
from benchmarks.clients import CLIENTS
from benchmarks.environments import OURS, packages
from benchmarks.processes import Server, Worker
from benchmarks.works import CONCURRENT, LOOP, OPEN, WORKS, Concurrent, Work, chosen

__all__ = ["Measurement", "Samples", "measure"]

# By work, client and measure: "cpu" in seconds a piece, "wall", "held", "held_aside",
# "late" and "collected" in seconds, "count", "bytes".
Samples = dict[str, dict[str, dict[str, list[float]]]]

_ROUNDS: Final = 9
_QUICK_ROUNDS: Final = 2
_OF_MANY: Final = ("cpu", "wall", "held", "held_aside", "late", "collected")
_IN_A_ROW: Final = 100
_INSTANCES: Final = 500


class Measurement:
    """One run: the server, the workers, and what was measured."""

    def __init__(self, *, quick: bool, rounds: int | None = None) -> None:
        self.quick = quick
        self.rounds = rounds or (_QUICK_ROUNDS if quick else _ROUNDS)
        self.samples: Samples = {}
        self.versions: dict[str, dict[str, str]] = {}
        self.failures: dict[str, str] = {}
        self._stack = ExitStack()
        self._workers: dict[str, Worker] = {}
        self._tags = (f"t{number}" for number in itertools.count())

    def __enter__(self) -> Self:
        self.server = self._stack.enter_context(Server())
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def attempt(self, name: str, todo: Callable[[], None]) -> None:
        """Do a work; where it fails, what was measured so far still stands."""
        try:
            todo()
        except (OSError, RuntimeError) as error:
            self.failures[name] = str(error)
            sys.stderr.write(f"{error}\n")

    # --- In turns -------------------------------------------------------------------

    def work(self, name: str, work: Work) -> None:
        """Let every client do a work, in turns."""
        base = self.server.base("work", work.deltas, batch=work.batch)
        clients = chosen(work.clients, quick=self.quick)
        for client in clients:
            self._worker(client).ask(work.method, base=base, times=1)
        for client in self._turns(clients, min(work.rounds, self.rounds)):
            told = self._worker(client).ask(work.method, base=base, times=work.times)
            _check(client, told, work.pieces)
            self._add(name, client, cpu=told["cpu"] / work.pieces)

    def concurrent(self, name: str, work: Concurrent) -> None:
        """Let clients read many streams at once, in turns."""
        clients = chosen(work.clients, quick=self.quick)
        if self.quick:
            # It takes as long as all others together.
            clients = tuple(it for it in clients if it != LOOP)
        rounds = min(work.rounds, max(1, self.rounds // 3))
        for client in clients:
            # What the first call loads is no part of it.
            base = self.server.base("warm", work.deltas)
            self._worker(client).ask("astream", base=base, times=1)
        for client in self._turns(clients, rounds):
            tag = next(self._tags)
            base = self.server.base(tag, work.deltas, pace=work.pace)
            pools = ("new pool",) if self.quick else ("new pool", "same pool")
            told = self._worker(client).ask(
                "concurrent", base=base, streams=work.streams, times=len(pools)
            )
            for pool, answer in zip(pools, told, strict=True):
                _check(client, answer, work.streams * work.deltas)
                measured = {key: answer[key] for key in _OF_MANY}
                self._add(f"{name}, {pool}", client, **measured)

    def open_at_once(self, name: str, work: Concurrent) -> None:
        """Count how many streams the server saw open at once."""
        for client in work.clients:
            tag = next(self._tags)
            base = self.server.base(tag, work.deltas, pace=work.pace)
            worker = self._worker(client)
            worker.ask("concurrent", base=base, streams=work.streams, times=1)
            self._add(name, client, count=self.server.seen(tag)["most_open"])

    def starts(self) -> None:
        """Import and construct in fresh processes, in turns."""
        for name in self._turns(tuple(startup.STARTS), self.rounds):
            self._add("import and first model", name, **startup.sample(name))

    # --- Once -----------------------------------------------------------------------

    def connections(self, client: str) -> None:
        """Count the connections of many calls in a row, over both schemes."""
        with Worker(client, SSL_CERT_FILE=self.server.bundle) as worker:
            for scheme, method in itertools.product(
                ("https",) if self.quick else ("http", "https"),
                ("stream", "astream", "call", "acall"),
            ):
                tag = next(self._tags)
                base = self.server.base(tag, 5, scheme=scheme)
                worker.ask(method, base=base, times=_IN_A_ROW)
                opened = self.server.seen(tag)["connections"]
                self._add(f"connections, {method}, {scheme}", client, count=opened)

    def blocking(self, client: str) -> None:
        """Count blocking calls on the loop, from the very first call on."""
        with Worker(client, PYTHONPATH=str(packages("tools"))) as worker:
            base = self.server.base(next(self._tags), 200, pace=2)
            found = worker.ask("blocking", base=base, streams=_IN_A_ROW)
            for trace in found[:1]:
                sys.stderr.write(trace)
            self._add("blocking calls", client, count=len(found))

    def instances(self, client: str) -> None:
        """Measure further instances: what they cost, and what they hold."""
        base = self.server.base("instances", 20)
        with Worker(client) as worker:
            held = worker.ask("idle", base=base, instances=_INSTANCES)
            self._add("500 idle instances", client, bytes=held["bytes"])
            for _ in range(self.rounds):
                told = worker.ask("construct", base=base, times=50)
                self._add("a further instance", client, cpu=told["cpu"] / 50)

    # --- Below ----------------------------------------------------------------------

    def _worker(self, client: str) -> Worker:
        if client not in self._workers:
            worker = self._stack.enter_context(Worker(client))
            self._workers[client] = worker
            self.versions[client] = worker.ask("versions")
        return self._workers[client]

    def _turns(self, names: Sequence[str], rounds: int) -> list[str]:
        """Return names in turns, each round beginning with another one."""
        return [
            names[(turn + first) % len(names)]
            for first in range(rounds)
            for turn in range(len(names))
        ]

    def _add(self, work: str, client: str, **measured: float) -> None:
        for measure, value in measured.items():
            clients = self.samples.setdefault(work, {})
            clients.setdefault(client, {}).setdefault(measure, []).append(value)


def _check(client: str, told: Mapping[str, float], pieces: int) -> None:
    """Refuse figures of a client that did less than it was asked for."""
    if told["pieces"] < pieces:
        raise RuntimeError(f"{client} got {told['pieces']} pieces of {pieces}.")


def measure(
    *,
    quick: bool,
    rounds: int | None = None,
    wanted: Callable[[str], bool] = lambda _: True,
) -> dict[str, Any]:
    """Measure everything that is wanted.

    Args:
        quick: Few rounds, few peers, and no 500 streams at once.
        rounds: How often each client has its turn; None: as usual.
        wanted: Whether a work is, by its name.

    Returns:
        Samples, versions and the machine, ready for JSON.
    """
    begun = time.monotonic()
    with Measurement(quick=quick, rounds=rounds) as run:
        for name, todo in _plan(run):
            if wanted(name):
                sys.stderr.write(f"{time.monotonic() - begun:5.0f} s  {name}\n")
                run.attempt(name, todo)
        return {
            "samples": run.samples,
            "versions": run.versions,
            "rounds": run.rounds,
            "failures": run.failures,
            "quick": quick,
            "machine": _machine(),
        }


def _plan(run: Measurement) -> Iterator[tuple[str, Callable[[], None]]]:
    for name, work in WORKS.items():
        if work.quick or not run.quick:
            yield name, partial(run.work, name, work)
    for name, many in CONCURRENT.items():
        if many.quick or not run.quick:
            yield name, partial(run.concurrent, name, many)
    if not run.quick:
        yield "500 open at once", partial(run.open_at_once, "500 open at once", OPEN)
    yield "import and first model", run.starts
    ours = [name for name, spec in CLIENTS.items() if spec.environment == OURS]
    for client in ours[::2] if run.quick else ours:
        yield f"connections, {client}", partial(run.connections, client)
        yield f"blocking calls, {client}", partial(run.blocking, client)
        yield f"instances, {client}", partial(run.instances, client)


def _machine() -> dict[str, str]:
    return {
        "system": platform.system(),
        "processor": _processor(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [
        it.partition(":")[2].strip() for it in lines if it.startswith("model name")
    ]
    return f"{(names or [platform.machine()])[0]}, {os.cpu_count()} cores"
