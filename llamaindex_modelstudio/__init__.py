"""Alibaba Cloud Model Studio for LlamaIndex.

Example:
    >>> from llama_index.core import Settings
    >>> from llamaindex_modelstudio import ModelStudio
    >>> Settings.llm = ModelStudio(model="deepseek-v4-pro")  # doctest: +SKIP
"""

from modelstudio_core import __version__

try:
    from llamaindex_modelstudio.embeddings import (
        ModelStudioEmbedding,
        ModelStudioMultiModalEmbedding,
    )
    from llamaindex_modelstudio.llm import ModelStudio
    from llamaindex_modelstudio.rerank import ModelStudioRerank
    from llamaindex_modelstudio.tools import ModelStudioToolSpec
except ModuleNotFoundError as error:
    if not (error.name or "").startswith("llama_index"):
        raise
    raise ImportError(
        "llamaindex_modelstudio requires llama-index-core, which is not installed."
        ' Install it with: pip install "modelstudio-integrations[llamaindex]"',
        name=error.name,
    ) from error

__all__ = [
    "ModelStudio",
    "ModelStudioEmbedding",
    "ModelStudioMultiModalEmbedding",
    "ModelStudioRerank",
    "ModelStudioToolSpec",
    "__version__",
]
