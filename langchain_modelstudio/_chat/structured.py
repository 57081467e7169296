"""``with_structured_output``: request an answer for a schema, and parse it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
)
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from langchain_modelstudio._chat.shapes import AnswerParser, shape_of, with_raw
from langchain_modelstudio._chat.tools import (
    Schema,
    Tool,
    to_function,
    to_response_format,
    unwrap_schema,
)
from modelstudio_core.chat.tools import check_root
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.wire.suggestions import unknown_name

__all__ = [
    "CALL_IS_CHECKED",
    "JSON_SCHEMA",
    "StructuredOutputMethod",
    "structured_output",
]

StructuredOutputMethod = Literal["function_calling", "json_schema", "json_mode"]
METHODS: Final = ("function_calling", "json_schema", "json_mode")
# A call's argument: the output parser reports a missing tool call, not the core.
CALL_IS_CHECKED: Final = "call_is_checked"
# A call's argument: the schema for the sentence that the core adds for JSON mode.
JSON_SCHEMA: Final = "json_mode_schema"

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
            check_root(function["name"], function.get("parameters", {}), f"{method=}")
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
            if parameters is not None:
                check_root(function["name"], parameters, f"{method=}")
            model = llm.bind(
                response_format={"type": "json_object"},
                **{**bound, JSON_SCHEMA: parameters},
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
            "with_structured_output sends tools with method='json_schema' only, and no"
            " model is known that takes a JSON schema together with tools. Bind the"
            " tools with bind_tools, and pass the conversation to"
            " with_structured_output without tools."
        )


def _check_bound(bound: Mapping[str, object], method: StructuredOutputMethod) -> None:
    """Refuse an argument that the method sets itself."""
    name = "tool_choice" if method == "function_calling" else "response_format"
    if name in bound:
        raise ConfigurationError(
            f"{name} is set by method={method!r}: remove {name}=, or pass another"
            " method."
        )
