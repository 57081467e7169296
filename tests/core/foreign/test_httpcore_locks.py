"""The locks of pools: active on the installed version, or left as they are."""

import threading
from types import SimpleNamespace
from typing import Final

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
