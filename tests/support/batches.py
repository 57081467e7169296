"""Runs of batches on the emulator: models, and crashes at each of their steps."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from modelstudio_core.batches import directory, line_files, progress
from modelstudio_core.batches.line_files import Limits
from modelstudio_core.chat.arguments import ChatArguments
from modelstudio_core.embeddings.arguments import EmbeddingArguments
from modelstudio_core.emulator import Emulator
from modelstudio_core.transport import procedures

__all__ = [
    "Crash",
    "Crashes",
    "bodies_of",
    "change",
    "chat",
    "embeddings",
    "finish",
    "lines_of",
    "prompts",
    "settle_at_once",
    "small_parts",
]


def chat(studio: Emulator, **arguments: Any) -> ChatArguments:
    """Return a chat model of the core, without retries."""
    defaults: dict[str, Any] = {"model": "qwen-plus", "max_retries": 0}
    address: dict[str, Any] = {"base_url": studio.base_url, "api_key": studio.api_key}
    return ChatArguments(**defaults | address | arguments)


def embeddings(studio: Emulator, **arguments: Any) -> EmbeddingArguments:
    """Return an embedding model of the core, without retries."""
    defaults: dict[str, Any] = {"model": "text-embedding-v4", "max_retries": 0}
    address: dict[str, Any] = {"base_url": studio.base_url, "api_key": studio.api_key}
    return EmbeddingArguments(**defaults | address | arguments)


def finish(studio: Emulator, run: Any, **options: Any) -> None:
    """Let the batches of a run end, and collect their results."""
    studio.advance(120)
    run.collect(poll_interval=0, **options)


def change(file: Path, **changes: Any) -> None:
    """Change the fields of a manifest, or of the first part in a state."""
    value = json.loads(file.read_bytes())
    (value["parts"][0] if "parts" in value else value).update(changes)
    file.write_text(json.dumps(value), encoding="utf-8")


def settle_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for a batch to be listed."""
    monkeypatch.setattr(progress, "SETTLE_SECONDS", 0.0)


def small_parts(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Let a file have so many lines at most."""
    monkeypatch.setattr(line_files, "_LIMITS", Limits(rows, 500_000_000))


class Crash(BaseException):
    """The end of a process. Nothing in the product may catch it."""


# What writes to the disk, and what sends a request.
_STEPS: Final = (
    (directory, "write_file"),
    (line_files, "sync_file"),
    (progress, "sync_file"),
    (procedures, "fetch"),
    (procedures, "download"),
)


class Crashes:
    """Crashes before or after one of the writes and requests of a program.

    Attributes:
        at: The number of the moment, from 1; each step has one before and one after.
        passed: How many moments have passed.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Watch the steps, and crash at none of them.

        Args:
            monkeypatch: Restores the steps.
        """
        self.at = self.passed = 0
        # It is slow, and protects from the end of the machine only.
        monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
        for module, name in _STEPS:
            watched = self._watch(getattr(module, name))
            monkeypatch.setattr(module, name, watched)

    def begin(self, at: int) -> None:
        """Count from now on, and crash at a moment; 0 is none."""
        self.at, self.passed = at, 0

    def _watch(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any) -> Any:
            self._pass()
            result = step(*arguments)
            self._pass()
            return result

        return watched

    def _pass(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            raise Crash


def prompts(count: int) -> list[str]:
    """Return different prompts."""
    return [f"What is the number {number}?" for number in range(count)]


def lines_of(path: Path) -> list[bytes]:
    """Return the lines of a file."""
    return path.read_bytes().splitlines()


def bodies_of(directory: Path) -> list[dict[str, Any]]:
    """Return the bodies of the requests in the first file of a run."""
    lines = lines_of(directory / "part-0001.jsonl")
    return [json.loads(line)["body"] for line in lines]
