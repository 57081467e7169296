"""Warnings that point at the user's own line."""

import inspect
import warnings
from typing import Final

__all__ = ["warn_user"]

# A warning does not point at a line of these: they are between the user's and ours.
_LIBRARIES: Final = frozenset(
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


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn, pointing at the user's line; at ours in a thread of a framework.

    Args:
        message: What the user is to know.
        category: The class of the warning.
    """
    level, frame = 1, inspect.currentframe()
    while frame and frame.f_globals["__name__"].partition(".")[0] in _LIBRARIES:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level if frame else 2)
