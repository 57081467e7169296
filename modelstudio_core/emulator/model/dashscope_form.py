"""The form of an answer that a DashScope request asks for."""

from typing import Final

from modelstudio_core.catalog import NativePath
from modelstudio_core.emulator.model.query import ChatQuery

__all__ = ["MULTIMODAL", "is_incremental", "is_text_format"]

MULTIMODAL: Final[NativePath] = "multimodal-generation"
# The families whose result_format is "text", and those whose incremental_output is
# true, where the request does not set them (API reference).
_TEXT_BY_DEFAULT: Final = "qwen-"
_INCREMENTAL_BY_DEFAULT: Final = ("qwen3-", "qwq", "qvq")


def is_text_format(query: ChatQuery, path: NativePath) -> bool:
    """Return whether the answer is a plain text, without a message around it."""
    if path == MULTIMODAL:
        return False
    result_format = query.body.get("result_format")
    if result_format is None:
        return query.model.startswith(_TEXT_BY_DEFAULT)
    return bool(result_format == "text")


def is_incremental(query: ChatQuery) -> bool:
    """Return whether each chunk of a stream has only the new content."""
    if query.profile.streams_cumulatively:
        return False
    incremental = query.body.get("incremental_output")
    if incremental is None:
        return query.model.startswith(_INCREMENTAL_BY_DEFAULT)
    return bool(incremental)
