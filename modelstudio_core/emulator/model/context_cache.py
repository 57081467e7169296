"""The explicit context cache: what marked beginnings of prompts are known by.

A ``cache_control`` mark keeps the prompt up to its block for five minutes, if that is
1024 tokens or more; a hit keeps it for five more (Context cache, 2026-03).
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from modelstudio_core.chat.events import Usage
from modelstudio_core.emulator.json_values import dump, is_array
from modelstudio_core.emulator.model.query import Ask
from modelstudio_core.emulator.model.tokens import count_message

__all__ = ["ContextCache"]

_FEWEST_TOKENS: Final = 1024
_SECONDS: Final = 300.0
# How many blocks before a mark are compared, and how many marks count: the last ones.
_LOOK_BACK: Final = 20
_MOST_MARKS: Final = 4


class _Block(NamedTuple):
    """A prompt up to one of its blocks."""

    key: str
    tokens: int
    marked: bool


@dataclass(slots=True)
class ContextCache:
    """What one studio keeps.

    Attributes:
        clock: Tells the seconds.
    """

    clock: Callable[[], float] = time.monotonic
    _until: dict[str, float] = field(default_factory=dict[str, float])

    def count(self, ask: Ask, usage: Usage) -> Usage:
        """Return the usage with what was read from the cache and written to it."""
        blocks = _blocks(ask) if ask.profile.cache else []
        marks = [index for index, block in enumerate(blocks) if block.marked]
        if not marks:
            return usage
        read = max(self._read(blocks, mark) for mark in marks[-_MOST_MARKS:])
        kept = max(self._write(blocks[mark]) for mark in marks[-_MOST_MARKS:])
        return replace(
            usage, cached_tokens=read, cache_creation_tokens=max(kept - read, 0)
        )

    def _read(self, blocks: Sequence[_Block], mark: int) -> int:
        """Return the tokens of the longest beginning that is known, and keep it."""
        now = self.clock()
        for block in reversed(blocks[max(mark - _LOOK_BACK, 0) : mark + 1]):
            if self._until.get(block.key, now) > now:
                self._until[block.key] = now + _SECONDS
                return block.tokens
        return 0

    def _write(self, block: _Block) -> int:
        """Keep the prompt up to a block, if long enough, and return its tokens."""
        if block.tokens < _FEWEST_TOKENS:
            return 0
        self._until[block.key] = self.clock() + _SECONDS
        return block.tokens


def _blocks(ask: Ask) -> list[_Block]:
    digest, before = hashlib.sha256(ask.model.encode()), 0
    found: list[_Block] = []
    for message in ask.messages:
        parts = _parts(message)
        rest = {k: v for k, v in message.items() if k != "content"}
        for number, part in enumerate(parts, 1):
            bare = {k: v for k, v in part.items() if k != "cache_control"}
            digest.update(dump([rest, bare]).encode())
            tokens = before + count_message({**rest, "content": parts[:number]})
            found.append(_Block(digest.hexdigest(), tokens, "cache_control" in part))
        before += count_message(message)
    return found


def _parts(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    content = message.get("content")
    return content if is_array(content) else [{"type": "text", "text": content or ""}]
