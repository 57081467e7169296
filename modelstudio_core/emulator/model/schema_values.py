"""Build a value that fits a JSON schema from the words and numbers of a text."""

import re
from collections.abc import Mapping
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, is_array

__all__ = ["build_value"]

_MAX_DEPTH: Final = 8
_QUOTED: Final = re.compile(r"[\"'\u201c\u300c]([^\"'\u201d\u300d]+)[\"'\u201d\u300d]")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
# Names inside a sentence: "What is the weather in New York?"
_NAME: Final = re.compile(r"(?<=[a-z,] )(?:[A-Z][\w-]*)(?: [A-Z][\w-]*)*")
# Properties that get the full text.
_FULL_TEXT: Final = frozenset(
    {"query", "question", "input", "text", "prompt", "answer"}
)
_FORMATS: Final = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_SIMPLE: Final[Mapping[str, bool | None]] = {"boolean": True, "null": None}


def build_value(
    schema: JsonObject, text: str, *, full_text: str | None = None
) -> object:
    """Build a value that fits a schema.

    Args:
        schema: The schema.
        text: Where names and numbers are taken from, in their order.
        full_text: What a property such as ``query`` or ``answer`` gets; None is
            ``text``.

    Returns:
        A JSON value.

    Example:
        >>> city = {"type": "object", "properties": {"city": {"type": "string"}}}
        >>> build_value(city, "How is the weather in Paris today?")
        {'city': 'Paris'}
    """
    return _Builder(schema, text, full_text or text).build(schema, "", 0)


class _Builder:
    """Uses each string and number of a text once; the last ones again and again."""

    def __init__(self, root: JsonObject, text: str, full_text: str) -> None:
        self._root = root
        self._full_text = full_text
        self._strings = _QUOTED.findall(text) or _NAME.findall(text) or [text]
        self._numbers = [float(number) for number in _NUMBER.findall(text)] or [1.0]

    def build(self, schema: JsonObject, name: str, depth: int) -> object:
        schema = self._resolve(schema)
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        if schema.get("enum"):
            first: object = schema["enum"][0]
            return first
        kind = _type_of(schema) if depth < _MAX_DEPTH else "null"
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in {"integer", "number"}:
            return self._number(schema, integer=kind == "integer")
        return _SIMPLE[kind] if kind in _SIMPLE else self._string(schema, name)

    def _resolve(self, schema: JsonObject) -> JsonObject:
        """Follow references; of alternatives take the first that is not null."""
        for _ in range(_MAX_DEPTH):
            if ref := schema.get("$ref"):
                schema = self._find(str(ref))
            elif options := schema.get("anyOf") or schema.get("oneOf"):
                not_null = [o for o in options if o.get("type") != "null"]
                schema = (not_null or options)[0]
            elif parts := schema.get("allOf"):
                schema = _merge([self._resolve(part) for part in parts])
        return schema

    def _find(self, ref: str) -> JsonObject:
        schema = self._root
        for key in ref.removeprefix("#").strip("/").split("/"):
            schema = schema.get(key, {}) if key else schema
        return schema

    def _object(self, schema: JsonObject, depth: int) -> JsonObject:
        properties: dict[str, JsonObject] = schema.get("properties") or {}
        names = schema.get("required") or list(properties)
        return {
            name: self.build(properties.get(name, {}), name, depth + 1)
            for name in names
        }

    def _array(self, schema: JsonObject, name: str, depth: int) -> list[object]:
        count = max(schema.get("minItems", 1), min(1, schema.get("maxItems", 1)))
        items: JsonObject = schema.get("items") or {}
        return [self.build(items, name, depth + 1) for _ in range(count)]

    def _number(self, schema: JsonObject, *, integer: bool) -> float:
        number = self._numbers.pop(0) if len(self._numbers) > 1 else self._numbers[0]
        step = schema.get("multipleOf") or (1 if integer else 0)
        number = max(number, schema.get("minimum", number))
        number = min(number, schema.get("maximum", number))
        if number <= schema.get("exclusiveMinimum", number - 1):
            number = schema["exclusiveMinimum"] + (step or 1)
        if number >= schema.get("exclusiveMaximum", number + 1):
            number = schema["exclusiveMaximum"] - (step or 1)
        if step:
            number = number // step * step
        return int(number) if integer or number == int(number) else number

    def _string(self, schema: JsonObject, name: str) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        if name.casefold() in _FULL_TEXT:
            text = self._full_text
        else:
            text = self._strings.pop(0) if len(self._strings) > 1 else self._strings[0]
        return text[: schema.get("maxLength")].ljust(schema.get("minLength", 0), "x")


def _type_of(schema: JsonObject) -> str:
    kind = schema.get("type")
    if is_array(kind):
        kind = next((k for k in kind if k != "null"), "null")
    if kind is None:
        kind = "object" if "properties" in schema else "string"
    return str(kind)


def _merge(parts: list[JsonObject]) -> JsonObject:
    merged: JsonObject = {}
    for part in parts:
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", []), *part.get("required", [])]
        merged |= {**part, "properties": properties, "required": required}
    return {k: v for k, v in merged.items() if v or k not in {"properties", "required"}}
