"""Leaves out tests whose packages an environment may not have; shared documents."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

# The packages of the extra rag need grpcio, which not every platform has.
collect_ignore_glob = [] if find_spec("langchain_qdrant") else ["test_*.py"]


@pytest.fixture(scope="session")
def animals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of seven documents of the examples, on animals and plants."""
    folder = tmp_path_factory.mktemp("documents")
    source = Path(__file__).parents[2] / "examples" / "documents" / "nature"
    shutil.copytree(source, folder / "nature")
    return folder
