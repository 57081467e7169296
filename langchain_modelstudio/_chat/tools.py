"""Tools and schemas in any form that LangChain supports, in OpenAI's form."""

from collections.abc import Callable, Mapping, Sequence
from enum import EnumType
from typing import Any, TypeGuard, cast

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import (
    convert_to_openai_function,
    convert_to_openai_tool,
)

from modelstudio_core.chat.option_rules import refuse_hosted_tools, valid_name
from modelstudio_core.chat.tools import check_tools
from modelstudio_core.errors import ConfigurationError
from modelstudio_core.service_inputs import list_of

__all__ = [
    "Schema",
    "Tool",
    "to_function",
    "to_options",
    "to_response_format",
    "to_tool_choice",
    "to_tools",
    "unwrap_schema",
]

Tool = Mapping[str, object] | type | Callable[..., object] | BaseTool
Schema = dict[str, Any] | type
# A schema has one of these keys. OpenAI's response_format has none.
_SCHEMA_KEYS = frozenset({"title", "name", "function"})


def to_tools(
    tools: Sequence[Tool], tool_choice: object = None, strict: bool | None = None
) -> list[dict[str, Any]]:
    """Convert tools to OpenAI's form.

    Raises:
        ConfigurationError: A tool cannot be converted, or ``tool_choice`` names none of
            them.
    """
    # A function and a model are no lists, and a BaseTool has an `__iter__`.
    if isinstance(tools, BaseTool):
        raise ConfigurationError("tools must be a list, got one tool: pass [tool].")
    given = list_of(tools, "tools")
    refuse_hosted_tools(given)
    try:
        converted = [_to_tool(tool, strict) for tool in given]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigurationError(
            f"tools contains an unsupported tool: {error}"
        ) from error
    check_tools(converted, tool_choice)
    return converted


def _to_tool(tool: object, strict: bool | None) -> dict[str, Any]:
    if isinstance(tool, EnumType):
        raise TypeError(f"{tool.__name__} is an Enum: make it a field of a class")
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
        function = cast("dict[str, Any]", _to_tool(schema, strict)["function"])
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise ConfigurationError(
            "schema must be a Pydantic class, a TypedDict, a JSON schema with a title,"
            f" or an OpenAI function: {error}"
        ) from error
    # The name of a generic class has brackets.
    is_class = isinstance(schema, type)
    return {**function, "name": valid_name(function["name"])} if is_class else function


def unwrap_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Convert a ``response_format`` to an OpenAI function; return any other dict."""
    named = schema.get("json_schema", schema)
    if not isinstance(named.get("schema"), dict):
        return schema
    options = {k: named[k] for k in ("description", "strict") if k in named}
    return {"name": named.get("name"), "parameters": named["schema"], **options}


def to_options(arguments: dict[str, Any]) -> dict[str, Any]:
    """Convert a call's tools and formats as ``bind_tools`` does.

    Args:
        arguments: The arguments of the call, which are not changed.

    Raises:
        ConfigurationError: A tool or a schema cannot be converted.
    """
    options = {**arguments}
    tools, response_format = options.get("tools"), options.get("response_format")
    if isinstance(tools, list | tuple):
        given = cast("Sequence[Tool]", tools)
        if not all(map(_is_openai_tool, given)):
            options["tools"] = to_tools(given)
    if isinstance(options.get("tool_choice"), bool):
        options["tool_choice"] = to_tool_choice(options["tool_choice"])
    if isinstance(response_format, type) or (
        isinstance(response_format, dict) and _SCHEMA_KEYS & response_format.keys()
    ):
        options["response_format"] = to_response_format(cast("Schema", response_format))
    return options


def _is_openai_tool(tool: object) -> bool:
    return isinstance(tool, dict) and "function" in tool


def to_tool_choice(
    tool_choice: str | Mapping[str, object] | bool | None,
) -> str | Mapping[str, object] | None:
    """Convert LangChain's True to ``"any"``, and False to no choice."""
    if isinstance(tool_choice, bool):
        return "any" if tool_choice else None
    return tool_choice
