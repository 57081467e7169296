"""Two models in one process share no address, key or cookie.

The SDKs' environment variables, configuration files and global state have no effect.
"""

import asyncio
import copy
import json
import os
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import dashscope
import pytest
from dashscope import Generation

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator, Reply
from modelstudio_core.errors import ConfigurationError
from tests.support.answers import JSON, RESPONSE
from tests.support.calls import add_chunks
from tests.support.internals import loops_with_clients, without_dashscope
from tests.support.models import PROTOCOLS, Protocol, model
from tests.support.replay import replaying

PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
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
def emulators() -> Iterator[tuple[Emulator, Emulator]]:
    with (
        Emulator(api_key="sk-emulator-first-0001") as first,
        Emulator(api_key="sk-emulator-second-002") as second,
    ):
        yield first, second


@PROTOCOL
def test_addresses_and_keys_stay_apart(
    emulators: tuple[Emulator, Emulator], protocol: Protocol
) -> None:
    before = (dashscope.api_key, dashscope.base_http_api_url)
    first = model("LangChain", emulators[0], protocol, region="singapore")
    second = model("LangChain", emulators[1], protocol, region="beijing")

    async def both() -> None:
        calls = [llm.ainvoke("Hi") for llm in (first, second) * 5]
        await asyncio.gather(*calls)

    for llm in (first, second):
        llm.invoke("Hi")
        list(llm.stream("Hi"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda llm: llm.invoke("Hi"), (first, second) * 5))
    asyncio.run(both())
    for emulator in emulators:
        assert len(emulator.requests) == 12
        keys = {request.headers["authorization"] for request in emulator.requests}
        assert keys == {f"Bearer {emulator.api_key}"}
    assert (dashscope.api_key, dashscope.base_http_api_url) == before


@PROTOCOL
def test_a_cookie_is_never_sent_back(protocol: Protocol) -> None:
    headers = {**JSON, "set-cookie": "acw_tc=secret; Path=/; HttpOnly"}
    body = RESPONSE if protocol == "openai" else NATIVE
    with replaying(200, headers, body, times=2) as replay:
        llm = model("LangChain", replay.base_url, protocol)
        llm.invoke("Hi")
        llm.invoke("Hi")
    assert [headers.get("cookie") for headers in replay.headers] == [None, None]


def test_the_dashscope_sdks_environment_has_no_effect(
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
            # Another timeout makes a new client, which reads the environment.
            llm = model("LangChain", replay.base_url, "dashscope", timeout=timeout)
            llm.invoke("Hi")
            for name, value in variables.items():
                monkeypatch.setenv(name, value)
    assert replay.headers[0] == replay.headers[1]
    assert replay.requests[0] == replay.requests[1]
    assert "x-dashscope-workspace" not in replay.headers[1]


def test_the_error_without_the_sdk_names_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_dashscope(monkeypatch)
    with pytest.raises(
        ConfigurationError, match=r"modelstudio-integrations\[dashscope\]"
    ):
        ChatModelStudio(model="qwen-plus", api_key="k", protocol="dashscope")


def test_the_dashscope_sdk_gets_the_same_answer(modelstudio_emulator: Emulator) -> None:
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
    llm = model(
        "LangChain",
        modelstudio_emulator,
        "dashscope",
        model="deepseek-v4-pro",
        enable_thinking=True,
    )
    answer = add_chunks(list(llm.stream("Who are you?")))
    assert answer.additional_kwargs["reasoning_content"] == reasoning == reply.reasoning
    assert answer.content == content == reply.text
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["input_tokens"] == usage.input_tokens
    assert answer.usage_metadata["output_tokens"] == usage.output_tokens
    by_sdk, by_model = modelstudio_emulator.requests
    assert by_sdk.path == by_model.path
    assert by_sdk.body is not None
    assert by_model.body is not None
    assert by_sdk.body["input"] == by_model.body["input"]
    assert by_sdk.body["parameters"] == by_model.body["parameters"]
    assert answer.response_metadata["request_id"]


@PROTOCOL
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_child_process_makes_its_own_connections(protocol: Protocol) -> None:
    with Emulator() as emulator:
        llm = model("LangChain", emulator, protocol, region="singapore")
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
        assert len(emulator.requests) == 3


@PROTOCOL
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")
def test_a_stream_survives_that_a_child_process_closes_its_copy(
    protocol: Protocol,
) -> None:
    pieces = [f"{number} " for number in range(20)]
    with Emulator(chunk_delay=0.01) as emulator:
        emulator.script(Reply(text="".join(pieces), pieces=pieces))
        llm = model("LangChain", emulator, protocol, region="singapore")
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


@PROTOCOL
def test_many_event_loops_use_one_model_at_once(protocol: Protocol) -> None:
    with Emulator() as emulator:
        llm = model("LangChain", emulator, protocol, region="singapore")
        pickled = pickle.loads(pickle.dumps(llm))  # noqa: S301 - pickled above
        copies = [llm, copy.copy(llm), copy.deepcopy(llm), pickled]

        async def several(number: int) -> list[str]:
            one = copies[number % len(copies)]
            answers = await asyncio.gather(*(one.ainvoke("Hi") for _ in range(3)))
            streamed = [chunk.text async for chunk in one.astream("Hi")]
            return [*(answer.text for answer in answers), "".join(streamed)]

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: asyncio.run(several(n)), range(16)))
        texts = {text for texts in answers for text in texts}
        assert texts == {llm.invoke("Hi").text}
        assert len(emulator.requests) == 16 * 4 + 1
    assert [loop for loop in loops_with_clients() if loop.is_closed()] == []
