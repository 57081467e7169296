"""Web search: its sources are citations, on the native protocol only."""

from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage

from langchain_modelstudio import ChatModelStudio
from modelstudio_core.emulator import Emulator, Reply
from modelstudio_core.errors import ConfigurationError
from tests.end_to_end.field.sent import bodies, parameters
from tests.support.calls import add_chunks
from tests.support.models import FRAMEWORKS, PROTOCOLS, Framework, Protocol, model
from tests.support.responses import without_index

RESULTS = [
    {
        "index": 1,
        "title": "Oslo",
        "url": "https://oslo.example",
        "site_name": "O",
        "icon": "",
    },
    {
        "index": 2,
        "title": "Rain",
        "url": "https://rain.example",
        "site_name": "R",
        "icon": "",
    },
]
ANNOTATIONS = [
    {
        "type": "citation",
        "url": result["url"],
        "title": result["title"],
        "extras": {
            "index": result["index"],
            "site_name": result["site_name"],
            "icon": "",
        },
    }
    for result in RESULTS
]
MESSAGES = [ChatMessage(role="user", content="Rain?")]
BLOCKS = [
    {"type": "reasoning", "reasoning": "Hm."},
    {"type": "text", "text": "It rains [1][2].", "annotations": ANNOTATIONS},
]


SEARCH = {"enable_search": True, "search_options": {"enable_source": True}}


@pytest.fixture(autouse=True)
def scripted(modelstudio_emulator: Emulator) -> Iterator[None]:
    """Let the emulator answer up to two requests with search results."""
    reply = Reply(reasoning="Hm.", text="It rains [1][2].", search_results=RESULTS)
    modelstudio_emulator.script(reply, reply)
    yield
    modelstudio_emulator.clear_script()


def langchain_model(emulator: Emulator, **arguments: Any) -> ChatModelStudio:
    given: dict[str, Any] = {"model": "qwen3.7-plus", **SEARCH, **arguments}
    return model("LangChain", emulator, "dashscope", **given)


def test_the_search_options_are_sent(modelstudio_emulator: Emulator) -> None:
    langchain_model(modelstudio_emulator).invoke("Rain?")
    (request,) = modelstudio_emulator.requests
    assert request.body is not None
    assert request.body["parameters"]["enable_search"] is True
    assert request.body["parameters"]["search_options"] == {"enable_source": True}


@pytest.mark.parametrize("output_version", ["v0", "v1"])
def test_langchain_has_citations(
    modelstudio_emulator: Emulator, output_version: str
) -> None:
    llm = langchain_model(modelstudio_emulator, output_version=output_version)
    message = llm.invoke("Rain?")
    assert message.content_blocks == BLOCKS
    assert message.additional_kwargs["search_results"] == RESULTS


@pytest.mark.parametrize("output_version", ["v0", "v1"])
def test_langchain_has_citations_in_streams(
    modelstudio_emulator: Emulator, output_version: str
) -> None:
    llm = langchain_model(modelstudio_emulator, output_version=output_version)
    message = add_chunks(list(llm.stream("Rain?")))
    assert without_index(message.content_blocks) == BLOCKS
    assert message.additional_kwargs["search_results"] == RESULTS


@pytest.mark.filterwarnings("ignore:.*is in beta")
def test_langchain_has_citations_in_v3_events(modelstudio_emulator: Emulator) -> None:
    llm = langchain_model(modelstudio_emulator)
    message = llm.stream_events("Rain?", version="v3").output
    assert without_index(message.content_blocks) == BLOCKS


async def test_llamaindex_keeps_the_search_results(
    modelstudio_emulator: Emulator,
) -> None:
    given: dict[str, Any] = {"model": "qwen3.7-plus", **SEARCH}
    llm = model("LlamaIndex", modelstudio_emulator, "dashscope", **given)
    response = await llm.achat(MESSAGES)
    assert response.message.additional_kwargs["search_results"] == RESULTS
    *_, last = llm.stream_chat(MESSAGES)
    assert last.message.additional_kwargs["search_results"] == RESULTS


def test_sources_are_refused_on_the_openai_protocol() -> None:
    with pytest.raises(ConfigurationError, match="protocol='dashscope'"):
        ChatModelStudio(
            model="qwen3.7-plus",
            api_key="k",
            search_options={"enable_source": True},
        )


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
async def test_a_call_that_does_not_search_has_no_search_options(
    framework: Framework, protocol: Protocol, modelstudio_emulator: Emulator
) -> None:
    given: dict[str, Any] = {"search_options": {"forced_search": True}}
    with pytest.raises(ConfigurationError, match="without the web search"):
        model(framework, modelstudio_emulator, protocol, **given)
    llm: Any = model(
        framework, modelstudio_emulator, protocol, enable_search=True, **given
    )
    for options in ({}, {"enable_search": False}):
        if framework == "LangChain":
            await llm.ainvoke("Rain?", **options)
        else:
            await llm.acomplete("Rain?", **options)
    sent = [parameters(body) for body in bodies(modelstudio_emulator)]
    assert [body.get("search_options") for body in sent] == [
        {"forced_search": True},
        None,
    ]
    call = llm.invoke if framework == "LangChain" else llm.complete
    with pytest.raises(ConfigurationError, match="without the web search"):
        call("Rain?", enable_search=False, **given)
