"""Every test runs without a policy and without the developer's variables."""

import os
from collections.abc import Generator

import pytest

VENDOR_PREFIXES = ("DASHSCOPE_", "MODELSTUDIO_ALLOWED_", "OPENAI_")

# Before anything imports the package, which reads those of its policy at import.
for variable in list(os.environ):
    if variable.startswith("MODELSTUDIO_ALLOWED_"):
        del os.environ[variable]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove variables that would set a key, a region or a workspace."""
    for name in list(os.environ):
        if name.startswith(VENDOR_PREFIXES):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_policy() -> Generator[None]:
    """Remove the policy that a test sets."""
    from modelstudio_core.policy import set_policy

    yield
    set_policy(None)
