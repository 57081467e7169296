"""Build a text that a regular expression matches, for ``pattern`` in a JSON schema.

It knows literals, classes, groups, alternatives and quantifiers. Assertions are
ignored, and a pattern that it cannot read gives None.
"""

from typing import Final

__all__ = ["build_match"]

_MAX_LENGTH: Final = 1_000
# What a class escape stands for; any other escaped letter stands for itself.
_ESCAPES: Final = {
    "d": "1",
    "D": "a",
    "w": "a",
    "W": "-",
    "s": " ",
    "S": "a",
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "",
    "B": "",
    "A": "",
    "z": "",
    "Z": "",
}
# The first of these that a negated class does not exclude stands for it.
_CANDIDATES: Final = "aA1-_ .,bB2"
_ANY: Final = "a"


def build_match(pattern: str, *, min_length: int = 0) -> str | None:
    r"""Build a short text that a pattern matches; None for one that cannot be read.

    Args:
        pattern: The regular expression.
        min_length: How long the text should be, where the pattern has no upper limit.

    Example:
        >>> build_match(r"^[A-Z]{3}-\d{2,}$")
        'AAA-11'
    """
    try:
        text = _Reader(pattern, 0).read()
        if len(text) < min_length:
            text = _Reader(pattern, min(min_length, _MAX_LENGTH)).read()
    except (IndexError, ValueError, RecursionError):
        return None
    return text


class _Reader:
    """Reads a pattern once, from left to right, and builds the text meanwhile."""

    def __init__(self, pattern: str, more: int) -> None:
        self._pattern = pattern
        self._position = 0
        self._more = more

    def read(self) -> str:
        text = self._alternatives()
        if self._position < len(self._pattern):
            raise ValueError("a parenthesis is closed that was not opened")
        return text

    def _peek(self) -> str:
        rest = self._pattern[self._position : self._position + 1]
        return rest or "\0"

    def _next(self) -> str:
        character = self._pattern[self._position]
        self._position += 1
        return character

    def _accept(self, text: str) -> bool:
        found = self._pattern.startswith(text, self._position)
        self._position += len(text) if found else 0
        return found

    def _alternatives(self) -> str:
        """Read alternatives, of which the first one is built."""
        first = self._sequence()
        while self._accept("|"):
            self._sequence()
        return first

    def _sequence(self) -> str:
        pieces: list[str] = []
        while self._peek() not in "|)\0":
            piece = self._atom()
            pieces.append(self._repeat(piece))
        return "".join(pieces)[:_MAX_LENGTH]

    def _atom(self) -> str:
        character = self._next()
        if character == "(":
            return self._group()
        if character == "[":
            return self._class()
        if character == "\\":
            return self._escape()
        if character in "^$":
            return ""
        return _ANY if character == "." else character

    def _group(self) -> str:
        asserts = any(self._accept(mark) for mark in ("?=", "?!", "?<=", "?<!"))
        if not asserts and not self._accept("?:") and self._accept("?"):
            while self._next() != ">":
                pass
        text = self._alternatives()
        if not self._accept(")"):
            raise ValueError("a parenthesis is not closed")
        return "" if asserts else text

    def _escape(self) -> str:
        letter = self._next()
        if letter in "ux":
            length = 4 if letter == "u" else 2
            code = [self._next() for _ in range(length)]
            return chr(int("".join(code), 16))
        if letter in "pP" and self._accept("{"):
            while self._next() != "}":
                pass
            return _ANY
        return "" if letter.isdigit() else _ESCAPES.get(letter, letter)

    def _class(self) -> str:
        negated, members = self._accept("^"), list[str]()
        while self._peek() != "]" or not members:
            character = self._next()
            member = self._escape() if character == "\\" else character
            is_range = self._peek() == "-" and self._pattern[self._position + 1] != "]"
            if is_range and self._accept("-"):
                end = self._escape() if self._accept("\\") else self._next()
                member += self._middle(member, end) if negated else ""
            members.append(member)
        self._next()
        excluded = "".join(members)
        if not negated:
            return members[0][:1]
        return next(c for c in f"{_CANDIDATES}\u00e9" if c not in excluded)

    @staticmethod
    def _middle(start: str, end: str) -> str:
        """Return the candidates between two ends of a range."""
        return "".join(c for c in _CANDIDATES if start <= c <= end)

    def _repeat(self, piece: str) -> str:
        count = 1
        if self._accept("*") or self._accept("+"):
            plus = self._pattern[self._position - 1] == "+"
            count = max(int(plus), self._more)
        elif self._accept("?"):
            count = 0
        elif self._peek() == "{" and (limits := self._limits()) is not None:
            low, high = limits
            count = low if high is None or high <= low else min(high, self._more)
            count = max(count, low, self._more if high is None else 0)
        else:
            return piece
        for mark in "?+":
            self._accept(mark)
        return piece * min(count, _MAX_LENGTH // max(len(piece), 1))

    def _limits(self) -> tuple[int, int | None] | None:
        """Read ``{m}``, ``{m,}`` or ``{m,n}``; None where the brace is a literal."""
        end = self._pattern.find("}", self._position)
        low, comma, high = self._pattern[self._position + 1 : end].partition(",")
        if end < 0 or not low.isdecimal() or not (high.isdecimal() or not high):
            return None
        self._position = end + 1
        if not comma:
            return int(low), int(low)
        return int(low), int(high) if high else None
