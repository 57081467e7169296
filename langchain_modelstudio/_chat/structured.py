"""``with_structured_output``: request an answer for a schema, and parse it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    convert_to_messages,
)
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import BaseModel

from langchain_modelstudio._chat.shapes import AnswerParser, shape_of, with_raw
from langchain_modelstudio._chat.tools import (
    Schema,
    Tool,
    to_function,
    to_response_format,
    unwrap_schema,
)
from modelstudio_core.chat.messages import json_instruction
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.suggestions import unknown_name

__all__ = ["CALL_IS_CHECKED", "StructuredOutputMethod", "structured_output"]

StructuredOutputMethod = Literal["function_calling", "json_schema", "json_mode"]
METHODS: Final = ("function_calling", "json_schema", "json_mode")
# A call's argument: the output parser reports a missing tool call, not the core.
CALL_IS_CHECKED: Final = "call_is_checked"

_Model = Runnable[LanguageModelInput, AIMessage]
_Structured = Runnable[LanguageModelInput, dict[str, Any] | BaseModel]


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
    """Return a runnable that requests an answer for a schema and parses it.

    Raises:
        ConfigurationError: An argument is invalid, or two contradict each other.
    """
    _check(schema, method, strict, tools)
    _check_bound(bound, method)
    shape = shape_of(schema, method, tools)
    bound["ls_structured_output_format"] = {
        "kwargs": {"method": method, "strict": strict},
        "schema": unwrap_schema(schema) if isinstance(schema, dict) else schema,
    }
    model: _Model
    match method:
        case "function_calling":
            function = to_function(schema, strict)
            model = llm.bind_tools(
                [{"type": "function", "function": function}],
                tool_choice=function["name"],
                **{**bound, CALL_IS_CHECKED: True},
            )
        case "json_schema":
            model = llm.bind_tools(
                cast("Sequence[dict[str, Any]]", tools or []),
                response_format=to_response_format(schema, strict),
                **bound,
            )
        case "json_mode":
            function = {} if schema is None else to_function(schema)
            parameters = function.get("parameters")
            instruction = RunnableLambda(_JsonInstruction(parameters).add)
            model = instruction | llm.bind(
                response_format={"type": "json_object"}, **bound
            )
    parser = with_raw(shape) if include_raw else AnswerParser(shape=shape)
    return cast("_Structured", model | parser)


def _check(schema: object, method: str, strict: object, tools: object) -> None:
    if method not in METHODS:
        raise unknown_name("method", str(method), METHODS)
    if schema is None and method != "json_mode":
        raise ConfigurationError(f"schema is required for method={method!r}.")
    if strict is not None and method == "json_mode":
        raise ConfigurationError(
            "method='json_mode' does not support strict. Use method='json_schema'."
        )
    if tools and method != "json_schema":
        raise ConfigurationError(
            f"method={method!r} does not support tools. Use method='json_schema'."
        )


def _check_bound(bound: Mapping[str, object], method: StructuredOutputMethod) -> None:
    """Refuse an argument that the method sets itself."""
    name = "tool_choice" if method == "function_calling" else "response_format"
    if name in bound:
        raise ConfigurationError(
            f"{name} is set by method={method!r}: remove {name}=, or pass another"
            " method."
        )


@dataclass(frozen=True, slots=True)
class _JsonInstruction:
    """Adds the word "JSON", which JSON mode requires, to a prompt without it."""

    parameters: dict[str, Any] | None

    def add(self, prompt: LanguageModelInput) -> list[BaseMessage]:
        messages = _to_messages(prompt)
        # The service looks for the word in these messages only.
        texts = [str(m.text) for m in messages if m.type in {"system", "human"}]
        instruction = json_instruction(texts, self.parameters)
        return _add_instruction(messages, instruction) if instruction else messages


def _to_messages(prompt: LanguageModelInput) -> list[BaseMessage]:
    if isinstance(prompt, PromptValue):
        return prompt.to_messages()
    if isinstance(prompt, str):
        return [HumanMessage(prompt)]
    if isinstance(prompt, Sequence):
        return convert_to_messages(prompt)
    raise ValueError(
        f"Invalid input type {type(prompt)}. Must be a PromptValue, str, or list of"
        " BaseMessages."
    )


def _add_instruction(
    messages: list[BaseMessage], instruction: str
) -> list[BaseMessage]:
    """Add an instruction to the system message.

    The service accepts one system message, as the first message.
    """
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
