"""A prompt in, an object of a class out: whole, and as far as it came."""

# LlamaIndex has half of the types for its messages.
# pyright: reportUnknownMemberType=false

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, Final

from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.types import Model, PydanticProgramMode

from llamaindex_modelstudio._chat.shapes import Reader, Shape, Way
from llamaindex_modelstudio._chat.tools import ToolCalling
from modelstudio_core.chat.options import OPTION_NAMES
from modelstudio_core.chat.plan import MODEL_ARGUMENTS, takes_json_schema

__all__ = [
    "Call",
    "apredict",
    "asked",
    "astream_objects",
    "predict",
    "shape_for",
    "stream_objects",
]

Call = Mapping[str, Any]
_OPTIONS: Final = frozenset({*OPTION_NAMES, *MODEL_ARGUMENTS})


def shape_for(
    llm: ToolCalling, output_cls: type[Model], call: Call | None
) -> Shape[Model] | None:
    """Decide how an object is asked for; None: LlamaIndex's own program does it.

    Raises:
        ConfigurationError: An argument of the call is wrong.
    """
    way = _way(llm, call or {})
    return None if way is None else Shape(output_cls=output_cls, way=way)


def _way(llm: ToolCalling, call: Call) -> Way | None:
    match llm.pydantic_program_mode:
        case PydanticProgramMode.LLM:
            return "text"
        case PydanticProgramMode.FUNCTION:
            return "tool"
        case PydanticProgramMode.DEFAULT:
            pass
        case _:
            return None
    known = {name: it for name, it in call.items() if name in _OPTIONS}
    chat = llm.resolved.with_call(known)
    if (chat.options.response_format or {}).get("type", "text") != "text":
        return "text"
    if takes_json_schema(chat.options, chat.model):
        return "schema"
    return "tool" if llm.metadata.is_function_calling_model else "text"


def asked(
    llm: ToolCalling,
    shape: Shape[Model],
    messages: Sequence[ChatMessage],
    call: Call | None,
) -> dict[str, Any]:
    """Return the arguments of the call that asks for an object."""
    extended = llm._extend_messages(shape.messages(messages))  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - programs of LlamaIndex do the same
    return {**shape.arguments(call or {}), "messages": extended}


# --- Four functions ---------------------------------------------------------------


def predict(
    llm: ToolCalling,
    shape: Shape[Model],
    messages: Sequence[ChatMessage],
    call: Call | None,
) -> tuple[ChatResponse, Model]:
    """Ask for an object, and return it beside the response that held it."""
    response = llm.chat(**asked(llm, shape, messages, call))
    return response, shape.read(response)


async def apredict(
    llm: ToolCalling,
    shape: Shape[Model],
    messages: Sequence[ChatMessage],
    call: Call | None,
) -> tuple[ChatResponse, Model]:
    """Do as ``predict``."""
    response = await llm.achat(**asked(llm, shape, messages, call))
    return response, shape.read(response)


def stream_objects(
    llm: ToolCalling,
    shape: Shape[Model],
    messages: Sequence[ChatMessage],
    call: Call | None,
) -> Generator[Model | FlexibleModel]:
    reader = Reader(shape)
    with closing(llm.stream_chat(**asked(llm, shape, messages, call))) as responses:
        for response in responses:
            if (found := reader.read(response)) is not None:
                yield found


async def astream_objects(
    llm: ToolCalling,
    shape: Shape[Model],
    messages: Sequence[ChatMessage],
    call: Call | None,
) -> AsyncGenerator[Model | FlexibleModel]:
    reader = Reader(shape)
    stream = await llm.astream_chat(**asked(llm, shape, messages, call))
    async with aclosing(stream) as responses:
        async for response in responses:
            if (found := reader.read(response)) is not None:
                yield found
