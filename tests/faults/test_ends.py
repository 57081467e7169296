"""Ends of answers, and requests of odd sizes: nothing lost, nothing waited for."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from langchain_modelstudio import ChatModelStudio
from modelstudio_core import errors
from modelstudio_core.emulator import Emulator, Reply
from tests.support.internals import http_library, is_large, timeout_of

KEY = "sk-0123456789abcdefghijklmnopqrstuv"
HEAD = b"HTTP/1.1 200 OK\r\nconnection: keep-alive\r\n"
SSE = HEAD + b"content-type: Text/Event-Stream\r\ntransfer-encoding: chunked\r\n\r\n"


def event(content: str, reason: str | None = None) -> bytes:
    """Return an event of a stream, as a chunk of the body."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": reason}
    data = b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


@contextmanager
def answering(
    pieces: Sequence[bytes], *, pause: float = 0.0, reads: bool = True
) -> Generator[str]:
    """Answer each connection once, in these pieces, and close it."""
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            with suppress(OSError), listener.accept()[0] as connection:
                connection.settimeout(5)
                if reads:
                    answer(connection)
                else:
                    over.wait()

    def answer(connection: socket.socket) -> None:
        head, _, rest = connection.recv(65536).partition(b"\r\n\r\n")
        size = int(re.findall(rb"(?i)content-length: (\d+)", head)[0]) - len(rest)
        while size > 0:
            size -= len(connection.recv(2**20))
        for piece in pieces:
            connection.sendall(piece)
            over.wait(pause)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


def model(url: str, **arguments: Any) -> ChatModelStudio:
    given: dict[str, Any] = {"model": "qwen-plus", "max_retries": 0, **arguments}
    return ChatModelStudio(base_url=url, api_key=KEY, **given)


@pytest.mark.parametrize("cut", [True, False])
async def test_what_follows_the_finish_is_an_error_wherever_it_is_cut(
    cut: bool,
) -> None:
    """Else the same bytes are a short answer, or none, as the network likes it."""
    events = [event("The dose is 5"), event("", "stop"), event("00 mg")]
    pieces = [SSE, *events] if cut else [SSE, b"".join(events)]
    with answering([*pieces, b"0\r\n\r\n"], pause=0.03) as url:
        llm = model(url)
        with pytest.raises(errors.IncompleteStreamError, match="out of order"):
            async for _ in llm.astream("Hi"):
                pass
        with pytest.raises(errors.IncompleteStreamError, match="out of order"):
            await asyncio.to_thread(lambda: list(llm.stream("Hi")))


@pytest.mark.parametrize("whole", [True, False])
async def test_what_came_before_a_broken_connection_is_handed_on(whole: bool) -> None:
    """What is read ahead must not be thrown away with the connection."""
    words = [event(f"word{number} ") for number in range(400)]
    end = [event("", "stop")] if whole else []
    with answering([SSE + b"".join([*words, *end])]) as url:
        seen: list[str] = []

        async def read() -> None:
            async for chunk in model(url).astream("Hi"):
                seen.append(str(chunk.content))
                await asyncio.sleep(0)

        if whole:
            await read()
        else:
            with pytest.raises(errors.IncompleteStreamError):
                await read()
    assert "".join(seen) == "".join(f"word{number} " for number in range(400))


async def test_a_request_that_nobody_reads_is_a_timeout() -> None:
    """The time to send it is bounded too."""
    with answering([], reads=False) as url:
        llm = model(url, timeout=0.3)
        with pytest.raises(errors.APITimeoutError):
            await asyncio.wait_for(llm.ainvoke("x" * 24_000_000), 4)


async def test_a_large_request_is_sent_without_a_warning() -> None:
    answer = b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}'
    head = HEAD + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
    with answering([head % len(answer) + answer]) as url:
        assert (await model(url).ainvoke("x" * 1_200_000)).content == "Hi"


def test_a_large_request_is_one_with_much_text() -> None:
    small = {"messages": [{"content": "x" * 1000, "n": 1, "on": True, "no": None}]}
    assert not is_large(small)
    assert is_large({"messages": [{"content": "x" * 2**19}]})
    assert is_large({"messages": [{"content": "x" * 2**10}] * 2**9})


async def test_long_headers_are_taken() -> None:
    answer = b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}'
    head = HEAD + b"content-type: Application/JSON\r\nx-trace: %s\r\n" % (b"x" * 20_000)
    size = b"content-length: %d\r\n\r\n" % len(answer)
    with answering([head + size + answer]) as url:
        assert (await model(url).ainvoke("Hi")).content == "Hi"


def test_the_wait_for_a_place_does_not_shorten_connecting() -> None:
    llm = model("http://127.0.0.1:1", timeout=(10, 1.0))
    timeout = timeout_of(llm)
    assert (timeout.connect, timeout.read, timeout.pool) == (10, 1.0, 11.0)


async def test_a_refusal_whose_body_breaks_off_keeps_its_status() -> None:
    head = b"HTTP/1.1 400 Bad\r\ncontent-length: 500\r\n\r\n{"
    with answering([head]) as url:
        llm = model(url)
        with pytest.raises(errors.BadRequestError) as caught:
            await asyncio.to_thread(llm.invoke, "Hi")
    assert caught.value.status_code == 400


LIMITED = b'data: {"error":{"message":"Slow down.","code":"limit_requests"}}\n\n'


def chunked(*data: bytes) -> bytes:
    """Return events, all of them in one chunk of the body."""
    said = b"".join(data)
    return b"%x\r\n%s\r\n" % (len(said), said)


def body_of(chunk: bytes) -> bytes:
    return chunk.partition(b"\r\n")[2].removesuffix(b"\r\n")


@pytest.mark.parametrize("colour", ["sync", "async"])
async def test_an_error_that_came_with_an_event_is_told_though_nothing_follows(
    colour: str,
) -> None:
    came: list[str] = []

    async def read(llm: ChatModelStudio) -> None:
        if colour == "sync":
            for chunk in llm.stream("Hi"):
                came.append(chunk.text)  # noqa: PERF401 - it is kept on an error
        else:
            async for chunk in llm.astream("Hi"):
                came.append(chunk.text)  # noqa: PERF401 - it is kept on an error

    limited = pytest.raises(errors.RateLimitError, match="Slow down")
    with answering([SSE, chunked(body_of(event("Half")), LIMITED)]) as url, limited:
        await read(model(url))
    assert came == ["Half"]


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("what", [LIMITED, b"data: junk\n\n"])
def test_what_follows_the_end_is_nothing_wherever_it_is_cut(
    what: bytes, apart: bool
) -> None:
    done = b"data: [DONE]\n\n"
    whole = body_of(event("All", "stop")) + done
    pieces = [chunked(whole), chunked(what)] if apart else [chunked(whole, what)]
    with answering([SSE, *pieces, b"0\r\n\r\n"], pause=0.02) as url:
        assert "".join(chunk.text for chunk in model(url).stream("Hi")) == "All"


def test_the_native_protocol_has_no_mark_of_the_end() -> None:
    said = b'data: {"output":{"choices":[{"message":{"content":"Half"}}]}}\n\n'
    with answering([SSE, chunked(said, b"data: [DONE]\n\n"), b"0\r\n\r\n"]) as url:
        llm = model(url, protocol="dashscope")
        with pytest.raises(errors.IncompleteStreamError, match="not JSON"):
            list(llm.stream("Hi"))


@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("colour", ["sync", "async"])
async def test_a_hook_of_the_users_own_client_may_read_the_body(
    modelstudio_emulator: Emulator, protocol: Any, stream: bool, colour: str
) -> None:
    """Httpx documents it, and then the connection is another one's already."""

    def read(response: Any) -> None:
        response.read()

    async def aread(response: Any) -> None:
        await response.aread()

    http = http_library()
    clients_of_ours = {
        "http_client": http.Client(event_hooks={"response": [read]}),
        "http_async_client": http.AsyncClient(event_hooks={"response": [aread]}),
    }
    modelstudio_emulator.script(Reply(text="Hello"))
    llm = ChatModelStudio(
        model="qwen-plus",
        base_url=modelstudio_emulator.base_url,
        api_key=modelstudio_emulator.api_key,
        protocol=protocol,
        **clients_of_ours,
    )
    async with clients_of_ours["http_async_client"]:
        with clients_of_ours["http_client"]:
            match colour, stream:
                case "sync", True:
                    said = "".join(chunk.text for chunk in llm.stream("Hi"))
                case "sync", False:
                    said = llm.invoke("Hi").text
                case _, True:
                    said = "".join([chunk.text async for chunk in llm.astream("Hi")])
                case _:
                    said = (await llm.ainvoke("Hi")).text
    assert said == "Hello"
