"""Structured output: asking for a schema, and reading the answer as that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    SystemMessage,
)
from langchain_core.runnables import Runnable, RunnableLambda

from langchain_modelstudio._chat.shapes import AnswerParser, shape_of, with_raw
from langchain_modelstudio._chat.tools import (
    Schema,
    Tool,
    bare_schema,
    function_of,
    to_response_format,
)
from modelstudio_core.chat.messages import json_instruction
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.suggestions import unknown_name

__all__ = ["CALL_IS_CHECKED", "StructuredOutputMethod", "structured_output"]

StructuredOutputMethod = Literal["function_calling", "json_schema", "json_mode"]
METHODS = ("function_calling", "json_schema", "json_mode")
# An argument of a call: whoever reads the answer sees for himself that a call came.
CALL_IS_CHECKED: Final = "call_is_checked"

_Structured = Runnable[LanguageModelInput, Any]


def structured_output(
    llm: BaseChatModel,
    schema: Schema | None,
    *,
    method: StructuredOutputMethod,
    include_raw: bool = False,
    strict: bool | None = None,
    tools: Sequence[Tool] | None = None,
    **bound: Any,
) -> _Structured:
    """Return what asks a model for a schema and reads the answer as that.

    Raises:
        ConfigurationError: An argument is wrong, or two contradict each other.
    """
    _check(schema, method, strict, tools)
    shape = shape_of(schema, method, tools)
    bound["ls_structured_output_format"] = {
        "kwargs": {"method": method, "strict": strict},
        "schema": bare_schema(schema) if isinstance(schema, dict) else schema,
    }
    match method:
        case "function_calling":
            asking = _forcing(llm, cast("Schema", schema), strict, bound)
        case "json_schema":
            response_format = to_response_format(schema, strict)
            asking = llm.bind_tools(
                cast("Any", tools or []), response_format=response_format, **bound
            )
        case "json_mode":
            response_format = {"type": "json_object"}
            wanted = None if schema is None else function_of(schema).get("parameters")
            asking = RunnableLambda(_SayingJson(llm, wanted).say) | llm.bind(
                response_format=response_format, **bound
            )
    return asking | (with_raw(shape) if include_raw else AnswerParser(shape=shape))


def _check(schema: object, method: str, strict: object, tools: object) -> None:
    if method not in METHODS:
        raise unknown_name("method", str(method), METHODS)
    if schema is None and method != "json_mode":
        raise ConfigurationError(f"method={method!r} needs a schema: pass one.")
    if strict is not None and method == "json_mode":
        raise ConfigurationError(
            "strict has no meaning with method='json_mode': use 'json_schema'."
        )
    if tools and method != "json_schema":
        raise ConfigurationError(
            f"tools cannot be combined with method={method!r}: use 'json_schema'."
        )


def _forcing(
    llm: BaseChatModel, schema: Schema, strict: bool | None, bound: dict[str, Any]
) -> Runnable[LanguageModelInput, AIMessage]:
    function = function_of(schema, strict)
    tool = {"type": "function", "function": function}
    bound[CALL_IS_CHECKED] = True
    return llm.bind_tools([tool], tool_choice=function["name"], **bound)


@dataclass(frozen=True, slots=True)
class _SayingJson:
    """The step that says the word the service demands, where it is missing."""

    llm: BaseChatModel
    wanted: dict[str, Any] | None

    def say(self, prompt: LanguageModelInput) -> list[BaseMessage]:
        messages = self.llm._convert_input(prompt).to_messages()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public twin
        texts = [str(message.text) for message in messages]
        instruction = json_instruction(texts, self.wanted)
        return _instructed(messages, instruction) if instruction else messages


def _instructed(messages: list[BaseMessage], instruction: str) -> list[BaseMessage]:
    """Add an instruction: the service takes one system message, and that first."""
    first = messages[0] if messages else None
    if not (
        isinstance(first, SystemMessage)
        or (isinstance(first, ChatMessage) and first.role == "system")
    ):
        return [SystemMessage(instruction), *messages]
    content = (
        f"{first.content}\n\n{instruction}"
        if isinstance(first.content, str)
        else [*first.content, {"type": "text", "text": instruction}]
    )
    return [first.model_copy(update={"content": content}), *messages[1:]]
