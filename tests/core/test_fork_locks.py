"""A lock that a forked process finds open: otherwise it is a lock as any other."""

import os
import signal
import threading

import pytest

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
