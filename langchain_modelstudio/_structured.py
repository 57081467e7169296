"""Tools, and answers in the shape of a schema."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Literal, NoReturn, cast

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.output_parsers import (
    JsonOutputParser,
    PydanticOutputParser,
    PydanticToolsParser,
)
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser
from langchain_core.outputs import ChatGeneration, Generation
from langchain_core.runnables import (
    Runnable,
    RunnableLambda,
    RunnableMap,
    RunnablePassthrough,
)
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import (
    convert_to_openai_tool,
)
from langchain_core.utils.pydantic import TBaseModel, is_basemodel_subclass
from typing_extensions import override

from modelstudio_core.errors import ConfigurationError, unknown_name
from modelstudio_core.messages import json_instruction
from modelstudio_core.options import check_tools

__all__ = [
    "METHODS",
    "Schema",
    "StructuredOutputMethod",
    "Tool",
    "structured_output",
    "to_response_format",
    "to_tools",
]

Tool = Mapping[str, Any] | type | Callable[..., Any] | BaseTool
Schema = dict[str, Any] | type
StructuredOutputMethod = Literal["function_calling", "json_schema", "json_mode"]
METHODS = ("function_calling", "json_schema", "json_mode")

_Structured = Runnable[LanguageModelInput, Any]
_Parser = Runnable[Any, Any]


def to_tools(
    tools: Sequence[Tool], tool_choice: object = None, strict: bool | None = None
) -> list[dict[str, Any]]:
    """Convert tools of any kind that LangChain knows to the wire's shape.

    Raises:
        ConfigurationError: A tool is not a function, or the choice is none of them.
    """
    try:
        converted = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"tools holds what is no tool: {error}") from error
    check_tools(converted, tool_choice)
    return converted


def to_response_format(schema: object, strict: bool | None = None) -> Mapping[str, Any]:
    """Convert a schema to a ``response_format``; one is returned as it is.

    Raises:
        ConfigurationError: It is neither.
    """
    if _is_response_format(schema):
        return cast("Mapping[str, Any]", schema)
    function = _function(schema, strict)
    described: dict[str, Any] = {
        "name": function["name"],
        "schema": function.get("parameters") or {"type": "object", "properties": {}},
    }
    if function.get("description"):
        described["description"] = function["description"]
    if strict is not None:
        described["strict"] = strict
    return {"type": "json_schema", "json_schema": described}


def _is_response_format(schema: Any) -> bool:
    kinds = ("text", "json_object", "json_schema")
    return isinstance(schema, dict) and cast("Any", schema).get("type") in kinds


def _function(schema: Any, strict: bool | None = None) -> dict[str, Any]:
    """Return the name, the description and the parameters of a schema."""
    if isinstance(schema, dict):
        schema = _bare(cast("dict[str, Any]", schema))
    try:
        return cast(
            "dict[str, Any]", convert_to_openai_tool(schema, strict=strict)["function"]
        )
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigurationError(
            "schema must be a Pydantic class, a TypedDict, a JSON schema with a title,"
            f" or an OpenAI function: {error}"
        ) from error


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    """Take a JSON schema out of OpenAI's wrapping, and give it its name as a title."""
    named = schema.get("json_schema", schema)
    if isinstance(named.get("schema"), dict):
        return {**named["schema"], "title": named.get("name") or "answer"}
    return schema


# --- Structured output ------------------------------------------------------------


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
    bound["ls_structured_output_format"] = {
        "kwargs": {"method": method, "strict": strict},
        "schema": schema,
    }
    match method:
        case "function_calling":
            asking = _forcing(llm, cast("Schema", schema), strict, bound)
            parser = _call_parser(cast("Schema", schema))
        case "json_schema":
            response_format = to_response_format(schema, strict)
            asking = llm.bind_tools(
                cast("Any", tools or []), response_format=response_format, **bound
            )
            parser = _text_parser(schema)
        case "json_mode":
            response_format = {"type": "json_object"}
            asking = RunnableLambda(_saying_json(llm, schema)) | llm.bind(
                response_format=response_format, **bound
            )
            parser = _text_parser(schema)
    return _with_raw(asking, parser) if include_raw else asking | parser


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
    function = _function(schema, strict)
    tool = {"type": "function", "function": function}
    return llm.bind_tools([tool], tool_choice=function["name"], **bound)


def _saying_json(
    llm: BaseChatModel, schema: Schema | None
) -> Callable[[LanguageModelInput], list[BaseMessage]]:
    """Return the step that says the word the service demands, where it is missing."""
    wanted = None if schema is None else _function(schema).get("parameters")

    def say(prompt: LanguageModelInput) -> list[BaseMessage]:
        messages = llm._convert_input(prompt).to_messages()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public twin
        texts = [str(message.text) for message in messages]
        instruction = json_instruction(texts, wanted)
        return _instructed(messages, instruction) if instruction else messages

    return say


def _instructed(messages: list[BaseMessage], instruction: str) -> list[BaseMessage]:
    """Add an instruction: the service takes one system message, and that first."""
    if not messages or not isinstance(messages[0], SystemMessage):
        return [SystemMessage(instruction), *messages]
    first = messages[0]
    content = (
        f"{first.content}\n\n{instruction}"
        if isinstance(first.content, str)
        else [*first.content, {"type": "text", "text": instruction}]
    )
    return [first.model_copy(update={"content": content}), *messages[1:]]


def _with_raw(
    asking: Runnable[LanguageModelInput, AIMessage], parser: _Parser
) -> _Structured:
    """Keep the message beside what was made of it, and the reason if nothing was."""
    parsed = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
    )
    unparsed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=asking) | parsed.with_fallbacks(
        [unparsed], exception_key="parsing_error"
    )


# --- Parsers ----------------------------------------------------------------------


def _call_parser(schema: Schema) -> _Parser:
    if isinstance(schema, type) and is_basemodel_subclass(schema):
        return _CallToObject(tools=[cast("Any", schema)], first_tool_only=True)
    return _CallToDict(key_name=_function(schema)["name"], first_tool_only=True)


class _CallToObject(PydanticToolsParser):
    """Read the call of a schema as an object; an answer without one is an error."""

    @override
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        parsed = super().parse_result(result, partial=partial)
        return _no_call(result) if parsed is None and not partial else parsed


class _CallToDict(JsonOutputKeyToolsParser):
    """Read the call of a schema as a dict; an answer without one is an error."""

    @override
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        parsed = super().parse_result(result, partial=partial)
        return _no_call(result) if parsed is None and not partial else parsed


def _no_call(result: list[Generation]) -> NoReturn:
    message = _message(result)
    broken = message.invalid_tool_calls[0] if message.invalid_tool_calls else None
    why = (broken and broken["error"]) or "The model answered without a call."
    if message.response_metadata.get("finish_reason") == "length":
        why = f"{why} It was cut off: raise max_tokens."
    raise OutputParserException(
        f"There is no answer in the shape of the schema. {why}",
        llm_output=(broken and broken["args"]) or str(message.text),
    )


def _message(result: list[Generation]) -> AIMessage:
    generation = result[0]
    if isinstance(generation, ChatGeneration):
        return cast("AIMessage", generation.message)
    return AIMessage(generation.text)


def _text_parser(schema: Schema | None) -> _Parser:
    if isinstance(schema, type) and is_basemodel_subclass(schema):
        return _TextToObject(pydantic_object=cast("Any", schema))
    return _TextToDict()


class _TextToObject(PydanticOutputParser[TBaseModel]):
    """Read the text as an object; None where the model called a tool instead."""

    @override
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        if _message(result).tool_calls:
            return None
        return super().parse_result(result, partial=partial)


class _TextToDict(JsonOutputParser):
    """Read the text as a dict; None where the model called a tool instead."""

    @override
    def parse_result(self, result: list[Generation], *, partial: bool = False) -> Any:
        if _message(result).tool_calls:
            return None
        return super().parse_result(result, partial=partial)
