"""The clients that are measured: their names, environments and factories."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol, cast

from benchmarks.environments import PROJECT

__all__ = ["CLIENTS", "PROMPT", "Client", "ClientSpec", "load"]

PROMPT: Final = "Why is the sky blue? Answer in one paragraph."


class Client(Protocol):
    """A chat client. A stream returns its number of chunks, a call that of characters.

    The number shows that the client received everything that was sent.
    """

    def stream(self) -> int:
        """Read one streamed response."""
        ...

    async def astream(self) -> int:
        """Async version of ``stream``."""
        ...

    def call(self) -> int:
        """Make one call that is not streamed."""
        ...

    async def acall(self) -> int:
        """Async version of ``call``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSpec:
    """How to make one client.

    Attributes:
        environment: A key of ``benchmarks.environments.ENVIRONMENTS``.
        factory: ``module:function`` below this package. The function takes the base
            URL in front of ``/compatible-mode/v1`` and ``/api/v1``.
        packages: The packages whose versions the report names.
    """

    environment: str
    factory: str
    packages: tuple[str, ...] = ()


def _spec(environment: str, factory: str, *packages: str) -> ClientSpec:
    return ClientSpec(environment=environment, factory=factory, packages=packages)


_LC: Final = ("langchain-core", "openai")
_LI: Final = ("llama-index-core", "openai")

CLIENTS: Final[Mapping[str, ClientSpec]] = {
    "httpx loop": _spec("bare", "bare:httpx_loop", "httpx"),
    "ChatModelStudio": _spec(PROJECT, "langchain:model_studio", *_LC),
    "ChatModelStudio, dashscope": _spec(
        PROJECT, "langchain:model_studio_dashscope", "dashscope"
    ),
    "ChatOpenAI": _spec(
        "langchain-openai", "langchain:chat_openai", "langchain-openai", *_LC
    ),
    "ChatDeepSeek": _spec(
        "langchain-openai", "langchain:chat_deepseek", "langchain-deepseek", *_LC
    ),
    "ChatQwen": _spec("langchain-openai", "langchain:chat_qwen", "langchain-qwq", *_LC),
    "ChatTongyi": _spec(
        "langchain-tongyi",
        "langchain:chat_tongyi",
        "langchain-community",
        "langchain-core",
        "dashscope",
    ),
    "ModelStudio": _spec(PROJECT, "llamaindex:model_studio", *_LI),
    "ModelStudio, dashscope": _spec(
        PROJECT, "llamaindex:model_studio_dashscope", "dashscope"
    ),
    "OpenAILike": _spec(
        "llama-index-openai",
        "llamaindex:openai_like",
        "llama-index-llms-openai-like",
        *_LI,
    ),
    "DeepSeek": _spec(
        "llama-index-openai", "llamaindex:deepseek", "llama-index-llms-deepseek", *_LI
    ),
    "DashScope": _spec(
        "llama-index-dashscope",
        "llamaindex:dashscope",
        "llama-index-llms-dashscope",
        "llama-index-core",
        "dashscope",
    ),
}


def load(name: str, base_url: str) -> Client:
    """Make a client. Call it inside the client's environment.

    Args:
        name: A key of ``CLIENTS``.
        base_url: The URL in front of ``/compatible-mode/v1`` and ``/api/v1``.
    """
    module, _, function = CLIENTS[name].factory.partition(":")
    factory = getattr(import_module(f"{__name__}.{module}"), function)
    return cast("Callable[[str], Client]", factory)(base_url)
