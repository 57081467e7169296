"""A key that is passed as another argument appears in no error, whatever the class."""

import traceback
import warnings
from collections.abc import Callable
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import BaseModel

import langchain_modelstudio
import llamaindex_modelstudio
from langchain_modelstudio import batches as langchain_batches
from langchain_modelstudio.bulk import ChatMapper
from langchain_modelstudio.cache import SQLiteAnswerCache
from llamaindex_modelstudio import batches as llamaindex_batches
from modelstudio_core import batches, tasks
from modelstudio_core.connection_arguments import ConnectionArguments
from modelstudio_core.errors import ConfigurationError, PolicyError
from modelstudio_core.limits import RateLimit
from modelstudio_core.policy import Policy, set_policy
from tests.support.models import KEY, model

# The models that the classes need.
MODELS: Final[dict[type[Any], str]] = {
    langchain_modelstudio.ChatModelStudio: "qwen-plus",
    langchain_modelstudio.ModelStudioEmbeddings: "text-embedding-v4",
    langchain_modelstudio.ModelStudioImageGeneration: "wan2.6-t2i",
    langchain_modelstudio.ModelStudioRerank: "qwen3-rerank",
    llamaindex_modelstudio.ModelStudio: "qwen-plus",
    llamaindex_modelstudio.ModelStudioEmbedding: "text-embedding-v4",
    llamaindex_modelstudio.ModelStudioMultiModalEmbedding: "qwen3-vl-embedding",
    llamaindex_modelstudio.ModelStudioRerank: "qwen3-rerank",
    llamaindex_modelstudio.ModelStudioToolSpec: "wan2.6-t2i",
}
# Where a key is expected, and the headers, whose values are kept as secrets. LangChain
# itself warns of unknown fields of a profile, with their names.
EXPECTED: Final = {"api_key", "default_headers", "profile"}
VALUES: Final = (KEY, f"{KEY}!", f"Bearer {KEY}", [KEY], {KEY: KEY})
EACH_CLASS = pytest.mark.parametrize(
    "cls", MODELS, ids=lambda cls: f"{cls.__module__.partition('_')[0]}-{cls.__name__}"
)


def names_of(cls: type[Any]) -> list[str]:
    """Return the names of the arguments of a class, and some that do not exist."""
    if not issubclass(cls, BaseModel):
        own = {*signature(cls).parameters} - {"connection"}
        names = {*own, *ConnectionArguments.model_fields, "regoin", "api-key", KEY}
        return sorted(names - EXPECTED)
    aliases = [field.alias for field in cls.model_fields.values() if field.alias]
    names = {*cls.model_fields, *aliases, "regoin", "api-key", KEY}
    return sorted(names - EXPECTED)


def error_of(cls: type[Any], arguments: dict[str, Any]) -> Exception | None:
    """Return the error that the constructor raises, whichever it is."""
    try:
        cls(**arguments)
    except Exception as error:  # noqa: BLE001 - see above
        return error
    return None


def shown_by(error: BaseException) -> str:
    """Return what an error shows, with its causes."""
    return "".join([repr(error), *traceback.format_exception(error)])


def test_every_public_class_is_tested() -> None:
    public = {
        getattr(package, name)
        for package in (langchain_modelstudio, llamaindex_modelstudio)
        for name in package.__all__
    }
    assert {value for value in public if isinstance(value, type)} == set(MODELS)


@EACH_CLASS
@pytest.mark.parametrize("known", [True, False], ids=["known key", "other key"])
def test_the_error_about_an_argument_repeats_no_key(
    cls: type[Any], known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is the one in use, or another one that looks like a key."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY if known else "sk-test")
    refused: set[str] = set()
    for name in names_of(cls):
        for value in VALUES:
            model = "model" if issubclass(cls, BaseModel) else "image_model"
            arguments = {model: MODELS[cls], "region": "singapore", name: value}
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                error = error_of(cls, arguments)
            if error is not None:
                refused.add(name)
                assert KEY not in shown_by(error), (name, value)
            assert not any(KEY in str(warning.message) for warning in caught), name
    assert {"region", "workspace", "mode", "timeout", "regoin"} <= refused


@EACH_CLASS
def test_the_error_about_an_argument_without_a_name_says_how_to_pass_it(
    cls: type[Any],
) -> None:
    with pytest.raises(TypeError) as caught:
        cls(KEY)
    if issubclass(cls, BaseModel):
        assert f"by name, such as {cls.__name__}(model=...)." in str(caught.value)
    assert KEY not in shown_by(caught.value)


# --- Functions, and classes that are no services --------------------------------------


def uses_of(cls: type[Any], directory: Path) -> dict[str, Callable[[Any], object]]:
    """Return functions that pass a value as an argument of a run, by its name."""
    framework: Any = "LlamaIndex" if "llama" in cls.__module__ else "LangChain"
    llm = model(framework, "http://127.0.0.1:9")
    run = cls.prepare(llm, ["Hi"], directory)

    def open_with(name: str, value: object) -> None:
        cls.open(directory, api_key=KEY, **{name: value})

    opened = ("region", "mode", "workspace", "base_url", "timeout", "max_retries")
    return {
        **{f"open {name}": partial(open_with, name) for name in opened},
        "open directory": lambda value: cls.open([value], api_key=KEY),
        "prepare directory": lambda value: cls.prepare(llm, ["Hi"], [value]),
        "prepare completion_window": lambda value: cls.prepare(
            llm, ["Hi"], directory, completion_window=value
        ),
        "prepare arguments": lambda value: cls.prepare(
            llm, ["Hi"], directory, arguments={"temperature": value}
        ),
        "collect timeout": lambda value: run.collect(timeout=value),
        "collect poll_interval": lambda value: run.collect(poll_interval=value),
    }


@pytest.mark.parametrize(
    "cls",
    [batches.BatchRun, langchain_batches.BatchRun, llamaindex_batches.BatchRun],
    ids=lambda cls: str(cls.__module__),
)
def test_a_run_of_batches_repeats_no_key(cls: type[Any], tmp_path: Path) -> None:
    for name, use in uses_of(cls, tmp_path / "run").items():
        for value in VALUES:
            with pytest.raises(ConfigurationError) as caught:
                use(value)
            assert KEY not in shown_by(caught.value), (name, value)


def chat_langchain() -> Any:
    return model("LangChain", "http://127.0.0.1:9")


TASK: Final = tasks.Task.from_id("t-1", model="wan2.6-t2i", api_key=KEY)
OTHERS: Final[dict[str, Callable[[Any], object]]] = {
    "timeout of a task": lambda value: TASK.result(timeout=value),
    "poll_interval of a task": lambda value: TASK.result(poll_interval=value),
    "status of a list": lambda value: tasks.list_tasks(api_key=KEY, status=value),
    "the regions of a policy": lambda value: Policy(regions=value),
    "the n of a call": lambda value: model("LlamaIndex", "http://127.0.0.1:9").complete(
        "Hi", n=value
    ),
    "tool_choice": lambda value: chat_langchain().bind_tools(
        [{"name": "f", "parameters": {}}], tool_choice=value
    ),
    "the method of structured output": lambda value: (
        chat_langchain().with_structured_output({"title": "A"}, method=value)
    ),
    "a limit": lambda value: RateLimit(requests_per_minute=value),
    "the name of a limit": lambda value: RateLimit(
        requests_per_minute=1, name=f"{value}!"
    ),
    "a mapper": lambda value: ChatMapper({"model": "qwen-plus"}, max_concurrency=value),
    "the mode of a mapper": lambda value: ChatMapper({"mode": value}),
    "the cache of a mapper": lambda value: ChatMapper({}, cache=[value]),  # type: ignore[arg-type] # wrong
    "a cache": lambda value: SQLiteAnswerCache([value]),  # type: ignore[arg-type] # wrong
}


@pytest.mark.parametrize("name", OTHERS)
def test_nothing_else_repeats_a_key(name: str) -> None:
    for value in VALUES:
        with pytest.raises(ConfigurationError) as caught:
            OTHERS[name](value)
        assert KEY not in shown_by(caught.value), value


PRIVATE: Final = "a-key-of-another-form"


@pytest.mark.parametrize("key", [KEY, PRIVATE])
@EACH_CLASS
def test_the_error_of_a_policy_repeats_no_key(cls: type[Any], key: str) -> None:
    set_policy(Policy(models=["qwen-plus"], regions=["singapore"]))
    name = "model" if issubclass(cls, BaseModel) else "image_model"
    arguments = {"api_key": key, name: key}
    error = error_of(cls, arguments)
    assert isinstance(error, ConfigurationError)
    assert key not in shown_by(error)
    base_url = f"https://{key}.example.com"
    error = error_of(cls, {"api_key": key, name: MODELS[cls], "base_url": base_url})
    assert isinstance(error, PolicyError)
    assert key not in shown_by(error)


@pytest.mark.parametrize("key", [KEY, PRIVATE])
async def test_the_error_of_a_policy_about_a_call_repeats_no_key(key: str) -> None:
    set_policy(Policy(models=["qwen-plus"]))
    llm = langchain_modelstudio.ChatModelStudio(model="qwen-plus", api_key=key)
    with pytest.raises(PolicyError) as caught:
        llm.invoke("Hi", model=key)
    assert key not in shown_by(caught.value)
    with pytest.raises(PolicyError) as caught:
        await llm.ainvoke("Hi", model=key)
    assert key not in shown_by(caught.value)
    with pytest.raises(PolicyError) as caught:
        tasks.list_tasks(model=key, api_key=key)
    assert key not in shown_by(caught.value)
