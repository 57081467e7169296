"""How often a request is retried, and how long each retry waits."""

import asyncio

import pytest

from modelstudio_core import errors
from tests.support.calls import CALL_STYLES, CallStyle, collect_text
from tests.support.fault_server import FaultRequest, FaultServer, prompt
from tests.support.internals import record_waits, retry_after, use_retry_after
from tests.support.models import PROTOCOLS, Protocol, model

PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
# A LangChain call without streaming, synchronous and asynchronous.
PLAIN_STYLE = pytest.mark.parametrize("style", CALL_STYLES[:2], ids=str)
NOON = "Sun, 22 Nov 2026 12:00:00 GMT"


@PROTOCOL
@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
@pytest.mark.usefixtures("no_backoff")
async def test_temporary_faults_are_retried_until_the_answer(
    server: FaultServer, style: CallStyle, protocol: Protocol
) -> None:
    llm = model(style.framework, server.base_url, protocol, max_retries=6)
    faults = (
        *("busy", "closed", "rate limit", "closed in headers"),
        *("busy inside 200", "empty", "ok"),
    )
    result = await collect_text(llm, style, prompt("x", *faults))
    assert result.error is None
    assert result.text == FaultRequest(protocol, stream=style.stream, id="x").text
    assert server.log.attempts["x"] == 7


@PROTOCOL
@pytest.mark.parametrize("retries", [0, 1, 4])
@pytest.mark.usefixtures("no_backoff")
async def test_a_request_is_sent_max_retries_plus_one_times(
    server: FaultServer, retries: int, protocol: Protocol
) -> None:
    llm = model("LangChain", server.base_url, protocol, max_retries=retries)
    result = await collect_text(llm, CALL_STYLES[0], prompt("x", "closed", "busy"))
    assert result.error is not None
    assert server.log.attempts["x"] == retries + 1


@PROTOCOL
@pytest.mark.usefixtures("no_backoff")
async def test_a_call_that_streams_internally_is_retried_from_the_start(
    server: FaultServer, protocol: Protocol
) -> None:
    llm = model(
        "LlamaIndex", server.base_url, protocol, model="qwq-plus", max_retries=1
    )
    for style in CALL_STYLES[4:6]:
        request_id = str(style)
        faults = prompt(request_id, "closed midway", "ok")
        result = await collect_text(llm, style, faults)
        assert result.text == FaultRequest(protocol, stream=True, id=request_id).text
        requests = [
            request for request in server.log.requests if request.id == request_id
        ]
        assert [request.stream for request in requests] == [True, True]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
        ({"retry-after": "-7"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:09 GMT", "date": NOON}, 9.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT", "date": NOON}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 13:00:09 +0100", "date": NOON}, 9.0),
        ({"retry-after": "Sun, 22 Nov 1998 11:00:00 GMT"}, 0.0),
        ({"retry-after": "Sun, 99 Nov 2026 12:00:09 GMT"}, None),
    ],
)
def test_retry_after_headers_are_read_in_seconds(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect the waits between retries, without waiting."""
    return record_waits(monkeypatch)


@PLAIN_STYLE
async def test_the_wait_doubles_up_to_a_limit_with_jitter(
    server: FaultServer, style: CallStyle, waits: list[float]
) -> None:
    llm = model("LangChain", server.base_url, "openai", max_retries=7)
    await collect_text(llm, style, prompt("x", "closed"))
    least = [0.5, 1, 2, 4, 8, 8, 8]
    # tenacity asks once more after the last attempt, and does not wait.
    waits.pop()
    jitter = [wait - start for wait, start in zip(waits, least, strict=True)]
    assert all(0 <= seconds <= 0.5 for seconds in jitter)
    assert len(set(jitter)) == 7


@PLAIN_STYLE
async def test_the_wait_that_the_service_asks_for_is_kept_with_jitter(
    server: FaultServer,
    style: CallStyle,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_retry_after(monkeypatch, 60.0)
    llm = model("LangChain", server.base_url, "openai", max_retries=5)
    await collect_text(llm, style, prompt("x", "busy"))
    assert all(60 <= wait <= 75 for wait in waits)
    assert len(set(waits)) == 6


@PROTOCOL
async def test_a_longer_wait_than_the_limit_is_an_error_with_retry_after(
    server: FaultServer, protocol: Protocol
) -> None:
    llm = model("LangChain", server.base_url, protocol, max_retries=1)
    result = await collect_text(llm, CALL_STYLES[1], prompt("x", "retry after an hour"))
    assert isinstance(result.error, errors.RateLimitError)
    assert result.error.retry_after == 3600
    assert result.error.is_retryable
    assert server.log.attempts["x"] == 1


@pytest.mark.usefixtures("no_backoff")
async def test_concurrent_calls_count_their_retries_separately(
    server: FaultServer,
) -> None:
    llm = model("LangChain", server.base_url, "openai", max_retries=1)
    faults = [("busy", "ok"), ("ok",), ("busy", "busy"), ("closed", "ok")] * 5
    calls = dict(enumerate(faults))
    results = await asyncio.gather(
        *(
            collect_text(llm, CALL_STYLES[3], prompt(str(number), *names))
            for number, names in calls.items()
        )
    )
    for (number, names), result in zip(calls.items(), results, strict=True):
        assert server.log.attempts[str(number)] == len(names)
        assert (result.error is None) is (names[-1] == "ok")
