"""Requests for an object of a class, complete or streamed."""

# LlamaIndex types only some attributes of its messages.
# pyright: reportUnknownMemberType=false

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, Final

from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.types import Model, PydanticProgramMode
from pydantic import BaseModel

from llamaindex_modelstudio._chat.output_schema import (
    OutputMethod,
    OutputParser,
    OutputSchema,
)
from llamaindex_modelstudio._chat.tools import ToolCalling
from llamaindex_modelstudio._foreign import add_system_prompt
from modelstudio_core.chat.options import OPTION_NAMES, format_type
from modelstudio_core.chat.plan import supports_json_schema
from modelstudio_core.chat.resolved import MODEL_ARGUMENTS
from modelstudio_core.errors import ConfigurationError

__all__ = [
    "CallArguments",
    "apredict",
    "astream_objects",
    "call_arguments",
    "choose_output_schema",
    "predict",
    "stream_objects",
]

CallArguments = Mapping[str, object]
_OPTIONS: Final = frozenset({*OPTION_NAMES, *MODEL_ARGUMENTS})


def choose_output_schema(
    llm: ToolCalling, output_cls: type[Model], call: CallArguments | None
) -> OutputSchema[Model] | None:
    """Decide how an object is requested; None: by LlamaIndex's own program.

    Args:
        llm: The model.
        output_cls: The class of the object.
        call: The chat arguments of the call.

    Raises:
        ConfigurationError: It is no class of Pydantic's, or an argument of the call is
            invalid.
    """
    _check(output_cls, call)
    method = _choose_method(llm, call or {})
    return (
        None if method is None else OutputSchema(output_cls=output_cls, method=method)
    )


def _check(output_cls: object, call: object) -> None:
    if not (isinstance(output_cls, type) and issubclass(output_cls, BaseModel)):
        raise ConfigurationError(
            f"output_cls must be a class of Pydantic's, got {output_cls!r:.200}."
        )
    if not isinstance(call or {}, Mapping):
        name = type(call).__name__
        raise ConfigurationError(f"llm_kwargs must be a dict, got a {name}.")


def _choose_method(llm: ToolCalling, call: CallArguments) -> OutputMethod | None:
    match llm.pydantic_program_mode:
        case PydanticProgramMode.LLM:
            return "prompt"
        case PydanticProgramMode.FUNCTION:
            return "tool"
        case PydanticProgramMode.DEFAULT:
            pass
        case _:
            return None
    options = {name: value for name, value in call.items() if name in _OPTIONS}
    chat = llm.resolved.with_call(options)
    if format_type(chat.options) != "text":
        return "prompt"
    if supports_json_schema(chat.options, chat.model):
        return "json_schema"
    return "tool" if llm.metadata.is_function_calling_model else "prompt"


def call_arguments(
    llm: ToolCalling,
    schema: OutputSchema[Model],
    messages: Sequence[ChatMessage],
    call: CallArguments | None,
) -> dict[str, Any]:
    """Return the arguments of the chat call that requests an object."""
    prompt = add_system_prompt(llm, schema.messages(messages))
    return {**schema.arguments(call or {}), "messages": prompt}


def predict(
    llm: ToolCalling,
    schema: OutputSchema[Model],
    messages: Sequence[ChatMessage],
    call: CallArguments | None,
) -> tuple[ChatResponse, Model]:
    """Request an object; return the response and the object in it."""
    response = llm.chat(**call_arguments(llm, schema, messages, call))
    return response, schema.parse(response)


async def apredict(
    llm: ToolCalling,
    schema: OutputSchema[Model],
    messages: Sequence[ChatMessage],
    call: CallArguments | None,
) -> tuple[ChatResponse, Model]:
    """Async version of ``predict``."""
    response = await llm.achat(**call_arguments(llm, schema, messages, call))
    return response, schema.parse(response)


def stream_objects(
    llm: ToolCalling,
    schema: OutputSchema[Model],
    messages: Sequence[ChatMessage],
    call: CallArguments | None,
) -> Generator[Model | FlexibleModel]:
    """Request an object; yield it each time that it grows, and when it is complete."""
    parser = OutputParser(schema)
    stream = llm.stream_chat(**call_arguments(llm, schema, messages, call))
    with closing(stream) as responses:
        for response in responses:
            if (parsed := parser.parse(response)) is not None:
                yield parsed


async def astream_objects(
    llm: ToolCalling,
    schema: OutputSchema[Model],
    messages: Sequence[ChatMessage],
    call: CallArguments | None,
) -> AsyncGenerator[Model | FlexibleModel]:
    """Async version of ``stream_objects``."""
    parser = OutputParser(schema)
    stream = await llm.astream_chat(**call_arguments(llm, schema, messages, call))
    async with aclosing(stream) as responses:
        async for response in responses:
            if (parsed := parser.parse(response)) is not None:
                yield parsed
