"""The constructor of both frameworks' classes: the same arguments, the same errors."""

import copy
import gc
import pickle
import warnings
import weakref
from typing import Any

import pytest
from pydantic import Field

import langchain_modelstudio
import llamaindex_modelstudio
from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.arguments import ServiceArguments
from modelstudio_core.emulator import Emulator
from modelstudio_core.errors import ConfigurationError, ModelDeprecationWarning
from tests.support.calls import CALL_STYLES, CallStyle, collect_text
from tests.support.internals import http_library
from tests.support.models import FRAMEWORKS, KEY, PROTOCOLS, Framework, Protocol, model

BOTH_FRAMEWORKS = pytest.mark.parametrize("framework", FRAMEWORKS)
BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", PROTOCOLS)
SYNC_AND_ASYNC = pytest.mark.parametrize(
    "is_async", [False, True], ids=["sync", "async"]
)
URL = "http://127.0.0.1:9"


class FastChat(ChatModelStudio):
    """A model with its own defaults."""

    model: str = "qwen3.7-plus"
    enable_thinking: bool | None = False
    temperature: float | None = 0.3
    timeout: float | tuple[float | None, float | None] | None = None
    max_retries: int = 0


class FastLLM(ModelStudio):
    """A model with its own defaults."""

    model: str = "qwen3.7-plus"
    enable_thinking: bool | None = False
    temperature: float | None = 0.3
    timeout: float | tuple[float | None, float | None] | None = None
    max_retries: int = 0


FAST: dict[Framework, type[FastChat | FastLLM]] = {
    "LangChain": FastChat,
    "LlamaIndex": FastLLM,
}


async def sent_body(llm: Any, studio: Emulator, *, is_async: bool) -> Any:
    if isinstance(llm, ChatModelStudio):
        await llm.ainvoke("Hi") if is_async else llm.invoke("Hi")
    else:
        await llm.acomplete("Hi") if is_async else llm.complete("Hi")
    body = studio.requests[-1].body
    return {"model": body["model"], **body.get("parameters", body)}


@pytest.mark.parametrize(
    "cls",
    [
        ChatModelStudio,
        ModelStudio,
        langchain_modelstudio.ModelStudioEmbeddings,
        langchain_modelstudio.ModelStudioImageGeneration,
        langchain_modelstudio.ModelStudioRerank,
        llamaindex_modelstudio.ModelStudioEmbedding,
        llamaindex_modelstudio.ModelStudioMultiModalEmbedding,
        llamaindex_modelstudio.ModelStudioRerank,
    ],
    ids=lambda cls: f"{cls.__module__.partition('_')[0]} {cls.__name__}",
)
@pytest.mark.parametrize("name", ["a-model\n", " a-model", "a\0model"])
def test_a_model_with_spaces_around_it_is_refused(
    cls: type[ServiceArguments], name: str
) -> None:
    arguments: dict[str, Any] = {"model": name, "api_key": KEY}
    with pytest.raises(ConfigurationError, match="strip it"):
        cls(**arguments)


@BOTH_PROTOCOLS
@pytest.mark.parametrize("style", CALL_STYLES, ids=str)
async def test_the_model_of_a_call_with_spaces_around_it_is_refused(
    modelstudio_emulator: Emulator, style: CallStyle, protocol: Protocol
) -> None:
    llm = model(style.framework, modelstudio_emulator, protocol)
    result = await collect_text(llm, style, "Hi", model_name="qwen-max\n")
    assert isinstance(result.error, ConfigurationError)
    assert "strip it" in result.error.message
    assert modelstudio_emulator.requests == []


@SYNC_AND_ASYNC
@BOTH_PROTOCOLS
@BOTH_FRAMEWORKS
async def test_the_defaults_of_a_subclass_are_sent(
    modelstudio_emulator: Emulator,
    framework: Framework,
    protocol: Protocol,
    is_async: bool,
) -> None:
    studio = modelstudio_emulator
    llm = FAST[framework](
        base_url=studio.base_url, api_key=studio.api_key, protocol=protocol
    )
    body = await sent_body(llm, studio, is_async=is_async)
    assert body["model"] == "qwen3.7-plus"
    assert body["enable_thinking"] is False
    assert body["temperature"] == 0.3
    connection = llm.resolved.connection
    assert (connection.read_timeout, connection.max_retries) == (None, 0)


@SYNC_AND_ASYNC
@BOTH_FRAMEWORKS
async def test_an_argument_has_precedence_over_the_default_of_a_subclass(
    modelstudio_emulator: Emulator, framework: Framework, is_async: bool
) -> None:
    studio = modelstudio_emulator
    llm = FAST[framework](
        model="qwen3.7-max",
        enable_thinking=True,
        temperature=None,
        base_url=studio.base_url,
        api_key=studio.api_key,
    )
    body = await sent_body(llm, studio, is_async=is_async)
    assert (body["model"], body["enable_thinking"]) == ("qwen3.7-max", True)
    assert "temperature" not in body


@BOTH_FRAMEWORKS
def test_copies_and_pickles_of_a_subclass_keep_its_defaults(
    framework: Framework,
) -> None:
    llm = FAST[framework](base_url=URL, api_key=KEY)
    for other in (
        copy.deepcopy(llm),
        llm.model_copy(),
        llm.model_copy(update={"temperature": 0.5}),
        pickle.loads(pickle.dumps(llm)),  # noqa: S301 - our own
    ):
        assert other.resolved.options.enable_thinking is False
        assert other.resolved.model.profile.id == "qwen3.7-plus"


@BOTH_FRAMEWORKS
def test_a_wrong_default_of_a_subclass_is_an_error(framework: Framework) -> None:
    cls = FAST[framework]

    class Wrong(cls):  # type: ignore[valid-type,misc]
        temperature: float | None = 3.0

    with pytest.raises(ConfigurationError, match=r"temperature must be in \[0, 2\)"):
        Wrong(base_url=URL, api_key=KEY)


@BOTH_FRAMEWORKS
def test_an_assignment_to_a_subclass_keeps_its_other_defaults(
    framework: Framework,
) -> None:
    llm = FAST[framework](base_url=URL, api_key=KEY)
    llm.temperature = 0.9
    assert llm.resolved.options.temperature == 0.9
    assert llm.resolved.options.enable_thinking is False


@BOTH_FRAMEWORKS
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"protocol": "grpc"}, r"'openai' .* or 'dashscope' .*got 'grpc'"),
        (
            {"enable_thinking": False, "thinking_budget": 100},
            "thinking_budget=100 has no effect while qwen3.7-plus does not think",
        ),
        (
            {"model": "qwen-plus", "thinking_budget": 100},
            "thinking_budget=100 has no effect while qwen-plus does not think",
        ),
        ({"timeout": "soon"}, "timeout must be a number of seconds"),
        ({"timeout": (1, 2, 3)}, "timeout must be a number of seconds"),
        ({"model": "text-embedding-v4"}, "embedding model"),
        ({"model": "qwen3-rerank"}, "rerank model"),
        ({"model": "wan2.6-t2i"}, "image"),
        ({"resolved_model": "x", "resolved": 1}, "Unknown argument"),
    ],
)
def test_bad_input_says_what_is_wrong(
    framework: Framework, arguments: dict[str, Any], message: str
) -> None:
    make: Any = model
    given = {"model": "qwen3.7-plus"} | arguments
    with pytest.raises(ConfigurationError, match=message) as caught:
        make(framework, URL, **given)
    assert KEY not in str(caught.value)


@BOTH_FRAMEWORKS
@BOTH_PROTOCOLS
def test_a_budget_needs_thinking_in_a_call_too(
    framework: Framework, protocol: Protocol
) -> None:
    llm: Any = model(framework, URL, protocol, model="qwen3.7-plus")
    call = llm.invoke if framework == "LangChain" else llm.complete
    with pytest.raises(ConfigurationError, match="has no effect while"):
        call("Hi", enable_thinking=False, thinking_budget=100)


@BOTH_FRAMEWORKS
def test_a_call_without_thinking_drops_the_budget_of_the_constructor(
    modelstudio_emulator: Emulator, framework: Framework
) -> None:
    llm: Any = model(
        framework, modelstudio_emulator, model="qwen3.7-plus", thinking_budget=100
    )
    call = llm.invoke if framework == "LangChain" else llm.complete
    call("Hi", enable_thinking=False)
    body = modelstudio_emulator.requests[-1].body
    assert body["enable_thinking"] is False
    assert "thinking_budget" not in body


@BOTH_FRAMEWORKS
def test_resolved_model_cannot_be_assigned(framework: Framework) -> None:
    llm = model(framework, URL, model="qwen3.7-plus")
    with pytest.raises(ConfigurationError, match="assign model"):
        llm.resolved_model = "qwen-plus"
    with pytest.raises(ConfigurationError, match="assign model"):
        llm.model_copy(update={"resolved_model": "qwen-plus"})
    assert llm.resolved_model == "qwen3.7-plus"
    llm.model = "qwen-plus"
    assert llm.resolved_model == "qwen-plus"


@BOTH_FRAMEWORKS
def test_a_replaced_model_is_logged_once(
    framework: Framework, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "modelstudio")
    with pytest.warns(ModelDeprecationWarning):
        llm = model(framework, URL, model="deepseek-r1")
    copy.deepcopy(llm)
    assert [r.message for r in caplog.records if r.name == "modelstudio"] == [
        "deepseek-r1 is replaced by qwen3.7-max"
    ]


@BOTH_FRAMEWORKS
def test_a_default_factory_of_a_subclass_is_called_once(framework: Framework) -> None:
    produced: list[float] = []

    def produce() -> float:
        produced.append(0.1 * (len(produced) + 1))
        return produced[-1]

    base: Any = FAST[framework]

    class Made(base):  # type: ignore[misc]
        temperature: float | None = Field(default_factory=produce)

    for _ in range(2):
        llm: Any = Made(base_url=URL, api_key=KEY)
        assert llm.temperature == llm.resolved.options.temperature == produced[-1]
    assert len(produced) == 2


@BOTH_FRAMEWORKS
def test_a_dynamic_subclass_is_not_kept_alive(framework: Framework) -> None:
    base: Any = FAST[framework]

    class Temporary(base):  # type: ignore[misc]
        pass

    Temporary(base_url=URL, api_key=KEY)
    reference = weakref.ref(Temporary)
    del Temporary
    gc.collect()
    gc.collect()
    assert reference() is None


@BOTH_FRAMEWORKS
def test_a_warning_that_is_an_error_leaves_a_consistent_model(
    framework: Framework,
) -> None:
    llm = model(framework, URL, model="qwen3.7-max")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ModelDeprecationWarning):
            llm.model = "deepseek-v3.2"
    assert llm.resolved_model == llm.resolved.model.profile.id
    assert llm.resolved.model.requested == llm.model


@BOTH_FRAMEWORKS
def test_a_deep_copy_with_changes_shares_a_users_client(framework: Framework) -> None:
    with http_library().Client() as client:
        llm = model(framework, URL, http_client=client)
        copied = llm.model_copy(update={"temperature": 0.5}, deep=True)
    assert copied.http_client is client
    assert copied.resolved.options.temperature == 0.5
    assert llm.resolved.options.temperature is None


# --- What a model says of itself ------------------------------------------------------


@BOTH_FRAMEWORKS
def test_repr_begins_with_model_region_mode_and_host(framework: Framework) -> None:
    arguments: dict[str, Any] = {"workspace": "ws-1", "base_url": None, "mode": "eu"}
    llm = model(framework, URL, **arguments, model="qwen3.7-plus", temperature=0.5)
    assert repr(llm).startswith(
        f"{type(llm).__name__}(model='qwen3.7-plus', region='eu-central-1', mode='eu',"
        " host='ws-1.eu-central-1.maas.aliyuncs.com',"
    )
    assert "temperature=0.5" in repr(llm)
    assert "resolved_model" not in repr(llm)
    assert len(repr(llm)) < 250
    llm = model(framework, URL, region="frankfurt")
    assert "region='eu-central-1', mode=None, host='127.0.0.1:9'" in repr(llm)
    assert str(llm) == repr(llm)[len(type(llm).__name__) + 1 : -1].replace(", ", " ")


HEADERS = ["Host", "HOST", "X-DashScope-WorkSpace", "x-dashscope-workspace"]


@BOTH_FRAMEWORKS
@pytest.mark.parametrize("name", HEADERS)
def test_default_headers_do_not_change_where_requests_go(
    framework: Framework, name: str
) -> None:
    with pytest.raises(ConfigurationError, match="default_headers must not contain"):
        model(framework, URL, default_headers={name: "elsewhere"})
    llm = model(framework, URL)
    with pytest.raises(ConfigurationError, match=r"pass (base_url|workspace)="):
        llm.default_headers = {name: "elsewhere"}


@BOTH_FRAMEWORKS
@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_only_a_gateway_gets_another_authorization(
    framework: Framework, name: str
) -> None:
    headers = {name: "Basic abc"}
    model(framework, URL, default_headers=headers)
    for base_url in (None, "https://dashscope.aliyuncs.com"):
        with pytest.raises(ConfigurationError, match="pass api_key="):
            model(framework, URL, base_url=base_url, default_headers=headers)
