"""Approximate token counts, close enough for limits and usage to look real."""

import re
from dataclasses import dataclass
from typing import Final

from modelstudio_core.emulator.json_values import (
    JsonObject,
    content_text,
    dump,
    is_array,
)
from modelstudio_core.emulator.model.query import ChatQuery

__all__ = [
    "Usage",
    "count_message",
    "count_prompt",
    "count_tokens",
    "split_tokens",
    "truncate_tokens",
]

# Up to eight Latin letters, up to three digits, or one other character, with the
# whitespace before it: a piece never splits a character, and all pieces make the text.
_TOKEN: Final = re.compile(r"\s*(?:[A-Za-z\u00c0-\u024f]{1,8}|\d{1,3}|\S)|\s+")
_TOKENS_PER_MESSAGE: Final = 4
_TOKENS_PER_MEDIA_PART: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The tokens of a request and of all of its answers.

    Attributes:
        input_tokens: Tokens of the prompt, cached tokens included.
        output_tokens: Tokens of the answers, reasoning included.
        reasoning_tokens: Tokens of the reasoning; None where the model does not think.
        cached_tokens: Tokens of the prompt that the context cache had.
        cache_creation_tokens: Tokens of the prompt that were written to the context
            cache; None where the prompt has no cache mark.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int | None = None
    cached_tokens: int = 0
    cache_creation_tokens: int | None = None

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens


def count_tokens(text: str) -> int:
    """Count the tokens of a text.

    Example:
        >>> count_tokens("How tall is it?")
        5
    """
    return sum(1 for _ in _TOKEN.finditer(text))


def count_message(message: JsonObject) -> int:
    """Count the tokens of a message: its text, media and tool calls."""
    content = message.get("content")
    parts = content if is_array(content) else []
    media = sum(1 for part in parts if "text" not in part)
    calls = message.get("tool_calls")
    text = content_text(content) + (dump(calls) if calls else "")
    return _TOKENS_PER_MESSAGE + count_tokens(text) + media * _TOKENS_PER_MEDIA_PART


def count_prompt(query: ChatQuery) -> int:
    """Count the tokens of a request: its messages, media and tools."""
    messages = sum(map(count_message, query.messages))
    return messages + (count_tokens(dump(query.tools)) if query.tools else 0)


def split_tokens(text: str, size: int = 3) -> list[str]:
    """Split a text into pieces of ``size`` tokens; joined, they are the text.

    Example:
        >>> split_tokens("The Eiffel Tower is tall.")
        ['The Eiffel Tower', ' is tall.']
    """
    tokens = _TOKEN.findall(text)
    return ["".join(tokens[i : i + size]) for i in range(0, len(tokens), size)]


def truncate_tokens(text: str, limit: int) -> str:
    """Return the first ``limit`` tokens of a text."""
    return "".join(_TOKEN.findall(text)[: max(limit, 0)])
