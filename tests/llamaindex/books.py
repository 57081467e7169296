"""The class that tests of structured output request, and scripted answers."""

from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel, Field

from modelstudio_core.emulator import Reply, ToolCall


class Author(BaseModel):
    """An author."""

    name: str


class Book(BaseModel):
    """A book."""

    title: str
    year: int
    authors: list[Author] = Field(default_factory=list[Author])


BOOK = Book(title="Sult", year=1890, authors=[Author(name="Knut Hamsun")])
BOOK_JSON = '{"title": "Sult", "year": 1890, "authors": [{"name": "Knut Hamsun"}]}'
BOOK_PROMPT = PromptTemplate("Name a book about {topic}.")
BOOK_MESSAGES = [
    ChatMessage(role="user", content="Name a book. Use {braces} and {{more}}.")
]

# deepseek-v4-pro gets a tool; qwen-plus does not think and gets a JSON schema.
TOOL_MODEL = "deepseek-v4-pro"
SCHEMA_MODEL = "qwen3.8-max"


def book_reply(model: str, text: str = BOOK_JSON, **more: Any) -> Reply:
    """Return a scripted answer of a model with a book in it."""
    if model == TOOL_MODEL:
        return Reply(tool_calls=[ToolCall("Book", text, id="call_a")], **more)
    return Reply(text=text, **more)
