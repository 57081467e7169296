"""An agent with two tools: what it thinks, what it calls, and its answer.

python examples/agent.py
python examples/agent.py "What is the weather in Paris?"
"""

# The frameworks leave some of their types open.
# pyright: reportUnknownVariableType=false

import sys
from typing import Any, Final

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from langchain_modelstudio import ChatModelStudio
from service import open_service

QUESTION: Final = "What is the weather in Oslo?"


def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"It is sunny in {city}."


def get_population(city: str) -> str:
    """Return the number of people who live in a city."""
    return f"{city} has 700,000 inhabitants."


def show(message: AnyMessage) -> None:
    """Print what a step of the agent added."""
    if isinstance(message, ToolMessage):
        print(f"{message.name} returned: {message.text}")
    if not isinstance(message, AIMessage):
        return
    if reasoning := message.additional_kwargs.get("reasoning_content"):
        print(f"Reasoning: {reasoning}")
    for call in message.tool_calls:
        print(f"Call: {call['name']}({call['args']})")
    if message.text:
        print(f"Answer: {message.text}")


def main(question: str) -> None:
    """Run the agent, and print each step as it comes."""
    with open_service() as service:
        llm = ChatModelStudio(model="deepseek-v4-pro", **service)
        agent: Any = create_agent(llm, [get_weather, get_population])
        question_of_user = {"messages": [("user", question)]}
        for step in agent.stream(question_of_user, stream_mode="updates"):
            for update in step.values():
                show(update["messages"][-1])


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or QUESTION)
