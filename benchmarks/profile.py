"""Where the time goes: each layer measured alone, in turns, and then subtracted.

``python -m benchmarks.profile`` prints tables; ``--sample`` shows instead the functions
that a sampling profiler sees.
"""

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from importlib import import_module
from statistics import median
from typing import Any, Final

from benchmarks.answers import DELTAS
from benchmarks.environments import OURS, ROOT, interpreter, packages
from benchmarks.layers import ADAPTERS, Subject
from benchmarks.processes import Server

__all__ = ["main", "profile"]

_ROUNDS: Final = 9
_CALLS: Final = 20
_SAMPLED: Final = 30
_LINES: Final = 60

# By model and colour, by layer: CPU seconds a chunk or a call.
Layers = dict[str, dict[str, float]]
_Work = Callable[[], Awaitable[object]]


def profile(batch: int = 1) -> dict[str, Layers]:
    """Return what each layer costs, measured in a fresh process.

    Args:
        batch: Events a write.
    """
    said = ["-m", "benchmarks.profile", "--json", "--batch", str(batch)]
    done = subprocess.run(  # noqa: S603 - our own command
        [interpreter(OURS), *said], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    told: dict[str, Layers] = json.loads(done.stdout)
    return told


async def _measure(base: str, batch: int) -> dict[str, Layers]:
    subjects = {adapter: Subject(adapter, base, batch) for adapter in ADAPTERS}
    streams = {
        f"{adapter}, {colour}": works(subject)
        for adapter, subject in subjects.items()
        for colour, works in (("sync", _streams), ("async", _astreams))
    }
    calls = {
        f"{adapter}, {colour}": works(subject)
        for adapter, subject in subjects.items()
        for colour, works in (("sync", _calls), ("async", _acalls))
    }
    return {
        "a chunk of a stream": _apart(await _in_turns(streams, DELTAS)),
        "a whole call": _apart(await _in_turns(calls, _CALLS)),
    }


async def _in_turns(works: Mapping[str, Mapping[str, _Work]], pieces: int) -> Layers:
    taken: dict[tuple[str, str], list[float]] = {}
    for warm in (False, *[True] * _ROUNDS):
        for column, layers in works.items():
            for layer, work in layers.items():
                seconds = await _timed(work)
                if warm:
                    taken.setdefault((column, layer), []).append(seconds / pieces)
    return {
        column: {layer: median(taken[column, layer]) for layer in layers}
        for column, layers in works.items()
    }


async def _timed(work: _Work) -> float:
    gc.collect()
    begun = time.process_time()
    await work()
    return time.process_time() - begun


def _apart(measured: Layers) -> Layers:
    """Take the layers apart: what lies between two that were measured is a rest."""
    return {column: _rests(taken) for column, taken in measured.items()}


def _rests(taken: Mapping[str, float]) -> dict[str, float]:
    parse = taken.get("parse")
    core = {"core": taken["core"] - taken["http"]}
    if parse is not None:
        core = {"core: parsing": parse, "core: the rest": core["core"] - parse}
    return {
        "I/O: the SDK and HTTP": taken["http"],
        **core,
        "adapter": taken["all"] - taken["core"] - taken["framework"],
        "framework alone": taken["framework"],
        "all": taken["all"],
    }


# --- Works ------------------------------------------------------------------------


def _streams(subject: Subject) -> dict[str, _Work]:
    return {
        "http": _drained(subject.http),
        "parse": _drained(subject.parse),
        "core": _drained(subject.core),
        "framework": _drained(subject.ready.stream),
        "all": _drained(subject.model.stream),
    }


def _astreams(subject: Subject) -> dict[str, _Work]:
    return {
        "http": _adrained(subject.ahttp),
        "parse": _drained(subject.parse),
        "core": _adrained(subject.acore),
        "framework": _adrained(subject.ready.astream),
        "all": _adrained(subject.model.astream),
    }


def _calls(subject: Subject) -> dict[str, _Work]:
    return {
        "http": _often(subject.http_call),
        "core": _often(subject.core_call),
        "framework": _often(subject.ready.call),
        "all": _often(subject.model.call),
    }


def _acalls(subject: Subject) -> dict[str, _Work]:
    return {
        "http": _aoften(subject.ahttp_call),
        "core": _aoften(subject.acore_call),
        "framework": _aoften(subject.ready.acall),
        "all": _aoften(subject.model.acall),
    }


def _drained(read: Callable[[], Iterator[object]]) -> _Work:
    async def work() -> None:
        for _ in read():
            pass

    return work


def _adrained(read: Callable[[], AsyncIterator[object]]) -> _Work:
    async def work() -> None:
        async for _ in read():
            pass

    return work


def _often(call: Callable[[], object]) -> _Work:
    async def work() -> None:
        for _ in range(_CALLS):
            call()

    return work


def _aoften(call: Callable[[], Awaitable[object]]) -> _Work:
    async def work() -> None:
        for _ in range(_CALLS):
            await call()

    return work


# --- Command ----------------------------------------------------------------------


def _sample(base: str) -> str:
    """Return the functions that a sampling profiler finds busy in streams."""
    sys.path.append(str(packages("tools")))
    profiler: Any = import_module("pyinstrument").Profiler
    renderers: Any = import_module("pyinstrument.renderers")
    own_time = renderers.ConsoleRenderer(
        flat=True, show_all=True, time="percent_of_total", color=False
    )
    told: list[str] = []
    for adapter in ADAPTERS:
        model = Subject(adapter, base, 1).model
        with profiler(interval=0.0005) as seen:
            for _ in range(_SAMPLED):
                list(model.stream())
        lines = seen.output(renderer=own_time).splitlines()
        told += [adapter, *lines[:_LINES]]
    return "\n".join(told)


def _table(measured: Mapping[str, Layers]) -> Iterator[str]:
    for what, columns in measured.items():
        yield f"\n{f'µs of CPU, {what}':32}" + "".join(f"{it:>24}" for it in columns)
        for layer in next(iter(columns.values())):
            numbers = (f"{parts[layer] * 1e6:24.1f}" for parts in columns.values())
            yield f"{layer:32}" + "".join(numbers)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile")
    parser.add_argument("--batch", type=int, default=1, help="events a write")
    parser.add_argument("--sample", action="store_true", help="use pyinstrument")
    parser.add_argument("--json", action="store_true", help="for other programs")
    said = parser.parse_args()
    with Server() as server:
        base = server.base("profile", DELTAS, batch=said.batch)
        if said.sample:
            told = _sample(base)
        else:
            measured = asyncio.run(_measure(base, said.batch))
            told = json.dumps(measured) if said.json else "\n".join(_table(measured))
    sys.stdout.write(f"{told}\n")


if __name__ == "__main__":
    main()
