"""Measure what a run of batches of 50,000 rows costs: CPU time and memory.

Each measurement is a new process. Writing is compared with a loop that writes the same
lines with ``json.dumps``, reading with one that reads the results with ``json.loads``.

Usage::

    python -m benchmarks.batches            # print the results
    python -m benchmarks.batches --write    # write docs/benchmarks_batches.md and .svg
"""

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from benchmarks.environments import ROOT
from benchmarks.plot import Panel, bars, draw

__all__ = ["main", "measure", "to_text"]

ROWS: Final = 50_000
ROUNDS: Final = 5
_PAGE: Final = ROOT / "docs" / "benchmarks_batches.md"
_PLOT: Final = ROOT / "docs" / "benchmarks_batches.svg"
_MODEL: Final = "qwen3.7-plus"
_KEY: Final = "sk-benchmark-0123456789"


# By the name of the measurement.
Results = Mapping[str, Mapping[str, float]]


class Target(NamedTuple):
    """What a measurement may cost.

    Attributes:
        name: The measurement.
        base: The loop that it is compared with.
        times: The most CPU time, in times that of the loop.
        megabytes: The most memory above the imports.
    """

    name: str
    base: str
    times: float
    megabytes: float = 60.0


TARGETS: Final = (
    Target("write", "write with json", 2.0),
    Target("write, LangChain", "write with json", 2.0),
    Target("write, LlamaIndex", "write with json", 2.0),
    Target("read", "read with json", 2.0),
    Target("read with raw", "read with json", 2.0),
    Target("read with text and usage", "read with json", 2.0),
    Target("read, LangChain", "read with json", 4.0),
    Target("read, LlamaIndex", "read with json", 4.0),
)


def prompts(rows: int) -> Iterator[str]:
    """Yield different prompts of about 600 characters."""
    text = "Summarize this review in one sentence. " + "It was good. " * 42
    return (f"{text} {number}" for number in range(rows))


def _result(number: int, custom_id: str) -> dict[str, Any]:
    """Return a line of results: an answer of 300 characters with its reasoning."""
    request_id = f"{number:08d}-0000-4000-8000-000000000000"
    message = {
        "content": f"Answer {number}: " + "a satisfied customer writes. " * 10,
        "reasoning_content": "The review is short and friendly. " * 12,
        "role": "assistant",
    }
    usage = {
        "prompt_tokens": 150,
        "completion_tokens": 160,
        "total_tokens": 310,
        "completion_tokens_details": {"reasoning_tokens": 90},
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    body = {
        "choices": [{"finish_reason": "stop", "index": 0, "message": message}],
        "created": 1_788_220_800,
        "id": f"chatcmpl-{request_id}",
        "model": _MODEL,
        "object": "chat.completion",
        "usage": usage,
    }
    response = {"status_code": 200, "request_id": request_id, "body": body}
    return {
        "id": request_id,
        "custom_id": custom_id,
        "response": response,
        "error": None,
    }


# --- In the measured process ----------------------------------------------------------


def _write_with_json(directory: Path, rows: int) -> None:
    with (directory / "bare.jsonl").open("w", encoding="utf-8") as file:
        for number, prompt in enumerate(prompts(rows)):
            line = {
                "custom_id": str(number),
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {
                    "model": _MODEL,
                    "messages": [{"role": "user", "content": prompt}],
                    "enable_thinking": True,
                },
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _read_with_json(directory: Path, rows: int) -> None:
    count = 0
    with (directory / "run" / "part-0001.output.jsonl").open("rb") as file:
        for line in file:
            count += json.loads(line)["response"]["status_code"] == 200  # noqa: PLR2004 - a status
    assert count == rows  # noqa: S101 - else the time says nothing


def _writer(framework: str) -> Callable[[Path, int], None]:
    llm, run_class = _classes(framework)

    def write(directory: Path, rows: int) -> None:
        run_class.prepare(llm, prompts(rows), directory=directory / f"run {framework}")

    return write


def _is_done(row: Any) -> bool:
    return row.status == "done" and bool(row.request_id)


def _has_raw(row: Any) -> bool:
    return _is_done(row) and row.raw["id"].endswith(row.request_id)


def _has_message(row: Any) -> bool:
    return _is_done(row) and row.message is not None and row.usage.total_tokens > 0


def _reader(
    framework: str, accept: Callable[[Any], bool] = _has_message
) -> Callable[[Path, int], None]:
    _, run_class = _classes(framework)

    def read(directory: Path, rows: int) -> None:
        run = run_class.open(directory / "run", api_key=_KEY)
        count = sum(map(accept, run.results()))
        assert count == rows  # noqa: S101 - else the time says nothing

    return read


def _classes(framework: str) -> tuple[Any, Any]:
    """Return a chat model and the class of runs, imported now."""
    arguments: dict[str, Any] = {
        "model": _MODEL,
        "region": "beijing",
        "api_key": _KEY,
        "enable_thinking": True,
    }
    match framework:
        case "LangChain":
            from langchain_modelstudio import ChatModelStudio, batches  # noqa: PLC0415

            return ChatModelStudio(**arguments), batches.BatchRun
        case "LlamaIndex":
            from llamaindex_modelstudio import ModelStudio  # noqa: PLC0415
            from llamaindex_modelstudio import batches as index_batches  # noqa: PLC0415

            return ModelStudio(**arguments), index_batches.BatchRun
        case _:
            from modelstudio_core.batches import BatchRun  # noqa: PLC0415
            from modelstudio_core.chat.arguments import ChatArguments  # noqa: PLC0415

            return ChatArguments(**arguments), BatchRun


def _work(name: str) -> Callable[[Path, int], None]:
    if name == "write with json":
        return _write_with_json
    if name == "read with json":
        return _read_with_json
    if name in {"read", "read with raw"}:
        return _reader("", _is_done if name == "read" else _has_raw)
    verb, _, framework = name.partition(", ")
    return (_writer if verb == "write" else _reader)(framework)


def _run_here(name: str, directory: Path, rows: int) -> None:
    """Do one measurement in this process, and print its costs."""
    work = _work(name)
    # What the first call of a process loads is not the work of a row.
    # Forget the peak before now, which may be that of the parent.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _peak_megabytes()
    start = time.process_time()
    work(directory, rows)
    seconds = time.process_time() - start
    megabytes = _peak_megabytes() - before
    print(json.dumps({"seconds": seconds, "megabytes": megabytes}))  # noqa: T201 - for the parent


def _peak_megabytes() -> float:
    """Return the most memory that the process has used (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


# --- In the measuring process ---------------------------------------------------------


def _prepare(directory: Path, rows: int) -> None:
    """Make a run whose results are on disk, in another order than its inputs."""
    llm, run_class = _classes("")
    run_class.prepare(llm, prompts(rows), directory=directory / "run")
    lines = (directory / "run" / "part-0001.jsonl").read_bytes().splitlines()
    ids = [json.loads(line)["custom_id"] for line in lines]
    results = [_result(number, custom_id) for number, custom_id in enumerate(ids)]
    random.Random(0).shuffle(results)  # noqa: S311 - no secret
    with (directory / "run" / "part-0001.output.jsonl").open("w") as file:
        file.writelines(f"{json.dumps(result)}\n" for result in results)
    path = directory / "run" / "state.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    state["parts"][0] |= {
        "step": "collected",
        "status": "completed",
        "batch_id": "batch_1",
        "output_file_id": "file-batch_output-1",
        "answered": rows,
    }
    path.write_text(json.dumps(state), encoding="utf-8")


def measure(rows: int = ROWS, rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Return the median CPU seconds and the memory of each measurement.

    Args:
        rows: How many rows the run has, at most as many as one file.
        rounds: How often each is measured; the measurements take turns.
    """
    names = [*dict.fromkeys(t.base for t in TARGETS), *(t.name for t in TARGETS)]
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        _prepare(directory, rows)
        for _ in range(rounds):
            for name in names:
                samples[name].append(_sample(name, directory, rows))
                for written in directory.glob("run *"):
                    shutil.rmtree(written)
    return {
        name: {
            "seconds": median(sample["seconds"] for sample in found),
            "megabytes": max(sample["megabytes"] for sample in found),
        }
        for name, found in samples.items()
    }


def _sample(name: str, directory: Path, rows: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.batches", "--here", name]
    command += ["--directory", str(directory), "--rows", str(rows)]
    done = subprocess.run(  # noqa: S603 - this module
        command, cwd=ROOT, check=True, capture_output=True, text=True
    )
    sample: dict[str, float] = json.loads(done.stdout)
    return sample


def to_text(results: Results, rows: int) -> str:
    """Return the results as a table in Markdown.

    Args:
        results: What ``measure`` returned.
        rows: How many rows the run had.
    """
    lines = [
        "| | µs a row | compared with the loop | at most | MB above the imports |",
        "|---|---:|---:|---:|---:|",
    ]
    bases = dict.fromkeys(target.base for target in TARGETS)
    for name in bases:
        micro = results[name]["seconds"] / rows * 1e6
        lines.append(
            f"| {name} | {micro:.1f} | 1 | | {results[name]['megabytes']:.0f} |"
        )
    for target in TARGETS:
        found = results[target.name]
        times = found["seconds"] / results[target.base]["seconds"]
        micro = found["seconds"] / rows * 1e6
        lines.append(
            f"| {target.name} | {micro:.1f} | {times:.2f} | {target.times:g} |"
            f" {found['megabytes']:.0f} |"
        )
    return "\n".join(lines)


_HEAD: Final = """# Benchmarks of batches

Made by `python -m benchmarks.batches --write`. A run of {rows:,} rows, each of which is
a prompt of 600 characters and an answer of 300 characters with 400 of reasoning; the
results are on disk in another order than the inputs. CPU time of a process of its own,
the median of {rounds} rounds; the most memory of all rounds, above that after the
imports, where at most 60 MB are the aim. The loops use the standard library's `json`
alone: one writes the same requests, the other reads the results in the order of the
file and looks at their status. In `raw`, the body that the service sent, secrets are
hidden in every text, when it is first asked for: only "read with raw" does so.

"""
_PICTURE: Final = "![CPU per row, by measurement](benchmarks_batches.svg)"


def _write(results: Results, text: str, rows: int, rounds: int) -> None:
    head = _HEAD.format(rows=rows, rounds=rounds)
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores."
    page = f"{head}{text}\n\n{_PICTURE}\n\n{machine}\n"
    _PAGE.write_text(page, encoding="utf-8")
    draw([*_panels(results, rows)], _PLOT)


def _panels(results: Results, rows: int) -> Iterator[Panel]:
    for base in dict.fromkeys(target.base for target in TARGETS):
        measured = [target.name for target in TARGETS if target.base == base]
        values = {
            name: results[name]["seconds"] / rows * 1e6 for name in (base, *measured)
        }
        title = base.partition(" ")[0]
        yield bars(title, "µs of CPU per row", values, measured, digits=1)


def main() -> None:
    """Measure, print the results, and write them if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batches")
    parser.add_argument("--write", action="store_true", help=f"write {_PAGE.name}")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--here", help=argparse.SUPPRESS)
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        _run_here(options.here, options.directory, options.rows)
        return
    results = measure(options.rows, options.rounds)
    text = to_text(results, options.rows)
    print(text)  # noqa: T201 - a command
    if options.write:
        _write(results, text, options.rows, options.rounds)


if __name__ == "__main__":
    main()
