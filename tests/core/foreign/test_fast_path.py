"""The switch of a fast path: what turns it off, and that it says so once."""

import logging
from importlib.util import module_from_spec
from types import ModuleType

import pytest

from modelstudio_core.foreign import (
    aiohttp_buffers,
    h11_chunks,
    httpcore_heads,
    httpcore_locks,
    httpcore_reads,
)
from modelstudio_core.foreign.fast_path import VARIABLE, FastPath


@pytest.fixture(autouse=True)
def _without_the_variable(  # pyright: ignore[reportUnusedFunction] - pytest calls it
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    caplog.set_level(logging.INFO, "modelstudio")


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.message for r in caplog.records if r.name == "modelstudio"]


def test_it_is_on_where_its_probe_succeeds(caplog: pytest.LogCaptureFixture) -> None:
    assert FastPath("a thing", probe=lambda: True).active
    assert messages(caplog) == []


def test_it_is_off_with_the_variable(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    probed: list[int] = []

    def probe() -> bool:
        probed.append(1)
        return True

    assert not FastPath("a thing", probe=probe).active
    assert probed == []
    assert messages(caplog) == [
        "The fast path for a thing is off: MODELSTUDIO_FAST_PATH=0"
    ]


@pytest.mark.parametrize(
    ("module", "name", "stays"),
    [
        (httpcore_heads, "LIMITED_HEADS", True),
        (httpcore_locks, "INTERRUPTIBLE_LOCKS", True),
        (httpcore_reads, "LIMITED_READS", True),
        (aiohttp_buffers, "BUFFERED", False),
        (h11_chunks, "MERGED_CHUNKS", False),
    ],
)
def test_the_variable_leaves_on_what_protects_the_caller(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, stays: bool
) -> None:
    monkeypatch.setenv(VARIABLE, "0")
    spec = module.__spec__
    assert spec is not None
    assert spec.loader is not None
    fresh = module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert getattr(fresh, name).active is stays


@pytest.mark.parametrize("value", ["", "1", "true"])
def test_other_values_leave_it_on(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert FastPath("a thing").active


def test_it_is_off_where_its_probe_fails(caplog: pytest.LogCaptureFixture) -> None:
    assert not FastPath("a thing", probe=lambda: False).active
    (message,) = messages(caplog)
    assert message.endswith("the installed versions do not have what it needs")


def test_it_is_off_where_its_probe_raises(caplog: pytest.LogCaptureFixture) -> None:
    def probe() -> object:
        raise AttributeError("no _private")

    assert not FastPath("a thing", probe=probe).active
    (message,) = messages(caplog)
    assert message.endswith("is off: AttributeError: no _private")


def test_it_is_switched_off_once(caplog: pytest.LogCaptureFixture) -> None:
    path = FastPath("a thing")
    path.switch_off(ValueError("changed"))
    path.switch_off(ValueError("changed again"))
    assert not path.active
    assert messages(caplog) == ["The fast path for a thing is off: ValueError: changed"]
