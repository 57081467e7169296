"""Alibaba Cloud Model Studio embeddings for LlamaIndex.

Example:
    >>> from llama_index.embeddings.modelstudio import ModelStudioEmbedding
    >>> ModelStudioEmbedding(model="text-embedding-v4")  # doctest: +SKIP
"""

from llamaindex_modelstudio import ModelStudioEmbedding, ModelStudioMultiModalEmbedding

__all__ = ["ModelStudioEmbedding", "ModelStudioMultiModalEmbedding"]
