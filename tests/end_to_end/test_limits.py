"""``limiter=`` of every class: each HTTP request waits for it, and nothing else."""

import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.load import dumps
from langchain_core.rate_limiters import InMemoryRateLimiter
from llama_index.core.rate_limiter import TokenBucketRateLimiter

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator, Fault, Reply
from modelstudio_core.errors import (
    APIConnectionError,
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
)
from modelstudio_core.limits import RateLimit
from tests.end_to_end.test_policy import SERVICES, Service
from tests.support.calls import CALL_STYLES, CallStyle, call, iterate
from tests.support.internals import no_backoff
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Protocol, model

EACH_SERVICE: Final = pytest.mark.parametrize("name", SERVICES)
EACH_FRAMEWORK: Final = pytest.mark.parametrize("framework", FRAMEWORKS)
# The run of "make test-limits".
SECONDS: Final = float(os.environ.get("MODELSTUDIO_LIMIT_SECONDS", "2"))


@pytest.fixture
def limit() -> RateLimit:
    return RateLimit(requests_per_minute=10_000, tokens_per_minute=10_000_000)


def build(service: Service, studio: Emulator, limit: RateLimit) -> Any:
    return service.build(
        base_url=studio.base_url, api_key=studio.api_key, limiter=limit
    )


class Counter:
    """Counts what a limit is asked for."""

    def __init__(self, limit: RateLimit, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tokens: list[int] = []
        state, book = limit._state, limit._state.book

        def counting(charge: Any, longest: float | None) -> float:
            self.tokens.append(charge.tokens)
            return book(charge, longest)

        monkeypatch.setattr(state, "book", counting)


@EACH_SERVICE
async def test_each_request_of_each_class_is_counted_and_settled(
    modelstudio_emulator: Emulator,
    limit: RateLimit,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    counter = Counter(limit, monkeypatch)
    service = SERVICES[name]
    instance = build(service, modelstudio_emulator, limit)
    for one in service.calls.values():
        await one(instance)
    # Polls and files of results are not counted.
    posts = [r for r in modelstudio_emulator.requests if r.method == "POST"]
    assert len(counter.tokens) == len(posts) > 0
    assert all(counter.tokens)
    if "images" not in name:
        # What was taken for the last request was settled. Images have no tokens.
        assert limit._state._owed.tokens != 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
async def test_a_chat_settles_what_it_used(
    modelstudio_emulator: Emulator,
    limit: RateLimit,
    style: CallStyle,
    protocol: Protocol,
) -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 2, "total_tokens": 32}
    usage |= {"input_tokens": 30, "output_tokens": 2}
    modelstudio_emulator.script(Reply(text="Hello.", usage=usage))
    llm = model(style.framework, modelstudio_emulator, protocol, limiter=limit)
    await call(llm, style, "Hi", max_tokens=100)
    body = modelstudio_emulator.requests[0].body
    owed = limit._state._owed.tokens
    assert owed == 32 - RateLimit(tokens_per_minute=10**9).acquire("/x", body, 0).tokens


def test_retries_are_counted_and_answers_of_the_cache_are_not(
    modelstudio_emulator: Emulator, limit: RateLimit, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_backoff(monkeypatch)
    counter = Counter(limit, monkeypatch)
    llm = model(
        "LangChain",
        modelstudio_emulator,
        max_retries=2,
        limiter=limit,
        cache=InMemoryCache(),
    )
    modelstudio_emulator.script(Fault(status=500), Fault(status=429), Reply(text="a"))
    for _ in range(3):
        llm.invoke("Hi")
    assert len(counter.tokens) == len(modelstudio_emulator.requests) == 3


@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
async def test_total_timeout_bounds_the_wait(
    modelstudio_emulator: Emulator, style: CallStyle
) -> None:
    limit = RateLimit(requests_per_minute=1)
    llm = model(style.framework, modelstudio_emulator, limiter=limit)
    await call(llm, style, "Hi")
    begin = time.monotonic()
    with pytest.raises(APITimeoutError, match="The rate limit 'default' allows") as e:
        async for _ in iterate(llm, style, "Hi", total_timeout=5):
            pass
    assert time.monotonic() - begin < 2.0
    assert not e.value.is_retryable
    assert not e.value.was_sent
    assert len(modelstudio_emulator.requests) == 1


@EACH_FRAMEWORK
def test_a_refused_request_gives_its_tokens_back(
    modelstudio_emulator: Emulator, limit: RateLimit, framework: Framework
) -> None:
    llm = model(framework, modelstudio_emulator, limiter=limit)
    modelstudio_emulator.script(Fault(status=400, code="bad"))
    with pytest.raises(BadRequestError):
        llm.invoke("x" * 3000) if isinstance(llm, ChatModelStudio) else llm.complete(
            "x" * 3000
        )
    owed = limit._state._owed
    assert owed.requests == 0
    assert owed.tokens < -1000


def test_a_store_that_cannot_be_used_stops_the_request(
    modelstudio_emulator: Emulator, tmp_path: Path
) -> None:
    limit = RateLimit(requests_per_minute=9, store=f"sqlite:///{tmp_path}/no/a.db")
    llm = model("LangChain", modelstudio_emulator, limiter=limit)
    with pytest.raises(APIConnectionError, match="store of the rate limit 'default'"):
        llm.invoke("Hi")
    assert modelstudio_emulator.requests == []


# --- The argument -------------------------------------------------------------------


@EACH_SERVICE
def test_a_limiter_of_a_framework_is_refused_as_limiter(name: str) -> None:
    limiters = (InMemoryRateLimiter(), TokenBucketRateLimiter(requests_per_minute=1))
    for limiter in limiters:
        with pytest.raises(ConfigurationError, match="passed as rate_limiter="):
            SERVICES[name].build(limiter=limiter)


@EACH_FRAMEWORK
def test_a_rate_limit_is_refused_as_rate_limiter(
    framework: Framework, limit: RateLimit
) -> None:
    with pytest.raises(ConfigurationError, match="pass the RateLimit as limiter="):
        model(framework, "http://127.0.0.1:1", rate_limiter=limit)
    llm: Any = model(framework, "http://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="pass the RateLimit as limiter="):
        llm.rate_limiter = limit
    with pytest.raises(ConfigurationError, match="pass the RateLimit as limiter="):
        llm.model_copy(update={"rate_limiter": limit})
    assert llm.rate_limiter is None


@EACH_SERVICE
def test_copies_share_a_limit_and_it_can_be_replaced(
    name: str, limit: RateLimit
) -> None:
    instance: Any = SERVICES[name].build(limiter=limit)
    for copied in (instance.model_copy(), instance.model_copy(deep=True)):
        assert copied.limiter is limit
        assert copied.resolved.connection.limiter is limit
    other = RateLimit(requests_per_minute=1)
    instance.limiter = other
    assert instance.resolved.connection.limiter is other
    instance.limiter = None
    assert instance.resolved.connection.limiter is None


@EACH_SERVICE
def test_a_pickle_needs_a_store_and_hides_its_password(name: str) -> None:
    service = SERVICES[name]
    with pytest.raises(ConfigurationError, match="cannot be pickled"):
        pickle.dumps(service.build(limiter=RateLimit(requests_per_minute=1)))
    store = "redis://:geheim-123@redis.example/0"
    instance: Any = service.build(limiter=RateLimit(requests_per_minute=1, store=store))
    loaded: Any = pickle.loads(pickle.dumps(instance))  # noqa: S301 - our own
    assert repr(loaded.limiter) == repr(instance.limiter)
    assert "geheim" not in f"{instance!r} {instance} {loaded!r}"
    if isinstance(instance, ChatModelStudio):
        assert "geheim" not in dumps(instance)
    elif hasattr(instance, "to_dict"):
        assert "geheim" not in str(instance.to_dict())


@EACH_FRAMEWORK
async def test_a_call_cannot_replace_the_limit(
    framework: Framework, limit: RateLimit
) -> None:
    style = next(style for style in CALL_STYLES if style.framework == framework)
    llm = model(framework, "http://127.0.0.1:1")
    with pytest.raises(ConfigurationError, match="argument of the constructor"):
        await call(llm, style, "Hi", limiter=limit)


# --- Two processes ------------------------------------------------------------------


class _Watch(threading.Thread):
    """Notes when the requests of limited calls arrive."""

    def __init__(self, studio: Emulator) -> None:
        super().__init__(daemon=True)
        self.arrivals: list[float] = []
        self._studio = studio
        self._stopped = threading.Event()

    def run(self) -> None:
        seen = 0
        while not self._stopped.wait(0.002):
            requests = self._studio.requests[seen:]
            seen += len(requests)
            self.arrivals += [time.monotonic()] * sum(map(_is_limited, requests))

    def stop(self) -> list[float]:
        self._stopped.set()
        self.join()
        return self.arrivals


def _is_limited(request: Any) -> bool:
    return bool(request.body["messages"][-1]["content"] == "limited")


# Exactly 100 tokens an answer, so that both limits bind: the estimate of the first is
# at least as large.
USAGE: Final[Mapping[str, object]] = {
    "prompt_tokens": 20,
    "completion_tokens": 80,
    "total_tokens": 100,
}


def test_two_processes_share_a_limit(tmp_path: Path) -> None:
    """At most the bucket and what fills it, of requests and of tokens."""
    # The short run has a small bucket, so that it is used up at once.
    requests, tokens = (600, 60_000) if SECONDS >= 20 else (300, 30_000)
    with Emulator(max_requests=10_000) as studio:
        studio.script(*[Reply(text="Hello.", usage=USAGE)] * 5_000)
        command = [sys.executable, "-m", "tests.support.limited_worker"]
        command += [studio.base_url, studio.api_key, f"sqlite:///{tmp_path}/limits.db"]
        command += [str(requests), str(tokens), str(SECONDS)]
        workers = [
            subprocess.Popen(  # noqa: S603 - this Python
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        watch = _Watch(studio)
        try:
            for worker in workers:
                assert worker.stdout is not None
                assert worker.stdout.readline() == "ready\n"
            watch.start()
            for worker in workers:
                assert worker.stdin is not None
                worker.stdin.write("\n")
                worker.stdin.flush()
            for worker in workers:
                assert worker.wait(SECONDS + 60) == 0
        finally:
            for worker in workers:
                worker.kill()
                worker.communicate()
        arrivals = watch.stop()
    begin = arrivals[0]
    received = sum(at - begin <= SECONDS for at in arrivals)
    most = requests // 10 + int(requests * SECONDS / 60)
    print(f"{received} requests in {SECONDS:g} s, at most {most}")  # noqa: T201
    assert received <= most
    assert received * 100 <= tokens // 10 + tokens * SECONDS / 60
    # It does not keep requests back either.
    assert received >= 0.9 * most
