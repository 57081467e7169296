"""Read JSON schemas, whatever a client sent: references, alternatives, older forms."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from modelstudio_core.emulator.json_values import (
    JsonObject,
    is_array,
    is_number,
    is_object,
    objects,
)

__all__ = [
    "Resolved",
    "SchemaReader",
    "as_schema",
    "bound",
    "parameters_schema",
    "strings",
    "type_of",
]

_MAX_DEPTH: Final = 16
_TYPES: Final = frozenset(
    {"object", "array", "string", "integer", "number", "boolean", "null"}
)
# A type that a schema without ``type`` has, by a key of its own.
_TYPE_OF_KEY: Final = {
    "properties": "object",
    "additionalProperties": "object",
    "required": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "minimum": "number",
    "maximum": "number",
    "multipleOf": "number",
}


def as_schema(value: object) -> JsonObject:
    """Return a subschema as an object; a boolean or null allows anything."""
    return value if is_object(value) else {}


def parameters_schema(parameters: object) -> JsonObject:
    """Return the schema of a tool's arguments.

    Older clients send a list instead, with an object for each parameter.

    Example:
        >>> city = {"name": "city", "type": "string", "required": True}
        >>> parameters_schema([city])["required"]
        ['city']
    """
    if is_object(parameters):
        return {"type": "object", **parameters}
    entries = [p for p in objects(parameters) if isinstance(p.get("name"), str)]
    properties = {
        entry["name"]: {k: v for k, v in entry.items() if k not in {"name", "required"}}
        for entry in entries
    }
    required = [entry["name"] for entry in entries if entry.get("required")]
    return {"type": "object", "properties": properties, "required": required}


def bound(schema: JsonObject, key: str) -> float | None:
    """Return a number of a schema; None where there is none."""
    value = schema.get(key)
    return value if is_number(value) and math.isfinite(value) else None


def type_of(schema: JsonObject) -> str:
    """Return the type of a schema; of several, the first that is not null."""
    kind = schema.get("type")
    kinds = kind if is_array(kind) else [kind]
    valid = [k for k in kinds if isinstance(k, str) and k in _TYPES]
    if valid:
        return next((k for k in valid if k != "null"), "null")
    return next((t for key, t in _TYPE_OF_KEY.items() if schema.get(key)), "string")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A schema without references and alternatives.

    Attributes:
        schema: The schema.
        references: The references that led to it.
        repeats: Whether one of them had led to it before: the schema is recursive.
    """

    schema: JsonObject
    references: frozenset[str]
    repeats: bool


class SchemaReader:
    """Resolves the references and alternatives of one schema."""

    def __init__(self, root: JsonObject) -> None:
        """Set the schema that references begin at."""
        self._root = root

    def resolve(self, schema: JsonObject, references: frozenset[str]) -> Resolved:
        """Follow references, choose an alternative, and merge all parts.

        Args:
            schema: The schema.
            references: The references that led to it.
        """
        repeats = False
        for _ in range(_MAX_DEPTH):
            reference = schema.get("$ref")
            if isinstance(reference, str):
                repeats = repeats or reference in references
                references |= {reference}
                schema = {**self._find(reference), **_without(schema, "$ref")}
            elif options := _options(schema):
                chosen = self._choose(options, references)
                rest = _without(schema, "anyOf", "oneOf")
                schema = _merge([rest, chosen])
            elif parts := objects(schema.get("allOf")):
                found = [self.resolve(part, references).schema for part in parts]
                schema = _merge([_without(schema, "allOf"), *found])
            else:
                break
        return Resolved(schema, references, repeats)

    def _choose(
        self, options: Sequence[JsonObject], references: frozenset[str]
    ) -> JsonObject:
        """Return the first alternative, without recursion and not null if possible."""
        ended = [o for o in options if str(o.get("$ref")) not in references]
        values = [o for o in ended if o.get("type") != "null"]
        if len(ended) < len(options):
            # Recursion: null ends it sooner than another object does.
            values = [o for o in ended if o.get("type") == "null"] or values
        return next(iter([*values, *ended, *options]))

    def _find(self, reference: str) -> JsonObject:
        value: object = self._root
        for key in reference.removeprefix("#").strip("/").split("/"):
            name = unquote(key).replace("~1", "/").replace("~0", "~")
            if name:
                value = value.get(name) if is_object(value) else None
        return as_schema(value) if reference.startswith("#") else {}


def _options(schema: JsonObject) -> list[JsonObject]:
    return objects(schema.get("anyOf")) or objects(schema.get("oneOf"))


def _without(schema: JsonObject, *keys: str) -> JsonObject:
    return {key: value for key, value in schema.items() if key not in keys}


def _merge(parts: Sequence[JsonObject]) -> JsonObject:
    merged: JsonObject = {}
    for part in parts:
        properties = {
            **as_schema(merged.get("properties")),
            **as_schema(part.get("properties")),
        }
        required = [*strings(merged.get("required")), *strings(part.get("required"))]
        merged |= {**part, "properties": properties, "required": required}
    return {k: v for k, v in merged.items() if v or k not in {"properties", "required"}}


def strings(value: object) -> list[str]:
    """Return the strings of a JSON array; none where the value is no array."""
    return [name for name in value if isinstance(name, str)] if is_array(value) else []
