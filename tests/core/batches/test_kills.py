"""A process that runs batches is killed at random moments, and started again.

``make test-crash`` tries more of them.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest

from modelstudio_core.batches import BatchRun
from modelstudio_core.emulator import BatchScript, Emulator
from tests.core.batches.killed import PARTS, ROWS

KILLS: Final = int(os.environ.get("MODELSTUDIO_KILLS", "2"))
ROOT: Final = Path(__file__).parents[3]
# About as long as the program works.
SECONDS: Final = 0.6


def start(studio: Emulator, directory: Path) -> subprocess.Popen[str]:
    """Start the program, and wait until its work begins."""
    arguments = [studio.base_url, studio.api_key, str(directory)]
    process = subprocess.Popen(  # noqa: S603 - a program of this repository
        [sys.executable, "-m", "tests.core.batches.killed", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_process_is_continued_by_another(seed: int, tmp_path: Path) -> None:
    directory = tmp_path / "run"
    wait = random.Random(seed).uniform(0.0, SECONDS)  # noqa: S311 - no secret
    with Emulator() as studio:
        studio.script_batches(*[BatchScript(seconds=0.2)] * (2 * PARTS))
        process = start(studio, directory)
        time.sleep(wait)
        process.kill()
        process.communicate()
        before = len(studio.batches)
        again = start(studio, directory)
        again.communicate(timeout=60)
        assert again.returncode == 0
        run: BatchRun[Any] = BatchRun.open(directory, api_key=studio.api_key)
        rows = list(run.results())
        assert [row.index for row in rows] == [*range(ROWS)]
        assert {row.status for row in rows} == {"done"}
        # No batch was created twice, and no row was paid for twice.
        assert before <= len(studio.batches) == PARTS
        assert sum(batch.answered for batch in studio.batches) == ROWS
