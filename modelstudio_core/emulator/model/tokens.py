"""Approximate token counts, close enough for limits and usage to look real."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from modelstudio_core.emulator.json_values import (
    JsonObject,
    content_text,
    dump,
    is_object,
    objects,
)
from modelstudio_core.emulator.model.query import ChatQuery

__all__ = [
    "Usage",
    "count_media",
    "count_message",
    "count_pages",
    "count_prompt",
    "count_tokens",
    "split_tokens",
    "truncate_tokens",
]

# Up to eight Latin letters, up to three digits, or one other character, with the
# whitespace before it: a piece never splits a character, and all pieces make the text.
_TOKEN: Final = re.compile(r"\s*(?:[A-Za-z\u00c0-\u024f]{1,8}|\d{1,3}|\S)|\s+")
_TOKENS_PER_MESSAGE: Final = 4
# The type of a part → the kind of its tokens, and how many there are.
_MEDIA_TOKENS: Final = {
    "image_url": ("image", 256),
    "video_url": ("video", 1024),
    "video": ("video", 1024),
    "input_audio": ("audio", 256),
    "file": ("text", 512),
}
_PAGE: Final = re.compile(rb"/Type\s*/Page\b")


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
        media_tokens: Tokens of the images, videos and sounds of the prompt, by kind.
        spoken_tokens: Tokens of the sound of the answers.
        pages: Pages of the PDFs of the prompt.
        runs: How many times the code interpreter ran.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int | None = None
    cached_tokens: int = 0
    cache_creation_tokens: int | None = None
    media_tokens: Mapping[str, int] = field(default_factory=dict[str, int])
    spoken_tokens: int = 0
    pages: int = 0
    runs: int = 0

    @property
    def input_details(self) -> Mapping[str, int]:
        """The tokens of the prompt by kind; empty for a prompt that is text only."""
        if not self.media_tokens:
            return {}
        text = self.input_tokens - sum(self.media_tokens.values())
        counts = {**self.media_tokens, "text": text}
        return {f"{kind}_tokens": counts[kind] for kind in sorted(counts)}

    @property
    def output_details(self) -> Mapping[str, int]:
        """The tokens of the answers by kind; empty for text without reasoning."""
        details: dict[str, int] = {}
        if self.spoken_tokens:
            details["audio_tokens"] = self.spoken_tokens
        if self.reasoning_tokens is not None:
            details["reasoning_tokens"] = self.reasoning_tokens
        if self.media_tokens or self.spoken_tokens:
            # The tokens of the text include those of the reasoning (recorded).
            details["text_tokens"] = self.output_tokens - self.spoken_tokens
        return details

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
    media = sum(_media_tokens(part)[1] for part in objects(content))
    calls = message.get("tool_calls")
    text = content_text(content) + (dump(calls) if calls else "")
    return _TOKENS_PER_MESSAGE + count_tokens(text) + media


def _media_tokens(part: JsonObject) -> tuple[str, int]:
    return _MEDIA_TOKENS.get(str(part.get("type")), ("text", 0))


def count_media(query: ChatQuery) -> Mapping[str, int]:
    """Count the tokens of the images, videos and sounds of a prompt, by kind."""
    counts: dict[str, int] = {}
    for message in query.messages:
        for part in objects(message.get("content")):
            kind, tokens = _media_tokens(part)
            if kind != "text":
                counts[kind] = counts.get(kind, 0) + tokens
    return counts


def count_pages(query: ChatQuery) -> int:
    """Count the pages of the PDFs of a prompt; one behind a URL counts as one page."""
    return sum(
        _pages(part.get("file"))
        for message in query.messages
        for part in objects(message.get("content"))
        if part.get("type") == "file"
    )


def _pages(file: object) -> int:
    data = file.get("file_data") if is_object(file) else None
    encoded = str(data).rpartition(",")[2]
    try:
        content = base64.b64decode(encoded, validate=True)
    except ValueError:
        return 1
    return max(len(_PAGE.findall(content)), 1)


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
