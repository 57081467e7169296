"""Warnings that point at the user's own line."""

import inspect
import warnings
from typing import Final

__all__ = ["warn_user"]

# Where a warning must not point: between the user's line and ours.
_INNER: Final = frozenset(
    {
        "modelstudio_core",
        "langchain_modelstudio",
        "llamaindex_modelstudio",
        "langchain",
        "langchain_core",
        "langgraph",
        "llama_index",
        "llama_index_instrumentation",
        "pydantic",
        "wrapt",
        "asyncio",
        "concurrent",
        "contextvars",
        "threading",
    }
)


def warn_user(notice: str, category: type[Warning]) -> None:
    """Warn, pointing at the user's line; in a thread of a framework's at our own."""
    level, frame = 1, inspect.currentframe()
    while frame and frame.f_globals["__name__"].partition(".")[0] in _INNER:
        level, frame = level + 1, frame.f_back
    warnings.warn(notice, category, stacklevel=level if frame else 2)
