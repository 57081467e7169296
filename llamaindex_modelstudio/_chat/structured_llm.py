"""The model that ``as_structured_llm`` returns."""

# LlamaIndex does not type its callback decorators and some attributes of messages.
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

from llamaindex_modelstudio._chat.output_schema import OutputParser, OutputSchema
from llamaindex_modelstudio._chat.prediction import (
    CallArguments,
    apredict,
    call_arguments,
    choose_output_schema,
    predict,
)
from llamaindex_modelstudio._chat.responses import to_completion_response
from llamaindex_modelstudio._chat.streams import chat_stream, completion_stream
from llamaindex_modelstudio._chat.tools import ToolCalling

__all__ = ["StructuredModelStudio"]


class StructuredModelStudio(StructuredLLM):
    """A ``StructuredLLM`` whose responses and streams keep reasoning and usage."""

    @property
    def _inner(self) -> ToolCalling:
        return cast("ToolCalling", self.llm)

    @llm_chat_callback()
    @override
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a conversation with an object."""
        schema = choose_output_schema(self._inner, self.output_cls, kwargs)
        if schema is None:
            response: ChatResponse = super().chat(messages, **kwargs)
            return response
        return _to_response(*predict(self._inner, schema, messages, kwargs))

    @llm_chat_callback()
    @override
    async def achat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponse:
        """Async version of ``chat``."""
        schema = choose_output_schema(self._inner, self.output_cls, kwargs)
        if schema is None:
            response: ChatResponse = await super().achat(messages, **kwargs)
            return response
        return _to_response(*await apredict(self._inner, schema, messages, kwargs))

    @chat_stream
    @override
    def stream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseGen:
        """Stream the answer to a conversation, with the object so far in ``raw``."""
        schema = choose_output_schema(self._inner, self.output_cls, kwargs)
        if schema is None:
            responses: ChatResponseGen = super().stream_chat(messages, **kwargs)
            return responses
        return _responses(self._inner, schema, messages, kwargs)

    @chat_stream
    @override
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """Async version of ``stream_chat``."""
        schema = choose_output_schema(self._inner, self.output_cls, kwargs)
        if schema is None:
            responses: ChatResponseAsyncGen = await super().astream_chat(
                messages, **kwargs
            )
            return responses
        return _aresponses(self._inner, schema, messages, kwargs)

    @completion_stream
    @override
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Stream the answer to a prompt, with the object so far in ``raw``."""
        responses = self.stream_chat([_user_message(prompt)], **kwargs)
        return _completions(responses)

    @completion_stream
    @override
    async def astream_complete(  # pyright: ignore[reportIncompatibleMethodOverride] - LlamaIndex annotates it as the synchronous method
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Async version of ``stream_complete``."""
        responses = await self.astream_chat([_user_message(prompt)], **kwargs)
        return _acompletions(responses)


# --- Responses that hold an object ------------------------------------------------


def _responses(
    llm: ToolCalling,
    schema: OutputSchema[BaseModel],
    messages: Sequence[ChatMessage],
    call: CallArguments,
) -> ChatResponseGen:
    converter = _StreamConverter(schema)
    stream = llm.stream_chat(**call_arguments(llm, schema, messages, call))
    with closing(stream) as responses:
        for response in responses:
            yield converter.convert(response)


async def _aresponses(
    llm: ToolCalling,
    schema: OutputSchema[BaseModel],
    messages: Sequence[ChatMessage],
    call: CallArguments,
) -> ChatResponseAsyncGen:
    converter = _StreamConverter(schema)
    stream = await llm.astream_chat(**call_arguments(llm, schema, messages, call))
    async with aclosing(stream) as responses:
        async for response in responses:
            yield converter.convert(response)


def _completions(responses: ChatResponseGen) -> CompletionResponseGen:
    with closing(responses):
        for response in responses:
            yield to_completion_response(response)


async def _acompletions(
    responses: ChatResponseAsyncGen,
) -> CompletionResponseAsyncGen:
    async with aclosing(responses):
        async for response in responses:
            yield to_completion_response(response)


class _StreamConverter:
    """Converts the responses of one stream to responses with the object so far."""

    __slots__ = ("_object", "_parser")

    def __init__(self, schema: OutputSchema[BaseModel]) -> None:
        self._parser = OutputParser(schema)
        self._object: BaseModel | None = None

    def convert(self, response: ChatResponse) -> ChatResponse:
        self._object = self._parser.parse(response) or self._object
        return _to_response(response, self._object, self._parser.delta(response))


def _to_response(
    response: ChatResponse, parsed: BaseModel | None, delta: str | None = None
) -> ChatResponse:
    """Replace the text of a response by an object; the reasoning stays."""
    message = response.message
    blocks = [block for block in message.blocks if isinstance(block, ThinkingBlock)]
    text = [] if parsed is None else [TextBlock(text=parsed.model_dump_json())]
    reasoning = message.additional_kwargs.get("reasoning_content")
    return ChatResponse(
        message=ChatMessage(
            role=MessageRole.ASSISTANT,
            blocks=[*blocks, *text],
            additional_kwargs={"reasoning_content": reasoning} if reasoning else {},
        ),
        raw=parsed,
        delta=delta,
        additional_kwargs=response.additional_kwargs,
    )


def _user_message(prompt: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.USER, content=prompt)
