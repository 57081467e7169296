"""Finds secrets in texts, also a part of one and one that is encoded, in one pass.

Each form of a secret (plain, base64, hex, escaped) is cut into overlapping pieces of
four characters. In a text a piece is looked up every five characters: any part of a
secret that is long enough contains one of them. Pieces are compared as numbers, which
``struct`` makes of a text in one step. The work is in proportion to the length of the
text, whatever it repeats and however many secrets there are.
"""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from html import escape
from struct import Struct
from typing import Final, NamedTuple
from urllib.parse import quote, quote_plus

from typing_extensions import override

__all__ = ["MIN_LENGTH", "PLACEHOLDER", "Redactor", "without_surrogates"]

PLACEHOLDER: Final = "**********"
# A shorter string may be an ordinary word, such as "test".
MIN_LENGTH: Final = 8
# So many characters of a secret in a row are hidden, wherever they are in it.
_MIN_PART: Final = 12
_PIECE: Final = 4
# Of the shortest part that is hidden, one piece is always looked up.
_STEP: Final = MIN_LENGTH - _PIECE + 1
# base64 has four characters for three.
_BASE64_PART: Final = _MIN_PART * 4 // 3
_GROUP: Final = 3
# A line break within a secret, perhaps as an escape, with the indentation after it.
_BREAK: Final = re.compile(r"(?:\s|\\[rnt])+")
_BREAK_BEFORE: Final = re.compile(r"(?:\s|[rnt]\\)+")
_BREAK_BEGINS: Final = frozenset(" \r\n\t\\")
_BREAK_ENDS: Final = frozenset(" \r\n\trnt")
_BREAK_ESCAPES: Final = frozenset({"\\r", "\\n", "\\t"})
_LONGEST_BREAK: Final = 100
# A text is searched in blocks of so many pieces.
_PIECES: Final = 64
_BLOCK: Final = _PIECES * _STEP
# By the number of pieces: what reads each as a number, and skips what is between two.
_BETWEEN: Final = "x" * (_STEP - _PIECE)
_UNPACK: Final[tuple[Callable[[bytes], tuple[int, ...]], ...]] = tuple(
    Struct("<" + _BETWEEN.join("I" * pieces)).unpack_from
    for pieces in range(_PIECES + 1)
)
# What was found in equal surroundings is not computed again.
_NEAR: Final = 48
_MAX_RESULTS: Final = 4096


class _Form(NamedTuple):
    """One way to write a secret, in lower case.

    Attributes:
        text: The secret.
        least: How many characters of it in a row are hidden.
        head: How many are, if they are its first ones: a text may be cut off.
    """

    text: str
    least: int
    head: int


_Place = tuple[_Form, int]


class Redactor:
    """Replaces secrets in texts. Secrets can be added and removed.

    Example:
        >>> Redactor(["sk-0123456789abcdef"]).redact("Bad key SK-0123456789ABCDEF.")
        'Bad key **********.'
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Create a redactor.

        Args:
            secrets: The secrets. One of less than 8 characters is ignored.
        """
        self._places: dict[int, tuple[_Place, ...]] = {}
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Hide one more secret.

        Args:
            secret: The secret. It must be removed as often as it is added.
        """
        for piece, place in _pieces_of(secret):
            self._places[piece] = (*self._places.get(piece, ()), place)

    def remove(self, secret: str) -> None:
        """Undo one ``add``.

        Args:
            secret: The secret.
        """
        for piece, place in _pieces_of(secret):
            places = list(self._places.pop(piece, ()))
            if place in places:
                places.remove(place)
            if places:
                self._places[piece] = tuple(places)

    @override
    def __reduce__(self) -> tuple[type["Redactor"], tuple[()]]:
        """Return a redactor without secrets for a copy or a pickle."""
        return Redactor, ()

    def redact(self, text: str) -> str:
        """Return a text with the secrets, and long parts of them, replaced.

        Lone surrogates are replaced as well: what is shown is written as UTF-8.

        Args:
            text: Any text.
        """
        if not text.isascii():
            text = without_surrogates(text)
        if len(text) < MIN_LENGTH or not self._places:
            return text
        lower = text.lower()
        if len(lower) != len(text):
            # A few letters become two in lower case; the places must stay the same.
            lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
        if len(lower) <= _BLOCK and self._places.keys().isdisjoint(_words_of(lower)):
            # Nearly every text: an id, a name, a message.
            return text
        parts: list[str] = []
        end = 0
        for begin, stop in self._spans(lower):
            parts += [text[end:begin], PLACEHOLDER]
            end = stop
        return "".join((*parts, text[end:])) if end else text

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the places of secrets: begin and end, in order and apart."""
        results: dict[str, tuple[int, int] | None] = {}
        end = 0
        for position, word in self._hits(text):
            if position < end:
                continue
            # Not at the beginning, where less is before the place.
            near = (
                text[position - _NEAR : position + _NEAR] if position >= _NEAR else ""
            )
            if near in results:
                found = results[near]
            else:
                found, is_near = self._find(text, position, word)
                if near and is_near and len(results) < _MAX_RESULTS:
                    results[near] = found
            if found is not None:
                begin = max(end, position - found[0])
                end = position + found[1]
                yield begin, end

    def _hits(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the places where pieces of secrets may be, and the pieces."""
        places = self._places
        for start in range(0, len(text), _BLOCK):
            words = _words_of(text[start : start + _BLOCK])
            # The usual case, in one step.
            if not places.keys().isdisjoint(words):
                for number, word in enumerate(words):
                    if word in places:
                        yield start + number * _STEP, word

    def _find(
        self, text: str, position: int, word: int
    ) -> tuple[tuple[int, int] | None, bool]:
        """Return how far the longest secret goes before and after a place.

        Returns:
            The two lengths, None if there is no secret, and whether nothing but the
            ``_NEAR`` characters on both sides was looked at.
        """
        first = last = position
        longest: tuple[int, int] | None = None
        for form, offset in self._places[word]:
            if not text.startswith(form.text[offset : offset + _PIECE], position):
                # Characters that are not ASCII are the same in a number.
                continue
            begin, start, seen = _extend_back(text, position, form.text, offset)
            first = min(first, seen)
            end, stop, seen = _extend(
                text, position + _PIECE, form.text, offset + _PIECE
            )
            last = max(last, seen)
            least = form.least if start else form.head
            if stop - start >= least and (
                longest is None or end - begin > sum(longest)
            ):
                longest = position - begin, end - position
        # An escape has two characters.
        return longest, max(position - first, last - position) <= _NEAR - 2


def without_surrogates(text: str) -> str:
    r"""Return a text that UTF-8 can represent: lone surrogates are replaced.

    Example:
        >>> without_surrogates("a\ud83d") == "a\ufffd"
        True
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        halves = text.encode("utf-16", "surrogatepass")
        return halves.decode("utf-16", "replace")
    return text


def _words_of(text: str) -> tuple[int, ...]:
    """Return the pieces of a text as numbers, one every ``_STEP`` characters."""
    # A character that is not ASCII becomes a question mark: the places stay the same.
    data = text.encode("ascii", "replace")
    return _UNPACK[(len(text) + _STEP - _PIECE) // _STEP](data)


def _extend(text: str, position: int, secret: str, offset: int) -> tuple[int, int, int]:
    """Return where a text and a secret differ from two places on; breaks are ignored.

    Returns:
        The place in the text, that in the secret, and how far the text was looked at.
    """
    length, size = len(text), len(secret)
    while True:
        while offset < size and position < length and text[position] == secret[offset]:
            position += 1
            offset += 1
        if offset == size:
            return position, offset, position
        # The backslash before may be that of the break.
        back = text[position - 1 : position + 1] in _BREAK_ESCAPES
        if not back and text[position : position + 1] not in _BREAK_BEGINS:
            return position, offset, position
        begin = position - back
        gap = _BREAK.match(text, begin, begin + _LONGEST_BREAK)
        after = gap.end() if gap else begin
        if text[after : after + 1] != secret[offset - back]:
            return position, offset, after
        position, offset = after, offset - back


def _extend_back(
    text: str, position: int, secret: str, offset: int
) -> tuple[int, int, int]:
    """Return where a text and a secret begin to be equal before two places.

    Returns:
        As for ``_extend``.
    """
    while True:
        while offset and position and text[position - 1] == secret[offset - 1]:
            position -= 1
            offset -= 1
        if not offset or not position:
            return position, offset, position
        # The letter after may be that of the break.
        back = text[position - 1 : position + 1] in _BREAK_ESCAPES
        if not back and text[position - 1] not in _BREAK_ENDS:
            return position, offset, position
        end = position + back
        before = text[max(0, end - _LONGEST_BREAK - 1) : end][::-1]
        gap = _BREAK_BEFORE.match(before)
        length = gap.end() if gap else 0
        if before[length : length + 1] != secret[offset + back - 1]:
            return position, offset, end - length
        position, offset = end - length, offset + back


@lru_cache(maxsize=256)
def _pieces_of(secret: str) -> tuple[tuple[int, _Place], ...]:
    """Return the pieces of all forms of a secret, and where they are.

    A long form has a piece only now and then: the parts of it that are hidden are long,
    so that several pieces of each are looked up.
    """
    if len(secret) < MIN_LENGTH:
        return ()
    pieces: list[tuple[int, _Place]] = []
    for form in _forms(secret):
        every = (min(form.least, form.head) - _PIECE + 1) // _STEP
        pieces += [
            (_words_of(form.text[offset : offset + _PIECE])[0], (form, offset))
            for offset in range(len(form.text) - _PIECE + 1)
            if offset // _STEP % every == 0
        ]
    return tuple(pieces)


def _forms(secret: str) -> Iterator[_Form]:
    """Yield the ways to write a secret, each once."""
    # As in the texts; bytes of the environment that are no UTF-8 become surrogates.
    secret = without_surrogates(secret)
    least = min(_MIN_PART, len(secret))
    head = min(_MIN_PART, max(MIN_LENGTH, len(secret) // _GROUP))
    raw = secret.encode()
    in_json = json.dumps(secret)[1:-1]
    plain = (
        secret,
        in_json,
        json.dumps(in_json)[1:-1],
        repr(secret)[1:-1],
        secret.replace("'", "\\'"),
        secret.replace("/", "\\/"),
        quote(secret, safe=""),
        quote_plus(secret),
        escape(secret),
    )
    yield from dict.fromkeys(_Form(text.lower(), least, head) for text in plain)
    for escaped, width in (
        (raw.hex(), 2),
        (":".join(f"{byte:02x}" for byte in raw), 3),
        ("".join(f"%{byte:02x}" for byte in raw), 3),
        ("".join(f"\\x{byte:02x}" for byte in raw), 4),
        ("".join(f"\\{byte:03o}" for byte in raw), 4),
        ("".join(f"&#{ord(char)};" for char in secret), 5),
        ("".join(f"&#x{ord(char):x};" for char in secret), 6),
        ("".join(f"\\u{ord(char):04x}" for char in secret), 6),
    ):
        yield _Form(escaped, least * width - 1, head * width - 1)
    encoded = {
        _base64_of(raw, before, encode(b"\0" * before + raw).decode()).lower()
        for before in range(_GROUP)
        for encode in (b64encode, urlsafe_b64encode)
    }
    for text in sorted(encoded):
        part = min(_BASE64_PART, len(text))
        yield _Form(text, part, part)


def _base64_of(raw: bytes, before: int, encoded: str) -> str:
    """Return the characters that depend on a secret alone, not on its neighbours."""
    first = (before * 4 + _GROUP - 1) // _GROUP
    after = (before + len(raw)) % _GROUP
    text = encoded.rstrip("=")
    return text[first : -1 if after else None]
