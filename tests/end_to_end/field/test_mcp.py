"""Agents with the tool of an MCP server that returns a text and an image."""

import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from llama_index.core.agent.workflow import FunctionAgent

from modelstudio_core.emulator import Emulator, Reply, ToolCall
from modelstudio_core.errors import ModelStudioWarning
from tests.llamaindex.support import IGNORE_AGENT_WARNINGS
from tests.support.models import PROTOCOLS, Protocol, model
from tests.support.picture_tool import PICTURE

# Both packages of the frameworks are development dependencies.
LANGCHAIN_MCP: Any = pytest.importorskip("langchain_mcp_adapters.client")
LLAMAINDEX_MCP: Any = pytest.importorskip("llama_index.tools.mcp")
ARGUMENTS = ["-m", "tests.support.picture_tool"]
ROOT = Path(__file__).parents[3]
VISION, TEXT_ONLY = "qwen3-vl-plus", "qwen-max"


def script(emulator: Emulator) -> None:
    emulator.script(
        Reply(tool_calls=[ToolCall("draw", {"subject": "a cat"})]),
        Reply(text="A cat."),
    )


def messages_of(emulator: Emulator) -> list[Any]:
    body: Any = emulator.requests[-1].body
    return list(body.get("input", body)["messages"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", [VISION, TEXT_ONLY])
async def test_a_langchain_agent_with_an_mcp_server(
    modelstudio_emulator: Emulator, protocol: Protocol, name: str
) -> None:
    script(modelstudio_emulator)
    client = LANGCHAIN_MCP.MultiServerMCPClient(
        {
            "pictures": {
                "transport": "stdio",
                "command": sys.executable,
                "args": ARGUMENTS,
                "cwd": str(ROOT),
            }
        }
    )
    llm = model("LangChain", modelstudio_emulator, protocol, model=name)
    agent: Any = create_agent(llm, await client.get_tools())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ModelStudioWarning)
        answer = await agent.ainvoke({"messages": [("user", "Draw a cat.")]})
    assert answer["messages"][-1].text == "A cat."
    sent = messages_of(modelstudio_emulator)
    result = next(one for one in sent if one["role"] == "tool")
    assert "A picture of a cat." in str(result["content"])
    assert PICTURE not in str(result["content"])
    categories = {warning.category for warning in caught}
    if name == VISION:
        assert sent[-1]["role"] == "user"
        assert f"data:image/png;base64,{PICTURE}" in str(sent[-1]["content"])
        assert ModelStudioWarning not in categories
    else:
        assert sent[-1] is result
        assert "An image was returned and is not shown" in str(result["content"])
        assert ModelStudioWarning in categories


@IGNORE_AGENT_WARNINGS
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", [VISION, TEXT_ONLY])
async def test_a_llamaindex_agent_with_an_mcp_server(
    modelstudio_emulator: Emulator, protocol: Protocol, name: str
) -> None:
    """LlamaIndex's package for MCP turns the whole result into text."""
    script(modelstudio_emulator)
    client = LLAMAINDEX_MCP.BasicMCPClient(
        sys.executable, args=ARGUMENTS, env={"PYTHONPATH": str(ROOT)}
    )
    tools: Any = await LLAMAINDEX_MCP.McpToolSpec(client=client).to_tool_list_async()
    llm = model("LlamaIndex", modelstudio_emulator, protocol, model=name)
    agent: Any = FunctionAgent(tools=tools, llm=llm)
    answer = await agent.run(user_msg="Draw a cat.")
    assert str(answer) == "A cat."
    result = messages_of(modelstudio_emulator)[-1]
    assert result["role"] == "tool"
    assert "A picture of a cat." in str(result["content"])
