"""One client in its own process, controlled with JSON lines on standard input.

A line names a command and its arguments; the answer is a line with its result. Only the
standard library and the client itself are imported here.
"""

import asyncio
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Self

from benchmarks.clients import Client, load

# By name: "cpu", "wall", "blocked" ... in seconds, "bytes", and "received": the chunks
# of streams and the characters of calls.
_Result = dict[str, float]

# How often a second task on the event loop checks the time, in seconds.
_TICK = 0.002


class Worker:
    """The commands: each is a method, called with the arguments of the line."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._clients: dict[str, Client] = {}
        self._runner = asyncio.Runner()

    def _client(self, base_url: str) -> Client:
        if base_url not in self._clients:
            self._clients[base_url] = load(self._name, base_url)
        return self._clients[base_url]

    def freeze(self) -> None:
        """Exclude all objects that exist from garbage collection, as servers can."""
        gc.collect()
        gc.freeze()

    # --- One after another ----------------------------------------------------------

    def stream(self, base_url: str, times: int) -> _Result:
        return _measure(lambda: _repeat(self._client(base_url).stream, times))

    def call(self, base_url: str, times: int) -> _Result:
        return _measure(lambda: _repeat(self._client(base_url).call, times))

    def astream(self, base_url: str, times: int) -> _Result:
        return self._ameasure(self._client(base_url).astream, times)

    def acall(self, base_url: str, times: int) -> _Result:
        return self._ameasure(self._client(base_url).acall, times)

    def _ameasure(self, request: Callable[[], Awaitable[int]], times: int) -> _Result:
        async def measure() -> _Result:
            stopwatch = _Stopwatch()
            return stopwatch.stop([await request() for _ in range(times)])

        return self._runner.run(measure())

    # --- Many at once ---------------------------------------------------------------

    def concurrent(self, base_url: str, streams: int, times: int) -> list[_Result]:
        """Read many streams at once: first with a new connection pool, then again."""

        async def measure() -> list[_Result]:
            client = load(self._name, base_url)
            return [await _concurrent(client.astream, streams) for _ in range(times)]

        with asyncio.Runner() as runner:
            return runner.run(measure())

    def blocking(self, base_url: str, streams: int) -> list[str]:
        """Return the tracebacks of blocking calls on the event loop."""
        blockbuster: Any = import_module("blockbuster")
        client, tracebacks = load(self._name, base_url), list[str]()

        async def requests() -> None:
            tasks = [client.acall(), *(client.astream() for _ in range(streams))]
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    tracebacks.append("".join(traceback.format_exception(outcome)))

        with blockbuster.blockbuster_ctx():
            self._runner.run(requests())
        return tracebacks

    # --- Instances ------------------------------------------------------------------

    def construct(self, base_url: str, times: int) -> _Result:
        load(self._name, base_url)
        return _measure(lambda: len([load(self._name, base_url) for _ in range(times)]))

    def idle(self, base_url: str, instances: int) -> _Result:
        """Return the memory of more instances, in bytes."""
        clients = [load(self._name, base_url)]
        gc.collect()
        before = _resident_bytes()
        clients.extend(load(self._name, base_url) for _ in range(instances))
        gc.collect()
        return {"bytes": _resident_bytes() - before, "received": len(clients)}


# --- Clocks -----------------------------------------------------------------------


class _Stopwatch:
    """The CPU time of the process, threads included, and the wall-clock time."""

    def __init__(self) -> None:
        # Garbage of earlier work is not part of the measurement.
        gc.collect()
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self, received: Sequence[int]) -> _Result:
        cpu = time.process_time() - self._cpu
        wall = time.perf_counter() - self._wall
        return {"cpu": cpu, "wall": wall, "received": sum(received)}


def _measure(request: Callable[[], int]) -> _Result:
    stopwatch = _Stopwatch()
    return stopwatch.stop([request()])


def _repeat(request: Callable[[], int], times: int) -> int:
    return sum(request() for _ in range(times))


async def _concurrent(request: Callable[[], Awaitable[int]], streams: int) -> _Result:
    stopwatch = _Stopwatch()
    with _CollectionTimes() as collections:
        watcher = asyncio.create_task(_watch_loop(collections))
        received = await asyncio.gather(*(request() for _ in range(streams)))
        result = stopwatch.stop(received)
        watcher.cancel()
        blocked = await watcher
    return {**result, **blocked, "longest_gc": collections.longest}


async def _watch_loop(collections: "_CollectionTimes") -> _Result:
    """Return how long the event loop was blocked at most, until this is cancelled.

    ``blocked`` and ``blocked_without_gc`` are CPU time: other processes on the machine
    do not count. ``late`` is wall-clock time; on an idle machine it equals ``blocked``.
    """
    blocked = without_gc = late = 0.0
    try:
        while True:
            wall, cpu = time.perf_counter(), time.process_time()
            collecting = collections.total
            await asyncio.sleep(_TICK)
            used = time.process_time() - cpu
            blocked = max(blocked, used)
            without_gc = max(without_gc, used - (collections.total - collecting))
            late = max(late, time.perf_counter() - wall - _TICK)
    except asyncio.CancelledError:
        return {"blocked": blocked, "blocked_without_gc": without_gc, "late": late}


class _CollectionTimes:
    """The CPU time of garbage collections, which block the event loop too."""

    def __init__(self) -> None:
        self.longest = self.total = self._start = 0.0

    def __enter__(self) -> Self:
        gc.callbacks.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        gc.callbacks.remove(self)

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._start = time.process_time()
        else:
            used = time.process_time() - self._start
            self.longest = max(self.longest, used)
            self.total += used


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Run commands until standard input ends."""
    # What libraries print goes to standard error.
    with os.fdopen(os.dup(1), "w") as output:
        os.dup2(2, 1)
        worker = Worker(sys.argv[1])
        for line in sys.stdin:
            arguments = json.loads(line)
            command = getattr(worker, arguments.pop("command"))
            try:
                outcome: dict[str, Any] = {"result": command(**arguments)}
            except Exception:  # noqa: BLE001 - the controlling process raises it
                outcome = {"error": traceback.format_exc()}
            output.write(json.dumps(outcome) + "\n")
            output.flush()


if __name__ == "__main__":
    main()
