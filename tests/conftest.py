"""Every test runs without the developer's environment variables of the services."""

import os

import pytest

VENDOR_PREFIXES = ("DASHSCOPE_", "OPENAI_")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove variables that would set a key, a region or a workspace."""
    for name in list(os.environ):
        if name.startswith(VENDOR_PREFIXES):
            monkeypatch.delenv(name)
