"""Something that fits a JSON schema, made from the words and numbers of a question."""

import re
from collections.abc import Mapping
from typing import Any, Final

from modelstudio_core.emulator.json_values import is_array

__all__ = ["instance_of"]

_DEEPEST: Final = 8
_QUOTED: Final = re.compile(r"[\"'\u201c\u300c]([^\"'\u201d\u300d]+)[\"'\u201d\u300d]")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
# Names in the midst of a sentence: "What is the weather in New York?"
_NAME: Final = re.compile(r"(?<=[a-z,] )(?:[A-Z][\w-]*)(?: [A-Z][\w-]*)*")
# Properties that mean all that was asked.
_WHOLE: Final = frozenset({"query", "question", "input", "text", "prompt", "answer"})
_FORMATS: Final = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_SIMPLE: Final = {"boolean": True, "null": None}

Schema = Mapping[str, Any]


def instance_of(schema: Schema, text: str, *, whole: str | None = None) -> Any:
    """Make an instance of a schema.

    Args:
        schema: The schema.
        text: Where names and numbers are taken from, in their order.
        whole: What stands where all that was asked belongs; None is the text.

    Returns:
        A JSON value.

    Example:
        >>> city = {"type": "object", "properties": {"city": {"type": "string"}}}
        >>> instance_of(city, "How is the weather in Paris today?")
        {'city': 'Paris'}
    """
    return _Maker(schema, text, whole or text).make(schema, "", 0)


class _Maker:
    """Hands out the words and numbers of a text, each once, then the last again."""

    def __init__(self, root: Schema, text: str, whole: str) -> None:
        self._root = root
        self._whole = whole
        self._strings = _QUOTED.findall(text) or _NAME.findall(text) or [text]
        self._numbers = [float(number) for number in _NUMBER.findall(text)] or [1.0]

    def make(self, schema: Schema, name: str, depth: int) -> Any:
        schema = self._resolve(schema)
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        if schema.get("enum"):
            return schema["enum"][0]
        kind = _type_of(schema) if depth < _DEEPEST else "null"
        if kind in {"object", "array"}:
            return self._container(schema, name, depth)
        if kind in {"integer", "number"}:
            return self._number(schema, whole=kind == "integer")
        return _SIMPLE[kind] if kind in _SIMPLE else self._string(schema, name)

    def _container(self, schema: Schema, name: str, depth: int) -> Any:
        if _type_of(schema) == "object":
            return self._object(schema, depth)
        return self._array(schema, name, depth)

    def _resolve(self, schema: Schema) -> Schema:
        """Follow references and take the first of the alternatives that is not null."""
        for _ in range(_DEEPEST):
            if ref := schema.get("$ref"):
                schema = self._find(str(ref))
            elif options := schema.get("anyOf") or schema.get("oneOf"):
                found = [o for o in options if o.get("type") != "null"]
                schema = (found or options)[0]
            elif parts := schema.get("allOf"):
                schema = _merged([self._resolve(part) for part in parts])
        return schema

    def _find(self, ref: str) -> Schema:
        found: Schema = self._root
        for key in ref.removeprefix("#").strip("/").split("/"):
            found = found.get(key, {}) if key else found
        return found

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties: Mapping[str, Schema] = schema.get("properties") or {}
        names = schema.get("required") or list(properties)
        return {
            name: self.make(properties.get(name, {}), name, depth + 1) for name in names
        }

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        count = max(schema.get("minItems", 1), min(1, schema.get("maxItems", 1)))
        items: Schema = schema.get("items") or {}
        return [self.make(items, name, depth + 1) for _ in range(count)]

    def _number(self, schema: Schema, *, whole: bool) -> float:
        number = self._numbers.pop(0) if len(self._numbers) > 1 else self._numbers[0]
        step = schema.get("multipleOf") or (1 if whole else 0)
        number = max(number, schema.get("minimum", number))
        number = min(number, schema.get("maximum", number))
        if number <= schema.get("exclusiveMinimum", number - 1):
            number = schema["exclusiveMinimum"] + (step or 1)
        if number >= schema.get("exclusiveMaximum", number + 1):
            number = schema["exclusiveMaximum"] - (step or 1)
        if step:
            number = number // step * step
        return int(number) if whole or number == int(number) else number

    def _string(self, schema: Schema, name: str) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        if name.casefold() in _WHOLE:
            text = self._whole
        else:
            text = self._strings.pop(0) if len(self._strings) > 1 else self._strings[0]
        return text[: schema.get("maxLength")].ljust(schema.get("minLength", 0), "x")


def _type_of(schema: Schema) -> str:
    kind = schema.get("type")
    if is_array(kind):
        kind = next((k for k in kind if k != "null"), "null")
    if kind is None:
        kind = "object" if "properties" in schema else "string"
    return str(kind)


def _merged(parts: list[Schema]) -> Schema:
    merged: dict[str, Any] = {}
    for part in parts:
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", []), *part.get("required", [])]
        merged |= {**part, "properties": properties, "required": required}
    return {k: v for k, v in merged.items() if v or k not in {"properties", "required"}}
