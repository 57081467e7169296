"""Kill indexing at random moments: no chunk may be missing, doubled or left behind.

``python -m tests.rag.kills`` indexes 2,000 documents in each framework, kills the
process several times, and changes, deletes and restores documents in between. After the
last run it checks the store, and how many embeddings were paid for twice.
"""

import argparse
import contextlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from modelstudio_core.emulator import Emulator
from tests.rag.jobs import count_repetitions, embedded_texts, job_of
from tests.support.models import FRAMEWORKS

__all__ = ["Outcome", "run", "write_documents"]

ROOT: Final = Path(__file__).parents[2]
_CHILD: Final = (sys.executable, "-m", "tests.rag.child")
# Every fourth document has two chunks or more.
_LONG_EVERY: Final = 4
# The chunks of a batch: LangChain's are counted in chunks, LlamaIndex's in documents.
_MOST_CHUNKS: Final = {"LangChain": 1.0, "LlamaIndex": 1.5}
_PARAGRAPH: Final = "The report of station {name}, version {version}, part {part}. "


@dataclass
class Outcome:
    """What a series of killed runs and a last one left.

    Attributes:
        missing: Chunks of the folder that are not in the store.
        extra: Chunks in the store that are not in the folder, or doubled.
        repeated: Embeddings that were paid for twice.
        bound: The most embeddings that may be: those of the batches in flight.
        kills: At how many requests of a run each kill came.
        seconds: How long the last run lasted.
    """

    missing: int = 0
    extra: int = 0
    repeated: int = 0
    bound: int = 0
    kills: list[int] = field(default_factory=list[int])
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.missing and not self.extra and self.repeated <= self.bound


def write_document(folder: Path, number: int, version: int = 1) -> None:
    """Write a document whose chunks are like those of no other version."""
    parts = 3 if number % _LONG_EVERY == 0 else 1
    text = "\n\n".join(
        _PARAGRAPH.format(name=number, version=version, part=part) * 10
        for part in range(parts)
    )
    (folder / f"{number:05}.md").write_text(f"# {number}\n\n{text}\n", encoding="utf-8")


def write_documents(folder: Path, count: int) -> None:
    """Write a folder of documents."""
    folder.mkdir(parents=True)
    for number in range(count):
        write_document(folder, number)


def run(
    framework: str,
    documents: int,
    kills: int,
    directory: Path,
    *,
    seed: int,
    max_requests: int,
) -> Outcome:
    """Index a folder, kill the process some times, and let a last run end.

    Args:
        framework: Which example is run.
        documents: How many documents there are.
        kills: How often the process is killed.
        directory: An empty directory.
        seed: Decides the moments, and what happens to the folder in between.
        max_requests: The most requests of a run before it is killed.
    """
    chance = random.Random(seed)  # noqa: S311 - moments, no secrets
    folder = directory / "documents"
    write_documents(folder, documents)
    outcome = Outcome()
    with Emulator(max_requests=100_000) as studio:
        job = job_of(framework)(studio.base_url, studio.api_key, directory / "index")
        restored: set[int] = set()
        for number in range(kills):
            command = [*_CHILD, framework, str(folder), str(job.directory)]
            command += [studio.base_url, studio.api_key]
            requests, delay = chance.randrange(1, max_requests), chance.random() * 0.1
            outcome.kills.append(_kill(command, studio, requests, delay))
            restored |= _change(folder, documents, number, chance)
        started = time.monotonic()
        job.update(folder)
        outcome.seconds = time.monotonic() - started
        stored, expected = job.stored(), job.expected(folder)
        outcome.missing = sum((expected - stored).values())
        outcome.extra = sum((stored - expected).values())
        outcome.repeated = count_repetitions(
            Counter(
                {
                    text: count
                    for text, count in embedded_texts(studio).items()
                    if _number(text) not in restored
                }
            )
        )
        outcome.bound = int(kills * job.batch * _MOST_CHUNKS[framework])
    return outcome


def _number(text: str) -> int:
    """Return the number of the document that a chunk is of."""
    found = re.search(r"station (\d+),", text)
    assert found is not None
    return int(found[1])


def _kill(command: Sequence[str], studio: Emulator, requests: int, delay: float) -> int:
    """Start a process, and kill it after some requests and a delay.

    Between two requests the process writes to the store and to the record.
    """
    before = len(studio.requests)
    with subprocess.Popen(  # noqa: S603 - this very interpreter
        command, cwd=ROOT, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None and len(studio.requests) - before < requests:
            time.sleep(0.001)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
    return len(studio.requests) - before


def _change(
    folder: Path, documents: int, version: int, chance: random.Random
) -> set[int]:
    """Change and delete some documents, and return those that are as they once were."""
    for number in chance.sample(range(documents), documents // 50):
        write_document(folder, number, version + 2)
    for number in chance.sample(range(documents), documents // 50):
        (folder / f"{number:05}.md").unlink(missing_ok=True)
    restored = chance.sample(range(documents), documents // 50)
    for number in restored:
        write_document(folder, number)
    return {*restored}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the series in both frameworks, print the figures, and fail if one is bad."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    options = parser.parse_args(arguments)
    failed = False
    for framework in FRAMEWORKS:
        with tempfile.TemporaryDirectory() as directory:
            outcome = run(
                framework,
                options.documents,
                options.kills,
                Path(directory),
                seed=options.seed,
                # The chunks are about 1.3 times the documents, ten in a request.
                max_requests=max(options.documents // 10, 2),
            )
        print(f"{framework}, seed {options.seed}: {outcome}")  # noqa: T201 - a command
        failed = failed or not outcome.passed
    return int(failed)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
