"""Alibaba Cloud Model Studio (Qwen, DeepSeek) models for LlamaIndex.

Example:
    >>> from llama_index.llms.modelstudio import ModelStudio
    >>> ModelStudio(model="deepseek-v4-pro", region="singapore")  # doctest: +SKIP
"""

from llamaindex_modelstudio import ModelStudio

__all__ = ["ModelStudio"]
