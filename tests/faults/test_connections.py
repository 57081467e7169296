"""Connections: how they are made, and when they are closed."""

import asyncio
import gc
from typing import Any

import pytest

from modelstudio_core import errors
from modelstudio_core.emulator import Emulator, Fault
from tests.support.answers import STREAM
from tests.support.internals import (
    clear_ssl_context,
    keep_clients,
    open_async_http_client,
)
from tests.support.models import PROTOCOLS, Protocol, model
from tests.support.raw_server import answering
from tests.support.replay import replaying

PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)


@PROTOCOL
def test_an_authorization_header_of_the_user_replaces_the_key(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    headers = {"authorization": "Bearer sk-of-the-gateway", "X-Trace": "1"}
    modelstudio_emulator.script(
        Fault(status=400, code="x", message="sk-of-the-gateway")
    )
    llm = model("LangChain", modelstudio_emulator, protocol, default_headers=headers)
    with pytest.raises(errors.BadRequestError) as caught:
        llm.invoke("Hi")
    (request,) = modelstudio_emulator.requests
    assert request.headers["authorization"] == headers["authorization"]
    assert request.headers["x-trace"] == "1"
    assert modelstudio_emulator.api_key not in str(request.headers)
    assert caught.value.status_code == 400


def test_an_error_whose_body_is_cut_off_is_still_a_server_error() -> None:
    head = b"HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\n{"
    with answering([head]) as url, pytest.raises(errors.InternalServerError):
        list(model("LangChain", url).stream("Hi"))


@PROTOCOL
def test_loopback_is_not_reached_through_a_proxy(
    modelstudio_emulator: Emulator, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    # Another timeout makes a new client, which reads these variables.
    llm = model("LangChain", modelstudio_emulator, protocol, timeout=63)
    assert llm.invoke("Hi").content


def test_a_missing_certificate_file_is_a_configuration_error(
    modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    clear_ssl_context()
    try:
        with pytest.raises(errors.ConfigurationError, match="SSL_CERT_FILE"):
            model("LangChain", modelstudio_emulator, timeout=64).invoke("Hi")
    finally:
        clear_ssl_context()


@PROTOCOL
async def test_a_client_that_leaves_the_cache_is_closed(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    keep_clients(monkeypatch, 2)
    models = [
        model("LangChain", modelstudio_emulator, protocol, timeout=70 + number)
        for number in range(3)
    ]
    http_clients: list[Any] = []
    # The client must be closed without waiting for a garbage collection.
    gc.disable()
    request.addfinalizer(gc.enable)
    for llm in models:
        await llm.ainvoke("Hi")
        http_clients.append(await open_async_http_client(llm))
    await asyncio.sleep(0.01)
    assert [client.is_closed for client in http_clients] == [True, False, False]


def test_a_stream_of_malformed_events_is_an_error() -> None:
    with replaying(200, STREAM, b"data: {\n\ndata: x\n\n") as replay:
        llm = model("LangChain", replay.base_url)
        with pytest.raises(errors.IncompleteStreamError):
            list(llm.stream("Hi"))
