"""Content blocks of other providers, in the form of LangChain's."""

from collections.abc import Mapping
from typing import Final, cast

__all__ = ["Block", "is_cache_point", "unwrap", "with_type"]

# A content block, or another of LangChain's untyped dicts.
Block = Mapping[str, object]

_CACHE_POINTS: Final = ("cachePoint", "cache_point", "cache")
# The keys of Gemini's blocks, which have no type, and other names of keys below.
_GEMINI: Final = ("inline_data", "inlineData", "file_data", "fileData")
_NAMES_OF_GEMINI: Final = {
    "displayName": "filename",
    "display_name": "filename",
    "fileUri": "file_uri",
    "mimeType": "mime_type",
}
# The keys of DashScope's and Bedrock's blocks, which have no type either.
_UNTYPED: Final = ("image", "video", "audio", "document", "text")


def unwrap(block: Block) -> Block:
    """Return another provider's block without LangChain's wrapper.

    Args:
        block: A content block.
    """
    value = block.get("value")
    if block.get("type") == "non_standard" and isinstance(value, Mapping):
        return cast("Block", value)
    return block


def is_cache_point(block: Block) -> bool:
    """Return whether a block marks the end of a cached prefix, as Bedrock's does.

    Args:
        block: A content block.
    """
    return block.get("type") in _CACHE_POINTS or "cachePoint" in block


def with_type(block: Block) -> Block:
    """Return a block of DashScope, Gemini or Bedrock in the form of LangChain's.

    Args:
        block: A content block. One with a type is returned as it is.
    """
    if block.get("type"):
        return block
    for key in (*_GEMINI, *_UNTYPED):
        inner = block.get(key)
        if isinstance(inner, Mapping):
            others = {name: value for name, value in block.items() if name != key}
            fields = cast("Block", inner)
            if key in _GEMINI:
                fields = {_NAMES_OF_GEMINI.get(n, n): v for n, v in fields.items()}
                return {**others, "type": "media", **fields}
            return {**others, "type": key, "title": fields.get("name"), **fields}
    if "file_url" in block or "file_data" in block:
        return {**block, "type": "file"}
    kind = next((key for key in _UNTYPED if key in block), None)
    return {**block, "type": kind} if kind else block
