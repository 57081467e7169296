"""A key is shown nowhere, even if the service repeats it, and sent nowhere else."""

import asyncio
import json
import logging
import traceback
from collections.abc import Iterator
from typing import Any, Final

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumps
from typing_extensions import override

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.errors import ConfigurationError, ModelStudioError
from modelstudio_core.secrets import redact, secrets_of
from modelstudio_core.wire.refusals import ErrorContext
from tests.support.answers import JSON, STREAM
from tests.support.calls import CALL_STYLES, CallStyle, collect_text, iterate
from tests.support.fault_server import FaultServer, prompt
from tests.support.internals import log_filter_passes
from tests.support.models import KEY, PROTOCOLS, Protocol, model
from tests.support.observers import llamaindex_events
from tests.support.replay import replaying

PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
LANGCHAIN_STYLE = pytest.mark.parametrize("style", CALL_STYLES[:4], ids=str)
# The value of a header whose name does not say that it is secret.
PASS = "pass-9876543210-of-the-gateway"
HEADERS = {"X-Gateway-Pass": PASS}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and the errors that it was raised from or while handling."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def shown(error: BaseException) -> str:
    """Return every text that an error shows, with its causes and its traceback."""
    texts = [f"{link!r} {link}" for link in chain(error)]
    texts += [f"{link!r} {link}" for link in chain(error.__context__)]
    return "".join([*texts, str(vars(error)), *traceback.format_exception(error)])


def is_hidden(text: str) -> bool:
    """Return whether a text has no secret, nor the beginning of one."""
    return KEY[:12] not in text and PASS[:12] not in text


class Tracer(BaseCallbackHandler):
    """Collects everything that LangChain passes to a tracer."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    @override
    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.texts.append(f"{args} {kwargs}")

    @override
    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        response: Any = getattr(error, "response", None)
        body = response and (response.json(), response.headers, response.status_code)
        self.texts.append(f"{shown(error)} {kwargs} {body}")


@PROTOCOL
@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
@pytest.mark.parametrize("fault", ["echo", "echo in HTML", "echo in status line"])
async def test_a_key_that_the_service_repeats_is_hidden(
    server: FaultServer,
    style: CallStyle,
    protocol: Protocol,
    fault: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    llm = model(style.framework, server.base_url, protocol, default_headers=HEADERS)
    result = await collect_text(llm, style, prompt("x", fault))
    assert isinstance(result.error, ModelStudioError)
    (request,) = server.log.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-gateway-pass"] == PASS
    assert is_hidden(shown(result.error))
    if fault == "echo":
        assert "**********" in str(result.error)
    logged = "".join(
        logging.Formatter().format(record) + str(vars(record))
        for record in caplog.records
    )
    assert "HTTP Request" in logged or fault == "echo in status line"
    assert is_hidden(logged)


ANSWER: Final = {"role": "assistant", "content": "Hello."}
# By name: where an answer repeats the key, as fields of the body, of its ``usage``, of
# its output, of its choice and of its message.
PLACES: Final[dict[str, tuple[dict[str, Any], ...]]] = {
    "the body": ({"id": KEY, "request_id": KEY, "model": KEY, "object": KEY},),
    "a nested field": ({"service_tier": {"a": [{"b": KEY}]}},),
    "the name of a field": ({"system": {KEY: 1}},),
    "usage": ({}, {"plan": KEY, "prompt_tokens_details": {"of": [KEY]}}),
    "output": ({}, {}, {"extra": KEY, "search_info": {"engine": KEY}}),
    "tool_info": ({}, {}, {"tool_info": [{"code_interpreter": {"code": KEY}}]}),
    "a choice": ({}, {}, {}, {"finish_reason": KEY, "stop_reason": KEY}),
    "a message": ({}, {}, {}, {}, {"refusal": KEY, "annotations": [KEY]}),
}


def answer_with(place: str, protocol: Protocol, *, stream: bool) -> bytes:
    """Return an answer that repeats the key at a place."""
    extra = iter(PLACES[place])
    body, usage, output, choice, message = (next(extra, {}) for _ in range(5))
    counts = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    counts |= {"input_tokens": 1, "output_tokens": 1}
    kind = "delta" if stream and protocol == "openai" else "message"
    choices = [
        {"index": 0, "finish_reason": "stop", kind: {**ANSWER, **message}, **choice}
    ]
    whole: dict[str, Any] = {"choices": choices, "id": "x"}
    if protocol == "dashscope":
        whole = {"output": {"choices": choices, **output}, "request_id": "x"}
    text = json.dumps({**whole, "usage": {**counts, **usage}, **body})
    return f"data: {text}\n\n".encode() if stream else text.encode()


@PROTOCOL
@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
@pytest.mark.parametrize("place", PLACES)
async def test_a_key_in_the_metadata_of_an_answer_is_hidden(
    style: CallStyle, protocol: Protocol, place: str
) -> None:
    body = answer_with(place, protocol, stream=style.stream)
    with replaying(200, STREAM if style.stream else JSON, body) as replay:
        llm = model(style.framework, replay.base_url, protocol)
        chunks = [chunk async for chunk in iterate(llm, style, "Hi")]
    texts = [f"{chunk!r} {vars(chunk)} {chunk.model_dump_json()}" for chunk in chunks]
    assert "Hello." in "".join(texts)
    assert is_hidden("".join(texts))


@PROTOCOL
def test_langchain_tracers_see_no_key(server: FaultServer, protocol: Protocol) -> None:
    tracer = Tracer()
    llm = model("LangChain", server.base_url, protocol, default_headers=HEADERS)
    with pytest.raises(ModelStudioError):
        llm.invoke(prompt("x", "echo"), config={"callbacks": [tracer]})
    assert len(tracer.texts) == 2
    assert is_hidden("".join([*tracer.texts, dumps(llm), repr(llm), str(llm)]))


@PROTOCOL
async def test_llamaindex_event_handlers_see_no_key(
    server: FaultServer, protocol: Protocol
) -> None:
    llm = model("LlamaIndex", server.base_url, protocol, default_headers=HEADERS)
    with llamaindex_events(lambda event: f"{event!r} {event.model_dump()}") as texts:
        for style in CALL_STYLES[4:]:
            await collect_text(llm, style, prompt("x", "echo"))
    assert len(texts) >= 8
    dumped = [repr(llm), str(llm), llm.to_json(), str(llm.to_dict())]
    assert is_hidden("".join([*texts, *dumped]))


@PROTOCOL
@LANGCHAIN_STYLE
async def test_a_redirect_does_not_send_the_key_to_another_server(
    server: FaultServer, style: CallStyle, protocol: Protocol
) -> None:
    with FaultServer() as other:
        # A private header is hidden in all logs while the client is kept.
        address = other.base_url.replace("127.0.0.1", "localhost")
        to = {"X-Redirect-To": f"{address}/{KEY}"}
        llm = model(
            style.framework,
            server.base_url,
            protocol,
            default_headers=to,
            max_retries=1,
        )
        result = await collect_text(llm, style, prompt("x", "redirect"))
        assert isinstance(result.error, ModelStudioError)
        assert "never followed" in result.error.message
        assert is_hidden(shown(result.error))
        assert other.log.connections == 0
    assert len(server.log.requests) == 1


@PROTOCOL
@LANGCHAIN_STYLE
async def test_redirects_leave_no_connection_open(
    server: FaultServer, style: CallStyle, protocol: Protocol
) -> None:
    llm = model(style.framework, server.base_url, protocol)
    redirect = prompt("x", "redirect")
    results = [await collect_text(llm, style, redirect) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert all(result.error for result in results)
    assert server.log.open <= 1


WITH_LINE_BREAKS = ("x\r\nX-Evil: 1", "x\nHost: evil.example")
ON_ONE_LINE = (
    "../../evil",
    "/evil",
    "//evil.example/x",
    "a@evil.example",
    "x?y=1#z",
    "qwen\u2024plus",
    "\uff51\uff57\uff45\uff4e-plus",
    "%2e%2e%2f",
)
HOSTILE = (*WITH_LINE_BREAKS, *ON_ONE_LINE)


@pytest.mark.parametrize("name", WITH_LINE_BREAKS)
def test_a_model_name_must_not_contain_line_breaks(name: str) -> None:
    with pytest.raises(ConfigurationError, match="control characters"):
        ChatModelStudio(model=name, api_key=KEY)


@PROTOCOL
@pytest.mark.parametrize("name", ON_ONE_LINE)
def test_a_model_name_changes_nothing_but_the_body(
    server: FaultServer, name: str, protocol: Protocol
) -> None:
    good = model("LangChain", server.base_url, protocol)
    if not name.isprintable():
        with pytest.raises(ConfigurationError, match="control characters"):
            model("LangChain", server.base_url, protocol, model=name)
        return
    evil = model("LangChain", server.base_url, protocol, model=name)
    for llm in (good, evil):
        assert llm.invoke(prompt("x")).text
    first, second = (dict(request.headers) for request in server.log.requests)
    assert {*first} == {*second}
    assert first["host"] == second["host"]
    assert "evil" not in str(second)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("argument", ["region", "mode", "workspace", "protocol"])
def test_hostile_values_of_other_arguments_are_refused(
    argument: str, name: str
) -> None:
    given: dict[str, Any] = {"model": "qwen-plus", "api_key": KEY, argument: name}
    with pytest.raises(ConfigurationError):
        ChatModelStudio(**given)


@pytest.mark.parametrize("value", ["x\r\nX-Evil: 1", "x\n", "\u2028", "\x00"])
def test_a_custom_header_must_not_contain_line_breaks(value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ChatModelStudio(model="m", api_key=KEY, default_headers={"X-A": PASS + value})
    assert is_hidden(shown(caught.value))


# --- Redacting ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"a {KEY} b",
        f"{KEY}{KEY}",
        f"{KEY[:20]}",
        f"cut {KEY[:-1]}",
        f"{KEY[:12]}!",
        f"{KEY[:15]}{KEY}",
    ],
)
def test_a_secret_and_the_beginning_of_one_are_hidden(text: str) -> None:
    assert KEY[:12] not in redact(text, [KEY])


def test_a_secret_is_hidden_in_json_and_in_urls() -> None:
    odd = 'sk-"/+\\0123456789'
    text = '{"k": "sk-\\"/+\\\\0123456789"} /?k=sk-%22%2F%2B%5C0123456789'
    assert "0123456789" not in redact(text, [odd])


def test_values_that_are_nested_too_deeply_are_hidden() -> None:
    deep: Any = KEY
    for _ in range(5000):
        deep = [deep]
    assert KEY not in repr(redact(deep, [KEY]))


@pytest.mark.parametrize("before", range(465, 501, 5))
def test_secrets_are_hidden_before_a_long_message_is_cut(before: int) -> None:
    context = ErrorContext(None, "openai", "127.0.0.1", secrets=(KEY,))
    error = context.from_payload(400, f"{'x' * before}{KEY}")
    assert KEY[:4] not in str(error)


def test_headers_that_count_as_secrets() -> None:
    headers = [
        ("Authorization", f"Bearer {PASS}"),
        ("Cookie", "session=0123456789; other=x"),
        ("X-Short", "enable"),
        ("User-Agent", "an-application/1.0"),
        ("Accept", "application/json"),
    ]
    secrets = secrets_of(KEY, headers)
    assert secrets[:2] == (KEY, f"Bearer {PASS}")
    assert PASS in secrets
    assert "session=0123456789;" in secrets
    assert not {"enable", "an-application/1.0", "application/json"} & {*secrets}


def test_a_log_record_that_cannot_be_formatted_passes_the_filter() -> None:
    record = logging.LogRecord("httpx", 10, "x.py", 1, "%d %d", ("a",), None)
    assert log_filter_passes(record)


def test_secrets_in_a_logged_traceback_are_hidden(
    server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert model("LangChain", server.base_url).invoke(prompt("x")).text
    try:
        int(KEY)
    except ValueError:
        logging.getLogger("httpx").exception("Oops")
    logged = logging.Formatter().format(caplog.records[-1])
    assert "Oops" in logged
    assert "ValueError" in logged
    assert is_hidden(logged)
