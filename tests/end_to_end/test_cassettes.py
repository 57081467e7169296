"""Each cassette is played through both frameworks, without any network."""

import re
import socket
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pytest_socket import SocketBlockedError
from vcr.errors import (  # type: ignore[import-untyped]
    CannotOverwriteExistingCassetteException,
)

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.errors import APIConnectionError, APIError
from tests.support.calls import CallStyle, call
from tests.support.cassettes import (
    FOLDER,
    KEY,
    SCENARIOS,
    ExpectedAnswer,
    ExpectedError,
    Scenario,
    parameters,
    path_of,
    player,
    recorder,
    source_of,
    to_langchain,
    to_llamaindex,
)
from tests.support.cassettes.scrubbing import number_uuids
from tests.support.internals import (
    http_library,
    record_async_clients,
    record_clients,
)
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Model, Protocol
from tests.support.responses import Summary, summarize

pytestmark = pytest.mark.disable_socket

PATHS = sorted(FOLDER.glob("**/*.yaml"))
IDS = [str(path.relative_to(FOLDER)) for path in PATHS]
PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
FRAMEWORK = pytest.mark.parametrize("framework", FRAMEWORKS)
ASYNCHRONOUS = pytest.mark.parametrize("asynchronous", [False, True])


async def respond(
    framework: Framework, protocol: Protocol, scenario: Scenario, *, asynchronous: bool
) -> Summary:
    """Send the request of a scenario, streamed if the scenario is."""
    arguments: dict[str, Any] = {
        **scenario.place.arguments,
        "model": scenario.model,
        "protocol": protocol,
        "api_key": KEY,
        "max_retries": 0,
    }
    style = CallStyle(framework, stream=scenario.stream, asynchronous=asynchronous)
    llm: Model
    messages: list[Any]
    with expected_warning(scenario):
        if framework == "LangChain":
            llm = ChatModelStudio(**arguments)
            messages = [*to_langchain(scenario.prompt)]
        else:
            llm = ModelStudio(**arguments)
            messages = [*to_llamaindex(scenario.prompt)]
    return summarize(await call(llm, style, messages, **scenario.options))


def expected_warning(scenario: Scenario) -> AbstractContextManager[Any]:
    return pytest.warns(scenario.warning) if scenario.warning else nullcontext()


# --- Playback -------------------------------------------------------------------------


@ASYNCHRONOUS
@FRAMEWORK
@pytest.mark.parametrize(("protocol", "name"), parameters())
async def test_a_cassette_plays(
    protocol: Protocol, name: str, framework: Framework, asynchronous: bool
) -> None:
    scenario, path = SCENARIOS[name], path_of(protocol, name)
    with player(path) as cassette:
        (request,), (response,) = cassette.requests, cassette.responses
        (request_id,) = response["headers"]["x-request-id"]
        called = respond(framework, protocol, scenario, asynchronous=asynchronous)
        if isinstance(scenario.expected, ExpectedAnswer):
            answer = await called
            check_answer(answer, scenario, exact=source_of(path) == "the emulator")
            assert answer.request_id == request_id
        else:
            with pytest.raises(APIError) as caught:
                await called
            check_error(caught.value, scenario.expected, protocol)
            assert caught.value.request_id == request_id
        assert cassette.play_count == 1
    place = scenario.place
    assert (request.scheme, request.host, request.port) == ("https", place.host, 443)
    in_header = place.workspace if place.in_header else None
    assert request.headers.get("x-dashscope-workspace") == in_header


def check_answer(answer: Summary, scenario: Scenario, *, exact: bool) -> None:
    """Compare everything, or, for the live service, everything but its texts."""
    expected = scenario.expected
    assert isinstance(expected, ExpectedAnswer)
    assert answer.finish_reason == expected.finish_reason
    ids = [call_id for call_id, _, _ in answer.calls]
    assert len(set(ids)) == len(expected.calls)
    assert all(ids)
    if scenario.warning:
        assert answer.requested_model == scenario.model
    calls = [(name, arguments) for _, name, arguments in answer.calls]
    tokens = (answer.input_tokens, answer.output_tokens, answer.reasoning_tokens)
    sources = [source["url"] for source in answer.sources]
    if exact:
        assert answer.text == expected.text
        assert answer.reasoning == expected.reasoning
        assert calls == list(expected.calls)
        assert tokens == expected.tokens
        assert sources == list(expected.sources)
    else:
        assert bool(answer.text) or not expected.text
        assert bool(answer.reasoning) == bool(expected.reasoning)
        assert [name for name, _ in calls] == [name for name, _ in expected.calls]
        assert min(tokens[0] or 0, tokens[1] or 0) > 0
        assert bool(sources) == bool(expected.sources)


def check_error(error: APIError, expected: ExpectedError, protocol: Protocol) -> None:
    assert isinstance(error, expected.cls)
    assert error.status_code == expected.status
    assert error.code == expected.code[protocol]
    assert error.retry_after == expected.retry_after
    assert error.protocol == protocol


# Version 2 of the openai SDK reports vcrpy's exception as a broken connection.
NOT_PLAYED = (CannotOverwriteExistingCassetteException, APIConnectionError)


@ASYNCHRONOUS
@FRAMEWORK
@PROTOCOL
@pytest.mark.parametrize(
    "change",
    [
        {"options": {"enable_thinking": False, "seed": 1}},
        {"place": SCENARIOS["image"].place},
        {"stream": True},
    ],
    ids=["body", "host", "stream"],
)
async def test_a_changed_request_does_not_play(
    protocol: Protocol, change: dict[str, Any], framework: Framework, asynchronous: bool
) -> None:
    changed = replace(SCENARIOS["plain"], **change)
    with player(path_of(protocol, "plain")) as cassette:
        with pytest.raises(NOT_PLAYED, match="overwrite existing cassette"):
            await respond(framework, protocol, changed, asynchronous=asynchronous)
        assert cassette.play_count == 0


@ASYNCHRONOUS
@FRAMEWORK
@PROTOCOL
async def test_cassettes_play_on_new_and_on_cached_clients(
    monkeypatch: pytest.MonkeyPatch,
    protocol: Protocol,
    framework: Framework,
    asynchronous: bool,
) -> None:
    record = record_async_clients if asynchronous else record_clients
    connections = record(monkeypatch)
    for name in ("plain", "tool_call", "plain"):
        with player(path_of(protocol, name)) as cassette:
            scenario = SCENARIOS[name]
            await respond(framework, protocol, scenario, asynchronous=asynchronous)
            assert cassette.play_count == 1
    assert len(connections) == 1


# --- The files --------------------------------------------------------------------


def test_there_is_one_file_per_scenario_and_protocol() -> None:
    # LangChain's standard tests check their own cassettes.
    paths = {path for path in PATHS if path.parts[-3] != "langchain_standard"}
    assert paths == {path_of(protocol, name) for protocol, name in parameters()}


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_a_cassette_names_its_source(path: Path) -> None:
    marked = "x-modelstudio-emulator:" in path.read_text(encoding="utf-8")
    assert marked == (source_of(path) == "the emulator")


FORBIDDEN = {
    "a key": r"\bsk-",
    "a key in a header": r"(?i)bearer (?!REDACTED$)",
    "a cookie": r"(?i)\bcookie\b",
    "a session": r"(?i)session",
    "loopback": r"127\.0\.0\.1|localhost|\[?::1\]|0\.0\.0\.0",
    "an account": r"(?<![\w.-])\d{16}(?![\w.-])",
    "a real workspace": r"\b(?:llm|ws)-(?!123\b)\w{3,}\b",
    "binary data": r"!!binary",
}


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_a_cassette_holds_no_secret(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    secrets = {
        k for k, pattern in FORBIDDEN.items() if re.search(pattern, text, re.MULTILINE)
    }
    assert not secrets


def test_secrets_are_not_recorded(tmp_path: Path) -> None:
    def answer(request: Any) -> Any:
        headers = {
            "content-type": "application/json",
            "set-cookie": "acw_tc=1; path=/",
            "x-account": "1234567890123456",
            "x-request-id": "r-1",
            "date": "today",
        }
        body = {
            "of": 1234567890123456,
            "echo": [key, workspace, "llm-0a1b2c3d4e5f6a7b"],
        }
        return http.Response(200, headers=headers, json=body, request=request)

    http: Any = http_library()
    key, workspace = "sk-0123456789abcdef", "somebody"
    place, path = SCENARIOS["thinking"].place, tmp_path / "a.yaml"
    hidden = {key: "REDACTED", workspace: "ws-123"}
    headers = {
        "Authorization": f"Bearer {key}",
        "Cookie": "acw_tc=1",
        "X-DashScope-SDK-Session-ID": "0123456789abcdef",
        "User-Agent": "some-sdk/1.2.3",
    }
    with (
        http.Client(transport=http.MockTransport(answer)) as client,
        recorder("the live service, today", place, hidden).use_cassette(str(path)),
    ):
        host = place.host.replace("ws-123", workspace)
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


def test_uuids_are_replaced_by_their_order() -> None:
    one, two, three = (str(uuid4()) for _ in range(3))
    sent = [
        number_uuids(f"{a} {b} {a}".encode()) for a, b in ((one, two), (three, one))
    ]
    assert sent == [b"uuid-1 uuid-2 uuid-1"] * 2
    assert number_uuids(f"{one} {one} {two}".encode()) not in sent


def test_even_loopback_is_blocked() -> None:
    with (
        pytest.warns(UserWarning, match="socket"),
        pytest.raises(SocketBlockedError),
    ):
        socket.create_connection(("127.0.0.1", 9))
