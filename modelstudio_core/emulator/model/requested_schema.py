"""Find the JSON schema, or the names of keys, that a prompt asks for in its text."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, is_object
from modelstudio_core.emulator.model.passages import split_sentences

__all__ = ["find_schema"]

_KEYS: Final = re.compile(
    r"\b(?:keys?|fields?|propert(?:y|ies))\b|键|字段", re.IGNORECASE
)
_NAME: Final = re.compile(r"([\"'`])([^\W\d]\w*)\1")


def find_schema(texts: Iterable[str]) -> JsonObject | None:
    """Return the schema of the last text that asks for one; None where none does.

    Example:
        >>> find_schema(["Return JSON with the keys 'a' and 'b'."])["required"]
        ['a', 'b']
    """
    for text in reversed(list(texts)):
        if schemas := list(_schemas(text)):
            return schemas[-1]
        for sentence in reversed(split_sentences(text)):
            names = [match[1] for match in _NAME.findall(sentence)]
            if names and _KEYS.search(sentence):
                properties = {name: {"type": "string"} for name in names}
                return {"properties": properties, "required": list(properties)}
    return None


def _schemas(text: str) -> Iterator[JsonObject]:
    """Yield the JSON schemas that a text contains."""
    decoder, start = json.JSONDecoder(), text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except ValueError:
            value, end = None, start + 1
        if is_object(value) and is_object(value.get("properties")):
            yield value
        start = text.find("{", end)
