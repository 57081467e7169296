"""A program that runs batches, to be killed: ``python -m tests.core.batches.killed``.

It prints a line when its modules are loaded and its work begins.
"""

import sys
from typing import Any

import pytest

from modelstudio_core.batches import BatchRun
from modelstudio_core.chat.arguments import ChatArguments
from tests.support.batches import prompts, settle_at_once, small_parts

ROWS = 60
PARTS = 6


def main(base_url: str, api_key: str, directory: str) -> None:
    """Prepare, submit and collect a run on an emulator."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        settle_at_once(monkeypatch)
        small_parts(monkeypatch, ROWS // PARTS)
        llm = ChatArguments(model="qwen-plus", base_url=base_url, api_key=api_key)
        print("ready", flush=True)  # noqa: T201 - the parent waits for it
        run: BatchRun[Any] = BatchRun.prepare(llm, prompts(ROWS), directory=directory)
        run.submit()
        run.collect(poll_interval=0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
