"""What the drivers share: prompts, a tool, a schema, and imports by name."""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from pydantic import BaseModel

from comparison.drivers.task import Task

__all__ = [
    "EXTRACT",
    "IMAGE_PARTS",
    "IMAGE_URL",
    "QUESTION",
    "REX",
    "TALL",
    "TOOL",
    "UNKNOWN",
    "Person",
    "Report",
    "compatible_url",
    "get_weather",
    "key",
    "load",
    "native_url",
    "run_tool",
]

TALL: Final = "The tower has 330 m. How tall is the tower?"
QUESTION: Final = "What is the weather in Oslo?"
EXTRACT: Final = "Extract the person: Jason is 25 years old."
IMAGE_URL: Final = "https://example.com/dog.png"
REX: Final = "The dog is Rex. Which dog is it?"
IMAGE_PARTS: Final[list[dict[str, Any]]] = [
    {"type": "image_url", "image_url": {"url": IMAGE_URL}},
    {"type": "text", "text": REX},
]
UNKNOWN: Final = "no-such-model"
TOOL: Final[dict[str, Any]] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "The city"}},
            "required": ["city"],
        },
    },
}


class Person(BaseModel):
    """A person."""

    name: str
    age: int


class Report(BaseModel):
    """What an agent says of the weather."""

    city: str
    degrees: int


def get_weather(city: str) -> str:
    """Get the weather of a city.

    Args:
        city: The city.
    """
    return f"It is sunny in {city}, with 21 degrees."


def run_tool(ask: Callable[[list[Any]], Any]) -> dict[str, Any]:
    """Run a tool over responses in OpenAI's shape.

    Args:
        ask: Sends messages, and returns the response.

    Returns:
        The arguments of the call, and the text of the answer.
    """
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    message = ask(messages).choices[0].message
    (call,) = message.tool_calls
    arguments = json.loads(call.function.arguments)
    result = get_weather(**arguments)
    tool = {"role": "tool", "tool_call_id": call.id, "content": result}
    answer = ask([*messages, message, tool]).choices[0].message
    return {"arguments": arguments, "text": answer.content}


def load(name: str) -> Any:
    """Import a module that the project's own environment may not have."""
    return import_module(name)


def compatible_url(task: Task) -> str:
    """Return the base URL of the OpenAI-compatible protocol."""
    return f"{task['arguments']['origin']}/compatible-mode/v1"


def native_url(task: Task) -> str:
    """Return the base URL of the DashScope protocol."""
    return f"{task['arguments']['origin']}/api/v1"


def key(task: Task) -> str:
    """Return the API key."""
    return str(task["arguments"]["key"])
