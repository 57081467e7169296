"""Single steps of a connection: what each one returns, and what its errors say."""

import os
import socket
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from modelstudio_core.errors import APIConnectionError, APITimeoutError
from modelstudio_core.transport.probes import (
    SocketAddress,
    address_of,
    open_tcp,
    open_tls,
    proxy_address,
    resolve,
)
from tests.core.support import make_connection

HOST = SocketAddress("service.example.com", 8443, is_tls=True)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies of the machine."""
    for name in list(os.environ):
        if name.casefold().endswith("_proxy"):
            monkeypatch.delenv(name)


def failing(error: Exception) -> Callable[..., NoReturn]:
    """Return a function of the operating system that fails."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


# --- Addresses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("https://service.example.com", ("service.example.com", 443, True)),
        ("https://service.example.com:8443", ("service.example.com", 8443, True)),
        ("http://127.0.0.1", ("127.0.0.1", 80, False)),
        ("http://[::1]:8080", ("::1", 8080, False)),
    ],
)
def test_the_address_of_the_service(
    base_url: str, address: tuple[str, int, bool]
) -> None:
    assert address_of(make_connection(base_url=base_url)) == address


@pytest.mark.parametrize(
    ("proxy", "address"),
    [
        ("http://user:secret@proxy.example.com:3128", ("proxy.example.com", 3128)),
        ("proxy.example.com:3128", ("proxy.example.com", 3128)),
        ("user:secret@proxy.example.com:3128", ("proxy.example.com", 3128)),
        ("http://proxy.example.com", ("proxy.example.com", 80)),
    ],
)
def test_the_address_of_the_proxy(
    monkeypatch: pytest.MonkeyPatch, proxy: str, address: tuple[str, int]
) -> None:
    remote = make_connection(base_url="https://service.example.com")
    assert proxy_address(remote) is None
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    assert proxy_address(remote) == (*address, False)
    assert proxy_address(make_connection()) is None


# --- DNS ----------------------------------------------------------------------------


def test_each_address_of_a_host_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def look_up(host: str, port: int, **_: object) -> list[Any]:
        asked.append((host, port))
        found = ("10.0.0.2", "10.0.0.1", "10.0.0.2")
        return [(None, None, None, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert resolve(make_connection(), HOST) == ["10.0.0.2", "10.0.0.1"]
    assert asked == [("service.example.com", 8443)]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name not known"), "Name not known"),
        (UnicodeError("label too long"), "label too long"),
    ],
)
def test_a_host_without_an_address(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", failing(error))
    with pytest.raises(APIConnectionError) as caught:
        resolve(make_connection(), HOST)
    assert caught.value.message.startswith("service.example.com has no address: ")
    assert reason in caught.value.message
    assert not isinstance(caught.value, APITimeoutError)
    assert not caught.value.was_sent


def test_a_look_up_takes_no_longer_than_the_time_to_connect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_end = threading.Event()

    def look_up(*_: object, **__: object) -> NoReturn:
        may_end.wait(5)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(APITimeoutError) as caught:
        resolve(make_connection(timeout=(0.05, 60)), HOST)
    may_end.set()
    assert caught.value.message == (
        "The DNS did not answer for service.example.com within 0.05 s."
    )
    assert not caught.value.was_sent


# --- TCP ----------------------------------------------------------------------------


def test_an_opened_connection_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        open_tcp(make_connection(), SocketAddress("127.0.0.1", port, is_tls=False))
        with listener.accept()[0] as accepted:
            accepted.settimeout(5)
            assert accepted.recv(1) == b""


@pytest.mark.parametrize(
    ("timeout", "error", "message"),
    [
        (2.5, TimeoutError("timed out"), " within 2.5 s."),
        (None, TimeoutError("timed out"), "."),
        (2.5, ConnectionRefusedError(111, "Refused"), ": Refused."),
        (None, ConnectionRefusedError(111, "Refused"), ": Refused."),
        (2.5, OSError("no strategy"), ": no strategy."),
    ],
)
def test_a_connection_that_is_not_accepted(
    monkeypatch: pytest.MonkeyPatch,
    timeout: float | None,
    error: Exception,
    message: str,
) -> None:
    monkeypatch.setattr(socket, "create_connection", failing(error))
    with pytest.raises(APIConnectionError) as caught:
        open_tcp(make_connection(timeout=(timeout, 60)), HOST)
    assert caught.value.message == (
        f"service.example.com:8443 did not accept a connection{message}"
    )
    assert isinstance(caught.value, APITimeoutError) is isinstance(error, TimeoutError)
    assert not caught.value.was_sent


# --- TLS ----------------------------------------------------------------------------


def test_a_handshake_takes_no_longer_than_the_time_to_connect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = SocketAddress("127.0.0.1", silent.getsockname()[1], is_tls=True)
        with pytest.raises(APITimeoutError) as caught:
            open_tls(make_connection(timeout=(0.1, 60)), address)
    assert caught.value.message == (
        "The TLS handshake with 127.0.0.1 failed within 0.1 s."
    )
    assert not caught.value.was_sent
