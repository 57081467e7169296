"""LLMs of LlamaIndex, from this project and from others."""

from importlib import import_module
from typing import Any, Final

from benchmarks.clients import PROMPT, Client

__all__ = [
    "dashscope",
    "deepseek",
    "model_studio",
    "model_studio_dashscope",
    "openai_like",
]

_MODEL: Final = "qwen3.7-plus"
_KEY: Final = "sk-benchmark"
_COMPATIBLE: Final = "/compatible-mode/v1"


class _LLM:
    """An LLM, called through LlamaIndex's interface."""

    def __init__(self, llm: Any, **stream_arguments: Any) -> None:
        message: Any = import_module("llama_index.core.llms").ChatMessage
        self._llm = llm
        self._stream_arguments = stream_arguments
        self._prompt = [message(role="user", content=PROMPT)]

    def stream(self) -> int:
        chunks = 0
        for _ in self._llm.stream_chat(self._prompt, **self._stream_arguments):
            chunks += 1
        return chunks

    async def astream(self) -> int:
        chunks = 0
        responses = await self._llm.astream_chat(self._prompt, **self._stream_arguments)
        async for _ in responses:
            chunks += 1
        return chunks

    def call(self) -> int:
        return len(self._llm.chat(self._prompt).message.content)

    async def acall(self) -> int:
        return len((await self._llm.achat(self._prompt)).message.content)


def _model_studio(base_url: str, protocol: str) -> Client:
    llm: Any = import_module("llamaindex_modelstudio").ModelStudio
    return _LLM(llm(model=_MODEL, api_key=_KEY, base_url=base_url, protocol=protocol))


def model_studio(base_url: str) -> Client:
    """Return ``ModelStudio`` with ``protocol="openai"``."""
    return _model_studio(base_url + _COMPATIBLE, "openai")


def model_studio_dashscope(base_url: str) -> Client:
    """Return ``ModelStudio`` with ``protocol="dashscope"``."""
    return _model_studio(base_url + "/api/v1", "dashscope")


def openai_like(base_url: str) -> Client:
    """Return ``OpenAILike``."""
    llm: Any = import_module("llama_index.llms.openai_like").OpenAILike
    return _LLM(
        llm(
            model=_MODEL,
            api_key=_KEY,
            api_base=base_url + _COMPATIBLE,
            is_chat_model=True,
            context_window=131072,
        )
    )


def deepseek(base_url: str) -> Client:
    """Return ``DeepSeek``, which refuses models that it does not know."""
    llm: Any = import_module("llama_index.llms.deepseek").DeepSeek
    url = base_url + _COMPATIBLE
    return _LLM(llm(model="deepseek-chat", api_key=_KEY, api_base=url))


def dashscope(base_url: str) -> Client:
    """Return ``DashScope``, which streams increments with ``incremental_output``."""
    sdk: Any = import_module("dashscope")
    sdk.base_http_api_url = base_url + "/api/v1"
    llm: Any = import_module("llama_index.llms.dashscope").DashScope
    return _LLM(llm(model_name=_MODEL, api_key=_KEY), incremental_output=True)
