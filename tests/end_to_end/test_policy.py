"""Under a policy nothing outside of it is sent, whichever way it is asked for.

``SERVICES`` has every class and every module that sends requests; a new one must be
added. Each way of ``WAYS`` is tried without a policy first, where a request must reach
the proxy or the server: else it would prove nothing.
"""

import ast
import importlib
import logging
import pickle
import pkgutil
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from langchain_core.load import dumps, loads
from langchain_core.messages import HumanMessage
from langchain_core.runnables import ConfigurableField
from llama_index.core.base.llms.types import ChatMessage, ImageBlock
from llama_index.core.schema import NodeWithScore, TextNode

import langchain_modelstudio
import llamaindex_modelstudio
import modelstudio_core
from langchain_modelstudio import ChatModelStudio
from langchain_modelstudio import batches as langchain_batches
from llamaindex_modelstudio import ModelStudio
from llamaindex_modelstudio import batches as llamaindex_batches
from modelstudio_core import tasks
from modelstudio_core.arguments import ServiceArguments
from modelstudio_core.emulator import Emulator, Fault
from modelstudio_core.errors import (
    APIConnectionError,
    APIError,
    ConfigurationError,
    ModelDeprecationWarning,
    PolicyError,
)
from modelstudio_core.policy import Policy, set_policy
from tests.end_to_end.field.media_support import PNG_BYTES
from tests.support.audit import audit_records
from tests.support.calls import CALL_STYLES, CallStyle, collect_text, iterate
from tests.support.internals import forget_clients, no_backoff
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Protocol, model
from tests.support.proxy import refusing_proxy

# --- What there is ------------------------------------------------------------------


@dataclass(frozen=True)
class Service:
    """A class whose objects send requests.

    Attributes:
        cls: The class.
        model: A model of it, which the policies of the tests allow.
        other: Another one.
        calls: Ways to call an object: by name, coroutine functions.
    """

    cls: type[ServiceArguments]
    model: str
    other: str
    calls: Mapping[str, Callable[[Any], Awaitable[object]]]

    def build(self, **arguments: Any) -> Any:
        """Create an object with a key, without retries."""
        defaults: dict[str, Any] = {"model": self.model, **CONNECTION}
        return self.cls(**defaults | arguments)


CONNECTION: Final[dict[str, Any]] = {"api_key": "sk-0123456789", "max_retries": 0}
DOCUMENTS: Final = ["Hello", "World"]


def chat_calls(
    framework: Framework,
) -> dict[str, Callable[[Any], Awaitable[object]]]:
    async def one(style: CallStyle, llm: Any) -> None:
        async for _ in iterate(llm, style, "Hello"):
            pass

    styles = [style for style in CALL_STYLES if style.framework == framework]
    return {str(style): partial(one, style) for style in styles}


def both(
    name: str, *arguments: object
) -> dict[str, Callable[[Any], Awaitable[object]]]:
    """Return calls of a method and of its async version, ``a…``."""

    async def sync(instance: Any) -> object:
        return getattr(instance, name)(*arguments)

    async def asynchronous(instance: Any) -> object:
        return await getattr(instance, f"a{name}")(*arguments)

    return {name: sync, f"a{name}": asynchronous}


SERVICES: Final[dict[str, Service]] = {
    "LangChain chat": Service(
        ChatModelStudio, "qwen-plus", "glm-5.3", chat_calls("LangChain")
    ),
    "LlamaIndex chat": Service(
        ModelStudio, "qwen-plus", "glm-5.3", chat_calls("LlamaIndex")
    ),
    "LangChain embeddings": Service(
        langchain_modelstudio.ModelStudioEmbeddings,
        "text-embedding-v4",
        "text-embedding-v3",
        both("embed_query", "Hello") | both("embed_documents", DOCUMENTS),
    ),
    "LlamaIndex embeddings": Service(
        llamaindex_modelstudio.ModelStudioEmbedding,
        "text-embedding-v4",
        "text-embedding-v3",
        both("get_query_embedding", "Hello")
        | both("get_text_embedding_batch", DOCUMENTS),
    ),
    "LlamaIndex multimodal embeddings": Service(
        llamaindex_modelstudio.ModelStudioMultiModalEmbedding,
        "qwen3-vl-embedding",
        "multimodal-embedding-v1",
        both("get_text_embedding", "Hello"),
    ),
    "LangChain rerank": Service(
        langchain_modelstudio.ModelStudioRerank,
        "qwen3-rerank",
        "gte-rerank-v2",
        both("rerank", DOCUMENTS, "Hello"),
    ),
    "LangChain images": Service(
        langchain_modelstudio.ModelStudioImageGeneration,
        "qwen-image-2.0",
        "z-image-turbo",
        both("invoke", {"prompt": "A flower shop"}),
    ),
    "LlamaIndex rerank": Service(
        llamaindex_modelstudio.ModelStudioRerank,
        "qwen3-rerank",
        "gte-rerank-v2",
        both(
            "postprocess_nodes",
            [NodeWithScore(node=TextNode(text="Hello"))],
            None,
            "Hi",
        ),
    ),
}
CHAT: Final = [name for name in SERVICES if name.endswith("chat")]
EACH_SERVICE: Final = pytest.mark.parametrize("name", SERVICES)
# The modules that send requests: what is below them is reached by a class above.
SENDERS: Final = {
    "modelstudio_core.batches.run",
    "modelstudio_core.chat.calls",
    "modelstudio_core.embeddings.calls",
    "modelstudio_core.files",
    "modelstudio_core.model_list",
    "modelstudio_core.rerank",
    "modelstudio_core.tasks.calls",
    "modelstudio_core.tasks.listing",
    "modelstudio_core.tasks.outputs",
    "modelstudio_core.tasks.task",
    "modelstudio_core.uploads",
}


def test_every_class_is_in_the_table() -> None:
    found = {
        member
        for package in (langchain_modelstudio, llamaindex_modelstudio)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        for member in vars(importlib.import_module(module.name)).values()
        if isinstance(member, type) and issubclass(member, ServiceArguments)
        if member.__module__.startswith(package.__name__)
        and "._" not in member.__module__
    }
    assert found == {service.cls for service in SERVICES.values()}


def test_every_module_that_sends_is_in_the_table() -> None:
    core = Path(modelstudio_core.__file__).parent
    senders = {"send", "asend", "fetch", "afetch", "download", "adownload"}
    # Those that run procedures of several requests.
    senders |= {"run", "arun"}
    found = {
        ".".join(path.relative_to(core.parent).with_suffix("").parts)
        for path in core.rglob("*.py")
        if path.parent.name != "transport"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("modelstudio_core.transport.")
        and senders & {alias.name for alias in node.names}
    }
    assert found == SENDERS


# --- Ways to leave the policy -------------------------------------------------------

FRANKFURT: Final = {"region": "frankfurt", "mode": "eu", "workspace": "ws-1"}
EU: Final = Policy(regions=["frankfurt"], modes=["eu"])
Made = Callable[..., Any]
Call = dict[str, Any]


def assigned(llm: Any, **values: Any) -> Any:
    for name, value in values.items():
        setattr(llm, name, value)
    return llm


def subclass(service: Service, **defaults: Any) -> Any:
    members: dict[str, Any] = {
        **defaults,
        "__annotations__": dict.fromkeys(defaults, str | None),
        "__module__": __name__,
    }
    cls: Any = type("Custom", (service.cls,), members)
    return cls(model=service.model, **CONNECTION)


def pickled(service: Service, **arguments: Any) -> Any:
    """Return an object that was pickled by a process without a policy."""
    return pickle.loads(PICKLES[service.cls, tuple(sorted(arguments.items()))])  # noqa: S301 - our own


PATH: Final = ("langchain_modelstudio", "chat_models", "ChatModelStudio")
DUMP: Final = dumps(SERVICES["LangChain chat"].build(region="singapore"))
PICKLES: Final = {
    (service.cls, tuple(sorted(arguments.items()))): pickle.dumps(
        service.build(**arguments)
    )
    for service in SERVICES.values()
    for arguments in (
        {"region": "singapore"},
        {"region": "frankfurt", "workspace": "ws-1"},
    )
}

# By name: what makes a model that would leave Frankfurt or its mode.
REGION_WAYS: Final[dict[str, Callable[[Service], Any]]] = {
    "nothing": lambda s: s.build(),
    "region": lambda s: s.build(region="singapore"),
    "region without a mode": lambda s: s.build(region="frankfurt", workspace="ws-1"),
    "tokyo": lambda s: s.build(region="tokyo", workspace="ws-1"),
    "mode": lambda s: s.build(mode="international"),
    "another mode": lambda s: s.build(**FRANKFURT | {"mode": "global"}),
    "base_url": lambda s: s.build(base_url="https://dashscope.aliyuncs.com"),
    "base_url of a workspace": lambda s: s.build(
        base_url="https://ws-1.cn-beijing.maas.aliyuncs.com"
    ),
    "base_url elsewhere, declared": lambda s: s.build(
        **FRANKFURT, base_url="https://gateway.example.com"
    ),
    "assignment": lambda s: assigned(
        s.build(**FRANKFURT), mode=None, region="singapore"
    ),
    "assignment of mode": lambda s: assigned(s.build(**FRANKFURT), mode="global"),
    "copy": lambda s: s.build(**FRANKFURT).model_copy(
        update={"region": "singapore", "mode": None}
    ),
    "subclass": lambda s: subclass(s, region="singapore"),
    "pickle": lambda s: pickled(s, region="singapore"),
    "pickle without a mode": lambda s: pickled(s, region="frankfurt", workspace="ws-1"),
}
LANGCHAIN: Final = SERVICES["LangChain chat"]
LANGCHAIN_REGION_WAYS: Final[dict[str, Callable[[], Any]]] = {
    "configurable_fields": lambda: (
        LANGCHAIN.build(**FRANKFURT)
        .configurable_fields(
            region=ConfigurableField(id="region"), mode=ConfigurableField(id="mode")
        )
        .with_config(configurable={"region": "singapore", "mode": None})
    ),
    "load": lambda: loads(
        DUMP,
        secrets_map={"DASHSCOPE_API_KEY": "sk-0123456789"},
        valid_namespaces=["langchain_modelstudio"],
        additional_import_mappings={PATH: PATH},
        allowed_objects=[ChatModelStudio],
    ),
    "fallback": lambda: LANGCHAIN.build(**FRANKFURT).with_fallbacks(
        [pickled(LANGCHAIN, region="singapore")],
        exceptions_to_handle=(PolicyError, OSError),
    ),
}


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Generator[list[str]]:
    """The hosts that a proxy of the environment was asked for."""
    with refusing_proxy() as seen:
        monkeypatch.setenv("HTTPS_PROXY", seen.pop(0))
        for name in ("NO_PROXY", "no_proxy", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        forget_clients()
        yield seen
        forget_clients()


@pytest.fixture(name="no_backoff")
def _no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    no_backoff(monkeypatch)


async def attempt(make: Callable[[], Any], service: Service) -> Exception | None:
    """Create an object and call it; return the error of either."""
    call = next(iter(service.calls.values()))
    try:
        await call(make())
    except Exception as error:  # noqa: BLE001 - which error it is, is what is tested
        return error
    return None


@EACH_SERVICE
@pytest.mark.parametrize("way", REGION_WAYS)
async def test_no_way_leaves_the_region_and_the_mode(
    name: str, way: str, proxy: list[str]
) -> None:
    make, service = REGION_WAYS[way], SERVICES[name]
    outside = await attempt(lambda: make(service), service)
    assert not isinstance(outside, ConfigurationError)
    assert len(proxy) == 1
    set_policy(EU)
    error = await attempt(lambda: make(service), service)
    assert isinstance(error, PolicyError)
    assert len(proxy) == 1


@pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
@pytest.mark.parametrize("way", LANGCHAIN_REGION_WAYS)
async def test_no_way_of_langchain_leaves_the_region(
    way: str, proxy: list[str]
) -> None:
    make = LANGCHAIN_REGION_WAYS[way]
    await attempt(make, LANGCHAIN)
    assert any("ap-southeast-1" in host or "intl" in host for host in proxy)
    proxy.clear()
    set_policy(EU)
    error = await attempt(make, LANGCHAIN)
    assert error is not None
    assert not any("ap-southeast-1" in host or "intl" in host for host in proxy)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@EACH_SERVICE
async def test_every_call_is_bounded(
    name: str, protocol: Protocol, proxy: list[str]
) -> None:
    """An object that is older than the policy is refused at its next request."""
    service = SERVICES[name]
    if "multimodal" in name and protocol == "openai":
        pytest.skip("multimodal embeddings have the native protocol only")
    for call in service.calls.values():
        inside = service.build(**FRANKFURT, protocol=protocol)
        outside = service.build(region="singapore", protocol=protocol)
        set_policy(EU)
        with pytest.raises(PolicyError) as caught:
            await call(outside)
        assert (proxy, caught.value.is_retryable) == ([], False)
        with pytest.raises(APIConnectionError):
            await call(inside)
        hosts = {host.partition(":")[0] for host in proxy}
        assert hosts == {"ws-1.eu-central-1.maas.aliyuncs.com"}
        proxy.clear()
        set_policy(None)


# --- Models -------------------------------------------------------------------------

QWEN: Final = Policy(models=["qwen*"])
MODEL_WAYS: Final[dict[str, Callable[[Service, Made], Any]]] = {
    "constructor": lambda s, make: make(model=s.other),
    "assignment": lambda s, make: assigned(make(), model=s.other),
    "copy": lambda s, make: make().model_copy(update={"model": s.other}),
}
CHAT_MODEL_WAYS: Final[dict[str, Callable[[Made], tuple[Any, Call]]]] = {
    "call": lambda make: (make(), {"model": "glm-5.3"}),
    "replacement": lambda make: (
        make(model="deepseek-r1", replacements={"deepseek-r1": "glm-5.3"}),
        {},
    ),
    "replacement in a call": lambda make: (
        make(),
        {"model": "deepseek-r1", "replacements": {"deepseek-r1": "glm-5.3"}},
    ),
    "delisted model": lambda make: (
        make(model="deepseek-v3", deprecated_models="keep"),
        {},
    ),
}


def style_of(framework: Framework) -> CallStyle:
    return next(style for style in CALL_STYLES if style.framework == framework)


LANGCHAIN_MODEL_WAYS: Final[dict[str, Callable[[Made], Any]]] = {
    "bind": lambda m: m().bind(model="glm-5.3"),
    "configurable_fields": lambda m: (
        m()
        .configurable_fields(model=ConfigurableField(id="model"))
        .with_config(configurable={"model": "glm-5.3"})
    ),
    "fallback": lambda m: m(
        model="glm-5.3", base_url="http://127.0.0.1:9"
    ).with_fallbacks([m().bind(model="glm-5.3")]),
    "bind_tools": lambda m: m().bind_tools([], model="glm-5.3"),
}


def sent_models(studio: Emulator) -> list[str]:
    return [request.body["model"] for request in studio.requests]


@EACH_SERVICE
@pytest.mark.parametrize("way", MODEL_WAYS)
async def test_no_way_sends_another_model(
    name: str, way: str, modelstudio_emulator: Emulator
) -> None:
    service = SERVICES[name]
    arguments = {
        "base_url": modelstudio_emulator.base_url,
        "api_key": modelstudio_emulator.api_key,
    }
    make = partial(service.build, **arguments)
    assert await attempt(lambda: MODEL_WAYS[way](service, make), service) is None
    assert sent_models(modelstudio_emulator) == [service.other]
    set_policy(Policy(models=[service.model]))
    error = await attempt(lambda: MODEL_WAYS[way](service, make), service)
    assert isinstance(error, PolicyError)
    assert len(modelstudio_emulator.requests) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("way", CHAT_MODEL_WAYS)
@pytest.mark.filterwarnings("ignore::modelstudio_core.errors.ModelDeprecationWarning")
def test_no_way_of_chat_sends_another_model(
    framework: Framework, protocol: Protocol, way: str, modelstudio_emulator: Emulator
) -> None:
    def run() -> None:
        llm, arguments = CHAT_MODEL_WAYS[way](make)
        getattr(llm, style_of(framework).method("Hello"))("Hello", **arguments)

    def make(**arguments: Any) -> Any:
        return model(framework, modelstudio_emulator, protocol, **arguments)

    with suppress(APIError):
        run()
    assert len(modelstudio_emulator.requests) == 1
    set_policy(QWEN)
    with pytest.raises(PolicyError):
        run()
    assert len(modelstudio_emulator.requests) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("way", LANGCHAIN_MODEL_WAYS)
def test_no_way_of_langchain_sends_another_model(
    protocol: Protocol, way: str, modelstudio_emulator: Emulator
) -> None:
    def make(**arguments: Any) -> Any:
        return model(
            "LangChain",
            arguments.pop("base_url", None) or modelstudio_emulator,
            protocol,
            **arguments,
        )

    LANGCHAIN_MODEL_WAYS[way](make).invoke("Hello")
    assert sent_models(modelstudio_emulator) == ["glm-5.3"]
    set_policy(QWEN)
    with pytest.raises(PolicyError):
        LANGCHAIN_MODEL_WAYS[way](make).invoke("Hello")
    assert sent_models(modelstudio_emulator) == ["glm-5.3"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_the_replacement_of_a_delisted_model_is_what_counts(
    framework: Framework, modelstudio_emulator: Emulator
) -> None:
    set_policy(QWEN)
    with pytest.warns(ModelDeprecationWarning):
        llm = model(framework, modelstudio_emulator, model="deepseek-r1")
    assert (await collect_text(llm, style_of(framework), "Hello")).error is None
    assert sent_models(modelstudio_emulator) == ["qwen3.7-max"]
    set_policy(Policy(models=["deepseek-r1"]))
    with pytest.raises(PolicyError, match=r"qwen3\.7-max"):
        model(framework, modelstudio_emulator, model="deepseek-r1")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_extra_body_cannot_name_a_model(
    framework: Framework, protocol: Protocol, modelstudio_emulator: Emulator
) -> None:
    """Also without a policy; what is sent is checked in any case."""
    extra = {"model": "glm-5.3"}
    with pytest.raises(ConfigurationError):
        model(framework, modelstudio_emulator, protocol, extra_body=extra)
    llm = model(framework, modelstudio_emulator, protocol)
    style = style_of(framework)
    result = await collect_text(llm, style, "Hello", extra_body=extra)
    assert isinstance(result.error, ConfigurationError)
    assert modelstudio_emulator.requests == []


# --- Addresses, retries and redirects -----------------------------------------------


@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_redirect_does_not_leave_the_policy(
    style: CallStyle, protocol: Protocol, modelstudio_emulator: Emulator
) -> None:
    with Emulator() as other:
        modelstudio_emulator.script(Fault.redirect(f"{other.base_url}/api/v1"))
        llm = model(style.framework, modelstudio_emulator, protocol)
        set_policy(Policy(base_urls=[modelstudio_emulator.base_url]))
        error = (await collect_text(llm, style, "Hello")).error
        assert isinstance(error, APIError)
        assert (len(modelstudio_emulator.requests), other.requests) == (1, [])


@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_address_must_be_listed(
    style: CallStyle, protocol: Protocol, modelstudio_emulator: Emulator
) -> None:
    """A region and a mode that are only declared for it do not count."""
    with Emulator() as other:
        declared = {"region": "frankfurt", "mode": "eu"}
        listed = model(style.framework, modelstudio_emulator, protocol)
        unlisted = model(style.framework, other, protocol, **declared)
        origin = modelstudio_emulator.base_url
        set_policy(Policy(regions=["frankfurt"], modes=["eu"], base_urls=[origin]))
        assert (await collect_text(listed, style, "Hello")).error is None
        error = (await collect_text(unlisted, style, "Hello")).error
        assert isinstance(error, PolicyError)
        assert other.requests == []


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_an_upload_is_bounded(
    framework: Framework,
    protocol: Protocol,
    tmp_path: Path,
    modelstudio_emulator: Emulator,
) -> None:
    """Its model and its address count, from the request for its policy on."""
    path = tmp_path / "a.png"
    path.write_bytes(PNG_BYTES + bytes(12 * 2**20))
    arguments: dict[str, Any] = {"local_files": True, "upload_media": True}
    arguments["model"] = "qwen3.8-max"
    llm = model(framework, modelstudio_emulator, protocol, **arguments)
    send = llm.invoke if isinstance(llm, ChatModelStudio) else llm.chat
    message: Any = HumanMessage([{"type": "image", "url": str(path)}])
    if framework == "LlamaIndex":
        message = ChatMessage(role="user", blocks=[ImageBlock(path=path)])
    for policy in (Policy(models=["glm-*"]), Policy(base_urls=["http://127.0.0.1:9"])):
        set_policy(policy)
        with pytest.raises(PolicyError):
            send([message])
    assert modelstudio_emulator.requests == []
    set_policy(Policy(models=["qwen*"], base_urls=[modelstudio_emulator.base_url]))
    send([message])
    assert modelstudio_emulator.requests


# --- Batches ------------------------------------------------------------------------

RUNS: Final[Mapping[Framework, Any]] = {
    "LangChain": langchain_batches.BatchRun,
    "LlamaIndex": llamaindex_batches.BatchRun,
}
STEPS: Final = ("submit", "refresh", "collect", "cancel", "resume")


async def take_step(run: Any, step: str) -> None:
    if step.startswith("a"):
        await getattr(run, step)()
    else:
        getattr(run, step)()


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("step", [*STEPS, *(f"a{step}" for step in STEPS)])
async def test_no_step_of_a_batch_leaves_the_policy(
    framework: Framework, step: str, tmp_path: Path, modelstudio_emulator: Emulator
) -> None:
    """Also of a run that was prepared, and submitted, without a policy."""
    llm = model(framework, modelstudio_emulator)
    run = RUNS[framework].prepare(llm, ["Hi"], directory=tmp_path / "run")
    if "submit" not in step:
        run.submit()
    sent = len(modelstudio_emulator.requests)
    set_policy(Policy(base_urls=["http://127.0.0.1:9"]))
    opened = RUNS[framework].open(
        tmp_path / "run", api_key=modelstudio_emulator.api_key
    )
    for each in (run, opened):
        with pytest.raises(PolicyError):
            await take_step(each, step)
    assert len(modelstudio_emulator.requests) == sent


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    "policy", [Policy(models=["glm-*"]), Policy(base_urls=["http://127.0.0.1:9"])]
)
def test_a_run_outside_the_policy_is_refused_before_a_file_is_written(
    framework: Framework,
    policy: Policy,
    tmp_path: Path,
    modelstudio_emulator: Emulator,
) -> None:
    """Be it new or prepared before. What is on disk can be read."""
    llm = model(framework, modelstudio_emulator)
    embeddings = SERVICES[f"{framework} embeddings"].build(
        base_url=modelstudio_emulator.base_url
    )
    before = RUNS[framework].prepare(llm, ["Hi"], directory=tmp_path / "before")
    set_policy(policy)
    for directory, made in (("before", llm), ("chat", llm), ("vectors", embeddings)):
        with pytest.raises(PolicyError):
            RUNS[framework].prepare(made, ["Hi"], directory=tmp_path / directory)
    assert [path.name for path in tmp_path.iterdir()] == ["before"]
    opened = RUNS[framework].open(before.directory, api_key="sk-0123456789")
    assert [row.status for row in opened.results()] == ["pending"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_model_of_each_line_of_a_batch_counts(
    framework: Framework, tmp_path: Path, modelstudio_emulator: Emulator
) -> None:
    llm = model(framework, modelstudio_emulator)
    run = RUNS[framework].prepare(llm, ["Hi", "Bye"], directory=tmp_path / "run")
    set_policy(Policy(models=["qwen3*"]))
    with pytest.raises(PolicyError, match="qwen-plus"):
        run.submit()
    set_policy(QWEN)
    lines = tmp_path / "run" / "part-0001.jsonl"
    text = lines.read_text(encoding="utf-8")
    lines.write_text(text.replace("qwen-plus", "glm-5.3.2", 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="not the file that was prepared"):
        run.submit()
    assert modelstudio_emulator.requests == []


@pytest.mark.usefixtures("no_backoff")
@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_each_try_is_checked(
    style: CallStyle,
    protocol: Protocol,
    modelstudio_emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The policy may change between two tries; its error is not retried."""

    class Narrow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            del record
            set_policy(Policy(models=["deepseek-*"]))

    caplog.set_level(logging.INFO, "modelstudio.audit")
    handler = Narrow()
    logger = logging.getLogger("modelstudio.audit")
    logger.addHandler(handler)
    modelstudio_emulator.script(Fault(status=500, code="internal_error"))
    try:
        llm = model(style.framework, modelstudio_emulator, protocol, max_retries=3)
        error = (await collect_text(llm, style, "Hello")).error
    finally:
        logger.removeHandler(handler)
    assert isinstance(error, PolicyError)
    assert len(modelstudio_emulator.requests) == 1
    assert [record["status"] for record in audit_records(caplog)] == [500]


# --- Tasks --------------------------------------------------------------------------

STATE_OF: Final[dict[str, Any]] = {"model": "wan2.6-t2i", "prompt": "A flower shop"}
SINGAPORE: Final[dict[str, Any]] = {"region": "singapore", **CONNECTION}


def task_in(**arguments: Any) -> tasks.Task:
    return tasks.Task.from_id("t-1", model="wan2.6-t2i", **CONNECTION, **arguments)


async def listed(function: Callable[..., Any], **arguments: Any) -> object:
    found = function(**arguments)
    return await found if isinstance(found, Awaitable) else found


# By name: what would leave Frankfurt, made before the policy and then called.
TASK_WAYS: Final[dict[str, Callable[[], Callable[[], Any]]]] = {
    "submit": lambda: partial(tasks.submit, **STATE_OF, **SINGAPORE),
    "asubmit": lambda: partial(tasks.asubmit, **STATE_OF, **SINGAPORE),
    "submit without a mode": lambda: partial(
        tasks.submit, **STATE_OF, **CONNECTION, region="frankfurt", workspace="ws-1"
    ),
    "submit with a path": lambda: partial(
        tasks.submit,
        model="of-tomorrow",
        prompt="A",
        path="aigc/text2image/image-synthesis",
        **SINGAPORE,
    ),
    "refresh": lambda: task_in(region="singapore").refresh,
    "arefresh": lambda: task_in(region="singapore").arefresh,
    "result": lambda: partial(task_in(region="singapore").result, timeout=0),
    "aresult": lambda: partial(task_in(region="singapore").aresult, timeout=0),
    "cancel": lambda: task_in(region="singapore").cancel,
    "acancel": lambda: task_in(region="singapore").acancel,
    "list_tasks": lambda: partial(tasks.list_tasks, **SINGAPORE),
    "alist_tasks": lambda: partial(tasks.alist_tasks, **SINGAPORE),
    "from_dict": lambda: partial(
        lambda state: tasks.Task.from_dict(state, **CONNECTION).refresh(),
        task_in(region="singapore").to_dict(),
    ),
}


@pytest.mark.parametrize("way", TASK_WAYS)
async def test_no_task_leaves_the_region_and_the_mode(
    way: str, proxy: list[str]
) -> None:
    call = TASK_WAYS[way]()
    with pytest.raises(APIError):
        await listed(call)
    assert proxy
    proxy.clear()
    set_policy(EU)
    with pytest.raises(PolicyError) as caught:
        await listed(call)
    assert (proxy, caught.value.is_retryable) == ([], False)


# By name: what would reach tasks of any model, made with an id and a connection.
NAMELESS_WAYS: Final[dict[str, Callable[..., Callable[[], Any]]]] = {
    "list_tasks": lambda _, **c: partial(tasks.list_tasks, **c),
    "alist_tasks": lambda _, **c: partial(tasks.alist_tasks, **c),
    "from_id": lambda task_id, **c: partial(tasks.Task.from_id, task_id, **c),
    **{
        name: lambda task_id, name=name, **c: getattr(
            tasks.Task.from_id(task_id, **c), name
        )
        for name in ("refresh", "arefresh")
    },
    "from_dict": lambda task_id, **c: partial(
        tasks.Task.from_dict, tasks.Task.from_id(task_id, **c).to_dict(), **c
    ),
}


@pytest.mark.parametrize("way", NAMELESS_WAYS)
async def test_a_task_without_its_model_is_refused_where_models_are_bounded(
    way: str, modelstudio_emulator: Emulator
) -> None:
    arguments: dict[str, Any] = {
        "base_url": modelstudio_emulator.base_url,
        "api_key": modelstudio_emulator.api_key,
    }
    task = tasks.submit(**STATE_OF, **arguments)
    call = NAMELESS_WAYS[way](task.id, **arguments)
    await listed(call)
    count = len(modelstudio_emulator.requests)
    set_policy(Policy(models=["wan2.6-*"]))
    with pytest.raises(PolicyError, match=r"without a model id .*: pass model="):
        await listed(call)
    assert len(modelstudio_emulator.requests) == count
    tasks.Task.from_id(task.id, model=task.model, **arguments).refresh()
    (found,) = tasks.list_tasks(model=task.model, **arguments)
    assert found.open().id == task.id


def test_a_task_of_an_id_is_bound_within_the_policy(
    modelstudio_emulator: Emulator,
) -> None:
    arguments: dict[str, Any] = {
        "base_url": modelstudio_emulator.base_url,
        "api_key": modelstudio_emulator.api_key,
    }
    set_policy(EU)
    with pytest.raises(PolicyError, match="not a documented host"):
        tasks.Task.from_id("t-1", **arguments)


@pytest.mark.parametrize("way", ["refresh", "cancel"])
def test_the_model_of_a_task_is_bounded(
    way: str, modelstudio_emulator: Emulator
) -> None:
    arguments: dict[str, Any] = {
        "base_url": modelstudio_emulator.base_url,
        "api_key": modelstudio_emulator.api_key,
    }
    task = tasks.submit(**STATE_OF, **arguments)
    set_policy(Policy(models=["qwen*"]))
    count = len(modelstudio_emulator.requests)
    with pytest.raises(PolicyError):
        getattr(task, way)()
    with pytest.raises(PolicyError):
        tasks.submit(**STATE_OF, **arguments)
    with pytest.raises(PolicyError):
        tasks.Task.from_dict(task.to_dict(), **arguments)
    assert len(modelstudio_emulator.requests) == count


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.com/a.png",
        "https://oss-cn-beijing.aliyuncs.com.example.com/a.png",
        "https://user@bucket.oss-cn-beijing.aliyuncs.com/a.png",
        "http://127.0.0.1:9/a.png",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("style", ["sync", "async"])
async def test_a_file_is_downloaded_from_alibaba_cloud_only(
    url: str, style: str, proxy: list[str], tmp_path: Path
) -> None:
    task = task_in(region="singapore")
    state = task.to_dict() | {
        "status": "SUCCEEDED",
        "answer": {"files": [{"url": url}]},
    }
    result = tasks.Task.from_dict(state, **CONNECTION).result()
    download = result.download if style == "sync" else result.adownload
    with pytest.raises(ConfigurationError):
        await listed(partial(download, tmp_path))
    assert proxy == []


async def test_a_file_is_downloaded_over_https(
    proxy: list[str], tmp_path: Path
) -> None:
    url = "http://bucket.oss-cn-beijing.aliyuncs.com/a.png"
    state = task_in(region="singapore").to_dict() | {
        "status": "SUCCEEDED",
        "answer": {"files": [{"url": url}]},
    }
    set_policy(Policy(regions=["singapore"]))
    result = tasks.Task.from_dict(state, **CONNECTION).result()
    with pytest.raises(APIConnectionError):
        result.download(tmp_path)
    assert proxy == ["bucket.oss-cn-beijing.aliyuncs.com:443"]
