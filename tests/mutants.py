"""Mutation testing: small changes to the core that at least one test should notice.

``python -m tests.mutants`` lets cosmic-ray list the mutants of the core, draws a sample
of them, runs the tests of the changed module for each, then those of its surroundings,
then all that may notice it, and prints the survivors. A survivor is a test that is
missing, or a change that changes nothing.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from benchmarks.environments import ROOT, interpreter

__all__ = ["Mutant", "run", "tests_of"]

CORE: Final = "modelstudio_core"
# The emulator is no part of what is installed for use, and the two tables of models are
# in a snapshot, value by value: they would make up half of a sample.
EXCLUDED: Final = frozenset(
    {
        "__init__.py",
        "_version.py",
        "chat_models.py",
        "emulator",
        "other_models.py",
        "pytest_plugin.py",
    }
)
# The tests of a module are the files and folders with its name, or with that of its
# package, in these places; and those listed here. What they miss, ``LAST`` may notice.
PLACES: Final = ("tests/core", "tests/end_to_end", "tests/end_to_end/field", "tests")
_RETRIEVAL: Final = (
    "tests/end_to_end/test_embeddings.py",
    "tests/end_to_end/test_multimodal_embeddings.py",
    "tests/end_to_end/test_rerank.py",
    "tests/end_to_end/test_recordings_retrieval.py",
)
_CONSTRUCTORS: Final = (
    "tests/core/test_arguments.py",
    "tests/core/chat/test_arguments.py",
    "tests/end_to_end/test_constructor.py",
)
_REQUESTS: Final = (
    "tests/core/chat",
    "tests/end_to_end/test_parity.py",
    "tests/end_to_end/field/test_requests.py",
)
_ANSWERS: Final = (
    "tests/core/chat",
    "tests/end_to_end/test_parity.py",
    "tests/end_to_end/field/test_answers.py",
)
_MEDIA: Final = (
    "tests/core/chat",
    "tests/end_to_end/field/test_media.py",
    "tests/end_to_end/field/test_uploads.py",
    "tests/end_to_end/field/test_voice.py",
)
_LIMITS: Final = ("tests/core/test_limits.py", "tests/end_to_end/test_limits.py")
_TRANSPORT: Final = (
    "tests/core/transport",
    "tests/core/foreign",
    "tests/faults/test_retries.py",
    "tests/faults/test_connections.py",
)
WIDER_TESTS: Final[Mapping[str, Sequence[str]]] = {
    "argument_hints.py": _CONSTRUCTORS,
    "arguments.py": _CONSTRUCTORS,
    "catalog": ("tests/core/catalog", "tests/end_to_end/field/test_catalog.py"),
    "chat/addresses.py": _MEDIA,
    "chat/arguments.py": _CONSTRUCTORS,
    "chat/choice.py": _ANSWERS,
    "chat/completion.py": _ANSWERS,
    "chat/dashscope.py": (*_REQUESTS, "tests/end_to_end/test_recordings_native.py"),
    "chat/history.py": (*_REQUESTS, "tests/end_to_end/field/test_histories.py"),
    "chat/media.py": _MEDIA,
    "chat/media_checks.py": _MEDIA,
    "chat/media_messages.py": _MEDIA,
    "chat/parser.py": _ANSWERS,
    "chat/speech.py": (*_MEDIA, "tests/end_to_end/field/test_answers.py"),
    "chat/usage.py": _ANSWERS,
    "chat": _REQUESTS,
    "concurrent_arguments.py": (*_CONSTRUCTORS, *_RETRIEVAL),
    "embeddings": _RETRIEVAL,
    "endpoints.py": ("tests/core/catalog", "tests/core/test_policy.py"),
    "errors.py": ("tests/core/chat", "tests/core/transport", "tests/langchain"),
    "foreign": (*_TRANSPORT, "tests/faults/test_closing_early.py"),
    "files.py": ("tests/core/tasks", "tests/core/batches"),
    "generation.py": ("tests/core/tasks", "tests/end_to_end/test_image_agents.py"),
    "limit_state.py": _LIMITS,
    "limit_stores.py": _LIMITS,
    "limits.py": _LIMITS,
    "local_files.py": _MEDIA,
    "model_list.py": ("tests/cli",),
    "redaction.py": ("tests/core/test_secrets.py", "tests/faults/test_secrets.py"),
    "rerank.py": _RETRIEVAL,
    "secrets.py": (
        "tests/core/test_redaction.py",
        "tests/end_to_end/test_misplaced_keys.py",
        "tests/faults/test_secrets.py",
    ),
    "service_inputs.py": _RETRIEVAL,
    "sqlite_files.py": (*_LIMITS, "tests/core/batches"),
    "tasks": ("tests/end_to_end/test_recordings_tasks.py",),
    "transport/audit.py": ("tests/end_to_end/test_policy.py",),
    "transport/forms.py": ("tests/core/transport", *_MEDIA),
    "transport": _TRANSPORT,
    "uploads.py": _MEDIA,
    "user_warnings.py": ("tests/core",),
    "wire": ("tests/core/wire", "tests/core/chat"),
}
# The last tests, by the beginning of the module's path.
LAST: Final[Mapping[str, Sequence[str]]] = {
    "chat": (
        "tests/langchain/_chat",
        "tests/llamaindex/_chat",
        "tests/end_to_end/field/test_answers.py",
        "tests/end_to_end/field/test_arguments.py",
        "tests/end_to_end/field/test_histories.py",
        "tests/end_to_end/field/test_media.py",
        "tests/end_to_end/test_policy.py",
        "tests/end_to_end/test_recordings.py",
        "tests/faults/test_table.py",
    ),
    "transport": (
        "tests/end_to_end/test_policy.py",
        "tests/faults",
        "tests/attack",
        "--deselect=tests/faults/test_soak.py",
    ),
    "wire": (
        "tests/end_to_end/field/test_errors.py",
        "tests/end_to_end/field/test_media.py",
        "tests/end_to_end/test_recordings.py",
        "tests/faults/test_table.py",
    ),
    "": ("tests/core", "tests/end_to_end/test_parity.py", "tests/faults/test_table.py"),
}
# Changes that change nothing: in annotations, which nothing runs, and of decorators
# that do nothing, or only save time or memory.
IGNORED: Final = "core/ReplaceBinaryOperator_BitOr_"
IGNORED_LINES: Final = re.compile(r"@(\w+\.)?(override|overload|cache|lru_cache)\b")
# A test that hangs has noticed a change: it is stopped after a multiple of its time, or
# after the longest time if that is not known yet.
PATIENCE: Final = 4
SECONDS: Final = 60.0
LONGEST: Final = 900.0
CONFIG: Final = """
[cosmic-ray]
module-path = {modules}
timeout = {seconds}
excluded-modules = []
test-command = "true"
[cosmic-ray.distributor]
name = "local"
"""
# Runs pytest for each line of its input: prints the number of the process that does,
# and the exit code when it has ended. The core is not imported before: it changes.
RUNNER: Final = """
import json, os, sys
import aiohttp, httpx2, langchain_core.language_models.chat_models, openai
import llama_index.core.embeddings, llama_index.core.llms, pytest
for line in sys.stdin:
    job = json.loads(line)
    if (process := os.fork()) == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        sys.dont_write_bytecode = not job["keep"]
        if sys.dont_write_bytecode:
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        os._exit(pytest.main(job["arguments"]))
    print(process, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""
NOT_COPIED: Final = shutil.ignore_patterns(".*", "__pycache__", "dist", "build")


class Mutant(NamedTuple):
    """One small change.

    Attributes:
        path: The file that is changed.
        operator: What changes it.
        occurrence: Which of the places in the file that the operator can change.
        line: The line of the place.
    """

    path: str
    operator: str
    occurrence: int
    line: int


def modules() -> list[str]:
    """Return the paths of the files that are changed."""
    found = (path.relative_to(ROOT) for path in (ROOT / CORE).rglob("*.py"))
    return sorted(str(path) for path in found if EXCLUDED.isdisjoint(path.parts))


def tests_of(path: str) -> list[tuple[str, ...]]:
    """Return the tests to run for a changed file, the narrowest first.

    Args:
        path: The path of the file in the repository.
    """
    module = Path(path).relative_to(CORE)
    own = Path(PLACES[0]) / module.parent / f"test_{module.name}"
    service = module.parts[0].removesuffix(".py")
    named = [
        f"{place}/{name}"
        for place in PLACES
        for name in (f"test_{service}.py", service)
    ]
    listed = next((t for p, t in WIDER_TESTS.items() if module.is_relative_to(p)), ())
    last = next(tests for p, tests in LAST.items() if module.is_relative_to(p))
    wider = dict.fromkeys([*named, *listed])
    wider.pop(str(own), None)
    present = [
        tuple(test for test in stage if test.startswith("-") or (ROOT / test).exists())
        for stage in ([str(own)], wider, last)
    ]
    return [stage for stage in present if stage]


class Trial:
    """A copy of the repository, in which mutants are tried one after another."""

    def __init__(self, tree: Path) -> None:
        """Copy the repository.

        Args:
            tree: The folder of the copy, which does not exist yet.
        """
        self._tree = tree
        self._limits: dict[tuple[str, ...], float] = {}
        shutil.copytree(ROOT, tree, ignore=NOT_COPIED)
        self._runner = self._start()

    def mutants(self, prefix: str) -> list[Mutant]:
        """Return the mutants that cosmic-ray can make.

        Args:
            prefix: What the paths of the changed files begin with.
        """
        config, session = self._tree / "mutants.toml", self._tree / "mutants.sqlite"
        paths = json.dumps([path for path in modules() if path.startswith(prefix)])
        config.write_text(CONFIG.format(modules=paths, seconds=SECONDS))
        self._cosmic_ray("init", str(config), str(session))
        lines = self._cosmic_ray("dump", str(session)).splitlines()
        return sorted(self._read(lines))

    def _read(self, lines: Sequence[str]) -> Iterator[Mutant]:
        for line in lines:
            (mutation,) = json.loads(line)[0]["mutations"]
            mutant = Mutant(
                mutation["module_path"],
                mutation["operator_name"],
                mutation["occurrence"],
                mutation["start_pos"][0],
            )
            source = (self._tree / mutant.path).read_text().splitlines()
            is_ignored = mutant.operator.startswith(IGNORED)
            if not is_ignored and not IGNORED_LINES.search(source[mutant.line - 1]):
                yield mutant

    def survives(self, mutant: Mutant) -> str | None:
        """Return the changed lines if no test notices a mutant, else None.

        Args:
            mutant: The change.
        """
        file = self._tree / mutant.path
        original, status = file.read_text(), file.stat()

        def restore() -> None:
            file.write_text(original)
            # What was compiled before is valid again.
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

        arguments = (mutant.path, mutant.operator, str(mutant.occurrence))
        self._cosmic_ray("apply", *arguments)
        changed = file.read_text()
        restore()
        noticed = False
        for tests in tests_of(mutant.path):
            file.write_text(changed)
            try:
                noticed = not self._pass(tests, self._limits.get(tests, LONGEST))
            finally:
                restore()
            if noticed:
                self._check(tests)
                break
        where = f"{mutant.path}:{mutant.line} {mutant.operator} {mutant.occurrence}"
        _write(f"{'noticed ' if noticed else 'SURVIVED'} {where}\n")
        return None if noticed else _difference(original, changed)

    def _check(self, tests: tuple[str, ...]) -> None:
        """Check once that tests pass without a change, and how long they take."""
        if tests not in self._limits:
            begin = time.monotonic()
            if not self._pass(tests, None):
                sys.exit(f"These tests fail without a change: {' '.join(tests)}")
            seconds = time.monotonic() - begin
            self._limits[tests] = SECONDS + PATIENCE * seconds

    def _pass(self, tests: Sequence[str], seconds: float | None) -> bool:
        """Return whether tests pass within a time limit."""
        # Without a limit nothing is changed: what is compiled is kept.
        # Some libraries that are imported already have a plugin of pytest.
        imported = "ignore::pytest.PytestAssertRewriteWarning"
        arguments = ["-q", "-x", "-p", "no:cacheprovider", "-W", imported, *tests]
        job = json.dumps({"arguments": arguments, "keep": seconds is None})
        assert self._runner.stdin is not None
        assert self._runner.stdout is not None
        self._runner.stdin.write(f"{job}\n")
        self._runner.stdin.flush()
        process = int(self._runner.stdout.readline())
        limit = threading.Timer(seconds or 3600.0, os.killpg, (process, signal.SIGKILL))
        limit.start()
        try:
            return self._runner.stdout.readline().strip() == "0"
        finally:
            limit.cancel()

    def _start(self) -> subprocess.Popen[str]:
        """Start a process that imports what all tests need, and forks for each run."""
        return subprocess.Popen(  # noqa: S603 - our own code
            [sys.executable, "-c", RUNNER],
            cwd=self._tree,
            env={**os.environ, "PYTHONPATH": str(self._tree)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def close(self) -> None:
        """End the process that runs the tests."""
        self._runner.kill()
        self._runner.communicate()

    def _cosmic_ray(self, *arguments: str) -> str:
        command = interpreter("mutants").with_name("cosmic-ray")
        done = subprocess.run(  # noqa: S603 - our own command
            [str(command), *arguments],
            cwd=self._tree,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


def run(
    sample: int, *, seed: int, jobs: int, prefix: str = CORE
) -> list[tuple[Mutant, str]]:
    """Try a sample of the mutants.

    Args:
        sample: How many.
        seed: The seed of the choice.
        jobs: How many are tried at the same time, each in a copy of the repository.
        prefix: What the paths of the changed files begin with.

    Returns:
        The survivors, with what they changed.
    """
    with TemporaryDirectory(prefix="mutants-") as folder:
        trials = [Trial(Path(folder) / str(number)) for number in range(jobs)]
        mutants = trials[0].mutants(prefix)
        chosen = random.Random(seed).sample(mutants, min(sample, len(mutants)))  # noqa: S311 - reproducible
        _write(f"{len(chosen)} of {len(mutants)} mutants, seed {seed}\n")
        free: SimpleQueue[Trial] = SimpleQueue()
        for trial in trials:
            free.put(trial)

        def attempt(mutant: Mutant) -> str | None:
            trial = free.get()
            try:
                return trial.survives(mutant)
            finally:
                free.put(trial)

        try:
            with ThreadPoolExecutor(jobs) as threads:
                results = zip(chosen, threads.map(attempt, chosen), strict=True)
                return [(mutant, change) for mutant, change in results if change]
        finally:
            for trial in trials:
                trial.close()


def _difference(before: str, after: str) -> str:
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return "\n".join(f"  - {a.strip()}\n  + {b.strip()}" for a, b in pairs if a != b)[
        :400
    ]


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _command() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default=CORE, help="a file or a folder of the core")
    options = parser.parse_args()
    survivors = run(
        options.sample, seed=options.seed, jobs=options.jobs, prefix=options.only
    )
    for mutant, change in survivors:
        _write(f"\n{mutant.path}:{mutant.line} {mutant.operator}\n{change}\n")
    _write(f"\n{len(survivors)} survived\n")
    return 0


if __name__ == "__main__":
    sys.exit(_command())
