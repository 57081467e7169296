"""Each cassette is played through both frameworks, with no network at all."""

import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.messages import AIMessage
from llama_index.core.base.llms.types import ChatResponse, ToolCallBlock
from pytest_socket import SocketBlockedError
from vcr.errors import (  # type: ignore[import-untyped]
    CannotOverwriteExistingCassetteException,
)

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.errors import APIError
from tests.support.cassettes import (
    FOLDER,
    KEY,
    SCENARIOS,
    Answer,
    Refused,
    Scenario,
    _number_ids,
    for_langchain,
    for_llamaindex,
    parameters,
    path_of,
    player,
    recorder,
    source_of,
)
from tests.support.internals import (
    http_library,
    record_async_clients,
    record_clients,
)

pytestmark = pytest.mark.disable_socket

PATHS = sorted(FOLDER.glob("**/*.yaml"))
IDS = [str(path.relative_to(FOLDER)) for path in PATHS]


# --- Asking -----------------------------------------------------------------------


def connection(protocol: str, scenario: Scenario) -> dict[str, Any]:
    return {
        **scenario.at.arguments,
        "model": scenario.model,
        "protocol": protocol,
        "api_key": KEY,
        "max_retries": 0,
    }


def langchain_model(protocol: str, scenario: Scenario) -> ChatModelStudio:
    with warned(scenario):
        return ChatModelStudio(**connection(protocol, scenario))


def llamaindex_model(protocol: str, scenario: Scenario) -> ModelStudio:
    with warned(scenario):
        return ModelStudio(**connection(protocol, scenario))


def warned(scenario: Scenario) -> AbstractContextManager[Any]:
    return pytest.warns(scenario.warns) if scenario.warns else nullcontext()


async def langchain(protocol: str, scenario: Scenario) -> dict[str, Any]:
    llm, asked = langchain_model(protocol, scenario), for_langchain(scenario.asked)
    if not scenario.stream:
        return of_langchain(llm.invoke(asked, **scenario.options))
    return of_langchain(added(list(llm.stream(asked, **scenario.options))))


async def langchain_async(protocol: str, scenario: Scenario) -> dict[str, Any]:
    llm, asked = langchain_model(protocol, scenario), for_langchain(scenario.asked)
    if not scenario.stream:
        return of_langchain(await llm.ainvoke(asked, **scenario.options))
    stream = llm.astream(asked, **scenario.options)
    return of_langchain(added([chunk async for chunk in stream]))


async def llamaindex(protocol: str, scenario: Scenario) -> dict[str, Any]:
    llm, asked = llamaindex_model(protocol, scenario), for_llamaindex(scenario.asked)
    if not scenario.stream:
        return of_llamaindex(llm.chat(asked, **scenario.options))
    return of_llamaindex(list(llm.stream_chat(asked, **scenario.options))[-1])


async def llamaindex_async(protocol: str, scenario: Scenario) -> dict[str, Any]:
    llm, asked = llamaindex_model(protocol, scenario), for_llamaindex(scenario.asked)
    if not scenario.stream:
        return of_llamaindex(await llm.achat(asked, **scenario.options))
    stream = await llm.astream_chat(asked, **scenario.options)
    return of_llamaindex([response async for response in stream][-1])


WAYS: list[Callable[[str, Scenario], Awaitable[dict[str, Any]]]] = [
    langchain,
    langchain_async,
    llamaindex,
    llamaindex_async,
]


def added(chunks: list[Any]) -> Any:
    first, *rest = chunks
    for chunk in rest:
        first += chunk
    return first


def of_langchain(message: AIMessage) -> dict[str, Any]:
    usage: Any = message.usage_metadata or {}
    extra, told = message.additional_kwargs, message.response_metadata
    return {
        "text": message.text,
        "reasoning": extra.get("reasoning_content", ""),
        "ids": [call["id"] for call in message.tool_calls],
        "calls": [(call["name"], call["args"]) for call in message.tool_calls],
        "finish_reason": told["finish_reason"],
        "tokens": (
            usage["input_tokens"],
            usage["output_tokens"],
            usage.get("output_token_details", {}).get("reasoning"),
        ),
        "sources": [found["url"] for found in extra.get("search_results", [])],
        "request_id": told["request_id"],
        "requested_model": told.get("requested_model"),
    }


def of_llamaindex(response: ChatResponse) -> dict[str, Any]:
    message, told = response.message, response.additional_kwargs
    calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    extra: Any = message.additional_kwargs
    return {
        "text": message.content or "",
        "reasoning": extra.get("reasoning_content", ""),
        "ids": [call.tool_call_id for call in calls],
        "calls": [(call.tool_name, call.tool_kwargs) for call in calls],
        "finish_reason": told["finish_reason"],
        "tokens": (
            told["prompt_tokens"],
            told["completion_tokens"],
            told.get("reasoning_tokens"),
        ),
        "sources": [found["url"] for found in extra.get("search_results", [])],
        "request_id": told["request_id"],
        "requested_model": told.get("requested_model"),
    }


# --- Playing ----------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("protocol", "name"), parameters())
async def test_a_cassette_plays(protocol: str, name: str, way: Any) -> None:
    scenario, path = SCENARIOS[name], path_of(protocol, name)
    with player(path) as cassette:
        (request,), (response,) = cassette.requests, cassette.responses
        (request_id,) = response["headers"]["x-request-id"]
        if isinstance(scenario.expected, Answer):
            got = await way(protocol, scenario)
            check_answer(got, scenario, exact=source_of(path) == "the emulator")
            assert got["request_id"] == request_id
        else:
            with pytest.raises(APIError) as caught:
                await way(protocol, scenario)
            check_error(caught.value, scenario.expected, protocol)
            assert caught.value.request_id == request_id
        assert cassette.play_count == 1
    at = scenario.at
    assert (request.scheme, request.host, request.port) == ("https", at.host, 443)
    in_header = at.workspace if at.in_header else None
    assert request.headers.get("x-dashscope-workspace") == in_header


def check_answer(got: dict[str, Any], scenario: Scenario, *, exact: bool) -> None:
    """Compare to the letter, or, of the live service, all but its own words."""
    expected = scenario.expected
    assert isinstance(expected, Answer)
    assert got["finish_reason"] == expected.finish_reason
    assert len(set(got["ids"])) == len(expected.calls)
    assert all(got["ids"])
    if scenario.warns:
        assert got["requested_model"] == scenario.model
    if exact:
        assert got["text"] == expected.text
        assert got["reasoning"] == expected.reasoning
        assert got["calls"] == list(expected.calls)
        assert got["tokens"] == expected.tokens
        assert got["sources"] == list(expected.sources)
    else:
        assert bool(got["text"]) or not expected.text
        assert bool(got["reasoning"]) == bool(expected.reasoning)
        assert [name for name, _ in got["calls"]] == [it.name for it in expected.calls]
        assert min(got["tokens"][:2]) > 0
        assert bool(got["sources"]) == bool(expected.sources)


def check_error(error: APIError, expected: Refused, protocol: str) -> None:
    assert isinstance(error, expected.cls)
    assert error.status_code == expected.status
    assert error.code == expected.code[protocol]
    assert error.retry_after == expected.retry_after
    assert error.protocol == protocol


# --- What is sent is pinned -------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
@pytest.mark.parametrize(
    "change",
    [
        {"options": {"enable_thinking": False, "seed": 1}},
        {"at": SCENARIOS["image"].at},
        {"stream": True},
    ],
    ids=["body", "host", "stream"],
)
async def test_another_request_does_not_play(
    protocol: str, change: dict[str, Any], way: Any
) -> None:
    other = replace(SCENARIOS["plain"], **change)
    with player(path_of(protocol, "plain")) as cassette:
        with pytest.raises(CannotOverwriteExistingCassetteException):
            await way(protocol, other)
        assert cassette.play_count == 0


# --- Clients ----------------------------------------------------------------------


@pytest.mark.parametrize("way", [langchain, llamaindex])
@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
async def test_cassettes_play_on_fresh_and_on_kept_clients(
    monkeypatch: pytest.MonkeyPatch, protocol: str, way: Any
) -> None:
    made = record_clients(monkeypatch)
    for name in ("plain", "tool_call", "plain"):
        with player(path_of(protocol, name)) as cassette:
            await way(protocol, SCENARIOS[name])
            assert cassette.play_count == 1
    assert len(made) == 1


@pytest.mark.parametrize("way", [langchain_async, llamaindex_async])
@pytest.mark.parametrize("protocol", ["openai", "dashscope"])
async def test_cassettes_play_on_the_clients_of_a_loop(
    monkeypatch: pytest.MonkeyPatch, protocol: str, way: Any
) -> None:
    made = record_async_clients(monkeypatch)
    for name in ("plain", "tool_call", "plain"):
        with player(path_of(protocol, name)) as cassette:
            await way(protocol, SCENARIOS[name])
            assert cassette.play_count == 1
    assert len(made) == 1


# --- The files --------------------------------------------------------------------


def test_each_file_is_played_and_each_scenario_has_its_file() -> None:
    # LangChain's standard suite sees to its own.
    found = {path for path in PATHS if path.parts[-3] != "langchain_standard"}
    assert found == {path_of(protocol, name) for protocol, name in parameters()}


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_a_cassette_says_where_it_is_from(path: Path) -> None:
    marked = "x-modelstudio-emulator:" in path.read_text(encoding="utf-8")
    assert marked == (source_of(path) == "the emulator")


NEVER = {
    "a key": r"\bsk-",
    "a key in a header": r"(?i)bearer (?!REDACTED$)",
    "a cookie": r"(?i)\bcookie\b",
    "a session": r"(?i)session",
    "loopback": r"127\.0\.0\.1|localhost|\[?::1\]|0\.0\.0\.0",
    "an account": r"(?<![\w.-])\d{16}(?![\w.-])",
    "a workspace of somebody": r"\b(?:llm|ws)-(?!123\b)\w{3,}\b",
    "bytes that are not text": r"!!binary",
}


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_a_cassette_holds_no_secret(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = {what for what, it in NEVER.items() if re.search(it, text, re.MULTILINE)}
    assert not found


def test_what_is_secret_is_not_recorded(tmp_path: Path) -> None:
    def answer(request: Any) -> Any:
        headers = {
            "content-type": "application/json",
            "set-cookie": "acw_tc=1; path=/",
            "x-account": "1234567890123456",
            "x-request-id": "r-1",
            "date": "today",
        }
        said = {
            "of": 1234567890123456,
            "echo": [key, workspace, "llm-0a1b2c3d4e5f6a7b"],
        }
        return http.Response(200, headers=headers, json=said, request=request)

    http: Any = http_library()
    key, workspace = "sk-0123456789abcdef", "somebody"
    at, path = SCENARIOS["thinking"].at, tmp_path / "a.yaml"
    hidden = {key: "REDACTED", workspace: "ws-123"}
    headers = {
        "Authorization": f"Bearer {key}",
        "Cookie": "acw_tc=1",
        "X-DashScope-SDK-Session-ID": "0123456789abcdef",
        "User-Agent": "some-sdk/1.2.3",
    }
    with (
        http.Client(transport=http.MockTransport(answer)) as client,
        recorder("the live service, today", at, hidden).use_cassette(str(path)),
    ):
        host = at.host.replace("ws-123", workspace)
        client.post(f"https://{host}/api/v1", headers=headers, json={"of": workspace})
        client.post("https://traces.example.com/", json={"of": "another"})
    text = path.read_text(encoding="utf-8")
    assert source_of(path) == "the live service"
    assert "https://ws-123.ap-southeast-1.maas.aliyuncs.com/api/v1" in text
    assert text.count("Bearer REDACTED") == 1
    assert "some-sdk/VERSION" in text
    assert "r-1" in text
    assert '{"of":0,"echo":["REDACTED","ws-123","ws-123"]}' in text
    for word in ("somebody", "acw_tc", "today\n  ", "traces", "another", "1.2.3"):
        assert word not in text
    test_a_cassette_holds_no_secret(path)


def test_what_is_made_up_for_a_request_is_known_by_its_order() -> None:
    one, two, three = (str(uuid4()) for _ in range(3))
    sent = [_number_ids(f"{a} {b} {a}".encode()) for a, b in ((one, two), (three, one))]
    assert sent == [b"uuid-1 uuid-2 uuid-1"] * 2
    assert _number_ids(f"{one} {one} {two}".encode()) not in sent


def test_there_is_no_network_not_even_loopback() -> None:
    with (
        pytest.warns(UserWarning, match="socket"),
        pytest.raises(SocketBlockedError),
    ):
        socket.create_connection(("127.0.0.1", 9))
