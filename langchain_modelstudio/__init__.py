"""Alibaba Cloud Model Studio for LangChain.

The exceptions are in ``langchain_modelstudio.errors``.

Example:
    >>> from langchain_modelstudio import ChatModelStudio
    >>> llm = ChatModelStudio(model="deepseek-v4-pro")  # doctest: +SKIP
    >>> llm.invoke("Who are you?").content  # doctest: +SKIP
"""

from importlib import import_module

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
from langchain_modelstudio.embeddings import ModelStudioEmbeddings
from langchain_modelstudio.rerank import ModelStudioRerank
from langchain_modelstudio.tools import ModelStudioImageGeneration
from modelstudio_core import __version__

__all__ = [
    "ChatModelStudio",
    "ModelStudioEmbeddings",
    "ModelStudioImageGeneration",
    "ModelStudioRerank",
    "__version__",
    "register",
]
