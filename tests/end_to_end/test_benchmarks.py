"""The benchmarks: their options, their page, and what they import. Nothing is measured.

``python -m benchmarks`` measures.
"""

import gc
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import environments, report
from benchmarks.__main__ import parse_arguments
from benchmarks.environments import PROJECT, interpreter
from benchmarks.measure import Measurement, Results, RunOptions
from benchmarks.targets import TARGETS
from benchmarks.worker import Worker
from benchmarks.workloads import ConcurrentWorkload

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
OPTIONS: RunOptions = {"quick": False, "rounds": 1, "freeze": True, "python": None}
MEASURES = {
    "cpu": 1.5,
    "wall": 1.5,
    "blocked": 0.2,
    "blocked_without_gc": 0.1,
    "late": 0.2,
    "longest_gc": 0.1,
}


class FakeServer:
    def base_url(self, *_: object, **__: object) -> str:
        return "http://127.0.0.1:1"


class FakeProcess:
    """Stands in for a client's process, and records its commands."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def run(self, command: str, **_: object) -> Any:
        self.commands.append(command)
        return [{**MEASURES, "received": 2}] * 2


@pytest.fixture
def measurement(monkeypatch: pytest.MonkeyPatch) -> Measurement:
    measurement = Measurement(OPTIONS.copy())
    measurement.server = FakeServer()  # type: ignore[assignment] # what is used of it
    process = FakeProcess()
    monkeypatch.setattr(measurement, "_process", lambda _: process)
    return measurement


# --- Options ----------------------------------------------------------------------


@pytest.mark.parametrize("freeze", [True, False])
def test_freeze_comes_after_the_first_request_and_before_many_streams(
    measurement: Measurement, *, freeze: bool
) -> None:
    measurement.options["freeze"] = freeze
    workload = ConcurrentWorkload(streams=1, clients=("ChatModelStudio",), deltas=2)
    measurement.concurrent("100 streams", workload)
    commands = measurement._process("ChatModelStudio").commands  # type: ignore[attr-defined] # a FakeProcess
    assert commands == ["astream", *(["freeze"] if freeze else []), "concurrent"]


def test_worker_freezes_what_exists() -> None:
    try:
        Worker("ChatModelStudio").freeze()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_another_python_gets_an_environment_with_this_project(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    version = environments.python_version(sys.executable).split()[0]
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> None:
        commands.append(command)
        (tmp_path / f"{PROJECT}-{version}").mkdir(exist_ok=True)

    monkeypatch.setattr(environments, "HOME", tmp_path)
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("subprocess.run", run)
    assert interpreter(PROJECT) == Path(sys.executable)
    python = interpreter(PROJECT, sys.executable)
    assert python == tmp_path / f"{PROJECT}-{version}" / "bin" / "python"
    assert commands[0] == [sys.executable, "-m", "venv", str(python.parents[1])]
    assert commands[1][-2:] == ["-e", f"{ROOT}[all]"]
    interpreter(PROJECT, sys.executable)
    assert len(commands) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--freeze", "--write"], "--write and --again report the run without"),
        (["--python", sys.executable, "--again"], "--write and --again report"),
        (["--python", "/no/such/python"], "is not an executable"),
    ],
)
def test_options_that_do_not_go_together(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(arguments)
    assert message in capsys.readouterr().err


def test_commands_have_help() -> None:
    for module in ("benchmarks", "benchmarks.profile", "comparison"):
        command = [sys.executable, "-m", module, "--help"]
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own command


# --- The page ---------------------------------------------------------------------


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_page_has_the_texts_of_the_report() -> None:
    for name, text in vars(report).items():
        if name.startswith("_ABOUT_"):
            assert text in page(), name
    first = report._HEAD.partition("\n\nThe machine")[0]
    last = report._HEAD.partition("\n\nThe service")[2]
    assert first in page()
    assert last in page()


def test_page_has_the_targets() -> None:
    targets = {(target.group, target.description) for target in TARGETS}
    rows = re.findall(
        r"^\| (.+?) \| (.+?) \| .+? \| at (?:most|least) ", page(), re.MULTILINE
    )
    assert len(rows) > 50
    for group, description in rows:
        assert (group, description.partition(": the worst of")[0]) in targets


def test_page_compares_runs_with_other_options() -> None:
    def results(*, freeze: bool) -> Results:
        samples = {name: [value] for name, value in MEASURES.items()}
        return {
            "samples": {"100 streams, new pool": {"ChatModelStudio": samples}},
            "versions": {},
            "failures": {},
            "options": {**OPTIONS, "freeze": freeze},
            "machine": dict.fromkeys(("processor", "system", "load"), "")
            | {"python": "3.13.0", "date": "2026-01-31"},
            "profile": {},
        }

    lines = list(report._page(results(freeze=False), [results(freeze=True)]))
    for frozen in ("no", "yes"):
        cells = f"2026-01-31 | 3.13.0 | {frozen} | 1.50 s | 200.0 ms | 100.0 ms"
        assert f"| 100 streams, new pool | ChatModelStudio | {cells} |" in lines


# --- Imports ----------------------------------------------------------------------


def imported(package: str) -> Iterator[str]:
    for path in (ROOT / package).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        yield from re.findall(r"^\s*(?:from|import) ([\w.]+)", text, re.MULTILINE)


def test_comparison_uses_only_the_environments_of_the_benchmarks() -> None:
    from_benchmarks = {name for name in imported("comparison") if "benchmarks" in name}
    assert from_benchmarks == {"benchmarks.environments"}
    assert not any(name.startswith("comparison") for name in imported("benchmarks"))
