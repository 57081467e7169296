"""Find the JSON objects and arrays in a text, those that are not quite JSON too.

Prompts show examples with keys without quotes, comments, an ellipsis for more items,
and the names of types for values.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from modelstudio_core.emulator.json_values import JsonObject, is_array, is_object

__all__ = ["Example", "find_examples", "remove_examples", "schema_of", "unescape"]

_MAX_DEPTH: Final = 16
# No more of a text is read, and no more values of it.
_MAX_TEXT: Final = 50_000
_MAX_EXAMPLES: Final = 200
_TOKEN: Final = re.compile(
    r'\s*(?://[^\n]*|/\*.*?\*/|\.\.\.,?|("(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\')'
    r"|([{}\[\]:,])|([^\s{}\[\]:,\"']+(?:[ \t]+[^\s{}\[\]:,\"'/]+)*)|(.))",
    re.DOTALL,
)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
# The name of a type in an example → the type in a schema.
_TYPES: Final = {
    "array": "array",
    "bool": "boolean",
    "boolean": "boolean",
    "dict": "object",
    "float": "number",
    "int": "integer",
    "integer": "integer",
    "list": "array",
    "number": "number",
    "object": "object",
    "str": "string",
    "string": "string",
}


@dataclass(frozen=True, slots=True)
class Example:
    """An object or an array in a text.

    Attributes:
        value: The value; words without quotes are strings.
        label: The line before it, or what precedes it on its own line.
        span: Where it begins and ends.
    """

    value: object
    label: str
    span: tuple[int, int]


def find_examples(text: str) -> list[Example]:
    """Return the outermost objects and arrays of a text, in their order.

    Example:
        >>> (example,) = find_examples('Example: [{choice: 1, reason: "why"}, ...]')
        >>> example.value, example.label
        ([{'choice': 1, 'reason': 'why'}], 'Example:')
    """
    text = text[:_MAX_TEXT]
    return [
        example for example, _ in zip(_read(text), range(_MAX_EXAMPLES), strict=False)
    ]


def unescape(text: str) -> str:
    """Undo the doubled braces of a template, which some clients send as they are."""
    if '{{"' not in text:
        return text
    return text.replace("{{", "{").replace("}}", "}")


def remove_examples(text: str) -> str:
    """Return a text without the objects and arrays in it.

    Example:
        >>> remove_examples('As {"a": 1}, please.')
        'As , please.'
    """
    text = unescape(text)
    for example in reversed(find_examples(text)):
        start, end = example.span
        text = text[:start] + text[end:]
    return text


def schema_of(value: object) -> JsonObject:
    """Return the schema of the values that an example stands for.

    Example:
        >>> schema_of({"name": "string", "age": 3})["properties"]["age"]
        {'type': 'integer'}
    """
    if is_object(value):
        properties = {name: schema_of(item) for name, item in value.items()}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
        }
    if is_array(value):
        return {"type": "array", "items": schema_of(value[0]) if value else {}}
    if isinstance(value, str):
        return {"type": _TYPES.get(value.casefold(), "string")}
    if isinstance(value, bool) or value is None:
        return {"type": "boolean" if value is not None else "string"}
    return {"type": "integer" if isinstance(value, int) else "number"}


def _read(text: str) -> Iterator[Example]:
    start = _next_bracket(text, 0)
    while start >= 0:
        reader = _Reader(text, start)
        try:
            value = reader.read(0)
        except ValueError:
            start = _next_bracket(text, start + 1)
            continue
        if value:
            yield Example(value, _label(text, start), (start, reader.position))
        start = _next_bracket(text, reader.position)


def _next_bracket(text: str, start: int) -> int:
    found = [at for bracket in "{[" if (at := text.find(bracket, start)) >= 0]
    return min(found, default=-1)


def _label(text: str, start: int) -> str:
    lines = [line.strip() for line in text[max(start - 400, 0) : start].splitlines()]
    shown = [line for line in lines if line.strip("`") not in {"", "json"}]
    return shown[-1] if shown else ""


class _Reader:
    """Reads one value from its first bracket on."""

    def __init__(self, text: str, position: int) -> None:
        self._text = text
        self.position = position

    def read(self, depth: int) -> object:
        quoted, mark, word = self._next()
        if quoted is not None:
            return quoted
        if word is not None:
            return _word(word)
        if depth > _MAX_DEPTH or mark not in {"{", "["}:
            raise ValueError("no value")
        return self._object(depth) if mark == "{" else self._array(depth)

    def _object(self, depth: int) -> JsonObject:
        built: JsonObject = {}
        while not self._accept("}"):
            quoted, _, word = self._next()
            name = word if quoted is None else quoted
            if name is None or not self._accept(":"):
                raise ValueError("no key")
            built[name] = self.read(depth + 1)
            self._accept(",")
        return built

    def _array(self, depth: int) -> list[object]:
        built: list[object] = []
        while not self._accept("]"):
            built.append(self.read(depth + 1))
            self._accept(",")
        return built

    def _next(self) -> tuple[str | None, str | None, str | None]:
        """Return the next token: a quoted text, a mark, or words without quotes."""
        while match := _TOKEN.match(self._text, self.position):
            self.position = match.end()
            quoted, mark, word, other = match.groups()
            if other is not None:
                break
            if quoted is not None:
                return quoted[1:-1], None, None
            if mark is not None or word is not None:
                return None, mark, word
        raise ValueError("no token")

    def _accept(self, mark: str) -> bool:
        position = self.position
        if self._next()[1] == mark:
            return True
        self.position = position
        return False


def _word(word: str) -> object:
    if match := _NUMBER.fullmatch(word):
        return float(word) if match[1] else int(word)
    constants = {"true": True, "false": False, "null": None}
    return constants.get(word.casefold(), word)
