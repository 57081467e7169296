"""What every test of the core begins with."""

import os

import pytest


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the developer's own settings."""
    for name in tuple(os.environ):
        if name.startswith("DASHSCOPE_"):
            monkeypatch.delenv(name)
