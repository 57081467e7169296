"""The unit part of LangChain's own standard suite, without a skip."""

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
    pytest.mark.usefixtures("without_skips", "admitted"),
]

ID = ("langchain_modelstudio", "chat_models", "ChatModelStudio")


@pytest.fixture
def admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Admit our class to LangChain's loader, which knows its own packages only."""
    loading = import_module("langchain_core.load.load")
    monkeypatch.setitem(loading.ALL_SERIALIZABLE_MAPPINGS, ID, ID)
    # What it knew when it was first asked, by whichever test.
    monkeypatch.setattr(loading, "_default_class_paths_cache", {})


class UnitTests(Configuration, ChatModelUnitTests):
    """What the suite is told besides."""

    @property
    def init_from_env_params(
        self,
    ) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        """The variables, the arguments beside them, and what must come of both."""
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
