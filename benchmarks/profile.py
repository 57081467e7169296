"""The CPU time of each layer: measured by itself, in rotation, and then subtracted.

``python -m benchmarks.profile`` prints tables. With ``--sample`` it prints the
functions that a sampling profiler sees.
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

from benchmarks.environments import PROJECT, ROOT, interpreter, site_packages
from benchmarks.layers import ADAPTERS, ModelLayers
from benchmarks.processes import ServerProcess
from benchmarks.responses import DELTAS

__all__ = ["main", "profile"]

_ROUNDS: Final = 9
_CALLS: Final = 20
_SAMPLED_STREAMS: Final = 30
_SAMPLED_LINES: Final = 60

# CPU seconds per chunk or call: by model and mode, by layer.
Layers = dict[str, dict[str, float]]
_Step = Callable[[], Awaitable[object]]


def profile(batch: int = 1) -> dict[str, Layers]:
    """Return the CPU time of each layer, measured in a new process.

    Args:
        batch: Events per write.
    """
    arguments = ["-m", "benchmarks.profile", "--json", "--batch", str(batch)]
    done = subprocess.run(  # noqa: S603 - our own command
        [interpreter(PROJECT), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    layers: dict[str, Layers] = json.loads(done.stdout)
    return layers


async def _measure(base_url: str, batch: int) -> dict[str, Layers]:
    models = {adapter: ModelLayers(adapter, base_url, batch) for adapter in ADAPTERS}
    streams = {
        f"{adapter}, {mode}": steps(model)
        for adapter, model in models.items()
        for mode, steps in (("sync", _streams), ("async", _astreams))
    }
    calls = {
        f"{adapter}, {mode}": steps(model)
        for adapter, model in models.items()
        for mode, steps in (("sync", _calls), ("async", _acalls))
    }
    return {
        "chunk of a stream": _subtract(await _rotate(streams, DELTAS)),
        "call": _subtract(await _rotate(calls, _CALLS)),
    }


async def _rotate(steps: Mapping[str, Mapping[str, _Step]], units: int) -> Layers:
    samples: dict[tuple[str, str], list[float]] = {}
    for warm in (False, *[True] * _ROUNDS):
        for column, layers in steps.items():
            for layer, step in layers.items():
                seconds = await _cpu_seconds(step)
                if warm:
                    samples.setdefault((column, layer), []).append(seconds / units)
    return {
        column: {layer: median(samples[column, layer]) for layer in layers}
        for column, layers in steps.items()
    }


async def _cpu_seconds(step: _Step) -> float:
    gc.collect()
    start = time.process_time()
    await step()
    return time.process_time() - start


def _subtract(measured: Layers) -> Layers:
    """Return what each layer costs without the layers that it contains."""
    return {column: _differences(seconds) for column, seconds in measured.items()}


def _differences(seconds: Mapping[str, float]) -> dict[str, float]:
    parse = seconds.get("parse")
    core = {"core": seconds["core"] - seconds["http"]}
    if parse is not None:
        core = {"core: parser": parse, "core: other": core["core"] - parse}
    return {
        "transport: SDK and HTTP": seconds["http"],
        **core,
        "adapter": seconds["all"] - seconds["core"] - seconds["framework"],
        "framework alone": seconds["framework"],
        "all": seconds["all"],
    }


# --- Steps ------------------------------------------------------------------------


def _streams(model: ModelLayers) -> dict[str, _Step]:
    return {
        "http": _read(model.http),
        "parse": _read(model.parse),
        "core": _read(model.core),
        "framework": _read(model.framework.stream),
        "all": _read(model.model.stream),
    }


def _astreams(model: ModelLayers) -> dict[str, _Step]:
    return {
        "http": _aread(model.ahttp),
        "parse": _read(model.parse),
        "core": _aread(model.acore),
        "framework": _aread(model.framework.astream),
        "all": _aread(model.model.astream),
    }


def _calls(model: ModelLayers) -> dict[str, _Step]:
    return {
        "http": _repeat(model.http_call),
        "core": _repeat(model.core_call),
        "framework": _repeat(model.framework.call),
        "all": _repeat(model.model.call),
    }


def _acalls(model: ModelLayers) -> dict[str, _Step]:
    return {
        "http": _arepeat(model.ahttp_call),
        "core": _arepeat(model.acore_call),
        "framework": _arepeat(model.framework.acall),
        "all": _arepeat(model.model.acall),
    }


def _read(stream: Callable[[], Iterator[object]]) -> _Step:
    async def step() -> None:
        for _ in stream():
            pass

    return step


def _aread(stream: Callable[[], AsyncIterator[object]]) -> _Step:
    async def step() -> None:
        async for _ in stream():
            pass

    return step


def _repeat(call: Callable[[], object]) -> _Step:
    async def step() -> None:
        for _ in range(_CALLS):
            call()

    return step


def _arepeat(call: Callable[[], Awaitable[object]]) -> _Step:
    async def step() -> None:
        for _ in range(_CALLS):
            await call()

    return step


# --- Command ----------------------------------------------------------------------


def _sample(base_url: str) -> str:
    """Return the functions in which a sampling profiler finds streams."""
    sys.path.append(str(site_packages("tools")))
    profiler: Any = import_module("pyinstrument").Profiler
    renderers: Any = import_module("pyinstrument.renderers")
    own_time = renderers.ConsoleRenderer(
        flat=True, show_all=True, time="percent_of_total", color=False
    )
    lines: list[str] = []
    for adapter in ADAPTERS:
        model = ModelLayers(adapter, base_url, 1).model
        with profiler(interval=0.0005) as session:
            for _ in range(_SAMPLED_STREAMS):
                list(model.stream())
        output = session.output(renderer=own_time).splitlines()
        lines += [adapter, *output[:_SAMPLED_LINES]]
    return "\n".join(lines)


def _tables(measured: Mapping[str, Layers]) -> Iterator[str]:
    for unit, columns in measured.items():
        yield f"\n{f'µs of CPU per {unit}':32}" + "".join(
            f"{column:>24}" for column in columns
        )
        for layer in next(iter(columns.values())):
            numbers = (f"{layers[layer] * 1e6:24.1f}" for layers in columns.values())
            yield f"{layer:32}" + "".join(numbers)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile")
    parser.add_argument("--batch", type=int, default=1, help="events per write")
    parser.add_argument("--sample", action="store_true", help="use pyinstrument")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    with ServerProcess() as server:
        base_url = server.base_url("profile", DELTAS, batch=arguments.batch)
        if arguments.sample:
            output = _sample(base_url)
        else:
            layers = asyncio.run(_measure(base_url, arguments.batch))
            tables = "\n".join(_tables(layers))
            output = json.dumps(layers) if arguments.json else tables
    sys.stdout.write(f"{output}\n")


if __name__ == "__main__":
    main()
