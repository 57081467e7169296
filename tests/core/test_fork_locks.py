"""A lock that a forked process finds open: otherwise it is a lock as any other."""

import os
import signal
import threading
from types import SimpleNamespace

import pytest

from modelstudio_core import fork_locks
from modelstudio_core.fork_locks import ForkLock


def test_one_thread_has_it_at_a_time() -> None:
    lock, order = ForkLock(), list[str]()
    waits = threading.Event()

    def work() -> None:
        waits.set()
        with lock:
            order.append("thread")

    with lock:
        thread = threading.Thread(target=work)
        thread.start()
        waits.wait(5)
        thread.join(0.05)
        order.append("main")
    thread.join(5)
    assert order == ["main", "thread"]


def test_an_error_releases_it() -> None:
    lock = ForkLock()
    for _ in range(2):
        with pytest.raises(EOFError), lock:
            raise EOFError


def test_of_two_threads_that_are_the_first_in_a_child_one_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second comes while the first makes the lock of the child."""
    lock, order = ForkLock(), list[str]()
    with lock:
        pass
    is_held, may_end = threading.Event(), threading.Event()

    def second() -> None:
        with lock:
            is_held.set()
            may_end.wait(5)
            order.append("second")

    def first() -> None:
        with lock:
            order.append("first")

    threads = [threading.Thread(target=work) for work in (first, second)]

    def make_lock() -> threading.Lock:
        if threads[1].ident is None:
            threads[1].start()
            is_held.wait(5)
        return threading.Lock()

    monkeypatch.setattr(fork_locks, "os", SimpleNamespace(getpid=lambda: -1))
    monkeypatch.setattr(fork_locks, "threading", SimpleNamespace(Lock=make_lock))
    threads[0].start()
    assert is_held.wait(5)
    threads[0].join(0.05)
    may_end.set()
    for thread in threads:
        thread.join(5)
    assert order == ["second", "first"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_child_that_is_forked_in_the_block_leaves_it() -> None:
    lock, child = ForkLock(), -1
    try:
        with lock:
            child = os.fork()
        if child == 0:
            signal.alarm(5)
            with lock:
                os._exit(7)
    finally:
        if child == 0:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_child_process_finds_it_open_and_uses_it() -> None:
    lock = ForkLock()
    with lock:
        child = os.fork()
        if child == 0:
            signal.alarm(5)
            try:
                for _ in range(2):
                    with lock:
                        pass
                with lock:
                    thread = threading.Thread(target=lock.__enter__, daemon=True)
                    thread.start()
                    thread.join(0.05)
                    os._exit(7 if thread.is_alive() else 1)
            finally:
                os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
