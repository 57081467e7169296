"""Models of both frameworks that send their requests to a fake service."""

from typing import Any, Final, Literal, get_args, overload

from langchain_modelstudio import ChatModelStudio
from llamaindex_modelstudio import ModelStudio
from modelstudio_core.emulator import Emulator
from modelstudio_core.endpoints import Protocol

__all__ = ["FRAMEWORKS", "KEY", "PROTOCOLS", "Framework", "Model", "Protocol", "model"]

Framework = Literal["LangChain", "LlamaIndex"]
Model = ChatModelStudio | ModelStudio
FRAMEWORKS: Final[tuple[Framework, ...]] = get_args(Framework)
PROTOCOLS: Final[tuple[Protocol, ...]] = get_args(Protocol)
KEY: Final = "sk-0123456789abcdefghijklmnopqrstuv"


@overload
def model(
    framework: Literal["LangChain"],
    service: str | Emulator,
    protocol: Protocol = "openai",
    **arguments: Any,
) -> ChatModelStudio: ...
@overload
def model(
    framework: Literal["LlamaIndex"],
    service: str | Emulator,
    protocol: Protocol = "openai",
    **arguments: Any,
) -> ModelStudio: ...
@overload
def model(
    framework: Framework,
    service: str | Emulator,
    protocol: Protocol = "openai",
    **arguments: Any,
) -> Model: ...
def model(
    framework: Framework,
    service: str | Emulator,
    protocol: Protocol = "openai",
    **arguments: Any,
) -> Model:
    """Return a model of a framework, without retries unless ``arguments`` says so.

    Args:
        framework: The framework.
        service: The base URL of a fake service, or an emulator.
        protocol: The protocol.
        arguments: More arguments of the constructor.
    """
    base_url, key = service, KEY
    if isinstance(service, Emulator):
        base_url, key = service.base_url, service.api_key
    defaults: dict[str, Any] = {
        "model": "qwen-plus",
        "base_url": base_url,
        "api_key": key,
        "protocol": protocol,
        "max_retries": 0,
    }
    if framework == "LangChain":
        return ChatModelStudio(**defaults | arguments)
    return ModelStudio(**defaults | arguments)
