"""docs/rag.md: its snippets run, its outputs and figures are those of a run."""

# The stores have no type stubs.
# pyright: reportMissingTypeStubs=false

import shutil
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.emulator import Emulator
from tests.end_to_end.test_readme import redirected, run, snippets

__all__ = ["redirected"]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rag.md").read_text(encoding="utf-8")
SECTIONS = ("LangChain", "LlamaIndex")


def section_of(name: str) -> str:
    """Return a section of the page, up to the next heading."""
    return PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("section", SECTIONS)
def test_snippets_run_and_print_what_is_shown(
    section: str,
    redirected: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    shutil.copytree(ROOT / "examples" / "documents", tmp_path / "documents")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "rag"}
    blocks = list(snippets(section_of(section)))
    for snippet in blocks:
        run(snippet, namespace)
        assert capsys.readouterr().out == (snippet.output or "")
    assert len(blocks) == section_of(section).count("```python") >= 2
    assert redirected.requests


def test_every_snippet_is_in_a_section_that_is_run() -> None:
    ran = sum(section_of(name).count("```python") for name in SECTIONS)
    assert PAGE.count("```python") == ran
