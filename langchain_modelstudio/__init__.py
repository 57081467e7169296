"""Alibaba Cloud Model Studio for LangChain.

Example:
    >>> from langchain_modelstudio import ChatModelStudio
    >>> llm = ChatModelStudio(model="deepseek-v4-pro")  # doctest: +SKIP
    >>> llm.invoke("Who are you?").content  # doctest: +SKIP
"""

from langchain_modelstudio.chat_models import ChatModelStudio
from modelstudio_core import __version__

__all__ = ["ChatModelStudio", "__version__"]
