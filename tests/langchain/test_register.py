"""``register()``: init_chat_model and init_embeddings know the provider."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

import pytest
from langchain.agents import create_agent

import langchain_modelstudio
from langchain_modelstudio import (
    ChatModelStudio,
    ModelStudioEmbeddings,
    _foreign,
    register,
)
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError

PACKAGES: Final = ("langchain", "langchain_classic")
pytestmark = pytest.mark.filterwarnings(
    "ignore:The function `init_chat_model` was deprecated in LangChain"
)
EACH_PACKAGE: Final = pytest.mark.parametrize("package", PACKAGES)


def base(package: str, folder: str) -> Any:
    return importlib.import_module(f"{package}.{folder}.base")


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what ``register`` changes."""
    for folder in ("chat_models", "embeddings"):
        new, old = base("langchain", folder), base("langchain_classic", folder)
        table = dict(new._BUILTIN_PROVIDERS)
        monkeypatch.setattr(new, "_BUILTIN_PROVIDERS", table)
        monkeypatch.setattr(
            old, "_SUPPORTED_PROVIDERS", old._SUPPORTED_PROVIDERS.copy()
        )
        for name in ("_init_chat_model_helper", "init_embeddings"):
            for holder in (old, importlib.import_module(f"langchain_classic.{folder}")):
                if name in vars(holder):
                    monkeypatch.setattr(holder, name, vars(holder)[name])
    clear_caches()


def clear_caches() -> None:
    base("langchain", "chat_models")._get_chat_model_creator.cache_clear()
    base("langchain", "embeddings")._get_embeddings_class_creator.cache_clear()


def function(package: str, folder: str, name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(
        importlib.import_module(f"{package}.{folder}"), name
    )
    return found


def connection(studio: Emulator) -> dict[str, str]:
    return {"base_url": studio.base_url, "api_key": studio.api_key}


@EACH_PACKAGE
def test_a_chat_model_by_its_name(package: str, modelstudio_emulator: Emulator) -> None:
    init_chat_model = function(package, "chat_models", "init_chat_model")
    with pytest.raises(ValueError, match="modelstudio"):
        init_chat_model("modelstudio:deepseek-v4-pro")
    register()
    register()
    llm = init_chat_model(
        "modelstudio:deepseek-v4-pro",
        temperature=0.5,
        **connection(modelstudio_emulator),
    )
    assert type(llm) is ChatModelStudio
    assert llm.invoke("Hi").text
    body = modelstudio_emulator.requests[0].body
    assert (body["model"], body["temperature"]) == ("deepseek-v4-pro", 0.5)


@EACH_PACKAGE
@pytest.mark.parametrize(
    "arguments",
    [
        {"model": "kimi/kimi-k3", "model_provider": "modelstudio"},
        {"model": "kimi/kimi-k3", "model_provider": "ModelStudio"},
        {"model": "modelstudio:kimi/kimi-k3"},
    ],
)
def test_ids_with_a_slash_and_the_provider_apart(
    package: str, arguments: dict[str, str]
) -> None:
    register()
    init_chat_model = function(package, "chat_models", "init_chat_model")
    llm = init_chat_model(**arguments, api_key="sk-0123456789", region="beijing")
    assert (type(llm), llm.model) == (ChatModelStudio, "kimi/kimi-k3")


@EACH_PACKAGE
def test_a_configurable_model(package: str, modelstudio_emulator: Emulator) -> None:
    register()
    init_chat_model = function(package, "chat_models", "init_chat_model")
    llm = init_chat_model(**connection(modelstudio_emulator))
    config = {"configurable": {"model": "modelstudio:qwen-plus"}}
    assert llm.invoke("Hi", config=config).text
    assert modelstudio_emulator.requests[0].body["model"] == "qwen-plus"


@EACH_PACKAGE
@pytest.mark.parametrize("apart", [False, True])
def test_embeddings_by_their_name(
    package: str, apart: bool, modelstudio_emulator: Emulator
) -> None:
    register()
    init_embeddings = function(package, "embeddings", "init_embeddings")
    name, provider = "text-embedding-v4", {"provider": "modelstudio"}
    if not apart:
        name, provider = f"modelstudio:{name}", {}
    arguments = connection(modelstudio_emulator)
    embeddings = init_embeddings(name, **provider, dimensions=64, **arguments)
    assert type(embeddings) is ModelStudioEmbeddings
    assert len(embeddings.embed_query("Hi")) == 64


def test_an_agent_by_its_name(
    modelstudio_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    register()
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-0123456789")
    agent = create_agent("modelstudio:qwen-plus", [])
    assert agent is not None
    assert modelstudio_emulator.requests == []


@EACH_PACKAGE
def test_the_other_providers_are_as_before(package: str) -> None:
    register()
    init_chat_model = function(package, "chat_models", "init_chat_model")
    with pytest.raises(ImportError, match=r"langchain.anthropic"):
        init_chat_model("anthropic:claude-sonnet-5", api_key="x")
    init_embeddings = function(package, "embeddings", "init_embeddings")
    with pytest.raises(ImportError, match="langchain-cohere"):
        init_embeddings("cohere:embed-v4")
    for arguments in ({"model": ""}, {"model": "x"}):
        with pytest.raises(ValueError):  # noqa: PT011 - LangChain's own, unchanged
            init_embeddings(**arguments)


def test_an_entry_of_langchain_is_not_replaced() -> None:
    table = base("langchain", "chat_models")._BUILTIN_PROVIDERS
    table["modelstudio"] = entry = ("langchain_x", "ChatX", lambda cls, **_: cls())
    register()
    assert table["modelstudio"] is entry


@EACH_PACKAGE
@pytest.mark.parametrize("folder", ["chat_models", "embeddings"])
@pytest.mark.parametrize("changed", [None, ["openai"]])
def test_a_table_that_has_changed_is_an_error_with_a_way_out(
    package: str, folder: str, changed: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "_BUILTIN_PROVIDERS" if package == "langchain" else "_SUPPORTED_PROVIDERS"
    if changed is None:
        monkeypatch.delattr(base(package, folder), name)
    else:
        monkeypatch.setattr(base(package, folder), name, changed)
    cls = "ChatModelStudio" if folder == "chat_models" else "ModelStudioEmbeddings"
    with pytest.raises(ConfigurationError, match=rf"Use {cls}\(model='"):
        register()


def test_without_langchain_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_foreign, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match=r"modelstudio-integrations\[agents\]"):
        register()


@pytest.mark.parametrize("missing", PACKAGES)
def test_one_of_the_two_packages_is_enough(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str) -> ModuleType | None:
        return None if name == missing else sys

    monkeypatch.setattr(_foreign, "find_spec", find)
    register()
    (present,) = set(PACKAGES) - {missing}
    init_chat_model = function(present, "chat_models", "init_chat_model")
    assert init_chat_model("modelstudio:qwen-plus", api_key="sk-0123456789")


def test_an_import_registers_nothing() -> None:
    code = (
        "import sys, langchain_modelstudio;"
        "assert 'langchain' not in sys.modules, 'langchain';"
        "from langchain.chat_models.base import _BUILTIN_PROVIDERS as table;"
        "assert 'modelstudio' not in table"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - the code above


def test_it_is_a_public_name() -> None:
    assert langchain_modelstudio.register is register


def test_a_chat_model_does_not_import_the_other_classes() -> None:
    script = (
        "import sys; from langchain_modelstudio import ChatModelStudio;"
        "assert 'langchain_modelstudio.embeddings' not in sys.modules;"
        "assert 'langchain_modelstudio.rerank' not in sys.modules;"
        "from langchain_modelstudio import ModelStudioEmbeddings, ModelStudioRerank;"
        "from langchain_modelstudio import *; print(ModelStudioRerank.__name__)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert done.stdout == "ModelStudioRerank\n", done.stderr
