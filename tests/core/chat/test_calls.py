"""Chat calls: a prepared request is sent, and its answer comes as events."""

import json
import warnings
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Final, Self

import pytest

from modelstudio_core.chat.arguments import resolve_chat
from modelstudio_core.chat.calls import (
    ChatCall,
    agenerate,
    astream,
    generate,
    prepare_call,
    stream,
)
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import Event, Finish, ReasoningDelta, TextDelta
from modelstudio_core.chat.forced_calls import has_call
from modelstudio_core.chat.resolved import ResolvedChat
from modelstudio_core.endpoints import PROTOCOLS, Protocol
from modelstudio_core.errors import (
    APIError,
    AuthenticationError,
    ContentFilterError,
    IncompleteStreamError,
    ModelDeprecationWarning,
    ToolChoiceError,
)
from tests.core.support import (
    DONE,
    HI,
    KEY,
    call_chunk,
    call_delta,
    chunk,
    error_message,
    make_parser,
    sse,
    tool,
)
from tests.support.internals import no_backoff
from tests.support.replay import replaying

JSON: Final = {"content-type": "application/json"}
STREAM: Final = {"content-type": "text/event-stream;charset=UTF-8"}
EACH_PROTOCOL: Final = pytest.mark.parametrize("protocol", PROTOCOLS)


def resolve(base_url: str = "http://127.0.0.1:9", **arguments: Any) -> ResolvedChat:
    """Resolve the arguments of a chat model without retries."""
    defaults = {"model": "qwen-max", "api_key": KEY, "max_retries": 0}
    return resolve_chat({**defaults, "base_url": base_url, **arguments})


def prepare(chat: ResolvedChat, /, *, stream: bool = False, **options: Any) -> ChatCall:
    """Prepare a call with a one-word prompt."""
    return prepare_call(chat, HI, options, stream=stream)


def answer_stream(protocol: Protocol, *, reason: str | None = "stop") -> bytes:
    """Return the stream of the answer "Hello"."""
    if protocol == "openai":
        last = [chunk({}, reason)] if reason else []
        return sse(chunk({"content": "Hel"}), chunk({"content": "lo"}), *last)
    bodies = [
        answer_body(protocol, "Hel", "null"),
        answer_body(protocol, "lo", reason or "null"),
    ]
    head = b"id:1\nevent:result\n:HTTP_STATUS/200\ndata:"
    return b"".join(head + body + b"\n\n" for body in bodies)


def answer_body(
    protocol: Protocol, content: str = "Hello", reason: str | None = "stop"
) -> bytes:
    """Return the body of an answer without streaming."""
    choices = [{"message": {"content": content}, "finish_reason": reason}]
    if protocol == "openai":
        return json.dumps({"id": "chatcmpl-r-1", "choices": choices}).encode()
    return json.dumps({"output": {"choices": choices}, "request_id": "r-1"}).encode()


# Each calls the function that its name has, and returns a list.
async def call_generate(call: ChatCall) -> list[Completion]:
    return generate(call)


async def call_agenerate(call: ChatCall) -> list[Completion]:
    return await agenerate(call)


async def call_stream(call: ChatCall) -> list[Event]:
    return list(stream(call))


async def call_astream(call: ChatCall) -> list[Event]:
    return [event async for event in astream(call)]


Caller = Callable[[ChatCall], Any]
EACH_GENERATE: Final = pytest.mark.parametrize(
    "call", [call_generate, call_agenerate], ids=["sync", "async"]
)
EACH_STREAM: Final = pytest.mark.parametrize(
    "call", [call_stream, call_astream], ids=["sync", "async"]
)
EACH_CALL: Final = pytest.mark.parametrize(
    "call", [call_generate, call_agenerate, call_stream, call_astream]
)

# --- Preparing ----------------------------------------------------------------------


@EACH_PROTOCOL
def test_a_prepared_call(protocol: Protocol) -> None:
    chat = resolve(protocol=protocol, temperature=0.5)
    call = prepare(chat, stream=True)
    assert call.connection is chat.connection
    assert call.plan is chat.plan(stream=True)
    assert call.context is chat.context
    assert call.request.api == protocol
    assert call.request.json is not None
    assert call.request.json["model"] == "qwen-max"


def test_arguments_of_a_call_override_the_constructors() -> None:
    chat = resolve(temperature=0.5, seed=7)
    body = prepare(chat, model="qwen-plus", temperature=0.1).request.json
    assert body is not None
    assert (body["model"], body["temperature"], body["seed"]) == ("qwen-plus", 0.1, 7)
    assert chat.options.temperature == 0.5


@pytest.mark.parametrize("include_usage", [True, False])
def test_usage_of_a_stream_can_be_left_out(include_usage: bool) -> None:
    call = prepare_call(resolve(), HI, {}, stream=True, include_usage=include_usage)
    assert call.request.json is not None
    assert ("stream_options" in call.request.json) is include_usage


def test_an_option_that_the_model_refuses_is_an_error() -> None:
    chat = resolve(model="deepseek-r1", deprecated_models="keep")
    message = error_message(prepare, chat, temperature=0.5)
    assert "temperature cannot be set for deepseek-r1" in message


def test_a_delisted_model_of_a_call_warns() -> None:
    chat = resolve()
    with pytest.warns(ModelDeprecationWarning, match="deepseek-r1 was delisted"):
        call = prepare(chat, model="deepseek-r1")
    assert call.plan.model.profile.id == "qwen3.7-max"


def test_the_same_model_again_does_not_warn() -> None:
    chat = resolve(model="deepseek-r1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepare(chat, model="deepseek-r1")
        prepare(chat, temperature=0.5)


def test_the_notice_of_a_plan_is_a_warning() -> None:
    arguments: Any = {"tools": [tool("weather")], "tool_choice": "any"}
    chat = resolve(model="qwen3.7-plus", forced_tool_choice="auto")
    with pytest.warns(UserWarning, match="tool_choice='auto' is sent") as caught:
        prepare(chat, **arguments)
    assert [warning.filename for warning in caught] == [__file__]


# --- Answers ------------------------------------------------------------------------


@EACH_PROTOCOL
@EACH_GENERATE
async def test_generate(call: Caller, protocol: Protocol) -> None:
    with replaying(200, JSON, answer_body(protocol)) as server:
        chat = resolve(server.base_url, protocol=protocol)
        [completion] = await call(prepare(chat))
    assert completion.text == "Hello"
    assert completion.finish.finish_reason == "stop"
    assert completion.finish.request_id == "r-1"
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


@EACH_PROTOCOL
@EACH_STREAM
async def test_stream(call: Caller, protocol: Protocol) -> None:
    with replaying(200, STREAM, answer_stream(protocol)) as server:
        chat = resolve(server.base_url, protocol=protocol)
        *deltas, last = await call(prepare(chat, stream=True))
    assert deltas == [TextDelta("Hel"), TextDelta("lo")]
    assert isinstance(last, Finish)
    assert len(server.requests) == 1


@EACH_GENERATE
async def test_a_stream_underneath_is_joined(call: Caller) -> None:
    body = sse(chunk({"reasoning_content": "Hm"}), chunk({"content": "a"}, "stop"))
    with replaying(200, STREAM, body) as server:
        call_prepared = prepare(resolve(server.base_url, model="qwq-plus"))
        assert call_prepared.plan.stream
        [completion] = await call(call_prepared)
    assert (completion.reasoning, completion.text) == ("Hm", "a")


@EACH_GENERATE
async def test_several_answers_are_sorted(call: Caller) -> None:
    choices = [
        {"index": 1, "message": {"content": "B"}, "finish_reason": "stop"},
        {"index": 0, "message": {"content": "A"}, "finish_reason": "stop"},
    ]
    body = json.dumps({"id": "chatcmpl-1", "choices": choices}).encode()
    with replaying(200, JSON, body) as server:
        completions = await call(prepare(resolve(server.base_url), n=2))
    assert [completion.text for completion in completions] == ["A", "B"]


@EACH_STREAM
async def test_a_json_body_in_place_of_a_stream(call: Caller) -> None:
    with replaying(200, JSON, answer_body("openai")) as server:
        events = await call(prepare(resolve(server.base_url), stream=True))
    assert events[0] == TextDelta("Hello")
    assert isinstance(events[-1], Finish)


@EACH_GENERATE
async def test_a_stream_in_place_of_a_json_body(call: Caller) -> None:
    with replaying(200, STREAM, answer_stream("openai")) as server:
        [completion] = await call(prepare(resolve(server.base_url)))
    assert completion.text == "Hello"


@EACH_GENERATE
async def test_an_answer_without_a_finish_reason_warns(call: Caller) -> None:
    body = answer_body("openai", reason=None)
    with replaying(200, JSON, body) as server:
        prepared = prepare(resolve(server.base_url))
        with pytest.warns(RuntimeWarning, match="qwen-max answered without a finish"):
            [completion] = await call(prepared)
    assert completion.text == "Hello"


# --- Errors -------------------------------------------------------------------------


@EACH_CALL
async def test_an_error_response(call: Caller) -> None:
    body = json.dumps({"error": {"code": "invalid_api_key", "message": KEY}}).encode()
    with replaying(401, JSON, body) as server:
        streams = call in {call_stream, call_astream}
        with pytest.raises(AuthenticationError) as caught:
            await call(prepare(resolve(server.base_url), stream=streams))
    assert KEY not in str(caught.value)


@EACH_PROTOCOL
@EACH_STREAM
async def test_a_truncated_stream_is_an_error(call: Caller, protocol: Protocol) -> None:
    body = answer_stream(protocol, reason=None)
    with replaying(200, STREAM, body) as server:
        chat = resolve(server.base_url, protocol=protocol)
        with pytest.raises(IncompleteStreamError):
            await call(prepare(chat, stream=True))


async def read_until_error(
    call: ChatCall, *, is_async: bool
) -> tuple[list[Event], APIError]:
    """Read a stream; return the events and the error after them."""
    events: list[Event] = []
    try:
        if is_async:
            async for event in astream(call):
                events.append(event)  # noqa: PERF401 - kept when the stream raises
        else:
            for event in stream(call):
                events.append(event)  # noqa: PERF402 - kept when the stream raises
    except APIError as error:
        return events, error
    pytest.fail("The stream raised no error.")


@EACH_STREAM
async def test_each_event_is_searched_for_a_forced_call_once(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[int] = []

    def count(events: list[Event]) -> bool:
        searched.append(len(events))
        return has_call(events)

    monkeypatch.setattr("modelstudio_core.chat.calls.has_call", count)
    words = [chunk({"content": "word"}) for _ in range(5_000)]
    body = sse(*words, call_chunk(call_delta(0, "c1", "weather", "{}")))
    body += sse(chunk({}, "tool_calls")) + DONE
    with replaying(200, STREAM, body) as server:
        chat = resolve(server.base_url, model="glm-5.3", forced_tool_choice_retries=1)
        options = {"tools": [tool("weather")], "tool_choice": "any"}
        with pytest.warns(UserWarning, match="an answer without a call"):
            prepared = prepare(chat, stream=True, **options)
        await call(prepared)
    assert len(searched) > 2
    assert sum(searched) <= len(words) + 3


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_an_error_within_a_stream_comes_after_the_events(is_async: bool) -> None:
    failure = {"error": {"code": "data_inspection_failed", "message": "x"}}
    body = sse(chunk({"content": "a"}), failure)
    with replaying(200, STREAM, body) as server:
        call = prepare(resolve(server.base_url), stream=True)
        events, error = await read_until_error(call, is_async=is_async)
    assert events == [TextDelta("a")]
    assert type(error) is ContentFilterError


@EACH_CALL
async def test_a_request_is_repeated_until_the_first_event(
    monkeypatch: pytest.MonkeyPatch, call: Caller
) -> None:
    no_backoff(monkeypatch)
    body = sse({"error": {"code": "internal_error", "message": "x"}})
    with replaying(200, STREAM, body, times=2) as server:
        chat = resolve(server.base_url, max_retries=1)
        streams = call in {call_stream, call_astream}
        with pytest.raises(APIError):
            await call(prepare(chat, stream=streams))
    assert len(server.requests) == 2


@EACH_STREAM
async def test_a_stream_is_not_repeated_after_its_first_event(call: Caller) -> None:
    body = answer_stream("openai", reason=None)
    with replaying(200, STREAM, body) as server:
        chat = resolve(server.base_url, max_retries=5)
        with pytest.raises(IncompleteStreamError):
            await call(prepare(chat, stream=True))
    assert len(server.requests) == 1


# --- A required tool call -----------------------------------------------------------

REQUIRED: Final[dict[str, Any]] = {
    "model": "qwen3.7-plus",
    "forced_tool_choice": "auto",
}


def prepare_required(base_url: str, *, stream: bool) -> ChatCall:
    """Prepare a call whose answer must have a tool call."""
    chat = resolve(base_url, **REQUIRED)
    with pytest.warns(UserWarning, match="an answer without a call is an error"):
        return prepare(chat, stream=stream, tools=[tool("weather")], tool_choice="any")


@EACH_GENERATE
async def test_an_answer_without_a_required_call_is_an_error(call: Caller) -> None:
    with replaying(200, JSON, answer_body("openai")) as server:
        prepared = prepare_required(server.base_url, stream=False)
        with pytest.raises(ToolChoiceError) as caught:
            await call(prepared)
    assert caught.value.request_id == "r-1"
    assert "qwen3.7-plus was required to call a tool" in caught.value.message


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_a_stream_without_a_required_call_is_an_error(is_async: bool) -> None:
    with replaying(200, STREAM, answer_stream("openai")) as server:
        call = prepare_required(server.base_url, stream=True)
        events, error = await read_until_error(call, is_async=is_async)
    assert events == [TextDelta("Hel"), TextDelta("lo")]
    assert type(error) is ToolChoiceError


@EACH_STREAM
async def test_an_answer_with_a_required_call(call: Caller) -> None:
    body = sse(
        call_chunk(call_delta(0, "call_1", "weather", "{}")), chunk({}, "tool_calls")
    )
    with replaying(200, STREAM, body) as server:
        events = await call(prepare_required(server.base_url, stream=True))
    assert isinstance(events[-1], Finish)


# --- Closing ------------------------------------------------------------------------


class FakeResponse:
    """A response of two chunks that knows whether it is closed and drained."""

    is_json = False
    is_stream = True
    request_id = "r-1"

    def __init__(self) -> None:
        self.is_closed = False
        self.is_drained = False

    def chunks(self) -> Generator[bytes]:
        yield sse(chunk({"reasoning_content": "Hm"}))
        yield sse(chunk({"content": "a"}, "stop")) + DONE

    def drain(self, chunks: Generator[bytes]) -> None:
        self.is_drained = list(chunks) == []

    def report(self, usage: object, request_id: str | None) -> None:
        assert (usage, request_id) == (None, "r-1")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_closed = True


class FakeAsyncResponse(FakeResponse):
    """The same response over an asynchronous client."""

    async def chunks(self) -> AsyncGenerator[bytes]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - as the real ones
        for piece in super().chunks():
            yield piece

    async def drain(self, chunks: AsyncGenerator[bytes]) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - as the real ones
        self.is_drained = [piece async for piece in chunks] == []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.is_closed = True


@pytest.fixture
def response(monkeypatch: pytest.MonkeyPatch) -> FakeResponse:
    """Answer every synchronous call with one response."""
    fake = FakeResponse()

    def send(_call: ChatCall, _attempt: int) -> FakeResponse:
        return fake

    monkeypatch.setattr(ChatCall, "send", send)
    return fake


@pytest.fixture
def async_response(monkeypatch: pytest.MonkeyPatch) -> FakeAsyncResponse:
    """Answer every asynchronous call with one response."""
    fake = FakeAsyncResponse()

    async def asend(_call: ChatCall, _attempt: int) -> FakeAsyncResponse:
        return fake

    monkeypatch.setattr(ChatCall, "asend", asend)
    return fake


def test_closing_a_stream_closes_the_response(response: FakeResponse) -> None:
    events = stream(prepare(resolve(), stream=True))
    assert next(events) == ReasoningDelta("Hm")
    assert not response.is_closed
    events.close()
    assert response.is_closed
    assert not response.is_drained


async def test_closing_an_async_stream_closes_the_response(
    async_response: FakeAsyncResponse,
) -> None:
    events = astream(prepare(resolve(), stream=True))
    assert await anext(events) == ReasoningDelta("Hm")
    assert not async_response.is_closed
    await events.aclose()
    assert async_response.is_closed
    assert not async_response.is_drained


def test_the_connection_of_a_complete_stream_is_drained(response: FakeResponse) -> None:
    assert len(list(stream(prepare(resolve(), stream=True)))) == 3
    assert (response.is_drained, response.is_closed) == (True, True)


async def test_the_connection_of_a_complete_async_stream_is_drained(
    async_response: FakeAsyncResponse,
) -> None:
    call = prepare(resolve(), stream=True)
    assert len([event async for event in astream(call)]) == 3
    assert (async_response.is_drained, async_response.is_closed) == (True, True)


# --- Cumulative streams -------------------------------------------------------------


@EACH_STREAM
async def test_a_cumulative_stream_becomes_deltas(call: Caller) -> None:
    body = sse(
        chunk({"content": "Hel"}), chunk({"content": "Hello"}), chunk({}, "stop")
    )
    with replaying(200, STREAM, body) as server:
        chat = resolve(server.base_url, model="qwen-mt-plus")
        assert chat.model.profile.streams_cumulatively
        events = await call(prepare(chat, stream=True))
    assert events[:-1] == [TextDelta("Hel"), TextDelta("lo")]


def test_the_parser_of_a_response_has_its_request_id() -> None:
    call = prepare(resolve(), stream=True)
    fake: Any = FakeResponse()
    parser = call.parser(fake)
    assert type(parser) is type(make_parser("openai"))
    assert parser.request_id == "r-1"
