"""An agent whose conversations are kept in a file, and go on when it is run again.

    python examples/agent_sqlite.py "What is the weather in Oslo?"
    python examples/agent_sqlite.py "And what did I ask before?"

LangGraph's checkpointer for SQLite stores each step, the reasoning included, which is
sent back to the model with the results of its tools. It needs the package
``langgraph-checkpoint-sqlite``.
"""

# The frameworks leave some of their types open.
# pyright: reportUnknownVariableType=false

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from langchain.agents import create_agent
from langgraph.checkpoint.sqlite import SqliteSaver

from langchain_modelstudio import ChatModelStudio
from service import open_service

QUESTION: Final = "What is the weather in Oslo?"
FILE: Final = Path("conversations.sqlite")


def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"It is sunny in {city}."


def main(question: str, file: Path = FILE, conversation: str = "1") -> None:
    """Add a question to a conversation, and print all of it."""
    with open_service() as service, closing(connect(file)) as connection:
        llm = ChatModelStudio(model="deepseek-v4-pro", **service)
        checkpointer = SqliteSaver(connection)
        agent: Any = create_agent(llm, [get_weather], checkpointer=checkpointer)
        result = agent.invoke(
            {"messages": [("user", question)]},
            {"configurable": {"thread_id": conversation}},
        )
    for message in result["messages"]:
        if reasoning := message.additional_kwargs.get("reasoning_content"):
            print(f"{'reasoning':>9}  {reasoning}")
        for call in getattr(message, "tool_calls", ()):
            print(f"{'call':>9}  {call['name']}({call['args']})")
        if message.text:
            print(f"{message.type:>9}  {message.text}")


def connect(file: Path) -> sqlite3.Connection:
    """Open the file; the graph's threads share the connection."""
    return sqlite3.connect(file, check_same_thread=False)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or QUESTION)
