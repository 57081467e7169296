"""A function as ``api_key`` is asked before each request, by every class and module."""

import asyncio
import copy
import gc
import logging
import pickle
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.load import dumps
from pydantic import SecretStr

from langchain_modelstudio import ChatModelStudio, ModelStudioEmbeddings
from langchain_modelstudio.batches import BatchRun
from llamaindex_modelstudio import ModelStudio
from modelstudio_core import tasks
from modelstudio_core.api_keys import ApiKeyFunction
from modelstudio_core.connection_checks import resolve_connection
from modelstudio_core.emulator import Emulator, Fault
from modelstudio_core.errors import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
)
from modelstudio_core.limits import RateLimit
from modelstudio_core.model_list import list_models
from tests.end_to_end.test_policy import EACH_SERVICE, SERVICES
from tests.support.answers import EMPTY_GENERATION, ID, JSON, RESPONSE, STREAM
from tests.support.batches import finish
from tests.support.calls import CALL_STYLES, CallStyle, collect_text, iterate
from tests.support.internals import http_library, no_backoff
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Protocol, model
from tests.support.replay import replaying
from tests.support.tasks import STYLES, Style, Tasks

KEY: Final = "sk-emulator-of-functions-01"
OLD_KEY: Final = "sk-emulator-of-functions-00"
PROTOCOL = pytest.mark.parametrize("protocol", PROTOCOLS)
STYLE = pytest.mark.parametrize("style", CALL_STYLES, ids=str)
FRAMEWORK = pytest.mark.parametrize("framework", FRAMEWORKS)


@pytest.fixture
def studio() -> Iterator[Emulator]:
    with Emulator(api_key=KEY) as emulator:
        yield emulator


class Vault:
    """A store of keys. It cannot be copied or pickled, as clients of such stores."""

    def __init__(self, *keys: str) -> None:
        self.keys = deque(keys)
        self.threads: list[int] = []
        self.lock = threading.Lock()

    def key(self) -> str:
        """Return the next key; the last one again and again."""
        with self.lock:
            self.threads.append(threading.get_ident())
            return self.keys.popleft() if len(self.keys) > 1 else self.keys[0]


def stored_key() -> str:
    """Return a key, as a function that a worker process can import."""
    return KEY


def keys_of(studio: Emulator) -> list[str]:
    """Return the keys of the requests that were received, in their order."""
    return [request.headers["authorization"] for request in studio.requests]


# --- Asked before each request ------------------------------------------------------


@EACH_SERVICE
@PROTOCOL
async def test_every_class_asks_before_each_request(
    studio: Emulator, name: str, protocol: Protocol
) -> None:
    service = SERVICES[name]
    if "multimodal" in name and protocol == "openai":
        pytest.skip("the service has it on the native protocol only")
    for call in service.calls.values():
        vault = Vault(KEY)
        instance = service.build(
            api_key=vault.key, base_url=studio.base_url, protocol=protocol
        )
        assert vault.threads == [], "a constructor asks nothing"
        before = len(studio.requests)
        await call(instance)
        sent = keys_of(studio)[before:]
        assert sent == [f"Bearer {KEY}"] * len(sent)
        assert 0 < len(vault.threads) == len(sent)


@STYLE
@PROTOCOL
async def test_a_new_key_is_sent_as_soon_as_it_is_returned(
    studio: Emulator, style: CallStyle, protocol: Protocol
) -> None:
    vault = Vault(OLD_KEY, KEY)
    llm = model(style.framework, studio, protocol, api_key=vault.key)
    first = await collect_text(llm, style, "Hi")
    second = await collect_text(llm, style, "Hi")
    assert isinstance(first.error, AuthenticationError)
    assert OLD_KEY not in str(first.error)
    assert second.error is None
    assert second.text
    assert keys_of(studio) == [f"Bearer {OLD_KEY}", f"Bearer {KEY}"]


@STYLE
@PROTOCOL
async def test_a_retry_asks_again(
    studio: Emulator,
    style: CallStyle,
    protocol: Protocol,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    studio.script(Fault(status=500))
    vault = Vault(KEY, OLD_KEY)
    llm = model(style.framework, studio, protocol, api_key=vault.key, max_retries=1)
    no_backoff(monkeypatch)
    result = await collect_text(llm, style, "Hi")
    assert keys_of(studio) == [f"Bearer {KEY}", f"Bearer {OLD_KEY}"]
    assert isinstance(result.error, AuthenticationError)


@FRAMEWORK
async def test_an_async_call_asks_in_another_thread(
    studio: Emulator, framework: Framework
) -> None:
    vault = Vault(KEY)
    llm: Any = model(framework, studio, api_key=vault.key)
    await (llm.ainvoke("Hi") if framework == "LangChain" else llm.acomplete("Hi"))
    assert len(vault.threads) == 1
    assert vault.threads != [threading.get_ident()]


@STYLE
@PROTOCOL
async def test_the_total_timeout_holds_for_the_function_too(
    studio: Emulator, style: CallStyle, protocol: Protocol
) -> None:
    called = threading.Event()

    def slow() -> str:
        called.wait(0.3)
        return KEY

    llm = model(style.framework, studio, protocol, api_key=slow, total_timeout=0.1)
    result = await collect_text(llm, style, "Hi")
    called.set()
    assert isinstance(result.error, APITimeoutError)
    assert "The function that was passed as api_key" in str(result.error)
    assert studio.requests == []


@PROTOCOL
async def test_a_call_that_is_cancelled_while_the_function_is_asked_is_no_request(
    studio: Emulator, protocol: Protocol, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "modelstudio.audit")
    asked, answer = threading.Event(), threading.Event()

    def slow() -> str:
        asked.set()
        answer.wait(10)
        return KEY

    limiter = RateLimit(requests_per_minute=10, name="keys")
    llm = model("LangChain", studio, protocol, api_key=slow, limiter=limiter)
    call = asyncio.create_task(llm.ainvoke("Hi"))
    await asyncio.to_thread(asked.wait, 10)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    answer.set()
    assert studio.requests == []
    assert caplog.records == []
    # The bucket holds one request: nothing was taken from it.
    assert (await llm.ainvoke("Hi", total_timeout=5)).text


tenant: ContextVar[str] = ContextVar("tenant")


@FRAMEWORK
@PROTOCOL
async def test_a_function_may_return_the_key_of_the_caller(
    studio: Emulator, framework: Framework, protocol: Protocol
) -> None:
    llm: Any = model(framework, studio, protocol, api_key=tenant.get)
    refused: list[int] = []

    async def ask(number: int) -> None:
        tenant.set(KEY if number % 3 else f"sk-of-another-tenant-{number:02}")
        call = llm.ainvoke if framework == "LangChain" else llm.acomplete
        try:
            await call(f"Hi {number}")
        except AuthenticationError:
            refused.append(number)

    await asyncio.gather(*(asyncio.create_task(ask(n)) for n in range(30)))
    assert sorted(refused) == list(range(0, 30, 3))


@pytest.mark.parametrize("kind", ["str", "SecretStr"])
def test_a_function_returns_a_string_or_a_secret(studio: Emulator, kind: str) -> None:
    value = KEY if kind == "str" else SecretStr(KEY)
    assert model("LangChain", studio, api_key=lambda: value).invoke("Hi").text


def test_the_functions_of_the_core_ask_too(studio: Emulator) -> None:
    vault = Vault(KEY)
    connection: Any = {"base_url": studio.base_url, "api_key": vault.key}
    assert list_models(resolve_connection(connection)).ids
    assert tasks.list_tasks(**connection) == []
    assert keys_of(studio) == [f"Bearer {KEY}"] * 2
    assert len(vault.threads) == 2


def test_a_saved_task_takes_a_function(studio: Emulator) -> None:
    connection: Any = {"base_url": studio.base_url, "api_key": stored_key}
    task = tasks.submit(model="wan2.6-t2i", prompt="A flower shop", **connection)
    state = task.to_dict()
    assert KEY not in str(state)
    again = tasks.Task.from_dict(state, **connection)
    assert again.result(poll_interval=0.0).files
    assert set(keys_of(studio)) == {f"Bearer {KEY}"}


def test_a_run_of_batches_takes_a_function(studio: Emulator, tmp_path: Path) -> None:
    llm = model("LangChain", studio, api_key=stored_key)
    run = BatchRun.prepare(llm, ["Hi"], tmp_path / "run")
    run.submit()
    finish(studio, run)
    opened = BatchRun.open(
        tmp_path / "run", api_key=stored_key, base_url=studio.base_url
    )
    assert [row.error for row in opened.results()] == [None]
    assert set(keys_of(studio)) == {f"Bearer {KEY}"}
    written = b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )
    assert KEY.encode() not in written


def test_the_address_of_a_file_gets_no_key_and_nobody_is_asked_for_one(
    studio: Emulator, tmp_path: Path
) -> None:
    vault = Vault(KEY)
    connection: Any = {"base_url": studio.base_url, "api_key": vault.key}
    task = tasks.submit(model="wan2.6-t2i", prompt="A flower shop", **connection)
    result = task.result(poll_interval=0.0)
    asked, sent = len(vault.threads), len(studio.requests)
    assert [*result.download(tmp_path)]
    assert len(vault.threads) == asked
    assert all("authorization" not in r.headers for r in studio.requests[sent:])


@PROTOCOL
def test_a_header_of_the_user_replaces_the_key(protocol: Protocol) -> None:
    vault = Vault("sk-that-nobody-wants-00000")
    with Emulator(api_key=KEY) as studio:
        llm = model(
            "LangChain",
            studio,
            protocol,
            api_key=vault.key,
            default_headers={"authorization": f"Bearer {KEY}"},
        )
        assert llm.invoke("Hi").text
        assert keys_of(studio) == [f"Bearer {KEY}"]
    assert vault.threads == []


@PROTOCOL
def test_an_error_is_about_the_key_of_its_own_request(
    studio: Emulator, protocol: Protocol
) -> None:
    """Another account, with a key of a plan, asks before the answer is read."""
    vault = Vault(OLD_KEY, "sk-sp-0123456789abcdef")

    def ask(_: object) -> None:
        llm.resolved.connection.ask_key()

    hooks: dict[str, Any] = {"response": [ask]}
    client = http_library().Client(event_hooks=hooks)
    llm = model("LangChain", studio, protocol, api_key=vault.key, http_client=client)
    with pytest.raises(AuthenticationError, match="API keys belong to one region"):
        llm.invoke("Hi")
    assert len(vault.threads) == 2
    with pytest.raises(AuthenticationError, match="of a Coding Plan or a Token Plan"):
        llm.invoke("Hi")
    client.close()


# --- Never shown --------------------------------------------------------------------


@STYLE
@PROTOCOL
async def test_a_key_in_an_error_is_hidden(
    studio: Emulator, style: CallStyle, protocol: Protocol
) -> None:
    llm = model(style.framework, studio, protocol, api_key=stored_key)
    studio.script(Fault(status=400, message=f"The key {KEY} is bad."))
    error = (await collect_text(llm, style, "Hi")).error
    assert isinstance(error, BadRequestError)
    assert KEY not in f"{error!r} {error} {error.body}"
    assert "**********" in str(error)


@STYLE
async def test_a_key_in_the_metadata_of_an_answer_is_hidden(style: CallStyle) -> None:
    body = EMPTY_GENERATION if style.stream else RESPONSE
    headers = STREAM if style.stream else JSON
    repeated = body.replace(ID.encode(), KEY.encode())
    assert repeated != body
    with replaying(200, headers, repeated) as replay:
        llm = model(style.framework, replay.base_url, api_key=stored_key)
        answers = [repr(part) async for part in iterate(llm, style, "Hi")]
    assert KEY not in "".join(answers)
    assert "**********" in "".join(answers)


@EACH_SERVICE
def test_nothing_that_shows_an_object_asks_or_shows(name: str) -> None:
    vault = Vault(KEY)
    instance: Any = SERVICES[name].build(api_key=vault.key)
    shown = [repr(instance), str(instance), str(instance.model_dump())]
    if hasattr(instance, "to_json"):
        shown.append(str(instance.to_json()))
    if hasattr(instance, "to_dict"):
        shown.append(str(instance.to_dict()))
    if name.startswith("LangChain"):
        shown.append(dumps(instance))
    assert vault.threads == []
    assert KEY not in "".join(shown)


def test_keys_are_forgotten_with_the_function(
    caplog: pytest.LogCaptureFixture,
) -> None:
    once = "sk-that-is-used-once-0123456789"
    key = ApiKeyFunction(lambda: once)
    assert key.ask() == once
    logger = logging.getLogger("openai")
    logger.warning("the key %s", once)
    del key
    gc.collect()
    logger.warning("a text %s", once)
    hidden, shown = [record.getMessage() for record in caplog.records]
    assert once not in hidden
    assert once in shown


def test_keys_that_many_threads_ask_for_are_all_hidden() -> None:
    numbers = iter(range(200))
    key = ApiKeyFunction(lambda: f"sk-number-{next(numbers):04}-abcdefgh")
    with ThreadPoolExecutor(8) as pool:
        asked = [*pool.map(lambda _: key.ask(), range(200))]
    assert {*key.hidden} == {*asked}
    for each in asked:
        assert key.redactor.redact(f"a {each[:12]} b") == "a ********** b"


@pytest.mark.parametrize("task_style", STYLES)
async def test_a_task_is_signed_with_the_key_that_created_it(
    studio: Emulator, task_style: Style
) -> None:
    vault = Vault(KEY, OLD_KEY)
    at = Tasks.at(task_style, studio, api_key=vault.key)
    task = await at.submit()
    # Another account, or a newer key: in another thread this happens at any time.
    with pytest.raises(AuthenticationError):
        await at.refresh(task)
    state = task.to_dict()
    assert len(vault.threads) == len(studio.requests) == 2
    connection: Any = {"base_url": studio.base_url}
    again = tasks.Task.from_dict(state, api_key=KEY, **connection)
    assert again.to_dict()["signature"] == state["signature"]
    with pytest.raises(ConfigurationError, match="another API key"):
        tasks.Task.from_dict(state, api_key=OLD_KEY, **connection)


def test_a_task_whose_id_is_known_is_signed_with_the_key_of_the_caller(
    studio: Emulator,
) -> None:
    connection: Any = {"base_url": studio.base_url, "api_key": tenant.get}
    tenant.set(KEY)
    task = tasks.Task.from_id("t-1", model="wan2.6-t2i", **connection)
    tenant.set(OLD_KEY)
    with pytest.raises(AuthenticationError):
        task.refresh()
    tenant.set(KEY)
    assert tasks.Task.from_dict(task.to_dict(), **connection | {"api_key": KEY})


def test_only_the_newest_keys_are_kept() -> None:
    numbers = iter(range(1000))
    key = ApiKeyFunction(lambda: f"sk-number-{next(numbers):04}-abcdefgh")
    asked = [key.ask() for _ in range(300)]
    assert key.hidden == tuple(asked[-256:])
    assert key.last == asked[-1]
    assert key.redactor.redact(asked[-1]) == "**********"


# --- Copies and pickles -------------------------------------------------------------


@EACH_SERVICE
@PROTOCOL
async def test_a_pickle_holds_no_key(
    studio: Emulator, name: str, protocol: Protocol
) -> None:
    service = SERVICES[name]
    if "multimodal" in name and protocol == "openai":
        pytest.skip("the service has it on the native protocol only")
    instance = service.build(
        api_key=stored_key, base_url=studio.base_url, protocol=protocol
    )
    call = next(iter(service.calls.values()))
    await call(instance)
    pickled = pickle.dumps(instance)
    assert KEY.encode() not in pickled
    before = len(studio.requests)
    await call(pickle.loads(pickled))  # noqa: S301 - pickled above
    assert set(keys_of(studio)[before:]) == {f"Bearer {KEY}"}


@EACH_SERVICE
def test_a_function_that_cannot_be_pickled_is_not_lost(name: str) -> None:
    instance = SERVICES[name].build(api_key=Vault(KEY).key)
    with pytest.raises((ConfigurationError, TypeError)) as caught:
        pickle.dumps(instance)
    if name.startswith("LlamaIndex"):
        assert "define it at the top of a module" in str(caught.value)


@EACH_SERVICE
def test_copies_share_the_function(name: str) -> None:
    vault = Vault(KEY)
    instance = SERVICES[name].build(api_key=vault.key)
    for copied in (
        copy.copy(instance),
        copy.deepcopy(instance),
        instance.model_copy(),
        instance.model_copy(deep=True),
    ):
        assert copied.api_key == vault.key
    changed = instance.model_copy(update={"api_key": stored_key})
    assert changed.api_key is stored_key
    instance.api_key = KEY
    assert instance.api_key == SecretStr(KEY)


def test_models_with_one_function_share_their_connections(studio: Emulator) -> None:
    vault = Vault(KEY)
    for _ in range(3):
        model("LangChain", studio, api_key=vault.key).invoke("Hi")
    first, second = (
        model("LangChain", studio, api_key=key).resolved.connection
        for key in (vault.key, stored_key)
    )
    assert first == model("LangChain", studio, api_key=vault.key).resolved.connection
    assert first != second


# --- A cache of answers -------------------------------------------------------------


@PROTOCOL
def test_accounts_that_share_a_function_and_a_cache_share_no_answer(
    protocol: Protocol,
) -> None:
    with Emulator(api_key=KEY) as studio:
        llm = model(
            "LangChain", studio, protocol, api_key=tenant.get, cache=InMemoryCache()
        )
        tenant.set(KEY)
        assert llm.invoke("Hi").text == llm.invoke("Hi").text
        assert len(studio.requests) == 1
        tenant.set(OLD_KEY)
        with pytest.raises(AuthenticationError):
            llm.invoke("Hi")


@PROTOCOL
@pytest.mark.parametrize("is_global", [False, True])
async def test_an_async_call_with_a_cache_asks_in_another_thread(
    studio: Emulator, protocol: Protocol, is_global: bool
) -> None:
    vault = Vault(KEY, KEY, OLD_KEY)
    cache = InMemoryCache()
    own = None if is_global else cache
    if is_global:
        set_llm_cache(cache)
    try:
        llm = model("LangChain", studio, protocol, api_key=vault.key, cache=own)
        await llm.ainvoke("Hi")
        with pytest.raises(AuthenticationError):
            await llm.ainvoke("Hi")
    finally:
        set_llm_cache(None)
    # Each call asks for the look-up, and for its request.
    assert len(vault.threads) == 4
    assert threading.get_ident() not in vault.threads


@PROTOCOL
async def test_accounts_of_concurrent_calls_share_no_cached_answer(
    studio: Emulator, protocol: Protocol
) -> None:
    cache = InMemoryCache()
    llm = model("LangChain", studio, protocol, api_key=tenant.get, cache=cache)
    refused: list[int] = []

    async def ask(number: int) -> None:
        tenant.set(KEY if number % 3 else OLD_KEY)
        try:
            assert (await llm.ainvoke("Hi")).text
        except AuthenticationError:
            refused.append(number)

    for _ in range(2):
        await asyncio.gather(*(asyncio.create_task(ask(n)) for n in range(9)))
    assert sorted(refused) == [0, 0, 3, 3, 6, 6]


@PROTOCOL
async def test_a_call_inside_of_a_call_has_its_own_account(
    studio: Emulator, protocol: Protocol
) -> None:
    """The account of the outer call is not used by the look-up of the inner one."""
    cache = InMemoryCache()
    llm = model("LangChain", studio, protocol, api_key=tenant.get, cache=cache)
    tenant.set(KEY)
    assert (await llm.ainvoke("Inner")).text

    errors: list[Exception] = []

    async def call_inside(_: object) -> None:
        token = tenant.set(OLD_KEY)
        try:
            llm.invoke("Inner")
        except AuthenticationError as error:
            errors.append(error)
        tenant.reset(token)

    hooks: dict[str, Any] = {"response": [call_inside]}
    async with http_library().AsyncClient(event_hooks=hooks) as client:
        arguments: dict[str, Any] = {"api_key": tenant.get, "cache": cache}
        arguments["http_async_client"] = client
        outer = model("LangChain", studio, protocol, **arguments)
        await outer.ainvoke("Outer")
    assert len(errors) == 1


# --- What is refused ----------------------------------------------------------------


def fail() -> str:
    raise LookupError(f"no entry for {KEY}")


async def key_later() -> str:
    return KEY


def await_later(key: str) -> Any:
    """Return a coroutine, of which the constructor cannot know."""

    async def later() -> str:
        return key

    return later()


class Later:
    async def __call__(self) -> str:
        return KEY


WRONG: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "an exception": (fail, "failed, so nothing was sent: LookupError: no entry"),
    "None": (lambda: None, "It returned None"),
    "an empty string": (lambda: "", "It returned an empty string"),
    "a line end": (lambda: f"{KEY}\n", "It returned another string"),
    "bytes": (KEY.encode, "It returned a value of type bytes"),
    "a coroutine": (partial(await_later, KEY), "an async function cannot be used"),
}


@pytest.mark.parametrize("wrong", WRONG)
@STYLE
@PROTOCOL
async def test_what_is_no_key_is_an_error_and_nothing_is_sent(
    studio: Emulator, wrong: str, style: CallStyle, protocol: Protocol
) -> None:
    function, text = WRONG[wrong]
    llm = model(style.framework, studio, protocol, api_key=function, max_retries=2)
    result = await collect_text(llm, style, "Hi")
    assert isinstance(result.error, ConfigurationError)
    assert text in result.error.message
    assert KEY not in result.error.message
    assert studio.requests == []


@pytest.mark.parametrize("function", [key_later, Later()], ids=["function", "object"])
def test_an_async_function_is_refused_at_construction(
    function: Callable[[], Any],
) -> None:
    for cls in (ChatModelStudio, ModelStudio, ModelStudioEmbeddings):
        with pytest.raises(ConfigurationError, match="api_key is an async function"):
            cls(model="qwen-plus", api_key=function)


def test_a_failure_of_the_function_is_the_cause(studio: Emulator) -> None:
    def find() -> str:
        raise LookupError("no entry")

    llm = model("LangChain", studio, api_key=find)
    with pytest.raises(ConfigurationError) as caught:
        llm.invoke("Hi")
    assert isinstance(caught.value.__cause__, LookupError)


@STYLE
@PROTOCOL
async def test_a_failure_that_shows_a_key_is_no_cause(
    studio: Emulator, style: CallStyle, protocol: Protocol
) -> None:
    keys = iter([studio.api_key])

    def get_key() -> str:
        if key := next(keys, None):
            return key
        raise RuntimeError("No refresh") from ValueError(f"of {studio.api_key}")

    llm = model(style.framework, studio, protocol, api_key=get_key)
    assert (await collect_text(llm, style, "Hi")).error is None
    result = await collect_text(llm, style, "Hi")
    assert isinstance(result.error, ConfigurationError)
    assert result.error.message.endswith("RuntimeError: No refresh")
    assert studio.api_key not in "".join(traceback.format_exception(result.error))
