"""The valid values of options: ranges of numbers, and checks of other types."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

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
