"""The unit tests of LangChain's standard suite, without a skip."""

from importlib import import_module
from typing import Any

import pytest
from langchain_tests.unit_tests import ChatModelUnitTests

from tests.langchain.standard import (
    Configuration,
    DeepSeek,
    NativeDeepSeek,
    NativeQwen,
    Qwen,
    QwenThinking,
    without_skips,
)

__all__ = ["without_skips"]

pytestmark = [
    pytest.mark.disable_socket,
    pytest.mark.usefixtures("without_skips", "loadable"),
]

ID = ("langchain_modelstudio", "chat_models", "ChatModelStudio")


@pytest.fixture
def loadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add our class to LangChain's loader, which accepts its own packages only."""
    loading = import_module("langchain_core.load.load")
    monkeypatch.setitem(loading.ALL_SERIALIZABLE_MAPPINGS, ID, ID)
    # An earlier test may have filled the cache.
    monkeypatch.setattr(loading, "_default_class_paths_cache", {})


class UnitTests(Configuration, ChatModelUnitTests):
    """The suite with our environment variable."""

    @property
    def init_from_env_params(
        self,
    ) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        """The environment, the arguments, and the expected attributes."""
        return (
            {"DASHSCOPE_API_KEY": "sk-from-the-environment"},
            dict(self.arguments),
            {"api_key": "sk-from-the-environment"},
        )


class TestQwen(Qwen, UnitTests):
    """The unit suite."""


class TestQwenThinking(QwenThinking, UnitTests):
    """The unit suite."""


class TestDeepSeek(DeepSeek, UnitTests):
    """The unit suite."""


class TestNativeQwen(NativeQwen, UnitTests):
    """The unit suite."""


class TestNativeDeepSeek(NativeDeepSeek, UnitTests):
    """The unit suite."""
