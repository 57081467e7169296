"""Every attack, in every call style and over both protocols, with 1 GiB of memory."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.attack.server import IS_FULL
from tests.attack.table import ATTACKS, SECONDS, Attack
from tests.support.calls import CALL_STYLES
from tests.support.models import PROTOCOLS

ROOT: Final = Path(__file__).parents[2]
# MiB. A whole answer of ``max_response_bytes`` is received before it is parsed: 32 MiB
# in these tests, 256 MiB by default; a complete one is joined from its pieces. All else
# is small, and about the same.
COMPLETE: Final = 560 if IS_FULL else 130
LARGE: Final = 330 if IS_FULL else 100
SMALL: Final = 60
LIMITS: Final = {
    "gzip bomb": LARGE,
    "nested gzip bomb": LARGE,
    "endless answer": LARGE,
    "wide JSON": COMPLETE,
}
# The text of an error, with what identifies its request.
CHARACTERS: Final = 5000
HALVES: Final = (ATTACKS[::2], ATTACKS[1::2])


@contextmanager
def attacking() -> Generator[str]:
    """Run the attack server and yield its port."""
    command = [sys.executable, "-m", "tests.attack.server"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as server:  # noqa: S603 - our own module
        assert server.stdout is not None
        try:
            yield server.stdout.readline().decode().strip()
        finally:
            server.terminate()


def run_attacks(attacks: Sequence[Attack], **variables: str) -> list[dict[str, Any]]:
    """Return the reports of attacks in a process of their own."""
    with attacking() as port:
        names = [attack.name for attack in attacks]
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "tests.attack.run", port, *names],
            cwd=ROOT,
            env=os.environ | {"MALLOC_ARENA_MAX": "2"} | variables,
            capture_output=True,
            timeout=500,
            check=False,
        )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    reports: list[dict[str, Any]] = json.loads(done.stdout)
    return reports


def problems_of(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the reports of calls with a wrong outcome, or that cost too much."""
    attacks = {attack.name: attack for attack in ATTACKS}
    wrong: list[dict[str, Any]] = []
    for report in reports:
        outcome = attacks[report["attack"]].outcome(stream=report["stream"])
        is_right = outcome is None or outcome.__name__ in report["errors"]
        limit = LIMITS.get(report["attack"], SMALL)
        if (
            not is_right
            or bool(report["errors"]) is (outcome is None)
            or report["seconds"] > SECONDS
            or report["mebibytes"] > limit
            or report["characters"] > CHARACTERS
        ):
            wrong.append({**report, "expected": str(outcome)})
    return wrong


@pytest.mark.parametrize("fast_path", ["1", "0"])
@pytest.mark.parametrize("half", range(len(HALVES)))
def test_every_attack_ends(half: int, fast_path: str) -> None:
    attacks = HALVES[half]
    reports = run_attacks(attacks, MODELSTUDIO_FAST_PATH=fast_path)
    assert problems_of(reports) == []
    counts = Counter(report["attack"] for report in reports)
    combinations = len(PROTOCOLS) * len(CALL_STYLES)
    assert counts == {attack.name: combinations for attack in attacks}
    assert combinations == 16
