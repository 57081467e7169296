"""The clients that are compared, and how each of them is set up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from comparison.drivers.task import Task
from modelstudio_core.emulator import Emulator

__all__ = ["CLIENTS", "OTHER_KEY", "Client", "Framework", "arguments_of", "task_of"]

Framework = Literal["langchain", "llamaindex"]
Protocol = Literal["openai", "dashscope"]
# A key of another vendor, which is none of this service's business.
OTHER_KEY: Final = "sk-of-another-vendor-0123456789"

_COMPATIBLE: Final = "/compatible-mode/v1"
_NATIVE: Final = "/api/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One class, as a user of Model Studio would set it up.

    Attributes:
        name: What its column is called.
        framework: Whose interface it has.
        path: The class, as ``module:name``.
        environment: Where it is installed.
        packages: Those whose versions matter.
        arguments: What it is made with; ``{origin}``, ``{key}`` and ``{model}`` are
            filled in.
        streaming: What it needs besides, to stream at all.
        protocol: What it speaks.
        model: A model of the family that it is made for.
        cumulative: Whether it asks for streams with tools in the form that repeats all
            that was said so far.
        thinking: How thinking is switched for one call, in the way that it documents.
        usage: What makes it ask for usage in streams, if it does not by itself.
        max_retries: How often it documents to send a request again, at most.
    """

    name: str
    framework: Framework
    path: str
    environment: str
    packages: tuple[str, ...]
    arguments: Mapping[str, Any]
    streaming: Mapping[str, Any] = field(default_factory=dict[str, Any])
    protocol: Protocol = "openai"
    model: str = "deepseek-v4-pro"
    cumulative: bool = False
    thinking: Mapping[str, Any] = field(
        default_factory=lambda: {"enable_thinking": False}
    )
    usage: Mapping[str, Any] = field(default_factory=dict[str, Any])
    max_retries: int = 2

    @property
    def is_ours(self) -> bool:
        """Whether it is one of this project's own."""
        return self.environment == "ours"


_OURS: Final = {"model": "{model}", "base_url": "{origin}", "api_key": "{key}"}
_OPENAI: Final = {**_OURS, "base_url": "{origin}" + _COMPATIBLE}
_NATIVELY: Final = {**_OURS, "protocol": "dashscope"}
_IN_BODY: Final = {"extra_body": {"enable_thinking": False}}

CLIENTS: Final = (
    Client(
        name="ChatModelStudio",
        framework="langchain",
        path="langchain_modelstudio:ChatModelStudio",
        environment="ours",
        packages=("langchain-core", "openai"),
        arguments=_OURS,
    ),
    Client(
        name="ChatModelStudio, native",
        framework="langchain",
        path="langchain_modelstudio:ChatModelStudio",
        environment="ours",
        packages=("langchain-core", "dashscope"),
        arguments=_NATIVELY,
        protocol="dashscope",
    ),
    Client(
        name="ChatOpenAI",
        framework="langchain",
        path="langchain_openai:ChatOpenAI",
        environment="langchain-openai",
        packages=("langchain-openai", "langchain-core", "openai"),
        arguments=_OPENAI,
        thinking=_IN_BODY,
        usage={"stream_usage": True},
    ),
    Client(
        name="ChatDeepSeek",
        framework="langchain",
        path="langchain_deepseek:ChatDeepSeek",
        environment="langchain-openai",
        packages=("langchain-deepseek", "langchain-openai", "langchain-core", "openai"),
        arguments=_OPENAI,
        thinking=_IN_BODY,
        usage={"stream_usage": True},
    ),
    Client(
        name="ChatQwen",
        framework="langchain",
        path="langchain_qwq:ChatQwen",
        environment="langchain-openai",
        packages=("langchain-qwq", "langchain-openai", "langchain-core", "openai"),
        arguments=_OPENAI,
        model="qwen3.7-plus",
        thinking=_IN_BODY,
        usage={"stream_usage": True},
    ),
    Client(
        name="ChatTongyi",
        framework="langchain",
        path="langchain_community.chat_models:ChatTongyi",
        environment="langchain-tongyi",
        packages=("langchain-community", "langchain-core", "dashscope"),
        arguments={"model": "{model}", "api_key": "{key}"},
        streaming={"streaming": True},
        protocol="dashscope",
        cumulative=True,
        max_retries=10,
    ),
    Client(
        name="ModelStudio",
        framework="llamaindex",
        path="llamaindex_modelstudio:ModelStudio",
        environment="ours",
        packages=("llama-index-core", "openai"),
        arguments=_OURS,
    ),
    Client(
        name="ModelStudio, native",
        framework="llamaindex",
        path="llamaindex_modelstudio:ModelStudio",
        environment="ours",
        packages=("llama-index-core", "dashscope"),
        arguments=_NATIVELY,
        protocol="dashscope",
    ),
    Client(
        name="OpenAILike",
        framework="llamaindex",
        path="llama_index.llms.openai_like:OpenAILike",
        environment="llama-index-openai",
        packages=(
            "llama-index-llms-openai-like",
            "llama-index-llms-openai",
            "llama-index-core",
            "openai",
        ),
        arguments={
            "model": "{model}",
            "api_base": "{origin}" + _COMPATIBLE,
            "api_key": "{key}",
            "is_chat_model": True,
            "is_function_calling_model": True,
            "context_window": 131072,
        },
        thinking=_IN_BODY,
        usage={
            "additional_kwargs": {"stream_options": {"include_usage": True}},
        },
        max_retries=3,
    ),
    Client(
        name="DashScope",
        framework="llamaindex",
        path="llama_index.llms.dashscope:DashScope",
        environment="llama-index-dashscope",
        packages=("llama-index-llms-dashscope", "llama-index-core", "dashscope"),
        arguments={"model_name": "{model}", "api_key": "{key}"},
        protocol="dashscope",
        max_retries=0,
    ),
)


def arguments_of(client: Client, origin: str, key: str, model: str) -> dict[str, Any]:
    """Return what a client is made with, to talk to this address."""

    def filled(value: object) -> object:
        if not isinstance(value, str):
            return value
        return value.format(origin=origin, key=key, model=model)

    return {name: filled(value) for name, value in client.arguments.items()}


def task_of(
    client: Client, studio: Emulator, action: str, parameters: Mapping[str, Any]
) -> Task:
    """Return the task of doing something with a client against a server."""
    said = {**parameters}
    model, without = said.pop("model", client.model), said.pop("without", ())
    arguments = arguments_of(client, studio.base_url, studio.api_key, model)
    arguments = {k: v for k, v in arguments.items() if k not in without}
    global_address = client.protocol == "dashscope" and not client.is_ours
    return {
        "action": action,
        "client": client.path,
        "arguments": arguments,
        "streaming": dict(client.streaming),
        "sdk_address": studio.base_url + _NATIVE if global_address else None,
        "parameters": said,
    }
