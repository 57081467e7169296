"""Events to LangChain's chunks, the common ones without pydantic's validation."""

from typing import Any, Final, assert_never

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_modelstudio._chat.answers import to_metadata, to_usage
from langchain_modelstudio._chat.blocks import PROVIDER
from modelstudio_core.chat.events import (
    Citations,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.foreign.pydantic_objects import construct, dump_state

__all__ = ["to_chunk"]

_EACH: Final = {"model_provider": PROVIDER}


def to_chunk(event: Event, request: ChatPlan) -> ChatGenerationChunk:
    """Make the chunk of one event.

    What is merged by concatenation stands on one chunk only, the last.
    """
    match event:
        case TextDelta():
            return _make(event.text, {})
        case ReasoningDelta():
            return _make("", {"reasoning_content": event.text})
        case ToolCallDelta():
            chunk = tool_call_chunk(
                name=event.name, args=event.arguments, id=event.id, index=event.index
            )
            return _whole(content="", tool_call_chunks=[chunk])
        case Citations():
            return _whole(
                content="", additional_kwargs={"search_results": event.results}
            )
        case Finish():
            return _whole(
                content="",
                response_metadata={**_EACH, **to_metadata(event, request)},
                usage_metadata=to_usage(event.usage),
                chunk_position="last",
            )
        case _:
            assert_never(event)


def _whole(**fields: Any) -> ChatGenerationChunk:
    fields.setdefault("response_metadata", _EACH)
    return ChatGenerationChunk(message=AIMessageChunk(**fields))


def validated(text: str, extra: dict[str, Any]) -> ChatGenerationChunk:
    """Make a chunk of text or reasoning the ordinary way."""
    return _whole(content=text, **({"additional_kwargs": extra} if extra else {}))


# --- The fast way -----------------------------------------------------------------
#
# Validating a chunk costs more than the rest of its way from the socket. This makes the
# objects that validation makes; where LangChain's classes have come to hold anything
# else, the ordinary way is taken.

_Text: Final = type(validated("x", {}).text)


def unvalidated(text: str, extra: dict[str, Any]) -> ChatGenerationChunk:
    """Make a chunk of text or reasoning without validation."""
    given = {"content", "response_metadata"}
    if extra:
        given.add("additional_kwargs")
    fields: dict[str, Any] = {
        "content": text,
        "additional_kwargs": extra,
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
    message = construct(AIMessageChunk, fields, given, {})
    fields = {
        # LangChain's own ``__new__`` does this, and is a function more.
        "text": str.__new__(_Text, text),
        "generation_info": None,
        "type": "ChatGenerationChunk",
        "message": message,
    }
    return construct(ChatGenerationChunk, fields, {"text", "message"})


def agrees() -> bool:
    """Tell whether both ways make the same objects."""
    samples: list[tuple[str, dict[str, Any]]] = [
        ("x", {}),
        ("", {}),
        ("", {"reasoning_content": "x"}),
    ]
    return issubclass(_Text, str) and all(
        dump_state(validated(text, {**extra}))
        == dump_state(unvalidated(text, {**extra}))
        for text, extra in samples
    )


_make: Final = unvalidated if agrees() else validated
