"""Rate limits and SQLite files after a fork, and after an interrupt at any place."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from modelstudio_core import limit_state, limits, sqlite_files
from modelstudio_core.limits import RateLimit
from modelstudio_core.sqlite_files import SQLiteFile
from tests.support.interrupts import InterruptError, interrupted_everywhere

NEEDS_FORK: Final = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
IGNORE_THREADS: Final = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
SCHEMA: Final = "CREATE TABLE IF NOT EXISTS t (a TEXT)"


# --- Interrupts at any place --------------------------------------------------------


def test_an_interrupt_at_any_place_leaves_no_turn_and_no_lock_held() -> None:
    limit = RateLimit(requests_per_minute=10**9)
    state = limit._state

    def check(_is_complete: bool) -> None:
        assert not state._turn.locked()
        assert not state.lock.locked()

    modules = [limits, limit_state]
    places = interrupted_everywhere(
        modules, lambda: limit.acquire("/x", None, 5), check
    )
    assert places > 20


def test_an_interrupt_at_any_place_of_the_wait_gives_the_request_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = RateLimit(requests_per_minute=10)
    limit.acquire("/x", None, None)
    state, bookings, waits = limit._state, list[int](), list[float]()
    monkeypatch.setattr(time, "sleep", waits.append)
    count = limit_state.Charge.count

    def counting(charge: Any, tokens: int) -> None:
        count(charge, tokens)
        bookings.append(1)

    monkeypatch.setattr(limit_state.Charge, "count", counting)

    def check(is_complete: bool) -> None:
        assert state._owed.requests == -len(bookings) * (not is_complete)
        state._owed.requests = 0
        bookings.clear()

    places = interrupted_everywhere(
        [limits], lambda: limit.acquire("/x", None, None), check
    )
    assert places > 5
    assert waits


def test_an_interrupt_at_any_place_leaves_no_transaction(tmp_path: Path) -> None:
    file = SQLiteFile(tmp_path / "file.db", SCHEMA)
    file.read("SELECT 1")

    def add(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES ('a')")

    def check(_is_complete: bool) -> None:
        assert file._connection is not None
        assert not file._connection.in_transaction
        assert not file._lock.locked()

    assert interrupted_everywhere([sqlite_files], lambda: file.update(add), check) > 4
    file.close()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers")
def test_an_interrupt_while_another_process_writes_leaves_no_transaction(
    tmp_path: Path,
) -> None:
    file = SQLiteFile(tmp_path / "file.db", SCHEMA)
    file.read("SELECT 1")
    other = sqlite3.connect(
        tmp_path / "file.db", isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")
    end = threading.Timer(0.5, other.execute, ["COMMIT"])

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise InterruptError

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        end.start()
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(InterruptError):
            file.update(lambda _connection: None)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        end.join()
    file.update(lambda connection: connection.execute("INSERT INTO t VALUES ('a')"))
    assert file.read("SELECT count(*) FROM t") == (1,)
    other.close()
    file.close()


def test_a_loop_that_ends_while_a_thread_counts_gives_back_what_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/limits.db"
    limit = RateLimit(requests_per_minute=60, store=url)
    state = limit._state
    go, booked = threading.Event(), state.book

    def slow_book(*arguments: Any) -> float:
        go.wait(5)
        return booked(*arguments)

    monkeypatch.setattr(state, "book", slow_book)

    async def main() -> None:
        asyncio.ensure_future(limit.aacquire("/x", None, None))  # noqa: RUF006 - it is left
        await asyncio.sleep(0.05)
        threading.Timer(0.2, go.set).start()
        # The runner cancels all tasks, those that wait for threads too.

    asyncio.run(main())
    assert state._owed.requests == -1
    limit.close()


# --- Forks --------------------------------------------------------------------------


def exit_code_of(child: Callable[[], object]) -> int:
    """Run a function in a forked process that may take five seconds."""
    if (process := os.fork()) == 0:
        code = 1
        with suppress(BaseException):
            signal.alarm(5)
            child()
            code = 0
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@NEEDS_FORK
@IGNORE_THREADS
@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_a_request_that_waits_in_the_parent_is_left_to_it(
    tmp_path: Path, store: str
) -> None:
    """A child finalizes the coroutine, while a thread of the parent has the lock."""
    url = None if store == "memory" else f"sqlite:///{tmp_path}/limits.db"
    limit = RateLimit(requests_per_minute=10, store=url)
    limit.acquire("/x", None, None)

    async def main() -> None:
        waiting = limit.aacquire("/x", None, None)
        task = asyncio.create_task(waiting)
        await asyncio.sleep(0.1)
        with limit._state.lock:
            assert exit_code_of(waiting.close) == 0
        assert limit._state._owed.requests == 0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert limit._state._owed.requests == -1

    asyncio.run(main())
    limit.close()


@NEEDS_FORK
@IGNORE_THREADS
def test_an_answer_that_ends_in_a_child_is_settled_in_the_parent() -> None:
    limit = RateLimit(tokens_per_minute=10**6)
    charge = limit.acquire("/x", None, None)
    with limit._state.lock:
        assert exit_code_of(lambda: charge.settle({"total_tokens": 5})) == 0
    charge.settle({"total_tokens": 5})
    assert limit._state._owed.tokens == 5


@contextmanager
def held(lock: Any) -> Generator[None]:
    """Hold a lock in a thread, which a child does not have."""
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            is_held.set()
            may_end.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait()
    try:
        yield
    finally:
        may_end.set()
        thread.join()


@NEEDS_FORK
@IGNORE_THREADS
def test_a_child_does_not_finalize_the_client_of_redis_of_its_parent() -> None:
    """Since redis 8.1 that takes the lock of its pool."""
    limit = RateLimit(requests_per_minute=10, store="redis://127.0.0.1:1/0")
    store: Any = limit._state.store
    pool = store.redis.connection_pool
    parents = store.redis
    del store

    def child() -> None:
        nonlocal limit, parents
        state: Any = limit._current()
        assert state.store.redis is not parents
        del parents, limit

    with held(pool._lock):
        assert exit_code_of(child) == 0


@NEEDS_FORK
@IGNORE_THREADS
def test_a_child_uses_a_limit_whose_locks_a_thread_of_its_parent_holds(
    tmp_path: Path,
) -> None:
    limit = RateLimit(requests_per_minute=600, store=f"sqlite:///{tmp_path}/limits.db")
    limit.acquire("/x", None, None)
    store: Any = limit._state.store
    with held(limit._state.lock), held(limit._state._turn), held(store._file._lock):
        assert exit_code_of(partial(limit.acquire, "/x", None, 5)) == 0
    limit.close()


SCRIPT: Final = """
import os, sqlite3, sys
from pathlib import Path
from modelstudio_core.sqlite_files import SQLiteFile
file = SQLiteFile(Path(sys.argv[1]), "CREATE TABLE IF NOT EXISTS t (a TEXT)")
file.write("INSERT INTO t VALUES ('a')")
reader, writer = os.pipe()
if os.fork():
    os._exit(0)  # without closing the file
os.close(writer)
os.read(reader, 1)
if "used" in sys.argv:
    file.read("SELECT 1")
    del file
"""


@NEEDS_FORK
@pytest.mark.parametrize("use", ["used", "not used"])
def test_a_child_never_closes_the_connection_of_its_parent(
    tmp_path: Path, use: str
) -> None:
    """The last one to close a file in WAL mode deletes its log."""
    path = tmp_path / "file.db"
    command = [sys.executable, "-c", SCRIPT, str(path), use]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:  # noqa: S603 - our own
        # Until both have ended.
        assert process.stderr is not None
        assert process.stderr.read() == b""
    log = path.with_name("file.db-wal")
    for _ in range(100):
        if not log.exists():
            break
        time.sleep(0.01)
    assert log.exists()
