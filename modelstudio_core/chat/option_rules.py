"""The valid values of options: ranges of numbers, and checks of other types."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from modelstudio_core.errors import ConfigurationError

__all__ = [
    "OCR_TASKS",
    "Rule",
    "are_modalities",
    "are_tools",
    "function_name",
    "is_bool",
    "is_mapping",
    "is_ocr_task",
    "is_string",
    "is_string_or_strings",
    "is_voice",
    "number",
    "refuse_hosted_tools",
    "valid_name",
]

# "Qwen-OCR API reference", October 2026.
OCR_TASKS: Final = (
    "text_recognition",
    "key_information_extraction",
    "document_parsing",
    "table_parsing",
    "formula_recognition",
    "multi_lan",
    "advanced_recognition",
)
# How the tools of OpenAI, Anthropic and Gemini begin that those services run, and what
# this one has instead.
_HOSTED: Final = (
    (
        ("web_search", "google_search", "googleSearch"),
        "pass enable_search=True, with which the service searches the web itself",
    ),
    (
        ("code_interpreter", "code_execution", "codeExecution"),
        "pass enable_code_interpreter=True, with which the service runs code itself",
    ),
    (("mcp",), "pass the tools of the MCP server, which an MCP adapter loads"),
)
_INVALID_IN_NAME: Final = re.compile(r"[^A-Za-z0-9_-]")
_MAX_NAME_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class Rule:
    """The valid values of an option, and whether it is sent as a parameter.

    Attributes:
        expected: The valid values, as the end of the sentence "… must be".
        accepts: Returns whether a value is valid. It is not called with None.
        sent: Whether the request has a parameter with the same name and value. If not,
            ``ChatPlan`` converts the option.
    """

    expected: str
    accepts: Callable[[object], bool]
    sent: bool = True


def number(
    minimum: float,
    maximum: float = math.inf,
    *,
    exclusive_minimum: bool = False,
    exclusive_maximum: bool = False,
    integer: bool = False,
) -> Rule:
    """Return the rule for a range of numbers, or of integers.

    Example:
        >>> rule = number(0, 2, exclusive_maximum=True)
        >>> rule.expected, rule.accepts(2)
        ('in [0, 2)', False)
    """

    def accepts(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if isinstance(value, float) and (integer or not math.isfinite(value)):
            return False
        above = value > minimum if exclusive_minimum else value >= minimum
        below = value < maximum if exclusive_maximum else value <= maximum
        return above and below

    if maximum == math.inf:
        limit = f"{'>' if exclusive_minimum else '>='} {minimum}"
    else:
        opening = "(" if exclusive_minimum else "["
        closing = ")" if exclusive_maximum else "]"
        limit = f"in {opening}{minimum}, {maximum}{closing}"
    return Rule(f"an integer {limit}" if integer else limit, accepts)


def is_bool(value: object) -> bool:
    """Whether a value is True or False."""
    return isinstance(value, bool)


def is_string(value: object) -> bool:
    """Whether a value is a string."""
    return isinstance(value, str)


def is_mapping(value: object) -> bool:
    """Whether a value is a mapping."""
    return isinstance(value, Mapping)


def is_string_or_strings(value: object) -> bool:
    """Whether a value is a string, or a list of strings."""
    if isinstance(value, str):
        return True
    return isinstance(value, list | tuple) and all(
        map(is_string, cast("Sequence[object]", value))
    )


def are_tools(value: object) -> bool:
    """Whether a value is a list of tools in the OpenAI format, each with a name."""
    return isinstance(value, list | tuple) and all(
        map(_is_tool, cast("Sequence[object]", value))
    )


def _is_tool(value: object) -> bool:
    name = function_name(value)
    return isinstance(name, str) and bool(name)


def refuse_hosted_tools(tools: object) -> None:
    """Refuse tools that other services run themselves, and say what to pass instead.

    Args:
        tools: The tools, in any form.

    Raises:
        ConfigurationError: One of them is such a tool.
    """
    given = cast("Sequence[object]", tools) if isinstance(tools, list | tuple) else ()
    for tool in given:
        name = _type_name(tool)
        for starts, advice in _HOSTED:
            if name.startswith(starts):
                raise ConfigurationError(
                    f"tools contains {name!r}, which is not a function: {advice}."
                )


def _type_name(tool: object) -> str:
    """Return the type of a tool in the form of a dict, or its only key; else ""."""
    if not isinstance(tool, Mapping) or "function" in tool:
        return ""
    fields = cast("Mapping[str, object]", tool)
    return str(fields.get("type") or next(iter(fields), ""))


def valid_name(name: str) -> str:
    """Return a name of a function or a schema without characters that are refused.

    Args:
        name: The name, such as that of a generic class.

    Example:
        >>> valid_name("Box[int]")
        'Box_int_'
    """
    return _INVALID_IN_NAME.sub("_", name)[:_MAX_NAME_LENGTH]


def function_name(tool: object) -> object:
    """Return the name in a tool or a tool choice in the OpenAI format, else None."""
    if not isinstance(tool, dict):
        return None
    function = cast("dict[str, object]", tool).get("function")
    if not isinstance(function, dict):
        return None
    return cast("dict[str, object]", function).get("name")


def are_modalities(value: object) -> bool:
    """Whether a value is a list of ``'text'`` and ``'audio'``."""
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(kind in ("text", "audio") for kind in cast("list[object]", value))


def is_voice(value: object) -> bool:
    """Whether a value is a mapping whose voice and format are strings."""
    if not isinstance(value, Mapping):
        return False
    fields = cast("Mapping[str, object]", value)
    return all(isinstance(fields.get(name, ""), str) for name in ("voice", "format"))


def is_ocr_task(value: object) -> bool:
    """Whether a value is a mapping whose task, if any, is one of ``OCR_TASKS``."""
    if not isinstance(value, Mapping):
        return False
    task = cast("Mapping[str, object]", value).get("task")
    return task is None or task in OCR_TASKS
