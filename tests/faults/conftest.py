"""Fault servers, a certificate authority, and retries without waiting."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.support.fault_server import FaultServer
from tests.support.internals import clear_ssl_context, no_backoff


@pytest.fixture(scope="module")
def shared_server() -> Iterator[FaultServer]:
    """Return a fault server for many tests, each with its own request ids."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Return a fault server over plain HTTP."""
    with FaultServer() as running:
        yield running


@dataclass
class Authority:
    """A certificate authority that only this test run knows.

    Attributes:
        server: The context of a server with a certificate of this authority.
        client: The context of a client that trusts this authority.
        pem: The certificate of the authority, as a file.
    """

    server: ssl.SSLContext
    client: ssl.SSLContext
    pem: Path


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return an authority that issued a certificate for 127.0.0.1."""
    issuer = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    issuer.configure_trust(client)
    pem = tmp_path_factory.mktemp("authority") / "ca.pem"
    issuer.cert_pem.write_to_path(str(pem))
    return Authority(server, client, pem)


@pytest.fixture
def tls_server(authority: Authority) -> Iterator[FaultServer]:
    """Return a fault server over TLS, whose certificate is not trusted by default."""
    with FaultServer(authority.server) as running:
        yield running


@pytest.fixture
def trust_authority(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> Iterator[None]:
    """Trust the authority through ``SSL_CERT_FILE``, as users do."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    clear_ssl_context()
    yield
    clear_ssl_context()


@pytest.fixture(name="no_backoff")
def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry at once where the service does not ask for a wait."""
    no_backoff(monkeypatch)
