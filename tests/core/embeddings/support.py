"""Helpers for the tests of embeddings: resolved arguments."""

from typing import Any

from modelstudio_core.embeddings.options import ResolvedEmbeddings, resolve_embeddings
from tests.core.support import KEY

__all__ = ["resolve"]


def resolve(model: str = "text-embedding-v4", **arguments: Any) -> ResolvedEmbeddings:
    """Resolve the arguments of an embedding class, for a closed local port."""
    defaults = {
        "model": model,
        "protocol": "dashscope",
        "api_key": KEY,
        "base_url": "http://127.0.0.1:9",
        "max_retries": 0,
    }
    return resolve_embeddings(defaults | arguments)
