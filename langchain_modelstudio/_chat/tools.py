"""Tools and schemas of any kind that LangChain knows, in the wire's shape."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import (
    convert_to_openai_function,
    convert_to_openai_tool,
)

from modelstudio_core.chat.tools import check_tools
from modelstudio_core.errors import ConfigurationError

__all__ = [
    "Schema",
    "Tool",
    "bare_schema",
    "function_of",
    "to_response_format",
    "to_tools",
]

Tool = Mapping[str, Any] | type | Callable[..., Any] | BaseTool
Schema = dict[str, Any] | type


def to_tools(
    tools: Sequence[Tool], tool_choice: object = None, strict: bool | None = None
) -> list[dict[str, Any]]:
    """Convert tools of any kind that LangChain knows to the wire's shape.

    Raises:
        ConfigurationError: A tool is not a function, or the choice is none of them.
    """
    try:
        converted = [_to_tool(tool, strict) for tool in tools]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigurationError(f"tools holds what is no tool: {error}") from error
    check_tools(converted, tool_choice)
    return converted


def _to_tool(tool: Any, strict: bool | None) -> dict[str, Any]:
    """Convert a tool; LangChain takes OpenAI's as it is, and ``strict`` not into it."""
    if isinstance(tool, dict) and cast("Any", tool).get("type") == "function":
        known = cast("dict[str, Any]", tool)
        function = convert_to_openai_function(
            known.get("function", known), strict=strict
        )
        return {"type": "function", "function": function}
    return convert_to_openai_tool(cast("Tool", tool), strict=strict)


def to_response_format(schema: object, strict: bool | None = None) -> Mapping[str, Any]:
    """Convert a schema to a ``response_format``; one is returned as it is.

    Raises:
        ConfigurationError: It is neither.
    """
    if _is_response_format(schema):
        return _stricter(cast("Mapping[str, Any]", schema), strict)
    function = function_of(schema, strict)
    described: dict[str, Any] = {
        "name": function["name"],
        "schema": function.get("parameters") or {"type": "object", "properties": {}},
    }
    if function.get("description"):
        described["description"] = function["description"]
    if strict is not None:
        described["strict"] = strict
    return {"type": "json_schema", "json_schema": described}


def _stricter(asked: Mapping[str, Any], strict: bool | None) -> Mapping[str, Any]:
    """Say ``strict`` in a ``response_format`` that does not say it."""
    described: Mapping[str, Any] = asked.get("json_schema") or {}
    if strict is None or described.get("strict") == strict:
        return asked
    if not described or "strict" in described:
        raise ConfigurationError(
            f"strict={strict} contradicts the response_format {asked}: drop one."
        )
    return {**asked, "json_schema": {**described, "strict": strict}}


def _is_response_format(schema: Any) -> bool:
    kinds = ("text", "json_object", "json_schema")
    return isinstance(schema, dict) and cast("Any", schema).get("type") in kinds


def function_of(schema: Any, strict: bool | None = None) -> dict[str, Any]:
    """Return the name, the description and the parameters of a schema."""
    if isinstance(schema, dict):
        schema = bare_schema(cast("dict[str, Any]", schema))
    try:
        return cast("dict[str, Any]", _to_tool(schema, strict)["function"])
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigurationError(
            "schema must be a Pydantic class, a TypedDict, a JSON schema with a title,"
            f" or an OpenAI function: {error}"
        ) from error


def bare_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Take a schema out of OpenAI's ``response_format``, and make it a function."""
    named = schema.get("json_schema", schema)
    if not isinstance(named.get("schema"), dict):
        return schema
    told = {k: named[k] for k in ("description", "strict") if k in named}
    return {"name": named.get("name"), "parameters": named["schema"], **told}
