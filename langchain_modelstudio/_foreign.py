"""Fast paths that use private parts of LangChain's classes."""

from typing import Any, Final

from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_modelstudio._provider import PROVIDER
from modelstudio_core.foreign.fast_path import FastPath
from modelstudio_core.foreign.pydantic_objects import construct, dump_state

__all__ = ["new_chunk"]


def new_chunk(content: str, additional_kwargs: dict[str, Any]) -> ChatGenerationChunk:
    """Create a chunk of text or reasoning.

    Pydantic's validation of a chunk takes longer than everything else between the
    socket and the caller, so it is skipped where the result is the same.

    Args:
        content: The text.
        additional_kwargs: The message's ``additional_kwargs``. The chunk keeps the
            dict.
    """
    if fast_chunks.active:
        try:
            return unvalidated_chunk(content, additional_kwargs)
        except Exception as error:  # noqa: BLE001 - private parts may raise anything
            fast_chunks.switch_off(error)
    return validated_chunk(content, additional_kwargs)


def validated_chunk(
    content: str, additional_kwargs: dict[str, Any]
) -> ChatGenerationChunk:
    """Create a chunk with LangChain's own constructors."""
    fields: dict[str, Any] = {"response_metadata": {"model_provider": PROVIDER}}
    if additional_kwargs:
        fields["additional_kwargs"] = additional_kwargs
    return ChatGenerationChunk(message=AIMessageChunk(content=content, **fields))


def unvalidated_chunk(
    content: str, additional_kwargs: dict[str, Any]
) -> ChatGenerationChunk:
    """Create a chunk with the same state as ``validated_chunk``, without validation."""
    fields_set = {"content", "response_metadata"}
    if additional_kwargs:
        fields_set.add("additional_kwargs")
    fields: dict[str, Any] = {
        "content": content,
        "additional_kwargs": additional_kwargs,
        "response_metadata": {"model_provider": PROVIDER},
        "type": "AIMessageChunk",
        "name": None,
        "id": None,
        "tool_calls": [],
        "invalid_tool_calls": [],
        "usage_metadata": None,
        "tool_call_chunks": [],
        "chunk_position": None,
    }
    fields = {
        # The same as TextAccessor(content), with one function call less.
        "text": _new_str(_Text, content),
        "generation_info": None,
        "type": "ChatGenerationChunk",
        "message": construct(AIMessageChunk, fields, fields_set, {}),
    }
    return construct(ChatGenerationChunk, fields, {"text", "message"})


def same_chunks() -> bool:
    """Return whether both functions create the same objects."""
    samples: list[tuple[str, dict[str, Any]]] = [
        ("x", {}),
        ("", {}),
        ("", {"reasoning_content": "x"}),
    ]
    return all(
        dump_state(validated_chunk(content, {**extra}))
        == dump_state(unvalidated_chunk(content, {**extra}))
        for content, extra in samples
    )


_new_str: Final = str.__new__
_Text: Final = type(validated_chunk("x", {}).text)
fast_chunks: Final = FastPath("LangChain's message chunks", probe=same_chunks)
