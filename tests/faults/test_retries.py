"""One layer of retries: how often, and how long it waits."""

import asyncio

import pytest

from modelstudio_core import errors
from tests.faults.server import FaultServer
from tests.faults.ways import WAYS, Way, ask, model
from tests.faults.wire import Ask, Protocol, prompt
from tests.support.internals import record_waits, retry_after, use_retry_after

PROTOCOLS = pytest.mark.parametrize("protocol", ["openai", "dashscope"])
NOON = "Sun, 22 Nov 2026 12:00:00 GMT"


@PROTOCOLS
@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.usefixtures("at_once")
async def test_what_passes_is_not_seen(
    server: FaultServer, way: Way, protocol: Protocol
) -> None:
    llm = model(way.framework, server.base_url, protocol, max_retries=6)
    plays = ("busy", "closed", "rate", "half a head", "busy inside 200", "empty", "ok")
    answer = await ask(llm, way, prompt("x", *plays))
    assert answer.error is None
    assert answer.text == Ask(protocol, stream=way.stream, id="x").text
    assert server.seen.attempts["x"] == 7


@PROTOCOLS
@pytest.mark.parametrize("retries", [0, 1, 4])
@pytest.mark.usefixtures("at_once")
async def test_requests_are_as_many_as_promised(
    server: FaultServer, retries: int, protocol: Protocol
) -> None:
    llm = model("LangChain", server.base_url, protocol, max_retries=retries)
    answer = await ask(llm, WAYS[0], prompt("x", "closed", "busy"))
    assert answer.error is not None
    assert server.seen.attempts["x"] == retries + 1


@PROTOCOLS
@pytest.mark.usefixtures("at_once")
async def test_an_answer_that_streams_underneath_is_tried_again_whole(
    server: FaultServer, protocol: Protocol
) -> None:
    llm = model("LlamaIndex", server.base_url, protocol, model="qwq-plus")
    for way in WAYS[4:6]:
        own = str(way)
        answer = await ask(llm, way, prompt(own, "cut", "ok"))
        assert answer.text == Ask(protocol, stream=True, id=own).text
        assert [it.stream for it in server.seen.asks if it.id == own] == [True, True]


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
def test_how_long_the_service_asks_to_wait(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect the waits between retries, without waiting."""
    return record_waits(monkeypatch)


@pytest.mark.parametrize("way", WAYS[:2], ids=str)
async def test_back_off_grows_to_a_limit_and_no_two_are_alike(
    server: FaultServer, way: Way, waits: list[float]
) -> None:
    llm = model("LangChain", server.base_url, "openai", max_retries=7)
    await ask(llm, way, prompt("x", "closed"))
    floors = [0.5, 1, 2, 4, 8, 8, 8]
    # After the last try tenacity asks once more, and does not wait.
    waits.pop()
    for waited, floor in zip(waits, floors, strict=True):
        assert floor <= waited <= floor + 0.5
    jitter = [waited - floor for waited, floor in zip(waits, floors, strict=True)]
    assert len(set(jitter)) == 7


@pytest.mark.parametrize("way", WAYS[:2], ids=str)
async def test_the_services_wait_is_kept_and_spread(
    server: FaultServer,
    way: Way,
    waits: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_retry_after(monkeypatch, 60.0)
    llm = model("LangChain", server.base_url, "openai", max_retries=5)
    await ask(llm, way, prompt("x", "busy"))
    assert all(60 <= waited <= 75 for waited in waits)
    assert len(set(waits)) == 6


@PROTOCOLS
async def test_a_longer_wait_than_the_limit_is_the_callers_to_decide(
    server: FaultServer, protocol: Protocol
) -> None:
    llm = model("LangChain", server.base_url, protocol)
    answer = await ask(llm, WAYS[1], prompt("x", "an hour"))
    assert isinstance(answer.error, errors.RateLimitError)
    assert answer.error.retry_after == 3600
    assert answer.error.is_retryable
    assert server.seen.attempts["x"] == 1


@pytest.mark.usefixtures("at_once")
async def test_concurrent_calls_are_counted_apart(server: FaultServer) -> None:
    llm = model("LangChain", server.base_url, "openai")
    plays = [("busy", "ok"), ("ok",), ("busy", "busy"), ("closed", "ok")] * 5
    names = [f"{number}" for number in range(len(plays))]
    answers = await asyncio.gather(
        *(
            ask(llm, WAYS[3], prompt(own, *played))
            for own, played in zip(names, plays, strict=True)
        )
    )
    for own, played, answer in zip(names, plays, answers, strict=True):
        assert server.seen.attempts[own] == len(played)
        assert (answer.error is None) is (played[-1] == "ok")
