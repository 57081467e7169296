"""Tools and schemas in any form that LangChain supports, in OpenAI's form."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard, cast

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
    "to_function",
    "to_response_format",
    "to_tools",
    "unwrap_schema",
]

Tool = Mapping[str, object] | type | Callable[..., object] | BaseTool
Schema = dict[str, Any] | type


def to_tools(
    tools: Sequence[Tool], tool_choice: object = None, strict: bool | None = None
) -> list[dict[str, Any]]:
    """Convert tools to OpenAI's form.

    Raises:
        ConfigurationError: A tool cannot be converted, or ``tool_choice`` names none of
            them.
    """
    try:
        converted = [_to_tool(tool, strict) for tool in tools]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigurationError(
            f"tools contains an unsupported tool: {error}"
        ) from error
    check_tools(converted, tool_choice)
    return converted


def _to_tool(tool: object, strict: bool | None) -> dict[str, Any]:
    marker = _cache_marker(tool)
    if isinstance(tool, dict):
        fields = cast("dict[str, Any]", tool)
        if fields.get("type") == "function":
            # convert_to_openai_tool would return it as it is, without strict.
            function = convert_to_openai_function(
                fields.get("function", fields), strict=strict
            )
            return {"type": "function", "function": function, **marker}
    converted = convert_to_openai_tool(cast("type | BaseTool", tool), strict=strict)
    return {**converted, **marker}


def _cache_marker(tool: object) -> dict[str, Any]:
    """Return the cache marker of a tool, from its dict or its ``extras``."""
    fields: object = getattr(tool, "extras", None)
    if isinstance(tool, dict):
        fields = cast("dict[str, Any]", tool)
    if not isinstance(fields, Mapping):
        return {}
    marker = cast("Mapping[str, Any]", fields).get("cache_control")
    return {} if marker is None else {"cache_control": marker}


def to_response_format(schema: object, strict: bool | None = None) -> dict[str, Any]:
    """Convert a schema to a ``response_format``; a ``response_format`` is returned.

    Raises:
        ConfigurationError: The schema cannot be converted.
    """
    if _is_response_format(schema):
        return _with_strict(schema, strict)
    function = to_function(schema, strict)
    json_schema: dict[str, Any] = {
        "name": function["name"],
        "schema": function.get("parameters") or {"type": "object", "properties": {}},
    }
    if function.get("description"):
        json_schema["description"] = function["description"]
    if strict is not None:
        json_schema["strict"] = strict
    return {"type": "json_schema", "json_schema": json_schema}


def _is_response_format(schema: object) -> TypeGuard[dict[str, Any]]:
    if not isinstance(schema, dict):
        return False
    kind = cast("dict[str, object]", schema).get("type")
    return kind in ("text", "json_object", "json_schema")


def _with_strict(
    response_format: dict[str, Any], strict: bool | None
) -> dict[str, Any]:
    json_schema: dict[str, Any] = response_format.get("json_schema") or {}
    if strict is None or json_schema.get("strict") == strict:
        return response_format
    if not json_schema or "strict" in json_schema:
        raise ConfigurationError(
            f"strict={strict} contradicts response_format={response_format}. Remove one"
            " of them."
        )
    return {**response_format, "json_schema": {**json_schema, "strict": strict}}


def to_function(schema: object, strict: bool | None = None) -> dict[str, Any]:
    """Convert a schema to an OpenAI function: its name, description and parameters.

    Raises:
        ConfigurationError: The schema cannot be converted.
    """
    if isinstance(schema, dict):
        schema = unwrap_schema(cast("dict[str, Any]", schema))
    try:
        return cast("dict[str, Any]", _to_tool(schema, strict)["function"])
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigurationError(
            "schema must be a Pydantic class, a TypedDict, a JSON schema with a title,"
            f" or an OpenAI function: {error}"
        ) from error


def unwrap_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Convert a ``response_format`` to an OpenAI function; return any other dict."""
    named = schema.get("json_schema", schema)
    if not isinstance(named.get("schema"), dict):
        return schema
    options = {k: named[k] for k in ("description", "strict") if k in named}
    return {"name": named.get("name"), "parameters": named["schema"], **options}
