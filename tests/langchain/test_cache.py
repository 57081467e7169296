"""``SQLiteAnswerCache``: what is kept, where, and for whom."""

import asyncio
import json
import logging
import os
import pickle
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation

from langchain_modelstudio.cache import SQLiteAnswerCache
from modelstudio_core.emulator import Emulator, Reply, ToolCall
from modelstudio_core.errors import ConfigurationError
from tests.support.models import KEY, PROTOCOLS, Protocol, model


@pytest.fixture
def cache(tmp_path: Path) -> Generator[SQLiteAnswerCache]:
    cache = SQLiteAnswerCache(tmp_path / "answers.db")
    yield cache
    cache.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_answer_comes_back_whole_and_is_paid_for_once(
    modelstudio_emulator: Emulator, cache: SQLiteAnswerCache, protocol: Protocol
) -> None:
    call = ToolCall("weather", {"city": "Ürümqi"}, id="call_a")
    modelstudio_emulator.script(
        Reply(reasoning="Hm. 思", text="Looking.", tool_calls=[call])
    )
    llm = model(
        "LangChain", modelstudio_emulator, protocol, model="qwen3.7-plus", cache=cache
    )
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]
    first = llm.invoke("Weather?", tools=tools)
    again = [llm.invoke("Weather?", tools=tools)]
    again.append(await llm.ainvoke("Weather?", tools=tools))
    assert len(modelstudio_emulator.requests) == 1
    for answer in again:
        assert answer.content == first.content
        assert answer.tool_calls == first.tool_calls
        assert answer.additional_kwargs == first.additional_kwargs
        assert answer.response_metadata == first.response_metadata
        assert answer.content_blocks == first.content_blocks
        assert answer.usage_metadata is not None
        assert first.usage_metadata is not None
        assert answer.usage_metadata | {"total_cost": 0} == {
            **first.usage_metadata,
            "total_cost": 0,
        }


def test_another_option_model_or_account_is_another_key(
    modelstudio_emulator: Emulator, cache: SQLiteAnswerCache
) -> None:
    base: dict[str, Any] = {"cache": cache}
    changes: list[dict[str, Any]] = [
        {},
        {"temperature": 0.5},
        {"model": "qwen3.7-plus"},
        {"default_headers": {"X-Account": "other-account"}},
    ]
    for count, change in enumerate(changes, 1):
        llm = model("LangChain", modelstudio_emulator, **base | change)
        llm.invoke("Hi")
        llm.invoke("Hi")
        assert len(modelstudio_emulator.requests) == count


async def test_both_call_styles_see_what_the_other_stored(
    cache: SQLiteAnswerCache,
) -> None:
    answers = [ChatGeneration(message=AIMessage("a"))]
    await cache.aupdate("p", "m", answers)
    assert cache.lookup("p", "m") == answers
    cache.update("p", "n", [Generation(text="b")])
    assert await cache.alookup("p", "n") == [Generation(text="b")]
    assert await cache.alookup("pn", "") is None
    await cache.aclear()
    assert cache.lookup("p", "m") is None
    cache.update("p", "m", answers)
    cache.clear()
    assert await cache.alookup("p", "m") is None


def test_the_file_is_private_and_has_neither_key_nor_prompt(
    modelstudio_emulator: Emulator, cache: SQLiteAnswerCache
) -> None:
    modelstudio_emulator.script(Reply(text="An answer."))
    llm = model("LangChain", modelstudio_emulator, cache=cache)
    llm.invoke("my secret question")
    for file in cache.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        content = file.read_bytes()
        for secret in (KEY, modelstudio_emulator.api_key, "my secret question"):
            assert secret.encode() not in content
    cache.close()
    database = sqlite3.connect(cache.path)
    ((text,),) = database.execute("SELECT answer FROM answers").fetchall()
    database.close()
    assert json.loads(text)[0]["kwargs"]["message"]["kwargs"]["content"] == "An answer."


@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[1]",
        "[]",
        (
            '[{"lc": 1, "type": "constructor", "id": ["langchain_core", "prompts",'
            ' "prompt", "PromptTemplate"], "kwargs": {"template": "x"}}]'
        ),
        (
            '[{"lc": 1, "type": "constructor", "id": ["langchain", "schema",'
            ' "messages", "HumanMessage"], "kwargs": {"content": "x"}}]'
        ),
        '[{"lc": 1, "type": "secret", "id": ["DASHSCOPE_API_KEY"]}]',
    ],
)
def test_what_is_no_answer_is_not_loaded(
    cache: SQLiteAnswerCache, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    caplog.set_level(logging.WARNING, "modelstudio")
    cache.update("p", "m", [ChatGeneration(message=AIMessage("a"))])
    cache._file.write("UPDATE answers SET answer = ?", text)
    assert cache.lookup("p", "m") is None
    assert "cannot be read" in caplog.text
    assert text not in caplog.text


def test_an_answer_that_looks_like_an_object_stays_text(
    cache: SQLiteAnswerCache,
) -> None:
    value = {"lc": 1, "type": "secret", "id": ["DASHSCOPE_API_KEY"]}
    answers = [ChatGeneration(message=AIMessage("a", additional_kwargs={"x": value}))]
    cache.update("p", "m", answers)
    assert cache.lookup("p", "m") == answers


def test_a_pickle_opens_the_same_file(cache: SQLiteAnswerCache) -> None:
    cache.update("p", "m", [Generation(text="b")])
    loaded: SQLiteAnswerCache = pickle.loads(pickle.dumps(cache))  # noqa: S301 - our own
    assert loaded.path == cache.path
    assert repr(loaded) == f"SQLiteAnswerCache({str(cache.path)!r})"
    assert loaded.lookup("p", "m") == [Generation(text="b")]
    loaded.close()


@pytest.mark.parametrize("path", ["", None, 7, "/no/such/folder/answers.db"])
def test_an_invalid_path_is_refused(path: Any) -> None:
    with pytest.raises(ConfigurationError, match="SQLiteAnswerCache"):
        SQLiteAnswerCache(path)


def test_threads_and_processes_write_at_once(cache: SQLiteAnswerCache) -> None:
    script = (
        "import sys; from langchain_core.outputs import Generation;"
        "from langchain_modelstudio.cache import SQLiteAnswerCache;"
        "cache = SQLiteAnswerCache(sys.argv[1]);"
        "[cache.update(f'{sys.argv[2]}-{n}', 'm', [Generation(text='x')])"
        " for n in range(200)]; cache.close()"
    )
    processes = [
        subprocess.Popen(  # noqa: S603 - the script above
            [sys.executable, "-c", script, str(cache.path), str(number)]
        )
        for number in range(2)
    ]

    def write(number: int) -> None:
        for n in range(100):
            cache.update(f"t{number}-{n}", "m", [Generation(text="x")])

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(60) for process in processes] == [0, 0]
    assert cache._file.read("SELECT count(*) FROM answers") == (2 * 200 + 4 * 100,)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_opens_the_file_again(cache: SQLiteAnswerCache) -> None:
    cache.update("p", "m", [Generation(text="b")])
    child = os.fork()
    if child == 0:
        found = cache.lookup("p", "m") == [Generation(text="b")]
        cache.update("q", "m", [Generation(text="c")])
        os._exit(0 if found else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert cache.lookup("q", "m") == [Generation(text="c")]


async def test_many_tasks_use_one_cache(
    modelstudio_emulator: Emulator, cache: SQLiteAnswerCache
) -> None:
    llm = model("LangChain", modelstudio_emulator, cache=cache)
    prompts = [f"Question {number}" for number in range(20)]
    await asyncio.gather(*map(llm.ainvoke, prompts))
    await asyncio.gather(*map(llm.ainvoke, prompts))
    assert len(modelstudio_emulator.requests) == 20
