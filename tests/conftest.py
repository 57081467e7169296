"""Every test runs without a policy and without the developer's variables."""

import os
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.authority import Authority
    from tests.support.fault_server import FaultServer

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


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> "Authority":
    """Return an authority that issued a certificate for 127.0.0.1."""
    from tests.support.authority import create_authority

    return create_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def tls_server(authority: "Authority") -> "Generator[FaultServer]":
    """Return a fault server over TLS, whose certificate is not trusted by default."""
    from tests.support.fault_server import FaultServer

    with FaultServer(authority.server) as running:
        yield running


@pytest.fixture
def trust_authority(
    monkeypatch: pytest.MonkeyPatch, authority: "Authority"
) -> Generator[None]:
    """Trust the authority through ``SSL_CERT_FILE``, as users do."""
    from tests.support.internals import clear_ssl_context

    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    clear_ssl_context()
    yield
    clear_ssl_context()
