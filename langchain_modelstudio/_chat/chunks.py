"""Events to LangChain's message chunks."""

from typing import Any, Final, assert_never

from langchain_core.messages import AIMessageChunk, ToolCallChunk
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.utils.json import parse_partial_json

from langchain_modelstudio._chat.answers import (
    to_generation_info,
    to_metadata,
    to_usage,
)
from langchain_modelstudio._foreign import new_chunk
from langchain_modelstudio._provider import PROVIDER
from modelstudio_core.chat.completion import Completion
from modelstudio_core.chat.events import (
    AudioDelta,
    Citations,
    ContentParts,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
)
from modelstudio_core.chat.plan import ChatPlan
from modelstudio_core.wire.json_values import check_values

__all__ = ["ChunkBuilder"]

_PROVIDER_METADATA: Final = {"model_provider": PROVIDER}
# What makes JSON that LangChain would complete invalid for it: a closing bracket that
# does not match, inside or outside of a string.
_INVALID_ENDS: Final = ("", "]", "}", '"]', '"}', '""]', '""}')


class ChunkBuilder:
    """Converts the events of one stream to chunks.

    Attributes:
        last: The chunk to yield after all events; None if there is none.
    """

    __slots__ = ("_calls", "_plan", "last")

    def __init__(self, plan: ChatPlan) -> None:
        """Create the builder for one stream.

        Args:
            plan: The plan of the request.
        """
        self.last: ChatGenerationChunk | None = None
        self._plan = plan
        self._calls: Completion | None = None

    def build(self, event: Event) -> ChatGenerationChunk:
        """Convert an event to a chunk.

        LangChain concatenates strings when it adds up chunks, so the response's
        metadata is on the last chunk only.
        """
        match event:
            case TextDelta():
                return new_chunk(event.text, {})
            case ReasoningDelta():
                return new_chunk("", {"reasoning_content": event.text})
            case ToolCallDelta():
                self._calls = self._calls or Completion()
                self._calls.add(event)
                call = tool_call_chunk(
                    name=event.name,
                    args=event.arguments,
                    id=event.id,
                    index=event.index,
                )
                return _chunk(tool_call_chunks=[call])
            case AudioDelta():
                values = {"data": event.data, "transcript": event.transcript}
                audio = {name: text for name, text in values.items() if text}
                return _chunk(additional_kwargs={"audio": {**event.fields, **audio}})
            case ContentParts() | Citations():
                return _chunk(additional_kwargs=_extras(event))
            case Finish():
                return self._finish(event)
            case _:
                assert_never(event)

    def build_interrupted(self) -> ChatGenerationChunk | None:
        """Return the chunk to yield if the stream ends in an error, if there is one.

        It makes the incomplete tool calls invalid in the sum of the chunks.
        """
        ends = self._invalid_ends()
        return _chunk(tool_call_chunks=ends) if ends else None

    def _finish(self, finish: Finish) -> ChatGenerationChunk:
        """Return the chunk of the metadata, or one before it for invalid calls."""
        if self._calls is not None:
            self._calls.add(finish)
        metadata = to_metadata(finish, self._plan)
        chunk = _chunk(
            response_metadata={**_PROVIDER_METADATA, **metadata},
            usage_metadata=to_usage(finish.usage),
            chunk_position="last",
        )
        chunk.generation_info = to_generation_info(finish, self._plan)
        if (invalid := self.build_interrupted()) is None:
            return chunk
        self.last = chunk
        return invalid

    def _invalid_ends(self) -> list[ToolCallChunk]:
        """Return what to add to tool calls whose arguments are incomplete or invalid.

        LangChain completes such arguments when it adds up chunks (``{"path": `` becomes
        ``{}``), and an agent would run the call. With these ends it is an invalid call.
        """
        if self._calls is None:
            return []
        return [
            tool_call_chunk(name=None, args=end, id=None, index=index)
            for index, call in enumerate(self._calls.parsed_calls)
            if call.arguments is None and (end := _invalid_end(call.text))
        ]


def _extras(event: ContentParts | Citations) -> dict[str, Any]:
    if isinstance(event, Citations):
        return {"search_results": event.results}
    return dict(event.parts)


def _invalid_end(arguments: str) -> str:
    return next(end for end in _INVALID_ENDS if not _is_completed(arguments + end))


def _is_completed(arguments: str) -> bool:
    """Return whether LangChain makes a call of arguments that are not complete."""
    if not arguments:
        return True
    try:
        check_values(arguments)
        return isinstance(parse_partial_json(arguments), dict)
    except (ValueError, RecursionError):
        return False


def _chunk(**fields: Any) -> ChatGenerationChunk:
    fields.setdefault("response_metadata", _PROVIDER_METADATA)
    return ChatGenerationChunk(message=AIMessageChunk(content="", **fields))
