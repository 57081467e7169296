"""Clients under forks and under many threads, each with an event loop of its own."""

import asyncio
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from langchain_modelstudio import ModelStudioEmbeddings
from langchain_modelstudio.bulk import ChatMapper
from modelstudio_core import api_keys, concurrent_arguments, uploads
from modelstudio_core.api_keys import ApiKeyFunction
from modelstudio_core.emulator import Emulator
from modelstudio_core.local_files import LocalFile, inspect_file
from modelstudio_core.transport import clients, fairness
from modelstudio_core.transport.clients import async_client, sync_client
from tests.core.transport.support import connection_to
from tests.support.internals import forget_clients
from tests.support.models import PROTOCOLS, Protocol, model

FORKS: Final = 12
THREADS: Final = 16
NEEDS_FORK = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="this platform has no fork"
)


@contextmanager
def running(work: Callable[[], None], *, threads: int = 1) -> Generator[None]:
    """Repeat a function in threads until the block ends."""
    stopping = threading.Event()

    def repeat() -> None:
        while not stopping.is_set():
            work()

    workers = [threading.Thread(target=repeat) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        stopping.set()
        for worker in workers:
            worker.join()


@contextmanager
def held_by_a_thread(locks: Sequence[AbstractContextManager[Any]]) -> Generator[None]:
    """Hold locks in another thread until the block ends."""
    is_held, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            is_held.set()
            may_end.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait()
    try:
        yield
    finally:
        may_end.set()
        thread.join()


def exit_code_of(child: Callable[[], None], *, seconds: float = 5) -> int | None:
    """Run a function in a forked process; return None if it does not end in time."""
    with warnings.catch_warnings():
        # Python 3.12 and later warn of a fork in a process with threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            child()
            code = 0
        finally:
            os._exit(code)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return None


@NEEDS_FORK
def test_a_child_does_not_wait_for_locks_that_a_thread_of_the_parent_held() -> None:
    """At each fork all locks are held, by a thread that the child does not have."""
    connection = connection_to("http://127.0.0.1:9")
    handle, _ = sync_client(connection, None)
    locks = [
        clients._sync_clients._lock,
        clients._loop_lock,
        # What the finalizer of a handle takes.
        handle.pool._transport._pool._optional_thread_lock,
    ]
    del handle

    def child() -> None:
        # What was inherited is dropped and finalized, unless something holds it.
        forget_clients()
        sync_client(connection, None)
        asyncio.run(fairness.wait_for_turn(fairness.REQUEST))

    with held_by_a_thread(locks):
        for _ in range(2 * FORKS):
            assert exit_code_of(child) == 0


@NEEDS_FORK
def test_a_child_uses_what_a_thread_of_the_parent_had_locked(tmp_path: Path) -> None:
    """The locks of key functions, uploads, embeddings and a bulk mapper."""
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(8))
    content = inspect_file(LocalFile(path, "image"))
    connection = connection_to("http://127.0.0.1:9")
    function = ApiKeyFunction(lambda: "sk-after-the-fork-0123456789")
    arguments: dict[str, Any] = {"api_key": "sk-test", "model": "text-embedding-v4"}
    unused, used = (ModelStudioEmbeddings(**arguments) for _ in range(2))
    assert used.usage.requests == 0
    mapper = ChatMapper({"model": "qwen-plus"})

    def child() -> None:
        assert function.ask() in function.hidden
        uploads._keep(connection, None, "m", content, "oss://a")
        assert uploads._find(connection, None, "m", content) == "oss://a"
        assert unused.usage == used.usage == (0, 0)
        mapper.close()

    locks = [
        api_keys._lock,
        uploads._lock,
        concurrent_arguments._creating,
        mapper._lock,
    ]
    with held_by_a_thread(locks):
        assert exit_code_of(child) == 0


@NEEDS_FORK
def test_a_child_closes_a_mapper_without_the_thread_of_the_parent() -> None:
    with Emulator() as emulator:
        arguments = {"model": "qwen-plus", "base_url": emulator.base_url}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DASHSCOPE_API_KEY", emulator.api_key)
            mapper = ChatMapper(arguments)
            assert mapper({"prompt": ["Hi"]})["error"] == [None]
            assert exit_code_of(mapper.close) == 0
            assert mapper({"prompt": ["Hi"]})["error"] == [None]
            mapper.close()


@NEEDS_FORK
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_children_call_while_threads_of_the_parent_call(protocol: Protocol) -> None:
    with Emulator() as emulator:
        llm = model("LangChain", emulator, protocol)
        llm.invoke("Hi")

        def child() -> None:
            assert llm.invoke("Hi").text

        with running(lambda: assert_answer(llm.invoke("Hi").text), threads=2):
            for _ in range(FORKS // 2):
                assert exit_code_of(child) == 0
        assert llm.invoke("Hi").text


def assert_answer(text: object) -> None:
    """Check that there is an answer."""
    assert text


@pytest.fixture
def _small_switch_interval() -> Generator[None]:  # pyright: ignore[reportUnusedFunction] - pytest calls it
    """Let threads alternate a thousand times as often as usual."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_small_switch_interval")
def test_loops_of_many_threads_begin_and_end_at_once() -> None:
    """Each run adds a loop to what is kept for loops, and closed ones are removed."""
    connection = connection_to("http://127.0.0.1:9")

    async def use() -> None:
        await fairness.wait_for_turn(fairness.REQUEST)
        handle, _ = await async_client(connection, None)
        assert not handle.pool.is_closed

    def runs(_: int) -> None:
        for _ in range(5):
            asyncio.run(use())

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(runs, range(THREADS)))
    assert not [loop for loop in clients._loop_clients if loop.is_closed()]


@pytest.mark.usefixtures("_small_switch_interval")
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_threads_run_an_async_call_each(protocol: Protocol) -> None:
    with Emulator() as emulator:
        llm = model("LangChain", emulator, protocol)
        with ThreadPoolExecutor(THREADS) as threads:
            answers = list(
                threads.map(
                    lambda _: str(asyncio.run(llm.ainvoke("Hi")).text),
                    range(2 * THREADS),
                )
            )
    assert len(set(answers)) == 1
    assert len(emulator.requests) == 2 * THREADS
