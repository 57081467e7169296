"""Agents with a schema for their answer, whose model ends in words after its tools."""

from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from pydantic import BaseModel

from modelstudio_core.emulator import Emulator, Reply, ToolCall
from modelstudio_core.errors import ToolChoiceError
from tests.end_to_end.field.sent import bodies, messages, text_of
from tests.langchain.support import both_protocols
from tests.support.models import Protocol, model

pytestmark = pytest.mark.filterwarnings("ignore:.*an answer without a call is an error")

# Always thinks where tools are forced: ``auto`` stands in, and words may come instead.
NAME = "glm-5.3"
QUESTION: Any = {"messages": [("user", "The weather of Oslo?")]}
LOOK = Reply(tool_calls=[ToolCall("weather", {"city": "Oslo"}, id="call_oslo")])
WORDS = Reply(text="It rains in Oslo.")
REPORT = Reply(tool_calls=[ToolCall("Report", {"city": "Oslo"}, id="call_report")])


class Report(BaseModel):
    """A report on the weather."""

    city: str


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"Rain in {city}."


def new_agent(emulator: Emulator, protocol: Protocol, **arguments: Any) -> Any:
    llm = model("LangChain", emulator, protocol, model=NAME, **arguments)
    return create_agent(llm, [weather], response_format=Report)


async def run(agent: Any, kind: str) -> Any:
    if kind == "sync":
        return agent.invoke(QUESTION)
    return await agent.ainvoke(QUESTION)


each_kind = pytest.mark.parametrize("kind", ["sync", "async"])


@both_protocols
@each_kind
async def test_the_error_has_the_words_that_ended_the_run(
    modelstudio_emulator: Emulator, protocol: Protocol, kind: str
) -> None:
    modelstudio_emulator.script(LOOK, WORDS)
    with pytest.raises(ToolChoiceError) as caught:
        await run(new_agent(modelstudio_emulator, protocol), kind)
    received: Any = caught.value.message_received
    assert isinstance(received, AIMessage)
    assert received.text == "It rains in Oslo."
    assert len(modelstudio_emulator.requests) == 2
    assert messages(bodies(modelstudio_emulator)[1])[-1]["role"] == "tool"


@both_protocols
@each_kind
async def test_a_retry_asks_once_more_and_recovers(
    modelstudio_emulator: Emulator, protocol: Protocol, kind: str
) -> None:
    modelstudio_emulator.script(LOOK, WORDS, REPORT)
    agent = new_agent(modelstudio_emulator, protocol, forced_tool_choice_retries=1)
    result = await run(agent, kind)
    assert result["structured_response"] == Report(city="Oslo")
    assert len(modelstudio_emulator.requests) == 3
    assert not [m for m in result["messages"] if "It rains" in m.text]


@both_protocols
async def test_the_words_become_the_object_in_one_more_request(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    """The recipe of the README."""
    modelstudio_emulator.script(LOOK, WORDS)
    with pytest.raises(ToolChoiceError) as caught:
        await run(new_agent(modelstudio_emulator, protocol), "sync")
    received: Any = caught.value.message_received
    modelstudio_emulator.script(REPORT)
    llm = model("LangChain", modelstudio_emulator, protocol, model="qwen3.7-plus")
    extractor = llm.with_structured_output(Report)
    assert extractor.invoke(received.text) == Report(city="Oslo")
    assert len(modelstudio_emulator.requests) == 3
    sent = messages(bodies(modelstudio_emulator)[-1])
    assert "It rains in Oslo." in text_of(sent[-1])
