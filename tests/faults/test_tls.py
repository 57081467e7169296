"""The same over TLS, and whom a client trusts."""

from typing import Any

import pytest

from modelstudio_core import errors
from tests.faults.conftest import Authority
from tests.faults.server import FaultServer
from tests.faults.table import TABLE
from tests.faults.test_table import SILENCE, check
from tests.faults.ways import WAYS, Way, ask, model
from tests.faults.wire import Ask, Protocol, prompt
from tests.support.internals import http_library

PROTOCOLS = pytest.mark.parametrize("protocol", ["openai", "dashscope"])
# Where the bytes come from makes a difference.
ROWS = [
    row
    for row in TABLE
    if row.play
    in {
        "closed",
        "reset",
        "silence",
        "cut",
        "cut by reset",
        "short body",
        "silence in the midst",
        "left open",
        "busy",
    }
]


@PROTOCOLS
@pytest.mark.parametrize("way", WAYS[:4], ids=str)
@pytest.mark.usefixtures("at_once", "trusted")
async def test_outcomes(tls_server: FaultServer, way: Way, protocol: Protocol) -> None:
    for row in ROWS:
        timeout = SILENCE if "silence" in row.play or row.play == "left open" else 10
        llm = model(way.framework, tls_server.base_url, protocol, timeout=timeout)
        answer = await ask(llm, way, prompt(row.play, row.play))
        outcome = row.outcome(stream=way.stream)
        check(answer, outcome, way, row.play)
        sent = tls_server.seen.attempts[row.play]
        assert sent == (2 if outcome.tries == "all" else 1)


@PROTOCOLS
@pytest.mark.parametrize("way", WAYS[:4], ids=str)
async def test_a_client_of_ones_own_knows_whom_to_trust(
    tls_server: FaultServer, authority: Authority, way: Way, protocol: Protocol
) -> None:
    http: Any = http_library()
    own = {
        "http_client": http.Client(verify=authority.client, trust_env=False),
        "http_async_client": http.AsyncClient(verify=authority.client, trust_env=False),
    }
    llm = model(way.framework, tls_server.base_url, protocol, **own)
    try:
        answer = await ask(llm, way, prompt("x"))
        assert answer.text == Ask(protocol, stream=way.stream, id="x").text
    finally:
        own["http_client"].close()
        await own["http_async_client"].aclose()


@PROTOCOLS
@pytest.mark.parametrize("way", WAYS[:4], ids=str)
@pytest.mark.usefixtures("at_once")
async def test_an_authority_that_nobody_knows_is_an_error_and_not_asked_twice(
    tls_server: FaultServer, way: Way, protocol: Protocol
) -> None:
    llm = model(way.framework, tls_server.base_url, protocol)
    answer = await ask(llm, way, prompt("x"))
    assert isinstance(answer.error, errors.APIConnectionError)
    assert not answer.error.is_retryable
    assert "SSL_CERT_FILE" in answer.error.message
    assert tls_server.seen.asks == []


@PROTOCOLS
@pytest.mark.usefixtures("trusted")
async def test_a_server_without_tls_is_no_server(
    server: FaultServer, protocol: Protocol
) -> None:
    address = server.base_url.replace("http:", "https:")
    llm = model("LangChain", address, protocol, max_retries=0, timeout=(0.2, 5))
    answer = await ask(llm, WAYS[0], prompt("x"))
    assert isinstance(answer.error, errors.APIConnectionError)
    assert server.seen.asks == []
