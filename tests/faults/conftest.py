"""Servers, models of both classes, and a clock that does not wait."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.faults.server import FaultServer
from tests.support.internals import clear_ssl_context, no_backoff


@pytest.fixture(scope="module")
def shared_server() -> Iterator[FaultServer]:
    """Return a fault server for many tests, each with ids of its own."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Return a fault server over plain HTTP."""
    with FaultServer() as running:
        yield running


@dataclass
class Authority:
    """A certificate authority of the test's own.

    Attributes:
        server: What a server shows.
        client: What a client that trusts it checks with.
        pem: Its certificate, as a file.
    """

    server: ssl.SSLContext
    client: ssl.SSLContext
    pem: Path


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return an authority that signed for 127.0.0.1."""
    signs = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    signs.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    signs.configure_trust(client)
    pem = tmp_path_factory.mktemp("authority") / "ca.pem"
    signs.cert_pem.write_to_path(str(pem))
    return Authority(server, client, pem)


@pytest.fixture
def tls_server(authority: Authority) -> Iterator[FaultServer]:
    """Return a fault server over TLS, whose authority nobody knows."""
    with FaultServer(authority.server) as running:
        yield running


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> Iterator[None]:
    """Make the authority known in the way that a user would."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    clear_ssl_context()
    yield
    clear_ssl_context()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again without waiting, where the service does not ask for it."""
    no_backoff(monkeypatch)
