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
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from langchain_core.load import dumps, loads
from langchain_core.runnables import ConfigurableField

import langchain_modelstudio
import llamaindex_modelstudio
import modelstudio_core
from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.arguments import ServiceArguments
from modelstudio_core.emulator import Emulator, Fault
from modelstudio_core.errors import (
    APIError,
    ConfigurationError,
    ModelDeprecationWarning,
    PolicyError,
)
from modelstudio_core.policy import Policy, set_policy
from tests.support.audit import audit_records
from tests.support.calls import CALL_STYLES, CallStyle, collect_text
from tests.support.internals import forget_clients, no_backoff
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Protocol, model
from tests.support.proxy import refusing_proxy

# --- What there is ------------------------------------------------------------------

SERVICES: Final[dict[str, tuple[type[ServiceArguments], ...]]] = {
    "modelstudio_core.chat.calls": (ChatModelStudio, ModelStudio),
}
CLASSES: Final[dict[Framework, type[ServiceArguments]]] = {
    "LangChain": ChatModelStudio,
    "LlamaIndex": ModelStudio,
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
    assert found == {cls for classes in SERVICES.values() for cls in classes}


def test_every_module_that_sends_is_in_the_table() -> None:
    core = Path(modelstudio_core.__file__).parent
    senders = ("modelstudio_core.transport.send", "modelstudio_core.transport.fetch")
    found = {
        ".".join(path.relative_to(core.parent).with_suffix("").parts)
        for path in core.rglob("*.py")
        if path.parent.name != "transport"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module in senders
    }
    assert found == set(SERVICES)


# --- Ways to leave the policy -------------------------------------------------------

FRANKFURT: Final = {"region": "frankfurt", "mode": "eu", "workspace": "ws-1"}
EU: Final = Policy(regions=["frankfurt"], modes=["eu"])
QWEN: Final = Policy(models=["qwen*"])
Made = Callable[..., Any]
Call = dict[str, Any]


def build(framework: Framework, **arguments: Any) -> Any:
    defaults: dict[str, Any] = {
        "model": "qwen-plus",
        "api_key": "sk-0123456789",
        "max_retries": 0,
    }
    return CLASSES[framework](**defaults | arguments)


def assigned(llm: Any, **values: Any) -> Any:
    for name, value in values.items():
        setattr(llm, name, value)
    return llm


def subclass(framework: Framework, **defaults: Any) -> Any:
    members: dict[str, Any] = {
        **defaults,
        "__annotations__": dict.fromkeys(defaults, str | None),
        "__module__": __name__,
    }
    cls: Any = type("Custom", (CLASSES[framework],), members)
    return cls(model="qwen-plus", api_key="sk-0123456789", max_retries=0)


def pickled(framework: Framework, **arguments: Any) -> Any:
    """Return a model that was pickled by a process without a policy."""
    return pickle.loads(PICKLES[framework, tuple(sorted(arguments.items()))])  # noqa: S301 - our own


PATH: Final = ("langchain_modelstudio", "chat_models", "ChatModelStudio")
DUMP: Final = dumps(build("LangChain", region="singapore"))
PICKLES: Final = {
    (framework, tuple(sorted(arguments.items()))): pickle.dumps(
        build(framework, **arguments)
    )
    for framework in FRAMEWORKS
    for arguments in (
        {"region": "singapore"},
        {"region": "frankfurt", "workspace": "ws-1"},
        {"model": "glm-5.3", "region": "singapore"},
    )
}

# By name: what makes a model that would leave Frankfurt or its mode.
REGION_WAYS: Final[dict[str, Callable[[Framework], Any]]] = {
    "nothing": build,
    "region": lambda f: build(f, region="singapore"),
    "region without a mode": lambda f: build(f, region="frankfurt", workspace="ws-1"),
    "tokyo": lambda f: build(f, region="tokyo", workspace="ws-1"),
    "mode": lambda f: build(f, mode="international"),
    "another mode": lambda f: build(f, **FRANKFURT | {"mode": "global"}),
    "base_url": lambda f: build(f, base_url="https://dashscope.aliyuncs.com"),
    "base_url of a workspace": lambda f: build(
        f, base_url="https://ws-1.cn-beijing.maas.aliyuncs.com"
    ),
    "base_url elsewhere, declared": lambda f: build(
        f, **FRANKFURT, base_url="https://gateway.example.com"
    ),
    "assignment": lambda f: assigned(
        build(f, **FRANKFURT), mode=None, region="singapore"
    ),
    "assignment of mode": lambda f: assigned(build(f, **FRANKFURT), mode="global"),
    "copy": lambda f: build(f, **FRANKFURT).model_copy(
        update={"region": "singapore", "mode": None}
    ),
    "subclass": lambda f: subclass(f, region="singapore"),
    "pickle": lambda f: pickled(f, region="singapore"),
    "pickle without a mode": lambda f: pickled(f, region="frankfurt", workspace="ws-1"),
}
LANGCHAIN_REGION_WAYS: Final[dict[str, Callable[[], Any]]] = {
    "configurable_fields": lambda: (
        build("LangChain", **FRANKFURT)
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
    "fallback": lambda: build("LangChain", **FRANKFURT, base_url=None).with_fallbacks(
        [pickled("LangChain", region="singapore")],
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


async def attempt(make: Callable[[], Any], style: CallStyle) -> Exception | None:
    """Make a model and call it; return the error of either."""
    try:
        llm = make()
    except ConfigurationError as error:
        return error
    return (await collect_text(llm, style, "Hello")).error


def style_of(framework: Framework) -> CallStyle:
    return next(style for style in CALL_STYLES if style.framework == framework)


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("way", REGION_WAYS)
async def test_no_way_leaves_the_region_and_the_mode(
    framework: Framework, way: str, proxy: list[str]
) -> None:
    make = REGION_WAYS[way]
    outside = await attempt(lambda: make(framework), style_of(framework))
    assert not isinstance(outside, ConfigurationError)
    assert len(proxy) == 1
    set_policy(EU)
    error = await attempt(lambda: make(framework), style_of(framework))
    assert isinstance(error, PolicyError)
    assert len(proxy) == 1


@pytest.mark.filterwarnings("ignore:The function `loads` is in beta")
@pytest.mark.parametrize("way", LANGCHAIN_REGION_WAYS)
async def test_no_way_of_langchain_leaves_the_region(
    way: str, proxy: list[str]
) -> None:
    make = LANGCHAIN_REGION_WAYS[way]
    await attempt(make, style_of("LangChain"))
    assert any("ap-southeast-1" in host or "intl" in host for host in proxy)
    proxy.clear()
    set_policy(EU)
    error = await attempt(make, style_of("LangChain"))
    assert error is not None
    assert not any("ap-southeast-1" in host or "intl" in host for host in proxy)


@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_every_call_style_is_bounded(
    style: CallStyle, protocol: Protocol, proxy: list[str]
) -> None:
    """A model that is older than the policy is refused at its next request."""
    inside = build(style.framework, **FRANKFURT, protocol=protocol)
    outside = build(style.framework, region="singapore", protocol=protocol)
    set_policy(EU)
    error = (await collect_text(outside, style, "Hello")).error
    assert isinstance(error, PolicyError)
    assert (proxy, error.is_retryable) == ([], False)
    await collect_text(inside, style, "Hello")
    assert [host.partition(":")[0] for host in proxy] == [
        "ws-1.eu-central-1.maas.aliyuncs.com"
    ]


# --- Models -------------------------------------------------------------------------

MODEL_WAYS: Final[dict[str, Callable[[Framework, Made], tuple[Any, Call]]]] = {
    "constructor": lambda _, m: (m(model="glm-5.3"), {}),
    "call": lambda _, m: (m(), {"model": "glm-5.3"}),
    "assignment": lambda _, m: (assigned(m(), model="glm-5.3"), {}),
    "copy": lambda _, m: (m().model_copy(update={"model": "glm-5.3"}), {}),
    "replacement": lambda _, m: (
        m(model="deepseek-r1", replacements={"deepseek-r1": "glm-5.3"}),
        {},
    ),
    "replacement in a call": lambda _, m: (
        m(),
        {"model": "deepseek-r1", "replacements": {"deepseek-r1": "glm-5.3"}},
    ),
    "delisted model": lambda _, m: (
        m(model="deepseek-v3", deprecated_models="keep"),
        {},
    ),
}
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


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("way", MODEL_WAYS)
@pytest.mark.filterwarnings("ignore::modelstudio_core.errors.ModelDeprecationWarning")
def test_no_way_sends_another_model(
    framework: Framework, protocol: Protocol, way: str, modelstudio_emulator: Emulator
) -> None:
    def run() -> None:
        llm, arguments = MODEL_WAYS[way](framework, make)
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


# --- Addresses, retries and redirects -----------------------------------------------


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
    modelstudio_emulator.script(*[Fault(status=500, code="internal_error")] * 3)
    try:
        llm = model(style.framework, modelstudio_emulator, protocol, max_retries=3)
        error = (await collect_text(llm, style, "Hello")).error
    finally:
        logger.removeHandler(handler)
    assert isinstance(error, PolicyError)
    assert len(modelstudio_emulator.requests) == 1
    assert [record["status"] for record in audit_records(caplog)] == [500]
