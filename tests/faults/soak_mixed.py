"""A soak test of one process that does everything at once, with the same few models.

Threads call synchronously, other threads run event loops one after another, the main
thread is interrupted, generators are abandoned, tasks are cancelled, and the process
forks all the while. Each prompt carries an id that its answer repeats, so that an
answer that reaches another caller is noticed.

``python -m tests.faults.soak_mixed --seconds 30`` prints the figures and fails if
anything is wrong. ``--record`` keeps the figures for ``docs/reliability.md``.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import signal
import socket
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from itertools import count, islice
from pathlib import Path
from types import FrameType
from typing import Any, Final

from langchain_modelstudio import ChatModelStudio
from tests.faults.soak import count_fds, count_responding, serving
from tests.support.fault_server import FaultRequest, prompt
from tests.support.internals import forget_clients
from tests.support.models import FRAMEWORKS, PROTOCOLS, Model, model

__all__ = ["MIXED_FIGURES", "MixedFigures", "run_mixed"]

MIXED_FIGURES: Final = Path(__file__).with_name("soak_mixed.json")
THREADS: Final = 6
LOOPS: Final = 4
CALLS_PER_LOOP: Final = 8
PIECES: Final = 6
PAUSE: Final = 0.005
# The share of calls whose first attempt the server refuses.
BUSY: Final = 0.02
# How long a child process may take for two calls.
CHILD_SECONDS: Final = 20.0
SETTLE_SECONDS: Final = 5.0
SECONDS_BETWEEN_FORKS: Final = 0.25


@dataclass
class MixedFigures:
    """The result of a run.

    Attributes:
        seconds: For how long new calls were started.
        outcomes: The number of calls by outcome.
        wrong: Descriptions of wrong outcomes.
        fds: Open file descriptors before and after.
        threads: Threads before and after.
        busy: Responses that the server was still sending at the end.
    """

    seconds: float
    outcomes: dict[str, int] = field(default_factory=dict[str, int])
    wrong: list[str] = field(default_factory=list[str])
    fds: tuple[int, int] = (0, 0)
    threads: tuple[int, int] = (0, 0)
    busy: int = 0

    @property
    def problems(self) -> list[str]:
        """Descriptions of everything that is wrong."""
        problems = list(self.wrong)
        if self.fds[1] > self.fds[0] or self.threads[1] > self.threads[0]:
            problems.append(f"File descriptors {self.fds}, threads {self.threads}.")
        if self.busy:
            problems.append(f"{self.busy} responses are left over.")
        return problems


class _InterruptError(BaseException):
    """Stands for ``KeyboardInterrupt``: it may be raised between any two steps."""


def run_mixed(
    seconds: float, *, seed: int = 0, until: Collection[str] = ()
) -> MixedFigures:
    """Run the soak test. It must be called in the main thread.

    Args:
        seconds: For how long new calls are started.
        seed: The seed of the random choices.
        until: The outcomes after which no new calls are started, if all have occurred.
    """
    figures = MixedFigures(seconds)
    with serving() as port, _unraisable_errors_in(figures.wrong):
        address = f"http://127.0.0.1:{port}"
        soak = _MixedSoak(address, seconds, figures.wrong, seed)
        soak.until = frozenset(until)
        soak.warm_up()
        _close_connections()
        before = count_fds(), threading.active_count()
        soak.run()
        after = _settled(before)
        time.sleep(0.2)
        figures.busy = count_responding(address)
    figures.fds, figures.threads = (before[0], after[0]), (before[1], after[1])
    figures.outcomes = dict(soak.outcomes.most_common())
    return figures


class _MixedSoak:
    """One run: its models, its clock, and what the calls came to."""

    def __init__(
        self, address: str, seconds: float, wrong: list[str], seed: int
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self.until: frozenset[str] = frozenset()
        self._wrong = wrong
        self._seconds, self._seed = seconds, seed
        self._ends = 0.0
        self._numbers = count()
        self._models: list[Model] = [
            model(framework, address, protocol, timeout=10, max_retries=2)
            for framework in FRAMEWORKS
            for protocol in PROTOCOLS
        ]

    def warm_up(self) -> None:
        """Load what the first calls load: that is no leak."""
        for llm in self._models:
            self._call(llm, random.Random(0), "warm-up")  # noqa: S311 - a test
            asyncio.run(self._acall(llm, random.Random(0), "warm-up"))  # noqa: S311 - a test
        self.outcomes.clear()

    def run(self) -> None:
        self._ends = time.monotonic() + self._seconds
        jobs: list[Callable[[random.Random], None]] = [self._call_in_thread] * THREADS
        jobs += [self._run_loops] * LOOPS
        if hasattr(os, "fork"):
            jobs.append(self._fork)
        threads = [
            threading.Thread(target=self._guard, args=(job, random.Random(number)))  # noqa: S311 - a test
            for number, job in enumerate(jobs, self._seed)
        ]
        for thread in threads:
            thread.start()
        try:
            self._interrupt_calls(random.Random(self._seed))  # noqa: S311 - a test
        finally:
            for thread in threads:
                thread.join()

    def _guard(
        self, job: Callable[[random.Random], None], choices: random.Random
    ) -> None:
        try:
            job(choices)
        except BaseException as error:  # noqa: BLE001 - reported at the end
            self._wrong.append(f"{job.__name__}: {error!r}")

    def _is_over(self) -> bool:
        if self.until and self.until <= self.outcomes.keys():
            return True
        return time.monotonic() > self._ends

    # --- What is called ---------------------------------------------------------------

    def _call_in_thread(self, choices: random.Random) -> None:
        while not self._is_over():
            self._call(choices.choice(self._models), choices, "thread")

    def _run_loops(self, choices: random.Random) -> None:
        async def use() -> None:
            tasks = [
                asyncio.ensure_future(
                    self._acall(choices.choice(self._models), choices, "loop")
                )
                for _ in range(CALLS_PER_LOOP)
            ]
            for task in tasks:
                if choices.random() < 0.1:
                    await asyncio.sleep(choices.random() * PIECES * PAUSE)
                    task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, asyncio.CancelledError):
                    self.outcomes["cancelled"] += 1
                elif result is not None:
                    self._wrong.append(f"in a loop: {result!r}")

        while not self._is_over():
            asyncio.run(use())

    def _interrupt_calls(self, choices: random.Random) -> None:
        """Call in the main thread, and interrupt every second call at any place."""
        previous = signal.signal(signal.SIGALRM, _raise_interrupt)
        try:
            while not self._is_over():
                llm = choices.choice(self._models)
                try:
                    signal.setitimer(
                        signal.ITIMER_REAL, 2e-3 + choices.random() * PIECES * PAUSE
                    )
                    self._call(llm, choices, "interrupted")
                    signal.setitimer(signal.ITIMER_REAL, 0)
                except _InterruptError:
                    self.outcomes["interrupted"] += 1
                with suppress(_InterruptError):
                    # One that came late.
                    signal.setitimer(signal.ITIMER_REAL, 0)
                self._call(llm, choices, "after an interrupt")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)

    def _fork(self, choices: random.Random) -> None:
        while not self._is_over():
            llm = choices.choice(self._models)
            seed = choices.random()
            with warnings.catch_warnings():
                # Python 3.12 and later warn of a fork in a process with threads.
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
            if pid == 0:
                self._be_child(llm, random.Random(seed))  # noqa: S311 - a test
            code = _exit_code(pid)
            self.outcomes["forks"] += 1
            if code != 0:
                self._wrong.append(f"a child process ended with {code}")
            time.sleep(SECONDS_BETWEEN_FORKS)

    def _be_child(self, llm: Model, choices: random.Random) -> None:
        code = 1
        try:
            before = len(self._wrong)
            self._call(llm, choices, "child")
            asyncio.run(self._acall(llm, choices, "child"))
            code = 0 if len(self._wrong) == before else 2
        finally:
            os._exit(code)

    # --- One call ---------------------------------------------------------------------

    def _new_prompt(self, choices: random.Random, kind: str) -> tuple[str, str]:
        """Return a prompt with an id of its own, and the answer to it."""
        request_id = f"{kind}-{os.getpid()}-{next(self._numbers)}"
        faults = ("busy", "ok") if choices.random() < BUSY else ("ok",)
        answer = FaultRequest("openai", stream=True, id=request_id, pieces=PIECES).text
        return prompt(request_id, *faults, pieces=PIECES, pause=PAUSE), answer

    def _call(self, llm: Model, choices: random.Random, kind: str) -> None:
        text, answer = self._new_prompt(choices, kind)
        style = choices.choice(("whole", "streamed", "abandoned"))
        if style == "whole":
            response: Any = _method(llm, "invoke", "complete")(text)
            received = str(response.text)
        else:
            pieces = _texts(_method(llm, "stream", "stream_complete")(text))
            received = "".join(islice(pieces, 2 if style == "abandoned" else None))
        self._check(kind, style, received, answer)

    async def _acall(self, llm: Model, choices: random.Random, kind: str) -> None:
        text, answer = self._new_prompt(choices, kind)
        style = choices.choice(("whole", "streamed", "abandoned"))
        received = ""
        if style == "whole":
            response: Any = await _method(llm, "ainvoke", "acomplete")(text)
            received = str(response.text)
        else:
            stream: Any = _method(llm, "astream", "astream_complete")(text)
            if not isinstance(llm, ChatModelStudio):
                stream = await stream
            pieces = 0
            async for chunk in stream:
                received += _text_of(chunk)
                pieces += 1
                if style == "abandoned" and pieces == 2:
                    break
        self._check(kind, style, received, answer)

    def _check(self, kind: str, style: str, received: str, answer: str) -> None:
        """Compare what was received with the answer to this very prompt."""
        is_right = (
            bool(received) and answer.startswith(received)
            if style == "abandoned"
            else received == answer
        )
        self.outcomes[style] += 1
        if not is_right:
            self._wrong.append(f"{kind}, {style}: {received!r} for {answer!r}")


@contextmanager
def _unraisable_errors_in(wrong: list[str]) -> Generator[None]:
    """Add the errors that no caller can receive to ``wrong``, and keep none of them.

    An interrupt in a finalizer is such an error, and is right, and so is the warning of
    a socket whose opening or closing was interrupted. pytest's own hook keeps the
    traceback, and with it connections, which then look like a leak.
    """
    previous = sys.unraisablehook

    def note(unraisable: "sys.UnraisableHookArgs") -> None:
        is_socket = isinstance(unraisable.object, socket.socket)
        if unraisable.exc_type is ResourceWarning and is_socket:
            return
        if unraisable.exc_type is not _InterruptError:
            wrong.append(
                f"unraisable: {unraisable.exc_value!r} in {unraisable.object!r}"
            )

    sys.unraisablehook = note
    try:
        yield
    finally:
        sys.unraisablehook = previous


def _settled(before: tuple[int, int]) -> tuple[int, int]:
    """Return the open file descriptors and threads, once no more than before are left.

    On a busy machine a connection may still be closing; a leak stays.
    """
    end = time.monotonic() + SETTLE_SECONDS
    while True:
        _close_connections()
        after = count_fds(), threading.active_count()
        is_settled = after[0] <= before[0] and after[1] <= before[1]
        if is_settled or time.monotonic() > end:
            return after
        time.sleep(0.05)


def _close_connections() -> None:
    """Close the connections that are kept for later calls: they are no leak."""
    forget_clients()
    gc.collect()


def _method(llm: Model, langchain: str, llamaindex: str) -> Callable[[str], Any]:
    name = langchain if isinstance(llm, ChatModelStudio) else llamaindex
    method: Callable[[str], Any] = getattr(llm, name)
    return method


def _texts(stream: Any) -> Iterator[str]:
    return map(_text_of, stream)


def _text_of(chunk: Any) -> str:
    delta = getattr(chunk, "delta", None)
    return str(chunk.text) if delta is None else str(delta)


def _raise_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise _InterruptError


def _exit_code(pid: int) -> int | None:
    """Wait for a child process; None if it had to be ended."""
    end = time.monotonic() + CHILD_SECONDS
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def _command() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", action="store_true", help="keep the figures")
    options = parser.parse_args()
    figures = run_mixed(options.seconds, seed=options.seed)
    text = json.dumps(asdict(figures), indent=2)
    sys.stdout.write(f"{text}\n")
    if options.record and not figures.problems:
        MIXED_FIGURES.write_text(f"{text}\n", encoding="utf-8")
    sys.stderr.writelines(f"{problem}\n" for problem in figures.problems)
    return 1 if figures.problems else 0


if __name__ == "__main__":
    sys.exit(_command())
