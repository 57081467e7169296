"""Run a part of the tests on the oldest and the newest versions of what is used.

``python -m tests.matrix`` makes an environment for each row below ``.benchmarks/``,
runs the tests in it, and prints what passed. ``--write`` puts the table into
``docs/matrix.md``; the ranges in ``pyproject.toml`` are those that it proves.
``--rows`` runs some of them, as CI does with the oldest and the newest.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
HOME: Final = ROOT / ".benchmarks" / "matrix"
DOCUMENT: Final = ROOT / "docs" / "matrix.md"
EXTRAS: Final = "langchain,agents,llamaindex,dashscope,aiohttp,emulator,cli,limits"
# About a minute: each framework, protocol and service, and the command.
TESTS: Final = (
    "tests/end_to_end/test_parity.py",
    "tests/end_to_end/test_embeddings.py",
    "tests/end_to_end/test_rerank.py",
    "tests/langchain/test_register.py",
    "tests/llamaindex/test_agents.py",
    "tests/core/transport/test_sdks.py",
    "tests/core/foreign/test_active.py",
    "tests/cli/test_doctor.py",
)
# These measure time, which depends on the machine and not on a version.
NOT_TIMED: Final = "not at_once and not cancelled_call"
# What the tests import. Their versions are not what is tested.
TOOLS: Final = (
    "blockbuster",
    "fakeredis[lua]",
    "hypothesis",
    "langchain-classic",
    "langchain-tests",
    "pytest",
    "pytest-asyncio",
    "pytest-socket",
    "pytest-xdist",
    "syrupy",
    "trustme",
    "vcrpy",
)
SHOWN: Final = (
    "openai",
    "dashscope",
    "pydantic",
    "langchain-core",
    "langchain",
    "llama-index-core",
)
DOCUMENT_TEXT: Final = """\
# Versions

The oldest and the newest versions of what the package uses, each row with the same part
of the tests. `make matrix` writes this page; the ranges in `pyproject.toml` are those
that it proves. Last run: {day}.

{table}

The oldest row has the lowest version of each direct dependency that `pyproject.toml`
allows, those of the extras included:
{extras}.
A row whose Python is not on the machine is not run, and proves nothing about it.

`llm`, `rag` and `ray` are in no row, so the lowest versions of their dependencies are
not tried: the tests of `llm` and `rag` run with the versions of `constraints.txt`, and
`make test-ray` with those that it installs into an environment of its own.
"""
SUMMARY: Final = re.compile(r"(\d+) (passed|failed|skipped|error)")


class Row(NamedTuple):
    """What an environment has.

    Attributes:
        python: The version of Python.
        lowest: Whether each direct dependency has its lowest version.
        pins: Other requirements.
    """

    python: str
    lowest: bool = False
    pins: Sequence[str] = ()


ROWS: Final[Mapping[str, Row]] = {
    "oldest": Row("3.11", lowest=True),
    "newest": Row("3.11"),
    "openai-2": Row("3.11", pins=("openai<3",)),
    "python-3.12": Row("3.12"),
    "python-3.13": Row("3.13"),
    "python-3.14": Row("3.14"),
}


@dataclass
class Result:
    """What came of a row.

    Attributes:
        versions: The installed versions, by package.
        counts: How many tests passed, failed, were skipped.
        seconds: How long the tests took.
        note: Why there is no result; else empty.
    """

    versions: Mapping[str, str]
    counts: Mapping[str, int]
    seconds: float = 0.0
    note: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing failed. A Python that is not there is no failure."""
        if self.note:
            return self.note.startswith("no ")
        return bool(self.counts.get("passed")) and not (
            self.counts.get("failed") or self.counts.get("error")
        )


def main() -> None:
    """Run the rows of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=[*ROWS])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--workers", default="auto")
    options = parser.parse_args()
    results: dict[str, Result] = {}
    for name in options.rows:
        results[name] = run_row(name, ROWS[name], options.workers)
        store(name, results[name])
        print(f"{name}: {describe(results[name])}", flush=True)  # noqa: T201 - a command
    if options.write:
        DOCUMENT.write_text(to_markdown(stored_results()), encoding="utf-8")
    if not all(result.is_good for result in results.values()):
        sys.exit(1)


def run_row(name: str, row: Row, workers: str) -> Result:
    """Make the environment of a row and run the tests in it."""
    interpreter = find_python(row.python)
    if interpreter is None:
        return Result({}, {}, note=f"no Python {row.python} on this machine")
    folder = HOME / name
    try:
        python = install(folder, interpreter, row)
    except subprocess.CalledProcessError as error:
        text = str(error.stderr).strip()
        sys.stderr.write(text + "\n")
        return Result({}, {}, note="the versions cannot be installed together")
    begin = time.monotonic()
    # A deprecation of a newer version is not an incompatibility.
    command = [str(python), "-m", "pytest", "-q", "--tb=line"]
    command += ["-o", "filterwarnings=default", "-o", f"cache_dir={folder / 'cache'}"]
    command += ["-k", NOT_TIMED]
    lines, counts = run_tests([*command, "-n", workers, *TESTS])
    if counts.get("failed"):
        # Alone: a test that waits may fail on a busy machine.
        lines, again = run_tests([*command, "--last-failed", *TESTS])
        passed = counts["failed"] - again.get("failed", 0)
        counts["passed"] += passed
        counts["failed"] -= passed
    counts = {kind: count for kind, count in counts.items() if count}
    result = Result(versions_of(python), counts, time.monotonic() - begin)
    if not result.is_good:
        sys.stderr.write("\n".join([*lines[-60:], ""]))
    return result


def run_tests(command: Sequence[str]) -> tuple[list[str], dict[str, int]]:
    """Run pytest, and return what it printed and the counts of its last line."""
    ran = subprocess.run(  # noqa: S603 - pytest
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = ran.stdout.strip().splitlines()
    found = SUMMARY.findall(lines[-1] if lines else "")
    counts = dict.fromkeys(("passed", "failed"), 0)
    return [*lines, ran.stderr], counts | {kind: int(count) for count, kind in found}


def store(name: str, result: Result) -> None:
    """Keep a result, so that the page can be written from several runs."""
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / f"{name}.json").write_text(json.dumps(asdict(result)))


def stored_results() -> dict[str, Result]:
    """Return the last result of each row."""
    paths = {name: HOME / f"{name}.json" for name in ROWS}
    return {
        name: Result(**json.loads(path.read_text()))
        for name, path in paths.items()
        if path.exists()
    }


def find_python(version: str) -> str | None:
    """Return a Python of a version: of the path, of pyenv, or of uv."""
    candidates = [shutil.which(f"python{version}")]
    if pyenv := shutil.which("pyenv"):
        root = run([pyenv, "root"]).strip()
        found = sorted(Path(root).glob(f"versions/{version}.*/bin/python"))
        candidates += map(str, found)
    candidates.append(
        run([uv(), "python", "find", "--no-python-downloads", version]).strip() or None
    )
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    for path in candidates:
        if path and run([path, "-c", code]).strip() == version:
            return path
    return None


def run(command: Sequence[str]) -> str:
    """Return what a command prints; an empty text if it fails."""
    ran = subprocess.run(  # noqa: S603 - commands of this module
        command, capture_output=True, text=True, check=False
    )
    return ran.stdout if ran.returncode == 0 else ""


def uv() -> str:
    """Return uv, which can choose the lowest versions; it is installed if needed."""
    if found := shutil.which("uv"):
        return found
    folder = HOME / "uv"
    path = folder / "bin" / "uv"
    if not path.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)  # noqa: S603
        python = str(folder / "bin" / "python")
        pip = [python, "-m", "pip", "install", "--quiet", "uv"]
        subprocess.run(pip, check=True, capture_output=True)  # noqa: S603 - pip
    return str(path)


def install(folder: Path, interpreter: str, row: Row) -> Path:
    """Make an environment, or a new one where the requirements have changed."""
    python = folder / "bin" / "python"
    resolution = "lowest-direct" if row.lowest else "highest"
    text = "\n".join(
        [f"modelstudio-integrations[{EXTRAS}] @ {ROOT.as_uri()}", *row.pins]
    )
    requirements = HOME / f"{folder.name}.in"
    locked = HOME / f"{folder.name}.txt"
    requirements.parent.mkdir(parents=True, exist_ok=True)
    requirements.write_text(text + "\n")
    tool = [uv(), "pip"]
    compiled = [*tool, "compile", "--quiet", "--no-progress", "--python", interpreter]
    compiled += ["--resolution", resolution, "--no-header", "--no-annotate"]
    command([*compiled, str(requirements), "-o", str(locked)])
    command([uv(), "venv", "--quiet", "--clear", "--python", interpreter, str(folder)])
    add = [*tool, "install", "--quiet", "--no-progress", "--python", str(python)]
    # The tools may not change what is tested.
    command([*add, "-c", str(locked), "-e", f"{ROOT}[{EXTRAS}]", *row.pins, *TOOLS])
    return python


def command(arguments: Sequence[str]) -> None:
    """Run a command that must succeed."""
    environment = {**os.environ, "UV_LINK_MODE": "copy"}
    subprocess.run(  # noqa: S603 - uv
        arguments, check=True, capture_output=True, text=True, env=environment
    )


def versions_of(python: Path) -> dict[str, str]:
    """Return the versions of the packages that are shown, and of Python."""
    code = (
        "import json, platform\nfrom importlib.metadata import version\n"
        f"found = {{name: version(name) for name in {SHOWN!r}}}\n"
        "print(json.dumps({'python': platform.python_version(), **found}))"
    )
    text = run([str(python), "-c", code])
    return dict(json.loads(text)) if text else {}


def describe(result: Result) -> str:
    """Return a result in words."""
    if result.note:
        return result.note
    counts = ", ".join(f"{n} {kind}" for kind, n in result.counts.items())
    return f"{counts or 'no result'} in {result.seconds:.0f} s"


def to_markdown(results: Mapping[str, Result]) -> str:
    """Return the document."""
    columns = ("row", "Python", *SHOWN, "result")
    rows = [
        [name, *map(result.versions.get, ("python", *SHOWN)), describe(result)]
        for name, result in results.items()
    ]
    cells = [columns, ["---"] * len(columns), *rows]
    lines = [f"| {' | '.join(cell or '' for cell in row)} |" for row in cells]
    day = datetime.now(UTC).date().isoformat()
    names = EXTRAS.split(",")
    extras = f"{', '.join(f'`{name}`' for name in names[:-1])} and `{names[-1]}`"
    table = "\n".join(lines)
    return DOCUMENT_TEXT.format(day=day, table=table, extras=extras)


if __name__ == "__main__":
    main()
