"""Events to LangChain's message chunks."""

from typing import Any, Final, assert_never

from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk

from langchain_modelstudio._chat.answers import to_metadata, to_usage
from langchain_modelstudio._foreign import new_chunk
from langchain_modelstudio._provider import PROVIDER
from modelstudio_core.chat.events import (
    Citations,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.chat.plan import ChatPlan

__all__ = ["to_chunk"]

_PROVIDER_METADATA: Final = {"model_provider": PROVIDER}


def to_chunk(event: Event, plan: ChatPlan) -> ChatGenerationChunk:
    """Convert an event to a chunk.

    LangChain concatenates strings when it adds up chunks, so the response's metadata
    is on the last chunk only.
    """
    match event:
        case TextDelta():
            return new_chunk(event.text, {})
        case ReasoningDelta():
            return new_chunk("", {"reasoning_content": event.text})
        case ToolCallDelta():
            call = tool_call_chunk(
                name=event.name, args=event.arguments, id=event.id, index=event.index
            )
            return _chunk(tool_call_chunks=[call])
        case Citations():
            return _chunk(additional_kwargs={"search_results": event.results})
        case Finish():
            return _chunk(
                response_metadata={**_PROVIDER_METADATA, **to_metadata(event, plan)},
                usage_metadata=to_usage(event.usage),
                chunk_position="last",
            )
        case _:
            assert_never(event)


def _chunk(**fields: Any) -> ChatGenerationChunk:
    fields.setdefault("response_metadata", _PROVIDER_METADATA)
    return ChatGenerationChunk(message=AIMessageChunk(content="", **fields))
