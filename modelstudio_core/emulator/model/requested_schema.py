"""Find the JSON that a prompt asks for in its text.

A prompt shows a JSON schema, an example, or the names of keys.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard, TypeVar

from modelstudio_core.emulator.json_values import (
    JsonObject,
    is_array,
    is_object,
    objects,
)
from modelstudio_core.emulator.model.examples import (
    Example,
    find_examples,
    schema_of,
    unescape,
)
from modelstudio_core.emulator.model.passages import (
    significant_words,
    split_sentences,
)

__all__ = ["RequestedJson", "asks_for_json", "find_request", "find_schema"]

_Key = TypeVar("_Key", int, str)
_KEYS: Final = re.compile(
    r"\b(?:keys?|fields?|propert(?:y|ies))\b|键|字段", re.IGNORECASE
)
_NAME: Final = re.compile(r"([\"'`])([^\W\d]\w*)\1")
_TYPE: Final = re.compile(r"\b(?:int|integer|float|number|bool|boolean|list|dict)\b")
_JSON: Final = re.compile(r"\bjson\b", re.IGNORECASE)
_PASSAGES: Final = re.compile(
    r"context information|(?:following|given|provided|this) (?:pieces of )?context"
    r"|^\W*context\W*$",
    re.IGNORECASE | re.MULTILINE,
)
_ASKS: Final = re.compile(
    r"\b(?:output|outputs|return|returns|respond|reply|answer|provide|produce|generate"
    r"|write|give|follow|conforms?|format|formatted|match)\b|输出|返回|回答|生成",
    re.IGNORECASE,
)
# The line before an example of what is asked for, and that before other JSON.
_SHOWS: Final = re.compile(
    r"example|format|schema|output|following|like this|json|例|格式", re.IGNORECASE
)
_SHOWS_OTHER: Final = re.compile(
    r"<(?:tools|context|input|document)s?>|\binputs?\b|context|action input|tools?:",
    re.IGNORECASE,
)
# Prompts that ask for steps in words, in which an action has its input in JSON.
_STEPS: Final = re.compile(r"^\s*(?:Action|Thought)\s*:", re.MULTILINE)
_CHOICE: Final = re.compile(r"^\((\d{1,4})\)\s*(.+)$", re.MULTILINE)
_SCHEMA_KEYS: Final = ("properties", "$defs", "$ref", "anyOf", "allOf")


@dataclass(frozen=True, slots=True)
class RequestedJson:
    """What a prompt asks for.

    Attributes:
        schema: The schema of the value.
        fenced: Whether it is asked for as a block of Markdown.
    """

    schema: JsonObject
    fenced: bool


def find_request(texts: Sequence[str], question: str) -> RequestedJson | None:
    """Return the JSON that a prompt asks for in words; None where it asks for none.

    Args:
        texts: The texts of the prompt.
        question: The question, by which a choice is made.
    """
    if not asks_for_json(texts):
        return None
    prompt = "\n".join(texts)
    schema = find_schema(texts, question)
    if schema is None:
        return None
    fenced = "```json" in prompt or "json markdown" in prompt.casefold()
    return RequestedJson(schema, fenced)


def asks_for_json(texts: Sequence[str]) -> bool:
    """Return whether a prompt may ask for JSON in words."""
    prompt = "\n".join(texts)
    # Passages of a document may hold JSON that nobody asks for.
    if _PASSAGES.search(prompt) or _STEPS.search(prompt):
        return False
    return bool(_JSON.search(prompt) and _ASKS.search(prompt))


def find_schema(texts: Iterable[str], question: str = "") -> JsonObject | None:
    """Return the schema of the last text that asks for one; None where none does.

    Args:
        texts: The texts of the prompt.
        question: The question, by which a choice is made.

    Example:
        >>> find_schema(["Return JSON with the keys 'a' and 'b'."])["required"]
        ['a', 'b']
    """
    for text in map(unescape, reversed(list(texts))):
        examples = find_examples(text)
        values = [_unwrap(example.value) for example in examples]
        schemas = [value for value in values if _is_schema(value)]
        if schemas:
            return schemas[-1]
        shown = [e for e in examples if _is_structured(e) and _shows_what_is_asked(e)]
        if shown:
            schema = schema_of(shown[-1].value)
            return _with_options(schema, text, examples, question)
        if properties := _named_keys(text):
            return {"properties": properties, "required": list(properties)}
    return None


def _unwrap(value: object) -> object:
    """Return the value of an object with one key that is itself an object."""
    inner = next(iter(value.values())) if is_object(value) and len(value) == 1 else None
    return inner if _is_schema(inner) and not _is_schema(value) else value


def _is_schema(value: object) -> TypeGuard[JsonObject]:
    if not is_object(value):
        return False
    structured = any(
        is_object(value.get(k)) or is_array(value.get(k)) for k in _SCHEMA_KEYS
    )
    is_items = value.get("type") == "array" and is_object(value.get("items"))
    return structured or is_items or isinstance(value.get("$ref"), str)


def _is_structured(example: Example) -> bool:
    """Return whether an example is an object or a list of them, not ``[a link]``."""
    return is_object(example.value) or bool(objects(example.value))


def _shows_what_is_asked(example: Example) -> bool:
    return bool(_SHOWS.search(example.label) and not _SHOWS_OTHER.search(example.label))


def _named_keys(text: str) -> dict[str, JsonObject]:
    """Return the keys that a sentence names, each with the type that follows it."""
    for sentence in reversed(split_sentences(text)):
        names = list(_NAME.finditer(sentence))
        if names and _KEYS.search(sentence):
            ends = [*(match.start() for match in names[1:]), len(sentence)]
            return {
                match[2]: schema_of(_type_name(sentence[match.end() : end]))
                for match, end in zip(names, ends, strict=True)
            }
    return {}


def _type_name(text: str) -> str:
    match = _TYPE.search(text)
    return match[0] if match else "string"


# --- Choices --------------------------------------------------------------------------


def _with_options(
    schema: JsonObject, text: str, examples: Sequence[Example], question: str
) -> JsonObject:
    """Restrict a choice to the numbered ones, and a tool to those that are listed."""
    choices = {int(match[1]): match[2] for match in _CHOICE.finditer(text)}
    tables = objects([e.value for e in examples if _SHOWS_OTHER.search(e.label)])
    tools = tables[-1] if tables else {}
    options: Mapping[str, Sequence[object]] = {
        "choice": _ranked(choices, question),
        "tool_name": _ranked(tools, question),
    }
    return _restrict(schema, {k: v for k, v in options.items() if v})


def _ranked(options: Mapping[_Key, object], question: str) -> list[_Key]:
    """Return the keys, the one first whose text shares most with the question."""
    words = significant_words(question)

    def score(key: _Key) -> int:
        return len(words & significant_words(f"{key} {options[key]}".replace("_", " ")))

    return sorted(options, key=lambda key: -score(key))


def _restrict(
    schema: JsonObject, options: Mapping[str, Sequence[object]]
) -> JsonObject:
    if schema.get("type") == "array":
        return {**schema, "items": _restrict(schema["items"], options)}
    if "properties" not in schema:
        return schema
    properties = {
        name: {"const": options[name][0]}
        if name in options
        else _restrict(value, options)
        for name, value in schema["properties"].items()
    }
    return {**schema, "properties": properties}
