"""A key is shown nowhere, wherever the service repeats it; and nobody gets it."""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumps
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index_instrumentation import get_dispatcher
from typing_extensions import override

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.errors import ConfigurationError, ModelStudioError
from modelstudio_core.secrets import redact, secrets_of
from modelstudio_core.wire.refusals import ErrorContext
from tests.faults.server import FaultServer
from tests.faults.ways import KEY, WAYS, Way, ask, model
from tests.faults.wire import Protocol, prompt
from tests.support.internals import log_filter_passes

PROTOCOLS = pytest.mark.parametrize("protocol", ["openai", "dashscope"])
# Not a header that anybody calls a secret, and one all the same.
PASS = "pass-9876543210-of-the-gateway"
HEADERS = {"X-Gateway-Pass": PASS}


def links(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and all that it was raised from, or while."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def shown(error: BaseException) -> str:
    """Return all that an error shows of itself and of what it comes from."""
    said = [f"{it!r} {it}" for it in links(error)]
    if error.__context__:
        said += [f"{it!r} {it}" for it in links(error.__context__)]
    return "".join([*said, str(vars(error)), *traceback.format_exception(error)])


def is_hidden(text: str) -> bool:
    """Tell whether no secret is in a text, nor a third of one."""
    return KEY[:12] not in text and PASS[:12] not in text


class Tracer(BaseCallbackHandler):
    """Keeps what a LangChain tracer is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    @override
    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.told.append(f"{args} {kwargs}")

    @override
    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        response: Any = getattr(error, "response", None)
        body = response and (response.json(), response.headers, response.status_code)
        self.told.append(f"{shown(error)} {kwargs} {body}")


class Observer(BaseEventHandler):
    """Keeps what a LlamaIndex event handler is told."""

    told: list[str] = []  # noqa: RUF012 - a field of a pydantic model

    @classmethod
    @override
    def class_name(cls) -> str:
        return "Observer"

    @override
    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        self.told.append(f"{event!r} {event.model_dump()}")


@PROTOCOLS
@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("play", ["echo", "echo in a page", "echo in garbage"])
async def test_a_key_that_is_repeated_is_hidden(
    server: FaultServer,
    way: Way,
    protocol: Protocol,
    play: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    llm = model(
        way.framework,
        server.base_url,
        protocol,
        max_retries=0,
        default_headers=HEADERS,
    )
    answer = await ask(llm, way, prompt("x", play))
    assert isinstance(answer.error, ModelStudioError)
    (request,) = server.seen.asks
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-gateway-pass"] == PASS
    assert is_hidden(shown(answer.error))
    if play == "echo":
        assert "**********" in str(answer.error)
    said = "".join(
        logging.Formatter().format(it) + str(vars(it)) for it in caplog.records
    )
    assert "HTTP Request" in said or play == "echo in garbage"
    assert is_hidden(said)


@PROTOCOLS
def test_langchains_observers_see_no_key(
    server: FaultServer, protocol: Protocol
) -> None:
    tracer = Tracer()
    llm = model(
        "LangChain", server.base_url, protocol, max_retries=0, default_headers=HEADERS
    )
    assert isinstance(llm, ChatModelStudio)
    with pytest.raises(ModelStudioError):
        llm.invoke(prompt("x", "echo"), config={"callbacks": [tracer]})
    assert len(tracer.told) == 2
    assert is_hidden("".join([*tracer.told, dumps(llm), repr(llm), str(llm)]))


@PROTOCOLS
async def test_llamaindexs_observers_see_no_key(
    server: FaultServer, protocol: Protocol
) -> None:
    dispatcher, observer = get_dispatcher(), Observer()
    dispatcher.add_event_handler(observer)
    observer.told.clear()
    llm: Any = model(
        "LlamaIndex", server.base_url, protocol, max_retries=0, default_headers=HEADERS
    )
    try:
        for way in WAYS[4:]:
            await ask(llm, way, prompt("x", "echo"))
    finally:
        dispatcher.event_handlers.remove(observer)
    assert len(observer.told) >= 8
    said = [*observer.told, repr(llm), str(llm), llm.to_json(), str(llm.to_dict())]
    assert is_hidden("".join(said))


@PROTOCOLS
@pytest.mark.parametrize("way", WAYS[:4], ids=str)
async def test_a_redirect_takes_the_key_nowhere(
    server: FaultServer, way: Way, protocol: Protocol
) -> None:
    with FaultServer() as elsewhere:
        to = {"X-Elsewhere": f"{elsewhere.base_url}/{KEY}"}
        llm = model(way.framework, server.base_url, protocol, default_headers=to)
        answer = await ask(llm, way, prompt("x", "redirect"))
        assert isinstance(answer.error, ModelStudioError)
        assert "never followed" in answer.error.message
        assert is_hidden(shown(answer.error))
        assert elsewhere.seen.connections == 0
    assert len(server.seen.asks) == 1


@PROTOCOLS
@pytest.mark.parametrize("way", WAYS[:4], ids=str)
async def test_a_redirect_holds_no_connection(
    server: FaultServer, way: Way, protocol: Protocol
) -> None:
    llm = model(way.framework, server.base_url, protocol)
    answers = [await ask(llm, way, prompt("x", "redirect")) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert all(it.error for it in answers)
    assert server.seen.open <= 1


HOSTILE = (
    "x\r\nX-Evil: 1",
    "x\nHost: evil.example",
    "../../evil",
    "/evil",
    "//evil.example/x",
    "a@evil.example",
    "x?y=1#z",
    "qwen\u2024plus",
    "\uff51\uff57\uff45\uff4e-plus",
    "%2e%2e%2f",
)


@PROTOCOLS
@pytest.mark.parametrize("name", HOSTILE)
def test_a_models_name_is_text_in_the_body_and_nothing_else(
    server: FaultServer, name: str, protocol: Protocol
) -> None:
    good = model("LangChain", server.base_url, protocol)
    evil = model("LangChain", server.base_url, protocol, model=name)
    for llm in (good, evil):
        assert isinstance(llm, ChatModelStudio)
        assert llm.invoke(prompt("x")).text
    first, second = (dict(it.headers) for it in server.seen.asks)
    assert {*first} == {*second}
    assert first["host"] == second["host"]
    assert "evil" not in str(second)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("argument", ["region", "mode", "workspace", "protocol"])
def test_no_other_name_reaches_a_host_a_path_or_a_header(
    argument: str, name: str
) -> None:
    given: dict[str, Any] = {"model": "qwen-plus", "api_key": KEY, argument: name}
    with pytest.raises(ConfigurationError):
        ChatModelStudio(**given)


@pytest.mark.parametrize("value", ["x\r\nX-Evil: 1", "x\n", "\u2028", "\x00"])
def test_a_header_of_ones_own_ends_no_line(value: str) -> None:
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
def test_a_secret_and_its_beginning_are_hidden(text: str) -> None:
    assert KEY[:12] not in redact(text, [KEY])


def test_a_secret_is_hidden_as_json_and_as_an_address() -> None:
    odd = 'sk-"/+\\0123456789'
    text = '{"k": "sk-\\"/+\\\\0123456789"} /?k=sk-%22%2F%2B%5C0123456789'
    assert "0123456789" not in redact(text, [odd])


def test_what_is_nested_too_deeply_is_hidden_whole() -> None:
    deep: Any = KEY
    for _ in range(5000):
        deep = [deep]
    assert KEY not in repr(redact(deep, [KEY]))


@pytest.mark.parametrize("before", range(465, 501, 5))
def test_a_page_is_cut_after_its_secrets_are_hidden(before: int) -> None:
    context = ErrorContext(None, "openai", "127.0.0.1", secrets=(KEY,))
    error = context.from_payload(400, f"{'x' * before}{KEY}")
    assert KEY[:4] not in str(error)


def test_which_headers_are_secrets() -> None:
    headers = [
        ("Authorization", f"Bearer {PASS}"),
        ("Cookie", "session=0123456789; other=x"),
        ("X-Short", "enable"),
        ("User-Agent", "an-application/1.0"),
        ("Accept", "application/json"),
    ]
    found = secrets_of(KEY, headers)
    assert found[:2] == (KEY, f"Bearer {PASS}")
    assert PASS in found
    assert "session=0123456789;" in found
    assert not {"enable", "an-application/1.0", "application/json"} & {*found}


def test_a_record_that_cannot_be_written_is_left_to_the_handler() -> None:
    record = logging.LogRecord("httpx", 10, "x.py", 1, "%d %d", ("a",), None)
    assert log_filter_passes(record)


def test_a_traceback_in_a_log_is_hidden_as_well(
    server: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    llm = model("LangChain", server.base_url, "openai")
    assert isinstance(llm, ChatModelStudio)
    assert llm.invoke(prompt("x")).text
    try:
        int(KEY)
    except ValueError:
        logging.getLogger("httpx").exception("Oops")
    said = logging.Formatter().format(caplog.records[-1])
    assert "Oops" in said
    assert "ValueError" in said
    assert is_hidden(said)
