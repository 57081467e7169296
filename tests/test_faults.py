"""What breaks on the way, and what comes of it, over both protocols."""

import asyncio
import gc
import json
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal

import pytest

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core import _pools, errors
from modelstudio_core.emulator import Emulator, Fault, Reply
from tests.answers import JSON, STREAM, events
from tests.replay import replaying

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
def test_a_cut_stream_is_an_error_after_what_arrived(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    reply = Reply(reasoning="Hm.", text="One two three.", pieces=["One ", "two ", "3"])
    modelstudio_emulator.script(Fault.cut(after=3, within=True, reply=reply))
    seen: list[str] = []
    with pytest.raises(errors.IncompleteStreamError) as caught:
        seen.extend(
            it.text for it in model(modelstudio_emulator, protocol).stream("Hi")
        )
    assert "".join(seen)
    assert "".join(seen) in reply.text
    assert caught.value.request_id


@PROTOCOLS
async def test_a_short_body_is_an_error(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    modelstudio_emulator.script(Fault.short_body(3), Fault.short_body(3))
    llm = model(modelstudio_emulator, protocol)
    with pytest.raises(errors.IncompleteStreamError):
        llm.invoke("Hi")
    with pytest.raises(errors.IncompleteStreamError):
        await llm.ainvoke("Hi")


@PROTOCOLS
async def test_silence_past_the_timeout_is_a_timeout(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    silence = Fault.silence(5)
    modelstudio_emulator.script(silence, silence, Fault.silence(5, after=2))
    llm = model(modelstudio_emulator, protocol, timeout=0.2)
    with pytest.raises(errors.APITimeoutError) as caught:
        llm.invoke("Hi")
    assert isinstance(caught.value, TimeoutError)
    with pytest.raises(errors.APITimeoutError):
        await llm.ainvoke("Hi")
    with pytest.raises(errors.APITimeoutError):
        list(llm.stream("Hi"))


@PROTOCOLS
def test_requests_are_as_many_as_promised(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    busy = Fault(status=503, code="internal_error", headers={"retry-after-ms": "1"})
    modelstudio_emulator.script(*[busy] * 3, *[busy] * 2)
    llm = model(modelstudio_emulator, protocol, max_retries=2)
    with pytest.raises(errors.InternalServerError):
        llm.invoke("Hi")
    assert len(modelstudio_emulator.requests) == 3
    assert list(llm.stream("Hi"))
    assert len(modelstudio_emulator.requests) == 6


@PROTOCOLS
def test_money_that_ran_out_is_not_asked_for_twice(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    modelstudio_emulator.script(Fault(status=400, code="Arrearage", message="Overdue."))
    with pytest.raises(errors.QuotaExceededError):
        model(modelstudio_emulator, protocol, max_retries=5).invoke("Hi")
    assert len(modelstudio_emulator.requests) == 1


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


@PROTOCOLS
def test_a_redirect_is_never_followed(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    with Emulator() as elsewhere:
        modelstudio_emulator.script(Fault.redirect(f"{elsewhere.base_url}/x"))
        with pytest.raises(errors.APIStatusError, match="never followed") as caught:
            model(modelstudio_emulator, protocol).invoke("Hi")
        assert elsewhere.requests == []
    assert caught.value.status_code == 307


@PROTOCOLS
def test_an_answer_that_is_not_json_keeps_its_status(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    page = "<html>Bad gateway</html>"
    modelstudio_emulator.script(Fault(status=502, body=page))
    with pytest.raises(errors.InternalServerError) as caught:
        model(modelstudio_emulator, protocol).invoke("Hi")
    assert caught.value.status_code == 502
    assert caught.value.is_retryable


def test_an_error_whose_body_breaks_off_is_ours() -> None:
    head = b"HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\n{"
    with raw_server(head) as url:
        llm = ChatModelStudio(
            model="qwen-plus", base_url=url, api_key=KEY, max_retries=0
        )
        with pytest.raises(errors.APIConnectionError):
            list(llm.stream("Hi"))


def test_a_whole_answer_is_whole_though_its_stream_stays_open() -> None:
    body = events([{"content": "Hello"}], "stop", usage=False, done=False)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    with raw_server(head + body, close=False) as url:
        llm = ModelStudio(
            model="qwen-plus", base_url=url, api_key=KEY, max_retries=0, timeout=0.2
        )
        *_, last = llm.stream_complete("Hi")
    assert last.text == "Hello"
    assert last.additional_kwargs["finish_reason"] == "stop"


@contextmanager
def raw_server(answer: bytes, *, close: bool = True) -> Generator[str]:
    """Answer one connection with these bytes, and close it or leave it open."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        connection, _ = listener.accept()
        kept.append(connection)
        while b"\r\n\r\n" not in connection.recv(65536):
            pass
        connection.sendall(answer)
        if close:
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


def test_a_key_that_the_service_echoes_is_not_shown() -> None:
    body = {
        "error": {"message": f"Bad key {KEY}", "code": f"bad_{KEY}"},
        "request_id": f"r-{KEY}",
    }
    with replaying(401, JSON, json.dumps(body).encode()) as replay:
        llm = ChatModelStudio(
            model="qwen-plus", base_url=replay.base_url, api_key=KEY, max_retries=0
        )
        with pytest.raises(errors.AuthenticationError) as caught:
            llm.invoke("Hi")
    assert KEY not in f"{caught.value!r} {caught.value} {vars(caught.value)}"


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
    _pools._ssl_context.cache_clear()
    try:
        with pytest.raises(errors.ConfigurationError, match="SSL_CERT_FILE"):
            model(modelstudio_emulator, "openai", timeout=64).invoke("Hi")
    finally:
        _pools._ssl_context.cache_clear()


# The collection below may meet what an earlier test of the same worker left behind.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@PROTOCOLS
async def test_a_client_that_is_given_up_is_closed_alone(
    modelstudio_emulator: Emulator, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pools, "_KEPT_CLIENTS", 2)
    models = [
        model(modelstudio_emulator, protocol, timeout=70 + number)
        for number in range(3)
    ]
    pools: list[Any] = []
    for llm in models:
        await llm.ainvoke("Hi")
        pools.append(pool_of(llm))
    gc.collect()
    for _ in range(5):
        await asyncio.sleep(0.01)
    assert [pool.is_closed for pool in pools] == [True, False, False]


def pool_of(llm: ChatModelStudio) -> Any:
    client = _pools.async_client(llm.resolved_chat.connection)
    return (client if llm.protocol == "openai" else client.transport)._client


def test_a_wrong_stream_of_bytes_is_never_an_answer() -> None:
    with replaying(200, STREAM, b"data: {\n\ndata: x\n\n") as replay:
        llm = ChatModelStudio(
            model="qwen-plus", base_url=replay.base_url, api_key=KEY, max_retries=0
        )
        with pytest.raises(errors.IncompleteStreamError):
            list(llm.stream("Hi"))
