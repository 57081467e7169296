"""The clients that are pointed at the emulator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = ["CLIENTS", "Client"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client.

    Attributes:
        name: Its name on the page, and in its tasks.
        driver: The module in ``clients.drivers`` that runs it.
        environment: A key of ``benchmarks.environments.ENVIRONMENTS``.
        packages: The packages whose versions the page shows.
        notes: Why a check fails that the emulator answers as the service does, by its
            action.
    """

    name: str
    driver: str
    environment: str
    packages: Sequence[str]
    notes: Mapping[str, str] = field(default_factory=dict[str, str])


CLIENTS: Final = (
    Client(
        name="openai 3",
        driver="for_openai",
        environment="openai-3",
        packages=("openai",),
    ),
    Client(
        name="openai 2",
        driver="for_openai",
        environment="openai-2",
        packages=("openai",),
    ),
    Client(
        name="dashscope 2",
        driver="for_dashscope",
        environment="dashscope-2",
        packages=("dashscope",),
    ),
    Client(
        name="dashscope 1",
        driver="for_dashscope",
        environment="dashscope-1",
        packages=("dashscope",),
    ),
    Client(
        name="LiteLLM",
        driver="for_litellm",
        environment="litellm",
        packages=("litellm", "openai"),
    ),
    Client(
        name="ChatQwen",
        driver="for_langchain",
        environment="langchain-openai",
        packages=("langchain-qwq", "langchain-core", "openai"),
    ),
    Client(
        name="ChatTongyi",
        driver="for_langchain",
        environment="langchain-tongyi",
        packages=("langchain-community", "langchain-core", "dashscope"),
    ),
    Client(
        name="OpenAILike",
        driver="for_llamaindex",
        environment="llama-index-openai",
        packages=("llama-index-llms-openai-like", "llama-index-core", "openai"),
    ),
    Client(
        name="DashScope (LlamaIndex)",
        driver="for_llamaindex",
        environment="llama-index-dashscope",
        packages=("llama-index-llms-dashscope", "llama-index-core", "dashscope"),
        notes={
            "image": "(The class sends the text alone, to the path of text models,"
            " which a model that sees does not have.)",
            "error": "(The class returns a refusal as an empty message.)",
        },
    ),
    Client(
        name="pydantic-ai",
        driver="for_pydantic_ai",
        environment="pydantic-ai",
        packages=("pydantic-ai-slim", "openai"),
    ),
    Client(
        name="Qwen-Agent",
        driver="for_qwen_agent",
        environment="qwen-agent",
        packages=("qwen-agent", "dashscope", "openai"),
    ),
    Client(
        name="AgentScope",
        driver="for_agentscope",
        environment="agentscope",
        packages=("agentscope", "openai"),
    ),
    Client(
        name="instructor",
        driver="for_instructor",
        environment="instructor",
        packages=("instructor", "openai"),
    ),
    Client(
        name="smolagents",
        driver="for_smolagents",
        environment="smolagents",
        packages=("smolagents", "openai"),
    ),
    Client(
        name="AI SDK",
        driver="for_ai_sdk",
        environment="ai-sdk",
        packages=("ai", "@ai-sdk/alibaba"),
    ),
    Client(
        name="DSPy",
        driver="for_dspy",
        environment="dspy",
        packages=("dspy", "litellm"),
        notes={
            "tools": "(The arguments are described in words in the prompt. A model"
            " reads them there, the emulator does not.)",
        },
    ),
)
