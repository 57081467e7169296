"""The MIME types of images in a prompt, which LangChain's tracing requires."""

from collections.abc import Mapping, Sequence
from typing import cast

from langchain_core.messages import BaseMessage

from langchain_modelstudio._chat.provider_blocks import Block
from modelstudio_core.chat.media import data_type
from modelstudio_core.wire.media_types import ANY_BYTES

__all__ = ["add_image_types", "lacks_image_type"]


def add_image_types(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Return messages in which each image in base64 has a MIME type.

    LangChain raises a bare ``ValueError`` before a call for an image block without
    one; the first bytes of the image say what it is. If they do not, the type is one
    that says nothing: the image is sent as the usual type, with a warning.

    Args:
        messages: The messages of a prompt. They are not changed.
    """
    return [
        message.model_copy(update={"content": list(map(_typed, message.content))})
        if lacks_image_type(message)
        else message
        for message in messages
    ]


def lacks_image_type(message: BaseMessage) -> bool:
    """Return whether an image of a message has no MIME type.

    Args:
        message: The message.
    """
    content = message.content
    return isinstance(content, list) and any(map(_is_untyped, content))


def _is_untyped(block: object) -> bool:
    """Return whether a block is an image in base64 of LangChain 1 or 0 without type."""
    if not isinstance(block, Mapping):
        return False
    fields = cast("Block", block)
    is_data = "base64" in fields or fields.get("source_type") == "base64"
    return fields.get("type") == "image" and is_data and "mime_type" not in fields


def _typed(block: str | Block) -> str | Block:
    if isinstance(block, str) or not _is_untyped(block):
        return block
    data = block.get("base64") or block.get("data")
    found = data_type(data, kind="image") if isinstance(data, str | bytes) else None
    return {**block, "mime_type": found or ANY_BYTES}
