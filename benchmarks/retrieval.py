"""Measure what embeddings and reranking cost, into docs/benchmarks_retrieval.md.

``python -m benchmarks.retrieval`` prints the results; ``--write`` writes the page and
its plot. The server is another process on loopback. Clients of other projects run in
processes of their own, in the environments of ``environments.py``.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final

from benchmarks.environments import ROOT, interpreter, start_python
from benchmarks.plot import Panel, bars, draw, own
from benchmarks.retrieval_clients import CLIENTS, DOCUMENTS, ROWS

__all__ = ["main"]

_PAGE: Final = ROOT / "docs" / "benchmarks_retrieval.md"
_PLOT: Final = ROOT / "docs" / "benchmarks_retrieval.svg"
_ROUNDS: Final = 7
_TEXTS: Final = 5000
_DELAY: Final = 0.1
# The default.
_CONCURRENCY: Final = 4
_ROWS_OF_A_REQUEST: Final = 10
# Which client runs in which environment; the others run in that of this project.
_ENVIRONMENTS: Final = {"OpenAIEmbeddings": "langchain-openai", "httpx": "bare"}


@dataclass(frozen=True)
class Target:
    """A ratio or a number that must not be exceeded."""

    name: str
    value: float
    limit: float

    @property
    def row(self) -> str:
        """The row of the table."""
        met = "met" if self.value <= self.limit else "**missed**"
        return f"| {self.name} | {self.value:.2f} × | {self.limit:.2f} × | {met} |"


# --- The server -------------------------------------------------------------------


@contextmanager
def _server(delay: float = 0.0) -> Generator[str]:
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "benchmarks.retrieval_server", str(delay)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


# --- CPU of a request -------------------------------------------------------------


def _cpu(url: str, rounds: int) -> dict[str, float]:
    """Return the milliseconds of CPU of a request, by workload and client."""
    samples: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, (client, _) in CLIENTS.items():
            seconds = _run_client(client, name, url)
            samples.setdefault(name, []).append(1000 * seconds)
    return {name: median(values) for name, values in samples.items()}


def _run_client(client: str, name: str, url: str) -> float:
    python = interpreter(_ENVIRONMENTS.get(client, "modelstudio"))
    module = "benchmarks.retrieval_clients"
    process = start_python(python, "-m", module, name, url, log="retrieval")
    output, _ = process.communicate()
    return float(json.loads(output))


# --- Many texts -------------------------------------------------------------------


def _wall_times(url: str) -> tuple[float, dict[str, float]]:
    """Return the ideal seconds for all texts, and those of each kind of call."""
    from langchain_modelstudio import ModelStudioEmbeddings  # noqa: PLC0415
    from llamaindex_modelstudio import ModelStudioEmbedding  # noqa: PLC0415

    arguments: dict[str, Any] = {
        "model": "text-embedding-v4",
        "base_url": url,
        "api_key": "sk-nobody",
        "max_concurrency": _CONCURRENCY,
    }
    texts = [f"text {number}" for number in range(_TEXTS)]
    langchain = ModelStudioEmbeddings(**arguments)
    llamaindex = ModelStudioEmbedding(**arguments)
    calls: dict[str, Callable[[], Any]] = {
        "ModelStudioEmbeddings": lambda: langchain.embed_documents(texts),
        "ModelStudioEmbeddings, async": lambda: asyncio.run(
            _await(langchain.aembed_documents(texts))
        ),
        "ModelStudioEmbedding": lambda: llamaindex.get_text_embedding_batch(texts),
        "ModelStudioEmbedding, async": lambda: asyncio.run(
            _await(llamaindex.aget_text_embedding_batch(texts))
        ),
    }
    requests = -(-_TEXTS // _ROWS_OF_A_REQUEST)
    ideal = -(-requests // _CONCURRENCY) * _DELAY
    return ideal, {name: _seconds(call) for name, call in calls.items()}


async def _await(result: Awaitable[Any]) -> Any:
    return await result


def _seconds(call: Callable[[], Any]) -> float:
    begin = time.monotonic()
    vectors = call()
    seconds = time.monotonic() - begin
    assert len(vectors) == _TEXTS  # noqa: S101 - a wrong result is not a result
    return seconds


def _memory(url: str) -> tuple[int, int]:
    """Return the peak of memory during a call, and the memory of its result."""
    from langchain_modelstudio import ModelStudioEmbeddings  # noqa: PLC0415

    embeddings = ModelStudioEmbeddings(
        model="text-embedding-v4", base_url=url, api_key="sk-nobody"
    )
    texts = [f"text {number}" for number in range(_TEXTS)]
    embeddings.embed_documents(texts[:100])
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    vectors = embeddings.embed_documents(texts)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    result = sum(
        sys.getsizeof(vector) + sum(map(sys.getsizeof, vector)) for vector in vectors
    )
    return peak - before, result


# --- The page ---------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, and write the page if that is asked for.

    Args:
        arguments: The command line. None: that of this process.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    options = parser.parse_args(arguments)
    with _server() as url:
        cpu = _cpu(url, options.rounds)
        peak, result = _memory(url)
    with _server(_DELAY) as url:
        ideal, seconds = _wall_times(url)
    page = _page(cpu, (peak, result), (ideal, seconds))
    sys.stdout.write(page)
    if options.write:
        _PAGE.write_text(page, encoding="utf-8")
        draw([*_panels(cpu, (ideal, seconds))], _PLOT)


def _page(
    cpu: dict[str, float],
    memory: tuple[int, int],
    wall: tuple[float, dict[str, float]],
) -> str:
    (peak, result), (ideal, seconds) = memory, wall
    targets = [
        Target(f"{own}, relative to {other}", cpu[own] / cpu[other], limit)
        for own, (_, limits) in CLIENTS.items()
        for other, limit in limits.items()
    ]
    targets.append(Target("memory, relative to the result's own", peak / result, 1.2))
    targets += [
        Target(f"wall time of {name}, relative to the ideal", taken / ideal, 1.2)
        for name, taken in seconds.items()
    ]
    python, cores = platform.python_version(), os.cpu_count()
    return _TEXT.format(
        machine=f"{platform.system()}; {cores} cores; Python {python}",
        load=f"{os.getloadavg()[0]:.1f}",
        day=datetime.now(UTC).date(),
        rows=ROWS,
        documents=DOCUMENTS,
        cpu="\n".join(f"| {name} | {value:.2f} ms |" for name, value in cpu.items()),
        texts=f"{_TEXTS:,}",
        delay=f"{_DELAY * 1000:.0f}",
        concurrency=_CONCURRENCY,
        ideal=f"{ideal:.2f}",
        result=f"{result / 1e6:.0f}",
        peak=f"{peak / 1e6:.0f}",
        wall="\n".join(f"| {name} | {s:.2f} s |" for name, s in seconds.items()),
        targets="\n".join(target.row for target in targets),
    )


def _panels(
    cpu: dict[str, float], wall: tuple[float, dict[str, float]]
) -> Iterator[Panel]:
    label = "ms of CPU per request"
    ranking = {name: value for name, value in cpu.items() if "documents" in name}
    embedding = {name: value for name, value in cpu.items() if name not in ranking}
    title = f"embeddings of {ROWS} texts"
    yield bars(title, label, embedding, own(embedding), digits=2)
    yield bars("reranking", label, ranking, own(ranking), digits=2)
    ideal, seconds = wall
    title = f"embeddings of {_TEXTS:,} texts"
    yield bars(title, "seconds", {"ideal": ideal, **seconds}, own(seconds), digits=2)


_TEXT: Final = """\
# Benchmarks of embeddings and reranking

`python -m benchmarks.retrieval --write` wrote this page after one run: {machine}; \
load {load} at the end; {day}. A load above the number of cores means that other \
processes were running, which makes figures less exact. Compare the ratios.

A request has {rows} texts, and its answer vectors of 1,024 numbers; a ranking has \
{documents} documents. CPU is that of the client's process, for one request after a \
warm-up, with the server in another process on loopback. `httpx` posts the same \
request and reads the answer with the standard library.

On the compatible protocol the package asks for numbers, not for base64: they are the \
documented format, and its JSON decoder reads them in about the same CPU time. It \
reads base64 where a gateway answers with that.

| workload | CPU |
| --- | --- |
{cpu}

{texts} texts, {delay} ms a request, {concurrency} requests at once: the ideal is \
{ideal} s. The memory of the result is {result} MB, and the peak during the call \
{peak} MB.

| call | wall time |
| --- | --- |
{wall}

![CPU per request, by client, and the time for {texts} texts]\
(benchmarks_retrieval.svg)

## Targets

| measured | value | at most |  |
| --- | --- | --- | --- |
{targets}
"""


if __name__ == "__main__":
    main()
