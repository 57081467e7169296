"""Alibaba Cloud Model Studio for LangChain.

The exceptions are in ``langchain_modelstudio.errors``.

Example:
    >>> from langchain_modelstudio import ChatModelStudio
    >>> llm = ChatModelStudio(model="deepseek-v4-pro")  # doctest: +SKIP
    >>> llm.invoke("Who are you?").content  # doctest: +SKIP
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

try:
    import_module("langchain_core")
except ImportError as error:
    if error.name not in {"langchain_core", None}:
        raise
    raise ImportError(
        "langchain_modelstudio needs langchain-core, which is not installed. Run:"
        ' pip install "modelstudio-integrations[langchain]"',
        name="langchain_core",
    ) from error

from langchain_modelstudio._foreign import register
from langchain_modelstudio.chat_models import ChatModelStudio
from modelstudio_core import __version__

if TYPE_CHECKING:
    from langchain_modelstudio.embeddings import ModelStudioEmbeddings
    from langchain_modelstudio.rerank import ModelStudioRerank
    from langchain_modelstudio.tools import ModelStudioImageGeneration

__all__ = [
    "ChatModelStudio",
    "ModelStudioEmbeddings",
    "ModelStudioImageGeneration",
    "ModelStudioRerank",
    "__version__",
    "register",
]

# Imported at their first use: most programs need the chat model alone.
_MODULES: Final = {
    "ModelStudioEmbeddings": "langchain_modelstudio.embeddings",
    "ModelStudioImageGeneration": "langchain_modelstudio.tools",
    "ModelStudioRerank": "langchain_modelstudio.rerank",
}


def __getattr__(name: str) -> object:
    """Import a class at its first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the names, also of what is not imported yet."""
    return sorted({*globals(), *__all__})
