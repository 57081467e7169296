"""A certificate authority that only this test run trusts."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

__all__ = ["Authority", "create_authority"]


@dataclass
class Authority:
    """A certificate authority that only this test run trusts.

    Attributes:
        server: The context of a server with a certificate of this authority.
        client: The context of a client that trusts this authority.
        pem: The certificate of the authority, as a file.
    """

    server: ssl.SSLContext
    client: ssl.SSLContext
    pem: Path


def create_authority(directory: Path) -> Authority:
    """Create an authority that issued a certificate for 127.0.0.1.

    Args:
        directory: Where its own certificate is written.

    Returns:
        The authority.
    """
    issuer = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    issuer.configure_trust(client)
    pem = directory / "ca.pem"
    issuer.cert_pem.write_to_path(str(pem))
    return Authority(server, client, pem)
