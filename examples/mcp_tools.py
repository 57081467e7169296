"""Agents of both frameworks with the tools of an MCP server.

    python examples/mcp_tools.py

The server is ``mcp_server.py``. Another server needs another command only. The packages
``langchain-mcp-adapters`` and ``llama-index-tools-mcp`` are needed.
"""

# The frameworks leave some of their types open.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false

import asyncio
import sys
from pathlib import Path
from typing import Any, Final

from langchain.agents import create_agent
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.tools.mcp import BasicMCPClient, McpToolSpec

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from service import open_service

QUESTION: Final = "What is the height of the Brooklyn Bridge?"
COMMAND: Final = sys.executable
ARGUMENTS: Final = [str(Path(__file__).with_name("mcp_server.py"))]


async def ask_with_langchain(service: dict[str, Any]) -> str:
    """Return the answer of a LangChain agent, with one server for all its calls."""
    client = MultiServerMCPClient(
        {"heights": {"transport": "stdio", "command": COMMAND, "args": ARGUMENTS}}
    )
    llm = ChatModelStudio(model="deepseek-v4-pro", **service)
    async with client.session("heights") as session:
        agent: Any = create_agent(llm, await load_mcp_tools(session))
        result = await agent.ainvoke({"messages": [("user", QUESTION)]})
    return str(result["messages"][-1].text)


async def ask_with_llamaindex(service: dict[str, Any]) -> str:
    """Return the answer of a LlamaIndex agent."""
    tools = McpToolSpec(client=BasicMCPClient(COMMAND, args=ARGUMENTS))
    llm = ModelStudio(model="deepseek-v4-pro", **service)
    agent = FunctionAgent(tools=await tools.to_tool_list_async(), llm=llm)
    # Its type is that of an older signature.
    return str(await agent.run(user_msg=QUESTION))  # pyright: ignore[reportDeprecated]


async def main() -> None:
    """Ask both agents."""
    with open_service() as service:
        print("LangChain: ", await ask_with_langchain(service))
        print("LlamaIndex:", await ask_with_llamaindex(service))


if __name__ == "__main__":
    asyncio.run(main())
