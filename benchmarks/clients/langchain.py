"""Chat models of LangChain, from this project and from others."""

from importlib import import_module
from typing import Any, Final

from benchmarks.clients import PROMPT, Client

__all__ = [
    "chat_deepseek",
    "chat_openai",
    "chat_qwen",
    "chat_tongyi",
    "model_studio",
    "model_studio_dashscope",
]

_MODEL: Final = "qwen3.7-plus"
_KEY: Final = "sk-benchmark"
_COMPATIBLE: Final = "/compatible-mode/v1"


class _ChatModel:
    """A chat model, called through LangChain's interface."""

    def __init__(self, model: Any, *, for_calls: Any = None) -> None:
        self._model = model
        self._for_calls = for_calls or model

    def stream(self) -> int:
        chunks = 0
        for _ in self._model.stream(PROMPT):
            chunks += 1
        return chunks

    async def astream(self) -> int:
        chunks = 0
        async for _ in self._model.astream(PROMPT):
            chunks += 1
        return chunks

    def call(self) -> int:
        return len(self._for_calls.invoke(PROMPT).content)

    async def acall(self) -> int:
        return len((await self._for_calls.ainvoke(PROMPT)).content)


def _model_studio(base_url: str, protocol: str) -> Client:
    model: Any = import_module("langchain_modelstudio").ChatModelStudio
    return _ChatModel(
        model(model=_MODEL, api_key=_KEY, base_url=base_url, protocol=protocol)
    )


def model_studio(base_url: str) -> Client:
    """Return ``ChatModelStudio`` with ``protocol="openai"``."""
    return _model_studio(base_url + _COMPATIBLE, "openai")


def model_studio_dashscope(base_url: str) -> Client:
    """Return ``ChatModelStudio`` with ``protocol="dashscope"``."""
    return _model_studio(base_url + "/api/v1", "dashscope")


def chat_openai(base_url: str) -> Client:
    """Return ``ChatOpenAI``."""
    model: Any = import_module("langchain_openai").ChatOpenAI
    url = base_url + _COMPATIBLE
    return _ChatModel(
        model(model=_MODEL, api_key=_KEY, base_url=url, stream_usage=True)
    )


def chat_deepseek(base_url: str) -> Client:
    """Return ``ChatDeepSeek``."""
    model: Any = import_module("langchain_deepseek").ChatDeepSeek
    url = base_url + _COMPATIBLE
    return _ChatModel(model(model=_MODEL, api_key=_KEY, api_base=url))


def chat_qwen(base_url: str) -> Client:
    """Return ``ChatQwen``."""
    model: Any = import_module("langchain_qwq").ChatQwen
    url = base_url + _COMPATIBLE
    return _ChatModel(model(model=_MODEL, api_key=_KEY, api_base=url))


def chat_tongyi(base_url: str) -> Client:
    """Return ``ChatTongyi``, which only streams with ``streaming=True``."""
    sdk: Any = import_module("dashscope")
    sdk.base_http_api_url = base_url + "/api/v1"
    model: Any = import_module("langchain_community.chat_models").ChatTongyi
    arguments = {"model": _MODEL, "api_key": _KEY}
    return _ChatModel(
        model(**arguments, streaming=True, model_kwargs={"incremental_output": True}),
        for_calls=model(**arguments),
    )
