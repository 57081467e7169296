"""Fixtures of the transport's tests."""

import pytest

from tests.support import internals


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat at once where the service does not ask for a wait."""
    internals.no_backoff(monkeypatch)
