"""The service that the runs use, and the directory of a run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelstudio_core.emulator import Emulator


@pytest.fixture
def studio() -> Iterator[Emulator]:
    """Return a running emulator."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the directory of a run, which does not exist yet."""
    return tmp_path / "run"
