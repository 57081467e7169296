"""A deep agent with a schema for its answer: bounded requests, and the schema filled.

deepagents is not a development dependency: it needs the SDKs of other vendors. The test
runs where it is installed.
"""

from typing import Any

import pytest
from pydantic import BaseModel

from modelstudio_core.emulator import Emulator, Reply, ToolCall
from tests.support.models import PROTOCOLS, Protocol, model

deepagents: Any = pytest.importorskip(
    "deepagents", reason="deepagents is not installed: pip install deepagents"
)

pytestmark = pytest.mark.filterwarnings("default")

# By name: a model that can be forced to call a tool, one that always thinks.
MODELS = ["qwen-plus", "deepseek-v4-pro", "glm-5.3"]


class Report(BaseModel):
    """A report on the weather."""

    city: str


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"Rain in {city}."


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", MODELS)
async def test_a_deep_agent_fills_its_schema(
    modelstudio_emulator: Emulator, protocol: Protocol, name: str, is_async: bool
) -> None:
    modelstudio_emulator.script(
        Reply(reasoning="Look.", tool_calls=[ToolCall("weather", {"city": "Oslo"})]),
        Reply(tool_calls=[ToolCall("Report", {"city": "Oslo"})]),
    )
    llm = model("LangChain", modelstudio_emulator, protocol, model=name)
    agent = deepagents.create_deep_agent(
        model=llm, tools=[weather], response_format=Report
    )
    question = {"messages": [("user", "The weather of Oslo?")]}
    result = await agent.ainvoke(question) if is_async else agent.invoke(question)
    assert result["structured_response"] == Report(city="Oslo")
    assert len(modelstudio_emulator.requests) == 2


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_deep_agent_ends_without_a_script(
    modelstudio_emulator: Emulator, protocol: Protocol
) -> None:
    """With each of its own tools: files, todos and sub-agents."""
    llm = model("LangChain", modelstudio_emulator, protocol, model="qwen-plus")
    agent = deepagents.create_deep_agent(
        model=llm, tools=[weather], response_format=Report
    )
    result = agent.invoke(
        {"messages": [("user", "The weather of Oslo?")]}, {"recursion_limit": 60}
    )
    assert isinstance(result["structured_response"], Report)
    assert len(modelstudio_emulator.requests) <= 30
