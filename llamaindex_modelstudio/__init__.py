"""Alibaba Cloud Model Studio for LlamaIndex.

Example:
    >>> from llama_index.core import Settings
    >>> from llamaindex_modelstudio import ModelStudio
    >>> Settings.llm = ModelStudio(model="deepseek-v4-pro")  # doctest: +SKIP
"""

from llamaindex_modelstudio.llm import ModelStudio
from modelstudio_core import __version__

__all__ = ["ModelStudio", "__version__"]
