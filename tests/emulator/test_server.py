"""The server: how it starts, serves and stops."""

import asyncio
import logging
import socket
import threading
import time

import httpx
import openai
import pytest

from modelstudio_core.emulator import Emulator, Fault, Reply
from tests.emulator.helpers import CHAT, OpenAIClient

BODY = {"model": "qwen-plus", "messages": [{"role": "user", "content": "Hi"}]}


def test_port_and_key_can_be_set(http: httpx.Client) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Emulator(port=port, api_key="sk-mine") as studio:
        assert studio.base_url == f"http://127.0.0.1:{port}"
        headers = {"authorization": "Bearer sk-mine"}
        response = http.post(studio.base_url + CHAT, json=BODY, headers=headers)
    assert response.status_code == 200


def test_a_port_in_use_is_an_error() -> None:
    with Emulator() as studio:
        port = int(studio.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Emulator(port=port).__enter__()


def test_an_emulator_can_be_entered_again_but_not_twice(http: httpx.Client) -> None:
    studio = Emulator()
    for _ in range(2):
        with studio:
            assert http.get(studio.base_url).status_code == 404
            with pytest.raises(RuntimeError, match="already running"):
                studio.__enter__()
    with pytest.raises(RuntimeError, match="not running"):
        _ = studio.base_url


def test_an_unknown_generation_is_an_error() -> None:
    with pytest.raises(ValueError, match="'empty' or 'null'"):
        Emulator(generation="new")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - an invalid value


def test_the_server_stops_at_once_with_open_connections(http: httpx.Client) -> None:
    """An idle connection, a silent one and a long stream are all cut."""
    before = threading.active_count()
    with Emulator(chunk_delay=0.05) as studio:
        client = OpenAIClient(studio, http)
        client.send()
        studio.script(Reply(pieces=["x"] * 10_000), Fault.silence(60))
        url, body = client.url, BODY | {"stream": True}
        request = http.build_request("POST", url, json=body, headers=client.headers)
        stream = http.send(request, stream=True)
        next(stream.iter_raw())
        silent = threading.Thread(target=_expect_a_cut, args=(client,))
        silent.start()
        while len(studio.requests) < 3:
            time.sleep(0.005)
        start = time.monotonic()
    assert time.monotonic() - start < 0.4
    silent.join()
    stream.close()
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        http.get(url)


def _expect_a_cut(client: OpenAIClient) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.send()


def test_nothing_is_logged(
    caplog: pytest.LogCaptureFixture, http: httpx.Client
) -> None:
    caplog.set_level(logging.DEBUG)
    with Emulator() as studio:
        studio.script(Fault.cut(), Fault.cut(after=1), Fault.short_body(3))
        for _ in range(3):
            with pytest.raises(httpx.RemoteProtocolError):
                OpenAIClient(studio, http).send(stream=True)
    assert [r.getMessage() for r in caplog.records if "uvicorn" in r.name] == []


async def test_asynchronous_requests_are_served_concurrently() -> None:
    with Emulator() as studio:
        async with openai.AsyncOpenAI(
            base_url=studio.base_url + "/compatible-mode/v1", api_key=studio.api_key
        ) as llm:

            async def ask(number: int) -> str | None:
                completion = await llm.chat.completions.create(
                    model="qwen-plus",
                    messages=[
                        {"role": "system", "content": f"Room {number} is free."},
                        {"role": "user", "content": "Which room is free?"},
                    ],
                )
                return completion.choices[0].message.content

            answers = await asyncio.gather(*map(ask, range(20)))
    assert answers == [f"Room {number} is free." for number in range(20)]


def test_the_openai_sdk_reads_a_stream(client: OpenAIClient) -> None:
    with openai.OpenAI(
        base_url=client.studio.base_url + "/compatible-mode/v1",
        api_key=client.studio.api_key,
    ) as llm:
        stream = llm.chat.completions.create(
            model="qwen3.7-plus",
            messages=[{"role": "user", "content": "Rust is a language. What is Rust?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    texts = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert "".join(texts) == "Rust is a language."
    assert chunks[-1].usage is not None
