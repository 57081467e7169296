"""What every test has: no variable of the developer's own, and no warm clients."""

import pytest

VENDOR_PREFIXES = ("DASHSCOPE_", "OPENAI_")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what would decide a key, a region or a workspace unasked."""
    import os

    for name in list(os.environ):
        if name.startswith(VENDOR_PREFIXES):
            monkeypatch.delenv(name)
