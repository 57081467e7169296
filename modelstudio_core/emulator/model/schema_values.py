"""Build a value that fits a JSON schema from the words and numbers of a text.

However large a schema asks a value to be, no more than a thousand values are built.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from modelstudio_core.emulator.json_values import (
    JsonObject,
    is_array,
    is_number,
    is_object,
)
from modelstudio_core.emulator.model.field_values import FieldValues
from modelstudio_core.emulator.model.patterns import build_match
from modelstudio_core.emulator.model.schemas import (
    SchemaReader,
    as_schema,
    bound,
    strings,
    type_of,
)

__all__ = ["build_value"]

_MAX_DEPTH: Final = 16
_MAX_VALUES: Final = 1_000
_MAX_LENGTH: Final = 10_000
_FORMATS: Final = {
    "byte": "ZW11bGF0b3I=",
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "hostname": "example.com",
    "idn-email": "someone@example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "iri": "https://example.com/",
    "iri-reference": "https://example.com/",
    "json-pointer": "/name",
    "regex": "^a$",
    "time": "00:00:00Z",
    "uri": "https://example.com/",
    "uri-reference": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_EMPTY: Final[Mapping[str, object]] = {
    "object": {},
    "array": [],
    "string": "",
    "boolean": True,
}


def build_value(
    schema: object,
    text: str,
    *,
    full_text: str | None = None,
    question: str | None = None,
) -> object:
    """Build a value that fits a schema.

    Args:
        schema: The schema; what is no schema allows anything.
        text: Where names and numbers are taken from, in their order.
        full_text: What a property such as ``answer`` gets; None is ``text``.
        question: What a property such as ``query`` gets; None is ``full_text``.

    Returns:
        A JSON value.

    Example:
        >>> city = {"type": "object", "properties": {"city": {"type": "string"}}}
        >>> build_value(city, "How is the weather in Paris today?")
        {'city': 'Paris'}
    """
    root = as_schema(schema)
    values = FieldValues(text, text if full_text is None else full_text, question)
    return _Builder(root, values).build(root, _Place())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a value something is built.

    Attributes:
        name: The name of its property; an item has that of its array.
        depth: How many arrays and objects it is in.
        references: The references that led to its schema.
        least: Whether as little as possible is built there, which ends a recursion.
    """

    name: str = ""
    depth: int = 0
    references: frozenset[str] = frozenset()
    least: bool = False

    def inside(self, name: str) -> "_Place":
        """Return the place of a property or an item of what is built here."""
        return replace(self, name=name, depth=self.depth + 1)


class _Builder:
    """Builds one value; how many values it may still build decreases meanwhile."""

    def __init__(self, root: JsonObject, values: FieldValues) -> None:
        self._reader = SchemaReader(root)
        self._values = values
        self._remaining = _MAX_VALUES

    def build(self, schema: JsonObject, place: _Place) -> object:
        """Build a value that fits a schema, for one place."""
        self._remaining -= 1
        resolved = self._reader.resolve(schema, place.references)
        schema = resolved.schema
        least = place.least or resolved.repeats
        place = replace(place, references=resolved.references, least=least)
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        if is_array(options := schema.get("enum")) and options:
            return self._values.option(options)
        kind = type_of(schema)
        if place.depth >= _MAX_DEPTH or self._remaining <= 0:
            return _EMPTY.get(kind, 0 if kind in {"integer", "number"} else None)
        if kind == "object":
            return self._object(schema, place)
        if kind == "array":
            return self._array(schema, place)
        return self._simple(schema, kind, place)

    def _simple(self, schema: JsonObject, kind: str, place: _Place) -> object:
        match kind:
            case "integer" | "number":
                number = self._values.number(place.name)
                return _fit_number(schema, number, integer=kind == "integer")
            case "boolean" | "null":
                return True if kind == "boolean" else None
            case _:
                return self._string(schema, place.name)

    def _object(self, schema: JsonObject, place: _Place) -> JsonObject:
        """Build the required properties; all of them where none is required."""
        properties = as_schema(schema.get("properties"))
        names = strings(schema.get("required"))
        if not names and not place.least:
            names = list(properties)
        fewest = int(bound(schema, "minProperties") or 0)
        optional = (name for name in properties if name not in names)
        names += [n for n, _ in zip(optional, range(fewest - len(names)), strict=False)]
        built = {
            name: self.build(as_schema(properties.get(name)), place.inside(name))
            for name in names
        }
        return built | self._additional(schema, place, built, fewest)

    def _additional(
        self, schema: JsonObject, place: _Place, built: JsonObject, fewest: int
    ) -> JsonObject:
        """Build properties without given names: one for a dictionary, else few."""
        value = schema.get("additionalProperties")
        is_dictionary = is_object(value) and bool(value) and not built
        missing = max(fewest - len(built), int(is_dictionary and not place.least))
        keys = as_schema(schema.get("propertyNames"))
        added: JsonObject = {}
        while missing > len(added) and self._remaining > 0 and value is not False:
            number = len(added) + 1
            key = str(self.build(keys, place.inside("key"))) if keys else "key"
            key = key if number == 1 else f"{key}{number}"
            added[key] = self.build(as_schema(value), place.inside(key))
        return added

    def _array(self, schema: JsonObject, place: _Place) -> list[object]:
        """Build as few items as the schema allows, but one where it allows one."""
        prefix, items = _item_schemas(schema)
        fewest = int(bound(schema, "minItems") or 0)
        most = bound(schema, "maxItems")
        count = max(fewest, 0 if place.least else max(1, len(prefix)))
        if most is not None:
            count = max(min(count, int(most)), fewest)
        if items is None:
            count = min(count, len(prefix))
        built: list[object] = []
        while len(built) < count and self._remaining > 0:
            item = prefix[len(built)] if len(built) < len(prefix) else items or {}
            value = self.build(item, place.inside(place.name))
            if schema.get("uniqueItems") is True:
                value = _distinct(value, item, built)
            built.append(value)
        return built

    def _string(self, schema: JsonObject, name: str) -> str:
        fewest = min(int(bound(schema, "minLength") or 0), _MAX_LENGTH)
        most = bound(schema, "maxLength")
        pattern, form = schema.get("pattern"), schema.get("format")
        if isinstance(pattern, str):
            text = build_match(pattern, min_length=fewest)
            if text is not None:
                return text
        if isinstance(form, str) and form in _FORMATS:
            return _FORMATS[form]
        text = self._values.string(name)
        return text[: None if most is None else int(most)].ljust(fewest, "x")


def _item_schemas(schema: JsonObject) -> tuple[list[JsonObject], JsonObject | None]:
    """Return the schemas of the first items, and that of the rest; None for no rest.

    A list under ``items`` is the older form of ``prefixItems``.
    """
    items, prefix = schema.get("items"), schema.get("prefixItems")
    if is_array(items):
        prefix, items = items, schema.get("additionalItems")
    first = [as_schema(item) for item in prefix] if is_array(prefix) else []
    if items is None and not first:
        items = schema.get("contains")
    return first, None if items is False else as_schema(items)


def _distinct(value: object, schema: JsonObject, built: list[object]) -> object:
    """Return a value that the array does not have yet, as far as one can be made."""
    options = schema.get("enum")
    if value not in built:
        return value
    if is_array(options):
        return next((option for option in options if option not in built), value)
    if isinstance(value, bool):
        return not value
    if is_number(value):
        return max(item for item in built if is_number(item)) + 1
    return f"{value} {len(built) + 1}" if isinstance(value, str) else value


def _fit_number(schema: JsonObject, number: float, *, integer: bool) -> float:
    """Move a number into the range of a schema, and onto its step."""
    step = bound(schema, "multipleOf") or (1 if integer else 0)
    low, high = bound(schema, "minimum"), bound(schema, "maximum")
    above, below = bound(schema, "exclusiveMinimum"), bound(schema, "exclusiveMaximum")
    if low is not None:
        number = max(number, low)
    if high is not None:
        number = min(number, high)
    if above is not None and number <= above:
        number = above + (step or _half(above, below, high))
    if below is not None and number >= below:
        number = below - (step or _half(above, below, low))
    if step > 0:
        number = _on_step(number, step, low, above)
    return int(number) if integer or number == int(number) else number


def _half(above: float | None, below: float | None, limit: float | None) -> float:
    """Return half of the distance to the other end of a range, at most 1."""
    start = above if above is not None else below
    end = limit if limit is not None else below
    distance = abs(end - start) if start is not None and end is not None else 0
    return min(distance / 2, 1) if distance else 1


def _on_step(
    number: float, step: float, low: float | None, above: float | None
) -> float:
    """Return the multiple of a step that is nearest below, or above the low end."""
    steps = number / step
    if not math.isfinite(steps):
        return number
    rounded = math.floor(steps + 1e-9) * step
    if (low is not None and rounded < low) or (above is not None and rounded <= above):
        rounded += step
    return rounded
