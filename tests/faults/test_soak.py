"""The shortest run of what ``make soak`` does for longer."""

import pytest

from tests.faults.soak import LEFT, OK, run
from tests.faults.soak_mixed import run_mixed


@pytest.mark.usefixtures("no_backoff")
def test_concurrent_streams_lose_duplicate_and_leak_nothing() -> None:
    figures = run(60, 2, seed=7, timeout=2, pause=0.03)
    assert figures.problems == []
    assert figures.finished >= 60
    assert figures.outcomes[OK] > figures.finished / 2
    assert LEFT in figures.outcomes
    assert len(figures.outcomes) > 3


def test_threads_loops_forks_and_interrupts_get_their_own_answers() -> None:
    outcomes = {"whole", "streamed", "abandoned", "cancelled", "interrupted", "forks"}
    figures = run_mixed(20, seed=3, until=outcomes)
    assert figures.problems == []
    assert outcomes <= set(figures.outcomes)
