"""Running the command in this process, and a proxy that stands in for the network."""

import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from modelstudio_core.cli import main
from modelstudio_core.emulator import Emulator
from tests.support.internals import clear_ssl_context, forget_clients
from tests.support.routing_proxy import RoutedRequest, RoutingProxy, routing_proxy

KEY = "sk-0123456789abcdefghij"


@dataclass(frozen=True)
class Ran:
    """What a command line ended with, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)


Run = Callable[..., Ran]
Route = Callable[
    [Callable[[RoutedRequest], tuple[int, bytes]]], AbstractContextManager[RoutingProxy]
]


@pytest.fixture(name="run")
def _run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line. The key is never in what it prints."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "300")

    def run(*arguments: str, key: str | None = KEY) -> Ran:
        if key is None:
            monkeypatch.delenv("DASHSCOPE_API_KEY")
        else:
            monkeypatch.setenv("DASHSCOPE_API_KEY", key)
        code = main(arguments)
        out, err = capsys.readouterr()
        for part in (key or KEY, (key or KEY)[-12:]):
            assert part not in out + err
        assert "--verbose" in arguments or "Traceback" not in out + err
        return Ran(code, out, err)

    return run


@pytest.fixture
def studio() -> Generator[Emulator]:
    """Return an emulator that accepts the key of these tests."""
    with Emulator(api_key=KEY) as running:
        yield running


@pytest.fixture
def route(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Route:
    """Answer all HTTPS requests on this machine."""

    @contextmanager
    def routed(
        answer: Callable[[RoutedRequest], tuple[int, bytes]],
    ) -> Generator[RoutingProxy]:
        with routing_proxy(answer, tmp_path) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            monkeypatch.setenv("SSL_CERT_FILE", str(proxy.authority))
            for name in ("NO_PROXY", "no_proxy", "https_proxy"):
                monkeypatch.delenv(name, raising=False)
            forget_clients()
            clear_ssl_context()
            yield proxy
            forget_clients()
            clear_ssl_context()

    return routed
