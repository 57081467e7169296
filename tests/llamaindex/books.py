"""What is asked for in the tests of structured prediction, and how it is answered."""

from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.prompts import PromptTemplate
from pydantic import BaseModel, Field

from modelstudio_core.emulator import Reply, ToolCall


class Author(BaseModel):
    """Who wrote it."""

    name: str


class Book(BaseModel):
    """A book."""

    title: str
    year: int
    authors: list[Author] = Field(default_factory=list[Author])


BOOK = {"title": "Sult", "year": 1890, "authors": [{"name": "Knut Hamsun"}]}
TEXT = '{"title": "Sult", "year": 1890, "authors": [{"name": "Knut Hamsun"}]}'
PROMPT = PromptTemplate("Name a book about {topic}.")
HI = [ChatMessage(role="user", content="Name a book. Use {braces} and {{more}}.")]

# deepseek-v4-pro gets a tool, qwen-plus does not think and gets a JSON schema.
TOOL = "deepseek-v4-pro"
SCHEMA = "qwen-plus"


def reply(model: str, text: str = TEXT, **more: Any) -> Reply:
    if model == TOOL:
        return Reply(tool_calls=[ToolCall("Book", text, id="call_a")], **more)
    return Reply(text=text, **more)
