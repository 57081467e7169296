"""The mutation testing tool names tests that exist, and reads what it has said."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.environments import ROOT
from tests.mutants.__main__ import survivors
from tests.mutants.selection import LAST, WIDER_TESTS, stages_of
from tests.mutants.trial import Mutant

MUTANT = Mutant("modelstudio_core/rerank.py", "core/NumberReplacer", 3, 42)


def test_all_tests_that_are_listed_exist() -> None:
    groups = (*WIDER_TESTS.values(), *LAST.values())
    places = {test for group in groups for test in group if test[0] != "-"}
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_tests_that_a_copy_does_not_have_are_not_run(tmp_path: Path) -> None:
    own = tmp_path / "tests/core/test_limits.py"
    own.parent.mkdir(parents=True)
    own.touch()
    first, *others = stages_of("modelstudio_core/limits.py", tmp_path)
    assert first == ("tests/core/test_limits.py",)
    assert {test for stage in others for test in stage} == {"tests/core"}


def test_the_survivors_of_a_report_are_tried_again() -> None:
    report = (
        f"2 of 9 mutants\nnoticed  {MUTANT} by a\nSURVIVED {MUTANT}\n  - a\n  + b\n"
    )
    assert survivors(report) == [MUTANT]


def test_the_runner_says_which_tests_failed_and_how_long_all_took(
    tmp_path: Path,
) -> None:
    code = "def test_good(): pass\ndef test_bad(): raise OSError('no disk')\n"
    (tmp_path / "test_it.py").write_text(code)
    arguments = ["-p", "no:cacheprovider", "test_it.py"]
    job = {"arguments": arguments, "keep": False, "report": "report.json"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants.runner"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        input=f"{json.dumps(job)}\n",
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout.split()[-1] == "1"
    said = json.loads((tmp_path / "report.json").read_text())
    assert list(said["failed"]) == ["test_it.py::test_bad"]
    assert "no disk" in said["failed"]["test_it.py::test_bad"]
    assert list(said["seconds"]) == ["test_it.py"]
