"""The locks of httpcore: replaced on the installed version, or left as they are."""

import os
import signal
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, Final

import pytest

from modelstudio_core.emulator import Emulator
from modelstudio_core.foreign import httpcore_locks
from modelstudio_core.foreign.fast_path import FastPath
from modelstudio_core.transport.pools import make_sync_pool
from tests.core.transport.support import connection_to
from tests.support.internals import forget_clients
from tests.support.models import model

STRANGERS: Final = {
    "no transport": object(),
    "no pool": SimpleNamespace(_transport=object(), _mounts={}),
    "no lock": SimpleNamespace(
        _transport=SimpleNamespace(_pool=SimpleNamespace()), _mounts={}
    ),
    "another lock": SimpleNamespace(
        _transport=SimpleNamespace(_pool=SimpleNamespace(_optional_thread_lock=1)),
        _mounts={},
    ),
}


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> FastPath:
    """Give each test its own switch: one that goes off stays off."""
    fresh = FastPath("the locks", is_guard=True)
    monkeypatch.setattr(httpcore_locks, "INTERRUPTIBLE_LOCKS", fresh)
    return fresh


def test_the_lock_of_a_new_pool_is_pythons_own(path: FastPath) -> None:
    """Its methods are not in Python: no signal handler runs within them."""
    with make_sync_pool(connection_to("http://127.0.0.1:9")) as client:
        lock = client._transport._pool._optional_thread_lock
    assert isinstance(lock, type(threading.RLock()))
    assert path.active


# --- The locks of connections -------------------------------------------------------

PYTHONS_OWN: Final = type(threading.Lock())


@pytest.fixture
def client(modelstudio_emulator: Emulator) -> Generator[Any]:
    """Return a client with a connection that has answered one request."""
    with make_sync_pool(connection_to(modelstudio_emulator.base_url)) as client:
        client.get(modelstudio_emulator.base_url)
        yield client


def connection_of(client: Any) -> Any:
    (connection,) = client._transport._pool.connections
    return connection


def test_a_connection_has_pythons_own_locks_from_its_second_request_on(
    client: Any, modelstudio_emulator: Emulator, path: FastPath
) -> None:
    connection = connection_of(client)
    assert type(connection._request_lock) is PYTHONS_OWN
    assert type(connection._connection._state_lock) is not PYTHONS_OWN
    assert type(connection).__name__ == "HTTPConnection"
    client.get(modelstudio_emulator.base_url)
    assert connection_of(client) is connection
    lock = connection._connection._state_lock
    assert type(lock) is PYTHONS_OWN
    client.get(modelstudio_emulator.base_url)
    assert connection._connection._state_lock is lock
    assert path.active


def test_a_lock_that_an_interrupt_left_locked_holds_no_request(
    client: Any, modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpcore_locks, "_SECONDS", 0.05)
    connection_of(client)._connection._state_lock._lock.acquire()
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(client.get, modelstudio_emulator.base_url)
        assert answer.result(10).status_code


def test_a_lock_in_use_is_replaced_when_it_is_released(
    client: Any, modelstudio_emulator: Emulator
) -> None:
    """Two threads with a lock each could send on the same connection."""
    lock = connection_of(client)._connection._state_lock
    with ThreadPoolExecutor(1) as threads:
        with lock:
            answer = threads.submit(client.get, modelstudio_emulator.base_url)
            with pytest.raises(TimeoutError):
                answer.result(0.1)
            assert connection_of(client)._connection._state_lock is lock
        assert answer.result(10).status_code
    assert connection_of(client)._connection._state_lock is not lock


def test_connections_of_another_version_are_left_as_they_are(
    client: Any, modelstudio_emulator: Emulator, path: FastPath
) -> None:
    connection_of(client)._connection._state_lock = threading.RLock()
    assert client.get(modelstudio_emulator.base_url).status_code
    assert not path.active


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_child_process_does_not_wait_for_a_thread_of_its_parent() -> None:
    with httpcore_locks._shared.lock:
        child = os.fork()
        if child == 0:
            signal.alarm(5)
            with httpcore_locks._shared.lock:
                os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


# --- Other versions -----------------------------------------------------------------


@pytest.mark.parametrize("client", STRANGERS.values(), ids=STRANGERS)
def test_another_version_is_left_as_it_is(
    client: object, path: FastPath, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "modelstudio")
    for _ in range(2):
        httpcore_locks.replace_lock(client)
    assert not path.active
    assert len([r for r in caplog.records if "is off" in r.message]) == 1


def test_calls_work_where_it_is_off(
    modelstudio_emulator: Emulator, path: FastPath
) -> None:
    path.switch_off("a test")
    forget_clients()
    assert model("LangChain", modelstudio_emulator).invoke("Hi").text
