"""Two seconds of what ``make soak`` does for longer."""

import pytest

from tests.faults.soak import LEFT, OK, run


@pytest.mark.usefixtures("no_backoff")
def test_concurrent_streams_lose_duplicate_and_leak_nothing() -> None:
    figures = run(60, 2, seed=7, timeout=2, pause=0.03)
    assert figures.problems == []
    assert figures.finished >= 60
    assert figures.outcomes[OK] > figures.finished / 2
    assert LEFT in figures.outcomes
    assert len(figures.outcomes) > 3
