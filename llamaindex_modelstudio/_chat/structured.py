"""Structured prediction: objects in place of text, whole and streamed."""

# LlamaIndex has half of the types for its prompts.
# pyright: reportUnknownMemberType=false

from collections.abc import AsyncGenerator, Generator
from typing import Any

from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.prompts.base import PromptTemplate
from llama_index.core.types import Model
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel
from typing_extensions import override

from llamaindex_modelstudio._chat.prediction import (
    Call,
    apredict,
    astream_objects,
    predict,
    shape_for,
    stream_objects,
)
from llamaindex_modelstudio._chat.structured_llm import StructuredModelStudio
from llamaindex_modelstudio._chat.tools import ToolCalling

__all__ = ["StructuredPrediction"]

_dispatcher = get_dispatcher(__name__)


class StructuredPrediction(ToolCalling):
    """What LlamaIndex calls structured prediction, in one request each.

    LlamaIndex's own programs force no tool in streams, drop the system prompt in async
    and begin streams with blank objects; here an object is of the class, or as much of
    one as has come, or an error.
    """

    @override
    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Answer a prompt with an object.

        Where the model is known to take a JSON schema, thinking as it does, it gets one
        as ``response_format``; elsewhere a tool that it must call, for which
        ``forced_tool_choice`` says what becomes of its thinking.
        ``pydantic_program_mode`` wins: ``"function"`` is the tool, ``"llm"`` the schema
        in words. A ``response_format`` of the user's own is kept, and the schema said
        in words.

        Args:
            output_cls: The class of the object.
            prompt: The prompt.
            llm_kwargs: Chat arguments for this call; they win.
            **prompt_args: What fills the prompt.

        Raises:
            ValueError: The answer is not of the class.
            ModelStudioError: An argument is wrong, or there is no whole answer.
        """
        shape = shape_for(self, output_cls, llm_kwargs)
        if shape is None:
            found: Model = super().structured_predict(
                output_cls, prompt, llm_kwargs, **prompt_args
            )
            return found
        _start(output_cls, prompt, prompt_args)
        messages = prompt.format_messages(llm=self, **prompt_args)
        _, found = predict(self, shape, messages, llm_kwargs)
        _dispatcher.event(LLMStructuredPredictEndEvent(output=found))
        return found

    @override
    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Answer a prompt with an object; see ``structured_predict``."""
        shape = shape_for(self, output_cls, llm_kwargs)
        if shape is None:
            found: Model = await super().astructured_predict(
                output_cls, prompt, llm_kwargs, **prompt_args
            )
            return found
        _start(output_cls, prompt, prompt_args)
        messages = prompt.format_messages(llm=self, **prompt_args)
        _, found = await apredict(self, shape, messages, llm_kwargs)
        _dispatcher.event(LLMStructuredPredictEndEvent(output=found))
        return found

    # ``stream_structured_predict`` and its twin call these two, and tell observers.

    @override
    def _structured_stream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Model | list[Model] | FlexibleModel | list[FlexibleModel]]:
        shape = shape_for(self, output_cls, llm_kwargs)
        if shape is None:
            return super()._structured_stream_call(
                output_cls, prompt, llm_kwargs, **prompt_args
            )
        messages = prompt.format_messages(llm=self, **prompt_args)
        return stream_objects(self, shape, messages, llm_kwargs)

    @override
    async def _structured_astream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Model | list[Model] | FlexibleModel | list[FlexibleModel]]:
        shape = shape_for(self, output_cls, llm_kwargs)
        if shape is None:
            return await super()._structured_astream_call(
                output_cls, prompt, llm_kwargs, **prompt_args
            )
        messages = prompt.format_messages(llm=self, **prompt_args)
        return astream_objects(self, shape, messages, llm_kwargs)

    @override
    def as_structured_llm(
        self, output_cls: type[BaseModel], **kwargs: Any
    ) -> StructuredModelStudio:
        """Return a model that answers with an object: as JSON text, and as ``raw``.

        Args:
            output_cls: The class of the object.
            **kwargs: What ``StructuredLLM`` takes.
        """
        return StructuredModelStudio(llm=self, output_cls=output_cls, **kwargs)


def _start(output_cls: type[BaseModel], prompt: PromptTemplate, filled: Call) -> None:
    _dispatcher.event(
        LLMStructuredPredictStartEvent(
            output_cls=output_cls, template=prompt, template_args=dict(filled)
        )
    )
