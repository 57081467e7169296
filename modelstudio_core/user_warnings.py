"""Warnings that point at a line of the user's code."""

import inspect
import warnings
from typing import Final

__all__ = ["warn_user"]

# Frames of these packages lie between the user's code and this package: skipped.
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
    """Issue a warning that points at the user's line.

    In a thread of a framework there is no such line: then it points at the caller's.

    Args:
        message: The text of the warning.
        category: The class of the warning.
    """
    level, frame = 1, inspect.currentframe()
    while frame and frame.f_globals["__name__"].partition(".")[0] in _LIBRARIES:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level if frame else 2)
