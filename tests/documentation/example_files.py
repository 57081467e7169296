"""Loads and runs the examples in this process."""

import runpy
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.pages import ROOT

__all__ = ["EXAMPLES", "load_example", "run_example"]

EXAMPLES: Final = ROOT / "examples"


def load_example(name: str, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the names of an example, as its own program would see them."""
    return _run(EXAMPLES / name, "example", patch)


def run_example(name: str, patch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run an example like ``python examples/name arguments``."""
    path = EXAMPLES / name
    patch.setattr(sys, "argv", [str(path), *arguments])
    _run(path, "__main__", patch)


def _run(path: Path, name: str, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    # Python puts the folder of a program at the beginning of its path.
    patch.syspath_prepend(str(path.parent))
    return runpy.run_path(str(path), run_name=name)
