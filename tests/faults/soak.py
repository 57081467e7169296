"""A soak test: many concurrent streams, of which one request in ten fails.

``python -m tests.faults.soak --seconds 30`` prints the figures and fails if text was
lost or duplicated, or if anything was leaked. ``--record`` keeps the figures for
``docs/reliability.md``.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.request import urlopen

from langchain_modelstudio import ChatModelStudio
from modelstudio_core import errors
from tests.faults.table import TABLE, Outcome
from tests.support.calls import ASYNC_STYLES, CallStyle, Result, collect_text
from tests.support.fault_server import FaultRequest, prompt
from tests.support.models import PROTOCOLS, Framework, Model, model

__all__ = [
    "FIGURES",
    "LEFT",
    "OK",
    "PERIOD",
    "Figures",
    "count_fds",
    "count_responding",
    "run",
    "serving",
]

FIGURES: Final = Path(__file__).with_name("soak.json")
ROWS: Final = {row.fault: row for row in TABLE if row.outcome(stream=True).error}
STYLES: Final[dict[Framework, CallStyle]] = {
    style.framework: style for style in ASYNC_STYLES if style.stream
}
OK: Final = "the right answer"
LEFT: Final = "left early"
# Seconds between two measurements of the process.
PERIOD: Final = 0.5
FAILING: Final = 0.1
LEAVING: Final = 0.05
RETRIES: Final = 2
PIECES: Final = 20
PAUSE: Final = 0.25
# How much more memory the last quarter may use than the second one.
GROWTH: Final = 0.05


@dataclass
class Figures:
    """The result of a run.

    Attributes:
        streams: The number of concurrent streams.
        seconds: For how long new streams were started.
        finished: The number of streams that ended.
        requests_failing: The share of requests that the server failed.
        outcomes: The number of streams by outcome.
        wrong: Descriptions of wrong outcomes.
        fds: Open file descriptors before, at most, and after.
        threads: Threads before, at most, and after.
        tasks: asyncio tasks left over after the last stream.
        busy: Responses that the server was still sending after the last stream.
        rss: Memory in MiB, measured every half second.
        cpu: CPU seconds, without the server.
    """

    streams: int
    seconds: float
    finished: int = 0
    requests_failing: float = FAILING
    outcomes: dict[str, int] = field(default_factory=dict[str, int])
    wrong: list[str] = field(default_factory=list[str])
    fds: tuple[int, int, int] = (0, 0, 0)
    threads: tuple[int, int, int] = (0, 0, 0)
    tasks: int = 0
    busy: int = 0
    rss: list[float] = field(default_factory=list[float])
    cpu: float = 0.0

    @property
    def problems(self) -> list[str]:
        """Descriptions of everything that is wrong."""
        problems = list(self.wrong)
        if self.tasks or self.busy:
            problems.append(f"{self.tasks} tasks, {self.busy} responses are left over.")
        if self.fds[2] > self.fds[0] or self.threads[2] > self.threads[0]:
            problems.append(f"File descriptors {self.fds}, threads {self.threads}.")
        if self.growth > GROWTH:
            problems.append(f"Memory grew by {self.growth:.0%}: {self.rss}")
        return problems

    @property
    def growth(self) -> float:
        """The growth of memory from the second quarter to the last, as a share."""
        quarter = len(self.rss) // 4
        if quarter < 2:
            # The run was too short to measure it.
            return 0.0
        before, after = self.rss[quarter : 2 * quarter], self.rss[-quarter:]
        return median(after) / median(before) - 1


def run(
    streams: int,
    seconds: float,
    *,
    seed: int = 0,
    timeout: float = 5.0,
    pause: float = PAUSE,
) -> Figures:
    """Run the soak test in a new event loop.

    Args:
        streams: The number of concurrent streams.
        seconds: For how long new streams are started.
        seed: The seed of the random choice of faults.
        timeout: The models' ``timeout`` in seconds.
        pause: Seconds before each piece of an answer.
    """
    figures = Figures(streams, seconds)
    with serving() as port:
        soak = _Soak(figures, port, random.Random(seed), timeout, pause)  # noqa: S311 - reproducible faults
        # What the first call loads is not a leak.
        asyncio.run(soak.warm_up())
        monitor = _Monitor(figures)
        start = time.process_time()
        with monitor:
            asyncio.run(soak.run())
        figures.cpu = round(time.process_time() - start, 1)
        gc.collect()
        figures.fds = (monitor.before[0], monitor.most[0], count_fds())
        figures.threads = (monitor.before[1], monitor.most[1], threading.active_count())
    figures.outcomes = dict(soak.outcomes.most_common())
    return figures


class _Monitor:
    """Measures the process every half second in a thread."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._measure)
        self.before = self.most = (count_fds(), threading.active_count())

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _measure(self) -> None:
        while not self._stopping.wait(PERIOD):
            # Without this thread.
            threads = threading.active_count() - 1
            self.most = max(self.most[0], count_fds()), max(self.most[1], threads)
            self._figures.rss.append(_rss())


@contextmanager
def serving() -> Generator[int]:
    """Run the fault server in a process of its own, and yield its port."""
    command = [sys.executable, "-m", "tests.support.fault_server"]
    with subprocess.Popen(  # noqa: S603 - a module of these tests
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        yield int(process.stdout.readline())
        process.stdin.close()


def count_responding(address: str) -> int:
    """Return how many responses the fault server is still sending.

    Args:
        address: Its base URL.
    """
    with urlopen(f"{address}/log", timeout=5) as log:  # noqa: S310 - http
        return int(json.load(log)["responding"])


class _Soak:
    """One run of the soak test."""

    def __init__(
        self,
        figures: Figures,
        port: int,
        chance: random.Random,
        timeout: float,
        pause: float,
    ) -> None:
        self.figures = figures
        self.outcomes: Counter[str] = Counter()
        self._random, self._pause = chance, pause
        self._ends = 0.0
        self._address = address = f"http://127.0.0.1:{port}"
        self._models: list[Model] = [
            model(framework, address, protocol, timeout=timeout, max_retries=RETRIES)
            for framework in STYLES
            for protocol in PROTOCOLS
        ]

    async def warm_up(self) -> None:
        for number, llm in enumerate(self._models):
            result = await self._collect(llm, prompt(f"warm-{number}"))
            assert result.error is None, result.error

    async def run(self) -> None:
        self._ends = time.monotonic() + self.figures.seconds
        await asyncio.gather(*(self._work(n) for n in range(self.figures.streams)))
        await asyncio.sleep(0.1)
        self.figures.tasks = len(asyncio.all_tasks()) - 1
        self.figures.busy = count_responding(self._address)
        self.figures.finished = self.outcomes.total()

    async def _work(self, worker: int) -> None:
        # The workers start at different times.
        await asyncio.sleep(self._random.random() * PIECES * self._pause)
        number = 0
        while time.monotonic() < self._ends:
            number += 1
            await self._stream(f"{worker}-{number}")

    async def _stream(self, request_id: str) -> None:
        faults = [self._choose_fault() for _ in range(RETRIES + 1)]
        llm = self._random.choice(self._models)
        text = prompt(request_id, *faults, pieces=PIECES, pause=self._pause)
        if faults[0] == "ok" and self._random.random() < LEAVING:
            await self._leave(llm, text)
            self.outcomes[LEFT] += 1
            return
        result = await self._collect(llm, text)
        expected = _expected(faults)
        name = expected.error.__name__ if expected.error else OK
        self.outcomes[name] += 1
        answer = FaultRequest("openai", stream=True, id=request_id, pieces=PIECES).text
        if problem := _problem(result, expected, answer):
            self.figures.wrong.append(f"{request_id} {faults}: {problem}")

    def _choose_fault(self) -> str:
        fails = self._random.random() < FAILING
        return self._random.choice(list(ROWS)) if fails else "ok"

    @staticmethod
    async def _collect(llm: Model, text: str) -> Result:
        langchain = isinstance(llm, ChatModelStudio)
        style = STYLES["LangChain" if langchain else "LlamaIndex"]
        return await collect_text(llm, style, text)

    @staticmethod
    async def _leave(llm: Model, text: str) -> None:
        stream: Any = (
            llm.astream(text)
            if isinstance(llm, ChatModelStudio)
            else await llm.astream_complete(text)
        )
        await anext(stream)
        await stream.aclose()


def _expected(faults: list[str]) -> Outcome:
    """Return the outcome of a request whose attempts meet these faults."""
    outcome = Outcome()
    for fault in faults:
        outcome = ROWS[fault].outcome(stream=True) if fault in ROWS else Outcome()
        if not outcome.retried:
            break
    return outcome


def _problem(result: Result, expected: Outcome, text: str) -> str:
    """Return a description of what is wrong with a result, or an empty text."""
    error = result.error
    if expected.error is None:
        if error is not None:
            return f"{error!r} in place of an answer"
        return "" if result.text == text else f"lost or duplicated: {result.text}"
    if not isinstance(error, expected.error):
        return f"{error!r} in place of {expected.error.__name__}"
    assert isinstance(error, errors.ModelStudioError)
    if error.status_code != expected.status:
        return f"status {error.status_code}"
    if bool(result.text) is not expected.partial or not text.startswith(result.text):
        return f"lost or duplicated before the error: {result.text}"
    return ""


# --- The process --------------------------------------------------------------------


def count_fds() -> int:
    """Return how many file descriptors this process has open."""
    return len([*Path("/proc/self/fd").iterdir()])


def _rss() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def _command() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", action="store_true", help="keep the figures")
    options = parser.parse_args()
    figures = run(options.streams, options.seconds, seed=options.seed)
    text = json.dumps(asdict(figures), indent=2)
    sys.stdout.write(f"{text}\n")
    if options.record and not figures.problems:
        FIGURES.write_text(f"{text}\n", encoding="utf-8")
    sys.stderr.writelines(f"{problem}\n" for problem in figures.problems)
    return 1 if figures.problems else 0


if __name__ == "__main__":
    sys.exit(_command())
