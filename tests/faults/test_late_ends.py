"""Responses that end when the client stops waiting for their end.

After a complete answer the client waits for a tenth of a second for the end of the
response, so that the connection can be reused. What ends that wait must not end the
next call on the connection. Nor must the time limit of a whole answer.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, cast

import httpx
import pytest

from modelstudio_core import errors
from tests.support.calls import CallStyle, collect_text
from tests.support.fault_server import FaultServer, prompt
from tests.support.fault_server.faults import http_chunk
from tests.support.fault_server.wire import text_event
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Protocol, model
from tests.support.raw_server import answering

# Around the tenth of a second.
DELAYS: Final = (0.09, 0.095, 0.1, 0.105, 0.11)
ANSWER: Final = "The answer."


class Server(ThreadingHTTPServer):
    """Counts requests and connections."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = http_chunk(text_event(protocol, ANSWER, "stop"))
        self.requests = 0
        self.connections: set[object] = set()
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """Answers at once, and ends the response late."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        server = cast("Server", self.server)
        with server.lock:
            server.requests += 1
            server.connections.add(self.client_address)
            delay = DELAYS[server.requests % len(DELAYS)]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(server.body)
        self.wfile.flush()
        time.sleep(delay)
        # The client may have left.
        try:
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
        """Log nothing."""


@contextmanager
def serving(protocol: Protocol) -> Generator[Server]:
    with Server(protocol) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def run(
    framework: Framework, protocol: Protocol, *, workers: int, calls: int, loop: bool
) -> tuple[Counter[str], int, int]:
    """Make calls from many threads, or from many tasks of one event loop.

    Returns:
        What the calls came to, the number of requests, and that of connections.
    """
    with serving(protocol) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        llm = model(framework, url, protocol)
        style = CallStyle(framework, stream=True, asynchronous=loop)

        async def work(count: int) -> Counter[str]:
            results = [await collect_text(llm, style, "Hi") for _ in range(count)]
            return Counter(str(r.error or r.text) for r in results)

        async def work_in_tasks(count: int) -> list[Counter[str]]:
            return await asyncio.gather(*(work(count) for _ in range(workers)))

        if loop:
            outcomes = asyncio.run(work_in_tasks(calls // workers))
        else:
            with ThreadPoolExecutor(workers) as threads:
                counts = [calls // workers] * workers
                outcomes = list(threads.map(lambda n: asyncio.run(work(n)), counts))
        return (
            sum(outcomes, Counter[str]()),
            server.requests,
            len(server.connections),
        )


@pytest.mark.parametrize("loop", [False, True], ids=["threads", "tasks"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_end_of_a_response_ends_no_other_call(
    framework: Framework, protocol: Protocol, loop: bool
) -> None:
    outcomes, requests, connections = run(
        framework, protocol, workers=16, calls=64, loop=loop
    )
    assert outcomes == {ANSWER: 64}
    assert requests == 64
    # Some are reused, and some are closed: how many depends on the machine.
    assert 0 < connections <= 64


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("own_client", [False, True])
def test_the_time_limit_of_an_answer_does_not_outlive_it(
    protocol: Protocol, stream: bool, own_client: bool
) -> None:
    with FaultServer() as server, httpx.Client() as client:
        arguments: Any = {"http_client": client} if own_client else {}
        llm: Any = model("LangChain", server.base_url, protocol, **arguments)
        one = llm.stream if stream else llm.invoke
        # The first call may take longer, for its imports.
        assert list(one(prompt("first", "ok")))
        assert list(one(prompt("limited", "ok"), total_timeout=1))
        time.sleep(1)
        assert list(one(prompt("last", "ok")))
    assert server.log.connections == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_stream_that_several_threads_read_ends_in_time(
    framework: Framework, protocol: Protocol
) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    head += b"transfer-encoding: chunked\r\n\r\n"
    first = http_chunk(text_event(protocol, "The "))
    llm_arguments: Any = {"total_timeout": 3, "max_retries": 0}
    # The head of the next chunk never ends: no data comes.
    with answering([head + first + b"1;a=", *[b"a"] * 160], pause=0.05) as url:
        llm: Any = model(framework, url, protocol, **llm_arguments)
        is_langchain = framework == "LangChain"
        stream = llm.stream("Hi") if is_langchain else llm.stream_complete("Hi")
        begin = time.monotonic()
        with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
            one.submit(next, stream).result()
            with pytest.raises(errors.APITimeoutError, match="total_timeout"):
                other.submit(list, stream).result()
        assert time.monotonic() - begin < 6
