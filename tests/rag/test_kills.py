"""Indexing that is killed and run again: nothing missing, nothing doubled."""

from pathlib import Path

import pytest

from tests.rag.kills import run
from tests.support.models import FRAMEWORKS


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_killed_run_is_completed_by_the_next(framework: str, tmp_path: Path) -> None:
    """``make test-rag`` kills more often, among 2,000 documents."""
    outcome = run(framework, 200, 1, tmp_path, seed=7, max_requests=20)
    assert outcome.passed, outcome
    assert outcome.kills[0] > 0
