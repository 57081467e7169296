"""LangChain's chat models, ours and others'."""

from importlib import import_module
from typing import Any, Final

from benchmarks.clients import PROMPT, Client

__all__ = [
    "chat_deepseek",
    "chat_openai",
    "chat_qwen",
    "chat_tongyi",
    "ours",
    "ours_native",
]

_MODEL: Final = "qwen3.7-plus"
_KEY: Final = "sk-benchmark"
_COMPATIBLE: Final = "/compatible-mode/v1"


class _ChatModel:
    """Any of them: they are all asked in the same way."""

    def __init__(self, model: Any, *, for_calls: Any = None) -> None:
        self._model = model
        self._for_calls = for_calls or model

    def stream(self) -> int:
        pieces = 0
        for _ in self._model.stream(PROMPT):
            pieces += 1
        return pieces

    async def astream(self) -> int:
        pieces = 0
        async for _ in self._model.astream(PROMPT):
            pieces += 1
        return pieces

    def call(self) -> int:
        return len(self._for_calls.invoke(PROMPT).content)

    async def acall(self) -> int:
        return len((await self._for_calls.ainvoke(PROMPT)).content)


def _ours(base: str, protocol: str) -> Client:
    model: Any = import_module("langchain_modelstudio").ChatModelStudio
    return _ChatModel(
        model(model=_MODEL, api_key=_KEY, base_url=base, protocol=protocol)
    )


def ours(base: str) -> Client:
    """Return ``ChatModelStudio`` over the OpenAI-compatible protocol."""
    return _ours(base + _COMPATIBLE, "openai")


def ours_native(base: str) -> Client:
    """Return ``ChatModelStudio`` over the native protocol."""
    return _ours(base + "/api/v1", "dashscope")


def chat_openai(base: str) -> Client:
    """Return ``ChatOpenAI``."""
    model: Any = import_module("langchain_openai").ChatOpenAI
    return _ChatModel(
        model(
            model=_MODEL, api_key=_KEY, base_url=base + _COMPATIBLE, stream_usage=True
        )
    )


def chat_deepseek(base: str) -> Client:
    """Return ``ChatDeepSeek``."""
    model: Any = import_module("langchain_deepseek").ChatDeepSeek
    return _ChatModel(model(model=_MODEL, api_key=_KEY, api_base=base + _COMPATIBLE))


def chat_qwen(base: str) -> Client:
    """Return ``ChatQwen``."""
    model: Any = import_module("langchain_qwq").ChatQwen
    return _ChatModel(model(model=_MODEL, api_key=_KEY, api_base=base + _COMPATIBLE))


def chat_tongyi(base: str) -> Client:
    """Return ``ChatTongyi``, told to stream: else it hands on one piece at the end."""
    sdk: Any = import_module("dashscope")
    sdk.base_http_api_url = base + "/api/v1"
    model: Any = import_module("langchain_community.chat_models").ChatTongyi
    said = {"model": _MODEL, "api_key": _KEY}
    return _ChatModel(
        model(**said, streaming=True, model_kwargs={"incremental_output": True}),
        for_calls=model(**said),
    )
