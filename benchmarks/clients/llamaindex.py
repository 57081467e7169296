"""LlamaIndex's LLMs, ours and others'."""

from importlib import import_module
from typing import Any, Final

from benchmarks.clients import PROMPT, Client

__all__ = ["dashscope", "deepseek", "openai_like", "ours", "ours_native"]

_MODEL: Final = "qwen3.7-plus"
_KEY: Final = "sk-benchmark"
_COMPATIBLE: Final = "/compatible-mode/v1"


class _LLM:
    """Any of them: they are all asked in the same way."""

    def __init__(self, llm: Any, **call: Any) -> None:
        message: Any = import_module("llama_index.core.llms").ChatMessage
        self._llm = llm
        self._call = call
        self._prompt = [message(role="user", content=PROMPT)]

    def stream(self) -> int:
        pieces = 0
        for _ in self._llm.stream_chat(self._prompt, **self._call):
            pieces += 1
        return pieces

    async def astream(self) -> int:
        pieces = 0
        async for _ in await self._llm.astream_chat(self._prompt, **self._call):
            pieces += 1
        return pieces

    def call(self) -> int:
        return len(self._llm.chat(self._prompt).message.content)

    async def acall(self) -> int:
        return len((await self._llm.achat(self._prompt)).message.content)


def _ours(base: str, protocol: str) -> Client:
    llm: Any = import_module("llamaindex_modelstudio").ModelStudio
    return _LLM(llm(model=_MODEL, api_key=_KEY, base_url=base, protocol=protocol))


def ours(base: str) -> Client:
    """Return ``ModelStudio`` over the OpenAI-compatible protocol."""
    return _ours(base + _COMPATIBLE, "openai")


def ours_native(base: str) -> Client:
    """Return ``ModelStudio`` over the native protocol."""
    return _ours(base + "/api/v1", "dashscope")


def openai_like(base: str) -> Client:
    """Return ``OpenAILike``."""
    llm: Any = import_module("llama_index.llms.openai_like").OpenAILike
    return _LLM(
        llm(
            model=_MODEL,
            api_key=_KEY,
            api_base=base + _COMPATIBLE,
            is_chat_model=True,
            context_window=131072,
        )
    )


def deepseek(base: str) -> Client:
    """Return ``DeepSeek``; it refuses models that it does not know."""
    llm: Any = import_module("llama_index.llms.deepseek").DeepSeek
    return _LLM(llm(model="deepseek-chat", api_key=_KEY, api_base=base + _COMPATIBLE))


def dashscope(base: str) -> Client:
    """Return ``DashScope``, told to send increments."""
    sdk: Any = import_module("dashscope")
    sdk.base_http_api_url = base + "/api/v1"
    llm: Any = import_module("llama_index.llms.dashscope").DashScope
    return _LLM(llm(model_name=_MODEL, api_key=_KEY), incremental_output=True)
