"""Alibaba Cloud Model Studio reranking for LlamaIndex.

Example:
    >>> from llama_index.postprocessor.modelstudio_rerank import ModelStudioRerank
    >>> ModelStudioRerank(model="qwen3-rerank", top_n=3)  # doctest: +SKIP
"""

from llamaindex_modelstudio import ModelStudioRerank

__all__ = ["ModelStudioRerank"]
