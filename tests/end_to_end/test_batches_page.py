"""docs/batches.md: its example runs, and its tables are those of the product."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.batches import BatchRow, BatchRun
from modelstudio_core.catalog import models_with_batch
from modelstudio_core.catalog.batch_models import BATCH_CHAT_MODELS
from tests.support.pages import read, run, snippets

PAGE = read("docs/batches.md")
REGIONS = {"China (Beijing)": "cn-beijing", "Singapore": "ap-southeast-1"}


def test_the_example_prints_what_is_shown(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (snippet,) = snippets("docs/batches.md")
    run(snippet, {"__name__": "batches"})
    assert capsys.readouterr().out == snippet.output
    assert (tmp_path / "runs" / "reviews" / "manifest.json").exists()


def test_the_models_are_those_of_the_catalog() -> None:
    for name, region in REGIONS.items():
        (row,) = re.findall(rf"^\| {re.escape(name)} \| (`.*) \|$", PAGE, re.MULTILINE)
        shown = set(re.findall(r"`([a-z][\w.-]*)`", row))
        models = {
            *models_with_batch(region, "chat"),
            *models_with_batch(region, "embedding"),
        }
        versions = {"text-embedding-v2", "text-embedding-v3", "text-embedding-v4"}
        assert models - shown <= versions | {"qwen-plus-latest"}
        assert shown <= models
    (line,) = re.findall(r"^- Models: (.*)$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`([\w.-]+)`", line)) == BATCH_CHAT_MODELS


def test_the_steps_and_fields_exist() -> None:
    rows: Any = BatchRow
    for name in re.findall(r"row\.(\w+)", PAGE):
        assert name in (inspect.getdoc(rows) or "") or hasattr(rows, name), name
    for name in re.findall(r"`run\.(\w+)|^\| `(\w+)\(", PAGE, re.MULTILINE):
        assert hasattr(BatchRun, "".join(name)), name
