"""The unit part of LangChain's own standard suite, without a skip."""

from importlib import import_module
from typing import Any, ClassVar

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_modelstudio import ChatModelStudio

ID = ("langchain_modelstudio", "chat_models", "ChatModelStudio")


@pytest.fixture(autouse=True)
def _admit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Admit our class to LangChain's loader, which knows its own packages only."""
    loading = import_module("langchain_core.load.load")
    monkeypatch.setitem(loading.ALL_SERIALIZABLE_MAPPINGS, ID, ID)


class TestChatModelStudio(ChatModelUnitTests):
    """A hybrid Qwen."""

    model_name: ClassVar[str] = "qwen3.7-plus"

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatModelStudio

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model": self.model_name, "api_key": "test"}

    @property
    def init_from_env_params(
        self,
    ) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return (
            {"DASHSCOPE_API_KEY": "sk-from-the-environment"},
            {"model": self.model_name},
            {"api_key": "sk-from-the-environment"},
        )


class TestDeepSeek(TestChatModelStudio):
    """DeepSeek, which refuses some parameters."""

    model_name = "deepseek-v4-pro"
