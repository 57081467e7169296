"""The mutation testing tool names tests that exist, and reads what it has said."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.environments import ROOT
from tests.mutants.__main__ import survivors
from tests.mutants.runner import NOT_REPLACEABLE
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


TESTS = """
import modelstudio_core as m
SEEN = m.called()
def test_good(): pass
def test_bad(): raise OSError("no disk")
def test_add(): assert m.add(2) == m.adder()(2) == 3
def test_called(): assert SEEN == m.called()
"""
CORE = """
def add(number: int, more: int = 1) -> int:
    return number + more
def called() -> int:
    return 5
def adder() -> object:
    return lambda first: first + 1
"""


def run_jobs(folder: Path, *jobs: dict[str, object], mode: str = "") -> list[int]:
    """Run jobs in a repository with one module and one file of tests."""
    files = {
        "modelstudio_core/__init__.py": CORE,
        # A plugin that pytest loads where this package is installed.
        "modelstudio_core/pytest_plugin.py": "",
        "tests/test_it.py": TESTS,
    }
    for name, code in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(code)
    done = subprocess.run(  # noqa: S603 - a module of these tests
        [sys.executable, "-m", "tests.mutants.runner", *mode.split()],
        cwd=folder,
        env={"PYTHONPATH": f"{folder}:{ROOT}"},
        input="".join(f"{json.dumps(job)}\n" for job in jobs),
        capture_output=True,
        check=True,
        text=True,
    )
    return [int(line) for line in done.stdout.split()[1::2]]


def job(*arguments: str, change: object = None, report: str = "r") -> dict[str, object]:
    return {
        "arguments": arguments,
        "change": change,
        "keep": False,
        "report": f"{report}.json",
    }


@pytest.mark.parametrize("mode", ["", "collected"])
def test_the_runner_says_which_tests_failed_and_how_long_all_took(
    tmp_path: Path, mode: str
) -> None:
    name = "tests/test_it.py::test_bad"
    codes = run_jobs(
        tmp_path,
        job("tests/test_it.py", report="all"),
        job("tests", f"--deselect={name}", report="good"),
        mode=mode,
    )
    assert codes == [1, 0]
    said = json.loads((tmp_path / "all.json").read_text())
    assert list(said["failed"]) == [name]
    assert "no disk" in said["failed"][name]
    assert list(said["seconds"]) == ["tests/test_it.py"]
    assert json.loads((tmp_path / "good.json").read_text())["failed"] == {}


def test_tests_that_are_collected_run_with_the_changed_function(tmp_path: Path) -> None:
    path = str(tmp_path / "modelstudio_core/__init__.py")
    changes = [
        (path, CORE, CORE.replace(before, after))
        for before, after in (
            ("number + more", "number - more"),
            ("first + 1", "first - 1"),
            ("more: int = 1", "more: int = 2"),
            ("return 5", "return 6"),
        )
    ]
    name = "tests/test_it.py::test_add"
    jobs = [job("-x", name, change=change) for change in (*changes, None)]
    codes = run_jobs(tmp_path, *jobs, mode="collected")
    # What runs when the module is imported, or was called then, must run again.
    assert codes == [1, 1, NOT_REPLACEABLE, NOT_REPLACEABLE, 0]
