"""Many streams at once, one request in ten failing, for as long as one likes.

``python -m tests.faults.soak --seconds 30`` prints what came of it and fails where
anything was lost, doubled or left behind; ``--record`` keeps the figures for
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
from tests.faults.ways import WAYS, Answer, Model, ask, model
from tests.faults.wire import Ask, prompt

__all__ = ["FIGURES", "Figures", "run"]

FIGURES: Final = Path(__file__).with_name("soak.json")
ROWS: Final = {row.play: row for row in TABLE if row.outcome(stream=True).error}
STREAMS: Final = [way for way in WAYS if way.stream and way.colour == "async"]
OK: Final = "the right answer"
LEFT: Final = "left early"
FAILING: Final = 0.1
LEAVING: Final = 0.05
RETRIES: Final = 2
PIECES: Final = 20
PAUSE: Final = 0.25
# How much the memory of the last quarter may be above that of the second one.
GROWTH: Final = 0.05


@dataclass
class Figures:
    """What a run came to.

    Attributes:
        streams: How many ran at once.
        seconds: How long.
        finished: How many ended.
        requests_failing: The share of requests that were made to fail.
        outcomes: How many ended how.
        wrong: What should not have been.
        fds: Open file descriptors before, at the most, and after.
        threads: The same of threads.
        tasks: Tasks that were left when the last stream had ended.
        busy: Answers that the server was still sending then.
        rss: Memory in MiB, a number each half second.
        cpu: Seconds of a processor that it took, the server's not counted.
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
        """What is wrong with it, in words."""
        found = list(self.wrong)
        if self.tasks or self.busy:
            found.append(f"{self.tasks} tasks, {self.busy} answers are left.")
        if self.fds[2] > self.fds[0] or self.threads[2] > self.threads[0]:
            found.append(f"File descriptors {self.fds}, threads {self.threads}.")
        if self.growth > GROWTH:
            found.append(f"Memory grew by {self.growth:.0%}: {self.rss}")
        return found

    @property
    def growth(self) -> float:
        """How much memory grew from the second quarter to the last."""
        quarter = len(self.rss) // 4
        if quarter < 2:
            # Too short a run to tell.
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
    """Run it, in an event loop of its own.

    Args:
        streams: How many streams run at once, all the time.
        seconds: For how long new ones begin.
        seed: What the faults follow from.
        timeout: The silence that is borne.
        pause: The silence before each piece of an answer.
    """
    figures = Figures(streams, seconds)
    with _server() as port:
        soak = _Soak(figures, port, random.Random(seed), timeout, pause)  # noqa: S311 - the same faults each time
        # What the first call loads is not what a stream leaves behind.
        asyncio.run(soak.warm_up())
        watch = _Watch(figures)
        begun = time.process_time()
        with watch:
            asyncio.run(soak.run())
        figures.cpu = round(time.process_time() - begun, 1)
        gc.collect()
        figures.fds = (watch.before[0], watch.most[0], _fds())
        figures.threads = (watch.before[1], watch.most[1], threading.active_count())
    figures.outcomes = dict(soak.outcomes.most_common())
    return figures


class _Watch:
    """Looks at the process every half second, from a thread of its own."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.before = self.most = (_fds(), threading.active_count())

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.5):
            # But for this one.
            threads = threading.active_count() - 1
            self.most = max(self.most[0], _fds()), max(self.most[1], threads)
            self._figures.rss.append(_rss())


@contextmanager
def _server() -> Generator[int]:
    command = [sys.executable, "-m", "tests.faults.server"]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        yield int(process.stdout.readline())
        process.stdin.close()


class _Soak:
    """One run."""

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
            model(
                way.framework, address, protocol, timeout=timeout, max_retries=RETRIES
            )
            for way in STREAMS
            for protocol in ("openai", "dashscope")
        ]

    async def warm_up(self) -> None:
        for number, llm in enumerate(self._models):
            answer = await self._ask(llm, prompt(f"warm-{number}"))
            assert answer.error is None, answer.error

    async def run(self) -> None:
        self._ends = time.monotonic() + self.figures.seconds
        await asyncio.gather(*(self._work(n) for n in range(self.figures.streams)))
        await asyncio.sleep(0.1)
        self.figures.tasks = len(asyncio.all_tasks()) - 1
        self.figures.busy = self._busy()
        self.figures.finished = self.outcomes.total()

    async def _work(self, worker: int) -> None:
        # They do not march in step.
        await asyncio.sleep(self._random.random() * PIECES * self._pause)
        number = 0
        while time.monotonic() < self._ends:
            number += 1
            await self._stream(f"{worker}-{number}")

    async def _stream(self, of: str) -> None:
        plays = [self._choose() for _ in range(RETRIES + 1)]
        llm = self._random.choice(self._models)
        said = prompt(of, *plays, pieces=PIECES, pause=self._pause)
        if plays[0] == "ok" and self._random.random() < LEAVING:
            await self._leave(llm, said)
            self.outcomes[LEFT] += 1
            return
        answer = await self._ask(llm, said)
        expected = _expected(plays)
        name = expected.error.__name__ if expected.error else OK
        self.outcomes[name] += 1
        text = Ask("openai", stream=True, id=of, pieces=PIECES).text
        if problem := _problem(answer, expected, text):
            self.figures.wrong.append(f"{of} {plays}: {problem}")

    def _choose(self) -> str:
        fails = self._random.random() < FAILING
        return self._random.choice(list(ROWS)) if fails else "ok"

    def _busy(self) -> int:
        """Ask the server how many answers it still sends."""
        with urlopen(f"{self._address}/seen", timeout=5) as seen:  # noqa: S310 - http
            return int(json.load(seen)["playing"])

    @staticmethod
    async def _ask(llm: Model, said: str) -> Answer:
        langchain = isinstance(llm, ChatModelStudio)
        return await ask(llm, STREAMS[0 if langchain else 1], said)

    @staticmethod
    async def _leave(llm: Model, said: str) -> None:
        stream: Any = (
            llm.astream(said)
            if isinstance(llm, ChatModelStudio)
            else await llm.astream_complete(said)
        )
        await anext(stream)
        await stream.aclose()


def _expected(plays: list[str]) -> Outcome:
    """Tell what comes of a request whose attempts are played like this."""
    outcome = Outcome()
    for play in plays:
        outcome = ROWS[play].outcome(stream=True) if play in ROWS else Outcome()
        if outcome.tries == "once":
            break
    return outcome


def _problem(answer: Answer, expected: Outcome, text: str) -> str:
    """Say what is wrong with an answer, nothing if nothing is."""
    error = answer.error
    if expected.error is None:
        if error is not None:
            return f"{error!r} in place of an answer"
        return "" if answer.text == text else f"lost or doubled: {answer.text}"
    if not isinstance(error, expected.error):
        return f"{error!r} in place of {expected.error.__name__}"
    assert isinstance(error, errors.ModelStudioError)
    if error.status_code != expected.status:
        return f"status {error.status_code}"
    if bool(answer.text) is not expected.begun or not text.startswith(answer.text):
        return f"lost or doubled before the error: {answer.text}"
    return ""


# --- The process --------------------------------------------------------------------


def _fds() -> int:
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
    said = parser.parse_args()
    figures = run(said.streams, said.seconds, seed=said.seed)
    told = json.dumps(asdict(figures), indent=2)
    sys.stdout.write(f"{told}\n")
    if said.record and not figures.problems:
        FIGURES.write_text(f"{told}\n", encoding="utf-8")
    sys.stderr.writelines(f"{problem}\n" for problem in figures.problems)
    return 1 if figures.problems else 0


if __name__ == "__main__":
    sys.exit(_command())
