"""The same outcomes over TLS, and which certificates a client trusts."""

from typing import Any

import pytest

from modelstudio_core import errors
from tests.faults.table import TABLE
from tests.faults.test_table import check_row
from tests.support.authority import Authority
from tests.support.calls import CALL_STYLES, CallStyle, collect_text
from tests.support.fault_server import FaultRequest, FaultServer, prompt
from tests.support.internals import http_library
from tests.support.models import PROTOCOLS, Protocol, model

PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
LANGCHAIN_STYLE = pytest.mark.parametrize("style", CALL_STYLES[:4], ids=str)
# The faults where TLS makes a difference.
ROWS = [
    row
    for row in TABLE
    if row.fault
    in {
        "closed",
        "reset",
        "silent",
        "closed midway",
        "reset midway",
        "short body",
        "silent midway",
        "never ends",
        "busy",
    }
]


@PROTOCOL
@LANGCHAIN_STYLE
@pytest.mark.usefixtures("no_backoff", "trust_authority")
async def test_outcomes_are_the_same_over_tls(
    tls_server: FaultServer, style: CallStyle, protocol: Protocol
) -> None:
    assert len(ROWS) == 9
    for row in ROWS:
        await check_row(tls_server, row, style, protocol, row.fault)


@PROTOCOL
@LANGCHAIN_STYLE
async def test_a_custom_http_client_decides_whom_to_trust(
    tls_server: FaultServer, authority: Authority, style: CallStyle, protocol: Protocol
) -> None:
    http: Any = http_library()
    custom = {
        "http_client": http.Client(verify=authority.client, trust_env=False),
        "http_async_client": http.AsyncClient(verify=authority.client, trust_env=False),
    }
    llm = model(style.framework, tls_server.base_url, protocol, **custom)
    try:
        result = await collect_text(llm, style, prompt("x"))
        assert result.text == FaultRequest(protocol, stream=style.stream, id="x").text
    finally:
        custom["http_client"].close()
        await custom["http_async_client"].aclose()


@PROTOCOL
@LANGCHAIN_STYLE
@pytest.mark.usefixtures("no_backoff")
async def test_an_untrusted_certificate_is_an_error_and_not_retried(
    tls_server: FaultServer, style: CallStyle, protocol: Protocol
) -> None:
    llm = model(style.framework, tls_server.base_url, protocol, max_retries=1)
    result = await collect_text(llm, style, prompt("x"))
    assert isinstance(result.error, errors.APIConnectionError)
    assert not result.error.is_retryable
    assert "SSL_CERT_FILE" in result.error.message
    assert tls_server.log.requests == []


@PROTOCOL
@pytest.mark.usefixtures("trust_authority")
async def test_https_to_a_plain_http_server_is_a_connection_error(
    server: FaultServer, protocol: Protocol
) -> None:
    address = server.base_url.replace("http:", "https:")
    llm = model("LangChain", address, protocol, timeout=(0.2, 5))
    result = await collect_text(llm, CALL_STYLES[0], prompt("x"))
    assert isinstance(result.error, errors.APIConnectionError)
    assert server.log.requests == []
