"""The examples in docstrings, which users copy: each of them runs, and prints that."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.pages import ROOT

PACKAGES = ("modelstudio_core", "langchain_modelstudio", "llamaindex_modelstudio")

# What a module needs and not every environment has: langchain-qdrant needs grpcio.
NEEDED = {
    "langchain_modelstudio.sparse": "langchain_qdrant",
    "modelstudio_core.llm_plugin": "llm",
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES = [
    module_name(path)
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Where llm looks for keys.
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    runner = doctest.DocTestRunner(verbose=False)
    report: list[str] = []
    for test in doctest.DocTestFinder().find(import_module(name)):
        runner.run(test, out=report.append)
    assert not report, "".join(report)
    assert runner.tries
