"""The clients that are compared, and how each is constructed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from benchmarks.environments import PROJECT
from comparison.drivers.task import Task
from modelstudio_core.emulator import Emulator

__all__ = [
    "CLIENTS",
    "OTHER_KEY",
    "Client",
    "Framework",
    "build_arguments",
    "build_task",
]

Framework = Literal["langchain", "llamaindex"]
Protocol = Literal["openai", "dashscope"]
# The key of another vendor, which must not reach this service.
OTHER_KEY: Final = "sk-of-another-vendor-0123456789"

_COMPATIBLE: Final = "/compatible-mode/v1"
_DASHSCOPE_PATH: Final = "/api/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One class, as a user of Model Studio would construct it.

    Attributes:
        name: The head of its column.
        framework: The framework whose interface it has.
        path: The class, as ``module:name``.
        environment: A key of ``benchmarks.environments.ENVIRONMENTS``.
        packages: The packages whose versions the page names.
        arguments: The constructor's arguments, with ``{origin}``, ``{key}`` and
            ``{model}`` as placeholders.
        streaming: More constructor arguments, without which it does not stream.
        protocol: The protocol that it uses.
        model: A model of the family that it is made for.
        cumulative: Whether it asks for streams with tools in which each chunk repeats
            all previous ones.
        thinking: The documented arguments that switch thinking off for one call.
        usage: The arguments with which it asks for usage in streams, if it does not do
            so by default.
        max_retries: The documented largest number of retries.
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
    def is_own(self) -> bool:
        """Whether it is a class of this project."""
        return self.environment == PROJECT


_MODEL_STUDIO: Final = {"model": "{model}", "base_url": "{origin}", "api_key": "{key}"}
_OPENAI: Final = {**_MODEL_STUDIO, "base_url": "{origin}" + _COMPATIBLE}
_DASHSCOPE: Final = {**_MODEL_STUDIO, "protocol": "dashscope"}
_EXTRA_BODY: Final = {"extra_body": {"enable_thinking": False}}

CLIENTS: Final = (
    Client(
        name="ChatModelStudio",
        framework="langchain",
        path="langchain_modelstudio:ChatModelStudio",
        environment=PROJECT,
        packages=("langchain-core", "openai"),
        arguments=_MODEL_STUDIO,
    ),
    Client(
        name="ChatModelStudio, dashscope",
        framework="langchain",
        path="langchain_modelstudio:ChatModelStudio",
        environment=PROJECT,
        packages=("langchain-core", "dashscope"),
        arguments=_DASHSCOPE,
        protocol="dashscope",
    ),
    Client(
        name="ChatOpenAI",
        framework="langchain",
        path="langchain_openai:ChatOpenAI",
        environment="langchain-openai",
        packages=("langchain-openai", "langchain-core", "openai"),
        arguments=_OPENAI,
        thinking=_EXTRA_BODY,
        usage={"stream_usage": True},
    ),
    Client(
        name="ChatDeepSeek",
        framework="langchain",
        path="langchain_deepseek:ChatDeepSeek",
        environment="langchain-openai",
        packages=("langchain-deepseek", "langchain-openai", "langchain-core", "openai"),
        arguments=_OPENAI,
        thinking=_EXTRA_BODY,
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
        thinking=_EXTRA_BODY,
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
        environment=PROJECT,
        packages=("llama-index-core", "openai"),
        arguments=_MODEL_STUDIO,
    ),
    Client(
        name="ModelStudio, dashscope",
        framework="llamaindex",
        path="llamaindex_modelstudio:ModelStudio",
        environment=PROJECT,
        packages=("llama-index-core", "dashscope"),
        arguments=_DASHSCOPE,
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
        thinking=_EXTRA_BODY,
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


def build_arguments(
    client: Client, origin: str, key: str, model: str
) -> dict[str, Any]:
    """Return the constructor's arguments with all placeholders filled in.

    Args:
        client: The client.
        origin: The server's URL, without a path.
        key: The API key.
        model: The model.
    """

    def fill(value: object) -> object:
        if not isinstance(value, str):
            return value
        return value.format(origin=origin, key=key, model=model)

    return {name: fill(value) for name, value in client.arguments.items()}


def build_task(
    client: Client, studio: Emulator, action: str, parameters: Mapping[str, Any]
) -> Task:
    """Return the task that makes a client do an action with a server.

    Args:
        client: The client.
        studio: The server.
        action: The name of the action.
        parameters: The action's parameters, with ``model`` and ``without`` (the
            constructor arguments to omit) as options.
    """
    parameters = dict(parameters)
    model = parameters.pop("model", client.model)
    without = parameters.pop("without", ())
    arguments = build_arguments(client, studio.base_url, studio.api_key, model)
    # The DashScope SDK has one URL for the process.
    uses_global_url = client.protocol == "dashscope" and not client.is_own
    return {
        "action": action,
        "client": client.path,
        "arguments": {k: v for k, v in arguments.items() if k not in without},
        "streaming": dict(client.streaming),
        "sdk_url": studio.base_url + _DASHSCOPE_PATH if uses_global_url else None,
        "parameters": parameters,
    }
