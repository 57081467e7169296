"""Embeddings: texts, images and video to vectors.

``SparseVector`` and ``HybridVector`` are what the sparse and hybrid methods of the
classes of both frameworks return, and ``Usage`` is their ``usage``.
"""

from modelstudio_core.concurrent_arguments import Usage
from modelstudio_core.embeddings.vectors import HybridVector, SparseVector

__all__ = ["HybridVector", "SparseVector", "Usage"]
