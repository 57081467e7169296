"""Warnings that point at a line of the user's code."""

import inspect
import warnings
from collections.abc import Sequence
from typing import Final

from modelstudio_core.errors import ModelStudioWarning

__all__ = ["warn_once", "warn_user"]

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


class _Issued:
    """The texts that were issued while one list of filters was in effect."""

    def __init__(self) -> None:
        self.filters: Sequence[object] | None = None
        self.texts: set[str] = set()


_issued: Final = _Issued()


def warn_once(text: str, warned: set[str]) -> None:
    """Issue a ``ModelStudioWarning`` once for an object, and once for the process.

    Like Python's own registry of warnings, that of the process begins anew when the
    filters change, as in ``warnings.catch_warnings``.

    Args:
        text: The text of the warning, which names the model and the fact.
        warned: What the object has issued so far. The text is added.
    """
    if _issued.filters is not warnings.filters:
        _issued.filters, _issued.texts = warnings.filters, set()
    if text in warned or text in _issued.texts:
        return
    # First, because another thread may come here, and a warning may be an error.
    warned.add(text)
    _issued.texts.add(text)
    warn_user(text, ModelStudioWarning)
