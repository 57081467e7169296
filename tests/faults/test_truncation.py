"""Where answers end, and requests and headers of unusual sizes."""

import asyncio
from typing import Any

import pytest

from langchain_modelstudio import ChatModelStudio
from modelstudio_core import errors
from modelstudio_core.emulator import Emulator, Reply
from tests.support.calls import CallStyle, call, iterate
from tests.support.fault_server.faults import http_chunk
from tests.support.fault_server.wire import text_event
from tests.support.internals import http_library, is_large, timeout_of
from tests.support.models import PROTOCOLS, Protocol, model
from tests.support.raw_server import answering

HEAD = b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\n"
# The service's headers in another letter case.
SSE = HEAD + b"content-type: Text/Event-Stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = http_chunk(b"")
ANSWER = b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}'
BOTH_STYLES = pytest.mark.parametrize("asynchronous", [False, True])


def event(text: str, finish_reason: str | None = None) -> bytes:
    """Return an event of a stream in an HTTP chunk."""
    return http_chunk(text_event("openai", text, finish_reason))


def stream_style(asynchronous: bool) -> CallStyle:
    return CallStyle("LangChain", stream=True, asynchronous=asynchronous)


@pytest.mark.parametrize("cut", [True, False])
async def test_events_after_the_finish_reason_are_an_error_wherever_they_are_cut(
    cut: bool,
) -> None:
    """Otherwise the text of an answer would depend on how the network cuts it."""
    events = [event("The dose is 5"), event("", "stop"), event("00 mg")]
    pieces = [SSE, *events] if cut else [SSE, b"".join(events)]
    with answering([*pieces, END], pause=0.03) as url:
        llm = model("LangChain", url)
        with pytest.raises(errors.IncompleteStreamError, match="out of order"):
            async for _ in llm.astream("Hi"):
                pass
        with pytest.raises(errors.IncompleteStreamError, match="out of order"):
            await asyncio.to_thread(lambda: list(llm.stream("Hi")))


@pytest.mark.parametrize("complete", [True, False])
async def test_events_before_a_lost_connection_are_delivered(complete: bool) -> None:
    """Events that were read ahead must not be lost with the connection."""
    words = [f"word{number} " for number in range(400)]
    end = [event("", "stop")] if complete else []
    body = b"".join([*map(event, words), *end])
    with answering([SSE + body]) as url:
        texts: list[str] = []

        async def read() -> None:
            async for chunk in model("LangChain", url).astream("Hi"):
                texts.append(str(chunk.content))
                await asyncio.sleep(0)

        if complete:
            await read()
        else:
            with pytest.raises(errors.IncompleteStreamError):
                await read()
    assert "".join(texts) == "".join(words)


async def test_a_request_that_the_server_does_not_read_times_out() -> None:
    with answering([], reads=False) as url:
        llm = model("LangChain", url, timeout=0.3)
        with pytest.raises(errors.APITimeoutError):
            await asyncio.wait_for(llm.ainvoke("x" * 24_000_000), 4)


async def test_a_large_request_is_sent_without_a_warning() -> None:
    head = HEAD + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
    with answering([head % len(ANSWER) + ANSWER]) as url:
        message = await model("LangChain", url).ainvoke("x" * 1_200_000)
        assert message.content == "Hi"


def test_a_request_is_large_if_it_has_much_text() -> None:
    small = {"messages": [{"content": "x" * 1000, "n": 1, "on": True, "no": None}]}
    assert not is_large(small)
    assert is_large({"messages": [{"content": "x" * 2**19}]})
    assert is_large({"messages": [{"content": "x" * 2**10}] * 2**9})


async def test_long_response_headers_are_accepted() -> None:
    head = HEAD + b"content-type: Application/JSON\r\nx-trace: %s\r\n" % (b"x" * 20_000)
    length = b"content-length: %d\r\n\r\n" % len(ANSWER)
    with answering([head + length + ANSWER]) as url:
        assert (await model("LangChain", url).ainvoke("Hi")).content == "Hi"


def test_waiting_for_a_free_connection_does_not_shorten_the_connect_timeout() -> None:
    timeout = timeout_of(model("LangChain", "http://127.0.0.1:1", timeout=(10, 1.0)))
    assert (timeout.connect, timeout.read, timeout.pool) == (10, 1.0, 11.0)


async def test_an_error_whose_body_is_cut_off_keeps_its_status() -> None:
    head = b"HTTP/1.1 400 Bad\r\ncontent-length: 500\r\n\r\n{"
    with answering([head]) as url:
        llm = model("LangChain", url)
        with pytest.raises(errors.BadRequestError) as caught:
            await asyncio.to_thread(llm.invoke, "Hi")
    assert caught.value.status_code == 400


LIMITED = b'data: {"error":{"message":"Slow down.","code":"limit_requests"}}\n\n'


@BOTH_STYLES
async def test_an_error_in_the_same_chunk_as_an_event_is_raised_after_the_event(
    asynchronous: bool,
) -> None:
    texts: list[str] = []

    async def read(llm: ChatModelStudio) -> None:
        async for chunk in iterate(llm, stream_style(asynchronous), "Hi"):
            texts.append(chunk.text)  # noqa: PERF401 - the texts before an error

    limited = pytest.raises(errors.RateLimitError, match="Slow down")
    body = http_chunk(text_event("openai", "Half") + LIMITED)
    with answering([SSE, body]) as url, limited:
        await read(model("LangChain", url))
    assert texts == ["Half"]


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("extra", [LIMITED, b"data: junk\n\n"])
def test_bytes_after_the_end_mark_are_ignored_wherever_they_are_cut(
    extra: bytes, apart: bool
) -> None:
    answer = text_event("openai", "All", "stop") + b"data: [DONE]\n\n"
    parts = [answer, extra] if apart else [answer + extra]
    with answering([SSE, *map(http_chunk, parts), END], pause=0.02) as url:
        stream = model("LangChain", url).stream("Hi")
        assert "".join(chunk.text for chunk in stream) == "All"


def test_the_native_protocol_has_no_end_mark() -> None:
    half = b'data: {"output":{"choices":[{"message":{"content":"Half"}}]}}\n\n'
    with answering([SSE, http_chunk(half + b"data: [DONE]\n\n"), END]) as url:
        llm = model("LangChain", url, "dashscope")
        with pytest.raises(errors.IncompleteStreamError, match="not JSON"):
            list(llm.stream("Hi"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("stream", [True, False])
@BOTH_STYLES
async def test_a_response_hook_of_a_custom_client_may_read_the_body(
    modelstudio_emulator: Emulator, protocol: Protocol, stream: bool, asynchronous: bool
) -> None:
    """Documented by httpx; afterwards another request may use the connection."""

    def read(response: Any) -> None:
        response.read()

    async def aread(response: Any) -> None:
        await response.aread()

    http = http_library()
    modelstudio_emulator.script(Reply(text="Hello"))
    style = CallStyle("LangChain", stream=stream, asynchronous=asynchronous)
    async with http.AsyncClient(event_hooks={"response": [aread]}) as async_client:
        with http.Client(event_hooks={"response": [read]}) as client:
            llm = model(
                "LangChain",
                modelstudio_emulator,
                protocol,
                http_client=client,
                http_async_client=async_client,
            )
            assert (await call(llm, style, "Hi")).text == "Hello"
