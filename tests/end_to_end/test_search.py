"""Web search: sources are standard citations, on the native protocol only."""

from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.emulator import Emulator, Reply
from modelstudio_core.errors import ConfigurationError

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
        "url": it["url"],
        "title": it["title"],
        "extras": {"index": it["index"], "site_name": it["site_name"], "icon": ""},
    }
    for it in RESULTS
]
ASKED = [ChatMessage(role="user", content="Rain?")]
BLOCKS = [
    {"type": "reasoning", "reasoning": "Hm."},
    {"type": "text", "text": "It rains [1][2].", "annotations": ANNOTATIONS},
]


def connection(studio: Emulator, **arguments: Any) -> dict[str, Any]:
    reply = Reply(reasoning="Hm.", text="It rains [1][2].", search_results=RESULTS)
    studio.script(reply)
    return {
        "model": "qwen3.7-plus",
        "protocol": "dashscope",
        "base_url": studio.base_url,
        "api_key": studio.api_key,
        "enable_search": True,
        "search_options": {"enable_source": True},
        **arguments,
    }


def without_index(blocks: Any) -> list[dict[str, Any]]:
    return [{k: v for k, v in it.items() if k != "index"} for it in blocks]


def test_what_is_asked_for_is_sent(modelstudio_emulator: Emulator) -> None:
    ChatModelStudio(**connection(modelstudio_emulator)).invoke("Rain?")
    (request,) = modelstudio_emulator.requests
    assert request.body is not None
    assert request.body["parameters"]["enable_search"] is True
    assert request.body["parameters"]["search_options"] == {"enable_source": True}


@pytest.mark.parametrize("output_version", ["v0", "v1"])
def test_langchain_has_citations(
    modelstudio_emulator: Emulator, output_version: str
) -> None:
    at = connection(modelstudio_emulator, output_version=output_version)
    message = ChatModelStudio(**at).invoke("Rain?")
    assert message.content_blocks == BLOCKS
    assert message.additional_kwargs["search_results"] == RESULTS


@pytest.mark.parametrize("output_version", ["v0", "v1"])
def test_langchain_has_citations_in_streams(
    modelstudio_emulator: Emulator, output_version: str
) -> None:
    at = connection(modelstudio_emulator, output_version=output_version)
    first, *rest = ChatModelStudio(**at).stream("Rain?")
    for chunk in rest:
        first += chunk
    assert without_index(first.content_blocks) == BLOCKS
    assert first.additional_kwargs["search_results"] == RESULTS


@pytest.mark.filterwarnings("ignore:.*is in beta")
def test_langchain_has_citations_in_v3_events(modelstudio_emulator: Emulator) -> None:
    llm = ChatModelStudio(**connection(modelstudio_emulator))
    message = llm.stream_events("Rain?", version="v3").output
    assert without_index(message.content_blocks) == BLOCKS


async def test_llamaindex_keeps_what_was_found(modelstudio_emulator: Emulator) -> None:
    llm = ModelStudio(**connection(modelstudio_emulator))
    whole = await llm.achat(ASKED)
    assert whole.message.additional_kwargs["search_results"] == RESULTS
    *_, last = ModelStudio(**connection(modelstudio_emulator)).stream_chat(ASKED)
    assert last.message.additional_kwargs["search_results"] == RESULTS


def test_sources_on_the_other_protocol_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="protocol='dashscope'"):
        ChatModelStudio(
            model="qwen3.7-plus",
            api_key="k",
            search_options={"enable_source": True},
        )
