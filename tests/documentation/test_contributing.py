"""The page for contributors: its table has every module of the core."""

import re
from pathlib import Path
from typing import Final

import pytest

import modelstudio_core

CORE: Final = Path(modelstudio_core.__file__).parent
# One line says what the modules of each of these do.
AS_A_WHOLE: Final = frozenset({"cli", "emulator", "foreign", "wire"})


def rows() -> dict[str, set[str]]:
    """Return the names of modules by the folder of their row."""
    text = (CORE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Where things are")[2].partition("\n###")[0]
    found: dict[str, set[str]] = {}
    for line in re.findall(r"^\| `modelstudio_core/.*", table, re.MULTILINE):
        folder = re.match(r"\| `modelstudio_core/(\w+)/`", line)
        names = re.findall(r"`(?:modelstudio_core/)?(\w+)\.py`", line)
        found.setdefault(folder[1] if folder else "", set()).update(names)
    return found


@pytest.mark.parametrize(
    "folder",
    ["", *sorted(p.parent.name for p in CORE.glob("*/__init__.py"))],
)
def test_each_module_has_its_place_in_the_table(folder: str) -> None:
    listed = rows()
    if not folder:
        listed[""] |= listed["emulator"]
    modules = {path.stem for path in (CORE / folder).glob("[!_]*.py")}
    missing = set() if folder in AS_A_WHOLE else modules - listed[folder]
    assert missing == set()
    assert folder in listed
