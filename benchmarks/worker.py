"""One client in a process of its own, warm, doing what it is told on standard input.

A line of JSON names the work and its arguments; the answer is a line of JSON. Only the
standard library and the client itself are imported here.
"""

import asyncio
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from benchmarks.clients import CLIENTS, Client, load

_Answer = dict[str, Any]

# Other work on the loop looks at the clock this often, in seconds.
_TICK = 0.002


class Worker:
    """The works; each is a method, and its arguments are those of the command."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._clients: dict[str, Client] = {}
        self._runner = asyncio.Runner()

    def _client(self, base: str) -> Client:
        if base not in self._clients:
            self._clients[base] = load(self._name, base)
        return self._clients[base]

    # --- One after another ----------------------------------------------------------

    def stream(self, base: str, times: int) -> _Answer:
        return _timed(lambda: _repeat(self._client(base).stream, times))

    def call(self, base: str, times: int) -> _Answer:
        return _timed(lambda: _repeat(self._client(base).call, times))

    def astream(self, base: str, times: int) -> _Answer:
        return self._timed_on_loop(self._client(base).astream, times)

    def acall(self, base: str, times: int) -> _Answer:
        return self._timed_on_loop(self._client(base).acall, times)

    def _timed_on_loop(self, work: Callable[[], Awaitable[int]], times: int) -> _Answer:
        async def timed() -> _Answer:
            begun = _Stopwatch()
            return begun.stop([await work() for _ in range(times)])

        return self._runner.run(timed())

    # --- Many at once ---------------------------------------------------------------

    def concurrent(self, base: str, streams: int, times: int) -> list[_Answer]:
        """Read so many streams at once, with a new pool and then with the same."""

        async def several() -> list[_Answer]:
            client = load(self._name, base)
            return [await _at_once(client.astream, streams) for _ in range(times)]

        with asyncio.Runner() as runner:
            return runner.run(several())

    def blocking(self, base: str, streams: int) -> list[str]:
        """Return the blocking calls on the loop, from the first call on."""
        blockbuster: Any = import_module("blockbuster")
        client, found = load(self._name, base), list[str]()

        async def every() -> None:
            works = [client.acall(), *(client.astream() for _ in range(streams))]
            for outcome in await asyncio.gather(*works, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    found.append("".join(traceback.format_exception(outcome)))

        with blockbuster.blockbuster_ctx():
            self._runner.run(every())
        return found

    # --- Constructing ---------------------------------------------------------------

    def construct(self, base: str, times: int) -> _Answer:
        load(self._name, base)
        return _timed(lambda: len([load(self._name, base) for _ in range(times)]))

    def idle(self, base: str, instances: int) -> _Answer:
        """Return what so many instances hold more than one, in bytes."""
        kept = [load(self._name, base)]
        gc.collect()
        before = _resident()
        kept.extend(load(self._name, base) for _ in range(instances))
        gc.collect()
        return {"bytes": _resident() - before, "pieces": len(kept)}

    # --- What this is ---------------------------------------------------------------

    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in CLIENTS[self._name].packages}


class _Stopwatch:
    """CPU of the whole process, threads included, and time on the wall."""

    def __init__(self) -> None:
        gc.collect()
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self, pieces: list[int]) -> _Answer:
        cpu = time.process_time() - self._cpu
        wall = time.perf_counter() - self._wall
        return {"cpu": cpu, "wall": wall, "pieces": sum(pieces)}


def _timed(work: Callable[[], int]) -> _Answer:
    begun = _Stopwatch()
    return begun.stop([work()])


def _repeat(work: Callable[[], int], times: int) -> int:
    return sum(work() for _ in range(times))


async def _at_once(work: Callable[[], Awaitable[int]], streams: int) -> _Answer:
    # What was left by others is collected before the loop is watched.
    begun = _Stopwatch()
    with _Collections() as collections:
        watch = asyncio.create_task(_longest_hold(collections))
        pieces = await asyncio.gather(*(work() for _ in range(streams)))
        answer = begun.stop(list(pieces))
        watch.cancel()
        holds = await watch
    return {**answer, **holds, "collected": collections.longest}


async def _longest_hold(collections: "_Collections") -> dict[str, float]:
    """Return the longest between two turns of another task: CPU, and time.

    On a machine that does nothing else they are the same; where others take the CPU,
    what they take is no fault of the loop.
    """
    held = aside = late = 0.0
    try:
        while True:
            wall, cpu = time.perf_counter(), time.process_time()
            collected = collections.total
            await asyncio.sleep(_TICK)
            taken = time.process_time() - cpu
            held = max(held, taken)
            aside = max(aside, taken - (collections.total - collected))
            late = max(late, time.perf_counter() - wall - _TICK)
    except asyncio.CancelledError:
        return {"held": held, "held_aside": aside, "late": late}


class _Collections:
    """Garbage collections: they hold the loop, whoever's the garbage is."""

    def __init__(self) -> None:
        self.longest = self.total = self._begun = 0.0

    def __enter__(self) -> Self:
        gc.callbacks.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        gc.callbacks.remove(self)

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._begun = time.process_time()
        else:
            taken = time.process_time() - self._begun
            self.longest = max(self.longest, taken)
            self.total += taken


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Obey until standard input ends. What libraries print goes to standard error."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        worker = Worker(sys.argv[1])
        for line in sys.stdin:
            command = json.loads(line)
            try:
                told: Any = {"ok": getattr(worker, command.pop("work"))(**command)}
            except Exception:  # noqa: BLE001 - told to the one who asked
                told = {"error": traceback.format_exc()}
            answers.write(json.dumps(told) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
