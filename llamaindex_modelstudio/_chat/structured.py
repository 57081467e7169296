"""Structured prediction: answers that are objects of a class."""

# LlamaIndex types only some attributes of its prompts.
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
    CallArguments,
    apredict,
    astream_objects,
    choose_output_schema,
    predict,
    stream_objects,
)
from llamaindex_modelstudio._chat.structured_llm import StructuredModelStudio
from llamaindex_modelstudio._chat.tools import ToolCalling

__all__ = ["StructuredPrediction"]

_dispatcher = get_dispatcher(__name__)


class StructuredPrediction(ToolCalling):
    """Structured prediction with one request for each object.

    LlamaIndex's own programs do not force the tool in streams, omit the system prompt
    in async calls and begin streams with empty objects (llama-index-core 0.14.25).
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

        The JSON schema of the class is sent as ``response_format`` if the model
        supports that in its thinking mode, else as a tool that the model must call;
        ``forced_tool_choice`` then decides whether the model thinks.
        ``pydantic_program_mode`` overrides this: ``"function"`` sends the tool,
        ``"llm"`` puts the schema into the prompt. If a ``response_format`` is given, it
        is sent, and the schema is put into the prompt.

        Args:
            output_cls: The class of the object.
            prompt: The prompt.
            llm_kwargs: Chat arguments for this call; they override the constructor's.
            **prompt_args: Values for the variables of the prompt.

        Returns:
            An object of the class.

        Raises:
            ValueError: The answer is not a valid object of the class.
            ModelStudioError: An argument is invalid, or the request failed.
        """
        schema = choose_output_schema(self, output_cls, llm_kwargs)
        if schema is None:
            predicted: Model = super().structured_predict(
                output_cls, prompt, llm_kwargs, **prompt_args
            )
            return predicted
        _report_start(output_cls, prompt, prompt_args)
        messages = prompt.format_messages(llm=self, **prompt_args)
        _, predicted = predict(self, schema, messages, llm_kwargs)
        _dispatcher.event(LLMStructuredPredictEndEvent(output=predicted))
        return predicted

    @override
    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Async version of ``structured_predict``."""
        schema = choose_output_schema(self, output_cls, llm_kwargs)
        if schema is None:
            predicted: Model = await super().astructured_predict(
                output_cls, prompt, llm_kwargs, **prompt_args
            )
            return predicted
        _report_start(output_cls, prompt, prompt_args)
        messages = prompt.format_messages(llm=self, **prompt_args)
        _, predicted = await apredict(self, schema, messages, llm_kwargs)
        _dispatcher.event(LLMStructuredPredictEndEvent(output=predicted))
        return predicted

    # LlamaIndex's ``stream_structured_predict`` and ``astream_structured_predict`` call
    # these two and report their events. Without them, its own programs would be used.

    @override
    def _structured_stream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Model | list[Model] | FlexibleModel | list[FlexibleModel]]:
        schema = choose_output_schema(self, output_cls, llm_kwargs)
        if schema is None:
            return super()._structured_stream_call(
                output_cls, prompt, llm_kwargs, **prompt_args
            )
        messages = prompt.format_messages(llm=self, **prompt_args)
        return stream_objects(self, schema, messages, llm_kwargs)

    @override
    async def _structured_astream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Model | list[Model] | FlexibleModel | list[FlexibleModel]]:
        schema = choose_output_schema(self, output_cls, llm_kwargs)
        if schema is None:
            return await super()._structured_astream_call(
                output_cls, prompt, llm_kwargs, **prompt_args
            )
        messages = prompt.format_messages(llm=self, **prompt_args)
        return astream_objects(self, schema, messages, llm_kwargs)

    @override
    def as_structured_llm(
        self, output_cls: type[BaseModel], **kwargs: Any
    ) -> StructuredModelStudio:
        """Return a model that answers with an object, in ``raw`` and as JSON text.

        Args:
            output_cls: The class of the object.
            **kwargs: Other arguments of ``StructuredLLM``.
        """
        return StructuredModelStudio(llm=self, output_cls=output_cls, **kwargs)


def _report_start(
    output_cls: type[BaseModel], prompt: PromptTemplate, prompt_args: CallArguments
) -> None:
    _dispatcher.event(
        LLMStructuredPredictStartEvent(
            output_cls=output_cls, template=prompt, template_args=dict(prompt_args)
        )
    )
