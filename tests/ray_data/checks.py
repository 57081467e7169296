"""The checks of ``make test-ray``, run in an environment with Ray."""

# Ray and pyarrow leave most of their types unknown, and are not installed where types
# are checked.
# pyright: reportMissingImports=false

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from langchain_modelstudio import ChatModelStudio
from tests.ray_data.server import KEY, SlowEmulator, serving

ROOT: Final = Path(__file__).parent.parent.parent
PROMPTS: Final = 5000
FOR_HTTP: Final = 300
CONCURRENCY: Final = 64
# Rows of the comparison with an asyncio loop, in which answers need a second.
FOR_RATE: Final = 1280
LEAST_RATE: Final = 0.7
CPUS: Final = "4"


def main() -> None:
    """Run the checks, and print what was measured as JSON."""
    with TemporaryDirectory(prefix="ray-data-") as folder, serving() as emulator:
        home = Path(folder)
        measured: dict[str, Any] = {}
        for check in (check_crash, check_rate, check_http):
            begin = time.monotonic()
            measured |= check(emulator, home / check.__name__)
            measured[f"{check.__name__} seconds"] = round(time.monotonic() - begin, 1)
            print(json.dumps(measured, indent=2), flush=True)  # noqa: T201 - the result


# --- A crash ------------------------------------------------------------------------


def check_crash(emulator: SlowEmulator, home: Path) -> dict[str, Any]:
    """Kill the example in the middle, start it again, and count what was paid."""
    write_prompts(home / "prompts", PROMPTS)
    emulator.reset(delay=0.1)
    killed = start_example(emulator, home)
    wait_for(lambda: len(emulator.times) >= PROMPTS // 2, killed)
    kill_tree(killed.pid)
    wait_for(lambda: emulator.in_flight == 0)
    before = emulator.paid
    written = len(read_answers(home / "answers"))
    assert 0 < len(before) < PROMPTS
    again = start_example(emulator, home)
    assert again.wait(300) == 0, log_of(home)
    paid = emulator.paid
    rows = read_answers(home / "answers")
    ids = Counter(row["id"] for row in rows)
    assert sorted(ids) == list(range(PROMPTS)), (len(ids), "ids")
    assert set(ids.values()) == {1}, "a prompt has two rows"
    assert all(row["answer"] and row["error"] is None for row in rows)
    schemas = {str(pq.read_schema(file)) for file in home.glob("answers/*.parquet")}
    assert len(schemas) == 1, schemas
    assert len(paid) == PROMPTS
    twice = sum(count - 1 for count in paid.values())
    # What was in flight when it was killed, and nothing else.
    assert twice <= CONCURRENCY, f"{twice} answers were paid twice"
    return {
        "answered before the kill": len(before),
        "rows written before the kill": written,
        "answers paid twice": twice,
    }


def start_example(
    emulator: SlowEmulator, home: Path, *options: str
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "examples/bulk_ray.py"]
    command += [str(home / "prompts"), str(home / "answers")]
    command += ["--base-url", emulator.base_url, "--cpus", CPUS]
    command += ["--concurrency", str(CONCURRENCY), "--requests-per-minute", "600000"]
    with log_path(home).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - this Python
            [*command, *options],
            cwd=ROOT,
            env=environment(),
            stdout=log,
            stderr=log,
        )


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "DASHSCOPE_API_KEY": KEY,
        "RAY_USAGE_STATS_ENABLED": "0",
        "PYTHONPATH": str(ROOT),
    }


def wait_for(condition: Any, process: subprocess.Popen[bytes] | None = None) -> None:
    end = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < end, "waited for too long"
        assert process is None or process.poll() is None, "the example ended"
        time.sleep(0.05)


def kill_tree(pid: int) -> None:
    """Kill a process and all that it started, at once."""
    for child in [pid, *descendants(pid)]:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue
    os.waitpid(pid, 0)


def descendants(pid: int) -> Iterator[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    pending = parents.get(pid, [])
    while pending:
        child = pending.pop()
        yield child
        pending += parents.get(child, [])


# --- Rows a second ------------------------------------------------------------------


def check_rate(emulator: SlowEmulator, home: Path) -> dict[str, Any]:
    """Compare the example with an asyncio loop; answers need a second."""
    prompts = write_prompts(home / "prompts", FOR_RATE)
    emulator.reset(delay=1.0)
    loop_seconds = asyncio.run(loop(emulator, prompts))
    loop_rate = FOR_RATE / loop_seconds
    emulator.reset(delay=1.0)
    begin = time.monotonic()
    assert start_example(emulator, home, "--no-cache").wait(300) == 0, log_of(home)
    total = time.monotonic() - begin
    times = sorted(emulator.times)
    seconds = times[-1] - times[0] + emulator.delay
    assert len(read_answers(home / "answers")) == FOR_RATE
    rate = FOR_RATE / seconds
    assert emulator.peak <= CONCURRENCY
    assert rate >= LEAST_RATE * loop_rate, (rate, loop_rate)
    return {
        "asyncio loop, rows a second": round(loop_rate, 1),
        "Ray Data, rows a second": round(rate, 1),
        "ratio": round(rate / loop_rate, 2),
        "Ray Data, seconds in all": round(total, 1),
        "of which before the first request": round(times[0] - begin, 1),
        "requests at once": emulator.peak,
    }


async def loop(emulator: SlowEmulator, prompts: Sequence[str]) -> float:
    llm = ChatModelStudio(
        model="qwen3.7-plus", base_url=emulator.base_url, api_key=KEY, max_tokens=500
    )
    places = asyncio.Semaphore(CONCURRENCY)

    async def one(prompt: str) -> None:
        async with places:
            await llm.ainvoke(prompt)

    begin = time.monotonic()
    await asyncio.gather(*map(one, prompts))
    return time.monotonic() - begin


# --- Ray's own HTTP processor -------------------------------------------------------


def check_http(emulator: SlowEmulator, home: Path) -> dict[str, Any]:
    """Compare with Ray's HTTP processor, which sends one request after another."""
    write_prompts(home / "prompts", FOR_HTTP)
    delay = 0.1
    emulator.reset(delay)
    assert start_example(emulator, home, "--no-cache").wait(300) == 0, log_of(home)
    times = sorted(emulator.times)
    mapper = FOR_HTTP / (times[-1] - times[0] + delay)
    emulator.reset(delay)
    command = [sys.executable, "-m", "tests.ray_data.http_processor"]
    command += [str(home / "prompts"), emulator.base_url, CPUS]
    with log_path(home).open("ab") as log:
        subprocess.run(  # noqa: S603 - this Python
            command, cwd=ROOT, env=environment(), stdout=log, stderr=log, check=True
        )
    times = sorted(emulator.times)
    assert len(times) == FOR_HTTP
    rays = FOR_HTTP / (times[-1] - times[0] + delay)
    return {
        "300 prompts, rows a second": round(mapper, 1),
        "Ray's HTTP processor, rows a second": round(rays, 1),
        "its requests at once": emulator.peak,
    }


# --- Files --------------------------------------------------------------------------


def write_prompts(folder: Path, count: int) -> list[str]:
    folder.mkdir(parents=True)
    prompts = [f"Review {number}: good or bad?" for number in range(count)]
    table = pa.table({"id": list(range(count)), "prompt": prompts})
    for part in range(4):
        rows = table.slice(
            part * count // 4, (part + 1) * count // 4 - part * count // 4
        )
        pq.write_table(rows, folder / f"{part}.parquet")
    return prompts


def read_answers(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.glob("*.parquet")) if folder.exists() else []
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def log_path(home: Path) -> Path:
    return home / "log.txt"


def log_of(home: Path) -> str:
    text = log_path(home).read_text(errors="replace")
    shutil.copy(log_path(home), ROOT / ".benchmarks" / "ray-data.log")
    return text[-3000:]


if __name__ == "__main__":
    main()
