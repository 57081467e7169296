"""Fault servers, and retries without waiting."""

from collections.abc import Iterator

import pytest

from tests.support.fault_server import FaultServer
from tests.support.internals import no_backoff


@pytest.fixture(scope="module")
def shared_server() -> Iterator[FaultServer]:
    """Return a fault server for many tests, each with its own request ids."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Return a fault server over plain HTTP."""
    with FaultServer() as running:
        yield running


@pytest.fixture(name="no_backoff")
def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry at once where the service does not ask for a wait."""
    no_backoff(monkeypatch)
