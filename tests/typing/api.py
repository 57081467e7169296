"""The types that a type checker sees. This module is checked, never run."""

from typing import assert_type

from langchain_core.messages import AIMessage
from llama_index.core.base.llms.types import LLMMetadata

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.endpoints import Endpoint, resolve_endpoint

chat = ChatModelStudio(
    model="deepseek-v4-pro",
    api_key="sk-...",
    region="singapore",
    workspace="ws-123",
    temperature=0.2,
    enable_thinking=True,
    timeout=(5, 60),
    stop=["END"],
    deprecated_models="error",
)
assert_type(chat.invoke("Hi"), AIMessage)
assert_type(chat.endpoint, Endpoint)
assert_type(chat.resolved_model, str | None)

llm = ModelStudio(model="qwen3.7-plus", mode="eu", workspace="ws-123", max_tokens=5)
assert_type(llm.metadata, LLMMetadata)
assert_type(llm.endpoint.base_url("openai"), str)
assert_type(resolve_endpoint(region="frankfurt", workspace="ws-1").headers["x"], str)
