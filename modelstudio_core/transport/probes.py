"""Single steps of a connection, for a diagnosis: DNS, TCP and TLS, without a request.

Each one is bounded by the time to connect, and raises the error that a request would
end with.
"""

import socket
import ssl
import threading
from contextlib import closing
from typing import NamedTuple
from urllib.parse import urlsplit

from modelstudio_core.errors import APIConnectionError, APIError, APITimeoutError
from modelstudio_core.policy import check_request
from modelstudio_core.transport.connection import Connection
from modelstudio_core.transport.pools import proxy_of, ssl_context

__all__ = [
    "SocketAddress",
    "address_of",
    "open_tcp",
    "open_tls",
    "proxy_address",
    "resolve",
]


class SocketAddress(NamedTuple):
    """A host and a port.

    Attributes:
        host: The name or the number, without brackets.
        port: The port.
        is_tls: Whether TLS is spoken.
    """

    host: str
    port: int
    is_tls: bool


def address_of(connection: Connection) -> SocketAddress:
    """Return the address of the service.

    Raises:
        PolicyError: The policy does not allow the address.
    """
    endpoint = connection.endpoint
    url = endpoint.openai_base_url
    check_request(endpoint, url, (), needs_model=False)
    return _address(url)


def proxy_address(connection: Connection) -> SocketAddress | None:
    """Return the proxy of the environment that requests go through; None for none."""
    proxy = proxy_of(connection, connection.endpoint.host)
    return _address(f"http://{proxy}") if proxy else None


def _address(url: str) -> SocketAddress:
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    return SocketAddress(
        parts.hostname or "", parts.port or (443 if is_tls else 80), is_tls
    )


def resolve(connection: Connection, address: SocketAddress) -> list[str]:
    """Return the IP addresses of a host.

    Args:
        connection: How to reach the service.
        address: The host.

    Raises:
        APIConnectionError: It has none, or there was no answer in time.
    """
    found: list[str] = []
    failures: list[OSError] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(address.host, address.port, proto=socket.SOL_TCP)
            found.extend(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as error:
            failures.append(OSError(str(error)))

    # getaddrinfo has no time limit.
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(connection.connect_timeout)
    if thread.is_alive():
        raise _failure(connection, f"The DNS did not answer for {address.host}", None)
    if not found:
        raise _failure(connection, f"{address.host} has no address", failures[0])
    return found


def open_tcp(connection: Connection, address: SocketAddress) -> None:
    """Open a TCP connection and close it.

    Args:
        connection: How to reach the service.
        address: The host and the port.

    Raises:
        APIConnectionError: It was not accepted, or not in time.
    """
    _open(connection, address).close()


def open_tls(connection: Connection, address: SocketAddress) -> str:
    """Do a TLS handshake, with the certificates that requests trust.

    Args:
        connection: How to reach the service.
        address: The host and the port.

    Returns:
        The version of TLS.

    Raises:
        APIConnectionError: The certificate is not trusted, or the handshake failed.
    """
    opened = _open(connection, address)
    try:
        with (
            closing(opened),
            ssl_context().wrap_socket(
                opened, server_hostname=address.host
            ) as encrypted,
        ):
            return encrypted.version() or "TLS"
    except ssl.SSLCertVerificationError as error:
        what = f"The certificate of {address.host} is not trusted"
        failure = _failure(connection, what, error)
    except OSError as error:
        what = f"The TLS handshake with {address.host} failed"
        failure = _failure(connection, what, error)
    raise failure


def _open(connection: Connection, address: SocketAddress) -> socket.socket:
    where = f"{address.host}:{address.port}"
    try:
        return socket.create_connection(
            (address.host, address.port), timeout=connection.connect_timeout
        )
    except OSError as error:
        failure = _failure(connection, f"{where} did not accept a connection", error)
    raise failure


def _failure(connection: Connection, what: str, error: OSError | None) -> APIError:
    if error is None or isinstance(error, TimeoutError):
        seconds = connection.connect_timeout
        within = "" if seconds is None else f" within {seconds:g} s"
        return connection.context.error(
            APITimeoutError, f"{what}{within}.", was_sent=False
        )
    reason = getattr(error, "verify_message", None) or error.strerror or str(error)
    return connection.context.error(
        APIConnectionError, f"{what}: {reason}.", was_sent=False
    )
