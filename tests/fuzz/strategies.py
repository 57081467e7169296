"""Strategies for texts, JSON values and API keys."""

import json
import random
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

__all__ = [
    "arguments",
    "json_values",
    "keys",
    "names",
    "nested",
    "pieces",
    "shuffled",
    "texts",
    "values",
    "wild_json",
]

# Words of both protocols, of SSE and of JSON, and characters that break naive code.
_WORDS = (
    "data: ",
    "\n\n",
    "\r\n",
    "\r",
    "[DONE]",
    "event:error",
    ":HTTP_STATUS/400",
    "null",
    "{",
    "}",
    '"',
    "\\",
    "\u2028",
    "\x85",
    "\x00",
    "\ufeff",
    "思考",
    "🦊",
    "\ud83e",
    "\udd8a",
)
_anything = st.text(max_size=12)
texts = st.one_of(
    _anything,
    st.sampled_from(_WORDS),
    st.lists(st.sampled_from(_WORDS) | st.text(max_size=3), max_size=5).map("".join),
)
names = st.one_of(st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True), texts)
keys = st.one_of(
    st.from_regex(r"sk-[A-Za-z0-9]{8,40}", fullmatch=True),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8).map(
        "sk-".__add__
    ),
)


def nested(depth: int) -> Any:
    """Return nested lists."""
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def _json(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
        ),
        max_leaves=6,
    )


_SCALARS = st.none() | st.booleans() | st.integers() | texts
json_values = _json(_SCALARS | st.floats(allow_nan=False, allow_infinity=False))
# Everything that a JSON parser can return.
wild_json = _json(
    st.one_of(
        _SCALARS,
        st.floats(),
        st.integers(1, 400).map(lambda digits: 10**digits),
        st.sampled_from(["0", "1", "-1", "12", "null", "stop", "²", [], {}, [[]]]),
        st.sampled_from([40, 150]).map(nested),
    )
)
# Values that Python code may pass in place of JSON.
values = st.one_of(
    wild_json,
    st.binary(max_size=4),
    st.sampled_from([object(), {1, 2}, (1, "a"), {1: 2}, int, Ellipsis, 1j]),
)
# The arguments of a tool call: a JSON object, formatted in various ways.
arguments = st.builds(
    lambda value, ascii_only, indent: json.dumps(
        value, ensure_ascii=ascii_only, indent=indent
    ),
    st.dictionaries(texts, json_values, max_size=3),
    st.booleans(),
    st.none() | st.integers(0, 2),
)


def pieces(complete: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    """Split a text into pieces, some of them empty."""

    def cut(text: str) -> st.SearchStrategy[list[str]]:
        places = st.lists(st.integers(0, len(text)), max_size=4).map(sorted)
        return places.map(
            lambda at: [
                text[start:end]
                for start, end in zip([0, *at], [*at, len(text)], strict=True)
            ]
        )

    return complete.flatmap(cut)


def shuffled(value: Any, seed: int) -> Any:
    """Return JSON with the keys of every object shuffled."""
    return _shuffle(value, random.Random(seed).shuffle)  # noqa: S311 - not for security


def _shuffle(value: Any, mix: Callable[[list[Any]], None]) -> Any:
    if isinstance(value, list):
        return [_shuffle(item, mix) for item in value]
    if isinstance(value, dict):
        items = [(name, _shuffle(item, mix)) for name, item in value.items()]
        mix(items)
        return dict(items)
    return value
