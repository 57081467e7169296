"""The explicit context cache: prompt prefixes that ``cache_control`` marks.

A mark keeps the prompt up to its block for five minutes, if that is 1024 tokens or
more; a hit keeps the prefix for five more (Context cache, 2026-03).
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from modelstudio_core.emulator.json_values import JsonObject, dump, is_array
from modelstudio_core.emulator.model.query import ChatQuery
from modelstudio_core.emulator.model.tokens import Usage, count_message

__all__ = ["ContextCache"]

_MIN_TOKENS: Final = 1024
_LIFETIME: Final = 300.0  # seconds
# How many blocks before a mark are compared, and how many marks count: the last ones.
_LOOK_BACK: Final = 20
_MAX_MARKS: Final = 4


class _Prefix(NamedTuple):
    """A prompt up to the end of one of its blocks."""

    key: str
    tokens: int
    marked: bool


@dataclass(slots=True)
class ContextCache:
    """The cached prompt prefixes of one studio.

    Attributes:
        expiries: Key of a prefix → when it expires; the earliest first.
        clock: Returns the time in seconds.
    """

    expiries: dict[str, float] = field(default_factory=dict[str, float])
    clock: Callable[[], float] = time.monotonic

    def count(self, query: ChatQuery, usage: Usage) -> Usage:
        """Return the usage with the tokens read from the cache and written to it."""
        prefixes = _prefixes(query) if query.profile.explicit_cache else []
        marks = [index for index, prefix in enumerate(prefixes) if prefix.marked]
        if not marks:
            return usage
        read = max(self._read(prefixes, mark) for mark in marks[-_MAX_MARKS:])
        kept = max(self._write(prefixes[mark]) for mark in marks[-_MAX_MARKS:])
        return replace(
            usage, cached_tokens=read, cache_creation_tokens=max(kept - read, 0)
        )

    def _read(self, prefixes: Sequence[_Prefix], mark: int) -> int:
        """Return the tokens of the longest cached prefix, and renew it."""
        now = self.clock()
        for prefix in reversed(prefixes[max(mark - _LOOK_BACK, 0) : mark + 1]):
            if self.expiries.get(prefix.key, now) > now:
                self._keep(prefix.key, now)
                return prefix.tokens
        return 0

    def _write(self, prefix: _Prefix) -> int:
        """Cache a prefix that is long enough, and return its tokens."""
        if prefix.tokens < _MIN_TOKENS:
            return 0
        self._keep(prefix.key, self.clock())
        return prefix.tokens

    def _keep(self, key: str, now: float) -> None:
        """Keep a prefix for its lifetime, and remove the expired ones."""
        self.expiries.pop(key, None)
        self.expiries[key] = now + _LIFETIME
        while self.expiries[oldest := next(iter(self.expiries))] <= now:
            del self.expiries[oldest]


def _prefixes(query: ChatQuery) -> list[_Prefix]:
    digest, tokens_before = hashlib.sha256(query.model.encode()), 0
    prefixes: list[_Prefix] = []
    for message in query.messages:
        parts = _parts(message)
        rest = {k: v for k, v in message.items() if k != "content"}
        for number, part in enumerate(parts, 1):
            unmarked = {k: v for k, v in part.items() if k != "cache_control"}
            digest.update(dump([rest, unmarked]).encode())
            tokens = tokens_before + count_message({**rest, "content": parts[:number]})
            prefixes.append(
                _Prefix(digest.hexdigest(), tokens, "cache_control" in part)
            )
        tokens_before += count_message(message)
    return prefixes


def _parts(message: JsonObject) -> Sequence[JsonObject]:
    content = message.get("content")
    return content if is_array(content) else [{"type": "text", "text": content or ""}]
