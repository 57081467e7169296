"""The clients that are compared: a name, an environment, and where it is written."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol, cast

__all__ = ["CLIENTS", "PROMPT", "Client", "Spec", "load"]

PROMPT: Final = "Why is the sky blue? Answer in one paragraph."


class Client(Protocol):
    """What a client can be asked to do; each returns how many pieces it got."""

    def stream(self) -> int:
        """Read one streamed answer."""
        ...

    async def astream(self) -> int:
        """Read one streamed answer on the running loop."""
        ...

    def call(self) -> int:
        """Get one whole answer."""
        ...

    async def acall(self) -> int:
        """Get one whole answer on the running loop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One client.

    Attributes:
        environment: A key of ``ENVIRONMENTS``.
        factory: ``module:function`` below this package; it takes the address that is
            in front of ``/compatible-mode/v1`` and ``/api/v1``.
        packages: Whose versions the report names.
    """

    environment: str
    factory: str
    packages: tuple[str, ...] = ()


def _peer(environment: str, factory: str, *packages: str) -> Spec:
    return Spec(environment=environment, factory=factory, packages=packages)


_LC: Final = ("langchain-core", "openai")
_LI: Final = ("llama-index-core", "openai")

CLIENTS: Final[dict[str, Spec]] = {
    "httpx loop": _peer("bare", "bare:loop", "httpx"),
    "ChatModelStudio": _peer("ours", "langchain:ours", *_LC),
    "ChatModelStudio, native": _peer("ours", "langchain:ours_native", "dashscope"),
    "ChatOpenAI": _peer(
        "langchain-openai", "langchain:chat_openai", "langchain-openai", *_LC
    ),
    "ChatDeepSeek": _peer(
        "langchain-openai", "langchain:chat_deepseek", "langchain-deepseek", *_LC
    ),
    "ChatQwen": _peer("langchain-openai", "langchain:chat_qwen", "langchain-qwq", *_LC),
    "ChatTongyi": _peer(
        "langchain-tongyi",
        "langchain:chat_tongyi",
        "langchain-community",
        "langchain-core",
        "dashscope",
    ),
    "ModelStudio": _peer("ours", "llamaindex:ours", *_LI),
    "ModelStudio, native": _peer("ours", "llamaindex:ours_native", "dashscope"),
    "OpenAILike": _peer(
        "llama-index-openai",
        "llamaindex:openai_like",
        "llama-index-llms-openai-like",
        *_LI,
    ),
    "DeepSeek": _peer(
        "llama-index-openai", "llamaindex:deepseek", "llama-index-llms-deepseek", *_LI
    ),
    "DashScope": _peer(
        "llama-index-dashscope",
        "llamaindex:dashscope",
        "llama-index-llms-dashscope",
        "llama-index-core",
        "dashscope",
    ),
}


def load(name: str, base: str) -> Client:
    """Make a client, inside its own environment.

    Args:
        name: A key of ``CLIENTS``.
        base: The address in front of the service's own path.
    """
    module, _, function = CLIENTS[name].factory.partition(":")
    made = getattr(import_module(f"{__name__}.{module}"), function)
    return cast("Callable[[str], Client]", made)(base)
