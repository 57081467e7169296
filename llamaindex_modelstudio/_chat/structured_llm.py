"""``as_structured_llm``: a model whose every answer is an object."""

# LlamaIndex has no types for its callback decorators, and half of them for messages.
# pyright: reportUntypedFunctionDecorator=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from contextlib import aclosing, closing
from typing import Any, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    MessageRole,
    TextBlock,
    ThinkingBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback
from llama_index.core.llms.structured_llm import StructuredLLM
from pydantic import BaseModel
from typing_extensions import override

from llamaindex_modelstudio._chat.prediction import (
    Call,
    apredict,
    asked,
    predict,
    shape_for,
)
from llamaindex_modelstudio._chat.responses import to_completion_response
from llamaindex_modelstudio._chat.shapes import Reader, Shape
from llamaindex_modelstudio._chat.streams import chat_stream, completion_stream
from llamaindex_modelstudio._chat.tools import ToolCalling

__all__ = ["StructuredModelStudio"]


class StructuredModelStudio(StructuredLLM):
    """A ``StructuredLLM`` that keeps the reasoning and the usage, and streams both."""

    @property
    def _inner(self) -> ToolCalling:
        return cast("ToolCalling", self.llm)

    @llm_chat_callback()
    @override
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a conversation with an object."""
        shape = shape_for(self._inner, self.output_cls, kwargs)
        if shape is None:
            response: ChatResponse = super().chat(messages, **kwargs)
            return response
        return _to_response(*predict(self._inner, shape, messages, kwargs))

    @llm_chat_callback()
    @override
    async def achat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponse:
        """Answer a conversation with an object."""
        shape = shape_for(self._inner, self.output_cls, kwargs)
        if shape is None:
            response: ChatResponse = await super().achat(messages, **kwargs)
            return response
        return _to_response(*await apredict(self._inner, shape, messages, kwargs))

    @chat_stream
    @override
    def stream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseGen:
        """Answer a conversation with an object, as far as it came."""
        shape = shape_for(self._inner, self.output_cls, kwargs)
        if shape is None:
            responses: ChatResponseGen = super().stream_chat(messages, **kwargs)
            return responses
        return _responses(self._inner, shape, messages, kwargs)

    @chat_stream
    @override
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Answer a conversation with an object, as far as it came."""
        shape = shape_for(self._inner, self.output_cls, kwargs)
        if shape is None:
            responses: ChatResponseAsyncGen = await super().astream_chat(
                messages, **kwargs
            )
            return responses
        return _aresponses(self._inner, shape, messages, kwargs)

    @completion_stream
    @override
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Answer a prompt with an object, as far as it came."""
        responses = self.stream_chat([_user(prompt)], **kwargs)
        return _completions(responses)

    @completion_stream
    @override
    async def astream_complete(  # pyright: ignore[reportIncompatibleMethodOverride] - LlamaIndex's annotation is that of the sync one
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Answer a prompt with an object, as far as it came."""
        responses = await self.astream_chat([_user(prompt)], **kwargs)
        return _acompletions(responses)


# --- Responses that hold an object ------------------------------------------------


def _responses(
    llm: ToolCalling,
    shape: Shape[Any],
    messages: Sequence[ChatMessage],
    call: Call,
) -> ChatResponseGen:
    stream = _Responses(shape)
    with closing(llm.stream_chat(**asked(llm, shape, messages, call))) as responses:
        for response in responses:
            yield stream.next(response)


async def _aresponses(
    llm: ToolCalling,
    shape: Shape[Any],
    messages: Sequence[ChatMessage],
    call: Call,
) -> ChatResponseAsyncGen:
    stream = _Responses(shape)
    inner = await llm.astream_chat(**asked(llm, shape, messages, call))
    async with aclosing(inner) as responses:
        async for response in responses:
            yield stream.next(response)


def _completions(responses: ChatResponseGen) -> CompletionResponseGen:
    with closing(cast("Any", responses)):
        for response in responses:
            yield to_completion_response(response)


async def _acompletions(
    responses: ChatResponseAsyncGen,
) -> CompletionResponseAsyncGen:
    async with aclosing(cast("Any", responses)):
        async for response in responses:
            yield to_completion_response(response)


class _Responses:
    """The responses of one stream, each with the object as far as it came."""

    __slots__ = ("_found", "_reader")

    def __init__(self, shape: Shape[Any]) -> None:
        self._reader = Reader(shape)
        self._found: BaseModel | None = None

    def next(self, response: ChatResponse) -> ChatResponse:
        self._found = self._reader.read(response) or self._found
        return _to_response(response, self._found, self._reader.delta(response))


def _to_response(
    response: ChatResponse, found: BaseModel | None, delta: str | None = None
) -> ChatResponse:
    """Put an object in the place of the answer; what was thought stays before it."""
    message = response.message
    blocks = [block for block in message.blocks if isinstance(block, ThinkingBlock)]
    text = [] if found is None else [TextBlock(text=found.model_dump_json())]
    reasoning = message.additional_kwargs.get("reasoning_content")
    return ChatResponse(
        message=ChatMessage(
            role=MessageRole.ASSISTANT,
            blocks=[*blocks, *text],
            additional_kwargs={"reasoning_content": reasoning} if reasoning else {},
        ),
        raw=found,
        delta=delta,
        additional_kwargs=response.additional_kwargs,
    )


def _user(prompt: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.USER, content=prompt)
