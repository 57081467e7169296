"""Tokens, roughly: enough for limits and usage that look like the service's own."""

import re
from collections.abc import Mapping
from typing import Any, Final

from modelstudio_core.emulator.json_values import dump, is_array, text_of
from modelstudio_core.emulator.model.query import Ask

__all__ = [
    "count_message",
    "count_prompt",
    "count_tokens",
    "cut_pieces",
    "limit_tokens",
]

# A word of Latin letters, up to three digits, or one other character, with the blanks
# before it: so that a piece never splits a character, and all pieces make the text.
_TOKEN: Final = re.compile(r"\s*(?:[A-Za-z\u00c0-\u024f]{1,8}|\d{1,3}|\S)|\s+")
_TOKENS_OF_A_MESSAGE: Final = 4
_TOKENS_OF_MEDIA: Final = 256


def count_tokens(text: str) -> int:
    """Count the tokens of a text.

    Example:
        >>> count_tokens("How tall is it?")
        5
    """
    return sum(1 for _ in _TOKEN.finditer(text))


def count_prompt(ask: Ask) -> int:
    """Count the tokens of a request: its messages, media and tools."""
    messages = sum(map(count_message, ask.messages))
    return messages + (count_tokens(dump(ask.tools)) if ask.tools else 0)


def cut_pieces(text: str, size: int = 3) -> list[str]:
    """Cut a text into pieces of a few tokens; together they are the text.

    Example:
        >>> cut_pieces("The Eiffel Tower is tall.")
        ['The Eiffel Tower', ' is tall.']
    """
    tokens = _TOKEN.findall(text)
    return ["".join(tokens[i : i + size]) for i in range(0, len(tokens), size)]


def limit_tokens(text: str, most: int) -> str:
    """Return the beginning of a text, at most so many tokens."""
    return "".join(_TOKEN.findall(text)[: max(most, 0)])


def count_message(message: Mapping[str, Any]) -> int:
    """Count the tokens of a message: its text, media and calls."""
    content = message.get("content")
    parts = content if is_array(content) else []
    media = sum(1 for part in parts if "text" not in part)
    calls = message.get("tool_calls")
    text = text_of(content) + (dump(calls) if calls else "")
    return _TOKENS_OF_A_MESSAGE + count_tokens(text) + media * _TOKENS_OF_MEDIA
