"""Connections: which are made, how, and when they are closed."""

import asyncio
import gc
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

from langchain_modelstudio import ChatModelStudio
from modelstudio_core import errors
from modelstudio_core.emulator import Emulator, Fault
from tests.support.answers import STREAM
from tests.support.internals import (
    clear_ssl_context,
    keep_clients,
    open_async_http_client,
)
from tests.support.replay import replaying

Protocol = Literal["openai", "dashscope"]
PROTOCOLS = pytest.mark.parametrize("protocol", ["openai", "dashscope"])
KEY = "sk-0123456789abcdef"


def model(studio: Emulator, protocol: Protocol, **arguments: Any) -> ChatModelStudio:
    given: dict[str, Any] = {
        "model": "qwen3.7-plus",
        "base_url": studio.base_url,
        "api_key": studio.api_key,
        "protocol": protocol,
        "max_retries": 0,
    }
    return ChatModelStudio(**given | arguments)


@PROTOCOLS
def test_a_key_header_of_the_users_own_takes_the_keys_place(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    own = {"authorization": "Bearer sk-of-the-gateway", "X-Trace": "1"}
    modelstudio_emulator.script(
        Fault(status=400, code="x", message="sk-of-the-gateway")
    )
    llm = model(modelstudio_emulator, protocol, default_headers=own)
    with pytest.raises(errors.BadRequestError) as caught:
        llm.invoke("Hi")
    (request,) = modelstudio_emulator.requests
    assert request.headers["authorization"] == own["authorization"]
    assert request.headers["x-trace"] == "1"
    assert modelstudio_emulator.api_key not in str(request.headers)
    assert caught.value.status_code == 400


def test_an_error_whose_body_breaks_off_is_ours() -> None:
    head = b"HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\n{"
    with raw_server(head) as url:
        llm = ChatModelStudio(
            model="qwen-plus", base_url=url, api_key=KEY, max_retries=0
        )
        with pytest.raises(errors.InternalServerError):
            list(llm.stream("Hi"))


@contextmanager
def raw_server(answer: bytes) -> Generator[str]:
    """Answer one connection with these bytes, and close it."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        connection, _ = listener.accept()
        kept.append(connection)
        while b"\r\n\r\n" not in connection.recv(65536):
            pass
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        thread.join()
        listener.close()
        for connection in kept:
            connection.close()


@PROTOCOLS
def test_loopback_is_not_reached_through_a_proxy(
    modelstudio_emulator: Emulator, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    # A timeout of its own is a client of its own, made under these variables.
    llm = model(modelstudio_emulator, protocol, timeout=63)
    assert llm.invoke("Hi").content


def test_a_machine_without_certificates_says_so(
    modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    clear_ssl_context()
    try:
        with pytest.raises(errors.ConfigurationError, match="SSL_CERT_FILE"):
            model(modelstudio_emulator, "openai", timeout=64).invoke("Hi")
    finally:
        clear_ssl_context()


@PROTOCOLS
async def test_a_client_that_is_given_up_is_closed_alone(
    modelstudio_emulator: Emulator,
    protocol: Protocol,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    keep_clients(monkeypatch, 2)
    models = [
        model(modelstudio_emulator, protocol, timeout=70 + number)
        for number in range(3)
    ]
    pools: list[Any] = []
    # What nobody uses is closed without waiting for a collection.
    gc.disable()
    request.addfinalizer(gc.enable)
    for llm in models:
        await llm.ainvoke("Hi")
        pools.append(await open_async_http_client(llm))
    await asyncio.sleep(0.01)
    assert [pool.is_closed for pool in pools] == [True, False, False]


def test_a_wrong_stream_of_bytes_is_never_an_answer() -> None:
    with replaying(200, STREAM, b"data: {\n\ndata: x\n\n") as replay:
        llm = ChatModelStudio(
            model="qwen-plus", base_url=replay.base_url, api_key=KEY, max_retries=0
        )
        with pytest.raises(errors.IncompleteStreamError):
            list(llm.stream("Hi"))
