"""Every block of Python on every page runs, and prints what is shown below it."""

import asyncio
import json
import logging
import re
import shutil
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ModelDeprecationWarning, ModelStudioWarning
from modelstudio_core.policy import set_policy
from tests.llamaindex.support import IGNORE_AGENT_WARNINGS
from tests.support.pages import (
    PAGES,
    ROOT,
    Snippet,
    defined_tests,
    read,
    run,
    snippets,
)

# Pages whose code warns, as they say.
WARNINGS: dict[str, type[Warning]] = {
    "docs/delisted.md": ModelDeprecationWarning,
    "docs/structured.md": ModelStudioWarning,
}
# Pages that show real hosts, and send nothing.
NOT_REDIRECTED = {"docs/compliance.md"}
# Pages whose code reads a folder ``documents``: that of the examples.
WITH_DOCUMENTS = {"docs/rag.md"}
# Pages by what they need and not every environment has: the packages of the extra rag
# need grpcio, and the plugin of llm needs llm.
NEEDED = {"docs/rag.md": "langchain_qdrant", "docs/llm.md": "llm"}
LEFT_OUT = {page for page, module in NEEDED.items() if not find_spec(module)}
WITH_CODE = [
    page for page in PAGES if page not in LEFT_OUT and any(True for _ in snippets(page))
]


def run_and_compare(
    snippet: Snippet, namespace: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Run a block, and compare what it printed with what the page shows."""
    run(snippet, namespace)
    printed = capsys.readouterr().out
    if snippet.output is not None:
        assert printed == snippet.output
    elif re.search(r"^ *print\(", snippet.code, re.MULTILINE):
        assert printed.strip()


def call(test: Callable[[Emulator], Any], emulator: Emulator) -> None:
    """Run a test that a page shows, as pytest runs it."""
    emulator.clear_script()
    if iscoroutinefunction(test):
        asyncio.run(test(emulator))
    else:
        test(emulator)


@IGNORE_AGENT_WARNINGS
@pytest.mark.parametrize("page", WITH_CODE)
@pytest.mark.usefixtures("restored_loggers")
def test_the_code_of_a_page_runs(
    request: pytest.FixtureRequest,
    empty_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    page: str,
) -> None:
    fixture = "modelstudio_emulator" if page in NOT_REDIRECTED else "redirected"
    emulator = request.getfixturevalue(fixture)
    monkeypatch.setenv("DASHSCOPE_API_KEY", emulator.api_key)
    # Where llm looks for keys.
    monkeypatch.setenv("LLM_USER_PATH", str(empty_folder))
    if page in WITH_DOCUMENTS:
        shutil.copytree(ROOT / "examples" / "documents", empty_folder / "documents")
    namespace: dict[str, Any] = {"__name__": "page"}
    with warnings.catch_warnings():
        if page in WARNINGS:
            warnings.simplefilter("ignore", WARNINGS[page])
        for snippet in snippets(page):
            if snippet.reason:
                continue
            run_and_compare(snippet, namespace, capsys)
            for test in defined_tests(snippet, namespace):
                call(test, emulator)


def test_a_block_that_is_not_run_has_a_reason() -> None:
    for page in PAGES:
        marks = read(page).count("<!-- not run")
        reasons = [snippet.reason for snippet in snippets(page) if snippet.reason]
        assert len(reasons) == marks, page
        assert all(len(reason.split()) > 3 for reason in reasons), page


@pytest.mark.usefixtures("restored_loggers")
def test_the_audit_log_of_the_compliance_page(
    monkeypatch: pytest.MonkeyPatch,
    empty_folder: Path,
    modelstudio_emulator: Emulator,
) -> None:
    """The recipe for the log as it is printed, and then a record in the file."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", modelstudio_emulator.api_key)
    page = "docs/compliance.md"
    logger = logging.getLogger("modelstudio.audit")
    monkeypatch.setattr(logger, "propagate", True)
    namespace: dict[str, Any] = {"__name__": "compliance"}
    for snippet in snippets(page):
        run(snippet, namespace)
    set_policy(None)
    ChatModelStudio(model="qwen-plus", base_url=modelstudio_emulator.base_url).invoke(
        "Hi"
    )
    (line,) = (empty_folder / "audit.jsonl").read_text().splitlines()
    names_in_page = {
        name
        for row in re.findall(r"^\| (`.*?) \|", read(page), re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert set(json.loads(line)) == {n for n in names_in_page if n.islower()}
