"""Two models in one process never see each other's address, key or cookie.

And nothing of the SDKs' own leaks in: no variable, no configuration file, no state of
the process.
"""

import asyncio
import copy
import json
import os
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import dashscope
import pytest
from dashscope import Generation

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator, Reply
from modelstudio_core.errors import ConfigurationError
from tests.support.answers import JSON, WHOLE
from tests.support.internals import loops_with_clients, without_dashscope
from tests.support.replay import replaying

Protocol = Literal["openai", "dashscope"]
PROTOCOLS = pytest.mark.parametrize("protocol", ["openai", "dashscope"])
NATIVE = json.dumps(
    {
        "output": {
            "choices": [
                {
                    "message": {"role": "assistant", "content": "Hi"},
                    "finish_reason": "stop",
                }
            ]
        },
        "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
        "request_id": "r",
    }
).encode()


@pytest.fixture
def studios() -> Iterator[tuple[Emulator, Emulator]]:
    with (
        Emulator(api_key="sk-emulator-first-0001") as first,
        Emulator(api_key="sk-emulator-second-002") as second,
    ):
        yield first, second


def model(studio: Emulator, protocol: Protocol, region: str) -> ChatModelStudio:
    return ChatModelStudio(
        model="qwen3.7-plus",
        base_url=studio.base_url,
        api_key=studio.api_key,
        region=region,
        protocol=protocol,
        max_retries=0,
    )


@PROTOCOLS
def test_addresses_and_keys_stay_apart(
    studios: tuple[Emulator, Emulator], protocol: Protocol
) -> None:
    before = (dashscope.api_key, dashscope.base_http_api_url)
    first = model(studios[0], protocol, "singapore")
    second = model(studios[1], protocol, "beijing")

    async def both() -> None:
        calls = [llm.ainvoke("Hi") for llm in (first, second) * 5]
        await asyncio.gather(*calls)

    for llm in (first, second):
        llm.invoke("Hi")
        list(llm.stream("Hi"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda llm: llm.invoke("Hi"), (first, second) * 5))
    asyncio.run(both())
    for studio in studios:
        assert len(studio.requests) == 12
        keys = {it.headers["authorization"] for it in studio.requests}
        assert keys == {f"Bearer {studio.api_key}"}
    assert (dashscope.api_key, dashscope.base_http_api_url) == before


@PROTOCOLS
def test_a_cookie_is_never_sent_back(protocol: Protocol) -> None:
    headers = {**JSON, "set-cookie": "acw_tc=secret; Path=/; HttpOnly"}
    body = WHOLE if protocol == "openai" else NATIVE
    with replaying(200, headers, body, times=2) as replay:
        llm = ChatModelStudio(
            model="qwen-plus",
            base_url=replay.base_url,
            api_key="sk-0123456789",
            protocol=protocol,
        )
        llm.invoke("Hi")
        llm.invoke("Hi")
    assert [it.get("cookie") for it in replay.headers] == [None, None]


def test_nothing_of_the_vendors_environment_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('workspace = "ws-of-the-file"\napi_key = "sk-of-the-file"\n')
    variables = {
        "DASHSCOPE_CONFIG": str(config),
        "DASHSCOPE_HTTP_BASE_URL": "http://127.0.0.1:9/api/v1",
        "DASHSCOPE_BASE_URL": "http://127.0.0.1:9/api/v1",
        "DASHSCOPE_API_REGION": "cn-beijing",
        "DASHSCOPE_PROTOCOL": "openai",
        "DASHSCOPE_TIMEOUT": "0.001",
        "DASHSCOPE_MAX_RETRIES": "9",
    }
    with replaying(200, JSON, NATIVE, times=2) as replay:
        for timeout in (61, 62):
            # Another timeout is another client, which reads its surroundings anew.
            llm = ChatModelStudio(
                model="qwen-plus",
                base_url=replay.base_url,
                api_key="sk-0123456789",
                protocol="dashscope",
                timeout=timeout,
            )
            llm.invoke("Hi")
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
    assert replay.headers[0] == replay.headers[1]
    assert replay.requests[0] == replay.requests[1]
    assert "x-dashscope-workspace" not in replay.headers[1]


def test_without_the_sdk_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_dashscope(monkeypatch)
    with pytest.raises(
        ConfigurationError, match=r"modelstudio-integrations\[dashscope\]"
    ):
        ChatModelStudio(model="qwen-plus", api_key="k", protocol="dashscope")


def test_the_sdks_own_sample_says_the_same(modelstudio_emulator: Emulator) -> None:
    """The sample of the DeepSeek page: deepseek-v4-pro, thinking, streamed."""
    reply = Reply(reasoning="Okay, who am I? 我", text="Hello! I am DeepSeek.")
    modelstudio_emulator.script(reply, reply)
    messages: Any = [{"role": "user", "content": "Who are you?"}]
    usage: Any = None
    responses: Any = Generation.call(
        api_key=modelstudio_emulator.api_key,
        base_address=f"{modelstudio_emulator.base_url}/api/v1",
        model="deepseek-v4-pro",
        messages=messages,
        result_format="message",
        enable_thinking=True,
        stream=True,
        incremental_output=True,
    )
    reasoning = content = ""
    for response in responses:
        message = response.output.choices[0].message
        reasoning += message.reasoning_content
        content += message.content
        usage = response.usage
    llm = ChatModelStudio(
        model="deepseek-v4-pro",
        base_url=modelstudio_emulator.base_url,
        api_key=modelstudio_emulator.api_key,
        protocol="dashscope",
        enable_thinking=True,
    )
    first, *rest = llm.stream("Who are you?")
    for chunk in rest:
        first += chunk
    assert first.additional_kwargs["reasoning_content"] == reasoning == reply.reasoning
    assert first.content == content == reply.text
    told = first.usage_metadata
    assert told is not None
    assert told["input_tokens"] == usage.input_tokens
    assert told["output_tokens"] == usage.output_tokens
    sdk, ours = modelstudio_emulator.requests
    assert sdk.path == ours.path
    assert sdk.body is not None
    assert ours.body is not None
    assert sdk.body["input"] == ours.body["input"]
    assert sdk.body["parameters"] == ours.body["parameters"]
    assert first.response_metadata["request_id"]


@PROTOCOLS
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_child_process_makes_connections_of_its_own(protocol: Protocol) -> None:
    with Emulator() as studio:
        llm = model(studio, protocol, "singapore")
        llm.invoke("Hi")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if llm.invoke("Hi").content else 1
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert status == 0
        assert llm.invoke("Hi").content
        assert len(studio.requests) == 3


@PROTOCOLS
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_stream_goes_on_though_a_child_uses_and_ends_its_copy(
    protocol: Protocol,
) -> None:
    pieces = [f"{number} " for number in range(20)]
    with Emulator(chunk_delay=0.01) as studio:
        studio.script(Reply(text="".join(pieces), pieces=pieces))
        llm = model(studio, protocol, "singapore")
        stream: Any = llm.stream("Hi")
        text = str(next(stream).text)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                stream.close()
                code = 0 if llm.invoke("Hi").content else 1
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert status == 0
        for chunk in stream:
            text += chunk.text
    assert text == "".join(pieces)


@PROTOCOLS
def test_many_event_loops_use_one_model_at_once(protocol: Protocol) -> None:
    with Emulator() as studio:
        llm = model(studio, protocol, "singapore")
        pickled = pickle.loads(pickle.dumps(llm))  # noqa: S301 - our own bytes
        copies = [llm, copy.copy(llm), copy.deepcopy(llm), pickled]

        async def several(number: int) -> list[str]:
            one = copies[number % len(copies)]
            answers = await asyncio.gather(*(one.ainvoke("Hi") for _ in range(3)))
            streamed = [chunk.text async for chunk in one.astream("Hi")]
            return [*(it.text for it in answers), "".join(streamed)]

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda n: asyncio.run(several(n)), range(16)))
        assert {text for texts in found for text in texts} == {llm.invoke("Hi").text}
        assert len(studio.requests) == 16 * 4 + 1
    assert [loop for loop in loops_with_clients() if loop.is_closed()] == []
